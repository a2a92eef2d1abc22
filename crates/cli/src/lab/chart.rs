//! A report as SVG: one plot below the other, predictions as lines, measurements as points.

use super::panel::{Curve, CurveKind, Panel, Report, Scale};
use crate::drawing::palette::{FAINT, GREY, INK, RED};
use crate::drawing::scale::{number, ticks};
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};
use framewise_trace::words::wrapped;

const WIDTH: f64 = 1_120.0;
const MARGIN: f64 = 30.0;
/// How high a plot is with what stands around it.
const EACH: f64 = 470.0;
const HEAD: f64 = 100.0;
/// Measurements, in their order; predictions have the same, dashed.
const INKS: [&str; 3] = ["#006f87", "#b45309", "#8e24aa"];
/// Half of a point's width.
const DOT: f64 = 4.0;

pub(crate) fn draw(report: &Report) -> String {
    let title = format!("framewise lab {}", report.name);
    let mut svg = Svg::new(WIDTH, title.clone(), report.findings.join(" "));
    svg.text((MARGIN, 40.0), Font::new(20.0, INK).bold(), &title);
    let font = Font::new(13.0, GREY);
    svg.text((MARGIN, 66.0), font, &font.fit(&report.headline, WIDTH - 2.0 * MARGIN));
    for (number, panel) in report.panels.iter().enumerate() {
        Plot::of(panel, HEAD + EACH * number as f64).draw(&mut svg);
    }
    let mut y = HEAD + EACH * report.panels.len() as f64 + 20.0;
    for finding in &report.findings {
        for line in wrapped(finding, 140) {
            svg.text((MARGIN, y), Font::new(13.0, INK), &line);
            y += 20.0;
        }
        y += 6.0;
    }
    svg.finish(y + 10.0)
}

struct Plot<'a> {
    panel: &'a Panel,
    area: Rect,
    least: f64,
    most: f64,
}

impl<'a> Plot<'a> {
    fn of(panel: &'a Panel, top: f64) -> Self {
        let area =
            Rect { x: 100.0, y: top + 56.0, width: WIDTH - 100.0 - MARGIN - 20.0, height: EACH - 140.0 };
        Plot { panel, area, least: panel.least() / 2.0, most: panel.most() * 1.05 }
    }

    fn draw(&self, svg: &mut Svg) {
        let Rect { x, y, width, height } = self.area;
        let font = Font::new(15.0, INK).bold();
        svg.text((MARGIN, y - 36.0), font, &font.fit(&self.panel.title, WIDTH - 2.0 * MARGIN));
        self.net(svg);
        let ink = Stroke::new(INK, 1.2);
        svg.path(&[(x, y), (x, y + height), (x + width, y + height)], "none", Some(ink));
        let font = Font::new(13.0, INK).at(Anchor::Middle);
        svg.text((x + width / 2.0, y + height + 42.0), font, self.panel.over);
        let scale = if self.panel.scale == Scale::Logarithmic { " (logarithmic)" } else { "" };
        svg.upward_text((44.0, y + height / 2.0), font, &format!("{}{scale}", self.panel.axis));
        if let Some((value, why)) = &self.panel.mark {
            let at = self.x(*value);
            svg.line((at, y), (at, y + height), Stroke::new(RED, 1.4).dashed());
            let font = Font::new(12.0, RED);
            let font = font.at(if at > x + width / 2.0 { Anchor::End } else { Anchor::Start });
            let beside = if at > x + width / 2.0 { at - 8.0 } else { at + 8.0 };
            svg.text((beside, y + height - 12.0), font, &font.fit(why, width / 2.0));
        }
        for (number, curve) in self.panel.curves.iter().enumerate() {
            let ink = INKS[self.colour(number) % INKS.len()];
            let over = self.measured_after(number);
            svg.group(curve.kind.name(), curve.name, |svg| self.curve(svg, curve, ink, over));
        }
        self.legend(svg);
    }

    /// Predictions have the colour of what they predict: the next measurement.
    fn colour(&self, number: usize) -> usize {
        let before = &self.panel.curves[..number];
        before.iter().filter(|curve| curve.kind == CurveKind::Measured).count()
    }

    /// How many measurements are drawn over this one: it is so much wider, and seen on both sides of one that coincides with it.
    /// Where predictions are drawn it hides none of them.
    fn measured_after(&self, number: usize) -> f64 {
        if self.panel.curves.iter().any(|curve| curve.kind == CurveKind::Predicted) {
            return 0.0;
        }
        let after = self.panel.curves.iter().skip(number + 1);
        after.filter(|curve| curve.kind == CurveKind::Measured).count() as f64
    }

    fn net(&self, svg: &mut Svg) {
        let Rect { x, y, width, height } = self.area;
        let font = Font::new(11.5, GREY);
        for row in 0..self.panel.values.len() {
            let at = self.x(self.panel.values[row]);
            svg.line((at, y), (at, y + height), Stroke::new(FAINT, 1.0));
            svg.text((at, y + height + 18.0), font.at(Anchor::Middle), &self.panel.value(row));
        }
        for tick in self.heights() {
            let at = self.y(tick);
            svg.line((x, at), (x + width, at), Stroke::new(FAINT, 1.0));
            svg.text((x - 8.0, at + 4.0), font.at(Anchor::End), &number(tick));
        }
    }

