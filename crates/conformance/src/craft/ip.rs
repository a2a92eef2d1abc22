//! IPv4 packets (RFC 791), IPv6 packets (RFC 8200), ICMP (RFC 792) and ICMPv6 (RFC 4443).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::checksum::{Sum, checksum};

/// An IPv4 header to be written, with what most packets leave alone preset.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4 {
    /// From whom.
    pub source: Ipv4Addr,
    /// To whom.
    pub destination: Ipv4Addr,
    /// What is inside: 1 ICMP, 6 TCP, 17 UDP.
    pub protocol: u8,
    /// How many routers it may still pass.
    pub ttl: u8,
    /// Which datagram its fragments belong to.
    pub identification: u16,
    /// Whether more fragments follow, and where this one begins, in units of 8 bytes.
    pub fragment: (bool, u16),
}

impl Ipv4 {
    /// A whole packet with a TTL of 64.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8) -> Self {
        Ipv4 { source, destination, protocol, ttl: 64, identification: 1, fragment: (false, 0) }
    }

    /// The packet's bytes.
    pub fn with(self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0];
        bytes.extend((20 + payload.len() as u16).to_be_bytes());
        bytes.extend(self.identification.to_be_bytes());
        let more = if self.fragment.0 { 0x2000 } else { 0 };
        bytes.extend((more | self.fragment.1).to_be_bytes());
        bytes.extend([self.ttl, self.protocol, 0, 0]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        let sum = checksum(&bytes);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes.extend(payload);
        bytes
    }
}

/// An IPv6 packet.
pub fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, next: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend([next, hop_limit]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend(payload);
    bytes
}

/// An ICMP message with its checksum; `rest` is what follows the checksum.
pub fn icmp(kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest);
    let sum = checksum(&bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// An ICMPv6 message with its checksum, which counts the addresses too (RFC 4443 section 2.3).
pub fn icmpv6(source: Ipv6Addr, destination: Ipv6Addr, kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest);
    let sum = transport_checksum(source.into(), destination.into(), 58, &bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// The checksum of TCP, UDP and ICMPv6 over `bytes`, whose own field must be zero.
pub fn transport_checksum(source: IpAddr, destination: IpAddr, protocol: u8, bytes: &[u8]) -> u16 {
    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, protocol, bytes.len());
    sum.add(bytes);
    sum.checksum()
}

/// Whether the checksum in `bytes` is right.
pub fn transport_checksum_is_right(source: IpAddr, destination: IpAddr, protocol: u8, bytes: &[u8]) -> bool {
    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, protocol, bytes.len());
    sum.add(bytes);
    sum.is_valid()
}
