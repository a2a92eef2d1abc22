//! The IPv4 header: RFC 791 sections 2.3 and 3.1, RFC 1122 section 3.2.1, RFC 6864 (identification).

use std::net::Ipv4Addr;
use std::ops::Range;

use framewise_core::checksum::{Sum, checksum};
use framewise_core::read::array_at;
use framewise_core::seams::segment::TCP;

use crate::error::{ParseError, require};

/// The header's length without options.
pub const HEADER_LEN: usize = 20;
/// Every link takes packets of this size whole (RFC 791, section 3.2).
pub const MINIMUM_MTU: usize = 68;
/// The largest total length: the field has 16 bits.
pub const LARGEST: usize = 65_535;
/// The largest packet that an Ethernet frame takes (RFC 894): what is larger is still to be cut.
const LARGEST_IN_A_FRAME: usize = 1_500;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

/// The fields of an IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Header {
    /// Header length in bytes, options included.
    pub header_len: usize,
    /// DSCP and ECN (RFC 2474, RFC 3168), once called type of service.
    pub traffic_class: u8,
    /// Header and payload in bytes.
    pub total_len: usize,
    /// What the fragments of one packet have in common.
    pub identification: u16,
    /// Routers must not split this packet.
    pub dont_fragment: bool,
    /// Further fragments of the same packet follow.
    pub more_fragments: bool,
    /// Where this fragment's payload begins in the whole packet's, in bytes.
    pub fragment_offset: usize,
    /// How many routers may still pass it on.
    pub time_to_live: u8,
    /// What the payload is.
    pub protocol: u8,
    /// From where.
    pub source: Ipv4Addr,
    /// To where.
    pub destination: Ipv4Addr,
}

impl Ipv4Header {
    /// Reads the header of a packet that came: structure, lengths, options and checksum are right.
    pub fn parse(packet: &[u8]) -> Result<Self, ParseError> {
        let header = Self::read(packet)?;
        require(packet, "IPv4", 0, header.total_len)?;
        let bytes = packet.get(..header.header_len).unwrap_or_default();
        verify_checksum(bytes)?;
        options(bytes).try_for_each(|option| option.map(|_| ()))?;
        Ok(header)
    }

    /// Reads the header of a packet of which only the beginning need be there, as an ICMP error quotes it.
    pub fn read(packet: &[u8]) -> Result<Self, ParseError> {
        Self::read_with(packet, |total_len| total_len)
    }

    /// Reads the header of a packet that was caught where it was sent. What a device is to cut into smaller packets may have
    /// a total length of 0 there, since each of those gets its own: it goes up to the end of `packet`. Devices cut TCP, and
    /// only what is larger than a frame.
    pub fn read_caught(packet: &[u8]) -> Result<Self, ParseError> {
        let is_left = Self::is_length_left(packet);
        Self::read_with(packet, |total_len| if is_left { packet.len() } else { total_len })
    }

    /// Whether the total length of `packet` is left to the device.
    pub(crate) fn is_length_left(packet: &[u8]) -> bool {
        let is_tcp = array_at(packet, 9) == Some([TCP]);
        array_at(packet, 2) == Some([0, 0]) && is_tcp && packet.len() > LARGEST_IN_A_FRAME
    }

    fn read_with(packet: &[u8], length: impl FnOnce(usize) -> usize) -> Result<Self, ParseError> {
        require(packet, "IPv4", 0, HEADER_LEN)?;
        let fixed: [u8; HEADER_LEN] = array_at(packet, 0).unwrap_or_default();
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let field = |offset, reason, needed, found| ParseError::Field {
            layer: "IPv4",
            offset,
            reason,
            needed,
            found,
        };
        let version = fixed[0] >> 4;
        if version != 4 {
            return Err(field(0, "IP version is not 4", 4, usize::from(version)));
        }
        let header_len = usize::from(fixed[0] & 0x0f) * 4;
        if header_len < HEADER_LEN {
            return Err(field(0, "IPv4 header length below 20", HEADER_LEN, header_len));
        }
        require(packet, "IPv4", 0, header_len)?;
        let total_len = length(usize::from(word(2)));
        if total_len < header_len {
            return Err(field(2, "IPv4 total length below its header", header_len, total_len));
        }
        let fragment = word(6);
        Ok(Ipv4Header {
            header_len,
            traffic_class: fixed[1],
            total_len,
            identification: word(4),
            dont_fragment: fragment & DONT_FRAGMENT != 0,
            more_fragments: fragment & MORE_FRAGMENTS != 0,
            fragment_offset: usize::from(fragment & OFFSET_MASK) * 8,
            time_to_live: fixed[8],
            protocol: fixed[9],
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]),
        })
    }

    /// Whether this packet is a part of one that was split.
    pub fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset > 0
    }

    /// Writes the header with its checksum to the beginning of `bytes`; options, if any, are written before. Does
    /// nothing if there is no room for it.
    pub fn emit(&self, bytes: &mut [u8]) {
        let Some(bytes) = bytes.get_mut(..self.header_len) else {
            return;
        };
        let Some(fixed) = bytes.first_chunk_mut::<HEADER_LEN>() else {
            return;
        };
        let mut fragment = (self.fragment_offset / 8) as u16 & OFFSET_MASK;
        fragment |= if self.dont_fragment { DONT_FRAGMENT } else { 0 };
        fragment |= if self.more_fragments { MORE_FRAGMENTS } else { 0 };
        fixed[0] = 0x40 | (self.header_len / 4) as u8 & 0x0f;
        fixed[1] = self.traffic_class;
        fixed[2..4].copy_from_slice(&(self.total_len as u16).to_be_bytes());
        fixed[4..6].copy_from_slice(&self.identification.to_be_bytes());
        fixed[6..8].copy_from_slice(&fragment.to_be_bytes());
        fixed[8] = self.time_to_live;
        fixed[9] = self.protocol;
        fixed[12..16].copy_from_slice(&self.source.octets());
        fixed[16..20].copy_from_slice(&self.destination.octets());
        write_checksum(bytes);
    }
}

