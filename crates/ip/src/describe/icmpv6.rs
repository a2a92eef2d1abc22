//! ICMPv6 messages, explained: RFC 4443. Those of neighbour discovery are in `ndp`.

use std::net::Ipv6Addr;

use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::{Description, Field};

use super::icmp::{echo_data, echo_fields, unused};
use super::ndp::neighbour_fields;
use super::quote::quote_fields;
use crate::error::{ParseError, require};
use crate::icmpv6::{
    DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST, HEADER_LEN, PACKET_TOO_BIG, PARAMETER_PROBLEM,
    TIME_EXCEEDED, is_error, sum,
};
use crate::ndp::{
    NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, REDIRECT, ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION,
};

const SOURCE: &str = "RFC 4443 §2.1";

/// Who listens to which groups (RFC 2710, RFC 3810): not spoken here, but often seen.
const LISTENER_QUERY: u8 = 130;
const LISTENER_REPORT: u8 = 131;
const LISTENER_DONE: u8 = 132;
const LISTENER_REPORT_2: u8 = 143;

/// Explains an ICMPv6 message, from its type on; of an error also which packet it quotes. Its checksum covers the
/// addresses in the IPv6 header too, which are not here, so it is shown and not judged: see [`describe_icmpv6_between`].
pub fn describe_icmpv6(message: &[u8]) -> Result<Description, ParseError> {
    require(message, "ICMPv6", 0, HEADER_LEN)?;
    let kind = u8_at(message, 0).unwrap_or(0);
    let neighbour = (ROUTER_SOLICITATION..=REDIRECT).contains(&kind);
    let mut fields = common(message, kind);
    match neighbour {
        true => fields.extend(neighbour_fields(message, kind)),
        false => fields.extend(rest(message, kind)),
    }
    let header = if neighbour { message.len() } else { HEADER_LEN };
    let next = match (neighbour, is_error(kind)) {
        (true, _) => "the neighbour table",
        (false, true) => "whoever sent the quote",
        (false, false) => "nobody: IP's own",
    };
    Ok(Description {
        protocol: if neighbour { "NDP" } else { "ICMPv6" },
        unit: "message",
        outbound: type_name(kind).to_owned(),
        inbound: type_name(kind).to_owned(),
        next: next.to_owned(),
        header: 0..header,
        payload: header..message.len(),
        fields,
    })
}

/// Explains an ICMPv6 message between these addresses, which is `length` bytes long: a capture may have kept fewer. So its
/// checksum can be judged, too.
pub fn describe_icmpv6_between(
    message: &[u8],
    length: usize,
    source: Ipv6Addr,
    destination: Ipv6Addr,
) -> Result<Description, ParseError> {
    let mut description = describe_icmpv6(message)?;
    let is_right = sum(message, source, destination).is_valid();
    let meaning = match (message.len() < length, is_right) {
        (true, _) => "Nobody can tell whether it is right: not all of the message was captured.",
        (false, true) => "Right: neither this message nor the two addresses of the IPv6 header were damaged.",
        (false, false) => "Wrong: something was damaged on the way, so the message is thrown away.",
    };
    if !is_right && message.len() >= length {
        description.inbound = "damaged: the sum is wrong".to_owned();
    }
    if let Some(field) = description.fields.iter_mut().find(|field| field.name == "checksum") {
        field.meaning = meaning.to_owned();
    }
    Ok(description)
}

fn common(message: &[u8], kind: u8) -> Vec<Field> {
    let code = u8_at(message, 1).unwrap_or(0);
    let sum = u16_at(message, 2).unwrap_or(0);
    let meaning =
        "Covers this message and both addresses of the IPv6 header, so that neither changes unnoticed.";
    vec![
        Field::new(
            "type",
            0..1,
            kind.to_string(),
            format!("This message says: “{}”.", type_name(kind)),
            SOURCE,
        ),
        Field::new("code", 1..2, code.to_string(), code_meaning(kind, code), SOURCE),
        Field::new("checksum", 2..4, format!("{sum:#06x}"), meaning, "RFC 4443 §2.3"),
    ]
}

