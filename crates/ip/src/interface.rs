//! The host's interfaces and their addresses: RFC 4291 section 2.8 (which groups a node listens to),
//! RFC 4862 section 5.4 with RFC 4429 (addresses that are being asked for), RFC 6724 (which source address).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::buf::InterfaceId;
use framewise_core::{Instant, MacAddr};

use crate::cidr::{Cidr, common_prefix};
use crate::config::InterfaceConfig;
use crate::{ipv4, ipv6};

#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) id: InterfaceId,
    pub(crate) mac: MacAddr,
    mtu: usize,
    /// What a router said of the link (RFC 4861, section 4.6.4).
    pub(crate) advertised_mtu: Option<usize>,
    pub(crate) addresses: Vec<Address>,
}

#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) cidr: Cidr,
    pub(crate) state: State,
    /// Of an address made from a router's prefix.
    pub(crate) lifetime: Option<Lifetime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Ours.
    Assigned,
    /// Ours unless somebody objects until then; used with care (RFC 4429).
    Optimistic { until: Instant },
    /// Another station has it: we don't use it.
    Duplicate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) preferred_until: Instant,
    pub(crate) valid_until: Instant,
}

impl Address {
    pub(crate) fn assigned(cidr: Cidr) -> Self {
        Address { cidr, state: State::Assigned, lifetime: None }
    }

    fn is_usable(&self) -> bool {
        self.state != State::Duplicate
    }

    fn is_deprecated(&self, now: Instant) -> bool {
        self.lifetime.is_some_and(|lifetime| lifetime.preferred_until <= now)
    }
}

impl Interface {
    pub(crate) fn new(id: InterfaceId, config: &InterfaceConfig) -> Self {
        let mut addresses: Vec<Address> = config.addresses.iter().copied().map(Address::assigned).collect();
        let link_local = IpAddr::V6(ipv6::link_local(config.mac));
        let has_ipv6 = config.mtu >= ipv6::MINIMUM_MTU;
        addresses.retain(|address| has_ipv6 || address.cidr.address.is_ipv4());
        if has_ipv6 && !addresses.iter().any(|address| address.cidr.address == link_local) {
            addresses.push(Address::assigned(Cidr::new(link_local, 64)));
        }
        Interface {
            id,
            mac: config.mac,
            mtu: config.mtu.max(ipv4::MINIMUM_MTU),
            advertised_mtu: None,
            addresses,
        }
    }

    /// Bytes of the largest packet of the same IP version as `address`.
    pub(crate) fn mtu_for(&self, address: IpAddr) -> usize {
        match self.advertised_mtu {
            Some(mtu) if address.is_ipv6() => mtu.min(self.mtu),
            _ => self.mtu,
        }
    }

    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    /// Whether this address is in use here.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.cidr.address == address && own.is_usable())
    }

    pub(crate) fn address_mut(&mut self, address: Ipv6Addr) -> Option<&mut Address> {
        self.addresses.iter_mut().find(|own| own.cidr.address == IpAddr::V6(address))
    }

    /// Whether this address means everybody on this link (RFC 919).
    pub(crate) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast() || self.addresses.iter().any(|own| own.cidr.broadcast() == Some(address))
    }

    /// Whether we listen to this group here.
    pub(crate) fn listens_to(&self, group: IpAddr, router: bool) -> bool {
        match group {
            IpAddr::V4(group) => group == Ipv4Addr::new(224, 0, 0, 1),
            IpAddr::V6(ipv6::ALL_NODES) => true,
            IpAddr::V6(ipv6::ALL_ROUTERS) => router,
            IpAddr::V6(group) => self
                .addresses
                .iter()
                .any(|own| matches!(own.cidr.address, IpAddr::V6(own) if ipv6::solicited_node(own) == group)),
        }
    }

    /// Our address for what goes to `destination` by the router or neighbour `next`; RFC 6724 section 5, of its
    /// rules the first ones: the same address, the scope, deprecated ones last, the longest common prefix.
    pub(crate) fn source_for(&self, destination: IpAddr, next: IpAddr, now: Instant) -> Option<IpAddr> {
        let link_local = is_link_local_scope(destination);
        let fits = |own: &&Address| {
            own.is_usable()
                && own.cidr.address.is_ipv4() == destination.is_ipv4()
                && (link_local || !is_link_local_v6(own.cidr.address))
        };
        let rank = |own: &Address| {
            let address = own.cidr.address;
            (
                address == destination,
                is_link_local_v6(address) == link_local,
                !own.is_deprecated(now),
                own.state == State::Assigned,
                own.cidr.contains(next),
                common_prefix(address, destination),
            )
        };
        // Of equals the first one: `max_by_key` would give the last.
        let best = self.addresses.iter().filter(fits).rev().max_by_key(|own| rank(own));
        best.map(|own| own.cidr.address)
    }

    /// An address from which NDP may ask for `target`: not one that is only hoped for (RFC 4429, section 3.3).
    pub(crate) fn solicitation_source(&self, target: Ipv6Addr, now: Instant) -> Option<Ipv6Addr> {
        let best = self.source_for(target.into(), target.into(), now);
        let settled = |address: IpAddr| {
            let mut own = self.addresses.iter();
            own.any(|own| own.cidr.address == address && own.state == State::Assigned)
        };
        let fallback = self.addresses.iter().map(|own| own.cidr.address).filter(|own| own.is_ipv6());
        best.into_iter().chain(fallback).filter(|own| settled(*own)).find_map(|own| match own {
            IpAddr::V6(own) => Some(own),
            IpAddr::V4(_) => None,
        })
    }
}

/// An IPv6 address that means something on its own link only.
pub(crate) fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// A destination, one or many, on the link only (RFC 4291, section 2.7 gives a group's scope).
fn is_link_local_scope(destination: IpAddr) -> bool {
    match destination {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || (address.is_multicast() && address.segments()[0] & 0x0f <= 2)
        }
    }
}
