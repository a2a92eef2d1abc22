//! One frame as boxes within boxes, each as wide as it has bytes.
//!
//! ```text
//!   Ethernet  header 14 B   ┌─┬────────────────────────────┐
//!   IPv4      header 20 B   │ │┌──┬───────────────────────┐│      a row for each layer; its box begins in it
//!   TCP       header 20 B   │ ││  │┌──┬──────────────────┐││
//!                           └─┴┴──┴┴──┴──────────────────┴┴┘
//!                           0       20        40        60
//! ```

use std::ops::Range;

use framewise::core::Direction;
use framewise_trace::dissect::{Dissection, Frame, Layer, Place, Space};

use super::{MARGIN, WIDTH};
use crate::drawing::palette::{FAINT, GREY, Hue, INK, PALE, WHITE, hue_of};
use crate::drawing::scale::nice_step;
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};

/// Where the boxes begin; what is said stands at their left.
const BOXES: f64 = 370.0;
const ROW: f64 = 62.0;
const TOP: f64 = 96.0;
/// How far a box ends above the one around it.
const NEST: f64 = 7.0;
/// What is below the last row, within its box.
const FLOOR: f64 = 10.0;
/// Layers that are drawn.
const MOST: usize = 16;

/// A layer, and its bytes in the frame.
struct Part {
    layer: Layer,
    range: Range<u64>,
    header: u64,
    trailer: u64,
    /// How many boxes are around it.
    depth: usize,
}

pub(super) fn draw(dissection: &Dissection, frame: &Frame<'_>, what: &str) -> String {
    let stack = frame.layers();
    let mut parts = parts(dissection, frame, stack.layers);
    let left_out = parts.len().saturating_sub(MOST);
    parts.truncate(MOST);

    let length = frame.bytes().len() as u64;
    let way = match frame.direction() {
        Some(Direction::Outbound) => ", sent",
        Some(Direction::Inbound) => ", received",
        None => "",
    };
    let which = format!(": frame {} of {}, {length} bytes{way}", frame.number(), dissection.len());
    let names: Vec<_> = parts.iter().map(|part| part.layer.description.protocol).collect();
    let mut svg =
        Svg::new(WIDTH, format!("{what}{which}"), format!("Boxes within boxes: {}.", names.join(", ")));
    heading(&mut svg, what, &which);

    let picture = Picture { scale: (WIDTH - MARGIN - BOXES) / length.max(1) as f64, parts: &parts };
    let floor = TOP + ROW * parts.len() as f64 + FLOOR + NEST * picture.deepest() as f64;
    for (row, part) in parts.iter().enumerate() {
        let top = TOP + ROW * row as f64;
        svg.group("layer", &part.told(), |svg| {
            part.row(svg, top, frame.direction());
            picture.boxes(svg, part, top, floor);
        });
    }
    ruler(&mut svg, floor + 10.0, length, picture.scale);

    let mut y = floor + 62.0;
    let mut notes = stack.troubles;
    if left_out > 0 {
        notes.push(format!("{left_out} layers more are left out."));
    }
    for note in notes.iter().take(MOST) {
        let font = Font::new(12.0, GREY);
        svg.text((MARGIN, y), font, &font.fit(note, WIDTH - 2.0 * MARGIN));
        y += 18.0;
    }
    svg.finish(y)
}

/// The layers that have bytes in this frame, each within the one before that has its bytes.
fn parts(dissection: &Dissection, frame: &Frame<'_>, layers: Vec<Layer>) -> Vec<Part> {
    let mut around: Vec<Range<u64>> = Vec::new();
    let mut parts = Vec::new();
    for layer in layers {
        let Some(range) = in_frame(dissection, frame, &layer) else { continue };
        around.retain(|outer| outer.start <= range.start && range.end <= outer.end);
        let (header, trailer) = layer.envelope_here();
        let depth = around.len();
        around.push(range.clone());
        parts.push(Part { layer, range, header, trailer, depth });
    }
    parts
}

/// Which bytes of the frame a layer has.
fn in_frame(dissection: &Dissection, frame: &Frame<'_>, layer: &Layer) -> Option<Range<u64>> {
    if let Space::Frame(_) = layer.space {
        return Some(layer.here.clone());
    }
    let carriers = dissection.frames_of(&Place::new(layer.space, layer.here.clone()));
    let here = carriers.into_iter().filter(|carrier| carrier.at.space == Space::Frame(frame.number()));
    here.map(|carrier| carrier.at.range).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
}

impl Part {
    fn hue(&self) -> Hue {
        hue_of(self.layer.description.protocol)
    }

    fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    fn sizes(&self) -> String {
        let trailer = if self.trailer > 0 { format!(", trailer {} B", self.trailer) } else { String::new() };
        let header =
            if self.header > 0 { format!("header {} B", self.header) } else { "no header here".to_owned() };
        format!("{header}{trailer}")
    }

