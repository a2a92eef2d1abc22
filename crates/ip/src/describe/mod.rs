//! What an IP header or an ICMP message says, field by field, in sentences.

mod icmp;
mod icmpv6;
mod ipv4;
mod ipv6;

use std::net::IpAddr;

use framewise_core::Description;

use crate::error::ParseError;

pub use icmp::describe_icmp;
pub use icmpv6::describe_icmpv6;
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

/// The service a packet asks for, and whether a router on the way was near its limit.
fn traffic_class_meaning(traffic_class: u8) -> String {
    let service = match traffic_class >> 2 {
        0 => "The usual treatment",
        46 => "Hurry: this is voice or the like",
        _ => "A special treatment",
    };
    let congestion = match traffic_class & 3 {
        0 => "the sender does not listen to congestion marks",
        3 => "a router on the way was near its limit",
        _ => "the sender listens to congestion marks",
    };
    format!("{service}; {congestion}.")
}

fn yes_no(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}
