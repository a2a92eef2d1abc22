//! The frames, each byte once, and reading through what is made of them.

use std::borrow::Cow;
use std::ops::Range;

use framewise_core::Direction;
use framewise_ethernet::Link;

use super::datagrams::{Datagrams, Part};
use super::half::{Half, Piece};
use super::space::{ConnectionId, DatagramId};

/// What is kept of each frame.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Nanoseconds, or [`NO_TIME`].
    pub(super) time: u64,
    /// Where its bytes begin.
    start: usize,
    pub(super) captured: u32,
    pub(super) original: u32,
    pub(super) interface: u16,
    pub(super) direction: Option<Direction>,
    pub(super) belongs: Belongs,
}

/// The time of a frame of which none is known.
pub(super) const NO_TIME: u64 = u64::MAX;

/// What larger thing a frame is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    Nowhere,
    /// It is one of a packet's fragments.
    Fragment(DatagramId),
    /// It is that segment of a connection.
    Segment(ConnectionId, u32),
    /// It is the last fragment of a packet that was that segment of a connection.
    LastFragment(DatagramId, ConnectionId, u32),
}

/// An interface on which frames were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, if it is known.
    pub name: Option<String>,
    /// What its frames begin with, by the registry of LINKTYPE values.
    pub link_type: u32,
}

impl Interface {
    pub(super) fn link(&self) -> Option<Link> {
        Link::of_capture(self.link_type)
    }
}

#[derive(Default)]
pub(super) struct Store {
    bytes: Vec<u8>,
    pub(super) frames: Vec<Record>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) datagrams: Datagrams,
}

impl Store {
    /// Bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push(&mut self, mut record: Record, bytes: &[u8]) {
        record.start = self.bytes.len();
        record.captured = bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.frames.push(record);
    }

    /// The record of a frame, by its number from 1.
    pub(super) fn record(&self, number: usize) -> Option<&Record> {
        self.frames.get(number.checked_sub(1)?)
    }

    /// The bytes of a frame; none, if there is no such frame.
    pub(super) fn frame(&self, number: usize) -> &[u8] {
        let record = self.record(number);
        let range = record.map_or(0..0, |record| record.start..record.start + record.captured as usize);
        self.bytes.get(range).unwrap_or_default()
    }

    /// What the frame begins with.
    pub(super) fn link(&self, record: &Record) -> Option<Link> {
        self.interfaces.get(usize::from(record.interface))?.link()
    }

    fn part(&self, part: &Part) -> &[u8] {
        let range = part.offset as usize..part.offset as usize + part.length as usize;
        self.frame(part.frame as usize).get(range).unwrap_or_default()
    }

    /// Where bytes of a datagram lie: the parts with something of this range, cut to it, those that came again behind.
    pub(super) fn parts(&self, id: DatagramId, range: &Range<u64>) -> Vec<(Part, bool)> {
        let Some(datagram) = self.datagrams.get(id) else { return Vec::new() };
        let first = datagram.parts_in(range).map(|part| (part, false));
        let again = datagram.again.iter().filter_map(|part| Some((part.within(range)?, true)));
        first.chain(again).collect()
    }

    /// The bytes of a datagram, if all of the range is there.
    pub(super) fn datagram(&self, id: DatagramId, range: &Range<u64>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for part in self.datagrams.get(id)?.parts_in(range) {
            bytes.extend_from_slice(self.part(&part));
        }
        (bytes.len() as u64 == range.end.saturating_sub(range.start)).then_some(bytes)
    }

    /// The bytes of a piece of a stream.
    pub(super) fn piece(&self, piece: &Piece) -> Cow<'_, [u8]> {
        let offset = piece.offset as usize;
        match piece.datagram {
            None => {
                let frame = self.frame(piece.frame());
                Cow::Borrowed(frame.get(offset..offset + piece.length as usize).unwrap_or_default())
            }
            Some(id) => {
                let range = u64::from(piece.offset)..u64::from(piece.offset) + u64::from(piece.length);
                Cow::Owned(self.datagram(id, &range).unwrap_or_default())
            }
        }
    }

    /// Adds the bytes of a range of a stream to `out`; `false`, and nothing added, if some of them are missing.
    pub(super) fn stream(&self, half: &Half, range: Range<u64>, out: &mut Vec<u8>) -> bool {
        let (begin, mut at) = (out.len(), range.start);
        for piece in half.first_in(&range) {
            let Some(part) = piece.within(&range).filter(|part| part.at == at) else { break };
            out.extend_from_slice(&self.piece(&part));
            at = part.range().end;
        }
        if at < range.end {
            out.truncate(begin);
        }
        at >= range.end
    }
}

impl Record {
    /// A frame of which nothing is known yet but how it was seen.
    pub(super) fn seen(time: u64, interface: u16, direction: Option<Direction>, original: u32) -> Self {
        Record { time, start: 0, captured: 0, original, interface, direction, belongs: Belongs::Nowhere }
    }
}
