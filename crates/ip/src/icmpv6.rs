//! ICMP for IPv6: RFC 4443. Its neighbour discovery messages are in [`ndp`](crate::ndp).

use std::net::{IpAddr, Ipv6Addr};

use framewise_core::Buf;
use framewise_core::checksum::Sum;
use framewise_core::read::{array_at, u16_at, u32_at};
use framewise_core::seams::segment::ErrorKind;

use crate::error::{ParseError, require};
use crate::extension::ICMPV6;
use crate::icmpv4::{Echo, echo};

/// Type, code, checksum, and four bytes that depend on the type.
pub const HEADER_LEN: usize = 8;
/// An error quotes so much of the packet that the whole stays within 1,280 bytes (RFC 4443, section 2.4 (c)).
pub const LONGEST_QUOTE: usize = super::ipv6::MINIMUM_MTU - super::ipv6::HEADER_LEN - HEADER_LEN;

/// The packet did not get there.
pub const DESTINATION_UNREACHABLE: u8 = 1;
/// The packet is larger than a link on the way takes.
pub const PACKET_TOO_BIG: u8 = 2;
/// The packet's hop limit, or its fragments' time, is over.
pub const TIME_EXCEEDED: u8 = 3;
/// A field of a header makes no sense.
pub const PARAMETER_PROBLEM: u8 = 4;
/// Answer, please.
pub const ECHO_REQUEST: u8 = 128;
/// The answer.
pub const ECHO_REPLY: u8 = 129;

/// What an ICMPv6 message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmpv6 {
    /// Answer, please.
    EchoRequest(Echo),
    /// The answer.
    EchoReply(Echo),
    /// Something is wrong with the packet that is quoted from byte 8 on.
    Error(ErrorKind),
    /// Neighbour discovery: see [`ndp`](crate::ndp).
    Neighbour,
    /// Anything else.
    Other {
        /// Its type.
        kind: u8,
    },
}

impl Icmpv6 {
    /// Reads a message between these addresses: its checksum covers them too.
    pub fn parse(message: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> Result<Self, ParseError> {
        require(message, "ICMPv6", 0, 4)?;
        verify_checksum(message, source, destination)?;
        require(message, "ICMPv6", 0, HEADER_LEN)?;
        let [kind, code, ..] = array_at::<HEADER_LEN>(message, 0).unwrap_or_default();
        Ok(match kind {
            ECHO_REQUEST => Icmpv6::EchoRequest(echo(message)),
            ECHO_REPLY => Icmpv6::EchoReply(echo(message)),
            133..=137 => Icmpv6::Neighbour,
            _ => match error_kind(kind, code, u32_at(message, 4).unwrap_or(0)) {
                Some(error) => Icmpv6::Error(error),
                None => Icmpv6::Other { kind },
            },
        })
    }
}

/// RFC 4443, section 3.
fn error_kind(kind: u8, code: u8, mtu: u32) -> Option<ErrorKind> {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, 1 | 5 | 6) => Some(ErrorKind::Prohibited),
        (DESTINATION_UNREACHABLE, 3) => Some(ErrorKind::HostUnreachable),
        (DESTINATION_UNREACHABLE, 4) => Some(ErrorKind::PortUnreachable),
        (DESTINATION_UNREACHABLE, _) => Some(ErrorKind::NetworkUnreachable),
        (PACKET_TOO_BIG, _) => Some(ErrorKind::TooBig { mtu: mtu as usize }),
        (TIME_EXCEEDED, _) => Some(ErrorKind::TimeExceeded),
        (PARAMETER_PROBLEM, 1) => Some(ErrorKind::ProtocolUnreachable),
        (PARAMETER_PROBLEM, _) => Some(ErrorKind::ParameterProblem),
        _ => None,
    }
}

/// Whether a message of this type is about another packet; a redirect counts as one (RFC 4443, section 2.4 (e)).
pub fn is_error(kind: u8) -> bool {
    kind < 128 || kind == super::ndp::REDIRECT
}

pub(crate) fn sum(message: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> Sum {
    let mut sum = Sum::default();
    sum.add_pseudo_header(IpAddr::V6(source), IpAddr::V6(destination), ICMPV6, message.len());
    sum.add(message);
    sum
}

fn verify_checksum(message: &[u8], source: Ipv6Addr, destination: Ipv6Addr) -> Result<(), ParseError> {
    let mut sum = sum(message, source, destination);
    if sum.is_valid() {
        return Ok(());
    }
    let found = u16_at(message, 2).unwrap_or(0);
    sum.add_u16(!found);
    Err(ParseError::Checksum { layer: "ICMPv6", offset: 2, needed: sum.checksum(), found })
}

/// Writes the checksum of a message between these addresses.
pub(crate) fn write_checksum(message: &mut [u8], source: Ipv6Addr, destination: Ipv6Addr) {
    if let Some(field) = message.get_mut(2..4) {
        field.fill(0);
    }
    let sum = sum(message, source, destination).checksum().to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
}

/// Makes the answer of an echo request, in place; it goes from `source` to `destination` (RFC 4443, section 4.2).
pub(crate) fn turn_into_reply(message: &mut [u8], source: Ipv6Addr, destination: Ipv6Addr) {
    if let Some(kind) = message.first_mut() {
        *kind = ECHO_REPLY;
    }
    write_checksum(message, source, destination);
}

/// A message of this type and code between these addresses: `rest` and then `body` follow the checksum.
pub fn message(
    kind: u8,
    code: u8,
    rest: [u8; 4],
    body: &[u8],
    source: Ipv6Addr,
    destination: Ipv6Addr,
) -> Buf {
    let body = body.get(..LONGEST_QUOTE).unwrap_or(body);
    let mut buf = Buf::copy_from_slice(body);
    let [a, b, c, d] = rest;
    buf.prepend(HEADER_LEN).copy_from_slice(&[kind, code, 0, 0, a, b, c, d]);
    write_checksum(&mut buf, source, destination);
    buf
}
