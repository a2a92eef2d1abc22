//! Packets coming up: whether they can be true, whom they are for, and who gets them next.
//! RFC 1122 section 3.2.1, RFC 1812 section 5.3.7 and RFC 6890 (addresses that can't be), RFC 8200 section 4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::buf::NextHop;
use framewise_core::seams::segment::{Segment, SegmentUp, TCP, UDP};
use framewise_core::{Buf, Cx};

use crate::extension::{self, Chain, FragmentHeader, Halt, ICMPV6, NO_NEXT_HEADER};
use crate::icmpv4;
use crate::ipv4::{self, Ipv4Header};
use crate::ipv6::{self, Ipv6Header};
use crate::layer::{Ip, LAYER};
use crate::messages::Complaint;
use crate::ndp::NEIGHBOUR_ADVERTISEMENT;
use crate::reassembly::{Fragment, Key, Outcome};

/// What is known of a packet for us when its payload is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<A> {
    pub(crate) source: A,
    pub(crate) destination: A,
    pub(crate) protocol: u8,
    pub(crate) hop_limit: u8,
    /// Where the payload begins.
    pub(crate) offset: usize,
    /// It is for more than us.
    pub(crate) group: bool,
    /// An IPv6 packet with a fragment header, of one piece or of several.
    pub(crate) fragmented: bool,
}

impl Ip {
    /// Receives a packet from the link or, `looped`, from ourselves.
    pub(crate) fn receive(&mut self, packet: Buf, looped: bool, cx: &mut Cx) {
        match packet.first().map(|byte| byte >> 4) {
            Some(4) => self.receive_ipv4(packet, looped, cx),
            Some(6) => self.receive_ipv6(packet, looped, cx),
            Some(_) => cx.dropped(LAYER, "IP version neither 4 nor 6"),
            None => cx.dropped(LAYER, "packet empty"),
        }
    }

    fn receive_ipv4(&mut self, mut packet: Buf, looped: bool, cx: &mut Cx) {
        let header = match Ipv4Header::parse(&packet) {
            Ok(header) => header,
            Err(error) => return cx.dropped(LAYER, error.reason()),
        };
        packet.truncate(header.total_len);
        let Some(interface) = self.interface(packet.label().interface) else {
            return cx.dropped(LAYER, "interface unknown");
        };
        let destination = header.destination;
        let broadcast = interface.is_broadcast(destination);
        let group = broadcast || destination.is_multicast();
        let listened = broadcast || interface.listens_to(destination.into(), self.config.forwarding);
        let from_broadcast = interface.is_broadcast(header.source);
        if looped {
            return self.take_ipv4(packet, &header, group, cx);
        }
        if from_broadcast || is_martian_source_v4(header.source) || self.owns(header.source.into()) {
            return cx.dropped(LAYER, "martian source");
        }
        if is_martian_destination_v4(destination) {
            return cx.dropped(LAYER, "martian destination");
        }
        match (group, listened) {
            (true, false) => cx.ignored(LAYER, "group not listened to"),
            _ if ipv4::is_source_routed(packet.get(..header.header_len).unwrap_or_default()) => {
                cx.dropped(LAYER, "source routed");
            }
            (true, true) => self.take_ipv4(packet, &header, true, cx),
            _ if is_group_frame(&packet) => cx.dropped(LAYER, "unicast packet in a group frame"),
            _ if self.owns(destination.into()) || self.config.takes_all_tcp => {
                self.take_ipv4(packet, &header, false, cx)
            }
            _ if self.config.forwarding => self.forward_ipv4(packet, &header, cx),
            _ => cx.dropped(LAYER, "not for me"),
        }
    }

    /// An IPv4 packet for us.
    fn take_ipv4(&mut self, packet: Buf, header: &Ipv4Header, group: bool, cx: &mut Cx) {
        let arrival = Arrival {
            source: header.source,
            destination: header.destination,
            protocol: header.protocol,
            hop_limit: header.time_to_live,
            offset: header.header_len,
            group,
            fragmented: false,
        };
        if !header.is_fragment() {
            return self.deliver_ipv4(packet, &arrival, cx);
        }
        if let Some(packet) = self.reassemble_ipv4(packet, header, cx) {
            self.deliver_ipv4(packet, &arrival, cx);
        }
    }