/// Writes the checksum of a header of which `bytes` is all, options included.
fn write_checksum(bytes: &mut [u8]) {
    if let Some(field) = bytes.get_mut(10..12) {
        field.fill(0);
    }
    let sum = checksum(bytes).to_be_bytes();
    if let Some(field) = bytes.get_mut(10..12) {
        field.copy_from_slice(&sum);
    }
}

fn verify_checksum(header: &[u8]) -> Result<(), ParseError> {
    let mut sum = Sum::default();
    sum.add(header);
    if sum.is_valid() {
        return Ok(());
    }
    let found = u16::from_be_bytes(array_at(header, 10).unwrap_or_default());
    let mut rest = Sum::default();
    rest.add(header);
    rest.add_u16(!found);
    Err(ParseError::Checksum { layer: "IPv4", offset: 10, needed: rest.checksum(), found })
}

/// Takes one from the TTL, as a router does, and writes the checksum anew (RFC 1812, section 5.3.1).
pub(crate) fn decrement_time_to_live(packet: &mut [u8], header_len: usize) {
    if let Some(ttl) = packet.get_mut(8) {
        *ttl = ttl.saturating_sub(1);
    }
    if let Some(header) = packet.get_mut(..header_len) {
        write_checksum(header);
    }
}

/// One option of an IPv4 header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv4Option {
    /// Its type; the first bit says that every fragment carries it.
    pub kind: u8,
    /// Where it stands in the header, type and length included.
    pub bytes: Range<usize>,
}

/// Ends the options.
pub const OPTION_END: u8 = 0;
/// Fills one byte.
pub const OPTION_NO_OPERATION: u8 = 1;
/// Loose source route (RFC 791): the sender names routers to pass.
pub const OPTION_LOOSE_SOURCE_ROUTE: u8 = 131;
/// Strict source route (RFC 791).
pub const OPTION_STRICT_SOURCE_ROUTE: u8 = 137;

/// The options of a header, one by one; at most 40 bytes of them, each of at least one byte.
pub fn options(header: &[u8]) -> impl Iterator<Item = Result<Ipv4Option, ParseError>> + '_ {
    let mut at = HEADER_LEN;
    std::iter::from_fn(move || {
        let kind = *header.get(at)?;
        let option = option_at(header, at, kind);
        at = match &option {
            Ok(found) if kind != OPTION_END => found.bytes.end,
            _ => header.len(),
        };
        Some(option)
    })
}

fn option_at(header: &[u8], at: usize, kind: u8) -> Result<Ipv4Option, ParseError> {
    if matches!(kind, OPTION_END | OPTION_NO_OPERATION) {
        return Ok(Ipv4Option { kind, bytes: at..at + 1 });
    }
    let length = usize::from(header.get(at + 1).copied().unwrap_or(0));
    let room = header.len() - at;
    if length < 2 || length > room {
        return Err(ParseError::Field {
            layer: "IPv4",
            offset: at + 1,
            reason: "IPv4 option length wrong",
            needed: 2,
            found: length,
        });
    }
    Ok(Ipv4Option { kind, bytes: at..at + length })
}

/// Whether the sender names the routers to pass. A router does not pass such a packet on, and a host at the end of its way
/// does not take it: an answer would have to go back the same way (RFC 1122 section 3.3.5, RFC 7126 sections 4.3 and 4.4).
pub(crate) fn is_source_routed(header: &[u8]) -> bool {
    let routed = [OPTION_LOOSE_SOURCE_ROUTE, OPTION_STRICT_SOURCE_ROUTE];
    header.len() > HEADER_LEN && options(header).flatten().any(|option| routed.contains(&option.kind))
}
