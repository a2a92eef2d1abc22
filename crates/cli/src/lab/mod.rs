//! `framewise lab`: experiments with threads and the database, predicted and measured.
//!
//! | what | by |
//! |---|---|
//! | an experiment, its questions, its sentences | `threads`, `database`, on the crate `framewise-lab` |
//! | the same in real time, over a TAP | `real` |
//! | what was found | `panel` |
//! | shown in the terminal, as SVG, as CSV and JSON | `strip`, `chart`, `export` |

mod chart;
mod database;
mod export;
mod panel;
#[cfg(target_os = "linux")]
mod real;
mod strip;
mod threads;

use std::path::Path;

use framewise_lab::LabError;

use crate::args::{Lab, LabOut};
use crate::exit::{Failure, Kind};
use crate::files::cannot_write;
use crate::output;

use panel::Report;

pub(crate) fn run(lab: &Lab) -> Result<(), Failure> {
    match lab {
        Lab::Threads(args) => show(&threads::run(args)?, &args.out),
        Lab::Database(args) => show(&database::run(args)?, &args.out),
    }
}

fn show(report: &Report, out: &LabOut) -> Result<(), Failure> {
    if let Some(path) = &out.output {
        write(path, &chart::draw(report))?;
    }
    if let Some(path) = &out.csv {
        write(path, &export::csv(report))?;
    }
    if out.json {
        return output::print(&format!("{:#}", export::as_json(report, out.seed)));
    }
    output::print_coloured(&strip::render(report))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if path == Path::new("-") {
        return output::print(text);
    }
    std::fs::write(path, text).map_err(|error| {
        cannot_write(&path.display().to_string(), &error)
            .next("the same with another FILE, in a folder that is there and is yours")
    })
}

fn failed(error: LabError) -> Failure {
    Failure::new(Kind::Usage, error)
}
