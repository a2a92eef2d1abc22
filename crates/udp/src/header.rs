//! The UDP header: read it from bytes, write it in front of them.
//!
//! Read first: RFC 768 (all three pages); RFC 8200 section 8.1 (the checksum over IPv6);
//! RFC 1122 section 4.1.3.4 (the checksum over IPv4).
//!
//! ```text
//!   0       2       4       6       8
//!   ├───────┼───────┼───────┼───────┼──── data ────
//!   │source │destin.│length │ sum   │
//! ```

use std::net::IpAddr;

use framewise_core::Buf;
use framewise_core::checksum::Sum;
use framewise_core::read::u16_at;
use framewise_core::seams::segment::UDP;
use thiserror::Error;

/// Bytes of the header.
pub const HEADER: usize = 8;
/// Where the length stands.
const LENGTH: usize = 4;
/// Where the checksum stands.
const CHECKSUM: usize = 6;

/// Why bytes are no datagram for us. All offsets are counted from the header's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Fewer bytes than a header has.
    #[error("a UDP header needs {needed} bytes from byte 0 on, found {found}")]
    Truncated {
        /// Bytes of a header.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The length field counts the header too, so it can't be less than that.
    #[error("the UDP length at byte 4 must be at least {needed}, found {found}")]
    LengthTooSmall {
        /// Bytes of a header.
        needed: usize,
        /// What the field says.
        found: usize,
    },
    /// UDP and IP disagree about where the datagram ends.
    #[error("the UDP length at byte 4 says {needed} bytes, the packet carries {found}")]
    LengthDisagrees {
        /// What the field says.
        needed: usize,
        /// Bytes that the packet carries.
        found: usize,
    },
    /// The destination port is 0, which names nobody.
    #[error("the UDP destination port at byte 2 must not be 0")]
    PortZero,
    /// Over IPv6 the checksum is not optional (RFC 8200 section 8.1).
    #[error("the UDP checksum at byte 6 must not be 0 over IPv6")]
    ChecksumMissing,
    /// The bytes are not those that were sent.
    #[error("the UDP checksum at byte 6 should be {needed:#06x}, found {found:#06x}")]
    ChecksumWrong {
        /// What the bytes add up to.
        needed: u16,
        /// What the field says.
        found: u16,
    },
}

impl HeaderError {
    /// Why a datagram is dropped, as a short fixed phrase for the counters.
    pub fn reason(&self) -> &'static str {
        match self {
            HeaderError::Truncated { .. } => "header cut short",
            HeaderError::LengthTooSmall { .. } => "length below the header's",
            HeaderError::LengthDisagrees { .. } => "length disagrees with the packet's",
            HeaderError::PortZero => "destination port 0",
            HeaderError::ChecksumMissing => "checksum missing over IPv6",
            HeaderError::ChecksumWrong { .. } => "checksum wrong",
        }
    }
}

/// A datagram as it lies in the bytes: a header whose lengths are right, and its data.
#[derive(Clone, Copy, Debug)]
pub struct DatagramView<'a> {
    bytes: &'a [u8],
}

