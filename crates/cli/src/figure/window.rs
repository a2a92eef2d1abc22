//! How many bytes are on their way, and how many the other side would take.

use framewise_trace::dissect::{Connection, Dissection};

use super::plot::{Axes, HEIGHT, Key, stairs, thinned};
use super::series::Series;
use super::{WIDTH, busier, seen};
use crate::drawing::palette::{INK, hue_of};
use crate::drawing::svg::{Stroke, Svg};
use crate::exit::Failure;

/// How many times as much as is on its way a window may be and still be in the picture.
const FAR: u64 = 8;

pub(super) fn draw(
    dissection: &Dissection,
    connection: &Connection<'_>,
    what: &str,
) -> Result<String, Failure> {
    let side = busier(connection);
    let series = Series::of(dissection, connection, side)?;
    let flight = series.flight.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
    let windows = || series.said.iter().map(|said| said.window);
    let (least, most) = (windows().min().unwrap_or_default(), windows().max().unwrap_or_default());
    let axes = Axes::new(series.duration(), if most <= flight * FAR { most.max(flight) } else { flight });

    let which = ": bytes in flight and window";
    let offered = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    let note = format!(
        "{}: at most {flight} bytes were in flight; the window that was offered was {offered} bytes.",
        seen(dissection, connection, side)
    );
    let mut svg = Svg::new(WIDTH, format!("{what}{which}"), &note);
    axes.draw(&mut svg, (what, which), "on the way, and offered");

    let points = |points: Vec<_>| stairs(&thinned(points));
    let in_flight =
        points(series.flight.iter().map(|(time, bytes)| (axes.x(*time), axes.y(*bytes))).collect());
    let offered = points(series.said.iter().map(|said| (axes.x(said.time), axes.y(said.window))).collect());
    let hue = hue_of("TCP");
    let line = Stroke::new(hue.ink, 1.5);
    svg.group("flight", "bytes in flight", |svg| {
        let ends = [in_flight.last(), in_flight.first()].into_iter().flatten();
        let floor: Vec<_> = ends.map(|(x, _)| (*x, axes.y(0))).collect();
        svg.path(&[in_flight.as_slice(), &floor].concat(), hue.fill, None);
        svg.path(&in_flight, "none", Some(line));
    });
    let dashed = Stroke::new(INK, 1.4).dashed();
    svg.group("window", "the window that is offered", |svg| svg.path(&offered, "none", Some(dashed)));
    let beyond = if axes.is_above(most) { ", at the upper edge where it is above the picture" } else { "" };
    let keys = [
        Key {
            stroke: Stroke::new(hue.ink, 3.0),
            said: "bytes in flight: sent and not acknowledged".to_owned(),
        },
        Key { stroke: dashed, said: format!("the window that the other side offers{beyond}") },
    ];
    axes.legend(&mut svg, &keys, &note);
    Ok(svg.finish(HEIGHT))
}