    fn heights(&self) -> Vec<f64> {
        match self.panel.scale {
            Scale::Linear => ticks(self.most).collect(),
            Scale::Logarithmic => logarithmic_ticks(self.least, self.most),
        }
    }

    fn curve(&self, svg: &mut Svg, curve: &Curve, ink: &'static str, over: f64) {
        let points: Vec<(f64, f64)> = self
            .panel
            .values
            .iter()
            .zip(&curve.figures)
            .filter(|(_, figure)| figure.is_finite())
            .map(|(value, figure)| (self.x(*value), self.y(*figure)))
            .collect();
        if curve.kind == CurveKind::Predicted {
            return svg.path(&points, "none", Some(Stroke::new(ink, 1.6).dashed()));
        }
        svg.path(&points, "none", Some(Stroke::new(ink, 1.0 + 2.0 * over)));
        for (row, (x, y)) in points.iter().copied().enumerate() {
            if let Some(half) = curve.half_width(row) {
                let figure = curve.figures[row];
                svg.line((x, self.y(figure - half)), (x, self.y(figure + half)), Stroke::new(ink, 1.6));
            }
            svg.rect(dot((x, y), over), ink, None);
        }
    }

    fn legend(&self, svg: &mut Svg) {
        let font = Font::new(12.0, INK);
        let (mut x, y) = (MARGIN, self.area.y - 12.0);
        for (number, curve) in self.panel.curves.iter().enumerate() {
            let ink = INKS[self.colour(number) % INKS.len()];
            let said = format!("{}, {}", curve.name, curve.kind.name());
            match curve.kind {
                CurveKind::Predicted => {
                    svg.line((x, y - 4.0), (x + 26.0, y - 4.0), Stroke::new(ink, 1.6).dashed())
                }
                CurveKind::Measured => {
                    svg.rect(dot((x + 13.0, y - 4.0), self.measured_after(number)), ink, None);
                }
            }
            svg.text((x + 34.0, y), font, &said);
            x += 34.0 + font.width(&said) + 22.0;
        }
    }

    /// Numbers of threads and clients double, parts of a load do not.
    fn x(&self, value: f64) -> f64 {
        let (first, last) = match (self.panel.values.first(), self.panel.values.last()) {
            (Some(first), Some(last)) if first < last => (*first, *last),
            _ => return self.area.x + self.area.width / 2.0,
        };
        let place = if last > 1.0 {
            (value / first).ln() / (last / first).ln()
        } else {
            (value - first) / (last - first)
        };
        self.area.x + 20.0 + (self.area.width - 40.0) * place.clamp(0.0, 1.0)
    }

    fn y(&self, figure: f64) -> f64 {
        self.area.y + self.area.height * (1.0 - self.panel.scale.place(figure, self.least, self.most))
    }
}

/// What stands for a figure that was measured, with so many others drawn over it.
fn dot((x, y): (f64, f64), over: f64) -> Rect {
    let half = DOT + 2.0 * over;
    Rect { x: x - half, y: y - half, width: 2.0 * half, height: 2.0 * half }
}

/// 1, 2 and 5 times each power of ten on an axis; where these are many, the powers alone.
fn logarithmic_ticks(least: f64, most: f64) -> Vec<f64> {
    const MANY: usize = 12;
    let of = |times: &[f64]| -> Vec<f64> {
        let powers = (-3..9).map(|power| 10_f64.powi(power));
        let all = powers.flat_map(|power| times.iter().map(move |times| times * power));
        all.filter(|tick| (least..=most).contains(tick)).collect()
    };
    Some(of(&[1.0, 2.0, 5.0])).filter(|ticks| ticks.len() <= MANY).unwrap_or_else(|| of(&[1.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_says_so_and_has_figures_to_read() {
        assert_eq!(logarithmic_ticks(25.0, 840.0), [50.0, 100.0, 200.0, 500.0]);
        assert_eq!(logarithmic_ticks(0.5, 2e6), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
        let curve = |name| Curve::new(CurveKind::Measured, '*', name, vec![50.0, 200.0, 800.0]);
        let panel = Panel {
            title: "How many?".to_owned(),
            over: "threads",
            values: vec![1.0, 4.0, 16.0],
            axis: "requests per second",
            scale: Scale::Logarithmic,
            curves: vec![curve("worker"), curve("prefork")],
            mark: None,
        };
        let report =
            Report { name: "threads", headline: String::new(), panels: vec![panel], findings: Vec::new() };
        let svg = draw(&report);
        assert!(svg.contains("requests per second (logarithmic)"), "{svg}");
        // The line below is wider than the one that covers it.
        assert!(svg.contains("stroke-width=\"3\"") && svg.contains("stroke-width=\"1\""), "{svg}");
    }
}
