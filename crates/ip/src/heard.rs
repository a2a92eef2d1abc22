//! ICMP heard: echo, and errors about what we sent. RFC 1122 section 3.2.2, RFC 4443 sections 2.4 and 4.2;
//! RFC 5927 (forged errors: the transport must judge them too), RFC 1191 and RFC 8201 (path MTU).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::seams::segment::{ErrorKind, SegmentError, SegmentEvent, TCP, UDP};
use framewise_core::{Buf, Cx};

use crate::extension::{self, Chain, ICMPV6};
use crate::icmpv4::{self, Icmpv4};
use crate::icmpv6::{self, Icmpv6};
use crate::inbound::{Arrival, SMALLEST_HEADER};
use crate::ipv4::Ipv4Header;
use crate::ipv6::{self, Ipv6Header};
use crate::layer::{Ip, LAYER};
use crate::messages::Complaint;
use crate::ndp::{Envelope, Ndp};
use crate::outbound::{Hop, Outgoing};
use crate::path_mtu;

/// An error quotes at least so much of the transport's header: the ports, and TCP's sequence number.
const LEAST_QUOTE: usize = 8;
/// More of it is not passed up.
const MOST_QUOTE: usize = 64;

impl Ip {
    pub(crate) fn hear_icmpv4(&mut self, mut message: Buf, arrival: &Arrival<Ipv4Addr>, cx: &mut Cx) {
        let parsed = match Icmpv4::parse(&message) {
            Ok(parsed) => parsed,
            Err(error) => return cx.dropped(LAYER, error.reason()),
        };
        match parsed {
            // RFC 1122 section 3.2.2.6 allows silence here; an answer would make us part of a smurf attack.
            Icmpv4::EchoRequest(_) if arrival.group => cx.dropped(LAYER, "echo request to a group"),
            Icmpv4::EchoRequest(_) => {
                icmpv4::turn_into_reply(&mut message);
                self.send_icmpv4(message, arrival.destination, arrival.source, cx);
            }
            Icmpv4::EchoReply(echo) => note_echo(arrival.source.into(), echo, message.len(), cx),
            Icmpv4::Error(kind) => {
                self.hear_error(kind, &message, arrival.source.into(), arrival.destination.into(), cx)
            }
            Icmpv4::Other { kind: icmpv4::REDIRECT } => cx.dropped(LAYER, "redirect not followed"),
            Icmpv4::Other { .. } => cx.dropped(LAYER, "ICMP type not spoken"),
        }
    }

    pub(crate) fn hear_icmpv6(&mut self, mut message: Buf, arrival: &Arrival<Ipv6Addr>, cx: &mut Cx) {
        let parsed = match Icmpv6::parse(&message, arrival.source, arrival.destination) {
            Ok(parsed) => parsed,
            Err(error) => return cx.dropped(LAYER, error.reason()),
        };
        if arrival.source.is_unspecified() && parsed != Icmpv6::Neighbour {
            return cx.dropped(LAYER, "martian source");
        }
        match parsed {
            // What a switch filters by is in the first piece, and may hide in the second (RFC 6980, section 5).
            Icmpv6::Neighbour if arrival.fragmented => cx.dropped(LAYER, "NDP in fragments"),
            Icmpv6::Neighbour => {
                let envelope = Envelope {
                    source: arrival.source,
                    destination: arrival.destination,
                    hop_limit: arrival.hop_limit,
                };
                match Ndp::parse(&message, envelope) {
                    Ok(ndp) => self.hear_ndp(ndp, message.label().interface, envelope, cx),
                    Err(error) => cx.dropped(LAYER, error.reason()),
                }
            }
            Icmpv6::EchoRequest(_) if arrival.group => cx.dropped(LAYER, "echo request to a group"),
            Icmpv6::EchoRequest(_) => {
                icmpv6::turn_into_reply(&mut message, arrival.destination, arrival.source);
                let out = Outgoing {
                    source: arrival.destination,
                    destination: arrival.source,
                    protocol: ICMPV6,
                    hop_limit: self.config.hop_limit,
                    whole: false,
                    interface: Some(message.label().interface),
                };
                self.send_icmpv6(message, &out, cx);
            }
            Icmpv6::EchoReply(echo) => note_echo(arrival.source.into(), echo, message.len(), cx),
            Icmpv6::Error(kind) => {
                self.hear_error(kind, &message, arrival.source.into(), arrival.destination.into(), cx)
            }
            Icmpv6::Other { .. } => cx.dropped(LAYER, "ICMPv6 type not spoken"),
        }
    }

    /// An error from `reporter` to `told` about the packet that it quotes.
    fn hear_error(&mut self, kind: ErrorKind, message: &[u8], reporter: IpAddr, told: IpAddr, cx: &mut Cx) {
        let quoted = match quote(message.get(icmpv4::HEADER_LEN..).unwrap_or_default()) {
            Ok(quoted) => quoted,
            Err(reason) => return cx.dropped(LAYER, reason),
        };
        if quoted.source != told
            || !(self.owns(told) || told.is_loopback())
            || quoted.destination.is_multicast()
        {
            return cx.dropped(LAYER, "ICMP error about another's packet");
        }
        let kind = match kind {
            ErrorKind::TooBig { mtu } => match self.believe_too_big(&quoted, mtu, cx) {
                Some(mtu) => ErrorKind::TooBig { mtu },
                None => return cx.dropped(LAYER, "path MTU not plausible"),
            },
            other => other,
        };
        let error = quoted.as_error(kind, reporter);
        self.event(SegmentEvent::Error(error), cx);
    }

