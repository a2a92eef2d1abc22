//! What can be set.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Where a gateway's connections lead, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Connections at a time. One more is refused.
    pub max_connections: usize,
    /// Addresses of the wire that stand for others outside. An address that may not be on any wire, such as 127.0.0.1, is
    /// reached by such a name. All other addresses mean the same on both sides.
    pub aliases: BTreeMap<IpAddr, IpAddr>,
    /// Ways in: what comes from outside to the first leads to the second, inside. Nothing else leads in.
    pub forwards: BTreeMap<SocketAddr, SocketAddr>,
}

impl Default for Config {
    /// 1,024 connections, no aliases, no ways in.
    fn default() -> Self {
        Config { max_connections: 1_024, aliases: BTreeMap::new(), forwards: BTreeMap::new() }
    }
}

impl Config {
    /// Where a connection leads outside that was wanted for `wanted` on the wire.
    pub(crate) fn outside(&self, wanted: SocketAddr) -> SocketAddr {
        let address = self.aliases.get(&wanted.ip()).copied().unwrap_or(wanted.ip());
        SocketAddr::new(address, wanted.port())
    }

    /// Where a connection leads inside that came to `came_to` from outside, if anywhere.
    pub(crate) fn inside(&self, came_to: SocketAddr) -> Option<SocketAddr> {
        self.forwards.get(&came_to).copied()
    }
}
