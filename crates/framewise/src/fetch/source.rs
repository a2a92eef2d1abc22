//! Where the bytes of a request's body come from, and whether they come twice.

use std::io;

use bytes::Bytes;
use framewise_core::seams::exchange::BodyLength;
use framewise_http::Pieces;

/// Makes the pieces of a body, from the first each time that it is called.
pub type Maker = Box<dyn FnMut() -> io::Result<Pieces>>;

/// Where a body comes from.
pub(crate) enum Source {
    /// There is none.
    Empty,
    /// All of it is in memory.
    Bytes(Bytes),
    /// It comes once: what was taken is gone.
    Once { length: Option<u64>, pieces: Option<Pieces> },
    /// It comes as often as it is asked for.
    Each { length: Option<u64>, make: Maker },
}

impl Source {
    /// Bytes in memory.
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        if bytes.is_empty() { Source::Empty } else { Source::Bytes(bytes) }
    }

    /// How long the body will be.
    pub(crate) fn length(&self) -> BodyLength {
        match self {
            Source::Empty => BodyLength::None,
            Source::Bytes(bytes) => BodyLength::Known(bytes.len() as u64),
            Source::Once { length, .. } | Source::Each { length, .. } => {
                length.map_or(BodyLength::Unknown, BodyLength::Known)
            }
        }
    }

    /// Bytes of it, where that is known.
    pub(crate) fn known_length(&self) -> Option<u64> {
        match self.length() {
            BodyLength::None => Some(0),
            BodyLength::Known(length) => Some(length),
            BodyLength::Unknown => None,
        }
    }

    /// Whether all of it can be had, from its beginning.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self, Source::Once { pieces: None, .. })
    }

    /// Its pieces from the beginning, where it is made of such.
    pub(crate) fn open(&mut self) -> io::Result<Option<Pieces>> {
        match self {
            Source::Empty | Source::Bytes(_) => Ok(None),
            Source::Once { pieces, .. } => Ok(pieces.take()),
            Source::Each { make, .. } => make().map(Some),
        }
    }
}
