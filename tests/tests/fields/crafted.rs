//! Frames made here, for fields that no capture of ours has.

mod icmp;
mod ip;
mod names;
mod pages;
mod records;

use std::net::{Ipv4Addr, Ipv6Addr};

use framewise::core::checksum::Sum;
use framewise::ethernet::{ArpPacket, Operation};
use framewise::ip::{Ipv4Header, Ipv6Header};

const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const THERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 80);
const HERE_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10);
const THERE_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x80);

/// A capture of these frames: pcap, Ethernet, all at the same moment.
pub(crate) fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1_u32] {
        file.extend(word.to_le_bytes());
    }
    for frame in frames {
        let length = u32::try_from(frame.len()).expect("a short frame");
        for word in [0, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

/// The frames.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    [links(), ip::frames(), icmp::frames(), names::frames(), records::frames(), pages::frames()].concat()
}

/// ARP of each kind, frames with padding, a trailer, a tag, and one of the older kind.
fn links() -> Vec<Vec<u8>> {
    let mac = [2, 0, 0, 0, 0, 1].into();
    let announcement = ArpPacket::announcement(mac, HERE);
    let gratuitous = ArpPacket { operation: Operation::Reply, ..announcement };
    let kinds = [ArpPacket::probe(mac, HERE), announcement, gratuitous];
    let mut frames: Vec<_> = kinds.iter().map(|arp| ethernet(0x0806, &arp.to_bytes())).collect();
    let mut padded = frames[0].clone();
    padded.resize(60, 0);
    let mut trailed = ethernet(0x0800, &packet(17, &udp(4000, 4001, &[7; 40])));
    // Four bytes would be taken for a check sequence.
    trailed.extend([1, 2, 3]);
    let tag = [&[0x60, 100, 0x08, 0x00][..], &packet(17, &udp(4000, 4001, b"tagged"))].concat();
    let older = ethernet(38, &[&[0x42, 0x42, 3][..], &[0; 43]].concat());
    frames.extend([padded, trailed, ethernet(0x8100, &tag), older]);
    frames
}

fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &kind.to_be_bytes(), payload].concat()
}

/// An IPv4 packet from here to there.
fn packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    with_header(Ipv4Header { protocol, ..header() }, payload)
}

fn header() -> Ipv4Header {
    Ipv4Header {
        header_len: 20,
        traffic_class: 0,
        total_len: 0,
        identification: 7,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        time_to_live: 64,
        protocol: 17,
        source: HERE,
        destination: THERE,
    }
}

fn with_header(header: Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let total_len = header.header_len + payload.len();
    let mut bytes = vec![0; header.header_len];
    Ipv4Header { total_len, ..header }.emit(&mut bytes);
    bytes.extend(payload);
    bytes
}

/// An IPv6 packet from here to there.
fn packet_6(next_header: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    let header = Ipv6Header {
        traffic_class: 0xb9,
        flow_label: 0x12345,
        payload_len: payload.len(),
        next_header,
        hop_limit,
        source: HERE_6,
        destination: THERE_6,
    };
    header.emit(&mut bytes);
    bytes.extend(payload);
    bytes
}

/// A datagram with its checksum for IPv4.
fn udp(source: u16, destination: u16, data: &[u8]) -> Vec<u8> {
    let length = (8 + data.len()) as u16;
    let words = [source, destination, length, 0].map(u16::to_be_bytes).concat();
    summed([words, data.to_vec()].concat(), 6, 17)
}

/// A segment with these options and flags, with its checksum for IPv4.
fn tcp(ports: [u16; 2], [reserved, flags]: [u8; 2], options: &[u8], data: &[u8]) -> Vec<u8> {
    let words = ((20 + options.len()) / 4) as u8;
    let mut bytes = ports.map(u16::to_be_bytes).concat();
    bytes.extend([0, 0, 1, 0, 0, 0, 2, 0, words << 4 | reserved, flags, 0xff, 0xff, 0, 0, 0, 9]);
    bytes.extend(options);
    bytes.extend(data);
    summed(bytes, 16, 6)
}

/// A frame with a segment that carries this much of a stream, of a connection that no other frame has.
fn stream(ports: [u16; 2], data: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &packet(6, &tcp(ports, [0, 0x18], &[], data)))
}

fn summed(mut bytes: Vec<u8>, at: usize, protocol: u8) -> Vec<u8> {
    let mut sum = Sum::default();
    sum.add_pseudo_header(HERE.into(), THERE.into(), protocol, bytes.len());
    sum.add(&bytes);
    bytes[at..at + 2].copy_from_slice(&sum.checksum().to_be_bytes());
    bytes
}
