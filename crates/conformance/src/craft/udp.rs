//! UDP datagrams (RFC 768).

use std::net::SocketAddr;

use framewise_core::Buf;
use framewise_core::seams::segment::{Segment, SegmentUp, UDP};

use super::ip::transport_checksum;

/// A datagram's bytes with the right checksum.
pub fn bytes(source: SocketAddr, destination: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut bytes = without_checksum(source, destination, data);
    let sum = transport_checksum(source.ip(), destination.ip(), UDP, &bytes);
    // 0 means "no checksum", so the other zero of ones' complement stands for it (RFC 768).
    let sum = if sum == 0 { 0xffff } else { sum };
    bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A datagram's bytes whose sender computed no checksum.
pub fn without_checksum(source: SocketAddr, destination: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + data.len());
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes.extend((8 + data.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(data);
    bytes
}

/// These bytes as they come from IP.
pub fn heard(source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> SegmentUp {
    let buf = Buf::copy_from_slice(bytes);
    SegmentUp::Segment(Segment::new(buf, source.ip(), destination.ip(), UDP))
}
