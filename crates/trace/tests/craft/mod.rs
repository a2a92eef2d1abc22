//! Captures made by hand: packets by etherparse, files of the older format.
#![allow(dead_code, unreachable_pub)]

use etherparse::PacketBuilder;

pub const CLIENT: [u8; 4] = [192, 0, 2, 10];
pub const SERVER: [u8; 4] = [203, 0, 113, 80];
pub const CLIENT_PORT: u16 = 49_152;
pub const SERVER_PORT: u16 = 443;
/// Where the two streams begin: the numbers of the SYNs.
pub const NUMBERS: [u32; 2] = [u32::MAX - 700, 5_000];

/// LINKTYPE_ETHERNET and LINKTYPE_RAW.
pub const ETHERNET: u32 = 1;
pub const RAW: u32 = 101;

/// A file of these frames, a millisecond after one another.
pub fn pcap(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(262_144_u32.to_le_bytes());
    file.extend(link_type.to_le_bytes());
    for (number, frame) in (1_u32..).zip(frames) {
        file.extend(number.div_euclid(1_000).to_le_bytes());
        file.extend((number % 1_000 * 1_000).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend(frame);
    }
    file
}

/// Which bytes of a stream a segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// 0: the client sends it.
    pub side: usize,
    pub at: usize,
    pub length: usize,
}

/// An Ethernet frame with a segment of one of the two streams.
pub fn segment(streams: &[Vec<u8>; 2], cut: Cut) -> Vec<u8> {
    let number = NUMBERS[cut.side].wrapping_add(1).wrapping_add(cut.at as u32);
    let builder = ethernet(cut.side);
    let ports = ports(cut.side);
    let tcp = builder.tcp(ports.0, ports.1, number, 65_000).ack(NUMBERS[1 - cut.side].wrapping_add(1));
    let mut frame = Vec::new();
    tcp.write(&mut frame, &streams[cut.side][cut.at..cut.at + cut.length]).unwrap();
    frame
}

/// The SYN of one side; the server's acknowledges the client's.
pub fn syn(side: usize) -> Vec<u8> {
    let ports = ports(side);
    let tcp = ethernet(side).tcp(ports.0, ports.1, NUMBERS[side], 65_000).syn();
    let mut frame = Vec::new();
    match side {
        0 => tcp.write(&mut frame, &[]).unwrap(),
        _ => tcp.ack(NUMBERS[0].wrapping_add(1)).write(&mut frame, &[]).unwrap(),
    }
    frame
}

fn ports(side: usize) -> (u16, u16) {
    if side == 0 { (CLIENT_PORT, SERVER_PORT) } else { (SERVER_PORT, CLIENT_PORT) }
}

pub fn ethernet(side: usize) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    let macs = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
    let addresses = [CLIENT, SERVER];
    PacketBuilder::ethernet2(macs[side], macs[1 - side]).ipv4(addresses[side], addresses[1 - side], 64)
}

/// The frame's IPv4 packet in fragments of at most `size` bytes of payload, which is a multiple of 8.
pub fn fragments(frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (ethernet, packet) = frame.split_at(14);
    let (header, payload) = packet.split_at(20);
    let count = payload.len().div_ceil(size);
    let part = |(number, piece): (usize, &[u8])| {
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&(20 + piece.len() as u16).to_be_bytes());
        header[4..6].copy_from_slice(&77_u16.to_be_bytes());
        let more = if number + 1 < count { 0x2000 } else { 0 };
        header[6..8].copy_from_slice(&((number * size / 8) as u16 | more).to_be_bytes());
        header[10..12].fill(0);
        let sum = framewise_core::checksum::checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [ethernet, &header, piece].concat()
    };
    payload.chunks(size).enumerate().map(part).collect()
}
