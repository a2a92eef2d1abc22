//! Why bytes are no frame or no ARP packet of ours.

use std::net::Ipv4Addr;

use framewise_core::MacAddr;
use thiserror::Error;

use crate::frame::EtherType;

/// Why bytes from outside were refused, with the layer, where in it, what was needed and what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Too short for the header.
    #[error("{layer} at offset {offset}: needs {needed} bytes, found {found}")]
    Truncated {
        /// `Ethernet` or `ARP`.
        layer: &'static str,
        /// Where the missing bytes would begin.
        offset: usize,
        /// Bytes needed from there.
        needed: usize,
        /// Bytes found there.
        found: usize,
    },
    /// A frame with an IEEE 802.1Q or 802.1ad tag.
    #[error("Ethernet at offset 12: needs an untagged frame, found the VLAN tag {found}")]
    Tagged {
        /// The tag's protocol identifier.
        found: EtherType,
    },
    /// A frame of IEEE 802.3, with a length where Ethernet II has the EtherType.
    #[error("Ethernet at offset 12: needs an EtherType of at least 0x0600, found the length {found}")]
    LengthField {
        /// The value of the field.
        found: u16,
    },
    /// A field of an ARP packet whose value is not the one for IPv4 over Ethernet.
    #[error("ARP at offset {offset}: needs {field} {needed}, found {found}")]
    ArpField {
        /// The field in the words of RFC 826.
        field: &'static str,
        /// Where it is.
        offset: usize,
        /// The values that are understood.
        needed: &'static str,
        /// The value found.
        found: u16,
    },
    /// An ARP packet whose sender is no station: a group, or nobody.
    #[error("ARP at offset 8: needs one station's hardware address, found {found}")]
    ArpSenderMac {
        /// What stands there.
        found: MacAddr,
    },
    /// An ARP packet whose sender's IPv4 address can't be a host's.
    #[error("ARP at offset 14: needs a host's protocol address, found {found}")]
    ArpSenderAddress {
        /// What stands there.
        found: Ipv4Addr,
    },
}

impl ParseError {
    /// The same as a short fixed phrase, by which drops are counted.
    pub fn reason(&self) -> &'static str {
        match self {
            ParseError::Truncated { layer: "ARP", .. } => "ARP packet too short",
            ParseError::Truncated { .. } => "runt frame",
            ParseError::Tagged { .. } => "802.1Q tag",
            ParseError::LengthField { .. } => "802.3 length field",
            ParseError::ArpField { .. } => "ARP not for IPv4 over Ethernet",
            ParseError::ArpSenderMac { .. } => "ARP sender is no station",
            ParseError::ArpSenderAddress { .. } => "ARP sender is no host",
        }
    }
}
