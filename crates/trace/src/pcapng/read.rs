//! Reading captures, ours and others', pcapng and the older pcap, block by block.
//!
//! The lengths that a file claims are believed only up to [`LONGEST_BLOCK`]; one block is in memory at a time.
//! What is wrong is told with its offset in the file, and what was read before it was right.

use std::io::Read;

use framewise_core::read::{array_at, u32_at};
use pcap_parser::pcapng::{
    Block, DecryptionSecretsBlock, InterfaceDescriptionBlock, OptionCode, PcapNGOption, SecretsType,
    SimplePacketBlock, parse_block_be, parse_block_le, parse_sectionheaderblock,
};
use pcap_parser::{PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};

use super::custom;
use super::error::{ReadError, bad_length, malformed};
use super::item::{Interface, Item, Options, Packet, units_per_second};

/// Bytes of the longest block that is read: a packet of 256 KiB, the most that captures hold, with
/// long comments; or the secrets of some thousand connections.
pub const LONGEST_BLOCK: usize = 1_024 * 1_024;
/// Interfaces that one section may describe.
pub const MOST_INTERFACES: usize = 4_096;

/// Blocks of a trace's lines that are kept until somebody asks for them.
const MOST_TOLD: usize = 64;

/// A section's beginning; the same in both byte orders.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// The mark of the byte order in a section's header (draft-ietf-opsawg-pcapng, section 4.1).
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// The predecessor of enhanced packets (draft-ietf-opsawg-pcapng, appendix A), which old files have.
const OBSOLETE_PACKET: u32 = 2;
/// Type and length in front of a block, and the length after it again.
const SHORTEST_BLOCK: usize = 12;
/// The header of an older file, and that of each packet in it.
const PCAP_HEADER: usize = 24;
const PCAP_PACKET_HEADER: usize = 16;
/// What an interface's timestamps count where it doesn't say: microseconds (10⁻⁶ s).
const MICROSECONDS: u8 = 6;

/// Reads a capture, one packet at a time.
///
/// ```
/// use framewise_trace::{CaptureReader, Item};
/// # let file = {
/// #     use framewise_trace::{CaptureOptions, CaptureWriter};
/// #     CaptureWriter::new(Vec::new(), "me", CaptureOptions::default())?.finish()?
/// # };
/// let mut capture = CaptureReader::new(&file[..])?;
/// while let Some(item) = capture.next_item()? {
///     if let Item::Packet(packet) = item {
///         println!("{:?}: {} bytes", packet.time, packet.bytes.len());
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CaptureReader<R> {
    input: R,
    /// Where the next byte of the input stands in the file.
    offset: u64,
    /// The block that was read last.
    block: Vec<u8>,
    format: Format,
    interfaces: Vec<Interface>,
    /// Lines of a trace that stood between the items, not asked for yet.
    told: Vec<String>,
    /// After an error nothing more can be found: where the next block begins is not known.
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    PcapNg { big_endian: bool },
    Pcap { big_endian: bool },
}

