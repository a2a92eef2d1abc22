//! Why something can't be played.

use framewise::core::MacAddr;
use framewise::world::WorldError;
use framewise::{FetchError, ServeError};
use framewise_trace::ReadError;

use crate::text::TextError;

/// Why a capture or a script can't be played. That the host did something else than expected is no error: see
/// [`Outcome`](crate::Outcome).
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The script or the sidecar can't be read.
    #[error("{file}: {error}")]
    Text {
        /// Which file.
        file: String,
        /// What is wrong, and where.
        error: TextError,
    },
    /// A file can't be read.
    #[error("{file} can't be read: {error}")]
    File {
        /// Which.
        file: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A file that is named like no capture is no text either.
    #[error("{file} is neither a capture nor text: what stands at byte {at} is no UTF-8")]
    NotText {
        /// Which.
        file: String,
        /// The first byte that is not of a text, from 0.
        at: usize,
    },
    /// A file is longer than any test.
    #[error("{file} has more than {limit} bytes, which is no test any more")]
    TooLarge {
        /// Which.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// A capture has no sidecar that says which side is ours.
    #[error("{capture} needs {sidecar}, which says which side is the live host")]
    NoSidecar {
        /// The capture.
        capture: String,
        /// Where the sidecar was looked for.
        sidecar: String,
    },
    /// The capture can't be read.
    #[error("the capture can't be read")]
    Capture(#[from] ReadError),
    /// The capture is of another kind of link.
    #[error("frame {frame} is not of an Ethernet; what is played is Ethernet")]
    Link {
        /// The frame's number.
        frame: usize,
    },
    /// A frame has no time.
    #[error("frame {frame} has no time at which it could be sent")]
    NoTime {
        /// The frame's number.
        frame: usize,
    },
    /// A frame was seen before the run's beginning, or long after it.
    #[error(
        "frame {frame} was not seen in the 24 hours from the run's beginning; `start first-frame` begins with the capture"
    )]
    Outside {
        /// The frame's number.
        frame: usize,
    },
    /// A capture goes on for longer than is played.
    #[error("frame {frame} was seen more than 24 hours after the first; so long a capture is not played")]
    TooLong {
        /// The frame's number.
        frame: usize,
    },
    /// A frame was not captured whole.
    #[error("frame {frame} was not captured whole: it can't be sent")]
    Cut {
        /// The frame's number.
        frame: usize,
    },
    /// None of the capture's frames was sent by the host.
    #[error(
        "no frame of the capture comes from {mac}: is that the MAC address of the host that is to be live?"
    )]
    Nothing {
        /// The host's MAC address.
        mac: MacAddr,
    },
    /// What is to be compared is nowhere.
    #[error("no frame that the host sent in the capture has {what}, which is to be compared")]
    Nowhere {
        /// The layer or field.
        what: String,
    },
    /// A sidecar has steps that only a script may have.
    #[error("line {line}: a capture has its frames; in its sidecar stand only the deeds of the host")]
    Steps {
        /// The step's line.
        line: usize,
    },
    /// A step can't be done.
    #[error("line {line}: {why}")]
    Step {
        /// Its line.
        line: usize,
        /// Why not.
        why: String,
    },
    /// The host can't be made so.
    #[error("the host can't be made so")]
    Host(#[from] WorldError),
    /// The host's TLS can't be set up so.
    #[error("the host's TLS can't be set up so")]
    Tls(#[from] framewise::tls::ConfigError),
    /// A page can't be fetched so.
    #[error("the page can't be fetched so")]
    Fetch(#[from] FetchError),
    /// A page can't be served so.
    #[error("the pages can't be served so")]
    Serve(#[from] ServeError),
    /// No such method of HTTP.
    #[error("there is no method {0}")]
    Method(String),
    /// The run went on and on.
    #[error("the host did more than a test may: a capture or script for this is too long")]
    TooMuch,
    /// The Runner failed.
    #[error("the run failed")]
    Run(#[from] std::io::Error),
}
