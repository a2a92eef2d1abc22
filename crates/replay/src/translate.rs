//! A capture's numbers turned into those of the live host.
//!
//! A host draws its ports and its first sequence numbers anew where its seed or its clock is another. What the peer said in the
//! capture speaks of the numbers of then; before it is given to the live host, they are changed into those of now.
//!
//! Read first: RFC 1624 (a checksum that follows a change: one that was wrong stays wrong).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use framewise::core::read::{u8_at, u16_at, u32_at};
use framewise::dns;
use framewise::ethernet::{EtherType, FrameView};
use framewise::ip::{Ipv4Header, Ipv6Header, icmpv4, ipv6};
use framewise::tcp::segment::Flags;
use framewise::udp::header::never_zero;

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ETHERNET_HEADER: usize = 14;
/// The same in both versions.
const ICMP_HEADER: usize = 8;
/// From this type on, messages of ICMPv6 are no errors (RFC 4443, section 2.1).
const ICMPV6_INFORMATIONAL: u8 = 128;
/// In the place of a checksum that is not there; even, as those are.
const NO_SUM: usize = usize::MAX - 1;
/// The kind of the option with what came out of order (RFC 2018, section 3).
const SACK: u8 = 5;

/// Both ends of what a host sends: its port, and the other's address and port.
type Flow = (u8, u16, IpAddr, u16);

/// What is known of the live host's numbers.
#[derive(Debug, Default)]
pub(crate) struct Translation {
    flows: BTreeMap<Flow, Live>,
    /// Identifiers of questions to a name server, of then and now.
    questions: BTreeMap<(u16, u16), u16>,
}

/// The numbers of a flow in the live run.
#[derive(Clone, Copy, Debug)]
struct Live {
    port: u16,
    /// What is added to the capture's sequence numbers of the host.
    shift: u32,
}

impl Translation {
    /// Learns from a frame that the host sent in the capture, and the one that it sent in its place.
    pub(crate) fn learn(&mut self, then: &[u8], now: &[u8]) {
        let (Some(then), Some(now)) = (Transport::of(then), Transport::of(now)) else { return };
        if then.protocol != now.protocol || !matches!(then.protocol, TCP | UDP) {
            return;
        }
        let Some(port) = now.source_port() else { return };
        let Some(flow) = then.flow_of_sender() else { return };
        let shift = match then.protocol {
            TCP if !then.flags().has(Flags::SYN) => self.flows.get(&flow).map_or(0, |live| live.shift),
            TCP => now.sequence().wrapping_sub(then.sequence()),
            _ => 0,
        };
        self.flows.insert(flow, Live { port, shift });
        if let (UDP, dns::PORT) = (then.protocol, flow.3) {
            let identifier = |transport: &Transport<'_>| u16_at(transport.bytes, transport.at + 8);
            if let (Some(then), Some(now)) = (identifier(&then), identifier(&now)) {
                self.questions.insert((flow.1, then), now);
            }
        }
    }

    /// The frame as the peer would have sent it to the live host.
    pub(crate) fn apply(&self, frame: &[u8]) -> Vec<u8> {
        let mut bytes = frame.to_vec();
        let Some(transport) = Transport::of(frame) else { return bytes };
        match transport.protocol {
            TCP => self.segment(&transport, &mut bytes),
            UDP => self.datagram(&transport, &mut bytes),
            ICMP | ICMPV6 => self.quoted(&transport, &mut bytes),
            _ => {}
        }
        bytes
    }

    fn segment(&self, transport: &Transport<'_>, bytes: &mut [u8]) {
        let Some(live) = transport.flow_of_receiver().and_then(|flow| self.flows.get(&flow)) else { return };
        let at = transport.at;
        let sum = at + 16;
        put_u16(bytes, at + 2, live.port, sum);
        if !transport.flags().has(Flags::ACK) {
            return;
        }
        add_u32(bytes, at + 8, live.shift, sum);
        for edge in transport.sack_edges() {
            add_u32(bytes, edge, live.shift, sum);
        }
    }

    fn datagram(&self, transport: &Transport<'_>, bytes: &mut [u8]) {
        let Some(flow) = transport.flow_of_receiver() else { return };
        let Some(live) = self.flows.get(&flow) else { return };
        let at = transport.at;
        // A checksum of zero is none (RFC 768).
        let has_sum = u16_at(bytes, at + 6).is_some_and(|sum| sum != 0);
        let sum = if has_sum { at + 6 } else { NO_SUM };
        put_u16(bytes, at + 2, live.port, sum);
        let question = u16_at(bytes, at + 8).and_then(|then| self.questions.get(&(flow.1, then)));
        if let Some(&now) = question.filter(|_| flow.3 == dns::PORT) {
            put_u16(bytes, at + 8, now, sum);
        }
        if let Some(sum) = u16_at(bytes, at + 6).filter(|_| has_sum) {
            put_u16(bytes, at + 6, never_zero(sum), NO_SUM);
        }
    }

    /// An error quotes what the host has sent: its port, and its sequence number.
    fn quoted(&self, transport: &Transport<'_>, bytes: &mut [u8]) {
        let Some(quoted) = transport.quoted() else { return };
        let Some(live) = quoted.flow_of_sender().and_then(|flow| self.flows.get(&flow)) else { return };
        let sum = transport.at + 2;
        put_u16(bytes, quoted.at, live.port, sum);
        if quoted.protocol == TCP {
            add_u32(bytes, quoted.at + 4, live.shift, sum);
        }
    }
}

