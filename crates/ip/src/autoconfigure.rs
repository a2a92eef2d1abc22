//! What routers say of an IPv6 link: RFC 4861 section 6.3 (hosts), RFC 4862 section 5.5 (addresses).
//!
//! Only where the configuration asks for it. A router's hop limit and timers are not taken over: with them a station
//! could cut the link off.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant};

use crate::cidr::Cidr;
use crate::interface::{Address, Lifetime, State};
use crate::ipv6;
use crate::layer::{Ip, LAYER};
use crate::ndp::{self, Prefix, RouterAdvertisement};
use crate::routes::Way;

/// How often a host asks for routers, and how long it waits for one (RFC 4861, section 10).
const SOLICITATIONS: u8 = 3;
const SOLICITATION_INTERVAL: Duration = Duration::from_secs(4);
/// More default routes or networks than this are not learnt.
const MOST_ROUTES: usize = 16;
/// More addresses than this are not made on one interface.
const MOST_ADDRESSES: usize = 16;
/// A router can't shorten an address's life below this at once (RFC 4862, section 5.5.3 (e)).
const TWO_HOURS: Duration = Duration::from_secs(7_200);

/// What was learnt from routers, and the search for them.
#[derive(Debug, Default)]
pub(crate) struct Routers {
    /// Until when each learnt route is good.
    routes: BTreeMap<(Cidr, InterfaceId, Option<IpAddr>), Instant>,
    searches: BTreeMap<InterfaceId, Search>,
    searching: bool,
}

#[derive(Debug)]
struct Search {
    left: u8,
    next: Instant,
}

impl Routers {
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let search = self.searches.values().map(|search| search.next).min();
        let routes = self.routes.values().copied().filter(|at| *at < Instant::FAR_FUTURE).min();
        earliest(search, routes)
    }

    /// The next interface on which to ask.
    fn due(&mut self, now: Instant) -> Option<InterfaceId> {
        let (id, search) = self.searches.iter_mut().find(|(_, search)| search.next <= now)?;
        let id = *id;
        search.left = search.left.saturating_sub(1);
        search.next = now + SOLICITATION_INTERVAL;
        if search.left == 0 {
            self.searches.remove(&id);
        }
        Some(id)
    }
}

impl Ip {
    fn listens_to_routers(&self) -> bool {
        self.config.accept_router_advertisements && !self.config.forwarding
    }

    /// Asks for routers where none has spoken yet, and forgets what is over.
    pub(crate) fn look_for_routers(&mut self, cx: &mut Cx) {
        if !self.listens_to_routers() {
            return;
        }
        if !self.routers.searching {
            self.routers.searching = true;
            let search = |id| (id, Search { left: SOLICITATIONS, next: cx.now });
            self.routers.searches = self.interfaces.iter().map(|interface| search(interface.id)).collect();
        }
        while let Some(id) = self.routers.due(cx.now) {
            self.solicit_routers(id, cx);
        }
        let over = |(key, until): (&_, &Instant)| (*until <= cx.now).then_some(*key);
        let keys: Vec<_> = self.routers.routes.iter().filter_map(over).collect();
        for key in keys {
            self.unlearn(key);
        }
    }

    fn solicit_routers(&mut self, id: InterfaceId, cx: &mut Cx) {
        let Some(interface) = self.interface(id) else {
            return;
        };
        let mac = interface.mac;
        let settled = interface.solicitation_source(ipv6::ALL_ROUTERS, cx.now);
        let source = settled.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let message = ndp::emit_router_solicitation(settled.map(|_| mac), source, ipv6::ALL_ROUTERS);
        self.send_ndp(message, id, source, ipv6::ALL_ROUTERS, cx);
    }

    /// A router speaks.
    pub(crate) fn hear_router(
        &mut self,
        id: InterfaceId,
        router: Ipv6Addr,
        said: &RouterAdvertisement,
        cx: &mut Cx,
    ) {
        if !self.listens_to_routers() {
            return cx.dropped(LAYER, "router advertisement not wanted");
        }
        self.routers.searches.remove(&id);
        if let Some(mac) = said.source_mac {
            self.tell_neighbour(id, router, Some(mac), false, cx);
        }
        if let Some(interface) = self.interface_mut(id) {
            let plausible = |mtu: &usize| (ipv6::MINIMUM_MTU..=interface.mtu()).contains(mtu);
            interface.advertised_mtu = said.mtu.filter(plausible).or(interface.advertised_mtu);
        }
        let key = default_route(id, router);
        if !self.routers.routes.contains_key(&key) && !said.router_lifetime.is_zero() {
            cx.note(LAYER, "router", || format!("{router} is a router of my link"));
        }
        self.learn(key, Some(said.router_lifetime), cx);
        for prefix in &said.prefixes {
            self.hear_prefix(id, prefix, cx);
        }
    }

