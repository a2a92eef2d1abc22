//! An address with the length of its network's prefix, as RFC 4632 section 3.1 writes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use thiserror::Error;

/// An address and how many of its first bits name the network: `192.0.2.10/24`.
///
/// ```
/// use framewise_ip::Cidr;
/// let home: Cidr = "192.0.2.10/24".parse()?;
/// assert!(home.contains("192.0.2.1".parse().unwrap()));
/// assert!(!home.contains("198.51.100.1".parse().unwrap()));
/// assert_eq!(home.network().to_string(), "192.0.2.0/24");
/// # Ok::<(), framewise_ip::cidr::ParseCidrError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// How many of its bits name the network. More than the address has counts as all of them.
    pub prefix: u8,
}

/// Why a text is no [`Cidr`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseCidrError {
    /// There is no slash.
    #[error("{found:?} lacks the prefix length: write it like 192.0.2.10/24")]
    NoPrefix {
        /// The text.
        found: String,
    },
    /// What stands before the slash is no address.
    #[error("{found:?} is no IP address")]
    Address {
        /// What stands there.
        found: String,
    },
    /// What stands after the slash is no length.
    #[error("the prefix length {found:?} must be a number from 0 to {limit}")]
    Prefix {
        /// What stands there.
        found: String,
        /// The largest that this IP version has.
        limit: u8,
    },
}

/// Why a [`Cidr`]'s address can't be a host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAHost {
    /// `0.0.0.0/8` and `::`.
    #[error("{0} is nobody's address (RFC 1122, section 3.2.1.3)")]
    Nobody(IpAddr),
    /// `127.0.0.0/8` and `::1`.
    #[error("{0} never leaves a computer (RFC 1122, section 3.2.1.3)")]
    Loopback(IpAddr),
    /// A multicast address, or one of the reserved ones above.
    #[error("{0} is a group's address, or reserved: no host has it as its own (RFC 1112, section 4)")]
    Group(IpAddr),
    /// The first address of an IPv4 network.
    #[error("{0} names the network itself; hosts come after it (RFC 1122, section 3.2.1.3)")]
    Network(IpAddr),
    /// The last address of an IPv4 network.
    #[error("{0} means everybody in its network; hosts come before it (RFC 919)")]
    Broadcast(IpAddr),
}

impl Cidr {
    /// Itself, where a host can have the address as its own.
    ///
    /// ```
    /// use framewise_ip::Cidr;
    /// let host: Cidr = "192.0.2.10/24".parse()?;
    /// assert!(host.of_a_host().is_ok());
    /// let network: Cidr = "192.0.2.0/24".parse()?;
    /// assert!(network.of_a_host().is_err());
    /// # Ok::<(), framewise_ip::cidr::ParseCidrError>(())
    /// ```
    ///
    /// # Errors
    /// It is an address of another kind.
    pub fn of_a_host(self) -> Result<Self, NotAHost> {
        let address = self.address;
        if address.is_loopback() {
            return Err(NotAHost::Loopback(address));
        }
        if address.is_multicast() {
            return Err(NotAHost::Group(address));
        }
        match address {
            IpAddr::V4(v4) if v4.octets()[0] == 0 => Err(NotAHost::Nobody(address)),
            IpAddr::V4(v4) if v4.octets()[0] >= 240 => Err(NotAHost::Group(address)),
            IpAddr::V4(v4) if self.broadcast() == Some(v4) => Err(NotAHost::Broadcast(address)),
            IpAddr::V4(_) if self.broadcast().is_some() && self.network().address == address => {
                Err(NotAHost::Network(address))
            }
            IpAddr::V6(v6) if v6.is_unspecified() => Err(NotAHost::Nobody(address)),
            _ => Ok(self),
        }
    }

    /// This address, with so many bits that name the network.
    pub const fn new(address: IpAddr, prefix: u8) -> Self {
        Cidr { address, prefix }
    }

    /// Whether `address` is in the same network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && masked(self.address, self.prefix) == masked(address, self.prefix)
    }

    /// The network itself: all bits after the prefix 0.
    pub fn network(&self) -> Cidr {
        let bits = masked(self.address, self.prefix);
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4(((bits >> 96) as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(bits.into()),
        };
        Cidr { address, prefix: self.prefix.min(width(address)) }
    }

    /// The address that means everybody in this IPv4 network (RFC 919). Networks of one or two addresses
    /// have none (RFC 3021).
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let IpAddr::V4(address) = self.address else {
            return None;
        };
        let host_bits = 32u32.checked_sub(u32::from(self.prefix))?;
        if host_bits < 2 {
            return None;
        }
        let hosts = u32::MAX.checked_shr(u32::from(self.prefix)).unwrap_or(0);
        Some((u32::from(address) | hosts).into())
    }
}

/// How many bits an address of this version has.
pub(crate) fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address's bits, the first one leftmost, whatever the version.
pub(crate) fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The address's first `prefix` bits, the others 0.
pub(crate) fn masked(address: IpAddr, prefix: u8) -> u128 {
    let prefix = u32::from(prefix.min(width(address)));
    let hosts = u128::MAX.checked_shr(prefix).unwrap_or(0);
    bits(address) & !hosts
}

/// How many of the first bits of two addresses are the same.
pub(crate) fn common_prefix(a: IpAddr, b: IpAddr) -> u32 {
    (bits(a) ^ bits(b)).leading_zeros().min(u32::from(width(a)))
}

impl FromStr for Cidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Self, ParseCidrError> {
        let (address, prefix) =
            text.split_once('/').ok_or_else(|| ParseCidrError::NoPrefix { found: text.to_owned() })?;
        let address: IpAddr =
            address.parse().map_err(|_| ParseCidrError::Address { found: address.to_owned() })?;
        let limit = width(address);
        let wrong = || ParseCidrError::Prefix { found: prefix.to_owned(), limit };
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let length: u8 = prefix.parse().map_err(|_| wrong())?;
        if !digits || length > limit {
            return Err(wrong());
        }
        Ok(Cidr { address, prefix: length })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