/// Where in a frame the transport's header is, and between whom.
struct Transport<'f> {
    bytes: &'f [u8],
    protocol: u8,
    at: usize,
    source: IpAddr,
    destination: IpAddr,
}

impl<'f> Transport<'f> {
    fn of(frame: &'f [u8]) -> Option<Self> {
        match FrameView::new(frame).ok()?.ethertype() {
            EtherType::IPV4 => Self::of_ipv4(frame, ETHERNET_HEADER),
            EtherType::IPV6 => Self::of_ipv6(frame, ETHERNET_HEADER),
            _ => None,
        }
    }

    /// What an ICMP error quotes, which is of the same version of IP.
    fn quoted(&self) -> Option<Self> {
        let (kind, begin) = (u8_at(self.bytes, self.at)?, self.at + ICMP_HEADER);
        match self.protocol {
            ICMP if icmpv4::is_error(kind) => Self::of_ipv4(self.bytes, begin),
            ICMPV6 if kind < ICMPV6_INFORMATIONAL => Self::of_ipv6(self.bytes, begin),
            _ => None,
        }
    }

    fn of_ipv4(frame: &'f [u8], begin: usize) -> Option<Self> {
        let header = Ipv4Header::read(frame.get(begin..)?).ok()?;
        // Only the first fragment has the ports.
        let has_ports = header.fragment_offset == 0;
        has_ports.then(|| Transport {
            bytes: frame,
            protocol: header.protocol,
            at: begin + header.header_len,
            source: header.source.into(),
            destination: header.destination.into(),
        })
    }

    fn of_ipv6(frame: &'f [u8], begin: usize) -> Option<Self> {
        let header = Ipv6Header::read(frame.get(begin..)?).ok()?;
        Some(Transport {
            bytes: frame,
            protocol: header.next_header,
            at: begin + ipv6::HEADER_LEN,
            source: header.source.into(),
            destination: header.destination.into(),
        })
    }

    fn source_port(&self) -> Option<u16> {
        u16_at(self.bytes, self.at)
    }

    fn flow_of_sender(&self) -> Option<Flow> {
        Some((self.protocol, self.source_port()?, self.destination, u16_at(self.bytes, self.at + 2)?))
    }

    fn flow_of_receiver(&self) -> Option<Flow> {
        Some((self.protocol, u16_at(self.bytes, self.at + 2)?, self.source, self.source_port()?))
    }

    fn sequence(&self) -> u32 {
        u32_at(self.bytes, self.at + 4).unwrap_or_default()
    }

    fn flags(&self) -> Flags {
        Flags(u8_at(self.bytes, self.at + 13).unwrap_or_default())
    }

    /// Where the edges of the blocks of a SACK option are.
    fn sack_edges(&self) -> Vec<usize> {
        let words = usize::from(u8_at(self.bytes, self.at + 12).unwrap_or_default() >> 4);
        let (begin, end) = (self.at + framewise::tcp::segment::HEADER_LEN, self.at + words * 4);
        let options = self.bytes.get(begin..end).unwrap_or_default();
        let sack = framewise::tcp::segment::walk_options(options).find(|option| option.kind == SACK);
        let place: Range<usize> =
            sack.map_or(0..0, |option| begin + option.range.start + 2..begin + option.range.end);
        place.step_by(4).collect()
    }
}

/// Writes a number of 16 bits, and has the checksum at `sum`, if there is one, follow.
fn put_u16(bytes: &mut [u8], at: usize, value: u16, sum: usize) {
    put(bytes, at, &value.to_be_bytes(), sum);
}

/// Adds to a number of 32 bits.
fn add_u32(bytes: &mut [u8], at: usize, shift: u32, sum: usize) {
    let Some(old) = u32_at(bytes, at) else { return };
    put(bytes, at, &old.wrapping_add(shift).to_be_bytes(), sum);
}

/// Writes bytes, and has a checksum follow: HC' = ~(~HC + ~m + m') (RFC 1624, section 3). Each byte is a half of a word by
/// itself, since options may stand at odd places.
fn put(bytes: &mut [u8], at: usize, new: &[u8], sum: usize) {
    let Some(end) = at.checked_add(new.len()) else { return };
    let Some(place) = bytes.get_mut(at..end).filter(|place| **place != *new) else { return };
    let mut change: u32 = 0;
    for (index, (place, new)) in (at..).zip(place.iter_mut().zip(new)) {
        let weight: u32 = if index % 2 == sum % 2 { 0x100 } else { 1 };
        change += 0xffff - u32::from(*place) * weight + u32::from(*new) * weight;
        *place = *new;
    }
    let Some(checksum) = Some(sum).filter(|sum| *sum < bytes.len()).and_then(|sum| u16_at(bytes, sum)) else {
        return;
    };
    let mut total = u32::from(!checksum) + change;
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    if let Some(place) = bytes.get_mut(sum..sum + 2) {
        place.copy_from_slice(&(!(total as u16)).to_be_bytes());
    }
}

#[cfg(test)]
#[path = "translate/tests.rs"]
mod tests;