    fn told(&self) -> String {
        let description = &self.layer.description;
        let range = &self.range;
        format!(
            "{} {}: bytes {} to {} of the frame, {}",
            description.protocol,
            description.unit,
            range.start,
            range.end.saturating_sub(1),
            self.sizes()
        )
    }

    /// What is said of it: its name, its sizes, what it decided, who gets it next.
    fn row(&self, svg: &mut Svg, top: f64, direction: Option<Direction>) {
        let (hue, description) = (self.hue(), &self.layer.description);
        svg.rect(Rect { x: MARGIN, y: top + 6.0, width: 5.0, height: ROW - 12.0 }, hue.ink, None);
        let (x, room) = (MARGIN + 16.0, BOXES - MARGIN - 36.0);
        let name = Font::new(16.0, hue.ink).bold();
        svg.text((x, top + 21.0), name, description.protocol);
        let sizes = Font::new(12.0, GREY).at(Anchor::End);
        svg.text((x + room, top + 21.0), sizes, &self.sizes());
        let decided = self.layer.decided(direction.unwrap_or(Direction::Outbound));
        let font = Font::new(12.5, INK);
        svg.text((x, top + 38.0), font, &font.fit(decided, room));
        let font = Font::new(11.0, GREY);
        svg.text((x, top + 53.0), font, &font.fit(&description.next, room));
    }
}

/// The boxes of a frame.
struct Picture<'a> {
    /// Pixels for a byte.
    scale: f64,
    parts: &'a [Part],
}

impl Picture<'_> {
    fn deepest(&self) -> usize {
        self.parts.iter().map(|part| part.depth).max().unwrap_or(0)
    }

    /// A layer's box: pale, with its header and its trailer dark.
    fn boxes(&self, svg: &mut Svg, part: &Part, top: f64, floor: f64) {
        let hue = part.hue();
        let y = top + 4.0;
        let height = floor - NEST * part.depth as f64 - y;
        let at = |from: u64, to: u64| Rect {
            x: BOXES + from as f64 * self.scale,
            y,
            width: to.saturating_sub(from) as f64 * self.scale,
            height,
        };
        let Range { start, end } = part.range;
        svg.rect(at(start, end), hue.fill, Some(Stroke::new(hue.ink, 1.0)));
        let (header, trailer) = (at(start, start + part.header), at(end.saturating_sub(part.trailer), end));
        for (rect, size) in [(header, part.header), (trailer, part.trailer)] {
            if size > 0 {
                svg.rect(rect, hue.ink, Some(Stroke::new(WHITE, 0.5)));
                let font = Font::new(11.0, WHITE).at(Anchor::Middle);
                let said = font.fit(&format!("{size}"), rect.width - 2.0);
                if !said.ends_with("..") {
                    svg.text((rect.x + rect.width / 2.0, y + 17.0), font, &said);
                }
            }
        }
        let inside = at(start + part.header, end.saturating_sub(part.trailer));
        let font = Font::new(11.0, hue.ink).at(Anchor::Middle);
        let said = format!("{}", part.length().saturating_sub(part.header + part.trailer));
        if font.width(&said) < inside.width - 8.0 {
            svg.text((inside.x + inside.width / 2.0, y + 17.0), font, &said);
        }
    }
}

fn heading(svg: &mut Svg, what: &str, told: &str) {
    let font = Font::new(20.0, INK).bold();
    svg.text((MARGIN, 40.0), font, &font.fit_before(what, told, WIDTH - 2.0 * MARGIN));
    let y = 66.0;
    let mut x = MARGIN;
    for (fill, said) in [
        (GREY, "dark: header and trailer, with their bytes"),
        (PALE, "pale: what is carried; each box as wide as it has bytes"),
    ] {
        let swatch = Rect { x, y: y - 11.0, width: 18.0, height: 13.0 };
        svg.rect(swatch, fill, Some(Stroke::new(GREY, 1.0)));
        let font = Font::new(12.0, GREY);
        svg.text((x + 25.0, y), font, said);
        x += 25.0 + font.width(said) + 24.0;
    }
}

/// The bytes of the frame, counted.
fn ruler(svg: &mut Svg, y: f64, length: u64, scale: f64) {
    let faint = Stroke::new(FAINT, 1.0);
    svg.line((BOXES, y), (BOXES + length as f64 * scale, y), Stroke::new(GREY, 1.0));
    let step = (nice_step(length as f64, 8.0) as u64).max(1);
    let font = Font::new(11.0, GREY).at(Anchor::Middle);
    for byte in (0..=length).step_by(step as usize) {
        let x = BOXES + byte as f64 * scale;
        svg.line((x, y), (x, y + 5.0), faint);
        svg.text((x, y + 18.0), font, &byte.to_string());
    }
    svg.text((BOXES - 12.0, y + 18.0), font.at(Anchor::End), "byte");
}
