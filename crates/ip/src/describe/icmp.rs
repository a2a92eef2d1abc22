//! ICMP messages, explained: RFC 792; RFC 1812 section 5.2.7.1 (codes), RFC 1191 section 4 (the MTU of the next hop).

use std::net::Ipv4Addr;

use framewise_core::checksum::Sum;
use framewise_core::read::{array_at, u8_at, u16_at, u32_at};
use framewise_core::{Description, Field};

use super::quote::quote_fields;
use crate::error::{ParseError, require};
use crate::icmpv4::{
    DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST, HEADER_LEN, PARAMETER_PROBLEM, REDIRECT,
    TIME_EXCEEDED, is_error,
};

const SOURCE: &str = "RFC 792";

/// Older types, which hosts and routers only recognise.
const SOURCE_QUENCH: u8 = 4;
const ROUTER_ADVERTISEMENT: u8 = 9;
const ROUTER_SOLICITATION: u8 = 10;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;

/// Explains an ICMP message, from its type on; of an error also which packet it quotes.
///
/// ```
/// let description = framewise_ip::describe_icmp(&[8, 0, 0xf7, 0xf8, 0, 0, 0, 7])?;
/// assert_eq!(description.outbound, "echo request: are you there?");
/// assert_eq!(description.inbound, "echo request, sum right");
/// # Ok::<(), framewise_ip::ParseError>(())
/// ```
pub fn describe_icmp(message: &[u8]) -> Result<Description, ParseError> {
    require(message, "ICMP", 0, HEADER_LEN)?;
    let kind = u8_at(message, 0).unwrap_or(0);
    let code = u8_at(message, 1).unwrap_or(0);
    let mut sum = Sum::default();
    sum.add(message);
    let mut fields = common(message, type_name(kind), code_meaning(kind, code), sum.is_valid());
    fields.extend(rest(message, kind, code));
    fields.extend(behind(message, kind));
    let right = if sum.is_valid() { "sum right" } else { "sum wrong" };
    Ok(Description {
        protocol: "ICMP",
        unit: "message",
        outbound: type_name(kind).to_owned(),
        inbound: format!("{}, {right}", short_name(kind)),
        next: if is_error(kind) { "whoever sent the quote" } else { "nobody: IP's own" }.to_owned(),
        header: 0..HEADER_LEN,
        payload: HEADER_LEN..message.len(),
        fields,
    })
}

/// Type, code and checksum, which every message begins with.
fn common(
    message: &[u8],
    type_name: &'static str,
    code_meaning: &'static str,
    sum_right: bool,
) -> Vec<Field> {
    let number = |at| u8_at(message, at).unwrap_or(0).to_string();
    let sum = if sum_right {
        "It fits the other bytes: none was damaged."
    } else {
        "It does not fit the other bytes: at least one was damaged on the way."
    };
    vec![
        Field::new("type", 0..1, number(0), format!("This message says: “{type_name}”."), SOURCE),
        Field::new("code", 1..2, number(1), code_meaning, SOURCE),
        Field::new("checksum", 2..4, format!("{:#06x}", u16_at(message, 2).unwrap_or(0)), sum, SOURCE),
    ]
}

/// Identifier and sequence number of an echo.
pub(super) fn echo_fields(message: &[u8], source: &'static str) -> Vec<Field> {
    let number = |at| u16_at(message, at).unwrap_or(0).to_string();
    vec![
        Field::new("identifier", 4..6, number(4), "Tells several questioners on one host apart.", source),
        Field::new("sequence number", 6..8, number(6), "Which question this is, or answers.", source),
    ]
}

/// What an echo carries, which comes back as it was sent.
pub(super) fn echo_data(message: &[u8], source: &'static str) -> Option<Field> {
    let place = HEADER_LEN..message.len();
    let meaning = "Means nothing to anyone but the one who asks: the answer brings the same bytes back.";
    (!place.is_empty())
        .then(|| Field::new("data", place.clone(), format!("{} bytes", place.len()), meaning, source))
}

/// Bytes that say nothing in this message.
pub(super) fn unused(message: &[u8], place: std::ops::Range<usize>, source: &'static str) -> Field {
    let bytes = message.get(place.clone()).unwrap_or_default();
    let meaning = match bytes.iter().all(|byte| *byte == 0) {
        true => "Nothing is said here.",
        false => "Should be 0 in this message; whoever reads it passes over it.",
    };
    Field::new("unused", place, super::hex(bytes), meaning, source)
}

/// The four bytes that depend on the type.
fn rest(message: &[u8], kind: u8, code: u8) -> Vec<Field> {
    match (kind, code) {
        (ECHO_REQUEST | ECHO_REPLY | TIMESTAMP | TIMESTAMP_REPLY, _) => echo_fields(message, SOURCE),
        (DESTINATION_UNREACHABLE, 4) => {
            vec![unused(message, 4..6, "RFC 1191 §4"), next_hop_mtu(u16_at(message, 6).unwrap_or(0))]
        }
        (REDIRECT, _) => {
            let router = Ipv4Addr::from(array_at::<4>(message, 4).unwrap_or_default());
            let meaning = "The router that is nearer to where the quoted packet goes.";
            vec![Field::new("gateway address", 4..8, router.to_string(), meaning, SOURCE)]
        }
        (PARAMETER_PROBLEM, _) => {
            let at = u8_at(message, 4).unwrap_or(0);
            let meaning = format!("Byte {at} of the quoted packet was not understood.");
            let pointer = Field::new("pointer", 4..5, at.to_string(), meaning, SOURCE);
            vec![pointer, unused(message, 5..8, SOURCE)]
        }
        _ => vec![unused(message, 4..8, SOURCE)],
    }
}

