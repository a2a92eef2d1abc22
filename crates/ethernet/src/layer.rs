//! The layer: a header in front of what goes out, the filter before what comes in.
//!
//! Read first: RFC 1122 sections 2.3 and 2.4 (what a host's link layer must do). How a next hop becomes a MAC address is in
//! `resolution`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{LinkEvent, Packet, PacketDown, PacketUp};
use framewise_core::seams::{Frames, Packets};
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant, Layer, MacAddr, Rng};

use crate::claims::{Claims, DEFEND_INTERVAL};
use crate::config::{Config, InterfaceConfig};
use crate::error::ParseError;
use crate::filter::{self, Addressed, Refusal};
use crate::frame::{EtherType, FrameView, HEADER_LENGTH, Header, MINIMUM_LENGTH};
use crate::neighbours::{Key, Neighbour, Neighbours};
use crate::waiting::Waiting;

/// The layer's name in traces and counters.
pub(crate) const NAME: &str = "ethernet";

/// How many frames wait for the device, and how many messages for IP. Both ask for them one by one, so more
/// than a few are there only while a burst of packets is freed by one answer.
const QUEUE: usize = 1_024;

/// Ethernet with ARP, on any number of interfaces. See the [crate](crate) for an example.
#[derive(Debug)]
pub struct Ethernet {
    interfaces: Vec<Interface>,
    pad: bool,
    pub(crate) neighbours: Neighbours,
    pub(crate) waiting: Waiting,
    pub(crate) claims: Claims,
    outbound: VecDeque<Frame>,
    inbound: VecDeque<PacketUp>,
}

#[derive(Debug)]
struct Interface {
    config: InterfaceConfig,
    /// When IP was last told that another station has our MAC address.
    duplicate_told: Option<Instant>,
}

impl Ethernet {
    /// A layer with these interfaces. `rng` spreads in time what RFC 5227 wants spread, and nothing else.
    pub fn new(config: Config, rng: Rng) -> Self {
        let interface = |config| Interface { config, duplicate_told: None };
        Ethernet {
            interfaces: config.interfaces.into_iter().map(interface).collect(),
            pad: config.pad,
            waiting: Waiting::new(config.neighbours.waiting_each, config.neighbours.waiting_total),
            neighbours: Neighbours::new(config.neighbours),
            claims: Claims::new(config.announce, config.optimistic, rng),
            outbound: VecDeque::new(),
            inbound: VecDeque::new(),
        }
    }

    /// The MAC address of an interface.
    pub fn mac(&self, interface: InterfaceId) -> Option<MacAddr> {
        self.interface(interface).map(|interface| interface.mac)
    }

    /// What is known about neighbours, by interface and address.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.neighbours.iter()
    }

    fn interface(&self, id: InterfaceId) -> Option<&InterfaceConfig> {
        let interface = self.interfaces.get(usize::from(id.0))?;
        Some(&interface.config)
    }

    /// A packet on its way out.
    fn send(&mut self, packet: Packet, cx: &mut Cx) {
        let Some(interface) = self.interface(packet.interface()) else {
            return self.unreachable(packet, cx);
        };
        // A super-segment is longer; the device cuts it.
        let cut_later = packet.label().offload.segment_size.is_some();
        if packet.len() > interface.mtu && !cut_later {
            return cx.dropped(NAME, "packet larger than the MTU");
        }
        match packet.next_hop() {
            NextHop::Broadcast => self.send_to(MacAddr::BROADCAST, packet, cx),
            NextHop::Multicast(group) => self.send_to(filter::group_address(group), packet, cx),
            NextHop::Neighbour(address) => {
                let interface = packet.interface();
                self.send_to_neighbour(Key { interface, address }, packet, cx);
            }
        }
    }

    /// Puts the header in front. The packet's buffer becomes the frame.
    pub(crate) fn send_to(&mut self, destination: MacAddr, packet: Packet, cx: &mut Cx) {
        let Some(source) = self.mac(packet.interface()) else {
            return cx.dropped(NAME, "unknown interface");
        };
        let Some(ethertype) = EtherType::of_packet(&packet) else {
            return cx.dropped(NAME, "packet is neither IPv4 nor IPv6");
        };
        let header = Header { destination, source, ethertype };
        let mut buf = packet.0;
        buf.prepend(HEADER_LENGTH).copy_from_slice(&header.to_bytes());
        self.push_outbound(Frame(buf), cx);
    }

    pub(crate) fn push_outbound(&mut self, mut frame: Frame, cx: &mut Cx) {
        if self.outbound.len() >= QUEUE {
            return cx.dropped(NAME, "outbound queue full");
        }
        if self.pad && frame.len() < MINIMUM_LENGTH {
            let missing = MINIMUM_LENGTH - frame.len();
            frame.append(missing).fill(0);
        }
        self.outbound.push_back(frame);
    }

    pub(crate) fn push_event(&mut self, event: LinkEvent, cx: &mut Cx) {
        self.push_inbound(PacketUp::Event(Box::new(event)), cx);
    }

    fn push_inbound(&mut self, message: PacketUp, cx: &mut Cx) {
        if self.inbound.len() >= QUEUE {
            return cx.dropped(NAME, "inbound queue full");
        }
        self.inbound.push_back(message);
    }

    /// A frame that is for us, handed to whom its type names.
    fn receive(&mut self, frame: Frame, ethertype: EtherType, addressed: Addressed, cx: &mut Cx) {
        match ethertype {
            EtherType::IPV4 | EtherType::IPV6 if is_of_the_other_version(&frame, ethertype) => {
                cx.dropped(NAME, "EtherType of the other IP version");
            }
            EtherType::IPV4 | EtherType::IPV6 => self.deliver(frame, addressed, cx),
            EtherType::ARP => self.receive_arp(&frame, cx),
            _ => cx.dropped(NAME, "unknown EtherType"),
        }
    }

    /// An IP packet. Its padding is left on: where it begins, IP's own length says.
    fn deliver(&mut self, frame: Frame, addressed: Addressed, cx: &mut Cx) {
        // The address in an inbound next hop says nothing; only its kind does.
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut buf = frame.0;
        buf.advance(HEADER_LENGTH);
        buf.label_mut().next_hop = match addressed {
            Addressed::Me => NextHop::Neighbour(nobody),
            Addressed::Group => NextHop::Multicast(nobody),
            Addressed::Everybody => NextHop::Broadcast,
        };
        self.push_inbound(PacketUp::Packet(Packet(buf)), cx);
    }

    /// Somebody else writes under our MAC address: one of us must get another, or switches send us each
    /// other's frames.
    pub(crate) fn duplicate(&mut self, id: InterfaceId, cx: &mut Cx) {
        cx.dropped(NAME, Refusal::OwnSource.reason());
        let Some(interface) = self.interfaces.get_mut(usize::from(id.0)) else {
            return;
        };
        let told = interface.duplicate_told;
        if told.is_some_and(|told| told + DEFEND_INTERVAL > cx.now) {
            return;
        }
        interface.duplicate_told = Some(cx.now);
        let mac = interface.config.mac;
        cx.warn(NAME, "duplicate", format!("another station uses my MAC address {mac}"));
        let event = LinkEvent::Conflict { interface: id, address: None, mac };
        self.push_event(event, cx);
    }
}

