//! What the fragments of one packet have in common: RFC 6864 (IPv4), RFC 7739 (IPv6).

use std::hash::Hasher;
use std::net::IpAddr;

use framewise_core::Rng;
use siphasher::sip::SipHasher13;

const COUNTERS: usize = 256;

/// Counters that begin anywhere. Which one a flow uses depends on a secret, so that nobody can count another's
/// packets by looking at their own, and one flow's numbers don't repeat before all were used.
#[derive(Debug)]
pub(crate) struct Identification {
    key: (u64, u64),
    counters: Vec<u32>,
}

impl Identification {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Identification {
            key: (rng.next_u64(), rng.next_u64()),
            counters: (0..COUNTERS).map(|_| rng.next_u32()).collect(),
        }
    }

    /// The next number for packets from `source` to `destination`.
    pub(crate) fn next(&mut self, source: IpAddr, destination: IpAddr) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        for address in [source, destination] {
            match address {
                IpAddr::V4(address) => hasher.write_u32(address.into()),
                IpAddr::V6(address) => hasher.write_u128(address.into()),
            }
        }
        let index = hasher.finish() as usize % COUNTERS;
        let Some(counter) = self.counters.get_mut(index) else {
            return 0;
        };
        *counter = counter.wrapping_add(1);
        *counter
    }
}
