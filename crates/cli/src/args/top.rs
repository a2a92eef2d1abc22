//! What `framewise top` is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::seconds;

/// Watch the threads of a running server.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// The server's socket, as `framewise serve` says it; needed only where several run.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) control: Option<PathBuf>,

    /// One look, as JSON; with --follow, one after the other, a line each.
    #[arg(long)]
    pub(crate) json: bool,

    /// Go on looking. So it does by itself in a terminal.
    #[arg(long)]
    pub(crate) follow: bool,

    /// One look, and no more.
    #[arg(long, conflicts_with = "follow")]
    pub(crate) once: bool,

    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    pub(crate) interval: Duration,
}
