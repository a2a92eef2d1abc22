//! Which bytes of a stream were sent when, up to where they were acknowledged, and up to where more would be taken.

use framewise_trace::dissect::{Connection, Dissection};

use super::plot::{Axes, HEIGHT, Key, MANY, stairs, thinned};
use super::series::{Sending, Sent, Series};
use super::{WIDTH, busier, seen};
use crate::drawing::palette::{GREY, INK, LATE, RED, hue_of};
use crate::drawing::svg::{Stroke, Svg};
use crate::exit::Failure;

/// Bars that are drawn at most.
const MOST: usize = 20_000;
/// How high the bar of a segment is at least.
const LEAST: f64 = 3.0;

pub(super) fn draw(
    dissection: &Dissection,
    connection: &Connection<'_>,
    what: &str,
) -> Result<String, Failure> {
    let side = busier(connection);
    let series = Series::of(dissection, connection, side)?;
    let length = series.length();
    let edge = series.said.iter().map(|said| said.has + said.window).max().unwrap_or_default();
    // The window's edge may be so far up that nothing else could be seen.
    let axes = Axes::new(series.duration(), if edge <= length * 2 { edge.max(length) } else { length });

    let which = ": time and sequence";
    let again = series.sent.iter().filter(|sent| sent.kind == Sending::Again).count();
    let late = series.sent.iter().filter(|sent| sent.kind == Sending::Late).count();
    let (bars, left_out) = bars(&axes, &series.sent);
    let left_out = if left_out > 0 { format!(" Not drawn: {left_out}.") } else { String::new() };
    let note = format!(
        "{}: {} segments with {length} bytes in all; {again} came again, {late} late.{left_out}",
        seen(dissection, connection, side),
        series.sent.len()
    );
    let mut svg = Svg::new(WIDTH, format!("{what}{which}"), &note);
    axes.draw(&mut svg, (what, which), "place in the stream");

    let edges: Vec<_> =
        series.said.iter().map(|said| (axes.x(said.time), axes.y(said.has + said.window))).collect();
    let acknowledged: Vec<_> = series.said.iter().map(|said| (axes.x(said.time), axes.y(said.has))).collect();
    let [segment, acknowledgment, window] = strokes();
    svg.group("window", "the window's edge", |svg| svg.path(&stairs(&thinned(edges)), "none", Some(window)));
    svg.group("acknowledged", "acknowledged", |svg| {
        svg.path(&stairs(&thinned(acknowledged)), "none", Some(acknowledgment));
    });
    for bar in bars {
        let (class, ink) = look(bar.kind);
        svg.group(class, &bar.told(), |svg| {
            let (top, bottom) = (axes.y(bar.sent.to), axes.y(bar.sent.from));
            let short = (LEAST - (bottom - top)).max(0.0) / 2.0;
            let x = axes.x(bar.sent.time);
            svg.line((x, bottom + short), (x, top - short), Stroke::new(ink, width(bar.kind)));
        });
    }
    let mut keys = vec![
        Key { stroke: segment, said: "sent".to_owned() },
        Key { stroke: Stroke::new(RED, width(Sending::Again)), said: "sent again".to_owned() },
        Key { stroke: Stroke::new(LATE, width(Sending::Late)), said: "late: fills a gap".to_owned() },
        Key { stroke: acknowledgment, said: "acknowledged".to_owned() },
    ];
    let beyond = if axes.is_above(edge) { ", partly above the picture" } else { "" };
    keys.push(Key { stroke: window, said: format!("the window's edge{beyond}") });
    axes.legend(&mut svg, &keys, &note);
    Ok(svg.finish(HEIGHT))
}

fn strokes() -> [Stroke; 3] {
    [
        Stroke::new(hue_of("TCP").ink, width(Sending::New)),
        Stroke::new(INK, 1.3),
        Stroke::new(GREY, 1.2).dashed(),
    ]
}

fn width(kind: Sending) -> f64 {
    if kind == Sending::New { 3.0 } else { 4.0 }
}

fn look(kind: Sending) -> (&'static str, &'static str) {
    match kind {
        Sending::New => ("segment", hue_of("TCP").ink),
        Sending::Again => ("segment again", RED),
        Sending::Late => ("segment late", LATE),
    }
}

/// A segment, or of very many those that are in one place.
struct Bar {
    kind: Sending,
    sent: Sent,
    count: usize,
}

impl Bar {
    fn told(&self) -> String {
        let Sent { from, to, .. } = self.sent;
        let how = match self.kind {
            Sending::New => "",
            Sending::Again => ", sent again",
            Sending::Late => ", late",
        };
        let many = if self.count > 1 { format!("{} segments, ", self.count) } else { String::new() };
        format!("{many}bytes {from} to {}{how}", to.saturating_sub(1))
    }
}

/// A bar for each segment; of very many, those that follow each other within half a pixel share one. With how
/// many have none, since there are too many.
fn bars(axes: &Axes, sent: &[Sent]) -> (Vec<Bar>, usize) {
    let column = |sent: &Sent| (axes.x(sent.time) * 2.0).floor();
    let are_many = sent.len() > MANY;
    let mut bars: Vec<Bar> = Vec::new();
    let mut left_out = 0;
    for &sent in sent {
        let joins = |last: &&mut Bar| {
            let before = last.sent;
            are_many && before.kind == sent.kind && before.to == sent.from && column(&before) == column(&sent)
        };
        let is_full = bars.len() >= MOST;
        match bars.last_mut().filter(joins) {
            Some(last) => {
                last.sent.to = sent.to;
                last.count += 1;
            }
            None if is_full => left_out += 1,
            None => bars.push(Bar { kind: sent.kind, sent, count: 1 }),
        }
    }
    (bars, left_out)
}
