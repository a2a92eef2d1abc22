//! What was dropped and why: counted in a run, and explained.

use std::fmt::Write as _;

use anstyle::Style;
use framewise::Runner;
use framewise::core::DropReason;
use framewise::drops::{drops, explain};
use serde_json::{Value, json};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::table::WIDTH;

/// `framewise stats`: every reason there is.
pub(crate) fn run(args: &args::Stats) -> Result<(), Failure> {
    let mut all = drops();
    if let Some(unknown) = args.layers.iter().find(|layer| !all.iter().any(|drop| is_called(drop, layer))) {
        let mut layers: Vec<_> = all.iter().map(|drop| drop.layer).collect();
        layers.dedup();
        let sentence = format!("no layer that drops anything is called {unknown:?}");
        return Err(Failure::new(Kind::Usage, sentence).next(format!("one of: {}", layers.join(", "))));
    }
    all.retain(|drop| args.layers.is_empty() || args.layers.iter().any(|layer| is_called(drop, layer)));
    output::print(&if args.json { explained_as_json(&all) } else { explained(&all) })
}

/// Whether a layer is the one that was asked for; case does not matter.
fn is_called(drop: &DropReason, layer: &str) -> bool {
    drop.layer.eq_ignore_ascii_case(layer)
}

/// A layer's name, and below it each of its reasons with its meaning.
fn explained(all: &[DropReason]) -> String {
    let mut text = String::new();
    let mut layer = "";
    for drop in all {
        if drop.layer != layer {
            layer = drop.layer;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{layer}");
        }
        let room = WIDTH - 2 - drop.reason.len();
        let line = format!("  {}{:>room$}", drop.reason, drop.source);
        let _ = writeln!(text, "{}\n    {}", line.trim_end(), drop.meaning);
    }
    text
}

fn explained_as_json(all: &[DropReason]) -> String {
    let row = |drop: &DropReason| json!({ "layer": drop.layer, "reason": drop.reason, "meaning": drop.meaning, "source": drop.source });
    let rows: Vec<_> = all.iter().map(row).collect();
    json!({ "format": "framewise-stats", "version": 1, "reasons": rows }).to_string()
}

/// One row of what was counted.
#[derive(Debug)]
struct Counted {
    host: String,
    layer: &'static str,
    reason: &'static str,
    count: u64,
    /// Whether it was simply for others.
    is_harmless: bool,
}

/// What all hosts of a run have dropped so far.
#[derive(Debug)]
pub(crate) struct Stats(Vec<Counted>);

impl Stats {
    /// Reads the hosts' counters.
    pub(crate) fn of(runner: &Runner) -> Self {
        let rows = runner.all_counters().flat_map(|(host, counters)| {
            counters.iter().map(move |(layer, reason, count)| {
                let is_harmless = counters.is_ignored(layer, reason);
                Counted { host: host.to_owned(), layer, reason, count, is_harmless }
            })
        });
        Stats(rows.collect())
    }

    /// For people: a line for each host, layer and reason.
    pub(crate) fn render(&self) -> String {
        if self.0.is_empty() {
            return "Nothing was dropped.\n".to_owned();
        }
        let width = |of: fn(&Counted) -> usize| self.0.iter().map(of).max().unwrap_or(0);
        let (host, layer) = (width(|row| row.host.len()), width(|row| row.layer.len()));
        let reason = WIDTH - host - layer - 14;
        let bold = Style::new().bold();
        let mut text = format!("{bold}Dropped{bold:#}\n");
        for row in &self.0 {
            let Counted { host: name, layer: at, reason: why, count, .. } = row;
            let harmless = if row.is_harmless { " (for others)" } else { "" };
            let why = format!("{why}{harmless}");
            let _ = writeln!(text, "  {name:<host$}  {at:<layer$}  {why:<reason$}{count:>8}");
        }
        text.push_str("What each means: framewise stats\n");
        text
    }

    /// For programs, each with its meaning.
    pub(crate) fn json(&self) -> Value {
        let row = |row: &Counted| {
            let told = explain(row.layer, row.reason);
            json!({
                "host": row.host, "layer": row.layer, "reason": row.reason, "count": row.count,
                "for_others": row.is_harmless,
                "meaning": told.map(|told| told.meaning), "source": told.map(|told| told.source),
            })
        };
        self.0.iter().map(row).collect()
    }
}
