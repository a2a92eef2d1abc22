//! The TCP header: read from bytes, written to bytes.
//!
//! Read RFC 9293 sections 3.1 (header) and 3.2 (options), RFC 7323 section 2 (window scale) and 3 (timestamps), RFC 2018
//! sections 2 and 3 (selective acknowledgments) before changing this file.

use std::fmt;
use std::net::IpAddr;
use std::ops::{BitOr, Range};

use framewise_core::checksum::Sum;
use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::seams::segment::TCP;

use crate::sequence::SeqNumber;

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;
/// Bytes of the longest header: the data offset counts up to 15 words.
pub const MAX_HEADER_LEN: usize = 60;
/// The largest shift that a window scale option means (RFC 7323, section 2.3).
pub const MAX_WINDOW_SCALE: u8 = 14;

/// Why bytes are no TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The bytes end inside the header.
    #[error("tcp: at offset {offset} {needed} bytes are needed, {found} are there")]
    TooShort {
        /// Where the header begins.
        offset: usize,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes there are.
        found: usize,
    },
    /// The data offset is below the five words that every header has.
    #[error("tcp: at offset {offset} the data offset is {found} words, at least {needed} are needed")]
    DataOffset {
        /// Where the field is.
        offset: usize,
        /// The least it may be.
        needed: usize,
        /// What it is.
        found: usize,
    },
}

