//! What `framewise figure` is told.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::Subject;

/// Draw a run or a capture.
#[derive(Debug, Args)]
pub(crate) struct Figure {
    #[command(flatten)]
    pub(crate) subject: Subject,

    /// What is drawn.
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,

    /// Where the figure goes; `-` is standard output. Without it: framewise-KIND.svg, in the folder where you are.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The frame that is drawn (encapsulation, header). Without it: the one that brings the first request.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) frame: Option<usize>,

    /// The layer whose header is drawn, such as tcp (header). Without it: the one that has the most fields.
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Option<String>,

    /// The connection that is drawn, as `framewise explain` counts them (ladder, sequence, window). Without it: of a ladder
    /// all, else the one that carries the most.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) connection: Option<usize>,
}

/// The kinds of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// One frame as boxes within boxes, as wide as they have bytes.
    Encapsulation,
    /// Who sends what to whom, and when.
    Ladder,
    /// One header, 32 bits in a row.
    Header,
    /// Which bytes of a stream are sent and acknowledged when.
    Sequence,
    /// How much is on its way, and how much would be taken.
    Window,
}

impl Kind {
    /// The word for it on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Encapsulation => "encapsulation",
            Kind::Ladder => "ladder",
            Kind::Header => "header",
            Kind::Sequence => "sequence",
            Kind::Window => "window",
        }
    }
}
