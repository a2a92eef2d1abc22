//! The layer itself: what it is made of, and how the calls of the contract reach its parts.
//!
//! | what | where |
//! |---|---|
//! | segments going down | `outbound.rs` |
//! | packets coming up | `inbound.rs` |
//! | packets passed on | `forward.rs` |
//! | ICMP, said and heard | `messages.rs` |
//! | IPv6 neighbours and routers | `neighbours.rs`, `autoconfigure.rs` |

use std::net::IpAddr;

use framewise_core::buf::InterfaceId;
use framewise_core::seams::packet::{LinkControl, LinkEvent, Packet, PacketDown, PacketUp};
use framewise_core::seams::segment::{SegmentControl, SegmentDown, SegmentEvent, SegmentUp};
use framewise_core::seams::{Packets, Segments};
use framewise_core::time::earliest;
use framewise_core::{Buf, Cx, Instant, Layer, Rng};

use crate::autoconfigure::Routers;
use crate::cidr::Cidr;
use crate::config::Config;
use crate::identification::Identification;
use crate::interface::Interface;
use crate::messages::Complaint;
use crate::path_mtu::PathMtus;
use crate::queue::Queue;
use crate::rate_limit::TokenBucket;
use crate::reassembly::Reassembly;
use crate::resolve::Resolver;
use crate::routes::{Routes, Way};

/// The layer's name in counters and notes.
pub(crate) const LAYER: &str = "ip";

/// IPv4, IPv6, ICMP and NDP as one layer. See the [crate's page](crate).
pub struct Ip {
    pub(crate) config: Config,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) routes: Routes,
    pub(crate) routers: Routers,
    pub(crate) path_mtus: PathMtus,
    pub(crate) reassembly: Reassembly,
    pub(crate) resolver: Resolver,
    pub(crate) errors: TokenBucket,
    pub(crate) identification: Identification,
    outbound: Queue<PacketDown>,
    inbound: Queue<SegmentUp>,
    /// Packets of ours to ourselves.
    pub(crate) loopback: Queue<Buf>,
    /// When it was last said that another station claims an IPv6 address of ours.
    pub(crate) conflict_told: Option<Instant>,
    started: bool,
}

impl Ip {
    /// A layer that behaves as `config` says. What must not be guessed comes from `rng`.
    pub fn new(config: Config, mut rng: Rng) -> Self {
        // An InterfaceId has eight bits.
        let ids = 0..=u8::MAX;
        let interfaces: Vec<Interface> = ids
            .zip(&config.interfaces)
            .map(|(id, interface)| Interface::new(InterfaceId(id), interface))
            .collect();
        let limits = config.limits;
        Ip {
            routes: routes(&config, &interfaces),
            interfaces,
            routers: Routers::default(),
            path_mtus: PathMtus::new(limits.path_mtu_entries),
            reassembly: Reassembly::new(limits),
            resolver: Resolver::new(limits.resolutions),
            errors: TokenBucket::new(limits.icmp_errors_per_second, limits.icmp_error_burst),
            identification: Identification::new(&mut rng),
            outbound: Queue::new(limits.queue),
            inbound: Queue::new(limits.queue),
            loopback: Queue::new(limits.queue),
            conflict_told: None,
            started: false,
            config,
        }
    }

