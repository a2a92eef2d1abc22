//! The report of a run: a table in Markdown for people, the same and every round in JSON for programs.

use super::build::Programs;
use super::figures::{Figures, Spread};
use super::instructions::{Count, PATHS};
use super::rows::{Row, Verdict, Wanted};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::io;
use std::process::Command;

/// What a reader of a quick run's figures has to know.
const QUICK: &str = " A quick run, of 200 MB in the place of 1 GB and 10,000 connections in the place of 100,000: \
                     it says that all works, and little more.";

/// What came of a run.
pub(crate) struct Report {
    quick: bool,
    pub(crate) rows: Vec<RowReport>,
    counts: Vec<Count>,
}

/// What came of a row: its figures, or why there are none.
pub(crate) struct RowReport {
    row: &'static Row,
    pub(crate) figures: Result<(Figures, Spread), String>,
}

impl RowReport {
    pub(crate) fn new(row: &'static Row, figures: Result<Figures, String>) -> Self {
        let figures = figures.and_then(|figures| {
            let ratio = figures.ratio().ok_or("it gave no figures")?;
            Ok((figures, ratio))
        });
        RowReport { row, figures }
    }

    fn verdict(&self) -> Option<Verdict> {
        self.figures.as_ref().ok().map(|(_, ratio)| self.row.wanted.judge(ratio.median))
    }

    /// For the terminal, while the run goes on.
    pub(crate) fn in_short(&self) -> String {
        match &self.figures {
            Ok((_, ratio)) => {
                let verdict = self.verdict().map_or("", Verdict::word);
                format!(
                    "{:>8} ({} to {})  {verdict}",
                    digits(ratio.median),
                    digits(ratio.least),
                    digits(ratio.most)
                )
            }
            Err(why) => format!("no figure: {why}"),
        }
    }

    fn json(&self) -> Value {
        let row = self.row;
        let (goal, floor, better) = match row.wanted {
            Wanted::AtLeast { goal, floor } => (Some(goal), Some(floor), "more"),
            Wanted::AtMost { goal, floor } => (Some(goal), Some(floor), "less"),
            Wanted::Nothing => (None, None, "more"),
        };
        let mut value = json!({
            "name": row.name, "title": row.title, "short": row.short, "unit": row.unit,
            "processor_unit": row.processor_unit, "goal": goal, "floor": floor, "better": better,
        });
        match &self.figures {
            Ok((figures, ratio)) => {
                let spread = |spread: Option<Spread>| spread.map(Spread::json);
                value["ratio"] = ratio.json();
                value["verdict"] = self.verdict().map_or("", Verdict::word).into();
                for (name, ours) in [("ours", true), ("theirs", false)] {
                    value[name] = json!({
                        "value": spread(figures.value(ours)), "processor": spread(figures.processor(ours)),
                    });
                }
                value["rounds"] = serde_json::from_str(&figures.write()).unwrap_or_default();
            }
            Err(why) => value["failure"] = why.as_str().into(),
        }
        value
    }

    /// A line of the table of goals.
    fn line(&self) -> String {
        let (goal, floor) = self.row.wanted.shown();
        let title = self.row.title;
        match &self.figures {
            Ok((figures, ratio)) => {
                let verdict = self.verdict().map_or("", Verdict::word);
                let [ours, theirs] = [true, false].map(|ours| self.own(figures, ours));
                format!(
                    "| {title} | **{}** | {} to {} | {goal} | {floor} | {verdict} | {ours} | {theirs} |",
                    digits(ratio.median),
                    digits(ratio.least),
                    digits(ratio.most),
                )
            }
            Err(why) => {
                format!("| {title} | – | {} | {goal} | {floor} | not measured | | |", why.replace('|', "/"))
            }
        }
    }

