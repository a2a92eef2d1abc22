//! What offload leaves to the device, done in software: checksums, and cutting a super-segment into frames.
//!
//! Read first: RFC 9293 sections 3.1 (header, checksum) and 3.4 (sequence numbers), RFC 791 section 3.1,
//! RFC 8200 sections 3, 4 and 8.1, RFC 3168 section 6.1.2 (CWR is said once), RFC 6864 (the IPv4 identification).
//!
//! ```text
//!   Eth │ IP │ TCP seq=1000 FIN PSH │ 3,000 bytes         segment_size 1,460
//!     ▼
//!   Eth │ IP │ TCP seq=1000         │ 1,460 bytes
//!   Eth │ IP │ TCP seq=2460         │ 1,460 bytes
//!   Eth │ IP │ TCP seq=3920 FIN PSH │    80 bytes
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, Offload};
use framewise_core::checksum::{Sum, checksum};
use framewise_core::read::{array_at, u8_at, u16_at, u32_at};
use framewise_core::seams::frame::Frame;
use framewise_core::seams::segment::{TCP, UDP};
use thiserror::Error;

use crate::{HEADER, VLAN_TAG};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const ICMPV6: u8 = 58;

/// TCP's flags, in the 14th byte of its header (RFC 9293, section 3.1).
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const CWR: u8 = 0x80;

/// Extension headers that are walked before a packet counts as nonsense.
const EXTENSION_HEADERS: usize = 8;

/// Why a frame's offload facts can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OffloadError {
    /// The frame ends within a header.
    #[error("{layer}: needs {needed} bytes from byte {offset} of the frame, which has {found} there")]
    TooShort {
        /// Whose header.
        layer: &'static str,
        /// Where it begins.
        offset: usize,
        /// Its length.
        needed: usize,
        /// What is there.
        found: usize,
    },
    /// The type of the frame is none that has checksums to complete.
    #[error("ethernet: offload needs IPv4 or IPv6, not type {found:#06x}")]
    NotIp {
        /// The type.
        found: u16,
    },
    /// The checksum can't be where the facts say.
    #[error(
        "the facts put a checksum at byte {found} of the frame, its protocol {protocol} has it at {expected}"
    )]
    WrongField {
        /// The protocol above IP.
        protocol: u8,
        /// Where its checksum is.
        expected: usize,
        /// Where the facts say it is.
        found: usize,
    },
    /// This protocol above IP has no checksum that we know, or can't be cut.
    #[error("protocol {found} above IP can't be offloaded")]
    Protocol {
        /// Its number.
        found: u8,
    },
    /// Segments of no bytes.
    #[error("a segment size of 0 would never end")]
    ZeroSegmentSize,
}

/// Does what the frame's offload facts leave to the device: gives whole frames with all checksums in them.
/// A frame without such facts passes as it is.
///
/// # Errors
/// The facts don't fit the bytes. The frame is gone: whoever calls counts a drop.
pub fn complete(frame: Frame) -> Result<Completed, OffloadError> {
    let facts = frame.offload();
    let partial = matches!(facts.checksum, ChecksumState::Partial { .. });
    if facts.segment_size.is_none() && !partial {
        return Ok(Completed::Whole(Some(frame)));
    }
    let headers = Headers::of(&frame)?;
    if let ChecksumState::Partial { start, field } = facts.checksum {
        headers.check(&frame, start, field)?;
    }
    match facts.segment_size {
        Some(0) => Err(OffloadError::ZeroSegmentSize),
        Some(size) if headers.payload(&frame)?.len() > usize::from(size) => {
            Ok(Completed::Cut(Cut { sent: 0, size: usize::from(size), frame, headers }))
        }
        _ => {
            let mut frame = frame;
            if partial {
                headers.fill_checksum(&mut frame);
            }
            frame.label_mut().offload = Offload::default();
            Ok(Completed::Whole(Some(frame)))
        }
    }
}

/// How much of a super-frame is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of all headers together: what stands in front of each of its pieces.
    pub headers: usize,
    /// Bytes of TCP's payload.
    pub payload: usize,
    /// Whether it is IPv4, else IPv6.
    pub is_ipv4: bool,
}

/// Measures a frame that somebody else is to cut.
///
/// # Errors
/// It is no whole frame of TCP.
pub fn extent(frame: &[u8]) -> Result<Extent, OffloadError> {
    let headers = Headers::of(frame)?;
    let payload = headers.payload(frame)?.len();
    Ok(Extent { headers: headers.payload, payload, is_ipv4: headers.source.is_ipv4() })
}

