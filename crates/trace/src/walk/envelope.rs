//! What wraps what in one frame: the sizes of its headers, and whose stream its payload belongs to.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use framewise_core::read::{u8_at, u16_at};
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{Ipv4Header, Ipv6Header};
use framewise_tcp::Header;

/// The headers of a frame that carries a TCP segment.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// Bytes of the Ethernet header.
    pub(crate) ethernet: usize,
    /// Bytes of the IP header, options and extensions included.
    pub(crate) ip: usize,
    /// Bytes of the TCP header, options included.
    pub(crate) tcp: usize,
    /// Where the segment's payload is in the frame.
    pub(crate) payload: Range<usize>,
    /// From whom.
    pub(crate) source: SocketAddr,
    /// To whom.
    pub(crate) destination: SocketAddr,
    /// The TCP header.
    pub(crate) header: Header,
}

impl Envelope {
    /// The envelope of this frame, if it carries a TCP segment.
    pub(crate) fn of(frame: &[u8]) -> Option<Self> {
        let ethernet = framewise_ethernet::describe(frame).ok()?;
        let packet = frame.get(ethernet.payload.clone())?;
        let ip = framewise_ip::describe(packet).ok()?;
        let (source, destination, protocol) = addresses(packet)?;
        if protocol != TCP {
            return None;
        }
        let segment = packet.get(ip.payload.clone())?;
        let header = Header::parse(segment).ok()?;
        let tcp = usize::from(u8_at(segment, 12)? >> 4) * 4;
        let begin = ethernet.payload.start + ip.payload.start;
        Some(Envelope {
            ethernet: ethernet.payload.start,
            ip: ip.payload.start,
            tcp,
            payload: begin + tcp..begin + segment.len(),
            source: SocketAddr::new(source, header.source_port),
            destination: SocketAddr::new(destination, header.destination_port),
            header,
        })
    }

    /// Where the TCP segment is in the frame.
    pub(crate) fn segment(&self) -> Range<usize> {
        self.payload.start - self.tcp..self.payload.end
    }

    /// Where the IP packet is in the frame.
    pub(crate) fn packet(&self) -> Range<usize> {
        self.ethernet..self.payload.end
    }
}

/// The name of the protocol that a frame is about, for people: the innermost that says what it is for.
pub(crate) fn protocol(frame: &[u8]) -> &'static str {
    let Ok(ethernet) = framewise_ethernet::describe(frame) else { return "?" };
    let Some(packet) = frame.get(ethernet.payload.clone()) else { return "?" };
    let Ok(ip) = framewise_ip::describe(packet) else {
        return framewise_ethernet::describe_arp(packet).map_or("?", |arp| arp.protocol);
    };
    let payload = packet.get(ip.payload).unwrap_or_default();
    match addresses(packet) {
        Some((_, _, TCP)) => "TCP",
        Some((_, _, UDP))
            if [u16_at(payload, 0), u16_at(payload, 2)].contains(&Some(framewise_dns::PORT)) =>
        {
            "DNS"
        }
        Some((_, _, UDP)) => "UDP",
        Some(_) => framewise_ip::describe_icmpv6(payload).map_or("ICMP", |icmp| icmp.protocol),
        None => "?",
    }
}

fn addresses(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8)> {
    if let Ok(header) = Ipv4Header::read(packet) {
        return Some((header.source.into(), header.destination.into(), header.protocol));
    }
    let header = Ipv6Header::read(packet).ok()?;
    Some((header.source.into(), header.destination.into(), header.next_header))
}
