//! ICMP messages, explained: RFC 792.

use framewise_core::checksum::Sum;
use framewise_core::read::{u8_at, u16_at};
use framewise_core::{Description, Field};

use crate::error::{ParseError, require};
use crate::icmpv4::{
    DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST, HEADER_LEN, PARAMETER_PROBLEM, REDIRECT,
    TIME_EXCEEDED, is_error,
};

const SOURCE: &str = "RFC 792";

/// Explains an ICMP message, from its type on.
pub fn describe_icmp(message: &[u8]) -> Result<Description, ParseError> {
    require(message, "ICMP", 0, HEADER_LEN)?;
    let kind = u8_at(message, 0).unwrap_or(0);
    let code = u8_at(message, 1).unwrap_or(0);
    let mut sum = Sum::default();
    sum.add(message);
    let mut fields = common(message, type_name(kind), code_meaning(kind, code), sum.is_valid(), SOURCE);
    fields.extend(rest(message, kind, code));
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

/// Type, code and checksum, which all messages of both versions begin with.
pub(super) fn common(
    message: &[u8],
    type_name: &'static str,
    code_meaning: &'static str,
    sum_right: bool,
    source: &'static str,
) -> Vec<Field> {
    let number = |at| u8_at(message, at).unwrap_or(0).to_string();
    let sum = if sum_right {
        "It fits the other bytes: none was damaged."
    } else {
        "It does not fit the other bytes: at least one was damaged on the way."
    };
    vec![
        Field::new("type", 0..1, number(0), format!("What this message is: {type_name}."), source),
        Field::new("code", 1..2, number(1), code_meaning, source),
        Field::new("checksum", 2..4, format!("{:#06x}", u16_at(message, 2).unwrap_or(0)), sum, source),
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

fn rest(message: &[u8], kind: u8, code: u8) -> Vec<Field> {
    match (kind, code) {
        (ECHO_REQUEST | ECHO_REPLY, _) => echo_fields(message, SOURCE),
        (DESTINATION_UNREACHABLE, 4) => {
            let mtu = u16_at(message, 6).unwrap_or(0);
            let meaning = format!("The next link takes packets of at most {mtu} bytes.");
            vec![Field::new("next-hop MTU", 6..8, mtu.to_string(), meaning, "RFC 1191 §4")]
        }
        (PARAMETER_PROBLEM, _) => {
            let at = u8_at(message, 4).unwrap_or(0);
            let meaning = format!("Byte {at} of the quoted packet was not understood.");
            vec![Field::new("pointer", 4..5, at.to_string(), meaning, SOURCE)]
        }
        _ => vec![Field::new("unused", 4..8, "0", "Nothing is said here.", SOURCE)],
    }
}

fn type_name(kind: u8) -> &'static str {
    match kind {
        ECHO_REPLY => "echo reply: here I am",
        DESTINATION_UNREACHABLE => "destination unreachable",
        REDIRECT => "redirect: there is a better router",
        ECHO_REQUEST => "echo request: are you there?",
        TIME_EXCEEDED => "time exceeded",
        PARAMETER_PROBLEM => "parameter problem",
        _ => "another ICMP message",
    }
}

fn short_name(kind: u8) -> &'static str {
    match kind {
        ECHO_REPLY => "echo reply",
        DESTINATION_UNREACHABLE => "unreachable",
        REDIRECT => "redirect",
        ECHO_REQUEST => "echo request",
        TIME_EXCEEDED => "time exceeded",
        PARAMETER_PROBLEM => "parameter problem",
        _ => "ICMP message",
    }
}

fn code_meaning(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, 0) => "There is no way to its network.",
        (DESTINATION_UNREACHABLE, 1) => "The host does not answer on its link.",
        (DESTINATION_UNREACHABLE, 2) => "The host does not speak that protocol.",
        (DESTINATION_UNREACHABLE, 3) => "Nobody listens on that port.",
        (DESTINATION_UNREACHABLE, 4) => "It was too big for the next link and must not be split.",
        (DESTINATION_UNREACHABLE, 9 | 10 | 13) => "A rule forbids it.",
        (TIME_EXCEEDED, 0) => "It passed as many routers as it might.",
        (TIME_EXCEEDED, _) => "Not all of its fragments came in time.",
        (ECHO_REQUEST | ECHO_REPLY, _) => "Always 0 for an echo.",
        _ => "Tells cases of this type apart.",
    }
}
