//! ICMP said: what a source is told about its packets. RFC 1122 section 3.2.2, RFC 1812 section 4.3,
//! RFC 4443 section 2.4 (never about an error, a group's packet, or a later fragment; and not too often).
//! What is heard is in `heard.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::buf::{Label, NextHop, Offload};
use framewise_core::read::u8_at;
use framewise_core::seams::segment::{ErrorKind, Segment};
use framewise_core::{Buf, Cx};

use crate::extension::{self, Chain, ICMPV6};
use crate::inbound::is_group_frame;
use crate::ipv4::{self, Ipv4Header};
use crate::ipv6::{self, Ipv6Header};
use crate::layer::{Ip, LAYER};
use crate::outbound::Outgoing;
use crate::{icmpv4, icmpv6};

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    NetworkUnreachable,
    HostUnreachable,
    /// The byte at `pointer` names a protocol that is not spoken here.
    ProtocolUnreachable {
        pointer: usize,
    },
    PortUnreachable,
    Prohibited,
    TooBig {
        mtu: usize,
    },
    TimeExceeded,
    FragmentsMissing,
    Parameter {
        code: u8,
        pointer: usize,
        even_for_group: bool,
    },
}

impl Complaint {
    /// The one that says in which way something can't be reached; of what is no such thing, the mildest.
    pub(crate) fn unreachable(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::HostUnreachable => Complaint::HostUnreachable,
            ErrorKind::PortUnreachable => Complaint::PortUnreachable,
            ErrorKind::Prohibited => Complaint::Prohibited,
            ErrorKind::TimeExceeded => Complaint::TimeExceeded,
            ErrorKind::NetworkUnreachable
            | ErrorKind::ProtocolUnreachable
            | ErrorKind::TooBig { .. }
            | ErrorKind::ParameterProblem => Complaint::NetworkUnreachable,
        }
    }

    /// Type, code and the four bytes after the checksum (RFC 792; RFC 1191 section 4).
    fn as_icmpv4(self) -> (u8, u8, [u8; 4]) {
        let unreachable = |code| (icmpv4::DESTINATION_UNREACHABLE, code, [0; 4]);
        match self {
            Complaint::NetworkUnreachable => unreachable(0),
            Complaint::HostUnreachable => unreachable(1),
            Complaint::ProtocolUnreachable { .. } => unreachable(2),
            Complaint::PortUnreachable => unreachable(3),
            Complaint::Prohibited => unreachable(13),
            Complaint::TooBig { mtu } => {
                (icmpv4::DESTINATION_UNREACHABLE, 4, (mtu.min(65_535) as u32).to_be_bytes())
            }
            Complaint::TimeExceeded => (icmpv4::TIME_EXCEEDED, 0, [0; 4]),
            Complaint::FragmentsMissing => (icmpv4::TIME_EXCEEDED, 1, [0; 4]),
            Complaint::Parameter { pointer, .. } => (icmpv4::PARAMETER_PROBLEM, 0, [pointer as u8, 0, 0, 0]),
        }
    }

    /// The same in the words of RFC 4443, section 3.
    fn as_icmpv6(self) -> (u8, u8, [u8; 4]) {
        let unreachable = |code| (icmpv6::DESTINATION_UNREACHABLE, code, [0; 4]);
        let problem =
            |code, pointer: usize| (icmpv6::PARAMETER_PROBLEM, code, (pointer as u32).to_be_bytes());
        match self {
            Complaint::NetworkUnreachable => unreachable(0),
            Complaint::HostUnreachable => unreachable(3),
            Complaint::PortUnreachable => unreachable(4),
            Complaint::Prohibited => unreachable(1),
            Complaint::TooBig { mtu } => (icmpv6::PACKET_TOO_BIG, 0, (mtu as u32).to_be_bytes()),
            Complaint::TimeExceeded => (icmpv6::TIME_EXCEEDED, 0, [0; 4]),
            Complaint::FragmentsMissing => (icmpv6::TIME_EXCEEDED, 1, [0; 4]),
            Complaint::ProtocolUnreachable { pointer } => problem(1, pointer),
            Complaint::Parameter { code, pointer, .. } => problem(code, pointer),
        }
    }

    /// Whether it is said even about a packet for many (RFC 4443, section 2.4 (e.3)).
    fn is_for_group(self) -> bool {
        matches!(self, Complaint::TooBig { .. } | Complaint::Parameter { even_for_group: true, .. })
    }
}

