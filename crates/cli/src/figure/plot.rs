//! A plot over time: an area with axes, ticks and units.

use std::time::Duration;

use super::{MARGIN, WIDTH};
use crate::drawing::palette::{FAINT, GREY, INK};
use crate::drawing::scale::{number, ticks};
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};

/// Points more than which are drawn as wide as a pixel can show.
pub(super) const MANY: usize = 2_000;
const AREA: Rect = Rect { x: 110.0, y: 110.0, width: WIDTH - 110.0 - MARGIN - 10.0, height: 440.0 };
/// How high the whole figure is.
pub(super) const HEIGHT: f64 = 640.0;

/// Where a time and a number of bytes are in the picture.
pub(super) struct Axes {
    time: Duration,
    bytes: u64,
}

/// A line of the legend: how it is drawn, and what it is.
pub(super) struct Key {
    pub(super) stroke: Stroke,
    pub(super) said: String,
}

impl Axes {
    /// From 0 to these, and a little more.
    pub(super) fn new(time: Duration, bytes: u64) -> Self {
        let time = time.max(Duration::from_nanos(1_000));
        Axes { time: time + time / 40, bytes: bytes.max(10) + bytes / 20 }
    }

    pub(super) fn x(&self, time: Duration) -> f64 {
        AREA.x + AREA.width * (time.as_secs_f64() / self.time.as_secs_f64()).min(1.0)
    }

    /// What is above the picture is at its edge.
    pub(super) fn y(&self, bytes: u64) -> f64 {
        AREA.y + AREA.height * (1.0 - (bytes as f64 / self.bytes as f64).min(1.0))
    }

    /// Whether this many bytes are above the picture.
    pub(super) fn is_above(&self, bytes: u64) -> bool {
        bytes > self.bytes
    }

    /// The axes, a faint net behind what is drawn, and the title.
    pub(super) fn draw(&self, svg: &mut Svg, (what, which): (&str, &str), upward: &str) {
        let font = Font::new(20.0, INK).bold();
        svg.text((MARGIN, 40.0), font, &font.fit_before(what, which, WIDTH - 2.0 * MARGIN));
        let (unit, each) = time_unit(self.time);
        let bottom = AREA.y + AREA.height;
        let font = Font::new(11.5, GREY);
        for tick in ticks(self.time.as_secs_f64() / each) {
            let x = self.x(Duration::from_secs_f64(tick * each));
            svg.line((x, AREA.y), (x, bottom), Stroke::new(FAINT, 1.0));
            svg.text((x, bottom + 18.0), font.at(Anchor::Middle), &number(tick));
        }
        let (measure, size) = byte_unit(self.bytes);
        for tick in ticks(self.bytes as f64 / size) {
            let y = self.y((tick * size).round() as u64);
            svg.line((AREA.x, y), (AREA.x + AREA.width, y), Stroke::new(FAINT, 1.0));
            svg.text((AREA.x - 8.0, y + 4.0), font.at(Anchor::End), &number(tick));
        }
        let ink = Stroke::new(INK, 1.2);
        svg.path(&[(AREA.x, AREA.y), (AREA.x, bottom), (AREA.x + AREA.width, bottom)], "none", Some(ink));
        let font = Font::new(13.0, INK).at(Anchor::Middle);
        let middle = AREA.x + AREA.width / 2.0;
        svg.text((middle, bottom + 42.0), font, &format!("time since the connection began, {unit}"));
        svg.upward_text((46.0, AREA.y + AREA.height / 2.0), font, &format!("{upward}, {measure}"));
    }

    /// The legend above the picture, and what else there is to say below it.
    pub(super) fn legend(&self, svg: &mut Svg, keys: &[Key], note: &str) {
        let font = Font::new(12.0, INK);
        let (mut x, mut y) = (MARGIN, 68.0);
        for key in keys {
            let width = 34.0 + font.width(&key.said) + 22.0;
            if x + width > WIDTH - MARGIN && x > MARGIN {
                (x, y) = (MARGIN, y + 20.0);
            }
            svg.line((x, y - 4.0), (x + 26.0, y - 4.0), key.stroke);
            svg.text((x + 34.0, y), font, &key.said);
            x += width;
        }
        let font = Font::new(12.0, GREY);
        svg.text((MARGIN, HEIGHT - 16.0), font, &font.fit(note, WIDTH - 2.0 * MARGIN));
    }
}

/// A line that goes on at the same height until the next point is reached.
pub(super) fn stairs(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::with_capacity(points.len() * 2);
    for &(x, y) in points {
        if let Some(&(_, before)) = line.last()
            && before != y
        {
            line.push((x, before));
        }
        line.push((x, y));
    }
    line
}

/// Of many points, the lowest and the highest of each half pixel.
pub(super) fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MANY {
        return points;
    }
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let column = |x: f64| (x * 2.0).floor();
    for points in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let (low, high) = (points.iter().min_by(by_height), points.iter().max_by(by_height));
        kept.extend(high.filter(|high| Some(high) != low.as_ref()).into_iter().chain(low));
        kept.extend(points.last());
    }
    kept
}

/// The unit of a time axis, in words and in seconds.
fn time_unit(most: Duration) -> (&'static str, f64) {
    match most {
        most if most >= Duration::from_secs(10) => ("s", 1.0),
        most if most >= Duration::from_millis(1) => ("ms", 1e-3),
        _ => ("µs", 1e-6),
    }
}

/// The unit of an axis of bytes.
fn byte_unit(most: u64) -> (&'static str, f64) {
    match most {
        5_000_000.. => ("MB", 1e6),
        5_000.. => ("kB", 1e3),
        _ => ("bytes", 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stairs_go_on_until_the_next_point() {
        assert_eq!(
            stairs(&[(0.0, 5.0), (1.0, 5.0), (2.0, 3.0)]),
            [(0.0, 5.0), (1.0, 5.0), (2.0, 5.0), (2.0, 3.0)]
        );
    }

    #[test]
    fn of_many_points_the_outermost_stay() {
        let points: Vec<_> = (0..100_000).map(|n| (f64::from(n) / 1_000.0, f64::from(n % 77))).collect();
        let kept = thinned(points);
        assert!(kept.len() < 1_000, "{}", kept.len());
        assert!(kept.contains(&(0.076, 76.0)) || kept.iter().any(|(_, y)| *y == 76.0));
    }
}