    fn reassemble_ipv4(&mut self, mut packet: Buf, header: &Ipv4Header, cx: &mut Cx) -> Option<Buf> {
        let key = Key {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: header.protocol,
            identification: header.identification.into(),
        };
        packet.advance(header.header_len);
        let fragment = Fragment {
            buf: packet,
            offset: header.fragment_offset,
            more_fragments: header.more_fragments,
            headers: header.header_len,
            kept_headers: header.header_len,
            protocol: header.protocol,
        };
        let (mut whole, _) = self.reassemble(key, fragment, cx)?;
        // The first fragment's header is that of the whole, but for what made it a fragment. Its options count.
        let first = Ipv4Header::read(&whole).ok()?;
        let header =
            Ipv4Header { total_len: whole.len(), more_fragments: false, fragment_offset: 0, ..first };
        header.emit(whole.get_mut(..first.header_len)?);
        Some(whole)
    }

    fn reassemble(&mut self, key: Key, fragment: Fragment, cx: &mut Cx) -> Option<(Buf, u8)> {
        let outcome = self.reassembly.add(key, fragment, cx.now);
        for _ in 0..self.reassembly.take_evicted() {
            cx.dropped(LAYER, "reassembly full");
        }
        match outcome {
            Outcome::Kept => None,
            Outcome::Whole { packet, protocol } => {
                cx.note(LAYER, "reassembled", || {
                    format!("all fragments from {} came: {} bytes", key.source, packet.len())
                });
                Some((packet, protocol))
            }
            Outcome::Dropped(reason) => {
                cx.dropped(LAYER, reason);
                None
            }
        }
    }

    fn deliver_ipv4(&mut self, mut packet: Buf, arrival: &Arrival<Ipv4Addr>, cx: &mut Cx) {
        // A packet put together again has the first fragment's options, not the last one's.
        let offset = Ipv4Header::read(&packet).map_or(arrival.offset, |header| header.header_len);
        match arrival.protocol {
            protocol if protocol != TCP && self.is_for_another(arrival) => {
                cx.dropped(LAYER, "not for me");
            }
            TCP | UDP => self.hand_up(packet, &Arrival { offset, ..*arrival }.widened(), cx),
            icmpv4::PROTOCOL => {
                packet.advance(offset);
                self.hear_icmpv4(packet, arrival, cx);
            }
            _ => {
                cx.dropped(LAYER, "protocol unknown");
                self.complain(&packet, Complaint::ProtocolUnreachable { pointer: 9 }, cx);
            }
        }
    }

    fn hand_up(&mut self, mut packet: Buf, arrival: &Arrival<IpAddr>, cx: &mut Cx) {
        // A connection has two ends (RFC 9293, section 3.9.2.3).
        if arrival.group && arrival.protocol == TCP {
            return cx.dropped(LAYER, "TCP to a group");
        }
        packet.advance(arrival.offset);
        packet.label_mut().hop_limit = Some(arrival.hop_limit);
        let segment = Segment::new(packet, arrival.source, arrival.destination, arrival.protocol);
        self.say_up(SegmentUp::Segment(segment), cx);
    }

    fn receive_ipv6(&mut self, mut packet: Buf, looped: bool, cx: &mut Cx) {
        let header = match Ipv6Header::parse(&packet) {
            Ok(header) => header,
            Err(error) => return cx.dropped(LAYER, error.reason()),
        };
        packet.truncate(ipv6::HEADER_LEN + header.payload_len);
        let Some(interface) = self.interface(packet.label().interface) else {
            return cx.dropped(LAYER, "interface unknown");
        };
        let destination = header.destination;
        let group = destination.is_multicast();
        let listened = interface.listens_to(destination.into(), self.config.forwarding);
        // A link-local address means something only on its link.
        let mine = if destination.is_unicast_link_local() {
            interface.owns(destination.into())
        } else {
            self.owns(destination.into())
        };
        if looped {
            return self.take_ipv6(packet, &header, group, cx);
        }
        let is_mine = self.owns(header.source.into()) && !may_object(&packet, &header);
        if is_mine || is_martian_source_v6(header.source) {
            return cx.dropped(LAYER, "martian source");
        }
        if is_martian_destination_v6(destination) {
            return cx.dropped(LAYER, "martian destination");
        }
        match (group, listened) {
            (true, true) => self.take_ipv6(packet, &header, true, cx),
            (true, false) => cx.ignored(LAYER, "group not listened to"),
            _ if is_group_frame(&packet) => cx.dropped(LAYER, "unicast packet in a group frame"),
            _ if mine || self.config.takes_all_tcp => self.take_ipv6(packet, &header, false, cx),
            _ if self.config.forwarding => self.forward_ipv6(packet, &header, cx),
            _ => cx.dropped(LAYER, "not for me"),
        }
    }

