//! Packets that came in fragments, put together again by whoever watches.
//!
//! The rules are those of a receiver (RFC 5722, RFC 8200 section 4.5): a fragment that is there already is passed over, one
//! that overlaps another makes the whole worthless. No byte is copied: a datagram is a list of where its parts are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use super::limits::Limits;
use super::outline::Fragment;
use super::space::{DatagramId, common};

/// How long a fragment waits for the others: 60 s (RFC 1122, section 3.3.2; RFC 8200, section 4.5).
const PATIENCE: u64 = 60 * 1_000_000_000;
/// The length fields of packets have 16 bits.
const LARGEST: usize = 65_535;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

/// A part of a datagram, and where in a frame it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where in the datagram.
    pub(super) at: u32,
    pub(super) length: u32,
    pub(super) frame: u32,
    /// Where in the frame.
    pub(super) offset: u32,
}

impl Part {
    pub(super) fn range(&self) -> Range<u64> {
        u64::from(self.at)..u64::from(self.at) + u64::from(self.length)
    }

    /// What of it is in this range, if anything is.
    pub(super) fn within(&self, range: &Range<u64>) -> Option<Part> {
        let inside = common(&self.range(), range);
        let skipped = (inside.start.checked_sub(u64::from(self.at))?) as u32;
        let length = (inside.end - inside.start) as u32;
        let part = Part { at: self.at + skipped, length, offset: self.offset + skipped, ..*self };
        (length > 0).then_some(part)
    }
}

/// A packet that came in fragments.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) protocol: u8,
    /// In their order in the datagram.
    pub(super) parts: Vec<Part>,
    /// Those that came once more.
    pub(super) again: Vec<Part>,
    /// How long it is, once its last fragment is there.
    pub(super) total: Option<u32>,
    /// The frame with which it was whole.
    pub(super) whole_at: Option<u32>,
    /// Why it is worthless, if it is.
    pub(super) refused: Option<&'static str>,
    begun: u64,
    received: u32,
}

/// A fragment with what is around it.
pub(super) struct Arrival {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) fragment: Fragment,
    pub(super) frame: u32,
    /// Where in the frame its payload is.
    pub(super) payload: Range<usize>,
    pub(super) time: u64,
}

#[derive(Default)]
pub(super) struct Datagrams {
    all: Vec<Datagram>,
    open: BTreeMap<Key, u32>,
}

impl Datagrams {
    pub(super) fn get(&self, id: DatagramId) -> Option<&Datagram> {
        self.all.get(id.0 as usize)
    }

    /// Forgets what is only needed while fragments come.
    pub(super) fn close(&mut self) {
        self.open = BTreeMap::new();
    }

    /// Takes a fragment: to which datagram it belongs, unless there are too many.
    pub(super) fn add(
        &mut self,
        arrival: &Arrival,
        limits: &Limits,
        payload: impl Fn(u32, u32, u32) -> Vec<u8>,
    ) -> Option<DatagramId> {
        let id = self.find_or_begin(arrival, limits)?;
        let datagram = self.all.get_mut(id as usize)?;
        if datagram.refused.is_none()
            && let Err(reason) = datagram.add(arrival, limits.fragments, payload)
        {
            datagram.refused = Some(reason);
        }
        if datagram.whole_at.is_some() {
            self.open.remove(&key(arrival));
        }
        Some(DatagramId(id))
    }

    fn find_or_begin(&mut self, arrival: &Arrival, limits: &Limits) -> Option<u32> {
        let known = self.open.get(&key(arrival)).copied();
        let is_current = |id: &u32| {
            let datagram = self.all.get(*id as usize);
            datagram.is_some_and(|datagram| arrival.time.saturating_sub(datagram.begun) <= PATIENCE)
        };
        if let Some(id) = known.filter(is_current) {
            return Some(id);
        }
        if self.all.len() >= limits.datagrams {
            return None;
        }
        let id = u32::try_from(self.all.len()).ok()?;
        self.open.insert(key(arrival), id);
        self.all.push(Datagram {
            protocol: arrival.protocol,
            parts: Vec::new(),
            again: Vec::new(),
            total: None,
            whole_at: None,
            refused: None,
            begun: arrival.time,
            received: 0,
        });
        Some(id)
    }
}

fn key(arrival: &Arrival) -> Key {
    let is_v4 = arrival.source.is_ipv4();
    Key {
        source: arrival.source,
        destination: arrival.destination,
        // The fragments of an IPv6 packet belong together whatever they say is in it.
        protocol: if is_v4 { arrival.protocol } else { 0 },
        identification: arrival.fragment.identification,
    }
}

impl Datagram {
    /// What came first of this range, in order. It is found without a look at all that is before it.
    pub(super) fn parts_in(&self, range: &Range<u64>) -> impl Iterator<Item = Part> {
        let begin = self.parts.partition_point(|part| part.range().end <= range.start);
        let parts = self.parts.get(begin..).unwrap_or_default().iter();
        parts.map_while(|part| part.within(range))
    }

    fn add(
        &mut self,
        arrival: &Arrival,
        most: usize,
        payload: impl Fn(u32, u32, u32) -> Vec<u8>,
    ) -> Result<(), &'static str> {
        let Fragment { offset, more, .. } = arrival.fragment;
        let length = arrival.payload.len();
        let end = offset + length;
        if end > LARGEST {
            return Err("fragments over 65,535 bytes");
        }
        if length == 0 || (more && !length.is_multiple_of(8)) {
            return Err("fragment length not of eights");
        }
        let part = Part {
            at: offset as u32,
            length: length as u32,
            frame: arrival.frame,
            offset: arrival.payload.start as u32,
        };
        let place = self.parts.partition_point(|known| known.at < part.at);
        let same = self.parts.get(place).filter(|known| (known.at, known.length) == (part.at, part.length));
        if let Some(known) = same {
            let bytes = |part: &Part| payload(part.frame, part.offset, part.length);
            if bytes(known) != bytes(&part) {
                return Err("a fragment once more, but not as before");
            }
            if self.again.len() < most {
                self.again.push(part);
            }
            return Ok(());
        }
        let after_before = self.parts.get(..place).and_then(<[Part]>::last);
        let overlaps = after_before.is_some_and(|before| before.range().end > part.range().start)
            || self.parts.get(place).is_some_and(|after| after.range().start < part.range().end);
        let beyond = self.total.is_some_and(|total| end > total as usize || !more);
        if overlaps || beyond || (!more && place < self.parts.len()) {
            return Err("overlapping fragment");
        }
        if self.parts.len() >= most {
            return Err("too many fragments");
        }
        if offset == 0 {
            self.protocol = arrival.protocol;
        }
        self.parts.insert(place, part);
        self.received += part.length;
        if !more {
            self.total = Some(end as u32);
        }
        if self.total == Some(self.received) {
            self.whole_at = Some(arrival.frame);
        }
        Ok(())
    }
}
