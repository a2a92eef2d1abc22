//! Frames (RFC 894) and ARP packets (RFC 826).

use std::net::Ipv4Addr;

use framewise_core::buf::InterfaceId;
use framewise_core::read::{array_at, u16_at};
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, MacAddr};

/// EtherType of IPv4 (RFC 894).
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP (RFC 826).
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6 (RFC 2464 section 3).
pub const IPV6: u16 = 0x86dd;
/// Bytes of the header.
pub const HEADER: usize = 14;

/// A frame on interface 0.
pub fn frame(destination: MacAddr, source: MacAddr, ethertype: u16, payload: &[u8]) -> Frame {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(destination.octets());
    bytes.extend(source.octets());
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(payload);
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
}

/// To whom a frame goes.
pub fn destination(frame: &[u8]) -> Option<MacAddr> {
    array_at(frame, 0).map(MacAddr::new)
}

/// From whom a frame comes.
pub fn source(frame: &[u8]) -> Option<MacAddr> {
    array_at(frame, 6).map(MacAddr::new)
}

/// What a frame carries.
pub fn ethertype(frame: &[u8]) -> Option<u16> {
    u16_at(frame, 12)
}

/// An ARP packet for IPv4 over Ethernet, in the words of RFC 826.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1: request, 2: reply.
    pub operation: u16,
    /// Whose packet it is.
    pub sender: (MacAddr, Ipv4Addr),
    /// Whom it is about.
    pub target: (MacAddr, Ipv4Addr),
}

impl Arp {
    /// "Who has `target`? Tell `sender`."
    pub fn request(sender: (MacAddr, Ipv4Addr), target: Ipv4Addr) -> Self {
        Arp { operation: 1, sender, target: (MacAddr::UNSPECIFIED, target) }
    }

    /// "I, `sender`, am there", to `target`.
    pub fn reply(sender: (MacAddr, Ipv4Addr), target: (MacAddr, Ipv4Addr)) -> Self {
        Arp { operation: 2, sender, target }
    }

    /// The packet in a frame from its sender.
    pub fn to_frame(self, to: MacAddr) -> Frame {
        let mut bytes = vec![0, 1, 0x08, 0x00, 6, 4];
        bytes.extend(self.operation.to_be_bytes());
        for (mac, address) in [self.sender, self.target] {
            bytes.extend(mac.octets());
            bytes.extend(address.octets());
        }
        frame(to, self.sender.0, ARP, &bytes)
    }

    /// The ARP packet in a frame, if it has one.
    pub fn of_frame(frame: &[u8]) -> Option<Self> {
        if ethertype(frame)? != ARP || array_at(frame, HEADER)? != [0, 1, 0x08, 0x00, 6, 4] {
            return None;
        }
        let end =
            |at| Some((MacAddr::new(array_at(frame, at)?), Ipv4Addr::from(array_at::<4>(frame, at + 6)?)));
        Some(Arp {
            operation: u16_at(frame, HEADER + 6)?,
            sender: end(HEADER + 8)?,
            target: end(HEADER + 18)?,
        })
    }
}