impl Ip {
    /// Tells the source of `about` what is wrong with it, if it may be told; whether it was.
    pub(crate) fn complain(&mut self, about: &Buf, complaint: Complaint, cx: &mut Cx) -> bool {
        match about.first().map(|byte| byte >> 4) {
            Some(4) => self.complain_ipv4(about, complaint, cx),
            Some(6) => self.complain_ipv6(about, complaint, cx),
            _ => false,
        }
    }

    fn complain_ipv4(&mut self, about: &Buf, complaint: Complaint, cx: &mut Cx) -> bool {
        let Ok(header) = Ipv4Header::read(about) else {
            return false;
        };
        if is_group_frame(about) || !self.may_complain_ipv4(about, &header) || !self.has_token(cx) {
            return false;
        }
        let Some(IpAddr::V4(source)) =
            self.complaint_source(header.destination.into(), header.source.into(), cx)
        else {
            return false;
        };
        let (kind, code, rest) = complaint.as_icmpv4();
        let message = icmpv4::error(kind, code, rest, about);
        self.send_icmpv4(message, source, header.source, cx);
        true
    }

    fn may_complain_ipv4(&self, about: &[u8], header: &Ipv4Header) -> bool {
        let is_group = |address: Ipv4Addr| {
            address.is_multicast() || self.interfaces.iter().any(|interface| interface.is_broadcast(address))
        };
        let about_error = header.protocol == icmpv4::PROTOCOL
            && u8_at(about, header.header_len).is_none_or(icmpv4::is_error);
        let whom = header.source;
        !(is_group(whom) || whom.is_unspecified() || is_group(header.destination))
            && header.fragment_offset == 0
            && !about_error
    }

    fn complain_ipv6(&mut self, about: &Buf, complaint: Complaint, cx: &mut Cx) -> bool {
        let Ok(header) = Ipv6Header::read(about) else {
            return false;
        };
        let for_group = header.destination.is_multicast() || is_group_frame(about);
        let whom = header.source;
        if (for_group && !complaint.is_for_group()) || whom.is_multicast() || whom.is_unspecified() {
            return false;
        }
        if may_be_error(about, &header) || !self.has_token(cx) {
            return false;
        }
        let Some(IpAddr::V6(source)) = self.complaint_source(header.destination.into(), whom.into(), cx)
        else {
            return false;
        };
        let (kind, code, rest) = complaint.as_icmpv6();
        let message = icmpv6::message(kind, code, rest, about, source, whom);
        let interface = Some(about.label().interface);
        let hop_limit = self.config.hop_limit;
        let out =
            Outgoing { source, destination: whom, protocol: ICMPV6, hop_limit, whole: false, interface };
        self.send_icmpv6(message, &out, cx);
        true
    }

    fn has_token(&mut self, cx: &mut Cx) -> bool {
        let granted = self.errors.take(cx.now);
        if !granted {
            cx.dropped(LAYER, "ICMP errors rate-limited");
        }
        granted
    }

    /// The address to complain from: the one the packet was for, if it is ours (RFC 4443, section 2.2).
    fn complaint_source(&self, destination: IpAddr, whom: IpAddr, cx: &Cx) -> Option<IpAddr> {
        if self.owns(destination) || destination.is_loopback() {
            return Some(destination);
        }
        self.source_for(whom, cx.now).map(|(source, _)| source)
    }

    pub(crate) fn send_icmpv4(
        &mut self,
        mut message: Buf,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        cx: &mut Cx,
    ) {
        relabel(&mut message, source.into(), destination.into(), icmpv4::PROTOCOL);
        let hop_limit = self.config.hop_limit;
        let protocol = icmpv4::PROTOCOL;
        let out = Outgoing { source, destination, protocol, hop_limit, whole: false, interface: None };
        if self.send_ipv4(message, &out, cx).is_err() {
            cx.dropped(LAYER, "no route for an ICMP message");
        }
    }

