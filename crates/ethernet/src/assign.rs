//! Addresses for stations that no manufacturer gave one.
//!
//! Read first: IEEE 802c-2017 (the structured local address plan), RFC 8948 section 1, RFC 9542 section 2.1.

use std::collections::BTreeSet;

use framewise_core::{MacAddr, Rng};

/// Hands out locally administered addresses, never one twice and never one that is known to be taken.
///
/// All are in the quadrant for administrators (the second hexadecimal digit is 2), where no manufacturer's
/// address and no protocol's can be.
///
/// ```
/// use framewise_ethernet::MacAllocator;
/// let mut addresses = MacAllocator::counting();
/// addresses.reserve("02:00:00:00:00:02".parse()?);
/// assert_eq!(addresses.assign().to_string(), "02:00:00:00:00:01");
/// assert_eq!(addresses.assign().to_string(), "02:00:00:00:00:03");
/// # Ok::<(), framewise_core::mac::ParseMacError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MacAllocator {
    origin: Origin,
    taken: BTreeSet<MacAddr>,
}

/// Where the next candidate comes from.
#[derive(Clone, Debug)]
enum Origin {
    Counting(u64),
    Random(Box<Rng>),
}

impl MacAllocator {
    /// Counts from `02:00:00:00:00:01`: addresses that a person can tell apart, for a link of our own.
    pub fn counting() -> Self {
        MacAllocator::from(Origin::Counting(0))
    }

    /// Draws addresses, for a link that others assign addresses on as well.
    pub fn random(rng: Rng) -> Self {
        MacAllocator::from(Origin::Random(Box::new(rng)))
    }

    fn from(origin: Origin) -> Self {
        MacAllocator { origin, taken: BTreeSet::new() }
    }

    /// Never hands out `mac`: it was seen on the link, or configured. Tells whether it was still free.
    pub fn reserve(&mut self, mac: MacAddr) -> bool {
        self.taken.insert(mac)
    }

    /// An address that nobody has.
    pub fn assign(&mut self) -> MacAddr {
        loop {
            let candidate = self.origin.candidate();
            if self.taken.insert(candidate) {
                return candidate;
            }
        }
    }

    /// Gives back an address of a station that is gone.
    pub fn release(&mut self, mac: MacAddr) {
        self.taken.remove(&mac);
    }
}

impl Origin {
    fn candidate(&mut self) -> MacAddr {
        match self {
            Origin::Counting(count) => {
                // 40 bits of numbers, and number 0 left out, since it reads like no address.
                *count = *count % ((1 << 40) - 1) + 1;
                let [_, _, _, b, c, d, e, f] = count.to_be_bytes();
                MacAddr::new([0x02, b, c, d, e, f])
            }
            Origin::Random(rng) => {
                let [a, b, c, d, e, f] = rng.bytes();
                MacAddr::new([a & 0xf0 | 0x02, b, c, d, e, f])
            }
        }
    }
}