    /// An IPv6 packet for us: along its extension headers to a fragment or to the payload.
    fn take_ipv6(&mut self, packet: Buf, header: &Ipv6Header, group: bool, cx: &mut Cx) {
        let chain = extension::walk(&packet, header.next_header, ipv6::HEADER_LEN, 6, true);
        match chain {
            Err(halt) => self.halted(&packet, halt, cx),
            Ok(Chain::Upper { protocol, offset, named_at }) => {
                let arrival = arrival_v6(header, protocol, offset, group);
                self.deliver_ipv6(packet, &arrival, named_at, cx);
            }
            Ok(Chain::Fragment { fragment, offset }) => {
                if let Some((whole, from, at)) = self.reassemble_ipv6(packet, header, fragment, offset, cx) {
                    self.take_whole_ipv6(whole, header, from, at, group, cx);
                }
            }
        }
    }

    /// What was in fragments, from the header of type `first` at `offset` on.
    fn take_whole_ipv6(
        &mut self,
        packet: Buf,
        header: &Ipv6Header,
        first: u8,
        offset: usize,
        group: bool,
        cx: &mut Cx,
    ) {
        match extension::walk(&packet, first, offset, 6, false) {
            Err(halt) => self.halted(&packet, halt, cx),
            Ok(Chain::Fragment { .. }) => cx.dropped(LAYER, "fragment in a fragment"),
            Ok(Chain::Upper { protocol, offset, named_at }) => {
                let arrival = Arrival { fragmented: true, ..arrival_v6(header, protocol, offset, group) };
                self.deliver_ipv6(packet, &arrival, named_at, cx);
            }
        }
    }

    /// The whole packet, the type of its first header behind where the fragment header was, and where that is.
    fn reassemble_ipv6(
        &mut self,
        mut packet: Buf,
        header: &Ipv6Header,
        part: FragmentHeader,
        offset: usize,
        cx: &mut Cx,
    ) -> Option<(Buf, u8, usize)> {
        // A packet in one fragment is whole (RFC 6946).
        if part.fragment_offset == 0 && !part.more_fragments {
            return Some((packet, part.next_header, offset));
        }
        self.check_fragment_ipv6(&packet, part, offset, cx)?;
        let key = Key {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: 0,
            identification: part.identification,
        };
        packet.advance(offset);
        let fragment = Fragment {
            buf: packet,
            offset: part.fragment_offset,
            more_fragments: part.more_fragments,
            headers: offset,
            kept_headers: ipv6::HEADER_LEN,
            protocol: part.next_header,
        };
        let (mut whole, next_header) = self.reassemble(key, fragment, cx)?;
        let first = Ipv6Header::read(&whole).ok()?;
        let payload_len = whole.len().saturating_sub(ipv6::HEADER_LEN);
        Ipv6Header { payload_len, next_header, ..first }.emit(&mut whole);
        Some((whole, next_header, ipv6::HEADER_LEN))
    }

    /// What the source is told about its fragments (RFC 8200 section 4.5, RFC 7112 section 5).
    fn check_fragment_ipv6(
        &mut self,
        packet: &Buf,
        part: FragmentHeader,
        offset: usize,
        cx: &mut Cx,
    ) -> Option<()> {
        let length = packet.len().saturating_sub(offset);
        if part.fragment_offset == 0 && !has_upper_header(packet, part.next_header, offset) {
            cx.dropped(LAYER, "first fragment lacks its headers");
            self.complain(packet, Complaint::Parameter { code: 3, pointer: 0, even_for_group: false }, cx);
            return None;
        }
        // Both are dropped where they would be put together.
        let problem = |pointer| Complaint::Parameter { code: 0, pointer, even_for_group: false };
        if part.more_fragments && !length.is_multiple_of(8) {
            self.complain(packet, problem(ipv6::PAYLOAD_LENGTH_AT), cx);
        } else if part.fragment_offset + length > ipv6::LARGEST_PAYLOAD {
            let header = offset.saturating_sub(FragmentHeader::LEN);
            self.complain(packet, problem(header + FragmentHeader::OFFSET_AT), cx);
        }
        Some(())
    }

    fn deliver_ipv6(&mut self, mut packet: Buf, arrival: &Arrival<Ipv6Addr>, named_at: usize, cx: &mut Cx) {
        match arrival.protocol {
            // Only who looks for an address of its own may write from none (RFC 4291, section 2.5.2).
            protocol if arrival.source.is_unspecified() && protocol != ICMPV6 => {
                cx.dropped(LAYER, "martian source");
            }
            protocol if protocol != TCP && self.is_for_another(arrival) => {
                cx.dropped(LAYER, "not for me");
            }
            TCP | UDP => self.hand_up(packet, &arrival.widened(), cx),
            ICMPV6 => {
                packet.advance(arrival.offset);
                self.hear_icmpv6(packet, arrival, cx);
            }
            NO_NEXT_HEADER => cx.dropped(LAYER, "packet without payload"),
            _ => {
                cx.dropped(LAYER, "protocol unknown");
                self.complain(&packet, Complaint::ProtocolUnreachable { pointer: named_at }, cx);
            }
        }
    }