impl Layer for Ethernet {
    type Upper = Packets;
    type Lower = Frames;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: PacketDown, cx: &mut Cx) {
        match message {
            PacketDown::Packet(packet) => self.send(packet, cx),
            PacketDown::Control(control) => self.control(*control, cx),
        }
    }

    fn handle_inbound(&mut self, frame: Frame, cx: &mut Cx) {
        let id = frame.interface();
        let Some(interface) = self.interface(id) else {
            return cx.dropped(NAME, "unknown interface");
        };
        match judge(&frame, interface) {
            Ok((ethertype, addressed)) => self.receive(frame, ethertype, addressed, cx),
            Err(Unwanted::Address(Refusal::OwnSource)) => self.duplicate(id, cx),
            Err(Unwanted::Address(refusal)) if refusal.is_harmless() => cx.ignored(NAME, refusal.reason()),
            Err(unwanted) => cx.dropped(NAME, unwanted.reason()),
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Frame> {
        self.outbound.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<PacketUp> {
        self.inbound.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        // Claims first: a question may wait for the address that is usable from now on.
        self.advance_claims(cx);
        self.advance_neighbours(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.neighbours.poll_timeout(), self.claims.poll_timeout())
    }
}

/// Whether there is an IPv4 packet in a frame of IPv6's type, or the reverse (RFC 894, RFC 2464 section 3): who filters by
/// the one would not see the other. Whether it is a packet at all, IP sees.
fn is_of_the_other_version(frame: &Frame, ethertype: EtherType) -> bool {
    let packet = frame.get(HEADER_LENGTH..).unwrap_or_default();
    EtherType::of_packet(packet).is_some_and(|version| version != ethertype)
}

/// What a frame is and for whom, or why it is dropped. Of a frame for another station only the addresses are read.
fn judge(frame: &Frame, interface: &InterfaceConfig) -> Result<(EtherType, Addressed), Unwanted> {
    let view = FrameView::new(frame).map_err(Unwanted::Header)?;
    let addressed = filter::admit(&view, interface.mac).map_err(Unwanted::Address)?;
    // A device that joined segments hands up more than one frame's worth.
    let joined = frame.offload().segment_size.is_some();
    if view.payload().len() > interface.mtu && !joined {
        return Err(Unwanted::Oversize);
    }
    let header = Header::of(&view).map_err(Unwanted::Header)?;
    Ok((header.ethertype, addressed))
}

/// Why a frame is dropped.
enum Unwanted {
    Header(ParseError),
    Address(Refusal),
    Oversize,
}

impl Unwanted {
    fn reason(&self) -> &'static str {
        match self {
            Unwanted::Header(error) => error.reason(),
            Unwanted::Address(refusal) => refusal.reason(),
            Unwanted::Oversize => "oversize frame",
        }
    }
}
