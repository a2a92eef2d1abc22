//! What `framewise explain` is told.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Explain a run or a capture.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// What to explain: a capture file (pcap or pcapng, of anybody's), or a URL of the world inside this program, which is
    /// fetched for it.
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) what: String,

    /// This frame alone: its layers, and its bytes.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) frame: Option<usize>,

    /// This layer alone, such as tcp, with all of its fields; of all frames, or of the one that --frame says.
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Option<String>,

    /// This field alone, such as `window`: its value in every frame that has it, or in the one that --frame says.
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,

    /// What this byte of the frame is, counted from 0, in each layer that it is part of.
    #[arg(long, value_name = "NUMBER", requires = "frame", conflicts_with_all = ["layer", "field"])]
    pub(crate) byte: Option<usize>,

    /// Which frames brought this text of a page, and where in each it stands, sealed or not.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["frame", "layer", "field"])]
    pub(crate) find: Option<String>,

    /// As JSON.
    #[arg(long, conflicts_with_all = ["byte", "find"])]
    pub(crate) json: bool,

    /// Open TLS with the secrets in this file, as browsers and `curl` write it (SSLKEYLOGFILE). Those in a capture are used
    /// anyway.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keylog: Option<PathBuf>,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,

    /// Options of `framewise fetch` for the run that is explained, such as: -- --tls 1.2 --drop 5
    #[arg(last = true, value_name = "FETCH OPTIONS")]
    pub(crate) fetch: Vec<String>,
}
