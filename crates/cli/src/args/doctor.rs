//! What `framewise doctor` is told.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::TapHost;

/// Look at what works here.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) host: TapHost,

    /// The name that this computer shall find an address for.
    #[arg(long, value_name = "HOST", default_value = "example.com")]
    pub(crate) name: String,

    /// Where the lab's authority is kept.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) ca_dir: Option<PathBuf>,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,
}
