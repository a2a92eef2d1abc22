//! The address of a station on an Ethernet.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A 48-bit MAC address (IEEE 802-2014, clause 8), octets in the order in which they are sent.
///
/// ```
/// use framewise_core::MacAddr;
/// let mac: MacAddr = "02:00:00:00:00:01".parse()?;
/// assert!(mac.is_local() && !mac.is_multicast());
/// assert_eq!(mac.to_string(), "02:00:00:00:00:01");
/// # Ok::<(), framewise_core::mac::ParseMacError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// All stations: `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);
    /// No station: `00:00:00:00:00:00`, as an ARP request writes the address it asks for.
    pub const UNSPECIFIED: MacAddr = MacAddr([0; 6]);

    /// The address with these octets.
    pub const fn new(octets: [u8; 6]) -> Self {
        MacAddr(octets)
    }

    /// The octets in the order in which they are sent.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether this is the broadcast address.
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Whether the group (I/G) bit is set: a group of stations, broadcast included.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 0x01 != 0
    }

    /// Whether this names one station: neither a group nor unspecified.
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && self != Self::UNSPECIFIED
    }

    /// Whether the local (U/L) bit is set: assigned by an administrator rather than a manufacturer.
    pub const fn is_local(self) -> bool {
        self.0[0] & 0x02 != 0
    }
}

impl From<[u8; 6]> for MacAddr {
    fn from(octets: [u8; 6]) -> Self {
        MacAddr(octets)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no MAC address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseMacError {
    /// Not six groups.
    #[error("a MAC address has 6 groups of two hexadecimal digits, this has {found}")]
    GroupCount {
        /// How many groups there were.
        found: usize,
    },
    /// A group that is not two hexadecimal digits.
    #[error("group {index} of a MAC address must be two hexadecimal digits, not {found:?}")]
    Group {
        /// Which group, counted from 1.
        index: usize,
        /// What stood there.
        found: String,
    },
}

impl FromStr for MacAddr {
    type Err = ParseMacError;

    /// Six groups of two hexadecimal digits, between colons or hyphens.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let groups: Vec<&str> = text.split(separator).collect();
        if groups.len() != 6 {
            return Err(ParseMacError::GroupCount { found: groups.len() });
        }
        let mut octets = [0; 6];
        for (index, (octet, group)) in octets.iter_mut().zip(&groups).enumerate() {
            let hex = group.len() == 2 && group.bytes().all(|b| b.is_ascii_hexdigit());
            let wrong = || ParseMacError::Group { index: index + 1, found: (*group).to_owned() };
            *octet = u8::from_str_radix(group, 16).ok().filter(|_| hex).ok_or_else(wrong)?;
        }
        Ok(MacAddr(octets))
    }
}
