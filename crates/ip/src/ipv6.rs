//! The IPv6 header: RFC 8200 section 3.

use std::net::Ipv6Addr;

use framewise_core::MacAddr;
use framewise_core::read::array_at;

use crate::error::{ParseError, require};

/// The header's length.
pub const HEADER_LEN: usize = 40;
/// Every link that carries IPv6 takes packets of this size whole (RFC 8200, section 5).
pub const MINIMUM_MTU: usize = 1_280;
/// The largest payload length: the field has 16 bits (RFC 2675's jumbograms are not spoken here).
pub const LARGEST_PAYLOAD: usize = 65_535;
/// Where the payload length is in the header.
pub(crate) const PAYLOAD_LENGTH_AT: usize = 4;
/// What says that nothing follows (RFC 8200, section 4.7).
const NO_NEXT_HEADER: u8 = 59;
/// The group of all nodes of a link (RFC 4291, section 2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The group of all routers of a link.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// The fields of an IPv6 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Header {
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// What the packets of one flow have in common, in 20 bits (RFC 6437).
    pub flow_label: u32,
    /// Everything after this header, in bytes.
    pub payload_len: usize,
    /// What follows: an extension header, or the payload's protocol.
    pub next_header: u8,
    /// How many routers may still pass it on.
    pub hop_limit: u8,
    /// From where.
    pub source: Ipv6Addr,
    /// To where.
    pub destination: Ipv6Addr,
}

impl Ipv6Header {
    /// Reads the header of a packet that came: all the bytes that it announces are there.
    pub fn parse(packet: &[u8]) -> Result<Self, ParseError> {
        let header = Self::read(packet)?;
        require(packet, "IPv6", HEADER_LEN, header.payload_len)?;
        Ok(header)
    }

    /// Reads the header of a packet of which only the beginning need be there.
    pub fn read(packet: &[u8]) -> Result<Self, ParseError> {
        require(packet, "IPv6", 0, HEADER_LEN)?;
        let fixed: [u8; HEADER_LEN] = array_at(packet, 0).unwrap_or([0; HEADER_LEN]);
        let first = u32::from_be_bytes([fixed[0], fixed[1], fixed[2], fixed[3]]);
        let version = first >> 28;
        if version != 6 {
            return Err(ParseError::Field {
                layer: "IPv6",
                offset: 0,
                reason: "IP version is not 6",
                needed: 6,
                found: version as usize,
            });
        }
        Ok(Ipv6Header {
            traffic_class: (first >> 20) as u8,
            flow_label: first & 0xf_ffff,
            payload_len: usize::from(u16::from_be_bytes([fixed[4], fixed[5]])),
            next_header: fixed[6],
            hop_limit: fixed[7],
            source: array_at::<16>(packet, 8).unwrap_or_default().into(),
            destination: array_at::<16>(packet, 24).unwrap_or_default().into(),
        })
    }

    /// Reads the header of a packet that was caught where it was sent. What a device is to cut into smaller packets may have
    /// a payload length of 0 there, as has what is too long for the field (RFC 2675): it goes up to the end of `packet`.
    pub fn read_caught(packet: &[u8]) -> Result<Self, ParseError> {
        let header = Self::read(packet)?;
        match Self::is_length_left(packet) {
            true => Ok(Ipv6Header { payload_len: packet.len().saturating_sub(HEADER_LEN), ..header }),
            false => Ok(header),
        }
    }

    /// Whether the payload length of `packet` says nothing of what follows.
    pub(crate) fn is_length_left(packet: &[u8]) -> bool {
        let is_nothing = packet.get(6) == Some(&NO_NEXT_HEADER) || packet.len() <= HEADER_LEN;
        array_at(packet, 4) == Some([0, 0]) && !is_nothing
    }

    /// Writes the header to the beginning of `bytes`. Does nothing if that is shorter than 40 bytes.
    pub fn emit(&self, bytes: &mut [u8]) {
        let Some(fixed) = bytes.first_chunk_mut::<HEADER_LEN>() else {
            return;
        };
        let first = (6 << 28) | (u32::from(self.traffic_class) << 20) | (self.flow_label & 0xf_ffff);
        fixed[0..4].copy_from_slice(&first.to_be_bytes());
        fixed[4..6].copy_from_slice(&(self.payload_len as u16).to_be_bytes());
        fixed[6] = self.next_header;
        fixed[7] = self.hop_limit;
        fixed[8..24].copy_from_slice(&self.source.octets());
        fixed[24..40].copy_from_slice(&self.destination.octets());
    }
}

/// The modified EUI-64 identifier of a MAC address (RFC 4291, appendix A): `ff:fe` in the middle and the
/// universal/local bit turned over.
pub fn interface_identifier(mac: MacAddr) -> [u8; 8] {
    let [a, b, c, d, e, g] = mac.octets();
    [a ^ 0x02, b, c, 0xff, 0xfe, d, e, g]
}

/// The address of this MAC address in a network with a 64-bit prefix (RFC 4862, section 5.5.3).
pub fn address_in(prefix: Ipv6Addr, mac: MacAddr) -> Ipv6Addr {
    let network = u128::from(prefix) & !u128::from(u64::MAX);
    let host = u64::from_be_bytes(interface_identifier(mac));
    (network | u128::from(host)).into()
}

/// The link-local address of this MAC address (RFC 4862, section 5.3).
pub fn link_local(mac: MacAddr) -> Ipv6Addr {
    address_in(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), mac)
}

/// The group that the owner of an address listens to for those who look for it (RFC 4291, section 2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let last = u16::from_be_bytes([b, c]);
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), last)
}