    /// The MTU of the path that this packet of ours did not fit, if that can be true.
    fn believe_too_big(&mut self, quoted: &Quoted<'_>, reported: usize, cx: &mut Cx) -> Option<usize> {
        let hop = self.hop(quoted.source, quoted.destination, None)?;
        let Hop::Link { mtu: link, .. } = hop else {
            return None;
        };
        match (quoted.protocol, quoted.destination) {
            // Whether that segment is in flight only TCP knows (RFC 5927, section 7.2): nothing is remembered here.
            (TCP, destination) => path_mtu::plausible(destination, quoted.length, reported, link),
            // Routers may split our datagrams over IPv4: none is ever too big.
            (_, IpAddr::V4(_)) => None,
            (_, IpAddr::V6(destination)) => {
                let current = self.path_mtus.lookup(destination, link, cx.now);
                let mtu = path_mtu::plausible(destination.into(), quoted.length, reported, current)?;
                self.path_mtus.remember(destination, mtu, cx.now);
                cx.note(LAYER, "path mtu", || format!("at most {mtu} bytes get through to {destination}"));
                Some(mtu)
            }
        }
    }

    /// Ethernet could not deliver this packet.
    pub(crate) fn undelivered(&mut self, packet: Buf, cx: &mut Cx) {
        let quoted = match quote(&packet) {
            Ok(quoted) if self.owns(quoted.source) => quoted,
            Err(_) if self.is_from_us(&packet) => return cx.dropped(LAYER, "own message not delivered"),
            _ => {
                cx.dropped(LAYER, "next hop does not answer");
                self.complain(&packet, Complaint::HostUnreachable, cx);
                return;
            }
        };
        let error = quoted.as_error(ErrorKind::HostUnreachable, quoted.source);
        cx.dropped(LAYER, "next hop does not answer");
        self.event(SegmentEvent::Error(error), cx);
    }

    fn is_from_us(&self, packet: &[u8]) -> bool {
        match packet.first().map(|byte| byte >> 4) {
            Some(4) => Ipv4Header::read(packet).is_ok_and(|header| self.owns(header.source.into())),
            Some(6) => Ipv6Header::read(packet)
                .is_ok_and(|header| header.source.is_unspecified() || self.owns(header.source.into())),
            _ => false,
        }
    }
}

fn note_echo(from: IpAddr, echo: icmpv4::Echo, length: usize, cx: &mut Cx) {
    let number = echo.sequence_number;
    cx.note(LAYER, "echo", || format!("{from} answers echo {number} with {length} bytes"));
}

/// The beginning of a packet of ours, as somebody quotes it.
struct Quoted<'a> {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Of the whole packet.
    length: usize,
    /// The beginning of its segment or datagram.
    transport: &'a [u8],
}

impl Quoted<'_> {
    fn as_error(&self, kind: ErrorKind, reporter: IpAddr) -> SegmentError {
        SegmentError {
            kind,
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            quoted: self.transport.get(..MOST_QUOTE).unwrap_or(self.transport).to_vec(),
            reporter,
        }
    }
}

/// Reads a quoted packet, of which only the beginning need be there.
fn quote(packet: &[u8]) -> Result<Quoted<'_>, &'static str> {
    if packet.len() < SMALLEST_HEADER {
        return Err("ICMP error quotes no packet");
    }
    let quoted = match packet.first().map(|byte| byte >> 4) {
        Some(4) => quote_ipv4(packet)?,
        Some(6) => quote_ipv6(packet)?,
        _ => return Err("ICMP error quotes no packet"),
    };
    if !matches!(quoted.protocol, TCP | UDP) {
        return Err("ICMP error about no transport");
    }
    if quoted.transport.len() < LEAST_QUOTE {
        return Err("ICMP error quotes too little");
    }
    Ok(quoted)
}

fn quote_ipv4(packet: &[u8]) -> Result<Quoted<'_>, &'static str> {
    let header = Ipv4Header::read(packet).map_err(|_| "ICMP error quotes no packet")?;
    if header.fragment_offset > 0 {
        return Err("ICMP error about a later fragment");
    }
    Ok(Quoted {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol: header.protocol,
        length: header.total_len,
        transport: packet.get(header.header_len..).unwrap_or_default(),
    })
}

fn quote_ipv6(packet: &[u8]) -> Result<Quoted<'_>, &'static str> {
    let header = Ipv6Header::read(packet).map_err(|_| "ICMP error quotes no packet")?;
    let chain = extension::walk(packet, header.next_header, ipv6::HEADER_LEN, 6, true);
    let (protocol, offset) = match chain {
        Ok(Chain::Upper { protocol, offset, .. }) => (protocol, offset),
        Ok(Chain::Fragment { fragment, offset }) if fragment.fragment_offset == 0 => {
            (fragment.next_header, offset)
        }
        Ok(Chain::Fragment { .. }) => return Err("ICMP error about a later fragment"),
        Err(_) => return Err("ICMP error quotes too little"),
    };
    Ok(Quoted {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol,
        length: ipv6::HEADER_LEN + header.payload_len,
        transport: packet.get(offset..).unwrap_or_default(),
    })
}
