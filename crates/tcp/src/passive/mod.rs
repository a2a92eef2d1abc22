//! A connection as somebody sees it who only watches: how both ends stand after each segment, and what is unusual about it.
//!
//! Read first: RFC 9293 sections 3.3.1 (SND.UNA, RCV.NXT and the other variables), 3.3.2 (states), 3.10.7 (what a segment
//! that arrives does), RFC 6298 (round trips).
//!
//! ```text
//!   segment ──► Flow::observe ──► Facts ──┐          ┌──► Ends     how each end stands: state, numbers, windows, round trip
//!               who, when, where, taken? ─┴─► Seen ──┴──► Finding  sent again, out of order, duplicate acknowledgment, ...
//! ```
//!
//! What an end has sent was seen; what it has received was seen only where the capture was made at that end. Elsewhere it is
//! inferred: a segment that went past may have been lost behind the watcher. Each value says which it is ([`Known`]), and what
//! is inferred becomes known once the end's own segments tell.
//!
//! ```
//! use framewise_tcp::passive::{Fate, Seen, Side, State, Watch};
//! use framewise_tcp::segment::{Flags, Header};
//! use framewise_tcp::{Flow, SeqNumber};
//!
//! let (me, you) = ("192.0.2.10:49152".parse().unwrap(), "203.0.113.80:80".parse().unwrap());
//! let syn = Header { sequence: SeqNumber(1_000), flags: Flags::SYN, ..Header::default() };
//! let facts = Flow::default().observe(me, you, &syn, 0);
//! let mut watch = Watch::default();
//! watch.observe(&Seen::of(&syn, 0, facts, Side::Client), |finding| panic!("{finding:?}"));
//! let state = watch.ends().of(Side::Client).state.expect("it has said something");
//! assert_eq!((state.value, state.inferred), (State::SynSent, false));
//! # let _ = Fate::Unknown;
//! ```

mod ends;
mod judge;
mod round_trip;
mod say;
mod state;

use std::time::Duration;

use framewise_core::Direction;

use crate::analysis::Facts;
use crate::segment::{Flags, Header, Options};

pub use ends::{End, Ends, Known};
pub use judge::{Finding, Resent};
pub use round_trip::RoundTrip;
pub use say::{Referred, told};
pub use state::State;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that asked for the connection.
    Client,
    /// The one that was asked.
    Server,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// What became of a segment on its way to the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was seen at its receiver, whole.
    Arrived,
    /// Nobody here knows: it was seen on its way.
    Unknown,
    /// It was lost, damaged, or refused.
    Lost,
}

/// A segment that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who sent it.
    pub side: Side,
    /// When, if that is known.
    pub time: Option<Duration>,
    /// Its place in the connection.
    pub facts: Facts,
    /// The control bits.
    pub flags: Flags,
    /// Bytes of payload.
    pub length: u32,
    /// The window as it stands in the header.
    pub window: u16,
    /// The options; only those of a SYN are looked at.
    pub options: Options,
    /// Whether it was seen where it was sent.
    pub is_at_sender: bool,
    /// What became of it.
    pub fate: Fate,
}

impl Seen {
    /// A segment on its way: when, and what becomes of it, is not known.
    pub fn of(header: &Header, payload: usize, facts: Facts, side: Side) -> Self {
        Seen {
            side,
            time: None,
            facts,
            flags: header.flags,
            length: payload as u32,
            window: header.window,
            options: header.options,
            is_at_sender: false,
            fate: Fate::Unknown,
        }
    }

    /// The same, seen at that time where it left a host or came to one; `None`: somewhere between. `is_lost`: it was lost,
    /// damaged, or refused there or behind.
    pub fn caught(self, direction: Option<Direction>, time: Option<Duration>, is_lost: bool) -> Self {
        let fate = match direction {
            _ if is_lost => Fate::Lost,
            Some(Direction::Inbound) => Fate::Arrived,
            Some(Direction::Outbound) | None => Fate::Unknown,
        };
        Seen { time, is_at_sender: direction == Some(Direction::Outbound), fate, ..self }
    }

    /// How many sequence numbers it takes: its payload, its SYN, its FIN (SEG.LEN of RFC 9293).
    pub(crate) fn numbers(&self) -> usize {
        let marks = [Flags::SYN, Flags::FIN].map(|flag| usize::from(self.flags.has(flag)));
        self.length as usize + marks[0] + marks[1]
    }

    pub(crate) fn nanos(&self) -> u64 {
        self.time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A connection that is watched.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    ends: Ends,
    judge: judge::Judge,
    number: u32,
}

impl Watch {
    /// Takes the next segment. What is unusual about it is handed to `found`: of a damaged one nothing, for nobody took it.
    pub fn observe(&mut self, seen: &Seen, found: impl FnMut(Finding)) {
        if seen.fate != Fate::Lost || seen.is_at_sender {
            self.judge.observe(seen, self.number, found);
        }
        self.ends.observe(seen);
        self.number = self.number.saturating_add(1);
    }

    /// How the two ends stand.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }
}
