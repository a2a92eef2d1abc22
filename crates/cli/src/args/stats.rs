//! What `framewise stats` is told.

use clap::Args;

/// Tell every reason for which something is dropped.
#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Only those of these layers, such as tcp.
    pub(crate) layers: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