impl<'a> DatagramView<'a> {
    /// Looks at the payload of an IP packet. The checksum is not looked at: see [`verify`](Self::verify).
    ///
    /// Bytes after the length are refused. RFC 9868 gives them a meaning that we don't know, and a length
    /// that IP and UDP see differently is also how datagrams are smuggled past a filter.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        Self::caught(bytes, bytes.len())
    }

    /// Looks at the payload of an IP packet of which `bytes` was captured, and that had `carried` bytes on the wire.
    pub(crate) fn caught(bytes: &'a [u8], carried: usize) -> Result<Self, HeaderError> {
        let truncated = HeaderError::Truncated { needed: HEADER, found: bytes.len() };
        if bytes.len() < HEADER {
            return Err(truncated);
        }
        let length = usize::from(u16_at(bytes, LENGTH).ok_or(truncated)?);
        if length < HEADER {
            return Err(HeaderError::LengthTooSmall { needed: HEADER, found: length });
        }
        if length != carried.max(bytes.len()) {
            return Err(HeaderError::LengthDisagrees { needed: length, found: carried.max(bytes.len()) });
        }
        let view = DatagramView { bytes };
        if view.destination_port() == 0 {
            return Err(HeaderError::PortZero);
        }
        Ok(view)
    }

    /// Source port; 0 where the sender wants no answer.
    pub fn source_port(&self) -> u16 {
        self.word(0)
    }

    /// Destination port.
    pub fn destination_port(&self) -> u16 {
        self.word(2)
    }

    /// Length in bytes, header included.
    pub fn length(&self) -> usize {
        self.word(LENGTH).into()
    }

    /// Whether all of it is there.
    pub(crate) fn is_whole(&self) -> bool {
        self.bytes.len() == self.length()
    }

    /// The checksum as it stands; 0 means that the sender computed none.
    pub fn checksum(&self) -> u16 {
        self.word(CHECKSUM)
    }

    /// What comes after the header.
    pub fn data(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// Checks the checksum of a datagram between these addresses.
    pub fn verify(&self, source: IpAddr, destination: IpAddr) -> Result<(), HeaderError> {
        let found = self.checksum();
        if found == 0 {
            return match destination {
                IpAddr::V4(_) => Ok(()),
                IpAddr::V6(_) => Err(HeaderError::ChecksumMissing),
            };
        }
        let sum = summed(self.bytes, source, destination);
        if sum.is_valid() {
            return Ok(());
        }
        let mut without = sum;
        without.add_u16(!found);
        Err(HeaderError::ChecksumWrong { needed: never_zero(without.checksum()), found })
    }

    /// Whether only the sum over the pseudo-header stands where the checksum goes: the sender has left the rest to the device.
    pub(crate) fn is_sum_left(&self, source: IpAddr, destination: IpAddr) -> bool {
        let mut pseudo = Sum::default();
        pseudo.add_pseudo_header(source, destination, UDP, self.bytes.len());
        self.checksum() == pseudo.folded()
    }

    /// The header as numbers.
    pub fn header(&self) -> Header {
        Header { source_port: self.source_port(), destination_port: self.destination_port() }
    }

    fn word(&self, offset: usize) -> u16 {
        u16_at(self.bytes, offset).unwrap_or_default()
    }
}

/// What a sender decides about a header; length and checksum follow from the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Our port.
    pub source_port: u16,
    /// The peer's port.
    pub destination_port: u16,
}

impl Header {
    /// Writes the header in front of the data in `buf`, for a datagram between these addresses.
    ///
    /// # Errors
    ///
    /// [`HeaderError::LengthDisagrees`] where the data is longer than the length field can say; `buf` is then as
    /// it was.
    pub fn emit(&self, buf: &mut Buf, source: IpAddr, destination: IpAddr) -> Result<(), HeaderError> {
        let found = buf.len().saturating_add(HEADER);
        let length = u16::try_from(found)
            .map_err(|_| HeaderError::LengthDisagrees { needed: usize::from(u16::MAX), found })?;
        let words = [self.source_port, self.destination_port, length, 0];
        for (field, word) in buf.prepend(HEADER).chunks_exact_mut(2).zip(words) {
            field.copy_from_slice(&word.to_be_bytes());
        }
        let checksum = never_zero(summed(buf, source, destination).checksum());
        if let Some(field) = buf.get_mut(CHECKSUM..HEADER) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
        Ok(())
    }
}

/// The sum over the pseudo-header and the whole datagram.
fn summed(bytes: &[u8], source: IpAddr, destination: IpAddr) -> Sum {
    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, UDP, bytes.len());
    sum.add(bytes);
    sum
}

/// A checksum of zero is sent as all ones, since zero says "none" (RFC 768). Both mean the same in ones' complement.
pub fn never_zero(checksum: u16) -> u16 {
    if checksum == 0 { u16::MAX } else { checksum }
}
