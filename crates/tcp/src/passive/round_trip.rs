//! How long a segment and its acknowledgment take, measured as RFC 6298 has a sender do it.

use std::time::Duration;

use crate::sequence::SeqNumber;

/// What was measured so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrip {
    /// The last measurement.
    pub last: Duration,
    /// Smoothed: SRTT.
    pub smoothed: Duration,
    /// How much it varies: RTTVAR.
    pub variation: Duration,
}

impl RoundTrip {
    /// With one measurement more (RFC 6298, section 2).
    fn with(before: Option<RoundTrip>, last: Duration) -> RoundTrip {
        match before {
            None => RoundTrip { last, smoothed: last, variation: last / 2 },
            Some(RoundTrip { smoothed, variation, .. }) => RoundTrip {
                last,
                smoothed: smoothed * 7 / 8 + last / 8,
                variation: variation * 3 / 4 + smoothed.abs_diff(last) / 4,
            },
        }
    }
}

/// Times one segment after the other: never one that was sent twice, for nobody knows which of the two an acknowledgment is
/// for (RFC 6298, section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stopwatch {
    running: Option<(SeqNumber, Duration)>,
    pub(super) measured: Option<RoundTrip>,
}

impl Stopwatch {
    /// Numbers up to `end` are sent, for the first time or again.
    pub(super) fn sent(&mut self, end: SeqNumber, now: Option<Duration>, is_new: bool) {
        match (is_new, self.running) {
            (true, None) => self.running = now.map(|now| (end, now)),
            (true, Some(_)) => {}
            (false, _) => self.running = None,
        }
    }

    /// All before `number` is acknowledged.
    pub(super) fn acknowledged(&mut self, number: SeqNumber, now: Option<Duration>) {
        let Some((_, began)) = self.running.filter(|(end, _)| !number.is_before(*end)) else { return };
        self.running = None;
        let took = now.and_then(|now| now.checked_sub(began));
        self.measured = took.map(|took| RoundTrip::with(self.measured, took)).or(self.measured);
    }
}
