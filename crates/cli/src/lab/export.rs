//! A report for programs: CSV, a line for each figure, and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::panel::{Panel, Report};

pub(crate) fn csv(report: &Report) -> String {
    let mut text = String::from("experiment,part,over,value,curve,kind,figure,half_width\n");
    for (number, panel) in report.panels.iter().enumerate() {
        for curve in &panel.curves {
            for (row, figure) in curve.figures.iter().enumerate() {
                let half = curve.half_width(row).map_or_else(String::new, |half| half.to_string());
                let _ = writeln!(
                    text,
                    "{},{},{},{},{},{},{figure},{half}",
                    report.name,
                    number + 1,
                    quoted(panel.over),
                    panel.values[row],
                    quoted(curve.name),
                    curve.kind.name(),
                );
            }
        }
    }
    text
}

/// A word as RFC 4180, section 2, has it.
fn quoted(word: &str) -> String {
    if word.contains([',', '"', '\n']) {
        format!("\"{}\"", word.replace('"', "\"\""))
    } else {
        word.to_owned()
    }
}

pub(crate) fn as_json(report: &Report, seed: u64) -> Value {
    json!({
        "experiment": report.name,
        "seed": seed,
        "about": report.headline,
        "parts": report.panels.iter().map(part).collect::<Vec<_>>(),
        "findings": report.findings,
    })
}

fn part(panel: &Panel) -> Value {
    let curves: Vec<Value> = panel
        .curves
        .iter()
        .map(|curve| {
            json!({
                "name": curve.name, "kind": curve.kind.name(),
                "figures": curve.figures, "half_widths": curve.half_widths,
            })
        })
        .collect();
    json!({
        "question": panel.title, "over": panel.over, "values": panel.values, "figure": panel.axis,
        "curves": curves, "mark": panel.mark.as_ref().map(|(value, why)| json!({ "value": value, "why": why })),
    })
}
