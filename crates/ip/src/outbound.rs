//! Segments going down: the header, the way, and splitting. RFC 1122 section 3.3.1 (routing outbound packets).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::seams::packet::{Packet, PacketDown};
use framewise_core::seams::segment::{ErrorKind, Segment, SegmentError, SegmentEvent, SourceRoute, TCP};
use framewise_core::{Buf, Cx, Instant};

use crate::fragment;
use crate::interface::is_link_local_v6;
use crate::ipv4::{self, Ipv4Header};
use crate::ipv6::{self, Ipv6Header};
use crate::layer::{Ip, LAYER};

/// So much of a segment is quoted in an error that we find ourselves.
const QUOTE: usize = 64;

/// What a packet of ours shall say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<S> {
    pub(crate) source: S,
    pub(crate) destination: S,
    pub(crate) protocol: u8,
    pub(crate) hop_limit: u8,
    /// Rather tell the sender than split it.
    pub(crate) whole: bool,
    /// Where it must leave, if that does not follow from the addresses.
    pub(crate) interface: Option<InterfaceId>,
}

/// Where a packet goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// Nowhere: it is for ourselves.
    Loopback,
    Link {
        interface: InterfaceId,
        next_hop: NextHop,
        mtu: usize,
    },
}

impl Hop {
    /// Bytes of the largest packet that the link takes; `None`: no link is in the way.
    fn mtu(self) -> Option<usize> {
        match self {
            Hop::Loopback => None,
            Hop::Link { mtu, .. } => Some(mtu),
        }
    }
}

/// Why a packet did not leave; the payload comes back.
#[derive(Debug)]
pub(crate) struct Refusal {
    payload: Buf,
    kind: ErrorKind,
    reason: &'static str,
}