    /// A neighbour says that it is a router no longer, or not yet again (RFC 4861, section 7.2.5).
    pub(crate) fn is_no_router(&mut self, id: InterfaceId, neighbour: Ipv6Addr, cx: &mut Cx) {
        let key = default_route(id, neighbour);
        if self.routers.routes.contains_key(&key) {
            cx.note(LAYER, "router", || format!("{neighbour} is no router any more"));
            self.unlearn(key);
        }
    }

    fn hear_prefix(&mut self, id: InterfaceId, prefix: &Prefix, cx: &mut Cx) {
        let IpAddr::V6(network) = prefix.network.address else {
            return;
        };
        if network.is_unicast_link_local() || network.is_multicast() {
            return cx.dropped(LAYER, "advertised prefix not usable");
        }
        if prefix.on_link {
            self.learn((prefix.network, id, None), prefix.valid, cx);
        }
        // `None` is for ever, which is longer than anything.
        let longer = |a: Option<Duration>, b: Option<Duration>| b.is_some_and(|b| a.is_none_or(|a| a > b));
        let sound = prefix.network.prefix == 64 && !longer(prefix.preferred, prefix.valid);
        match (prefix.autonomous, sound) {
            (true, true) => self.make_address(id, network, prefix, cx),
            (true, false) => cx.dropped(LAYER, "advertised prefix not usable"),
            (false, _) => {}
        }
    }

    /// Learns a route, or with a lifetime of zero forgets it.
    fn learn(&mut self, key: (Cidr, InterfaceId, Option<IpAddr>), lifetime: Option<Duration>, cx: &mut Cx) {
        if lifetime == Some(Duration::ZERO) {
            return self.unlearn(key);
        }
        if self.routers.routes.len() >= MOST_ROUTES && !self.routers.routes.contains_key(&key) {
            return cx.dropped(LAYER, "too many routes advertised");
        }
        self.routers.routes.insert(key, after(cx.now, lifetime));
        let (network, interface, via) = key;
        self.routes.insert(network, Way { interface, via, learnt: true });
    }

    fn unlearn(&mut self, key: (Cidr, InterfaceId, Option<IpAddr>)) {
        let (network, interface, via) = key;
        self.routers.routes.remove(&key);
        self.routes.remove(network, Way { interface, via, learnt: true });
    }

    /// Makes an address in an advertised network, or gives the one that was made a longer life.
    fn make_address(&mut self, id: InterfaceId, network: Ipv6Addr, prefix: &Prefix, cx: &mut Cx) {
        let now = cx.now;
        let Some(interface) = self.interface_mut(id) else {
            return;
        };
        let address = ipv6::address_in(network, interface.mac);
        let valid_until = after(now, prefix.valid);
        let preferred_until = after(now, prefix.preferred);
        if let Some(own) = interface.address_mut(address) {
            if let Some(lifetime) = &mut own.lifetime {
                lifetime.preferred_until = preferred_until;
                lifetime.valid_until = prolonged(lifetime.valid_until, valid_until, now);
            }
            return;
        }
        if prefix.valid == Some(Duration::ZERO) {
            return;
        }
        if interface.addresses.len() >= MOST_ADDRESSES {
            return cx.dropped(LAYER, "too many prefixes advertised");
        }
        interface.addresses.push(Address {
            cidr: Cidr::new(address.into(), prefix.network.prefix),
            state: State::Assigned,
            lifetime: Some(Lifetime { preferred_until, valid_until }),
        });
        cx.note(LAYER, "configured", || format!("I am {address} in the network of my router"));
        self.detect_duplicate(id, address, cx);
    }
}

/// The way to everywhere by a router of the link.
fn default_route(id: InterfaceId, router: Ipv6Addr) -> (Cidr, InterfaceId, Option<IpAddr>) {
    (Cidr::new(Ipv6Addr::UNSPECIFIED.into(), 0), id, Some(router.into()))
}

fn after(now: Instant, lifetime: Option<Duration>) -> Instant {
    lifetime.map_or(Instant::FAR_FUTURE, |lifetime| now + lifetime)
}

/// The new end of an address's life (RFC 4862, section 5.5.3 (e)).
fn prolonged(known: Instant, said: Instant, now: Instant) -> Instant {
    let soon = now + TWO_HOURS;
    if said > soon || said > known {
        said
    } else if known <= soon {
        known
    } else {
        soon
    }
}
