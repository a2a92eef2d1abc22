//! Who sends what to whom, and when: a line for each host, an arrow for each frame.
//!
//! Which of very many frames are drawn: the first, the last, and of those that came again or were refused the earliest, with what was just
//! before them. What is left out is said where it would be.

use std::collections::BTreeSet;

use framewise::tcp::analysis::Order;
use framewise_trace::dissect::{Astray, Connection, Deed, Dissection, Frame};

use super::lifelines::{self, HOSTS, LEFT, Lines};
use super::series::Sending;
use super::{MARGIN, WIDTH};
use crate::drawing::palette::{GREY, INK, LATE, RED, WHITE, hue_of};
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};
use crate::exit::{Failure, Kind};
use crate::subject::time;

/// Frames that are drawn at most; of more, so many of the first and of the last.
const MOST: usize = 40;
const FIRST: usize = 16;
const LAST: usize = 6;

/// Where the first arrow has its place.
const TOP: f64 = lifelines::TOP + lifelines::HEAD;
const ROW: f64 = 34.0;

pub(super) fn draw(
    dissection: &Dissection,
    connection: Option<&Connection<'_>>,
    what: &str,
) -> Result<String, Failure> {
    let segment_frames = |connection: &Connection<'_>| {
        let numbers: BTreeSet<_> = connection.segments().iter().map(|segment| segment.frame()).collect();
        numbers.into_iter().filter_map(|number| dissection.frame(number)).collect()
    };
    let frames: Vec<_> = connection.map_or_else(|| dissection.frames().collect(), segment_frames);
    if frames.is_empty() {
        return Err(Failure::new(Kind::Usage, "there are no frames to draw")
            .next("framewise figure https://shop.test/ --kind ladder"));
    }
    let lines = Lines::of(&frames);
    let of_others = frames.len();
    let frames: Vec<Frame<'_>> = frames.into_iter().filter(|frame| lines.way(frame).is_some()).collect();
    let of_others = of_others - frames.len();
    let drawn = chosen(&frames);

    let only = connection.map(|connection| format!(", connection {}", connection.id().0 + 1));
    let counted = format!(": {} frames{}", frames.len(), only.unwrap_or_default());
    let told = format!("A ladder: who sends what to whom, {} of {} frames.", drawn.len(), frames.len());
    let mut svg = Svg::new(WIDTH, format!("{what}{counted}"), told);
    let body = rows(dissection, &frames, &drawn);
    let bottom = TOP + ROW * body.len() as f64 + 16.0;
    heading(&mut svg, what, &counted);
    lines.draw(&mut svg, bottom);
    for (number, row) in body.iter().enumerate() {
        let y = TOP + ROW * (number as f64 + 0.8);
        match row {
            Row::Frame(frame) => frame_row(&mut svg, dissection, &lines, frame, y),
            Row::Astray(astray) => astray_row(&mut svg, &lines, astray, y),
            Row::LeftOut(count) => left_out(&mut svg, *count, y),
        }
    }
    let mut y = bottom + 24.0;
    if of_others > 0 {
        let said = format!("{of_others} frames of other hosts are left out: only {HOSTS} have a line.");
        svg.text((MARGIN, y), Font::new(12.0, GREY), &said);
        y += 20.0;
    }
    Ok(svg.finish(y))
}

