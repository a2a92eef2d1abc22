//! TCP segments (RFC 9293 section 3.1), written and read without any TCP.

use std::net::SocketAddr;

use framewise_core::Buf;
use framewise_core::buf::ChecksumState;
use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::seams::segment::{Segment, SegmentUp, TCP};

use super::ip::{transport_checksum, transport_checksum_is_right};

/// The sender has sent all.
pub const FIN: u8 = 0x01;
/// Begins a connection.
pub const SYN: u8 = 0x02;
/// Ends a connection at once.
pub const RST: u8 = 0x04;
/// Don't wait to deliver.
pub const PSH: u8 = 0x08;
/// The acknowledgment number counts.
pub const ACK: u8 = 0x10;

/// A segment, in the words of RFC 9293.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seg {
    /// From which port.
    pub source_port: u16,
    /// To which port.
    pub destination_port: u16,
    /// Sequence number of the first byte (or of the SYN).
    pub sequence: u32,
    /// The next sequence number expected.
    pub acknowledgment: u32,
    /// [`SYN`], [`ACK`], …
    pub flags: u8,
    /// Bytes that may come.
    pub window: u16,
    /// An MSS option to write (RFC 9293 section 3.7.1).
    pub maximum_segment_size: Option<u16>,
    /// The bytes.
    pub data: Vec<u8>,
}

impl Seg {
    /// A segment without data and with a wide window.
    pub fn new(from: u16, to: u16, flags: u8, sequence: u32, acknowledgment: u32) -> Self {
        Seg {
            source_port: from,
            destination_port: to,
            sequence,
            acknowledgment,
            flags,
            window: 60_000,
            maximum_segment_size: None,
            data: Vec::new(),
        }
    }

    /// The same with these bytes.
    pub fn with(mut self, data: &[u8]) -> Self {
        self.data = data.to_vec();
        self
    }

    /// The same with another window.
    pub fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }

    /// The same with an MSS option.
    pub fn maximum_segment_size(mut self, bytes: u16) -> Self {
        self.maximum_segment_size = Some(bytes);
        self
    }

    /// Whether all of these flags are set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The sequence number after this segment.
    pub fn end(&self) -> u32 {
        let counted = u32::from(self.has(SYN)) + u32::from(self.has(FIN));
        self.sequence.wrapping_add(self.data.len() as u32).wrapping_add(counted)
    }

    /// The bytes, checksum included.
    pub fn to_bytes(&self, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
        let words = if self.maximum_segment_size.is_some() { 6 } else { 5 };
        let mut bytes = Vec::with_capacity(24 + self.data.len());
        bytes.extend(self.source_port.to_be_bytes());
        bytes.extend(self.destination_port.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledgment.to_be_bytes());
        bytes.extend([words << 4, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0, 0, 0, 0]);
        if let Some(size) = self.maximum_segment_size {
            bytes.extend([2, 4]);
            bytes.extend(size.to_be_bytes());
        }
        bytes.extend(&self.data);
        let sum = transport_checksum(source.ip(), destination.ip(), TCP, &bytes);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// What `segment` says; `Err` tells what is wrong with it.
    pub fn read(segment: &Segment) -> Result<Self, String> {
        let complete = segment.offload().checksum == ChecksumState::Complete;
        if complete && !transport_checksum_is_right(segment.source(), segment.destination(), TCP, segment) {
            return Err("its checksum is wrong".into());
        }
        Seg::parse(segment).ok_or_else(|| "it is too short for the lengths in it".into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let header = usize::from(u8_at(bytes, 12)? >> 4) * 4;
        Some(Seg {
            source_port: u16_at(bytes, 0)?,
            destination_port: u16_at(bytes, 2)?,
            sequence: u32_at(bytes, 4)?,
            acknowledgment: u32_at(bytes, 8)?,
            flags: u8_at(bytes, 13)?,
            window: u16_at(bytes, 14)?,
            maximum_segment_size: None,
            data: bytes.get(header..).filter(|_| header >= 20)?.to_vec(),
        })
    }
}

/// These bytes as they come from IP.
pub fn heard(source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> SegmentUp {
    let buf = Buf::copy_from_slice(bytes);
    SegmentUp::Segment(Segment::new(buf, source.ip(), destination.ip(), TCP))
}
