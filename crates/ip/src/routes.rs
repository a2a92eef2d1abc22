//! Which way to an address: the route with the longest prefix (RFC 1812 section 5.2.4.3, RFC 4632 section 5.1).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use framewise_core::buf::InterfaceId;

use crate::cidr::{Cidr, masked};

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) interface: InterfaceId,
    /// The router; `None`: the destination is on the link.
    pub(crate) via: Option<IpAddr>,
    /// Learnt from a router rather than configured. What is configured goes first.
    pub(crate) learnt: bool,
}

/// All routes of a host. A look-up asks each prefix length in use once, the longest first: there are few of them
/// however many routes there are.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    ipv4: Table,
    ipv6: Table,
}

type Table = BTreeMap<Reverse<u8>, BTreeMap<u128, Vec<Way>>>;

impl Routes {
    /// Adds a way, behind those to the same network that are already there; one that is there stays as it is.
    pub(crate) fn insert(&mut self, network: Cidr, way: Way) {
        let network = network.network();
        let table = self.table_mut(network.address);
        let networks = table.entry(Reverse(network.prefix)).or_default();
        let ways = networks.entry(masked(network.address, network.prefix)).or_default();
        if !ways.contains(&way) {
            ways.push(way);
            ways.sort_by_key(|way| way.learnt);
        }
    }

    /// Takes a way out again.
    pub(crate) fn remove(&mut self, network: Cidr, way: Way) {
        let network = network.network();
        let key = masked(network.address, network.prefix);
        let table = self.table_mut(network.address);
        let Some(networks) = table.get_mut(&Reverse(network.prefix)) else {
            return;
        };
        if let Some(ways) = networks.get_mut(&key) {
            ways.retain(|known| *known != way);
        }
        networks.retain(|_, ways| !ways.is_empty());
        table.retain(|_, networks| !networks.is_empty());
    }

    /// The way to `destination`.
    pub(crate) fn lookup(&self, destination: IpAddr) -> Option<Way> {
        let table = match destination {
            IpAddr::V4(_) => &self.ipv4,
            IpAddr::V6(_) => &self.ipv6,
        };
        table.iter().find_map(|(Reverse(prefix), networks)| {
            networks.get(&masked(destination, *prefix))?.first().copied()
        })
    }

    fn table_mut(&mut self, address: IpAddr) -> &mut Table {
        match address {
            IpAddr::V4(_) => &mut self.ipv4,
            IpAddr::V6(_) => &mut self.ipv6,
        }
    }
}