/// The control bits (RFC 9293, section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Flags = Flags(0x01);
    /// The sequence number is the first of the connection.
    pub const SYN: Flags = Flags(0x02);
    /// The connection is broken off.
    pub const RST: Flags = Flags(0x04);
    /// Hand the data on without waiting for more.
    pub const PSH: Flags = Flags(0x08);
    /// The acknowledgment number counts.
    pub const ACK: Flags = Flags(0x10);
    /// The urgent pointer counts.
    pub const URG: Flags = Flags(0x20);
    /// The sender heard of congestion (RFC 3168).
    pub const ECE: Flags = Flags(0x40);
    /// The sender slowed down (RFC 3168).
    pub const CWR: Flags = Flags(0x80);

    /// Whether all of `flags` are set.
    pub fn has(self, flags: Flags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The same without `flags`.
    pub fn without(self, flags: Flags) -> Flags {
        Flags(self.0 & !flags.0)
    }

    /// The names of those that are set, in the order of the header's bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        (0..8).rev().filter(move |bit| self.0 & (1 << bit) != 0).filter_map(|bit| NAMES.get(bit).copied())
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().enumerate() {
            f.write_str(if n == 0 { "" } else { " " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The options that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The largest payload that the sender takes (SYN only). Never 0: such an option counts as absent.
    pub maximum_segment_size: Option<u16>,
    /// By how many bits the sender's windows are to be shifted (SYN only), at most 14.
    pub window_scale: Option<u8>,
    /// Whether the sender understands selective acknowledgments (SYN only).
    pub sack_permitted: bool,
    /// Blocks that came though something before them is missing: first byte, and first byte after.
    pub sack: [Option<(SeqNumber, SeqNumber)>; 4],
    /// Timestamp value and echo reply.
    pub timestamps: Option<(u32, u32)>,
}

/// The largest payload that may be sent to an address whose SYN names none (RFC 9293, section 3.7.1, MUST-15).
pub fn default_segment_size(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => 536,
        IpAddr::V6(_) => 1_220,
    }
}

/// A TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Header {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The place of the first payload byte (or of the SYN) in the sender's stream.
    pub sequence: SeqNumber,
    /// The next byte that the sender expects; counts with ACK.
    pub acknowledgment: SeqNumber,
    /// The control bits.
    pub flags: Flags,
    /// How much more the sender takes, not shifted yet.
    pub window: u16,
    /// The checksum as it stands.
    pub checksum: u16,
    /// The urgent pointer; counts with URG.
    pub urgent_pointer: u16,
    /// The options.
    pub options: Options,
    /// Bytes of the header, options included: where the payload begins.
    pub length: usize,
}

impl Header {
    /// Reads the header at the beginning of `segment`.
    ///
    /// Options with an impossible length end the list, as if nothing came after; unknown ones are skipped.
    pub fn parse(segment: &[u8]) -> Result<Header, ParseError> {
        let too_short = |needed| ParseError::TooShort { offset: 0, needed, found: segment.len() };
        let fixed = segment.first_chunk::<HEADER_LEN>().ok_or(too_short(HEADER_LEN))?;
        let words = usize::from(fixed[12] >> 4);
        let length = words * 4;
        if length < HEADER_LEN {
            return Err(ParseError::DataOffset { offset: 12, needed: HEADER_LEN / 4, found: words });
        }
        let options = segment.get(HEADER_LEN..length).ok_or(too_short(length))?;
        Ok(Header {
            source_port: u16::from_be_bytes([fixed[0], fixed[1]]),
            destination_port: u16::from_be_bytes([fixed[2], fixed[3]]),
            sequence: SeqNumber(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            acknowledgment: SeqNumber(u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])),
            flags: Flags(fixed[13]),
            window: u16::from_be_bytes([fixed[14], fixed[15]]),
            checksum: u16::from_be_bytes([fixed[16], fixed[17]]),
            urgent_pointer: u16::from_be_bytes([fixed[18], fixed[19]]),
            options: Options::parse(options),
            length,
        })
    }

    /// Bytes that [`emit`](Self::emit) writes.
    pub fn emitted_len(&self) -> usize {
        HEADER_LEN + self.options.emitted_len()
    }

    /// Writes the header to the beginning of `segment`, which has at least [`emitted_len`](Self::emitted_len)
    /// bytes. `length` is not looked at; the checksum is written as it stands.
    pub fn emit(&self, segment: &mut [u8]) {
        let length = self.emitted_len();
        let (fixed, options) = segment[..length].split_at_mut(HEADER_LEN);
        fixed[0..2].copy_from_slice(&self.source_port.to_be_bytes());
        fixed[2..4].copy_from_slice(&self.destination_port.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.sequence.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.acknowledgment.0.to_be_bytes());
        fixed[12] = ((length / 4) as u8) << 4;
        fixed[13] = self.flags.0;
        fixed[14..16].copy_from_slice(&self.window.to_be_bytes());
        fixed[16..18].copy_from_slice(&self.checksum.to_be_bytes());
        fixed[18..20].copy_from_slice(&self.urgent_pointer.to_be_bytes());
        self.options.emit(options);
    }

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }

    /// Sequence numbers that the segment takes up with this much payload: SYN and FIN take one each.
    pub fn sequence_len(&self, payload: usize) -> usize {
        payload + usize::from(self.has(Flags::SYN)) + usize::from(self.has(Flags::FIN))
    }
}

/// One option as it stands in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawOption<'a> {
    /// The option's kind.
    pub kind: u8,
    /// Where it stands among the option bytes.
    pub range: Range<usize>,
    /// Its data, without kind and length.
    pub data: &'a [u8],
}

/// The kinds of options (IANA, TCP parameters).
pub mod kind {
    /// End of the list.
    pub const END: u8 = 0;
    /// Nothing: fills up.
    pub const NO_OPERATION: u8 = 1;
    /// Maximum segment size.
    pub const MAXIMUM_SEGMENT_SIZE: u8 = 2;
    /// Window scale.
    pub const WINDOW_SCALE: u8 = 3;
    /// Selective acknowledgments permitted.
    pub const SACK_PERMITTED: u8 = 4;
    /// Selective acknowledgment.
    pub const SACK: u8 = 5;
    /// Timestamps.
    pub const TIMESTAMPS: u8 = 8;
}

