//! When to send again, sooner than the engine would.
//!
//! Read RFC 6298 sections 2 to 5 before changing this file. The engine follows it to the letter: never before a second, and
//! a timeout that has grown stays so until a segment that was sent once is acknowledged. On a link that loses every fifth
//! segment that seldom happens. Hosts in the world do as here: at least 200 ms, and back to the measured timeout as soon as anything new
//! is acknowledged.

use std::time::Duration;

use framewise_core::Instant;

use crate::sequence::SeqNumber;

const INITIAL: Duration = Duration::from_secs(1);
const LEAST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(60);

/// One connection's retransmission timer.
#[derive(Debug, Default)]
pub(crate) struct RetransmissionTimer {
    /// Smoothed round-trip time and its variation.
    measured: Option<(Duration, Duration)>,
    /// The end of a segment sent once, and when: its acknowledgment will be a measurement.
    timed: Option<(SeqNumber, Instant)>,
    timeouts: u32,
    expires: Option<Instant>,
}

impl RetransmissionTimer {
    /// Something that takes up sequence numbers up to `end` was sent; `again` if not for the first time.
    pub(crate) fn sent(&mut self, end: SeqNumber, again: bool, now: Instant) {
        self.measure_from(end, again, now);
        // The engine's own timer may be set alike and expire a moment sooner. Shortly before its time, sent again
        // is as good as expired: else this timer would send it twice, and not double (section 5, (5.5)).
        let nearly_expired = self.expires.is_some_and(|at| at <= now + self.timeout() / 2);
        if again && nearly_expired {
            self.timeouts = self.timeouts.saturating_add(1);
        }
        if again || self.expires.is_none() {
            self.expires = Some(now + self.timeout());
        }
    }

    /// The same of a SYN. Sending that again is left to the engine; its acknowledgment is the first measurement.
    pub(crate) fn sent_syn(&mut self, end: SeqNumber, again: bool, now: Instant) {
        self.measure_from(end, again, now);
    }

    fn measure_from(&mut self, end: SeqNumber, again: bool, now: Instant) {
        if again {
            // Karn's rule (section 3): whose acknowledgment it would be, nobody could tell.
            self.timed = None;
        } else if self.timed.is_none() {
            self.timed = Some((end, now));
        }
    }

    /// Everything before `to` was acknowledged, some of it just now; `more` if something is left.
    pub(crate) fn acknowledged(&mut self, to: SeqNumber, more: bool, now: Instant) {
        if let Some((end, sent)) = self.timed
            && !to.is_before(end)
        {
            self.measure(now.saturating_since(sent));
            self.timed = None;
        }
        self.timeouts = 0;
        self.expires = more.then(|| now + self.timeout());
    }

    /// Whether it is time to send again; the next time is twice as far.
    pub(crate) fn take_expired(&mut self, now: Instant) -> bool {
        let expired = self.expires.is_some_and(|at| at <= now);
        if expired {
            self.timeouts = self.timeouts.saturating_add(1);
            self.timed = None;
            self.expires = Some(now + self.timeout());
        }
        expired
    }

    /// When it will be time to send again.
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Section 2, (2.2) and (2.3).
    fn measure(&mut self, round_trip: Duration) {
        self.measured = Some(match self.measured {
            None => (round_trip, round_trip / 2),
            Some((smoothed, variation)) => {
                ((smoothed * 7 + round_trip) / 8, (variation * 3 + smoothed.abs_diff(round_trip)) / 4)
            }
        });
    }

    fn timeout(&self) -> Duration {
        let once =
            self.measured.map_or(INITIAL, |(smoothed, variation)| (smoothed + variation * 4).max(LEAST));
        once.saturating_mul(1 << self.timeouts.min(16)).min(MOST)
    }
}
