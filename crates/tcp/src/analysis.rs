//! What the segments of a connection tell somebody who only watches: places in the streams, what is new, what came
//! again, what is missing.
//!
//! Views and replays use it on our own runs and on foreign captures alike; nothing is read out of a connection's insides.
//!
//! Read RFC 9293 section 3.4 (sequence numbers) and RFC 7323 section 2 (window scale) before changing this file.
//!
//! ```
//! use framewise_tcp::analysis::{Flow, Order};
//! use framewise_tcp::segment::{Flags, Header};
//! use framewise_tcp::SeqNumber;
//!
//! let mut flow = Flow::default();
//! let (me, you) = ("192.0.2.10:49152".parse().unwrap(), "203.0.113.80:80".parse().unwrap());
//! let syn = Header { sequence: SeqNumber(1_000), flags: Flags::SYN, ..Header::default() };
//! assert_eq!(flow.observe(me, you, &syn, 0).order, Order::First);
//! let data = Header { sequence: SeqNumber(1_001), flags: Flags::ACK, ..Header::default() };
//! let facts = flow.observe(me, you, &data, 35);
//! assert_eq!((facts.order, facts.sequence), (Order::Next, 1));
//! assert_eq!(flow.observe(me, you, &data, 35).order, Order::Again);
//! ```

use std::net::SocketAddr;

use crate::segment::{Flags, Header};
use crate::sequence::SeqNumber;

/// Where a segment stands among those of its sender that were seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// It begins the sender's stream (SYN), or is the first that was seen.
    First,
    /// It begins just where the last one ended.
    Next,
    /// All of it was seen before.
    Again,
    /// Some of it was seen before, some is new.
    Overlap,
    /// Something before it is missing, `gap` bytes.
    Ahead {
        /// How many bytes.
        gap: u32,
    },
    /// It fills a gap that was left before.
    Filling,
    /// It takes up no sequence numbers: an acknowledgment, a window update, a RST.
    Empty,
}

/// What is known of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where it begins in its sender's stream: the SYN is 0, the first byte 1.
    pub sequence: u32,
    /// Up to where its sender has the other's stream, with ACK.
    pub acknowledgment: Option<u32>,
    /// Bytes of the other's stream that were not acknowledged before this.
    pub newly_acknowledged: u32,
    /// Its place among its sender's segments.
    pub order: Order,
    /// How much more its sender takes, in bytes: shifted where both sides said by how much.
    pub window: u32,
    /// Whether that is so: where the SYNs were not seen, and may have said by how much, it stands as it came, in units of
    /// nobody knows how many bytes.
    pub is_window_known: bool,
    /// Bytes that its sender has sent and that are not acknowledged, after this segment.
    pub in_flight: u32,
}

/// One connection as somebody in between sees it.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// The side whose segment was seen first, and the other.
    first: Option<SocketAddr>,
    sides: [Side; 2],
}

/// What was seen of one side's segments.
#[derive(Clone, Debug, Default)]
struct Side {
    /// Where its numbers begin, once known.
    initial: Option<SeqNumber>,
    /// The number after the last one seen.
    end: SeqNumber,
    /// Up to where the other side has acknowledged it.
    acknowledged: Option<SeqNumber>,
    /// Whether something before `end` may be missing: up to where the gaps that were seen reach.
    gaps: Vec<(SeqNumber, SeqNumber)>,
    shift: Option<u8>,
    said_syn: bool,
}

/// Gaps remembered per side; the oldest is forgotten for one more.
const MAX_GAPS: usize = 64;

impl Flow {
    /// Takes one segment, from `source` to `destination`, with `payload` bytes of payload.
    pub fn observe(
        &mut self,
        source: SocketAddr,
        _destination: SocketAddr,
        header: &Header,
        payload: usize,
    ) -> Facts {
        let first = *self.first.get_or_insert(source);
        let [one, two] = &mut self.sides;
        let (sender, other) = if source == first { (one, two) } else { (two, one) };
        if header.has(Flags::SYN) {
            sender.begin(header);
        }
        let sequence = sender.relative(header.sequence);
        let order = sender.place(header, payload);
        let (acknowledgment, newly_acknowledged) = other.acknowledge(header);
        Facts {
            sequence,
            acknowledgment,
            newly_acknowledged,
            order,
            window: sender.window(other, header),
            is_window_known: sender.is_window_known(other, header),
            in_flight: sender.in_flight(),
        }
    }
}

