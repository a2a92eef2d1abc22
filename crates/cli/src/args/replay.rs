//! What `framewise replay` is told.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Play captures and scripts as tests.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// What to play: captures (pcap or pcapng), each with its sidecar FILE.replay beside it, or scripts.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Take this as the capture's sidecar: it says which side is the live host, what is pinned and what is compared.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) with: Option<PathBuf>,

    /// Write what happens in a script as a capture, and beside it the sidecar with which that can be played.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "with")]
    pub(crate) write: Option<PathBuf>,

    /// As JSON: an array with one object for each file.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing of files that are as expected.
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}
