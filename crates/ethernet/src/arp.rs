//! ARP for IPv4 over Ethernet: who has this address?
//!
//! Read first: RFC 826 (all of it: "Packet format", "Packet Reception"), RFC 5227 sections 1.1 and 2
//! (probe, announcement, conflict), RFC 1122 section 2.3.2.
//!
//! ```text
//!  0     2     4  5  6     8            14      18           24      28
//!  ┌─────┬─────┬──┬──┬─────┬────────────┬───────┬────────────┬───────┐
//!  │htype│ptype│hl│pl│ op  │ sender MAC │ sender│ target MAC │ target│
//!  └─────┴─────┴──┴──┴─────┴────────────┴───────┴────────────┴───────┘
//! ```

use std::net::Ipv4Addr;

use framewise_core::{Buf, MacAddr, read};

use crate::error::ParseError;
use crate::frame::{EtherType, HEADER_LENGTH, Header};

/// Length of an ARP packet for IPv4 over Ethernet, in bytes.
pub const LENGTH: usize = 28;

/// `ar$hrd` of Ethernet (RFC 826).
const HARDWARE_ETHERNET: u16 = 1;
/// Lengths of a MAC and of an IPv4 address, as `ar$hln` and `ar$pln` stand side by side.
const LENGTHS: u16 = 0x0604;

/// `ar$op`: what an ARP packet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// 1: asks who has the target's protocol address.
    Request,
    /// 2: answers.
    Reply,
}

impl Operation {
    fn number(self) -> u16 {
        match self {
            Operation::Request => 1,
            Operation::Reply => 2,
        }
    }
}

/// An ARP packet for IPv4 over Ethernet, whose sender can be a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpPacket {
    /// Question or answer.
    pub operation: Operation,
    /// `ar$sha`: the sender's MAC address, one station's.
    pub sender_mac: MacAddr,
    /// `ar$spa`: the sender's IPv4 address; unspecified in a probe (RFC 5227 section 1.1).
    pub sender_address: Ipv4Addr,
    /// `ar$tha`: the target's MAC address; means nothing in a request.
    pub target_mac: MacAddr,
    /// `ar$tpa`: the target's IPv4 address.
    pub target_address: Ipv4Addr,
}

impl ArpPacket {
    /// Asks who has `target`.
    pub fn request(sender_mac: MacAddr, sender_address: Ipv4Addr, target_address: Ipv4Addr) -> Self {
        ArpPacket {
            operation: Operation::Request,
            sender_mac,
            sender_address,
            target_mac: MacAddr::UNSPECIFIED,
            target_address,
        }
    }

    /// Asks whether anyone has `address`, without claiming it (RFC 5227 section 2.1.1).
    pub fn probe(sender_mac: MacAddr, address: Ipv4Addr) -> Self {
        ArpPacket::request(sender_mac, Ipv4Addr::UNSPECIFIED, address)
    }

    /// Says that `address` is in use by its sender (RFC 5227 section 2.3).
    pub fn announcement(sender_mac: MacAddr, address: Ipv4Addr) -> Self {
        ArpPacket::request(sender_mac, address, address)
    }

    /// The answer to this request: its target is at `mac` (RFC 826, "Packet Reception": swap the fields).
    pub fn reply(&self, mac: MacAddr) -> Self {
        ArpPacket {
            operation: Operation::Reply,
            sender_mac: mac,
            sender_address: self.target_address,
            target_mac: self.sender_mac,
            target_address: self.sender_address,
        }
    }

    /// Whether this asks for an address without claiming one (RFC 5227 section 1.1).
    pub fn is_probe(&self) -> bool {
        self.operation == Operation::Request && self.sender_address.is_unspecified()
    }

    /// Whether this says that its sender's address is in use (RFC 5227 section 1.1; some send it as a reply).
    pub fn is_announcement(&self) -> bool {
        self.sender_address == self.target_address
    }

    /// Reads an ARP packet. Bytes after it are the frame's padding.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let bytes: &[u8; LENGTH] = bytes.first_chunk().ok_or(ParseError::Truncated {
            layer: "ARP",
            offset: 0,
            needed: LENGTH,
            found: bytes.len(),
        })?;
        expect(bytes, 0, "hardware type", HARDWARE_ETHERNET, "1 (Ethernet)")?;
        expect(bytes, 2, "protocol type", EtherType::IPV4.0, "0x0800 (IPv4)")?;
        expect(bytes, 4, "address lengths", LENGTHS, "0x0604 (6 and 4)")?;
        let packet = ArpPacket {
            operation: match number(bytes, 6) {
                1 => Operation::Request,
                2 => Operation::Reply,
                found => return Err(wrong(6, "operation", "1 (request) or 2 (reply)", found)),
            },
            sender_mac: MacAddr::new(octets(bytes, 8)),
            sender_address: Ipv4Addr::from(octets(bytes, 14)),
            target_mac: MacAddr::new(octets(bytes, 18)),
            target_address: Ipv4Addr::from(octets(bytes, 24)),
        };
        packet.check_sender()?;
        Ok(packet)
    }

    /// A binding to a group would send our packets to many; a binding of a group or of nobody binds nothing.
    fn check_sender(&self) -> Result<(), ParseError> {
        if !self.sender_mac.is_unicast() {
            return Err(ParseError::ArpSenderMac { found: self.sender_mac });
        }
        let address = self.sender_address;
        let host = !(address.is_multicast() || address.is_broadcast() || address.is_loopback());
        if !host || (address.is_unspecified() && !self.is_probe()) {
            return Err(ParseError::ArpSenderAddress { found: address });
        }
        Ok(())
    }

    /// The packet's bytes.
    pub fn to_bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0..2].copy_from_slice(&HARDWARE_ETHERNET.to_be_bytes());
        bytes[2..4].copy_from_slice(&EtherType::IPV4.0.to_be_bytes());
        bytes[4..6].copy_from_slice(&LENGTHS.to_be_bytes());
        bytes[6..8].copy_from_slice(&self.operation.number().to_be_bytes());
        bytes[8..14].copy_from_slice(&self.sender_mac.octets());
        bytes[14..18].copy_from_slice(&self.sender_address.octets());
        bytes[18..24].copy_from_slice(&self.target_mac.octets());
        bytes[24..28].copy_from_slice(&self.target_address.octets());
        bytes
    }

    /// The packet in a frame.
    pub fn to_frame(&self, destination: MacAddr, source: MacAddr) -> Buf {
        let header = Header { destination, source, ethertype: EtherType::ARP };
        let mut buf = Buf::copy_from_slice(&self.to_bytes());
        buf.prepend(HEADER_LENGTH).copy_from_slice(&header.to_bytes());
        buf
    }
}

fn expect(
    bytes: &[u8; LENGTH],
    offset: usize,
    field: &'static str,
    value: u16,
    needed: &'static str,
) -> Result<(), ParseError> {
    match number(bytes, offset) {
        found if found == value => Ok(()),
        found => Err(wrong(offset, field, needed, found)),
    }
}

fn wrong(offset: usize, field: &'static str, needed: &'static str, found: u16) -> ParseError {
    ParseError::ArpField { field, offset, needed, found }
}

fn number(bytes: &[u8; LENGTH], offset: usize) -> u16 {
    u16::from_be_bytes(octets(bytes, offset))
}

/// The bytes at an offset that the fixed length is known to hold.
fn octets<const N: usize>(bytes: &[u8; LENGTH], offset: usize) -> [u8; N] {
    read::array_at(bytes, offset).unwrap_or([0; N])
}
