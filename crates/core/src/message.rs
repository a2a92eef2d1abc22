//! What crosses a seam.

use crate::buf::{InterfaceId, Offload};
use crate::id::ConnId;

/// One thing that one layer says to its neighbour: a frame, a packet, a piece of a stream, a request.
///
/// A message is thin (a word or two by value): the bytes are in a pooled [`Buf`](crate::Buf) or in shared
/// `Bytes`, and what is seldom said is boxed. All methods serve views and captures, so none is called while
/// nobody watches.
pub trait Message {
    /// One line for a person, without a line break: `192.0.2.10 asks 198.51.100.80 for port 443`.
    fn summary(&self) -> String;

    /// Which of its seam's messages this is, as one fixed word by which a view finds it: `request`, `send`, `closed`.
    fn kind(&self) -> &'static str {
        "message"
    }

    /// The bytes that this message carries, headers of this layer included; empty for a command.
    fn bytes(&self) -> &[u8] {
        &[]
    }

    /// What ties this message to others: see [`Subject`].
    fn subject(&self) -> Subject {
        Subject::None
    }

    /// By which of the host's interfaces it came or leaves, where that is known: what a capture needs of a frame.
    fn interface(&self) -> Option<InterfaceId> {
        None
    }

    /// What the device does for a frame, or has done: a capture shows the frames on the wire that this one stands for.
    /// The place of a partial checksum counts from the first of [`bytes`](Self::bytes).
    fn offload_facts(&self) -> Offload {
        Offload::default()
    }
}

/// What a message belongs to, so that a recording can follow it from seam to seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Subject {
    /// Nothing in particular.
    #[default]
    None,
    /// The buffer with this serial number: the same bytes are a segment, then a packet, then a frame.
    Buffer(u64),
    /// A connection of the stream seam.
    Connection(ConnId),
    /// An exchange (one request and its response) of the exchange seam.
    Exchange(crate::id::ExchangeId),
}
