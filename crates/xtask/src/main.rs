//! `cargo xtask`: what a developer and CI run on this workspace.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask test` | everything that must hold, summed up at the end |
//! | `cargo xtask bench` | how fast it is, beside the kernel's own path and smoltcp alone |
//! | `cargo xtask fuzz` | the fuzz targets, each for a while |
//! | `cargo xtask book` | the book, into `docs/book` |
//! | `cargo xtask first-page` | how long a fresh clone takes to its first page |
//! | `cargo xtask check-targets` | whether it compiles for Windows and macOS |

mod bench;
mod book;
mod commands;
mod console;
mod deny;
mod examples;
mod first_page;
mod fuzz;
mod install;
mod install_node;
mod install_python;
mod links;
mod packages;
mod requirement;
mod suite;
mod summary;
mod tally;
mod targets;
mod tool;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Tests, benchmarks and the book of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything that must hold, and sum it up; fails where anything failed
    Test {
        /// Only the formatting and the unit and integration tests
        #[arg(long)]
        quick: bool,
    },
    /// Measure how fast it is beside curl, nginx, openssl and smoltcp; a table, plots, and JSON
    Bench(bench::Options),
    /// Measure one row of the benchmark, in the network that we are in
    #[command(hide = true)]
    BenchRow {
        /// The row's name
        name: String,
        /// Fewer and shorter rounds
        #[arg(long)]
        quick: bool,
    },
    /// Run the fuzz targets, each for a while; fails where one finds something
    Fuzz {
        /// How long each runs
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these
        targets: Vec<String>,
    },
    /// Build the book into docs/book
    Book,
    /// Clone the last commit afresh and time its first page
    FirstPage,
    /// Check the workspace for Windows and macOS, where this machine can
    CheckTargets,
    /// Run one block of commands of the documentation, here and now
    #[command(hide = true)]
    RunBlock {
        /// The file that holds the block
        file: PathBuf,
        /// The line of its opening fence
        line: usize,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { quick } => suite::run(quick),
        Command::Bench(options) => bench::run(&options),
        Command::BenchRow { name, quick } => bench::run_row(&name, quick),
        Command::Fuzz { seconds, targets } => fuzz::run(seconds, &targets),
        Command::Book => book::run(),
        Command::FirstPage => first_page::run(),
        Command::CheckTargets => targets::run(),
        Command::RunBlock { file, line } => commands::run_block_at(&file, line),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}
