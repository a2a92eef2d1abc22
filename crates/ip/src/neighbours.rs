//! IPv6 neighbours: who has which address. RFC 4861 section 7.2 (resolution), RFC 4862 section 5.4 with RFC 4429
//! (is an address of ours free?).
//!
//! Ethernet keeps the table. A neighbour is known by its answer to a question of ours, or by its own question; what
//! nobody asked for changes nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::seams::packet::LinkControl;
use framewise_core::time::earliest;
use framewise_core::{Buf, Cx, Instant, MacAddr};

use crate::extension::ICMPV6;
use crate::interface::State;
use crate::ipv6;
use crate::layer::{Ip, LAYER};
use crate::ndp::{self, AdvertisementFlags, Envelope, Ndp};
use crate::outbound::Outgoing;
use crate::resolve::{Due, RETRANSMIT};

/// The shortest time between two warnings of a conflict, as for IPv4 (RFC 5227, section 1.1).
const CONFLICT_INTERVAL: Duration = Duration::from_secs(10);

impl Ip {
    /// Ethernet wants the MAC address of a neighbour.
    pub(crate) fn resolve(&mut self, interface: InterfaceId, address: IpAddr, cx: &mut Cx) {
        let IpAddr::V6(target) = address else {
            return cx.dropped(LAYER, "asked to resolve an IPv4 address");
        };
        if let Some((interface, given_up)) = self.resolver.begin((interface, target), cx.now) {
            cx.dropped(LAYER, "too many neighbours being asked for");
            self.tell_neighbour(interface, given_up, None, false, cx);
        }
        self.ask_neighbours(cx);
    }

    /// Asks those neighbours whose time it is, and gives up on those asked often enough.
    pub(crate) fn ask_neighbours(&mut self, cx: &mut Cx) {
        while let Some(due) = self.resolver.due(cx.now) {
            match due {
                Due::Ask((interface, target)) => self.solicit(interface, target, cx),
                Due::GiveUp((interface, target)) => {
                    self.tell_neighbour(interface, target, None, false, cx);
                }
            }
        }
    }

    fn solicit(&mut self, id: InterfaceId, target: Ipv6Addr, cx: &mut Cx) {
        let Some(interface) = self.interface(id) else {
            return;
        };
        let mac = interface.mac;
        // Until an address is settled there is nobody to answer to; the next turn comes in a second.
        let Some(source) = interface.solicitation_source(target, cx.now) else {
            return;
        };
        let group = ipv6::solicited_node(target);
        let message = ndp::emit_neighbour_solicitation(target, Some(mac), source, group);
        self.send_ndp(message, id, source, group, cx);
    }

    pub(crate) fn tell_neighbour(
        &mut self,
        interface: InterfaceId,
        address: Ipv6Addr,
        mac: Option<MacAddr>,
        replace: bool,
        cx: &mut Cx,
    ) {
        let address = IpAddr::V6(address);
        self.control(LinkControl::Neighbour { interface, address, mac, replace }, cx);
    }

    pub(crate) fn send_ndp(
        &mut self,
        message: Buf,
        interface: InterfaceId,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        cx: &mut Cx,
    ) {
        let out = Outgoing {
            source,
            destination,
            protocol: ICMPV6,
            hop_limit: ndp::HOP_LIMIT,
            whole: false,
            interface: Some(interface),
        };
        self.send_icmpv6(message, &out, cx);
    }

    /// A valid message of neighbour discovery came.
    pub(crate) fn hear_ndp(&mut self, message: Ndp, interface: InterfaceId, envelope: Envelope, cx: &mut Cx) {
        match message {
            Ndp::NeighbourSolicitation { target, source_mac } => {
                self.hear_solicitation(interface, target, source_mac, envelope, cx);
            }
            Ndp::NeighbourAdvertisement { target, target_mac, flags } => {
                self.hear_advertisement(interface, target, target_mac, flags, cx);
            }
            Ndp::RouterAdvertisement(advertisement) => {
                self.hear_router(interface, envelope.source, &advertisement, cx);
            }
            Ndp::RouterSolicitation => cx.ignored(LAYER, "router solicitation not answered"),
            Ndp::Redirect => cx.dropped(LAYER, "redirect not followed"),
        }
    }