fn next_hop_mtu(mtu: u16) -> Field {
    let meaning = match mtu {
        0 => "This router is too old to say how large a packet may be.".to_owned(),
        _ => format!("The next link takes packets of at most {mtu} bytes."),
    };
    Field::new("next-hop MTU", 6..8, mtu.to_string(), meaning, "RFC 1191 §4")
}

/// What stands behind the header: the packet that is quoted, the bytes of an echo, the times of a clock.
fn behind(message: &[u8], kind: u8) -> Vec<Field> {
    match kind {
        ECHO_REQUEST | ECHO_REPLY => echo_data(message, SOURCE).into_iter().collect(),
        TIMESTAMP | TIMESTAMP_REPLY => timestamps(message),
        _ if is_error(kind) => quote_fields(message, HEADER_LEN, SOURCE),
        _ => Vec::new(),
    }
}

fn timestamps(message: &[u8]) -> Vec<Field> {
    let names = [
        ("originate timestamp", "When the questioner sent this, in milliseconds since midnight."),
        ("receive timestamp", "When the other got it, in milliseconds since midnight."),
        ("transmit timestamp", "When the other answered, in milliseconds since midnight."),
    ];
    let times = names.into_iter().zip((HEADER_LEN..).step_by(4));
    let field = |((name, meaning), at)| {
        let time = u32_at(message, at)?;
        Some(Field::new(name, at..at + 4, time.to_string(), meaning, SOURCE))
    };
    times.map_while(field).collect()
}

fn type_name(kind: u8) -> &'static str {
    match kind {
        ECHO_REPLY => "echo reply: here I am",
        DESTINATION_UNREACHABLE => "destination unreachable",
        SOURCE_QUENCH => "source quench: slow down",
        REDIRECT => "redirect: there is a better router",
        ECHO_REQUEST => "echo request: are you there?",
        ROUTER_ADVERTISEMENT => "I am a router",
        ROUTER_SOLICITATION => "are there routers?",
        TIME_EXCEEDED => "time exceeded",
        PARAMETER_PROBLEM => "parameter problem",
        TIMESTAMP => "what time is it?",
        TIMESTAMP_REPLY => "the time",
        _ => "another ICMP message",
    }
}

fn short_name(kind: u8) -> &'static str {
    match kind {
        ECHO_REPLY => "echo reply",
        DESTINATION_UNREACHABLE => "unreachable",
        SOURCE_QUENCH => "source quench",
        REDIRECT => "redirect",
        ECHO_REQUEST => "echo request",
        TIME_EXCEEDED => "time exceeded",
        PARAMETER_PROBLEM => "parameter problem",
        _ => "ICMP message",
    }
}

fn code_meaning(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, _) => unreachable_meaning(code),
        (TIME_EXCEEDED, 0) => "It passed as many routers as it might.",
        (TIME_EXCEEDED, _) => "Not all of its fragments came in time.",
        (REDIRECT, 0) => "For all packets to that network.",
        (REDIRECT, 1) => "For all packets to that host.",
        (REDIRECT, 2) => "For packets to that network that ask for this service.",
        (REDIRECT, 3) => "For packets to that host that ask for this service.",
        (PARAMETER_PROBLEM, 0) => "The pointer says which byte makes no sense.",
        (PARAMETER_PROBLEM, 1) => "An option is missing that is needed there.",
        (PARAMETER_PROBLEM, 2) => "Its lengths make no sense.",
        (ECHO_REQUEST | ECHO_REPLY, _) => "Always 0 for an echo.",
        (SOURCE_QUENCH | TIMESTAMP | TIMESTAMP_REPLY, _) => "Always 0 for this type.",
        _ => "Tells cases of this type apart.",
    }
}

/// RFC 792, RFC 1122 section 3.2.2.1 (from 6 on), RFC 1812 section 5.2.7.1 (from 13 on).
fn unreachable_meaning(code: u8) -> &'static str {
    match code {
        0 => "There is no way to its network.",
        1 => "The host does not answer on its link.",
        2 => "The host does not speak that protocol.",
        3 => "Nobody listens on that port.",
        4 => "It was too big for the next link and must not be split.",
        5 => "The way that its sender prescribed leads nowhere.",
        6 => "Nobody knows its network.",
        7 => "Nobody knows its host.",
        8 => "Its sender is cut off from the network.",
        9 | 10 | 13 => "A rule forbids it.",
        11 => "There is no way to its network for the service that it asks for.",
        12 => "There is no way to its host for the service that it asks for.",
        14 | 15 => "Its priority is not allowed there.",
        _ => "Tells cases of this type apart.",
    }
}
