//! Sequence numbers, and where a connection's own begin.
//!
//! Read RFC 9293 section 3.4 (sequence numbers, comparison modulo 2³²) and RFC 6528 (initial sequence numbers that
//! nobody off the path can guess) before changing this file.

use std::fmt;
use std::hash::Hasher;

use framewise_core::{Instant, Rng};
use siphasher::sip::SipHasher24;

use crate::flows::FlowKey;

/// A place in a stream of bytes, counted modulo 2³².
///
/// ```
/// use framewise_tcp::SeqNumber;
/// let before_the_wrap = SeqNumber(u32::MAX);
/// assert_eq!(before_the_wrap.plus(2), SeqNumber(1));
/// assert!(before_the_wrap.is_before(SeqNumber(1)));
/// assert_eq!(SeqNumber(1).since(before_the_wrap), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// The place `bytes` further on.
    pub fn plus(self, bytes: usize) -> Self {
        SeqNumber(self.0.wrapping_add(bytes as u32))
    }

    /// The place `bytes` further back.
    pub fn minus(self, bytes: usize) -> Self {
        SeqNumber(self.0.wrapping_sub(bytes as u32))
    }

    /// How far this is beyond `earlier`; negative if it is before.
    pub fn since(self, earlier: SeqNumber) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// Whether this comes before `other`.
    pub fn is_before(self, other: SeqNumber) -> bool {
        self.since(other) < 0
    }

    /// Whichever of the two is further on.
    pub fn later(self, other: SeqNumber) -> Self {
        if self.is_before(other) { other } else { self }
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where each connection's own sequence numbers begin (RFC 6528, section 3): a clock that ticks every four
/// microseconds, plus a keyed hash of the four-tuple.
///
/// The engine numbers every connection alike from a constant; what this gives is added to the numbers on their way
/// out and taken off acknowledgments on their way in.
#[derive(Clone, Debug)]
pub(crate) struct InitialSequence {
    secret: [u8; 16],
}

impl InitialSequence {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        InitialSequence { secret: rng.bytes() }
    }

    /// What is added to the engine's numbers for the connection `flow` that begins now.
    pub(crate) fn offset(&self, flow: &FlowKey, now: Instant) -> u32 {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        std::hash::Hash::hash(flow, &mut hasher);
        let clock = (now.as_micros() / 4) as u32;
        (hasher.finish() as u32).wrapping_add(clock)
    }
}
