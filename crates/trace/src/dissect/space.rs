//! Byte spaces: where a byte is, said in the terms of each layer.
//!
//! ```text
//!   Plaintext   what TLS carries for the application      ┐ joined from
//!   Record      what one record holds, opened             ┘
//!   Stream      what TCP carries one way                  ┐ lies in
//!   Datagram    what a packet carries that was split      │
//!   Frame       what is on the wire                       ┘
//! ```

use std::ops::Range;

/// Who sends: the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that asked for the connection.
    Client,
    /// The one that was asked.
    Server,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Client, Side::Server];

    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// One of the connections of a dissection, counted from 0 in the order of their first frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// One of the packets that came in fragments, counted from 0 in the order of their first fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatagramId(pub u32);

/// What one side of a connection sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Who sends it.
    pub side: Side,
}

/// Bytes that are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Those of the frame of this number, from 1.
    Frame(usize),
    /// The payload of a packet that came in fragments.
    Datagram(DatagramId),
    /// What a side of a connection sends: byte 0 follows the SYN.
    Stream(StreamId),
    /// What the record of this number (from 0) of a stream holds.
    Record(StreamId, usize),
    /// The application's data in the records of a stream.
    Plaintext(StreamId),
}

/// A range of bytes of a space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Of which.
    pub space: Space,
    /// Which bytes, the end excluded.
    pub range: Range<u64>,
}

impl Place {
    /// These bytes of this space.
    pub fn new(space: Space, range: Range<u64>) -> Self {
        Place { space, range }
    }
}

/// Bytes of a place that lie in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Which of the bytes that were asked for, counted in their own space.
    pub part: Range<u64>,
    /// Where they lie, byte for byte.
    pub at: Place,
    /// Whether they lie somewhere else, too, where they were seen first: a segment or a fragment that was sent again.
    pub again: bool,
}

/// What two ranges have in common; empty if it is nothing.
pub(super) fn common(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

/// Whether two ranges have a byte in common.
pub(super) fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    !common(a, b).is_empty()
}
