//! SYN cookies: a handshake of which nothing is kept until its third segment.
//!
//! Read RFC 4987 sections 3.6 (SYN cookies) and 4 (what they cost) before changing this file.
//!
//! When a backlog is full, a SYN is answered without keeping anything about it. What would have been kept is in the answer's
//! sequence number, under a keyed hash, and comes back by the peer's acknowledgment:
//!
//! ```text
//!   31        30 .. 28       27 .. 0
//!   period's  maximum        keyed hash of flow, the peer's sequence number,
//!   last bit  segment size   period and segment size
//! ```
//!
//! What does not fit is lost: a connection that begins so has no scaled windows. So they are a means for floods alone.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use framewise_core::{Instant, Rng};
use siphasher::sip::SipHasher24;

use crate::flows::FlowKey;
use crate::sequence::SeqNumber;

/// The sizes that a cookie can tell; the next smaller one is taken.
const SEGMENT_SIZES: [u16; 8] = [48, 216, 536, 1_220, 1_440, 1_460, 4_312, 8_960];
/// For how long a cookie is made in the same way. It is taken in the next period, too.
const PERIOD: Duration = Duration::from_secs(64);
/// The part of the number that is hash.
const HASH: u32 = (1 << 28) - 1;

/// Makes cookies, and knows its own again.
#[derive(Debug)]
pub(crate) struct Cookies {
    secret: [u8; 16],
    /// The period of the last one that was made. Without any, none is believed.
    last: Option<u32>,
}

impl Cookies {
    /// Draws its secret without taking anything from `rng`.
    pub(crate) fn new(rng: &Rng) -> Self {
        Cookies { secret: rng.fork("syn cookies").bytes(), last: None }
    }

    /// Our sequence number in the answer to a SYN.
    pub(crate) fn make(
        &mut self,
        flow: &FlowKey,
        peers: SeqNumber,
        segment_size: u16,
        now: Instant,
    ) -> SeqNumber {
        let period = period(now);
        self.last = Some(period);
        let size = SEGMENT_SIZES.iter().rposition(|&size| size <= segment_size).unwrap_or(0);
        self.cookie(flow, peers, size, period)
    }

    /// The segment size that the peer told in its SYN, if `cookie` is the answer that it got.
    pub(crate) fn check(
        &self,
        flow: &FlowKey,
        peers: SeqNumber,
        cookie: SeqNumber,
        now: Instant,
    ) -> Option<u16> {
        let period = period(now);
        let made = [period, period.wrapping_sub(1)].into_iter().find(|made| made & 1 == cookie.0 >> 31)?;
        let was_made = self.last.is_some_and(|last| last.wrapping_sub(made) <= 1);
        let size = (cookie.0 >> 28 & 7) as usize;
        (was_made && self.cookie(flow, peers, size, made) == cookie).then(|| SEGMENT_SIZES[size])
    }

    fn cookie(&self, flow: &FlowKey, peers: SeqNumber, size: usize, period: u32) -> SeqNumber {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        flow.hash(&mut hasher);
        (peers.0, size, period).hash(&mut hasher);
        SeqNumber((period & 1) << 31 | (size as u32) << 28 | hasher.finish() as u32 & HASH)
    }
}

fn period(now: Instant) -> u32 {
    (now.as_micros() / PERIOD.as_micros() as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> FlowKey {
        FlowKey::new(([192, 0, 2, 1], 80).into(), ([198, 51, 100, 7], port).into())
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_cookie_tells_the_segment_size_for_a_while() {
        for (told, kept) in
            [(100, 48), (535, 216), (536, 536), (1_459, 1_440), (1_460, 1_460), (65_535, 8_960)]
        {
            let mut cookies = Cookies::new(&Rng::from_seed(1));
            let cookie = cookies.make(&flow(1), SeqNumber(7), told, at(100));
            assert_eq!(cookies.check(&flow(1), SeqNumber(7), cookie, at(100)), Some(kept));
            assert_eq!(cookies.check(&flow(1), SeqNumber(7), cookie, at(164)), Some(kept));
            assert_eq!(cookies.check(&flow(1), SeqNumber(7), cookie, at(192)), None, "too old");
            assert_eq!(cookies.check(&flow(1), SeqNumber(7), cookie, at(230)), None, "far too old");
        }
    }

    #[test]
    fn a_cookie_is_of_one_connection() {
        let mut cookies = Cookies::new(&Rng::from_seed(1));
        let cookie = cookies.make(&flow(1), SeqNumber(7), 1_460, at(0));
        assert_eq!(cookies.check(&flow(2), SeqNumber(7), cookie, at(0)), None);
        assert_eq!(cookies.check(&flow(1), SeqNumber(8), cookie, at(0)), None);
        for bit in 0..32 {
            let other = SeqNumber(cookie.0 ^ 1 << bit);
            assert_eq!(cookies.check(&flow(1), SeqNumber(7), other, at(0)), None, "bit {bit}");
        }
    }

    #[test]
    fn while_none_are_made_none_are_believed() {
        let mut elsewhere = Cookies::new(&Rng::from_seed(1));
        let cookie = elsewhere.make(&flow(1), SeqNumber(7), 1_460, at(0));
        let cookies = Cookies::new(&Rng::from_seed(1));
        assert_eq!(cookies.check(&flow(1), SeqNumber(7), cookie, at(0)), None);
    }
}
