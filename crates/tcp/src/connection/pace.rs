//! How fast a peer takes what is sent to it.
//!
//! A closed window may stay closed: TCP itself asks for ever whether it has opened (RFC 9293, section 3.8.6.1), and
//! whoever keeps many windows nearly closed keeps much of a server's memory. Whether that is an attack, TCP can't know; a
//! server may decide it, and TCP then ends the connection (RFC 6429).

use framewise_core::Instant;

use super::Connection;
use crate::config::Config;

/// A period over which a peer is measured: since when, and how many bytes it has acknowledged in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    since: Instant,
    taken: u32,
}

impl Connection {
    /// Counts what a peer took while something waits for it.
    pub(super) fn note_pace(&mut self, waits: bool, taken: u32, now: Instant) {
        self.pace = waits.then(|| match self.pace {
            Some(pace) => Pace { taken: pace.taken.saturating_add(taken), ..pace },
            None => Pace { since: now, taken: 0 },
        });
    }

    /// When the period is over.
    pub(super) fn pace_deadline(&self, config: &Config) -> Option<Instant> {
        Some(self.pace?.since + config.least_pace?.period)
    }

    /// Whether the period is over and the peer took too little in it. Another one begins.
    pub(super) fn is_too_slow(&mut self, config: &Config, now: Instant) -> bool {
        let (Some(pace), Some(least)) = (self.pace, config.least_pace) else { return false };
        if now < pace.since + least.period {
            return false;
        }
        self.pace = Some(Pace { since: now, taken: 0 });
        pace.taken < least.bytes
    }
}