/// Walks over the options in `bytes`. What has an impossible length ends the walk.
pub fn walk_options(bytes: &[u8]) -> impl Iterator<Item = RawOption<'_>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let start = offset;
        let kind = u8_at(bytes, start)?;
        let end = match kind {
            kind::END => bytes.len(),
            kind::NO_OPERATION => start + 1,
            _ => start + usize::from(u8_at(bytes, start + 1).filter(|length| *length >= 2)?),
        };
        let whole = bytes.get(start..end)?;
        offset = end;
        let data = match kind {
            kind::END | kind::NO_OPERATION => &[],
            _ => whole.get(2..).unwrap_or(&[]),
        };
        Some(RawOption { kind, range: start..end, data })
    })
}

impl Options {
    fn parse(bytes: &[u8]) -> Options {
        let mut options = Options::default();
        for RawOption { kind, data, .. } in walk_options(bytes) {
            match (kind, data.len()) {
                (kind::MAXIMUM_SEGMENT_SIZE, 2) => {
                    options.maximum_segment_size = u16_at(data, 0).filter(|size| *size > 0);
                }
                (kind::WINDOW_SCALE, 1) => {
                    options.window_scale = u8_at(data, 0).map(|shift| shift.min(MAX_WINDOW_SCALE));
                }
                (kind::SACK_PERMITTED, 0) => options.sack_permitted = true,
                (kind::SACK, 8 | 16 | 24 | 32) => {
                    for (block, place) in data.chunks_exact(8).zip(&mut options.sack) {
                        *place = sack_block(block);
                    }
                }
                (kind::TIMESTAMPS, 8) => options.timestamps = u32_at(data, 0).zip(u32_at(data, 4)),
                _ => {}
            }
        }
        options
    }

    fn emitted_len(&self) -> usize {
        let sack = 8 * self.sack.iter().flatten().count();
        let plain = 4 * usize::from(self.maximum_segment_size.is_some())
            + 4 * usize::from(self.window_scale.is_some())
            + 4 * usize::from(self.sack_permitted)
            + 12 * usize::from(self.timestamps.is_some());
        plain + if sack == 0 { 0 } else { 4 + sack }
    }

    /// Each option fills whole words, with no-operations in front, as in RFC 7323 appendix A.
    fn emit(&self, bytes: &mut [u8]) {
        let mut rest = bytes;
        let mut put = |parts: [&[u8]; 2]| {
            for part in parts {
                let (here, behind) = std::mem::take(&mut rest).split_at_mut(part.len());
                here.copy_from_slice(part);
                rest = behind;
            }
        };
        if let Some(size) = self.maximum_segment_size {
            put([&[kind::MAXIMUM_SEGMENT_SIZE, 4], &size.to_be_bytes()]);
        }
        if let Some(shift) = self.window_scale {
            put([&[kind::NO_OPERATION, kind::WINDOW_SCALE, 3], &[shift]]);
        }
        if self.sack_permitted {
            put([&[kind::NO_OPERATION; 2], &[kind::SACK_PERMITTED, 2]]);
        }
        if let Some((value, echo)) = self.timestamps {
            put([&[kind::NO_OPERATION; 2], &[kind::TIMESTAMPS, 10]]);
            put([&value.to_be_bytes(), &echo.to_be_bytes()]);
        }
        let blocks = self.sack.iter().flatten().count();
        if blocks > 0 {
            put([&[kind::NO_OPERATION; 2], &[kind::SACK, 2 + 8 * blocks as u8]]);
        }
        for (first, after) in self.sack.iter().flatten() {
            put([&first.0.to_be_bytes(), &after.0.to_be_bytes()]);
        }
    }
}

fn sack_block(block: &[u8]) -> Option<(SeqNumber, SeqNumber)> {
    Some((SeqNumber(u32_at(block, 0)?), SeqNumber(u32_at(block, 4)?)))
}

/// The sum over the pseudo-header and `segment` (RFC 9293, section 3.1), as it stands.
pub fn sum(segment: &[u8], source: IpAddr, destination: IpAddr) -> Sum {
    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, TCP, segment.len());
    sum.add(segment);
    sum
}
