//! The largest packet that gets through to a destination: RFC 1191 (IPv4), RFC 8201 (IPv6).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use framewise_core::Instant;

use crate::ipv6;

/// What a router says below this for IPv4 is not believed: every host takes packets of 576 bytes (RFC 791), and
/// a forger could otherwise cut our traffic into crumbs. Such a path gets packets that routers may split.
pub(crate) const IPV4_FLOOR: usize = 576;

/// After this time a larger packet is tried again (RFC 1191 section 6.3, RFC 8201 section 5.3).
const LIFETIME: Duration = Duration::from_secs(600);

/// Usual MTUs, for routers too old to say theirs (RFC 1191, section 7.1).
const PLATEAUS: [usize; 8] = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, IPV4_FLOOR];

/// What is known about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathMtu {
    pub(crate) mtu: usize,
    /// A link on the way takes even less than we go down to: leave splitting to the routers.
    pub(crate) below_floor: bool,
    expires: Instant,
}

/// The paths that are narrower than our own link.
#[derive(Debug)]
pub(crate) struct PathMtus {
    paths: BTreeMap<IpAddr, PathMtu>,
    limit: usize,
}

impl PathMtus {
    pub(crate) fn new(limit: usize) -> Self {
        PathMtus { paths: BTreeMap::new(), limit }
    }

    /// What is known about the path to `destination`, if it is narrower than the link.
    pub(crate) fn lookup(&self, destination: IpAddr, now: Instant) -> Option<PathMtu> {
        if self.paths.is_empty() {
            return None;
        }
        self.paths.get(&destination).copied().filter(|path| now < path.expires)
    }

    /// A router says that a packet of ours of `length` bytes was too big, and that `reported` bytes are not
    /// (0: it doesn't say). Gives the MTU to use from now on, or `None` for what can't be true or changes nothing.
    pub(crate) fn narrow(
        &mut self,
        destination: IpAddr,
        length: usize,
        reported: usize,
        current: usize,
        now: Instant,
    ) -> Option<usize> {
        let reported = match reported {
            0 if destination.is_ipv4() => PLATEAUS.into_iter().find(|plateau| *plateau < length)?,
            _ => reported,
        };
        let floor = if destination.is_ipv4() { IPV4_FLOOR } else { ipv6::MINIMUM_MTU };
        let below_floor = reported < floor;
        // RFC 8201 section 4: a report below the minimum is discarded.
        if below_floor && destination.is_ipv6() {
            return None;
        }
        // We never send more than the path took so far, and who is told "too big" sent more than that.
        if length > current || reported >= length {
            return None;
        }
        let mtu = reported.max(floor).min(current);
        self.remember(destination, PathMtu { mtu, below_floor, expires: now + LIFETIME });
        Some(mtu)
    }

    fn remember(&mut self, destination: IpAddr, path: PathMtu) {
        if self.paths.len() >= self.limit && !self.paths.contains_key(&destination) {
            let oldest = self.paths.iter().min_by_key(|(_, path)| path.expires);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.paths.remove(&oldest);
            }
        }
        self.paths.insert(destination, path);
    }
}
