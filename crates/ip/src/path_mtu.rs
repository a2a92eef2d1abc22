//! The largest packet that gets through to a destination: RFC 1191 (IPv4), RFC 8201 (IPv6), RFC 5927 section 7 (forged
//! reports).
//!
//! Whose packet was too big decides who remembers it. A segment of TCP's says by its sequence number whether a report
//! can be true, which only TCP can tell: it keeps the path's MTU for that connection, and nothing is kept here. A
//! datagram over IPv4 may be split by any router, so that no report about one is true. That leaves datagrams over IPv6,
//! which are split at the source: by what is kept here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use framewise_core::Instant;

use crate::ipv6;

/// What a router says below this for IPv4 is not believed: every host takes packets of 576 bytes (RFC 791), and
/// a forger could otherwise cut our traffic into crumbs.
const IPV4_FLOOR: usize = 576;

/// After this time a larger packet is tried again (RFC 8201 section 5.3).
const LIFETIME: Duration = Duration::from_secs(600);

/// Usual MTUs, for routers too old to say theirs (RFC 1191, section 7.1).
const PLATEAUS: [usize; 8] = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, IPV4_FLOOR];

/// A router says that a packet of ours of `length` bytes was too big, and that `reported` bytes are not (0: it doesn't
/// say), where `current` bytes were allowed so far. Gives the MTU to use from now on, or `None` for what can't be true
/// or changes nothing.
pub(crate) fn plausible(
    destination: IpAddr,
    length: usize,
    reported: usize,
    current: usize,
) -> Option<usize> {
    let mtu = match (destination, reported) {
        (IpAddr::V4(_), 0) => PLATEAUS.into_iter().find(|plateau| *plateau < length)?,
        (IpAddr::V4(_), _) => reported.max(IPV4_FLOOR),
        // RFC 8201 section 4: a report below the minimum is discarded.
        (IpAddr::V6(_), ..ipv6::MINIMUM_MTU) => return None,
        (IpAddr::V6(_), _) => reported,
    };
    // We never send more than the path took so far, and who is told "too big" sent more than that.
    (mtu < length && length <= current).then_some(mtu)
}

/// The paths that are narrower than our own link, for datagrams over IPv6.
#[derive(Debug)]
pub(crate) struct PathMtus {
    paths: BTreeMap<Ipv6Addr, PathMtu>,
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct PathMtu {
    mtu: usize,
    expires: Instant,
}

impl PathMtus {
    pub(crate) fn new(limit: usize) -> Self {
        PathMtus { paths: BTreeMap::new(), limit }
    }

    /// How much gets through to `destination` from a link that takes `link` bytes.
    pub(crate) fn lookup(&self, destination: Ipv6Addr, link: usize, now: Instant) -> usize {
        let known = self.paths.get(&destination).filter(|path| now < path.expires);
        known.map_or(link, |path| path.mtu.min(link))
    }

    /// For ten minutes no more than `mtu` bytes are sent to `destination`.
    pub(crate) fn remember(&mut self, destination: Ipv6Addr, mtu: usize, now: Instant) {
        if self.paths.len() >= self.limit && !self.paths.contains_key(&destination) {
            let oldest = self.paths.iter().min_by_key(|(_, path)| path.expires);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.paths.remove(&oldest);
            }
        }
        self.paths.insert(destination, PathMtu { mtu, expires: now + LIFETIME });
    }
}
