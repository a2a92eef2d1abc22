//! ICMPv6 messages and neighbour discovery, explained: RFC 4443 and RFC 4861 section 4.

use std::net::Ipv6Addr;

use framewise_core::read::{array_at, u8_at, u16_at, u32_at};
use framewise_core::{Description, Field, MacAddr};

use super::icmp::echo_fields;
use super::yes_no;
use crate::error::{ParseError, require};
use crate::icmpv6::{
    DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST, HEADER_LEN, PACKET_TOO_BIG, PARAMETER_PROBLEM,
    TIME_EXCEEDED, is_error,
};
use crate::ndp::{
    self, MTU, NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, PREFIX_INFORMATION, REDIRECT,
    ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, SOURCE_LINK_LAYER_ADDRESS, TARGET_LINK_LAYER_ADDRESS,
};

const SOURCE: &str = "RFC 4443 §2.1";

/// Explains an ICMPv6 message, from its type on. Its checksum covers the addresses in the IPv6 header too, which are
/// not here, so it is shown and not judged.
pub fn describe_icmpv6(message: &[u8]) -> Result<Description, ParseError> {
    require(message, "ICMPv6", 0, HEADER_LEN)?;
    let kind = u8_at(message, 0).unwrap_or(0);
    let neighbour = (ROUTER_SOLICITATION..=REDIRECT).contains(&kind);
    let mut fields = common(message, kind);
    fields.extend(rest(message, kind));
    let header = fields.iter().map(|field| field.bytes.end).max().unwrap_or(HEADER_LEN).min(message.len());
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
            format!("What this message is: {}.", type_name(kind)),
            SOURCE,
        ),
        Field::new("code", 1..2, code.to_string(), code_meaning(kind, code), SOURCE),
        Field::new("checksum", 2..4, format!("{sum:#06x}"), meaning, "RFC 4443 §2.3"),
    ]
}

fn rest(message: &[u8], kind: u8) -> Vec<Field> {
    match kind {
        ECHO_REQUEST | ECHO_REPLY => echo_fields(message, "RFC 4443 §4"),
        PACKET_TOO_BIG => {
            let mtu = u32_at(message, 4).unwrap_or(0);
            let meaning = format!("The next link takes packets of at most {mtu} bytes.");
            vec![Field::new("MTU", 4..8, mtu.to_string(), meaning, "RFC 4443 §3.2")]
        }
        PARAMETER_PROBLEM => {
            let at = u32_at(message, 4).unwrap_or(0);
            let meaning = format!("Byte {at} of the quoted packet was not understood.");
            vec![Field::new("pointer", 4..8, at.to_string(), meaning, "RFC 4443 §3.4")]
        }
        ROUTER_SOLICITATION => options(message, 8),
        ROUTER_ADVERTISEMENT => router_advertisement(message),
        NEIGHBOUR_SOLICITATION => solicitation(message),
        NEIGHBOUR_ADVERTISEMENT => advertisement(message),
        _ => vec![Field::new("unused", 4..8, "0", "Nothing is said here.", SOURCE)],
    }
}

fn target_field(message: &[u8], meaning: &'static str, source: &'static str) -> Option<Field> {
    let target: Ipv6Addr = array_at::<16>(message, 8)?.into();
    Some(Field::new("target address", 8..24, target.to_string(), meaning, source))
}

fn solicitation(message: &[u8]) -> Vec<Field> {
    let target = target_field(message, "Whose MAC address is wanted.", "RFC 4861 §4.3");
    target.into_iter().chain(options(message, 24)).collect()
}

fn advertisement(message: &[u8]) -> Vec<Field> {
    let source = "RFC 4861 §4.4";
    let flags = u8_at(message, 4).unwrap_or(0);
    let flag = |name, bit: usize, meaning: &'static str| {
        let set = flags & (0x80 >> bit) != 0;
        Field::new(name, 4..5, yes_no(set), meaning, source).with_bits(bit..bit + 1)
    };
    let flags = [
        flag("router", 0, "1 if the sender passes packets on."),
        flag("solicited", 1, "1 if somebody asked for this."),
        flag("override", 2, "1 if it replaces what was known before."),
    ];
    let target = target_field(message, "Whose MAC address this tells.", source);
    flags.into_iter().chain(target).chain(options(message, 24)).collect()
}

fn router_advertisement(message: &[u8]) -> Vec<Field> {
    let source = "RFC 4861 §4.2";
    let hops = u8_at(message, 4).unwrap_or(0);
    let lifetime = u16_at(message, 6).unwrap_or(0);
    let use_it = match lifetime {
        0 => "It must not be used as the way to everywhere else.".to_owned(),
        _ => format!("It may be used as the way to everywhere else for {lifetime} s."),
    };
    let mut fields = vec![
        Field::new(
            "current hop limit",
            4..5,
            hops.to_string(),
            "The hop limit that the router proposes.",
            source,
        ),
        Field::new("router lifetime", 6..8, lifetime.to_string(), use_it, source),
    ];
    fields.extend(options(message, 16));
    fields
}

fn options(message: &[u8], at: usize) -> Vec<Field> {
    let options = ndp::options(message, at).into_iter().flatten();
    let describe = |option: ndp::NdpOption<'_>| {
        let bytes = option.at..option.at + option.bytes.len();
        let mac = || MacAddr::new(array_at(option.bytes, 2).unwrap_or_default()).to_string();
        match option.kind {
            SOURCE_LINK_LAYER_ADDRESS => Field::new(
                "source link-layer address",
                bytes,
                mac(),
                "The sender's MAC address.",
                "RFC 4861 §4.6.1",
            ),
            TARGET_LINK_LAYER_ADDRESS => Field::new(
                "target link-layer address",
                bytes,
                mac(),
                "The MAC address asked for.",
                "RFC 4861 §4.6.1",
            ),
            PREFIX_INFORMATION => {
                let network: Ipv6Addr = array_at::<16>(option.bytes, 16).unwrap_or_default().into();
                let value = format!("{network}/{}", u8_at(option.bytes, 2).unwrap_or(0));
                Field::new("prefix information", bytes, value, "A network of this link.", "RFC 4861 §4.6.2")
            }
            MTU => {
                let value = u32_at(option.bytes, 4).unwrap_or(0).to_string();
                Field::new("MTU", bytes, value, "The largest packet on this link.", "RFC 4861 §4.6.4")
            }
            kind => {
                let value = format!("type {kind}");
                Field::new(
                    "option",
                    bytes,
                    value,
                    "An option that is not known here; it is passed over.",
                    "RFC 4861 §4.6",
                )
            }
        }
    };
    options.map(describe).collect()
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
        _ => "another ICMPv6 message",
    }
}

fn code_meaning(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (DESTINATION_UNREACHABLE, 0) => "There is no way to its network.",
        (DESTINATION_UNREACHABLE, 1 | 5 | 6) => "A rule forbids it.",
        (DESTINATION_UNREACHABLE, 3) => "The host does not answer on its link.",
        (DESTINATION_UNREACHABLE, 4) => "Nobody listens on that port.",
        (TIME_EXCEEDED, 0) => "It passed as many routers as it might.",
        (TIME_EXCEEDED, _) => "Not all of its fragments came in time.",
        (PARAMETER_PROBLEM, 1) => "It names a protocol that is not spoken there.",
        (PARAMETER_PROBLEM, _) => "A field makes no sense.",
        _ => "Always 0 for this type.",
    }
}
