//! What an IP header or an ICMP message says, field by field, in sentences.

mod extension;
mod icmp;
mod icmpv6;
mod ipv4;
mod ipv6;
mod ndp;
mod option;
mod quote;
mod whose;

use std::net::IpAddr;
use std::ops::Range;

use framewise_core::{Description, Field};

use crate::error::ParseError;

pub use icmp::describe_icmp;
pub use icmpv6::{describe_icmpv6, describe_icmpv6_between};
pub use ipv4::describe_ipv4;
pub use ipv6::describe_ipv6;

/// Explains the IP header at the beginning of `packet`, by its version.
pub fn describe(packet: &[u8]) -> Result<Description, ParseError> {
    match packet.first().map(|byte| byte >> 4) {
        Some(6) => describe_ipv6(packet),
        _ => describe_ipv4(packet),
    }
}

/// The protocols that people meet, by number (RFC 790, now a registry of IANA's).
fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        0 => "hop-by-hop",
        1 => "ICMP",
        2 => "IGMP",
        6 => "TCP",
        17 => "UDP",
        43 => "routing",
        44 => "fragment",
        58 => "ICMPv6",
        59 => "nothing",
        60 => "options",
        _ => "unknown",
    }
}

/// An address in at most 22 characters, so that it fits a phrase.
fn short(address: IpAddr) -> String {
    let whole = address.to_string();
    if whole.len() <= 22 {
        return whole;
    }
    let mut groups = whole.split(':').filter(|group| !group.is_empty());
    let first = groups.next().unwrap_or_default();
    let second = groups.next().unwrap_or_default();
    let last = groups.next_back().unwrap_or_default();
    format!("{first}:{second}:..:{last}")
}

/// What a decision in a walk may be long.
const DECISION: usize = 34;

/// Which bytes of a packet a fragment brings; of which one, by its number, where there is room for it.
fn fragment(begin: usize, length: usize, number: u32) -> String {
    let last = (begin + length).saturating_sub(1);
    let named = format!("bytes {begin}-{last} of packet {number}");
    if named.len() <= DECISION { named } else { format!("fragment, bytes {begin}-{last}") }
}

/// How many hops are left, counted for a beginner.
fn hops_left(hops: u8) -> String {
    match hops {
        0 => "No router may pass it on any more; it must not have left.".to_owned(),
        1 => "The next router must drop it instead of passing it on.".to_owned(),
        _ => format!(
            "At most {} more routers may pass it on; then it is dropped, so that nothing circles for ever.",
            hops - 1
        ),
    }
}

/// The byte by which a packet asks for a service, and its two parts. It begins at bit `at` of these bytes.
fn service_fields(
    name: &'static str,
    bytes: Range<usize>,
    at: usize,
    service: u8,
    source: &'static str,
) -> [Field; 3] {
    let (code_point, congestion) = (service >> 2, service & 3);
    let whole = format!("{}; {}.", code_point_meaning(code_point), congestion_meaning(congestion));
    let field = |name, value, meaning: String, source, bits: Range<usize>| {
        Field::new(name, bytes.clone(), value, meaning, source).with_bits(at + bits.start..at + bits.end)
    };
    [
        field(name, format!("{service:#04x}"), whole, source, 0..8),
        field(
            "differentiated services code point",
            code_point.to_string(),
            format!("{}.", code_point_meaning(code_point)),
            "RFC 2474 §3",
            0..6,
        ),
        field(
            "explicit congestion notification",
            congestion.to_string(),
            capitalised(&format!("{}.", congestion_meaning(congestion))),
            "RFC 3168 §5",
            6..8,
        ),
    ]
}

fn code_point_meaning(code_point: u8) -> &'static str {
    match code_point {
        0 => "The usual treatment",
        46 => "Hurry: this is voice or the like",
        _ => "A special treatment",
    }
}

fn congestion_meaning(congestion: u8) -> &'static str {
    match congestion {
        0 => "the sender does not listen to congestion marks",
        3 => "a router on the way was near its limit",
        _ => "the sender listens to congestion marks",
    }
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Bytes as people write them who look at wires: two digits each.
fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

fn yes_no(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}