/// What is at one height.
enum Row<'d> {
    Frame(Frame<'d>),
    /// What was sent to the host at which it was captured, and never came.
    Astray(&'d Astray),
    LeftOut(usize),
}

/// The frames that are drawn, by their places among all.
fn chosen(frames: &[Frame<'_>]) -> BTreeSet<usize> {
    if frames.len() <= MOST {
        return (0..frames.len()).collect();
    }
    let mut chosen: BTreeSet<usize> = (0..FIRST).chain(frames.len() - LAST..frames.len()).collect();
    for (place, frame) in frames.iter().enumerate() {
        if is_odd(frame) {
            chosen.extend([place.saturating_sub(1), place]);
        }
        if chosen.len() >= MOST {
            break;
        }
    }
    // Where little is odd, there is room for more of the beginning.
    for place in FIRST..frames.len() {
        if chosen.len() >= MOST {
            break;
        }
        chosen.insert(place);
    }
    chosen
}

/// Whether something did not go the usual way.
fn is_odd(frame: &Frame<'_>) -> bool {
    let order = frame.segment().map(|segment| segment.facts.order);
    frame.refused().is_some()
        || !frame.deeds().is_empty()
        || order
            .is_some_and(|order| Sending::of(order) != Sending::New || matches!(order, Order::Ahead { .. }))
}

fn rows<'d>(dissection: &'d Dissection, frames: &[Frame<'d>], drawn: &BTreeSet<usize>) -> Vec<Row<'d>> {
    let mut rows = Vec::new();
    let mut next = 0;
    for &place in drawn {
        if place > next {
            rows.push(Row::LeftOut(place - next));
        }
        if let Some(frame) = frames.get(place) {
            rows.push(Row::Frame(*frame));
            rows.extend(dissection.astray_after(frame.number()).iter().map(Row::Astray));
        }
        next = place + 1;
    }
    rows
}

/// One arrow: its number and time at the left, what it says above it, and what went wrong in red.
fn frame_row(svg: &mut Svg, dissection: &Dissection, lines: &Lines, frame: &Frame<'_>, y: f64) {
    let Some((x1, x2)) = lines.way(frame) else { return };
    let summary = frame.summary();
    let (protocol, says) = summary.split_once(": ").unwrap_or(("", &summary));
    let odd = oddity(frame);
    let ink = match odd.class {
        "again" | "refused" | "lost" | "damaged" => RED,
        "late" => LATE,
        _ => hue_of(protocol).ink,
    };
    let label = format!("{}{protocol}: {says}{}", odd.before, odd.behind);
    let class = format!("frame {}", odd.class);
    svg.group(class.trim_end(), &format!("frame {}: {label}", frame.number()), |svg| {
        let font = Font::new(11.5, GREY).at(Anchor::End);
        svg.text((MARGIN + 34.0, y + 4.0), font.bold(), &frame.number().to_string());
        svg.text((LEFT - 4.0, y + 4.0), font, &time(dissection, frame));
        let stroke = Stroke::new(ink, 1.6);
        let stroke = if odd.is_late() { stroke.dashed() } else { stroke };
        match odd.class {
            "lost" => lost_arrow(svg, (x1, x2), y, stroke),
            _ => arrow(svg, (x1, x2), y, stroke, odd.is_crossed),
        }
        let font = Font::new(12.0, ink).at(Anchor::Middle);
        // What has no length has room for what it says all the same.
        let room = ((x2 - x1).abs() - 20.0).max(200.0);
        let said = font.fit(&label, room);
        // Of an arrow that ends half way, above its half.
        let x = if odd.class == "lost" { x1 + (x2 - x1) / 4.0 } else { (x1 + x2) / 2.0 };
        let width = font.width(&said) + 4.0;
        svg.rect(Rect { x: x - width / 2.0, y: y - 17.0, width, height: 14.0 }, WHITE, None);
        svg.text((x, y - 6.0), font, &said);
    });
}

/// What did not go the usual way with a frame.
#[derive(Default)]
struct Oddity {
    class: &'static str,
    before: &'static str,
    behind: String,
    /// Whether nobody took it.
    is_crossed: bool,
}

impl Oddity {
    /// Whether it was not the first to bring its bytes, or not in turn.
    fn is_late(&self) -> bool {
        matches!(self.class, "again" | "late")
    }
}

fn oddity(frame: &Frame<'_>) -> Oddity {
    if frame.deeds().iter().any(Deed::is_lost) {
        return Oddity { class: "lost", behind: "; lost on the way".to_owned(), ..Oddity::default() };
    }
    if let Some(refused) = frame.refused() {
        let behind = format!("; refused by {}: {}", refused.layer, refused.reason);
        return Oddity { class: "refused", behind, is_crossed: true, ..Oddity::default() };
    }
    if frame.deeds().iter().any(|deed| deed.topic == "damaged") {
        return Oddity { class: "damaged", behind: "; damaged on the way".to_owned(), ..Oddity::default() };
    }
    let Some(order) = frame.segment().map(|segment| segment.facts.order) else { return Oddity::default() };
    match (Sending::of(order), order) {
        (Sending::Again, _) => Oddity { class: "again", before: "again: ", ..Oddity::default() },
        (Sending::Late, _) => Oddity { class: "late", before: "late: ", ..Oddity::default() },
        (Sending::New, Order::Ahead { gap }) => {
            let behind = format!("; {gap} B before it are missing");
            Oddity { class: "ahead", behind, ..Oddity::default() }
        }
        (Sending::New, _) => Oddity::default(),
    }
}

/// What never came: half an arrow, without a number.
fn astray_row(svg: &mut Svg, lines: &Lines, astray: &Astray, y: f64) {
    let Some((x1, x2)) = lines.way_of_astray(astray) else { return };
    let label = format!("{} bytes; lost on the way", astray.bytes.len());
    svg.group("frame lost", &label, |svg| {
        lost_arrow(svg, (x1, x2), y, Stroke::new(RED, 1.6));
        let font = Font::new(12.0, RED).at(Anchor::Middle);
        svg.text((x1 + (x2 - x1) / 4.0, y - 6.0), font, &label);
    });
}

/// An arrow that ends half way.
fn lost_arrow(svg: &mut Svg, (from, to): (f64, f64), y: f64, stroke: Stroke) {
    let x = (from + to) / 2.0;
    svg.line((from, y), (x, y), stroke);
    cross(svg, x, y);
}

fn cross(svg: &mut Svg, x: f64, y: f64) {
    let (arm, stroke) = (6.0, Stroke::new(RED, 2.2));
    svg.line((x - arm, y - arm), (x + arm, y + arm), stroke);
    svg.line((x - arm, y + arm), (x + arm, y - arm), stroke);
}

fn arrow(svg: &mut Svg, (from, to): (f64, f64), y: f64, stroke: Stroke, is_crossed: bool) {
    if from == to {
        // Who sent it to whom is not known, or it is oneself.
        svg.rect(Rect { x: from - 4.0, y: y - 4.0, width: 8.0, height: 8.0 }, stroke.ink, None);
        return;
    }
    let way = if to >= from { 1.0 } else { -1.0 };
    svg.line((from, y), (to - way * 7.0, y), stroke);
    let head = [(to, y), (to - way * 9.0, y - 4.5), (to - way * 9.0, y + 4.5)];
    svg.path(&head, stroke.ink, None);
    if is_crossed {
        cross(svg, to - way * 24.0, y);
    }
}

fn left_out(svg: &mut Svg, count: usize, y: f64) {
    let font = Font::new(12.0, GREY).at(Anchor::Middle);
    let said = format!("{count} {} left out", if count == 1 { "frame" } else { "frames" });
    let (x, width) = ((LEFT + WIDTH) / 2.0, font.width(&said) + 16.0);
    svg.rect(Rect { x: x - width / 2.0, y: y - 13.0, width, height: 18.0 }, WHITE, None);
    svg.text((x, y), font, &said);
}

fn heading(svg: &mut Svg, what: &str, told: &str) {
    let font = Font::new(20.0, INK).bold();
    svg.text((MARGIN, 40.0), font, &font.fit_before(what, told, WIDTH - 2.0 * MARGIN));
    let font = Font::new(12.0, INK);
    let keys = [
        (Stroke::new(INK, 1.6), false, "a frame, in its layer's colour"),
        (Stroke::new(RED, 1.6).dashed(), false, "sent again"),
        (Stroke::new(LATE, 1.6).dashed(), false, "late: fills a gap"),
        (Stroke::new(RED, 1.6), true, "refused"),
    ];
    let mut x = MARGIN;
    for (stroke, is_crossed, said) in keys {
        arrow(svg, (x, x + 44.0), 64.0, stroke, is_crossed);
        svg.text((x + 52.0, 68.0), font, said);
        x += 52.0 + font.width(said) + 26.0;
    }
    lost_arrow(svg, (x, x + 44.0), 64.0, Stroke::new(RED, 1.6));
    svg.text((x + 34.0, 68.0), font, "lost");
    x += 34.0 + font.width("lost") + 26.0;
    svg.text((x, 68.0), Font::new(12.0, GREY), "left: the frame's number, and when, in ms");
}