    /// One side's own figure, with its processor time: `28.1 Gbit/s, 0.21 s/GB`.
    fn own(&self, figures: &Figures, ours: bool) -> String {
        let Some(value) = figures.value(ours) else { return String::new() };
        let mut text = format!("{} {}", digits(value.median), self.row.unit);
        if let Some(processor) = figures.processor(ours) {
            let _ = write!(text, ", {} {}", digits(processor.median), self.row.processor_unit);
        }
        text
    }
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Report { quick, rows: Vec::new(), counts: Vec::new() }
    }

    /// Counts instructions, for all paths; one that fails is said and left out.
    pub(crate) fn count(&mut self, programs: &Programs, quick: bool) -> io::Result<()> {
        for path in &PATHS[..if quick { 1 } else { PATHS.len() }] {
            match path.count(programs) {
                Ok(count) => {
                    println!("         {:.0} instructions for one {}", count.total, count.unit);
                    self.counts.push(count);
                }
                Err(error) => println!("         {}: no count: {error}", path.unit),
            }
        }
        Ok(())
    }

    pub(crate) fn json(&self) -> Value {
        let part = |(name, count): &(&str, f64)| json!({ "name": name, "instructions": count });
        let count = |count: &Count| {
            let parts: Vec<_> = count.parts.iter().map(part).collect();
            json!({ "unit": count.unit, "total": count.total, "parts": parts })
        };
        json!({
            "format": "framewise-bench", "version": 1, "quick": self.quick, "machine": machine(),
            "rows": self.rows.iter().map(RowReport::json).collect::<Vec<_>>(),
            "instructions": self.counts.iter().map(count).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let quick = if self.quick { QUICK } else { "" };
        let _ = writeln!(text, "Measured on {}.{quick}\n", machine());
        self.table(&mut text, "", |wanted| wanted != Wanted::Nothing);
        self.table(&mut text, "Beside them, without a goal:\n\n", |wanted| wanted == Wanted::Nothing);
        for count in &self.counts {
            let _ = writeln!(text, "One {}: {:.0} instructions.\n", count.unit, count.total);
            let _ = writeln!(text, "| part | instructions | share |\n|---|--:|--:|");
            for (name, instructions) in &count.parts {
                let share = 100.0 * instructions / count.total;
                let _ = writeln!(text, "| {name} | {instructions:.0} | {share:.1} % |");
            }
            text.push('\n');
        }
        text
    }

    fn table(&self, text: &mut String, heading: &str, belongs: impl Fn(Wanted) -> bool) {
        let mut rows = self.rows.iter().filter(|report| belongs(report.row.wanted)).peekable();
        if rows.peek().is_none() {
            return;
        }
        let _ = writeln!(
            text,
            "{heading}| what | ratio | worst and best round | goal | floor | | ours | theirs |"
        );
        let _ = writeln!(text, "|---|--:|---|---|---|---|---|---|");
        rows.for_each(|report| text.push_str(&(report.line() + "\n")));
        text.push('\n');
    }
}

/// Which processors, and which kernel.
fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = models.map(|(_, model)| model.trim()).next().unwrap_or("a processor of an unknown kind");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = Command::new("uname").arg("-sr").output();
    let kernel =
        kernel.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into());
    format!("{processors} × {model}, {}", kernel.trim())
}

/// Three digits, however large.
fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => grouped(figure.round() as i64),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 0.1 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    }
}

/// `138,213`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Sample;
    use crate::bench::rows::ROWS;

    fn report(ours: &[f64]) -> RowReport {
        let side = |values: &[f64]| {
            values.iter().map(|&value| Sample { value, processor: Some(0.25) }).collect::<Vec<_>>()
        };
        RowReport::new(&ROWS[0], Ok(Figures { ours: side(ours), theirs: side(&[30.0, 30.0, 30.0]) }))
    }

    #[test]
    fn a_line_says_ratio_spread_goal_verdict_and_both_sides() {
        let line = report(&[33.0, 30.0, 27.0]).line();
        assert!(line.contains("| **1.00** | 0.90 to 1.10 | ≥ 1 | ≥ 0.8 | goal met |"), "{line}");
        assert!(line.contains("| 30.0 Gbit/s, 0.25 s/GB | 30.0 Gbit/s, 0.25 s/GB |"), "{line}");
        assert!(report(&[20.0; 3]).line().contains("| below the floor |"));
    }

    #[test]
    fn a_row_that_failed_says_why_and_the_rest_is_there() {
        let mut all = Report::new(true);
        all.rows.push(report(&[33.0]));
        all.rows.push(RowReport::new(&ROWS[1], Err("wrk | not found".to_owned())));
        let text = all.markdown();
        assert!(text.contains("**1.10**") && text.contains("wrk / not found"), "{text}");
        assert_eq!(all.json()["rows"][1]["failure"], "wrk | not found");
    }

    #[test]
    fn numbers_have_three_digits_or_groups_of_them() {
        assert_eq!(digits(138_213.4), "138,213");
        assert_eq!([1.234, 12.34, 0.034].map(digits), ["1.23", "12.3", "0.0340"]);
    }
}
