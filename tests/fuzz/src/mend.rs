//! Checksums put right after an edit: they tell damage from data, not a forger from a peer.

use std::net::IpAddr;

use framewise::core::checksum::Sum;
use framewise::ethernet::frame::HEADER_LENGTH;
use framewise::ip::{Ipv4Header, Ipv6Header};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Puts all checksums of a frame right that can be found.
pub fn frame(frame: &mut [u8]) {
    let Some(packet) = frame.get_mut(HEADER_LENGTH..) else { return };
    ipv4_header(packet);
    if let Ok(header) = Ipv4Header::read(packet) {
        let ends = [header.source.into(), header.destination.into()];
        // A part of a packet has a part of its checksum's bytes.
        if let Some(rest) = packet.get_mut(header.header_len..header.total_len)
            && !header.is_fragment()
        {
            transport(rest, ends, header.protocol);
        }
    } else if let Ok(header) = Ipv6Header::read(packet) {
        let ends = [header.source.into(), header.destination.into()];
        if let Some(rest) = packet.get_mut(40..40 + header.payload_len) {
            transport(rest, ends, header.next_header);
        }
    }
}

/// Puts the checksum of an IPv4 header right.
pub fn ipv4_header(packet: &mut [u8]) {
    let Some(&first) = packet.first().filter(|first| **first >> 4 == 4) else { return };
    let length = usize::from(first & 0x0f) * 4;
    if let Some(header) = packet.get_mut(..length) {
        sum_at(header, 10, Sum::default());
    }
}

/// Puts the checksum of what IP carries right.
pub fn transport(bytes: &mut [u8], [source, destination]: [IpAddr; 2], protocol: u8) {
    let field = match protocol {
        ICMP => return sum_at(bytes, 2, Sum::default()),
        TCP => 16,
        UDP => 6,
        ICMPV6 => 2,
        _ => return,
    };
    let mut pseudo = Sum::default();
    pseudo.add_pseudo_header(source, destination, protocol, bytes.len());
    sum_at(bytes, field, pseudo);
    // UDP has no checksum of 0: that means none (RFC 768).
    if protocol == UDP
        && let Some(sum) = bytes.get_mut(6..8)
        && *sum == [0, 0]
    {
        sum.fill(0xff);
    }
}

/// Writes the sum of all of `bytes`, and of what was added before, into the two bytes at `field`.
pub fn sum_at(bytes: &mut [u8], field: usize, mut sum: Sum) {
    let Some(place) = bytes.get_mut(field..field + 2) else { return };
    place.fill(0);
    sum.add(bytes);
    if let Some(place) = bytes.get_mut(field..field + 2) {
        place.copy_from_slice(&sum.checksum().to_be_bytes());
    }
}
