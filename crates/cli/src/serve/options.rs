//! What can be said about serving itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::limits::Limits;
use super::pool::PoolOptions;
use crate::args::seconds;

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Add a line for each answer to this file, in the combined format that web servers share; `-` is standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,

    /// How long answers under way may take after the first signal (Ctrl-C, SIGTERM, SIGHUP), in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub(crate) drain: Duration,

    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) pool: PoolOptions,
}