    pub(crate) fn send_icmpv6(&mut self, mut message: Buf, out: &Outgoing<Ipv6Addr>, cx: &mut Cx) {
        relabel(&mut message, out.source.into(), out.destination.into(), ICMPV6);
        if self.send_ipv6(message, out, cx).is_err() {
            cx.dropped(LAYER, "no route for an ICMP message");
        }
    }

    /// What `segment` was for can't be reached, says the transport.
    pub(crate) fn unreachable(&mut self, segment: Segment, complaint: Complaint, cx: &mut Cx) {
        let mut packet = segment.0;
        restore_header(&mut packet);
        if !self.complain(&packet, complaint, cx) {
            cx.dropped(LAYER, "no ICMP error for this");
        }
    }

    /// Datagrams whose fragments did not all come in time.
    pub(crate) fn expire_fragments(&mut self, cx: &mut Cx) {
        for first in self.reassembly.expire(cx.now) {
            cx.dropped(LAYER, "fragments missing");
            if let Some(first) = first {
                self.complain(&first, Complaint::FragmentsMissing, cx);
            }
        }
    }
}

/// A message of ours in a buffer that may have held another's.
fn relabel(message: &mut Buf, source: IpAddr, destination: IpAddr, protocol: u8) {
    let label = message.label_mut();
    label.source = source;
    label.destination = destination;
    label.protocol = protocol;
    label.hop_limit = None;
    label.next_hop = NextHop::Neighbour(destination);
    label.offload = Offload::default();
}

/// Whether this is an ICMPv6 error, about which nobody complains (RFC 4443, section 2.4, e.1): a later fragment does not tell.
fn may_be_error(about: &[u8], header: &Ipv6Header) -> bool {
    match extension::walk(about, header.next_header, ipv6::HEADER_LEN, 6, true) {
        Ok(Chain::Upper { protocol, offset, .. }) => {
            protocol == ICMPV6 && u8_at(about, offset).is_none_or(icmpv6::is_error)
        }
        Ok(Chain::Fragment { fragment, offset }) => {
            let tells = fragment.fragment_offset == 0;
            fragment.next_header == ICMPV6
                && !(tells && u8_at(about, offset).is_some_and(|kind| !icmpv6::is_error(kind)))
        }
        Err(_) => false,
    }
}

/// Puts the IP header in front of an inbound segment again. On its way up it was only passed over, so it is still in
/// the headroom; where the bytes there are not the header of this segment (it had options, or the transport hands
/// back a copy) a header with the same addresses is made.
fn restore_header(segment: &mut Buf) {
    let label = segment.label().clone();
    let length = segment.len();
    match (label.source, label.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            segment.prepend(ipv4::HEADER_LEN);
            let genuine = Ipv4Header::parse(segment).is_ok_and(|known| {
                (known.source, known.destination, known.protocol) == (source, destination, label.protocol)
                    && (known.header_len, known.total_len) == (ipv4::HEADER_LEN, segment.len())
            });
            if !genuine {
                made_ipv4(source, destination, &label, length)
                    .emit(segment.get_mut(..ipv4::HEADER_LEN).unwrap_or_default());
            }
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            segment.prepend(ipv6::HEADER_LEN);
            let made = Ipv6Header {
                traffic_class: 0,
                flow_label: 0,
                payload_len: length,
                next_header: label.protocol,
                hop_limit: label.hop_limit.unwrap_or(1),
                source,
                destination,
            };
            let genuine = Ipv6Header::parse(segment)
                .is_ok_and(|known| Ipv6Header { traffic_class: 0, flow_label: 0, ..known } == made);
            if !genuine {
                made.emit(segment);
            }
        }
        _ => {}
    }
}

fn made_ipv4(source: Ipv4Addr, destination: Ipv4Addr, label: &Label, length: usize) -> Ipv4Header {
    Ipv4Header {
        header_len: ipv4::HEADER_LEN,
        traffic_class: 0,
        total_len: ipv4::HEADER_LEN + length,
        identification: 0,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        time_to_live: label.hop_limit.unwrap_or(1),
        protocol: label.protocol,
        source,
        destination,
    }
}
