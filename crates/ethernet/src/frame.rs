//! The Ethernet II header: 14 bytes that say whose frame it is, who sent it, and what is inside.
//!
//! Read first: RFC 894 (IPv4 over Ethernet), RFC 2464 sections 2 and 3 (IPv6), RFC 9542 section 3 (EtherTypes);
//! IEEE 802.3-2022 clause 3 for the frame itself.
//!
//! ```text
//!  0            6            12   14
//!  ┌────────────┬────────────┬────┬──────────────────── ─ ─ ┬─────────┐
//!  │destination │   source   │type│        payload          │ padding │
//!  └────────────┴────────────┴────┴──────────────────── ─ ─ ┴─────────┘
//! ```
//!
//! Preamble and frame check sequence stay in the device.

use std::fmt;

use framewise_core::{MacAddr, read};

use crate::error::ParseError;

/// Length of the header in bytes.
pub const HEADER_LENGTH: usize = 14;
/// The shortest frame on a cable, without its check sequence (IEEE 802.3-2022 section 4A.4.2: 64 bytes with it).
pub const MINIMUM_LENGTH: usize = 60;

/// The smallest EtherType; what is less is a length or undefined (IEEE 802.3-2022 section 3.2.6).
pub(crate) const SMALLEST_ETHERTYPE: u16 = 0x0600;

/// What is inside a frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4 (RFC 894).
    pub const IPV4: EtherType = EtherType(0x0800);
    /// ARP (RFC 826).
    pub const ARP: EtherType = EtherType(0x0806);
    /// IPv6 (RFC 2464 section 3).
    pub const IPV6: EtherType = EtherType(0x86dd);
    /// A customer VLAN tag (IEEE 802.1Q).
    pub const VLAN: EtherType = EtherType(0x8100);
    /// A service VLAN tag (IEEE 802.1ad).
    pub const SERVICE_VLAN: EtherType = EtherType(0x88a8);

    /// Whether a VLAN tag follows.
    pub fn is_tag(self) -> bool {
        matches!(self, EtherType::VLAN | EtherType::SERVICE_VLAN)
    }

    /// The type that fits an IP packet, by the version in its first four bits.
    pub fn of_packet(packet: &[u8]) -> Option<EtherType> {
        match packet.first()? >> 4 {
            4 => Some(EtherType::IPV4),
            6 => Some(EtherType::IPV6),
            _ => None,
        }
    }

    /// The length of what is inside, which `payload` begins with, as it tells itself: what follows is padding.
    pub fn unpadded_length(self, payload: &[u8]) -> usize {
        let told = match self {
            EtherType::ARP => Some(crate::arp::LENGTH),
            // RFC 791 section 3.1: total length, header included.
            EtherType::IPV4 => read::u16_at(payload, 2).map(usize::from),
            // RFC 8200 section 3: payload length, without the 40 bytes of the header. Zero marks a jumbogram.
            EtherType::IPV6 => {
                read::u16_at(payload, 4).filter(|&length| length > 0).map(|length| 40 + usize::from(length))
            }
            _ => None,
        };
        let all = payload.len();
        told.filter(|&length| length > 0).unwrap_or(all).min(all)
    }

    /// The protocol's name, where it is one that this crate knows.
    pub fn protocol(self) -> Option<&'static str> {
        match self {
            EtherType::IPV4 => Some("IPv4"),
            EtherType::ARP => Some("ARP"),
            EtherType::IPV6 => Some("IPv6"),
            EtherType::VLAN | EtherType::SERVICE_VLAN => Some("VLAN"),
            _ => None,
        }
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x}", self.0)
    }
}

impl fmt::Debug for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A frame as it lies in memory, long enough for its header. Nothing else is promised.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    header: &'a [u8; HEADER_LENGTH],
    payload: &'a [u8],
}

impl<'a> FrameView<'a> {
    /// Looks at `bytes` as a frame.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (header, payload) = bytes.split_first_chunk().ok_or(ParseError::Truncated {
            layer: "Ethernet",
            offset: 0,
            needed: HEADER_LENGTH,
            found: bytes.len(),
        })?;
        Ok(FrameView { header, payload })
    }

    /// Whose frame it is.
    pub fn destination(&self) -> MacAddr {
        let [a, b, c, d, e, f, ..] = *self.header;
        MacAddr::new([a, b, c, d, e, f])
    }

    /// Who sent it.
    pub fn source(&self) -> MacAddr {
        let [_, _, _, _, _, _, a, b, c, d, e, f, ..] = *self.header;
        MacAddr::new([a, b, c, d, e, f])
    }

    /// What is inside, as far as the field is an EtherType: [`Header::parse`] checks that.
    pub fn ethertype(&self) -> EtherType {
        let [.., high, low] = *self.header;
        EtherType(u16::from_be_bytes([high, low]))
    }

    /// What follows the header, padding included.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The payload's length without the padding behind it, as what is inside tells it.
    pub fn unpadded_length(&self) -> usize {
        self.ethertype().unpadded_length(self.payload)
    }
}

/// The header of an untagged Ethernet II frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose frame it is: a station, a group of stations, or all.
    pub destination: MacAddr,
    /// Who sent it.
    pub source: MacAddr,
    /// What is inside: at least `0x0600`, and no VLAN tag.
    pub ethertype: EtherType,
}

impl Header {
    /// Reads the header of a frame.
    pub fn parse(frame: &[u8]) -> Result<Self, ParseError> {
        Header::of(&FrameView::new(frame)?)
    }

    /// Reads the header of a frame that is already known to have one.
    pub fn of(frame: &FrameView<'_>) -> Result<Self, ParseError> {
        let ethertype = frame.ethertype();
        if ethertype.0 < SMALLEST_ETHERTYPE {
            return Err(ParseError::LengthField { found: ethertype.0 });
        }
        if ethertype.is_tag() {
            return Err(ParseError::Tagged { found: ethertype });
        }
        Ok(Header { destination: frame.destination(), source: frame.source(), ethertype })
    }

    /// The header's bytes.
    pub fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..6].copy_from_slice(&self.destination.octets());
        bytes[6..12].copy_from_slice(&self.source.octets());
        bytes[12..].copy_from_slice(&self.ethertype.0.to_be_bytes());
        bytes
    }
}
