//! What `framewise explain` is told.

use clap::Args;

use super::Subject;

/// Explain a run or a capture.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) subject: Subject,

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

    /// How each layer stands once the frame that --frame says has passed: neighbours, both ends of TCP, TLS, HTTP; what it has
    /// changed is marked with `*`, what is only inferred with `?`. With --json: of every frame.
    #[arg(long, conflicts_with_all = ["byte", "find", "layer", "field"])]
    pub(crate) state: bool,

    /// As JSON.
    #[arg(long, conflicts_with_all = ["byte", "find"])]
    pub(crate) json: bool,

    /// Never use colour. (`NO_COLOR` in the environment does the same.)
    #[arg(long)]
    pub(crate) no_color: bool,
}