/// The frames that one frame with offload facts stands for.
#[derive(Debug)]
pub enum Completed {
    /// One, in the same buffer.
    Whole(Option<Frame>),
    /// Several.
    Cut(Cut),
}

/// A super-segment on its way into frames.
#[derive(Debug)]
pub struct Cut {
    frame: Frame,
    headers: Headers,
    size: usize,
    sent: usize,
}

impl Iterator for Completed {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        match self {
            Completed::Whole(frame) => frame.take(),
            Completed::Cut(cut) => cut.next_frame(),
        }
    }
}

impl Cut {
    fn next_frame(&mut self) -> Option<Frame> {
        let payload = self.frame.get(self.headers.payload..self.headers.end)?;
        let rest = payload.get(self.sent..).filter(|rest| !rest.is_empty())?;
        let piece = rest.get(..self.size).unwrap_or(rest);
        let last = piece.len() == rest.len();

        let mut buf = Buf::with_capacity(self.headers.payload + piece.len());
        let front = self.frame.get(..self.headers.payload)?;
        buf.append(front.len()).copy_from_slice(front);
        buf.append(piece.len()).copy_from_slice(piece);
        let mut frame = Frame::new(buf, self.frame.interface());
        let headers = Headers { end: frame.len(), ..self.headers };
        headers.write_lengths(&mut frame, self.sent.div_ceil(self.size));
        headers.write_tcp(&mut frame, self.sent, last);
        headers.fill_checksum(&mut frame);
        self.sent += piece.len();
        Some(frame)
    }
}

/// Where a frame's headers are.
#[derive(Debug, Clone, Copy)]
struct Headers {
    ip: usize,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Where the transport header begins.
    transport: usize,
    /// Where TCP's payload begins; for other protocols that of the transport header.
    payload: usize,
    /// Where the packet ends: padding follows.
    end: usize,
}

impl Headers {
    fn of(frame: &[u8]) -> Result<Self, OffloadError> {
        let tagged = u16_at(frame, 12) == Some(VLAN);
        let ip = if tagged { HEADER + VLAN_TAG } else { HEADER };
        let kind = u16_at(frame, ip - 2).ok_or(too_short("ethernet", frame, 0, ip))?;
        let headers = match kind {
            IPV4 => Self::of_ipv4(frame, ip).ok_or(too_short("IPv4", frame, ip, 20)),
            IPV6 => Self::of_ipv6(frame, ip).ok_or(too_short("IPv6", frame, ip, 40)),
            found => Err(OffloadError::NotIp { found }),
        }?;
        headers.with_payload(frame)
    }

    fn of_ipv4(frame: &[u8], ip: usize) -> Option<Self> {
        let header = usize::from(u8_at(frame, ip)? & 0x0f) * 4;
        let end = ip + usize::from(u16_at(frame, ip + 2)?);
        let transport = ip + header.max(20);
        Some(Headers {
            ip,
            source: Ipv4Addr::from(array_at(frame, ip + 12)?).into(),
            destination: Ipv4Addr::from(array_at(frame, ip + 16)?).into(),
            protocol: u8_at(frame, ip + 9)?,
            transport,
            payload: transport,
            end: Self::end(frame, ip, end),
        })
    }

    fn of_ipv6(frame: &[u8], ip: usize) -> Option<Self> {
        let end = ip + 40 + usize::from(u16_at(frame, ip + 4)?);
        let mut protocol = u8_at(frame, ip + 6)?;
        let mut transport = ip + 40;
        for _ in 0..EXTENSION_HEADERS {
            // Hop-by-hop, routing and destination options count in units of 8 bytes (RFC 8200, section 4).
            if !matches!(protocol, 0 | 43 | 60) {
                break;
            }
            protocol = u8_at(frame, transport)?;
            transport += 8 + usize::from(u8_at(frame, transport + 1)?) * 8;
        }
        Some(Headers {
            ip,
            source: Ipv6Addr::from(array_at::<16>(frame, ip + 8)?).into(),
            destination: Ipv6Addr::from(array_at::<16>(frame, ip + 24)?).into(),
            protocol,
            transport,
            payload: transport,
            end: Self::end(frame, ip, end),
        })
    }

    /// Where the packet ends. A super-segment over 64 KiB has no room for its length in the field and writes 0.
    fn end(frame: &[u8], ip: usize, by_field: usize) -> usize {
        let unsaid = by_field <= ip + 40 && frame.len() > usize::from(u16::MAX);
        if unsaid { frame.len() } else { by_field.min(frame.len()) }
    }

