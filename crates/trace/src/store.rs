//! The bytes of a recording, each held once.
//!
//! Going down, a message is its upper neighbour's with a header in front; going up, its lower neighbour's without
//! one. Both cross within a few moves of each other, so it is enough to look at the bytes that came last:
//!
//! ```text
//!   outbound   segment        [      TTTpppp]   stored
//!              packet         [   IIITTTpppp]   its header goes in front: the segment's range moves along
//!              frame          [EEIIITTTpppp]    likewise
//!   inbound    frame          [EEIIITTTpppp]    stored; packet, segment and payload are ranges of it
//! ```

use std::collections::VecDeque;
use std::ops::Range;

use crate::trace::HostId;

/// How many of the last regions a message is looked for in.
const RECENT: usize = 8;
/// Bytes of header that are looked behind for the beginning of an inner message whose end was cut off, too.
const LONGEST_HEADER: usize = 160;

/// Where the bytes of the messages go.
#[derive(Debug, Default)]
pub(crate) struct Store {
    bytes: Vec<u8>,
    recent: VecDeque<Region>,
}

/// A run of bytes that belong together.
#[derive(Debug)]
struct Region {
    host: HostId,
    buffer: Option<u64>,
    range: Range<usize>,
    /// The first event whose range is in it.
    first_event: usize,
}

/// Ranges that moved, since a header was put in front of the bytes that they name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Of this event and those after it,
    pub(crate) first_event: usize,
    /// those that begin here or later
    pub(crate) from: usize,
    /// moved by this much.
    pub(crate) by: usize,
}

impl Store {
    /// Keeps the bytes of a message, recorded as event number `event`. `None`: that would be more than `limit`.
    pub(crate) fn keep(
        &mut self,
        host: HostId,
        buffer: Option<u64>,
        bytes: &[u8],
        event: usize,
        limit: usize,
    ) -> Option<(Range<usize>, Option<Moved>)> {
        if bytes.is_empty() {
            return Some((0..0, None));
        }
        if let Some(range) = self.find(host, buffer, bytes) {
            return Some((range, None));
        }
        if let Some(header) = self.new_header(host, bytes) {
            let fits = self.bytes.len() + header.len() <= limit;
            return fits.then(|| self.grow_in_front(header));
        }
        if self.bytes.len() + bytes.len() > limit {
            return None;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let range = start..self.bytes.len();
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Region { host, buffer, range: range.clone(), first_event: event });
        Some((range, None))
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that are there already: the end of a region, or within one of the same buffer. A region that another
    /// buffer repeats (a frame sent again) is that buffer's from then on.
    fn find(&mut self, host: HostId, buffer: Option<u64>, wanted: &[u8]) -> Option<Range<usize>> {
        let regions = self.recent.iter_mut().rev().filter(|region| region.host == host);
        for region in regions {
            let outer = self.bytes.get(region.range.clone())?;
            if outer.ends_with(wanted) {
                region.buffer = buffer.or(region.buffer);
                return Some(region.range.end - wanted.len()..region.range.end);
            }
            let same = buffer.is_some() && buffer == region.buffer;
            let Some(spare) = outer.len().checked_sub(wanted.len()).filter(|_| same) else {
                continue;
            };
            let within = |at: &usize| outer.get(*at..).is_some_and(|rest| rest.starts_with(wanted));
            if let Some(at) = (0..=spare.min(LONGEST_HEADER)).find(within) {
                let start = region.range.start + at;
                return Some(start..start + wanted.len());
            }
        }
        None
    }

    /// What stands in front of the last region's bytes in this message, if it ends with them.
    fn new_header<'m>(&self, host: HostId, message: &'m [u8]) -> Option<&'m [u8]> {
        let last = self.recent.back().filter(|region| region.host == host)?;
        message.strip_suffix(self.bytes.get(last.range.clone())?)
    }

    fn grow_in_front(&mut self, header: &[u8]) -> (Range<usize>, Option<Moved>) {
        let Some(last) = self.recent.back_mut() else {
            return (0..0, None);
        };
        let start = last.range.start;
        self.bytes.splice(start..start, header.iter().copied());
        last.range.end += header.len();
        let moved = Moved { first_event: last.first_event, from: start, by: header.len() };
        (last.range.clone(), Some(moved))
    }
}
