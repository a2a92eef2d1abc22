//! `cargo xtask bench`: how fast this stack is, beside the kernel's own path and beside smoltcp alone.
//!
//! Each row of the table is measured by itself, in a network of its own where it needs one, and fails by itself. What is
//! compared takes turns: a round of ours, a round of theirs, the one that begins changing. A row's figure is the median of
//! the rounds' ratios, beside the worst and the best one.

mod build;
mod docs;
mod figures;
mod instructions;
mod live;
mod peers;
mod place;
mod process;
mod report;
mod rows;

use crate::{packages, tool};
use build::Programs;
use clap::Args;
use figures::Figures;
use report::{Report, RowReport};
use rows::{How, ROWS, Row};
use std::io::{self, Write};
use std::process::Command;
use std::time::{Duration, Instant};

/// No row may take longer.
const LIMIT: Duration = Duration::from_secs(240);

/// What to measure, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Only this row; may be given more than once
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// Fewer and shorter rounds: enough to see that it works
    #[arg(long)]
    quick: bool,
    /// Only say which rows there are
    #[arg(long)]
    list: bool,
    /// Count instructions too, under callgrind
    #[arg(long)]
    instructions: bool,
    /// Only count instructions
    #[arg(long, conflicts_with_all = ["row", "instructions"])]
    only_instructions: bool,
    /// Put the figures and the plots into the book, too
    #[arg(long)]
    docs: bool,
}

impl Options {
    fn rows(&self) -> io::Result<Vec<&'static Row>> {
        if let Some(unknown) = self.row.iter().find(|name| !ROWS.iter().any(|row| row.name == **name)) {
            return Err(io::Error::other(format!(
                "there is no row {unknown:?}: see cargo xtask bench --list"
            )));
        }
        let wanted = |row: &&Row| self.row.is_empty() || self.row.iter().any(|name| row.name == *name);
        Ok(if self.only_instructions { Vec::new() } else { ROWS.iter().filter(wanted).collect() })
    }
}

/// Measures what is asked for, and writes the report. `true` if every row gave a figure, whatever the figure.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let rows = options.rows()?;
    if options.list {
        rows.iter().for_each(|row| println!("{:<20} {}", row.name, row.title));
        return Ok(true);
    }
    packages::provide_also(&[("wrk", "wrk"), ("valgrind", "valgrind")])?;
    let counts = options.instructions || options.only_instructions;
    let programs = Programs::build(&rows, counts)?;
    let mut report = Report::new(options.quick);
    println!();
    for (index, row) in rows.iter().enumerate() {
        report.rows.push(measure(row, &format!("[{}/{}]", index + 1, rows.len()), &programs, options.quick)?);
    }
    if counts {
        report.count(&programs, options.quick)?;
    }
    finish(&report, options)
}

/// One row, told as it goes.
fn measure(row: &'static Row, place: &str, programs: &Programs, quick: bool) -> io::Result<RowReport> {
    print!("{place:>8} {:<20} ", row.name);
    io::stdout().flush()?;
    let began = Instant::now();
    let figures = match row.how {
        How::Live(_) => in_a_network(row, programs, quick),
        How::Memory(name) => figures_of(programs.ratios(name, quick)?),
    };
    let report = RowReport::new(row, figures);
    println!("{}   {:.0} s", report.in_short(), began.elapsed().as_secs_f64());
    Ok(report)
}

/// Has a copy of ourselves measure a row in a network of its own, which takes all it made with it.
fn in_a_network(row: &Row, programs: &Programs, quick: bool) -> Result<Figures, String> {
    if let Some(lacking) = crate::requirement::Requirement::Tap.lacking() {
        return Err(lacking.to_owned());
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = place::apart(&program);
    command.arg("bench-row").arg(row.name);
    if quick {
        command.arg("--quick");
    }
    figures_of(programs.hand_to(command))
}

/// The figures that a program prints as its last line.
fn figures_of(mut command: Command) -> Result<Figures, String> {
    let (ending, said) = tool::run_quietly(&mut command, LIMIT).map_err(|error| error.to_string())?;
    let last = said.last().map_or("", String::as_str);
    if !ending.is_success() {
        let why = said.iter().rev().find(|line| !line.trim().is_empty()).map_or("", String::as_str);
        return Err(format!("{ending}: {why}"));
    }
    Figures::read(last).ok_or_else(|| format!("no figures in its last line: {last:?}"))
}

/// What `cargo xtask bench-row NAME` does inside its network.
pub(crate) fn run_row(name: &str, quick: bool) -> io::Result<bool> {
    let row = ROWS.iter().find(|row| row.name == name);
    let Some(How::Live(measure)) = row.map(|row| &row.how) else {
        return Err(io::Error::other(format!("{name:?} is no row that is measured in a network")));
    };
    let figures = measure(&live::Live::new(Programs::handed()?, quick)?)?;
    println!("{}", figures.write());
    Ok(true)
}

fn finish(report: &Report, options: &Options) -> io::Result<bool> {
    let folder = tool::target_folder().join("bench");
    // What an earlier run left is not of this one.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let json = folder.join("report.json");
    std::fs::write(&json, report.json().to_string())?;
    std::fs::write(folder.join("report.md"), report.markdown())?;
    println!("\n{}", report.markdown());
    build::plot(&json, &folder)?;
    println!("{}/: report.md, report.json, and plots in SVG", folder.display());
    if options.docs {
        docs::update(report, &folder)?;
        println!("docs/src/speed.md holds them now");
    }
    Ok(report.rows.iter().all(|row| row.figures.is_ok()))
}