impl Ip {
    /// Sends a segment of the transport's.
    pub(crate) fn send_segment(&mut self, segment: Segment, cx: &mut Cx) {
        let (source, destination, protocol) = (segment.source(), segment.destination(), segment.protocol());
        let for_another = self.config.takes_all_tcp && protocol == TCP;
        if !(self.owns(source) || source.is_loopback() || for_another) {
            cx.dropped(LAYER, "source is no address of mine");
            return;
        }
        let hop_limit = segment.label().hop_limit.unwrap_or(self.config.hop_limit);
        let whole = protocol == TCP;
        let sent = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let out = Outgoing { source, destination, protocol, hop_limit, whole, interface: None };
                self.send_ipv4(segment.0, &out, cx)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let out = Outgoing { source, destination, protocol, hop_limit, whole, interface: None };
                self.send_ipv6(segment.0, &out, cx)
            }
            _ => return cx.dropped(LAYER, "addresses of two IP versions"),
        };
        if let Err(refusal) = sent {
            cx.dropped(LAYER, refusal.reason);
            let quoted = refusal.payload.get(..QUOTE).unwrap_or(&refusal.payload).to_vec();
            let kind = refusal.kind;
            let error = SegmentError { kind, source, destination, protocol, quoted, reporter: source };
            self.event(SegmentEvent::Error(error), cx);
        }
    }

    /// Answers which source address and MTU there are towards `destination`.
    pub(crate) fn tell_source(&mut self, destination: IpAddr, protocol: u8, cx: &mut Cx) {
        let route = self.source_route(destination, protocol, cx.now);
        self.event(SegmentEvent::Source { destination, protocol, route }, cx);
    }

    fn source_route(&self, destination: IpAddr, protocol: u8, now: Instant) -> Option<SourceRoute> {
        // A connection has two ends: no way leads one to a group (RFC 9293, section 3.9.2.3).
        if protocol == TCP && self.is_group(destination) {
            return None;
        }
        let (source, interface) = self.source_for(destination, now)?;
        let link = match interface {
            Some(interface) => self.interface(interface)?.mtu_for(destination),
            None => self.interfaces.first().map_or(ipv6::MINIMUM_MTU, |interface| interface.mtu()),
        };
        Some(SourceRoute { source, mtu: self.path_mtu(destination, protocol, link, now) })
    }

    /// Whether this address means more than one host, on any of our links.
    fn is_group(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => {
                address.is_multicast()
                    || self.interfaces.iter().any(|interface| interface.is_broadcast(address))
            }
            IpAddr::V6(address) => address.is_multicast(),
        }
    }

    /// Our address for what goes to `destination`, and where it leaves; `None` there: for ourselves.
    pub(crate) fn source_for(
        &self,
        destination: IpAddr,
        now: Instant,
    ) -> Option<(IpAddr, Option<InterfaceId>)> {
        if self.owns(destination) || destination.is_loopback() {
            return Some((destination, None));
        }
        let routed = (!is_link_local_v6(destination)).then(|| self.routes.lookup(destination)).flatten();
        if let Some(way) = routed {
            let next = way.via.unwrap_or(destination);
            let here = self.interface(way.interface)?.source_for(destination, next, now);
            // A link without an address of its own borrows one (RFC 1812, section 2.2.7).
            let borrowed =
                || self.interfaces.iter().find_map(|other| other.source_for(destination, next, now));
            return Some((here.or_else(borrowed)?, Some(way.interface)));
        }
        let everywhere = is_link_local_v6(destination)
            || destination.is_multicast()
            || destination == IpAddr::V4(Ipv4Addr::BROADCAST);
        let mut interfaces = self.interfaces.iter().filter(|_| everywhere);
        interfaces.find_map(|interface| {
            let source = interface.source_for(destination, destination, now)?;
            Some((source, Some(interface.id)))
        })
    }

    /// Bytes of the largest packet of this protocol to `destination`. TCP finds its paths' MTUs out by itself.
    fn path_mtu(&self, destination: IpAddr, protocol: u8, link: usize, now: Instant) -> usize {
        match destination {
            IpAddr::V6(destination) if protocol != TCP => self.path_mtus.lookup(destination, link, now),
            _ => link,
        }
    }

    /// Where a packet from `source` to `destination` goes first, and how much that link takes.
    pub(crate) fn hop(&self, source: IpAddr, destination: IpAddr, hint: Option<InterfaceId>) -> Option<Hop> {
        if self.owns(destination) || destination.is_loopback() {
            return Some(Hop::Loopback);
        }
        let on_link = destination.is_multicast()
            || is_link_local_v6(destination)
            || destination == IpAddr::V4(Ipv4Addr::BROADCAST);
        if on_link {
            let owner = || self.interfaces.iter().find(|interface| interface.owns(source));
            let interface = hint.and_then(|id| self.interface(id)).or_else(owner)?;
            let next_hop = match destination {
                IpAddr::V4(Ipv4Addr::BROADCAST) => NextHop::Broadcast,
                group if group.is_multicast() => NextHop::Multicast(group),
                neighbour => NextHop::Neighbour(neighbour),
            };
            return Some(Hop::Link {
                interface: interface.id,
                next_hop,
                mtu: interface.mtu_for(destination),
            });
        }
        let way = self.routes.lookup(destination)?;
        let interface = self.interface(way.interface)?;
        let next_hop = match (way.via, destination) {
            (Some(router), _) => NextHop::Neighbour(router),
            (None, IpAddr::V4(group)) if interface.is_broadcast(group) => NextHop::Broadcast,
            (None, neighbour) => NextHop::Neighbour(neighbour),
        };
        Some(Hop::Link { interface: interface.id, next_hop, mtu: interface.mtu_for(destination) })
    }

    /// Puts an IPv4 header in front of `payload` and sends it, in fragments if it must be.
    pub(crate) fn send_ipv4(
        &mut self,
        mut payload: Buf,
        out: &Outgoing<Ipv4Addr>,
        cx: &mut Cx,
    ) -> Result<(), Refusal> {
        let (source, destination) = (IpAddr::V4(out.source), IpAddr::V4(out.destination));
        let Some(hop) = self.hop(source, destination, out.interface) else {
            return Err(no_route(payload));
        };
        let total_len = ipv4::HEADER_LEN + payload.len();
        if total_len > ipv4::LARGEST {
            return Err(too_long(payload));
        }
        let header = Ipv4Header {
            header_len: ipv4::HEADER_LEN,
            traffic_class: 0,
            total_len,
            identification: self.identification.next(source, destination) as u16,
            dont_fragment: out.whole,
            more_fragments: false,
            fragment_offset: 0,
            time_to_live: out.hop_limit,
            protocol: out.protocol,
            source: out.source,
            destination: out.destination,
        };
        let fits = fits(hop.mtu(), total_len, &payload);
        if let (Err(mtu), true) = (fits, out.whole) {
            return Err(Refusal { payload, kind: ErrorKind::TooBig { mtu }, reason: "too big for the path" });
        }
        if fits.is_err() {
            fragment::complete_checksum(&mut payload);
        }
        header.emit(payload.prepend(ipv4::HEADER_LEN));
        match fits {
            Ok(()) => self.dispatch(payload, hop, cx),
            Err(mtu) => {
                for part in fragment::split_ipv4(&payload, &header, mtu) {
                    self.dispatch(part, hop, cx);
                }
            }
        }
        Ok(())
    }

    /// Puts an IPv6 header in front of `payload` and sends it, in fragments if it must be.
    pub(crate) fn send_ipv6(
        &mut self,
        mut payload: Buf,
        out: &Outgoing<Ipv6Addr>,
        cx: &mut Cx,
    ) -> Result<(), Refusal> {
        let (source, destination) = (IpAddr::V6(out.source), IpAddr::V6(out.destination));
        let Some(hop) = self.hop(source, destination, out.interface) else {
            return Err(no_route(payload));
        };
        if payload.len() > ipv6::LARGEST_PAYLOAD {
            return Err(too_long(payload));
        }
        let header = Ipv6Header {
            traffic_class: 0,
            flow_label: 0,
            payload_len: payload.len(),
            next_header: out.protocol,
            hop_limit: out.hop_limit,
            source: out.source,
            destination: out.destination,
        };
        let mtu = hop.mtu().map(|link| self.path_mtu(destination, out.protocol, link, cx.now));
        match fits(mtu, ipv6::HEADER_LEN + payload.len(), &payload) {
            Ok(()) => {
                header.emit(payload.prepend(ipv6::HEADER_LEN));
                self.dispatch(payload, hop, cx);
            }
            Err(mtu) if out.whole => {
                return Err(Refusal {
                    payload,
                    kind: ErrorKind::TooBig { mtu },
                    reason: "too big for the path",
                });
            }
            Err(mtu) => {
                fragment::complete_checksum(&mut payload);
                let identification = self.identification.next(source, destination);
                for part in fragment::split_ipv6(&payload, &header, identification, mtu) {
                    self.dispatch(part, hop, cx);
                }
            }
        }
        Ok(())
    }

    /// Hands a packet to Ethernet, or to ourselves.
    pub(crate) fn dispatch(&mut self, mut packet: Buf, hop: Hop, cx: &mut Cx) {
        match hop {
            Hop::Link { interface, next_hop, .. } => {
                self.say_down(PacketDown::Packet(Packet::new(packet, interface, next_hop)), cx);
            }
            Hop::Loopback => {
                let destination = packet.label().destination;
                packet.label_mut().next_hop = NextHop::Neighbour(destination);
                if !self.loopback.push(packet) {
                    cx.dropped(LAYER, "loopback queue full");
                }
            }
        }
    }
}

/// Whether a packet of this length leaves in one piece, else the MTU. What the device will cut does.
fn fits(mtu: Option<usize>, length: usize, payload: &Buf) -> Result<(), usize> {
    match mtu {
        Some(mtu) if length > mtu && payload.label().offload.segment_size.is_none() => Err(mtu),
        _ => Ok(()),
    }
}

fn no_route(payload: Buf) -> Refusal {
    Refusal { payload, kind: ErrorKind::NetworkUnreachable, reason: "no route" }
}

fn too_long(payload: Buf) -> Refusal {
    let kind = ErrorKind::TooBig { mtu: ipv4::LARGEST };
    Refusal { payload, kind, reason: "packet over 65,535 bytes" }
}