    /// Whether a packet was only taken because it could have been TCP.
    fn is_for_another<A: Copy + Into<IpAddr>>(&self, arrival: &Arrival<A>) -> bool {
        self.config.takes_all_tcp && !arrival.group && !self.owns(arrival.destination.into())
    }

    fn halted(&mut self, packet: &Buf, halt: Halt, cx: &mut Cx) {
        match halt {
            Halt::Malformed(error) => cx.dropped(LAYER, error.reason()),
            Halt::Drop(reason) => cx.dropped(LAYER, reason),
            Halt::Problem { code, pointer, reason, even_for_group } => {
                cx.dropped(LAYER, reason);
                self.complain(packet, Complaint::Parameter { code, pointer, even_for_group }, cx);
            }
        }
    }
}

impl<A: Copy + Into<IpAddr>> Arrival<A> {
    fn widened(&self) -> Arrival<IpAddr> {
        Arrival {
            source: self.source.into(),
            destination: self.destination.into(),
            protocol: self.protocol,
            hop_limit: self.hop_limit,
            offset: self.offset,
            group: self.group,
            fragmented: self.fragmented,
        }
    }
}

fn arrival_v6(header: &Ipv6Header, protocol: u8, offset: usize, group: bool) -> Arrival<Ipv6Addr> {
    Arrival {
        source: header.source,
        destination: header.destination,
        protocol,
        hop_limit: header.hop_limit,
        offset,
        group,
        fragmented: false,
    }
}

/// Whether the first fragment holds all headers up to that of the protocol above IP.
fn has_upper_header(packet: &[u8], first: u8, offset: usize) -> bool {
    let Ok(Chain::Upper { protocol, offset, .. }) = extension::walk(packet, first, offset, 6, false) else {
        return false;
    };
    let needed = match protocol {
        TCP => 20,
        UDP | ICMPV6 => 8,
        _ => 0,
    };
    packet.len() >= offset + needed
}

/// Whether the frame around it was for more than us: then nothing in it is for us alone (RFC 1122, section 3.3.6).
pub(crate) fn is_group_frame(packet: &Buf) -> bool {
    !matches!(packet.label().next_hop, NextHop::Neighbour(_))
}

/// Addresses that no packet on a wire can come from (RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7).
fn is_martian_source_v4(source: Ipv4Addr) -> bool {
    let first = source.octets()[0];
    first == 0 || first == 127 || first >= 224
}

fn is_martian_destination_v4(destination: Ipv4Addr) -> bool {
    let first = destination.octets()[0];
    first == 0 || first == 127 || (first >= 240 && !destination.is_broadcast())
}

/// The unspecified address is judged where the protocol is known: neighbour discovery needs it.
fn is_martian_source_v6(source: Ipv6Addr) -> bool {
    source.is_multicast() || source.is_loopback() || source.to_ipv4_mapped().is_some()
}

/// Whether it may be a neighbour advertisement to everybody: from our own address it comes of another station that has it, too,
/// and that is how it says so (RFC 4861, section 7.2.4; RFC 4862, section 5.4.4).
fn may_object(packet: &[u8], header: &Ipv6Header) -> bool {
    header.next_header == ICMPV6
        && header.destination == ipv6::ALL_NODES
        && packet.get(ipv6::HEADER_LEN) == Some(&NEIGHBOUR_ADVERTISEMENT)
}

fn is_martian_destination_v6(destination: Ipv6Addr) -> bool {
    // Groups of scope 0 and 1 never leave their node (RFC 4291, section 2.7).
    let node_local_group = destination.is_multicast() && destination.segments()[0] & 0x0f <= 1;
    destination.is_unspecified()
        || destination.is_loopback()
        || node_local_group
        || destination.to_ipv4_mapped().is_some()
}

/// Whether a packet with these addresses stays on its link (RFC 3927 section 7, RFC 4291 section 2.5.6).
pub(crate) fn stays_on_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_unspecified(),
    }
}

/// The smallest header of an IP packet.
pub(crate) const SMALLEST_HEADER: usize = ipv4::HEADER_LEN;
