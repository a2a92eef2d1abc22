//! What `framewise lab` is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::{TapHost, seconds};

/// Which experiment.
#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// How many requests can k threads answer, and how long does one wait? Predicted, and measured.
    ///
    /// The first table is measured with pages that clients fetch frame by frame; the others need a hundred thousand requests
    /// for each figure, and are of the same pool by itself.
    ///
    /// With --tap all of it is in real time: real threads that sleep for the service time, behind our own stack, and clients of
    /// the kernel's. Loads of 0.5 and 0.8 are measured then, unless others are given.
    Threads(LabThreads),
    /// Threads share nothing but the database: where does it stop them?
    ///
    /// With --tap all of it is in real time: real threads behind our own stack, clients of the kernel's, and SQLite, which must
    /// be built in (--features shop). With one connection each request writes, with more it reads.
    Database(LabDatabase),
}

/// The threads.
#[derive(Debug, Args)]
pub(crate) struct LabThreads {
    /// How long a thread works on a request, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "20", value_parser = millis)]
    pub(crate) service: Duration,

    /// How many threads, one after the other.
    #[arg(long, value_name = "K,K,..", value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32, 64, 128, 256],
        value_parser = number)]
    pub(crate) threads: Vec<usize>,

    /// How many threads requests wait for.
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = number)]
    pub(crate) pool: usize,

    /// The parts of their capacity that are asked for, each above 0 and up to 0.99: 0.3,0.5,0.7,0.8,0.9,0.95 if not given.
    #[arg(long, value_name = "PART,PART,..", value_delimiter = ',', value_parser = part)]
    pub(crate) loads: Vec<f64>,

    /// Requests that each wait is measured by; more at loads beyond 0.8, where more are needed to know the mean as well.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    pub(crate) requests: u64,

    /// Clients that keep their connections, and think for a second between two requests.
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', default_values_t = [16, 32, 64, 128, 256], value_parser = number)]
    pub(crate) clients: Vec<usize>,

    /// How long each wait is measured over a TAP, in seconds; throughput a tenth of that.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "20", requires = "device")]
    pub(crate) time: Duration,

    #[command(flatten)]
    pub(crate) tap: TapHost,

    #[command(flatten)]
    pub(crate) out: LabOut,
}

/// The database.
#[derive(Debug, Args)]
pub(crate) struct LabDatabase {
    /// How long a request needs its thread besides the database, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "10", value_parser = millis)]
    pub(crate) executes: Duration,

    /// How long a request needs the database, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "10", value_parser = millis)]
    pub(crate) database: Duration,

    /// Connections of the database; 1 for a single writer.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = number)]
    pub(crate) connections: usize,

    /// Clients that ask all the time.
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = number)]
    pub(crate) clients: usize,

    /// How many threads, one after the other.
    #[arg(long, value_name = "K,K,..", value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32, 64, 128],
        value_parser = number)]
    pub(crate) threads: Vec<usize>,

    /// How long each number of threads is measured over a TAP, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "3", requires = "device")]
    pub(crate) time: Duration,

    #[command(flatten)]
    pub(crate) tap: TapHost,

    #[command(flatten)]
    pub(crate) out: LabOut,
}

/// Where the figures go.
#[derive(Debug, Args)]
pub(crate) struct LabOut {
    /// Everything random follows from this number: the same seed, the same figures.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Draw the plots, as SVG.
    #[arg(short, long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Write all figures as a table: a line for each.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) csv: Option<PathBuf>,

    /// Print all figures as JSON, instead of tables and sentences.
    #[arg(long)]
    pub(crate) json: bool,
}

fn millis(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time from 0.01 to 10000 milliseconds");
    let millis: f64 = text.parse().map_err(|_| wrong())?;
    if !(0.01..=10_000.0).contains(&millis) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(millis / 1_000.0).map_err(|_| wrong())
}

fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=1_024).contains(&number) => Ok(number),
        _ => Err(format!("{text:?} is no number from 1 to 1024")),
    }
}

fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if part > 0.0 && part <= 0.99 => Ok(part),
        _ => Err(format!("{text:?} is no part above 0 and up to 0.99: at 1 the queue grows without end")),
    }
}