impl Side {
    fn begin(&mut self, header: &Header) {
        // Another SYN with another number begins another connection between the same ends.
        if self.initial != Some(header.sequence) {
            *self = Side { initial: Some(header.sequence), end: header.sequence, ..Side::default() };
        }
        self.said_syn = true;
        self.shift = header.options.window_scale;
    }

    /// A number counted from where the stream begins. Where the SYN was not seen, the first number seen counts as 1.
    fn relative(&mut self, sequence: SeqNumber) -> u32 {
        let initial = *self.initial.get_or_insert_with(|| {
            self.end = sequence;
            sequence.minus(1)
        });
        sequence.0.wrapping_sub(initial.0)
    }

    fn place(&mut self, header: &Header, payload: usize) -> Order {
        let length = header.sequence_len(payload);
        if length == 0 {
            return Order::Empty;
        }
        let (start, end) = (header.sequence, header.sequence.plus(length));
        let known_end = self.end;
        self.end = self.end.later(end);
        if header.has(Flags::SYN) && start == known_end {
            return Order::First;
        }
        match start.since(known_end) {
            0 => Order::Next,
            ahead @ 1.. => {
                self.leave_gap(known_end, start);
                Order::Ahead { gap: ahead as u32 }
            }
            _ if self.fill(start, end) => Order::Filling,
            _ if end.since(known_end) <= 0 => Order::Again,
            _ => Order::Overlap,
        }
    }

    /// Notes that nothing of `from..to` was seen, though it was sent.
    fn leave_gap(&mut self, from: SeqNumber, to: SeqNumber) {
        if let Some(last) = self.gaps.last_mut()
            && last.1 == from
        {
            last.1 = to;
            return;
        }
        if self.gaps.len() >= MAX_GAPS {
            self.gaps.remove(0);
        }
        self.gaps.push((from, to));
    }

    /// Takes `start..end` out of the gaps. `true` if any of it was missing.
    fn fill(&mut self, start: SeqNumber, end: SeqNumber) -> bool {
        let mut filled = false;
        let mut left = Vec::with_capacity(self.gaps.len() + 1);
        for (from, to) in self.gaps.drain(..) {
            if end.since(from) <= 0 || start.since(to) >= 0 {
                left.push((from, to));
                continue;
            }
            filled = true;
            if from.is_before(start) {
                left.push((from, start));
            }
            if end.is_before(to) {
                left.push((end, to));
            }
        }
        left.truncate(MAX_GAPS);
        self.gaps = left;
        filled
    }

    /// Notes that the other side acknowledges this one's stream.
    fn acknowledge(&mut self, header: &Header) -> (Option<u32>, u32) {
        if !header.has(Flags::ACK) {
            return (None, 0);
        }
        let to = header.acknowledgment;
        let relative = self.relative(to);
        let newly = self.acknowledged.map_or(0, |before| to.since(before).max(0) as u32);
        self.acknowledged = Some(self.acknowledged.map_or(to, |before| before.later(to)));
        if self.end.is_before(to) {
            // It was sent, and may yet be seen: captures don't always keep the order.
            self.leave_gap(self.end, to);
            self.end = to;
        }
        (Some(relative), newly)
    }

    fn window(&self, other: &Side, header: &Header) -> u32 {
        // The window of a SYN is never shifted, and others only where both sides said a scale.
        let shift = match (header.has(Flags::SYN), self.shift, other.shift) {
            (false, Some(shift), Some(_)) => shift,
            _ => 0,
        };
        u32::from(header.window) << shift
    }

    /// Both SYNs were seen, or one that says no scale; the window of a SYN itself is never shifted.
    fn is_window_known(&self, other: &Side, header: &Header) -> bool {
        let (is_seen, has_none) =
            (self.said_syn && other.said_syn, |side: &Side| side.said_syn && side.shift.is_none());
        header.has(Flags::SYN) || is_seen || has_none(self) || has_none(other)
    }

    fn in_flight(&self) -> u32 {
        let acknowledged = self.acknowledged.or(self.initial).unwrap_or(self.end);
        self.end.since(acknowledged).max(0) as u32
    }
}
