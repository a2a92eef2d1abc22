//! A report for the terminal: each line is a row of the table and a row of the plot.
//!
//! ```text
//! load    M/M/k  measured       0                                              20
//! 0.50      0.2  0.2 ±0.0       @
//! 0.95     19.5  19.1 ±2.2                                                 --*-o
//! ```

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::panel::{Curve, CurveKind, Panel, Report};
use crate::table::WIDTH;
use framewise_trace::words::{cut, wrapped};

/// What stands where a prediction and its measurement meet.
const BOTH: char = '@';

pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    for line in wrapped(&report.headline, WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    for panel in &report.panels {
        text.push('\n');
        draw(&mut text, panel);
    }
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}What to notice{bold:#}");
    for finding in &report.findings {
        for (number, line) in wrapped(finding, WIDTH - 4).into_iter().enumerate() {
            let _ = writeln!(text, "  {} {line}", if number == 0 { '-' } else { ' ' });
        }
    }
    text
}

fn draw(text: &mut String, panel: &Panel) {
    let bold = Style::new().bold();
    for line in wrapped(&panel.title, WIDTH) {
        let _ = writeln!(text, "{bold}{line}{bold:#}");
    }
    let widths: Vec<usize> = panel.curves.iter().map(|curve| width_of(curve, panel.values.len())).collect();
    let first =
        (0..panel.values.len()).map(|row| panel.value(row).len()).max().unwrap_or(0).max(panel.over.len());
    let table = first + widths.iter().map(|width| width + 2).sum::<usize>() + 2;
    let plot = WIDTH.saturating_sub(table).max(10);
    let _ = write!(text, "{:>first$}", panel.over);
    for (curve, width) in panel.curves.iter().zip(&widths) {
        let _ = write!(text, "  {}", painted(curve, &format!("{:>width$}", heading(curve))));
    }
    let _ = writeln!(text, "  {}", axis(panel, plot));
    for row in 0..panel.values.len() {
        let _ = write!(text, "{:>first$}", panel.value(row));
        for (curve, width) in panel.curves.iter().zip(&widths) {
            let _ = write!(text, "  {:>width$}", curve.text(row));
        }
        let _ = writeln!(text, "  {}", strip(panel, row, plot).trim_end());
    }
    if let Some((_, why)) = &panel.mark {
        for line in wrapped(why, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// The letter that stands for it in the plot, and its name.
fn heading(curve: &Curve) -> String {
    format!("{} {}", curve.letter, curve.label)
}

fn width_of(curve: &Curve, rows: usize) -> usize {
    let figures = (0..rows).map(|row| curve.text(row).chars().count()).max().unwrap_or(0);
    figures.max(heading(curve).chars().count())
}

/// What the plot shows, and up to where.
fn axis(panel: &Panel, width: usize) -> String {
    let most = format!("{:.0}", panel.most());
    let name = cut(panel.axis, width.saturating_sub(most.len() + 2));
    let grey = AnsiColor::BrightBlack.on_default();
    format!("{grey}{name:<0$}{most}{grey:#}", width.saturating_sub(most.len()))
}

/// One row of the plot.
fn strip(panel: &Panel, row: usize, width: usize) -> String {
    let (least, most) = (panel.least() / 2.0, panel.most());
    let column = |figure: f64| (panel.scale.place(figure, least, most) * (width - 1) as f64).round() as usize;
    let mut cells: Vec<(char, Option<Style>)> = vec![(' ', None); width];
    for curve in &panel.curves {
        let Some(half) = curve.half_width(row) else { continue };
        let figure = curve.figures[row];
        for cell in &mut cells[column(figure - half)..=column(figure + half)] {
            *cell = ('-', Some(style_of(curve)));
        }
    }
    for curve in &panel.curves {
        let Some(&figure) = curve.figures.get(row).filter(|figure| figure.is_finite()) else { continue };
        let cell = &mut cells[column(figure)];
        let letter = if matches!(cell.0, ' ' | '-') { curve.letter } else { BOTH };
        *cell = (letter, Some(style_of(curve)));
    }
    let mut text = String::new();
    for (letter, style) in cells {
        match style {
            Some(style) => text.push_str(&format!("{style}{letter}{style:#}")),
            None => text.push(letter),
        }
    }
    text
}

fn painted(curve: &Curve, text: &str) -> String {
    let style = style_of(curve);
    format!("{style}{text}{style:#}")
}

/// Predictions are grey, measurements have a colour of their own.
fn style_of(curve: &Curve) -> Style {
    match (curve.kind, curve.letter) {
        (CurveKind::Predicted, _) => AnsiColor::BrightBlack.on_default(),
        (_, '*' | 'e') => AnsiColor::Cyan.on_default(),
        (_, '+' | 'w') => AnsiColor::Yellow.on_default(),
        _ => AnsiColor::Magenta.on_default(),
    }
}