    fn with_payload(mut self, frame: &[u8]) -> Result<Self, OffloadError> {
        if self.protocol == TCP {
            let offset = u8_at(frame, self.transport + 12)
                .ok_or(too_short("TCP", frame, self.transport, 20))
                .map(|byte| usize::from(byte >> 4) * 4)?;
            self.payload = self.transport + offset.max(20);
        }
        if self.payload > self.end {
            let layer = if self.protocol == TCP { "TCP" } else { "IP" };
            return Err(too_short(layer, frame, self.transport, self.payload - self.transport));
        }
        Ok(self)
    }

    /// Where the checksum of the protocol above IP is, counted from its header.
    fn checksum_field(&self) -> Result<usize, OffloadError> {
        match self.protocol {
            TCP => Ok(16),
            UDP => Ok(6),
            ICMPV6 => Ok(2),
            found => Err(OffloadError::Protocol { found }),
        }
    }

    /// Whether the facts and the bytes speak of the same checksum. `start` counts in the buffer's whole room.
    fn check(&self, frame: &Frame, start: u16, field: u16) -> Result<(), OffloadError> {
        let expected = self.transport + self.checksum_field()?;
        let found = (usize::from(start) + usize::from(field)).checked_sub(frame.position());
        if found == Some(expected) && expected + 2 <= self.end {
            return Ok(());
        }
        Err(OffloadError::WrongField { protocol: self.protocol, expected, found: found.unwrap_or_default() })
    }

    /// What is cut: TCP's payload.
    fn payload<'f>(&self, frame: &'f [u8]) -> Result<&'f [u8], OffloadError> {
        if self.protocol != TCP {
            return Err(OffloadError::Protocol { found: self.protocol });
        }
        let needed = self.payload - self.transport;
        frame.get(self.payload..self.end).ok_or(too_short("TCP", frame, self.transport, needed))
    }

    /// Writes the transport checksum. What stood in its field does not count.
    fn fill_checksum(&self, frame: &mut [u8]) {
        let Ok(field) = self.checksum_field() else { return };
        let at = self.transport + field;
        put(frame, at, [0, 0]);
        let mut sum = Sum::default();
        sum.add_pseudo_header(self.source, self.destination, self.protocol, self.end - self.transport);
        sum.add(frame.get(self.transport..self.end).unwrap_or_default());
        // In UDP a zero would mean "none", so its other form is sent (RFC 768).
        let value = match sum.checksum() {
            0 if self.protocol == UDP => 0xffff,
            value => value,
        };
        put(frame, at, value.to_be_bytes());
    }

    /// Writes the length of this piece into the IP header. `piece` counts the pieces before it.
    fn write_lengths(&self, frame: &mut [u8], piece: usize) {
        if self.source.is_ipv6() {
            let length = (self.end - self.ip - 40) as u16;
            put(frame, self.ip + 4, length.to_be_bytes());
            return;
        }
        let length = (self.end - self.ip) as u16;
        put(frame, self.ip + 2, length.to_be_bytes());
        let identification = u16_at(frame, self.ip + 4).unwrap_or_default();
        put(frame, self.ip + 4, identification.wrapping_add(piece as u16).to_be_bytes());
        put(frame, self.ip + 10, [0, 0]);
        let sum = checksum(frame.get(self.ip..self.transport).unwrap_or_default());
        put(frame, self.ip + 10, sum.to_be_bytes());
    }

    /// Writes the sequence number of the piece that begins at byte `sent` of the payload, and its flags: the
    /// end of the stream and the push belong to the last piece, the answer to congestion to the first.
    fn write_tcp(&self, frame: &mut [u8], sent: usize, last: bool) {
        let sequence = u32_at(frame, self.transport + 4).unwrap_or_default();
        put(frame, self.transport + 4, sequence.wrapping_add(sent as u32).to_be_bytes());
        let mut flags = u8_at(frame, self.transport + 13).unwrap_or_default();
        if !last {
            flags &= !(FIN | PSH);
        }
        if sent > 0 {
            flags &= !CWR;
        }
        put(frame, self.transport + 13, [flags]);
    }
}

fn put<const N: usize>(frame: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = frame.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

fn too_short(layer: &'static str, frame: &[u8], offset: usize, needed: usize) -> OffloadError {
    OffloadError::TooShort { layer, offset, needed, found: frame.len().saturating_sub(offset) }
}
