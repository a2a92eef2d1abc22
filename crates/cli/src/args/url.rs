//! What `framewise url` is told.

use clap::Args;

/// Take a URL apart.
#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The URL, as one would type it.
    pub(crate) url: String,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
