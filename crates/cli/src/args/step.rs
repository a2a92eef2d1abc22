//! What `framewise step` is told: all of it is handed on.

use std::ffi::OsString;

use clap::Args;

/// Step through a run or a capture.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Step {
    /// A URL of the world inside this program, or a capture file, and options: --help tells them.
    #[arg(
        value_name = "URL|FILE [OPTIONS]",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true
    )]
    pub(crate) arguments: Vec<OsString>,
}