impl<R: Read> CaptureReader<R> {
    /// Begins to read a capture.
    ///
    /// # Errors
    /// It begins like none.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let mut reader = CaptureReader {
            input,
            offset: 0,
            block: Vec::new(),
            format: Format::PcapNg { big_endian: false },
            interfaces: Vec::new(),
            told: Vec::new(),
            failed: false,
        };
        reader.fill("beginning", 4)?;
        if u32_at(&reader.block, 0) == Some(SECTION_HEADER) {
            reader.read_section_header(0)?;
        } else {
            reader.read_pcap_header()?;
        }
        Ok(reader)
    }

    /// The interfaces described so far in this section.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The lines of JSON that a trace has told since this was asked last, and that stood in front of the last item; see
    /// [`TraceWriter`](crate::TraceWriter). Whoever does not ask gets the first ones, up to some bound.
    pub fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// The next packet or secrets; `None` at the end, and after an error.
    ///
    /// # Errors
    /// What is wrong with the file, and where. What was read before is right.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        if self.failed {
            return Ok(None);
        }
        match self.advance() {
            Ok(true) => self.item(),
            Ok(false) => Ok(None),
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }

    /// Reads on to the next block that holds a packet or secrets, and checks it; `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        match self.format {
            Format::Pcap { big_endian } => self.read_pcap_packet(big_endian),
            Format::PcapNg { .. } => loop {
                let offset = self.offset;
                if !self.read_block()? {
                    return Ok(false);
                }
                if self.take_in(offset)? {
                    return Ok(true);
                }
            },
        }
    }

    /// Reads one pcapng block; `false` at the end of the file.
    fn read_block(&mut self) -> Result<bool, ReadError> {
        let offset = self.offset;
        self.block.clear();
        if !self.fill_or_end("block", 8)? {
            return Ok(false);
        }
        if u32_at(&self.block, 0) == Some(SECTION_HEADER) {
            self.read_section_header(offset)?;
            return Ok(true);
        }
        let length = self.number_at(4).unwrap_or_default();
        self.fill_block(offset, length)?;
        Ok(true)
    }

    /// Reads the rest of a section's header, whose byte order is told behind its length.
    fn read_section_header(&mut self, offset: u64) -> Result<(), ReadError> {
        self.fill("section header", SHORTEST_BLOCK)?;
        let big_endian = match array_at(&self.block, 8) {
            Some(mark) if u32::from_le_bytes(mark) == BYTE_ORDER => false,
            Some(mark) if u32::from_be_bytes(mark) == BYTE_ORDER => true,
            _ => return Err(malformed("section header", offset)),
        };
        self.format = Format::PcapNg { big_endian };
        self.interfaces.clear();
        let length = self.number_at(4).unwrap_or_default();
        self.fill_block(offset, length)?;
        parse_sectionheaderblock(&self.block).map(drop).map_err(|_| malformed("section header", offset))
    }

    /// Reads the rest of a block of this length.
    fn fill_block(&mut self, offset: u64, length: u32) -> Result<(), ReadError> {
        let total = length as usize;
        if !(SHORTEST_BLOCK..=LONGEST_BLOCK).contains(&total) || !total.is_multiple_of(4) {
            return Err(bad_length("block", offset, total, SHORTEST_BLOCK));
        }
        self.fill("block", total)?;
        let last = self.number_at(total - 4).unwrap_or_default();
        if last != length {
            return Err(ReadError::LengthsDiffer { offset, first: length, last });
        }
        Ok(())
    }

    /// Looks into the block just read: whether it holds something for the caller.
    fn take_in(&mut self, offset: u64) -> Result<bool, ReadError> {
        let known = self.interfaces.len();
        let interface = match parse(self.format, &self.block, offset)? {
            Block::InterfaceDescription(block) => interface(&block, self.format),
            Block::EnhancedPacket(block) => return is_known(block.if_id, known, offset),
            Block::Unknown(_) if self.number_at(0) == Some(OBSOLETE_PACKET) => {
                return is_known(self.obsolete_interface(), known, offset);
            }
            // A simple packet is always from the first interface.
            Block::SimplePacket(_) => return is_known(0, known, offset),
            Block::DecryptionSecrets(block) => return Ok(key_log(&block).is_some()),
            Block::Unknown(_) if self.number_at(0) == Some(custom::BLOCK) => {
                let value = self.block.get(8..self.block.len() - 4).unwrap_or_default();
                let lines = custom::lines(value, self.is_big_endian());
                self.told.extend(lines.filter(|_| self.told.len() < MOST_TOLD).map(str::to_owned));
                return Ok(false);
            }
            _ => return Ok(false),
        };
        if known >= MOST_INTERFACES {
            return Err(ReadError::TooManyInterfaces { offset, limit: MOST_INTERFACES });
        }
        self.interfaces.push(interface);
        Ok(false)
    }

    /// What the block just read holds.
    fn item(&self) -> Result<Option<Item<'_>>, ReadError> {
        let offset = self.offset - self.block.len() as u64;
        if let Format::Pcap { big_endian } = self.format {
            let packet = self.pcap_packet(big_endian, offset);
            return packet.map(|packet| Some(Item::Packet(packet))).ok_or(malformed("packet", offset));
        }
        let item = match parse(self.format, &self.block, offset)? {
            Block::EnhancedPacket(block) => self.packet(block.if_id, offset).map(Item::Packet),
            Block::Unknown(_) if self.number_at(0) == Some(OBSOLETE_PACKET) => {
                self.packet(self.obsolete_interface(), offset).map(Item::Packet)
            }
            Block::SimplePacket(block) => self.simple_packet(&block, offset).map(Item::Packet),
            Block::DecryptionSecrets(block) => key_log(&block).map(Item::KeyLog),
            _ => None,
        };
        item.map(Some).ok_or(malformed("block", offset))
    }

    /// The packet in the block just read, be it an enhanced one or its predecessor: what differs is how they name the interface.
    fn packet(&self, interface: u32, offset: u64) -> Option<Packet<'_>> {
        const PACKET: usize = 28;
        let interface = self.interfaces.get(interface as usize)?;
        let units = u64::from(self.number_at(12)?) << 32 | u64::from(self.number_at(16)?);
        let behind = self.block.get(PACKET..self.block.len().checked_sub(4)?)?;
        let captured = self.number_at(20)? as usize;
        let options = Options {
            bytes: behind.get(captured.checked_next_multiple_of(4)?..).unwrap_or_default(),
            big_endian: self.is_big_endian(),
        };
        Some(Packet {
            offset,
            interface,
            time: interface.time(units),
            bytes: behind.get(..captured)?,
            original_length: self.number_at(24)?,
            comment: options.comments().next(),
            options,
        })
    }

    /// The interface of an obsolete packet block: a number of 16 bits, with a count of drops behind it.
    fn obsolete_interface(&self) -> u32 {
        let bytes = array_at(&self.block, 8).unwrap_or_default();
        u32::from(if self.is_big_endian() { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn simple_packet<'r>(&'r self, block: &SimplePacketBlock<'r>, offset: u64) -> Option<Packet<'r>> {
        let interface = self.interfaces.first()?;
        let kept = match interface.snap_length {
            0 => block.origlen,
            most => block.origlen.min(most),
        };
        Some(Packet {
            offset,
            interface,
            time: None,
            bytes: block.data.get(..kept as usize).unwrap_or(block.data),
            original_length: block.origlen,
            comment: None,
            options: Options::default(),
        })
    }

    /// Reads the header of an older file.
    fn read_pcap_header(&mut self) -> Result<(), ReadError> {
        let magic = self.block.clone();
        let not_a_capture = || ReadError::NotACapture { found: magic.clone() };
        // The header of another kind of packet record, whose length differs, is not taken for the usual one.
        const MODIFIED: u32 = 0xa1b2_cd34;
        if array_at(&magic, 0).map(u32::from_le_bytes) == Some(MODIFIED) {
            return Err(not_a_capture());
        }
        let known = [0xa1b2_c3d4u32, 0xa1b2_3c4d].map(u32::to_be_bytes);
        let reversed = known.map(|[a, b, c, d]| [d, c, b, a]);
        if !array_at(&magic, 0).is_some_and(|magic| known.contains(&magic) || reversed.contains(&magic)) {
            return Err(not_a_capture());
        }
        self.fill("file header", PCAP_HEADER)?;
        let (_, header) = parse_pcap_header(&self.block).map_err(|_| not_a_capture())?;
        self.format = Format::Pcap { big_endian: header.is_bigendian() };
        self.interfaces.push(pcap_interface(&header));
        Ok(())
    }

    fn read_pcap_packet(&mut self, big_endian: bool) -> Result<bool, ReadError> {
        let offset = self.offset;
        self.block.clear();
        if !self.fill_or_end("packet header", PCAP_PACKET_HEADER)? {
            return Ok(false);
        }
        let length = match array_at(&self.block, 8) {
            Some(length) if big_endian => u32::from_be_bytes(length),
            Some(length) => u32::from_le_bytes(length),
            None => 0,
        };
        let length = length as usize;
        if length > LONGEST_BLOCK - PCAP_PACKET_HEADER {
            return Err(bad_length("packet", offset, length, 0));
        }
        self.fill("packet", PCAP_PACKET_HEADER + length)?;
        Ok(true)
    }

    fn pcap_packet(&self, big_endian: bool, offset: u64) -> Option<Packet<'_>> {
        let parsed = match big_endian {
            true => parse_pcap_frame_be(&self.block),
            false => parse_pcap_frame(&self.block),
        };
        let (_, packet) = parsed.ok()?;
        let interface = self.interfaces.first()?;
        let units = u128::from(packet.ts_sec) * interface.units_per_second + u128::from(packet.ts_usec);
        Some(Packet {
            offset,
            interface,
            time: interface.time(u64::try_from(units).ok()?),
            bytes: packet.data,
            original_length: packet.origlen,
            comment: None,
            options: Options::default(),
        })
    }

    /// Reads until the block has `length` bytes.
    fn fill(&mut self, what: &'static str, length: usize) -> Result<(), ReadError> {
        if self.fill_or_end(what, length)? {
            return Ok(());
        }
        Err(ReadError::Truncated { what, offset: self.offset, needed: length, found: 0 })
    }

    /// Reads until the block has `length` bytes; `false` if the file ends before the block's first.
    fn fill_or_end(&mut self, what: &'static str, length: usize) -> Result<bool, ReadError> {
        let begin = self.offset - self.block.len() as u64;
        let missing = length.saturating_sub(self.block.len());
        let read = (&mut self.input)
            .take(missing as u64)
            .read_to_end(&mut self.block)
            .map_err(|source| ReadError::Io { offset: self.offset, source })?;
        self.offset += read as u64;
        if self.block.is_empty() && length > 0 {
            return Ok(false);
        }
        if read < missing {
            return Err(ReadError::Truncated {
                what,
                offset: begin,
                needed: length,
                found: self.block.len(),
            });
        }
        Ok(true)
    }

    fn number_at(&self, at: usize) -> Option<u32> {
        let bytes = array_at(&self.block, at)?;
        Some(match self.is_big_endian() {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    fn is_big_endian(&self) -> bool {
        match self.format {
            Format::PcapNg { big_endian } | Format::Pcap { big_endian } => big_endian,
        }
    }
}

fn parse(format: Format, block: &[u8], offset: u64) -> Result<Block<'_>, ReadError> {
    let parsed = match format {
        Format::PcapNg { big_endian: true } => parse_block_be(block),
        _ => parse_block_le(block),
    };
    parsed.map(|(_, block)| block).map_err(|_| malformed("block", offset))
}

fn interface(block: &InterfaceDescriptionBlock<'_>, format: Format) -> Interface {
    let option = |code| block.options.iter().find(|option| option.code == code);
    let resolution = option(OptionCode::IfTsresol)
        .and_then(|option| option.value().first().copied())
        .unwrap_or(MICROSECONDS);
    let seconds = |option: &PcapNGOption<'_>| {
        let bytes = array_at::<8>(option.value(), 0)?;
        Some(match format {
            Format::PcapNg { big_endian: true } => i64::from_be_bytes(bytes),
            _ => i64::from_le_bytes(bytes),
        })
    };
    Interface {
        name: block.if_name().and_then(Result::ok).map(str::to_owned),
        link_type: block.linktype.0 as u32,
        snap_length: block.snaplen,
        units_per_second: units_per_second(resolution),
        offset_seconds: option(OptionCode::IfTsoffset).and_then(seconds).unwrap_or_default(),
    }
}

fn pcap_interface(header: &PcapHeader) -> Interface {
    Interface {
        name: None,
        // The upper half tells about frame check sequences (draft-ietf-opsawg-pcap, section 4).
        link_type: header.network.0 as u32 & 0xffff,
        snap_length: header.snaplen,
        units_per_second: match header.is_nanosecond_precision() {
            true => 1_000_000_000,
            false => 1_000_000,
        },
        offset_seconds: 0,
    }
}

fn key_log<'r>(block: &DecryptionSecretsBlock<'r>) -> Option<&'r str> {
    let data = block.data.get(..block.secrets_len as usize)?;
    let ours = block.secrets_type == SecretsType::TlsKeyLog;
    std::str::from_utf8(data).ok().filter(|_| ours)
}

fn is_known(interface: u32, known: usize, offset: u64) -> Result<bool, ReadError> {
    if (interface as usize) < known {
        return Ok(true);
    }
    Err(ReadError::UnknownInterface { offset, interface, known })
}