/// The four bytes that depend on the type, and what stands behind them.
fn rest(message: &[u8], kind: u8) -> Vec<Field> {
    let number = u32_at(message, 4).unwrap_or(0);
    let mut fields = match kind {
        ECHO_REQUEST | ECHO_REPLY => echo_fields(message, "RFC 4443 §4"),
        PACKET_TOO_BIG => {
            let meaning = format!("The next link takes packets of at most {number} bytes.");
            vec![Field::new("MTU", 4..8, number.to_string(), meaning, "RFC 4443 §3.2")]
        }
        PARAMETER_PROBLEM => {
            let meaning = format!("Byte {number} of the quoted packet was not understood.");
            vec![Field::new("pointer", 4..8, number.to_string(), meaning, "RFC 4443 §3.4")]
        }
        DESTINATION_UNREACHABLE | TIME_EXCEEDED => vec![unused(message, 4..8, "RFC 4443 §3")],
        _ => vec![message_body(message)],
    };
    match kind {
        ECHO_REQUEST | ECHO_REPLY => fields.extend(echo_data(message, "RFC 4443 §4")),
        _ if is_error(kind) => fields.extend(quote_fields(message, HEADER_LEN, "RFC 4443 §2.4")),
        _ => {}
    }
    fields
}

fn message_body(message: &[u8]) -> Field {
    let value = super::hex(message.get(4..HEADER_LEN).unwrap_or_default());
    let meaning = "The beginning of what this type of message says; it is not read here.";
    Field::new("message body", 4..HEADER_LEN, value, meaning, SOURCE)
}

fn type_name(kind: u8) -> &'static str {
    match kind {
        DESTINATION_UNREACHABLE => "destination unreachable",
        PACKET_TOO_BIG => "packet too big",
        TIME_EXCEEDED => "time exceeded",
        PARAMETER_PROBLEM => "parameter problem",
        ECHO_REQUEST => "echo request: are you there?",
        ECHO_REPLY => "echo reply: here I am",
        ROUTER_SOLICITATION => "are there routers?",
        ROUTER_ADVERTISEMENT => "I am a router",
        NEIGHBOUR_SOLICITATION => "who has this address?",
        NEIGHBOUR_ADVERTISEMENT => "I have this address",
        REDIRECT => "redirect: a better router",
        LISTENER_QUERY => "who listens to which groups?",
        LISTENER_REPORT | LISTENER_REPORT_2 => "I listen to these groups",
        LISTENER_DONE => "I listen to this group no more",
        _ => "another ICMPv6 message",
    }
}

fn code_meaning(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, _) => unreachable_meaning(code),
        (TIME_EXCEEDED, 0) => "It passed as many routers as it might.",
        (TIME_EXCEEDED, _) => "Not all of its fragments came in time.",
        (PARAMETER_PROBLEM, 0) => "A field makes no sense.",
        (PARAMETER_PROBLEM, 1) => "It names a protocol that is not spoken there.",
        (PARAMETER_PROBLEM, 2) => "It has an option that is not known there.",
        (PARAMETER_PROBLEM, 3) => "Its first fragment lacks a part of its headers.",
        (PARAMETER_PROBLEM, _) => "Another thing about its headers makes no sense.",
        _ => "Always 0 for this type.",
    }
}

/// RFC 4443 section 3.1.
fn unreachable_meaning(code: u8) -> &'static str {
    match code {
        0 => "There is no way to its network.",
        1 => "A rule forbids it.",
        2 => "Its source may not be used so far away.",
        3 => "The host does not answer on its link.",
        4 => "Nobody listens on that port.",
        5 => "A rule forbids it: its source is not allowed there.",
        6 => "A rule forbids it: the way there was closed on purpose.",
        _ => "Tells cases of this type apart.",
    }
}