    /// The addresses in use, with their interfaces: those configured, those learnt, and the IPv6 link-local ones.
    pub fn addresses(&self) -> impl Iterator<Item = (InterfaceId, Cidr)> + '_ {
        self.interfaces.iter().flat_map(|interface| {
            let usable = interface.addresses.iter().filter(|own| interface.owns(own.cidr.address));
            usable.map(|own| (interface.id, own.cidr))
        })
    }

    /// Bytes of memory that fragments hold while they wait for the others.
    pub fn reassembly_memory(&self) -> usize {
        self.reassembly.held()
    }

    pub(crate) fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(usize::from(id.0))
    }

    pub(crate) fn interface_mut(&mut self, id: InterfaceId) -> Option<&mut Interface> {
        self.interfaces.get_mut(usize::from(id.0))
    }

    /// Whether this is an address of ours, on whichever interface.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.interfaces.iter().any(|interface| interface.owns(address))
    }

    /// Says something to Ethernet.
    pub(crate) fn say_down(&mut self, message: PacketDown, cx: &mut Cx) {
        if !self.outbound.push(message) {
            cx.dropped(LAYER, "outbound queue full");
        }
    }

    /// Tells Ethernet something beside packets.
    pub(crate) fn control(&mut self, control: LinkControl, cx: &mut Cx) {
        self.say_down(PacketDown::Control(Box::new(control)), cx);
    }

    /// Says something to the transport.
    pub(crate) fn say_up(&mut self, message: SegmentUp, cx: &mut Cx) {
        if !self.inbound.push(message) {
            cx.dropped(LAYER, "inbound queue full");
        }
    }

    /// Tells the transport something beside segments.
    pub(crate) fn event(&mut self, event: SegmentEvent, cx: &mut Cx) {
        self.say_up(SegmentUp::Event(Box::new(event)), cx);
    }

    fn start(&mut self, cx: &mut Cx) {
        if !self.started {
            self.introduce(cx);
        }
    }

    /// On the first call: says which addresses are ours.
    #[cold]
    fn introduce(&mut self, cx: &mut Cx) {
        self.started = true;
        for (interface, cidr) in self.addresses().collect::<Vec<_>>() {
            match cidr.address {
                IpAddr::V4(address) => self.control(LinkControl::Claim { interface, address }, cx),
                IpAddr::V6(address) => self.detect_duplicate(interface, address, cx),
            }
        }
        self.look_for_routers(cx);
    }

    /// Receives what we sent to ourselves. Each of these answers at most once, so this ends.
    fn settle(&mut self, cx: &mut Cx) {
        while let Some(packet) = self.loopback.pop() {
            self.receive(packet, true, cx);
        }
    }

    fn hear(&mut self, event: LinkEvent, cx: &mut Cx) {
        match event {
            LinkEvent::Resolve { interface, address } => self.resolve(interface, address, cx),
            LinkEvent::Unreachable { packet } => self.undelivered(packet.0, cx),
            LinkEvent::Conflict { address: Some(address), mac, .. } => {
                cx.note(LAYER, "conflict", || format!("{mac} claims my address {address}"));
            }
            LinkEvent::Conflict { address: None, mac, .. } => {
                cx.note(LAYER, "conflict", || format!("another station uses my MAC address {mac}"));
            }
        }
    }
}

/// The networks of the interfaces, and what is configured.
fn routes(config: &Config, interfaces: &[Interface]) -> Routes {
    let mut routes = Routes::default();
    for interface in interfaces {
        for own in &interface.addresses {
            if !crate::interface::is_link_local_v6(own.cidr.address) {
                routes.insert(own.cidr, Way { interface: interface.id, via: None, learnt: false });
            }
        }
    }
    for route in &config.routes {
        routes.insert(route.destination, Way { interface: route.interface, via: route.via, learnt: false });
    }
    routes
}

impl Layer for Ip {
    type Upper = Segments;
    type Lower = Packets;

    fn name(&self) -> &'static str {
        LAYER
    }

    fn handle_outbound(&mut self, message: SegmentDown, cx: &mut Cx) {
        self.start(cx);
        match message {
            SegmentDown::Segment(segment) => self.send_segment(segment, cx),
            SegmentDown::Control(control) => match *control {
                SegmentControl::Source { destination, protocol } => {
                    self.tell_source(destination, protocol, cx)
                }
                SegmentControl::PortUnreachable(segment) => {
                    self.unreachable(segment, Complaint::PortUnreachable, cx)
                }
                SegmentControl::Unreachable { segment, kind } => {
                    self.unreachable(segment, Complaint::unreachable(kind), cx)
                }
            },
        }
        self.settle(cx);
    }

    fn handle_inbound(&mut self, message: PacketUp, cx: &mut Cx) {
        self.start(cx);
        match message {
            PacketUp::Packet(Packet(buf)) => self.receive(buf, false, cx),
            PacketUp::Event(event) => self.hear(*event, cx),
        }
        self.settle(cx);
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<PacketDown> {
        self.start(cx);
        self.outbound.pop()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<SegmentUp> {
        self.inbound.pop()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.start(cx);
        // Addresses first: only a settled one may ask.
        self.settle_addresses(cx);
        self.ask_neighbours(cx);
        self.look_for_routers(cx);
        self.expire_fragments(cx);
        self.settle(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if !self.started {
            return Some(Instant::ZERO);
        }
        let neighbours = earliest(self.resolver.next_due(), self.next_address_change());
        let rest = earliest(self.routers.next_due(), self.reassembly.next_expiry());
        earliest(neighbours, rest)
    }
}
