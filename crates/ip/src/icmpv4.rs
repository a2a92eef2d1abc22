//! ICMP for IPv4: RFC 792; RFC 1122 section 3.2.2 and RFC 1812 section 4.3 (who says what when);
//! RFC 1191 section 4 (the MTU in "fragmentation needed").

use framewise_core::Buf;
use framewise_core::checksum::{Sum, checksum};
use framewise_core::read::{array_at, u16_at};
use framewise_core::seams::segment::ErrorKind;

use crate::error::{ParseError, require};

/// The protocol number.
pub const PROTOCOL: u8 = 1;
/// Type, code, checksum, and four bytes that depend on the type.
pub const HEADER_LEN: usize = 8;
/// An error quotes so much of the packet that the whole stays within 576 bytes (RFC 1812, section 4.3.2.3).
pub const LONGEST_QUOTE: usize = 576 - super::ipv4::HEADER_LEN - HEADER_LEN;

/// An answer to an echo request.
pub const ECHO_REPLY: u8 = 0;
/// The packet did not get there.
pub const DESTINATION_UNREACHABLE: u8 = 3;
/// There is a better router (not followed: anyone could say so).
pub const REDIRECT: u8 = 5;
/// Answer, please.
pub const ECHO_REQUEST: u8 = 8;
/// The packet's time to live, or its fragments' time, is over.
pub const TIME_EXCEEDED: u8 = 11;
/// A field of the header makes no sense.
pub const PARAMETER_PROBLEM: u8 = 12;

/// What an ICMP message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmpv4 {
    /// Answer, please.
    EchoRequest(Echo),
    /// The answer.
    EchoReply(Echo),
    /// Something is wrong with the packet that is quoted from byte 8 on.
    Error(ErrorKind),
    /// Anything else.
    Other {
        /// Its type.
        kind: u8,
    },
}

/// Which echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Who asks, on its host.
    pub identifier: u16,
    /// How often it asked before.
    pub sequence_number: u16,
}

impl Icmpv4 {
    /// Reads a message: all of `message` is covered by its checksum.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        require(message, "ICMP", 0, HEADER_LEN)?;
        verify_checksum(message)?;
        let [kind, code, ..] = array_at::<HEADER_LEN>(message, 0).unwrap_or_default();
        Ok(match kind {
            ECHO_REQUEST => Icmpv4::EchoRequest(echo(message)),
            ECHO_REPLY => Icmpv4::EchoReply(echo(message)),
            _ => match error_kind(kind, code, u16_at(message, 6).unwrap_or(0)) {
                Some(error) => Icmpv4::Error(error),
                None => Icmpv4::Other { kind },
            },
        })
    }
}

pub(crate) fn echo(message: &[u8]) -> Echo {
    Echo { identifier: u16_at(message, 4).unwrap_or(0), sequence_number: u16_at(message, 6).unwrap_or(0) }
}

fn verify_checksum(message: &[u8]) -> Result<(), ParseError> {
    let mut sum = Sum::default();
    sum.add(message);
    if sum.is_valid() {
        return Ok(());
    }
    let found = u16_at(message, 2).unwrap_or(0);
    sum.add_u16(!found);
    Err(ParseError::Checksum { layer: "ICMP", offset: 2, needed: sum.checksum(), found })
}

/// RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. `mtu` is 0 where a router is older than RFC 1191.
fn error_kind(kind: u8, code: u8, mtu: u16) -> Option<ErrorKind> {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, 0 | 6 | 11) => Some(ErrorKind::NetworkUnreachable),
        (DESTINATION_UNREACHABLE, 1 | 5 | 7 | 8 | 12) => Some(ErrorKind::HostUnreachable),
        (DESTINATION_UNREACHABLE, 2) => Some(ErrorKind::ProtocolUnreachable),
        (DESTINATION_UNREACHABLE, 3) => Some(ErrorKind::PortUnreachable),
        (DESTINATION_UNREACHABLE, 4) => Some(ErrorKind::TooBig { mtu: usize::from(mtu) }),
        (DESTINATION_UNREACHABLE, 9 | 10 | 13..=15) => Some(ErrorKind::Prohibited),
        (TIME_EXCEEDED, 0 | 1) => Some(ErrorKind::TimeExceeded),
        (PARAMETER_PROBLEM, 0..=2) => Some(ErrorKind::ParameterProblem),
        _ => None,
    }
}

/// Whether a message of this type is about another packet: such a one begets no error itself (RFC 1122, section 3.2.2).
pub fn is_error(kind: u8) -> bool {
    matches!(kind, DESTINATION_UNREACHABLE | 4 | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM)
}

/// Makes the answer of an echo request, in place (RFC 792, page 15).
pub(crate) fn turn_into_reply(message: &mut [u8]) {
    if let Some(kind) = message.first_mut() {
        *kind = ECHO_REPLY;
    }
    write_checksum(message);
}

/// An error about the packet that begins with `quoted`.
pub fn error(kind: u8, code: u8, rest: [u8; 4], quoted: &[u8]) -> Buf {
    let quoted = quoted.get(..LONGEST_QUOTE).unwrap_or(quoted);
    let mut buf = Buf::copy_from_slice(quoted);
    let [a, b, c, d] = rest;
    buf.prepend(HEADER_LEN).copy_from_slice(&[kind, code, 0, 0, a, b, c, d]);
    write_checksum(&mut buf);
    buf
}

fn write_checksum(message: &mut [u8]) {
    if let Some(field) = message.get_mut(2..4) {
        field.fill(0);
    }
    let sum = checksum(message).to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
}
