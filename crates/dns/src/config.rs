//! What a DNS layer is built with.

use std::net::IpAddr;
use std::time::Duration;

use crate::record::Kind;
use crate::zone::Zone;

/// Whom to ask, what to answer, and how long and how much of everything.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name servers to ask, in this order. None: only what needs no asking is answered.
    pub servers: Vec<IpAddr>,
    /// The zone to answer for, on port 53. None: nobody is answered.
    pub zone: Option<Zone>,
    /// Whose addresses come first where a name has both kinds.
    pub prefer: Family,
    /// How long to wait for each server, one entry for each round through all of them.
    pub timeouts: Vec<Duration>,
    /// How long to wait for the addresses of the other family once those of one are there (RFC 8305 section 3).
    pub other_family: Duration,
    /// How much is held at most.
    pub limits: Limits,
}

impl Default for Config {
    /// Nobody to ask, nothing to answer; IPv4 first; rounds of 1, 2, 4, 4 and 4 seconds.
    fn default() -> Self {
        Config {
            servers: Vec::new(),
            zone: None,
            prefer: Family::Ipv4,
            timeouts: [1, 2, 4, 4, 4].map(Duration::from_secs).to_vec(),
            other_family: Duration::from_millis(50),
            limits: Limits::default(),
        }
    }
}

/// How much a DNS layer holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Names looked up at a time. Whoever asks for one more is told that it is too many.
    pub lookups: usize,
    /// Answers remembered.
    pub cached: usize,
    /// How long an answer is remembered, whatever the server says.
    pub ttl: Duration,
    /// How long it is remembered that something is not there (RFC 2308 section 5).
    pub negative_ttl: Duration,
    /// How many aliases (CNAME) are followed from name to name.
    pub aliases: usize,
    /// How many addresses of one family are kept of an answer.
    pub addresses: usize,
    /// How many answers of our own server wait to leave.
    pub responses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lookups: 64,
            cached: 1_024,
            ttl: Duration::from_secs(86_400),
            negative_ttl: Duration::from_secs(3 * 3_600),
            aliases: 8,
            addresses: 16,
            responses: 64,
        }
    }
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4, asked for by A.
    Ipv4,
    /// IPv6, asked for by AAAA.
    Ipv6,
}

impl Family {
    /// Both.
    pub const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The kind of record that holds such an address.
    pub fn kind(self) -> Kind {
        match self {
            Family::Ipv4 => Kind::A,
            Family::Ipv6 => Kind::Aaaa,
        }
    }
}