    fn hear_solicitation(
        &mut self,
        id: InterfaceId,
        target: Ipv6Addr,
        source_mac: Option<MacAddr>,
        envelope: Envelope,
        cx: &mut Cx,
    ) {
        let router = self.config.forwarding;
        let Some(interface) = self.interface_mut(id) else {
            return cx.dropped(LAYER, "interface unknown");
        };
        let mac = interface.mac;
        let state = interface.address_mut(target).map(|own| own.state);
        let (asks_for_itself, optimistic) =
            (envelope.source.is_unspecified(), matches!(state, Some(State::Optimistic { .. })));
        match state {
            None | Some(State::Duplicate) => return cx.ignored(LAYER, "solicitation for another"),
            // Somebody else wants the address that we are asking for: neither gets it (RFC 4862, section 5.4.3).
            Some(State::Optimistic { .. }) if asks_for_itself => return self.duplicate(id, target, cx),
            _ => {}
        }
        if let Some(mac) = source_mac {
            self.tell_neighbour(id, envelope.source, Some(mac), false, cx);
        }
        let flags = AdvertisementFlags { router, solicited: !asks_for_itself, replace: !optimistic };
        let whom = if asks_for_itself { ipv6::ALL_NODES } else { envelope.source };
        let answer = ndp::emit_neighbour_advertisement(target, mac, flags, target, whom);
        self.send_ndp(answer, id, target, whom, cx);
    }

    fn hear_advertisement(
        &mut self,
        id: InterfaceId,
        target: Ipv6Addr,
        mac: Option<MacAddr>,
        flags: AdvertisementFlags,
        cx: &mut Cx,
    ) {
        let own =
            self.interface_mut(id).and_then(|interface| interface.address_mut(target)).map(|own| own.state);
        match own {
            Some(State::Optimistic { .. }) => return self.duplicate(id, target, cx),
            Some(_) => {
                self.warn_of_conflict(target, cx);
                return cx.dropped(LAYER, "another claims my address");
            }
            None => {}
        }
        let Some(mac) = mac else {
            return cx.dropped(LAYER, "advertisement without a MAC address");
        };
        if !self.resolver.answered((id, target), cx.now) {
            return cx.dropped(LAYER, "advertisement nobody asked for");
        }
        if flags.replace && !flags.router {
            self.is_no_router(id, target, cx);
        }
        self.tell_neighbour(id, target, Some(mac), flags.replace, cx);
    }

    /// Begins to ask whether anyone else has this address of ours, which is used with care meanwhile.
    pub(crate) fn detect_duplicate(&mut self, id: InterfaceId, address: Ipv6Addr, cx: &mut Cx) {
        if !self.config.duplicate_address_detection {
            return;
        }
        let until = cx.now + RETRANSMIT;
        let own = self.interface_mut(id).and_then(|interface| interface.address_mut(address));
        let Some(own) = own else {
            return;
        };
        own.state = State::Optimistic { until };
        let group = ipv6::solicited_node(address);
        let nobody = Ipv6Addr::UNSPECIFIED;
        let message = ndp::emit_neighbour_solicitation(address, None, nobody, group);
        self.send_ndp(message, id, nobody, group, cx);
    }

    /// Another station speaks for an address that is ours: said once in a while, however often it does.
    fn warn_of_conflict(&mut self, address: Ipv6Addr, cx: &mut Cx) {
        if self.conflict_told.is_none_or(|told| told + CONFLICT_INTERVAL <= cx.now) {
            self.conflict_told = Some(cx.now);
            cx.warn(LAYER, "conflict", format!("another station claims my address {address}"));
        }
    }

    fn duplicate(&mut self, id: InterfaceId, address: Ipv6Addr, cx: &mut Cx) {
        if let Some(own) = self.interface_mut(id).and_then(|interface| interface.address_mut(address)) {
            own.state = State::Duplicate;
        }
        cx.warn(LAYER, "taken", format!("{address} is another station's: I don't use it"));
        cx.dropped(LAYER, "address is another's");
    }

    /// Addresses to which nobody objected are ours; those whose time is over are no longer.
    pub(crate) fn settle_addresses(&mut self, cx: &mut Cx) {
        let now = cx.now;
        for interface in &mut self.interfaces {
            for own in &mut interface.addresses {
                if matches!(own.state, State::Optimistic { until } if until <= now) {
                    own.state = State::Assigned;
                }
            }
            interface.addresses.retain(|own| own.lifetime.is_none_or(|lifetime| lifetime.valid_until > now));
        }
    }

    /// When an address's state changes next.
    pub(crate) fn next_address_change(&self) -> Option<Instant> {
        let addresses = self.interfaces.iter().flat_map(|interface| &interface.addresses);
        addresses.fold(None, |next, own| {
            let settled = match own.state {
                State::Optimistic { until } => Some(until),
                _ => None,
            };
            let over = own.lifetime.map(|lifetime| lifetime.valid_until);
            earliest(next, earliest(settled, over.filter(|at| *at < Instant::FAR_FUTURE)))
        })
    }
}
