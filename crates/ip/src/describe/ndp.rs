//! Messages and options of neighbour discovery, explained: RFC 4861 section 4; RFC 4191 (preference), RFC 3971 (nonce),
//! RFC 8106 (names of servers).

use std::net::Ipv6Addr;
use std::ops::Range;

use framewise_core::read::{array_at, u8_at, u16_at, u32_at};
use framewise_core::{Field, MacAddr};

use super::icmp::unused;
use super::{hex, quote, yes_no};
use crate::ndp::{
    self, MTU, NEIGHBOUR_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NdpOption, PREFIX_INFORMATION,
    ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, SOURCE_LINK_LAYER_ADDRESS, TARGET_LINK_LAYER_ADDRESS,
};

/// Options that only captures of others have.
const REDIRECTED_HEADER: u8 = 4;
const NONCE: u8 = 14;
const RECURSIVE_DNS_SERVER: u8 = 25;
const DNS_SEARCH_LIST: u8 = 31;

/// The fields of such a message behind type, code and checksum.
pub(super) fn neighbour_fields(message: &[u8], kind: u8) -> Vec<Field> {
    let Some(mut fields) = fixed_fields(message, kind) else {
        return vec![unreadable(message, 4)];
    };
    let end = fields.last().map_or(4, |field| field.bytes.end);
    fields.extend(option_fields(message, end));
    fields
}

fn unreadable(message: &[u8], at: usize) -> Field {
    let value = hex(message.get(at..).unwrap_or_default());
    let meaning = "Does not follow the rules of this message: nobody can read it.";
    Field::new("unreadable", at..message.len(), value, meaning, "RFC 4861 §4")
}

/// The part that every message of this type has; `None` where it is cut short.
fn fixed_fields(message: &[u8], kind: u8) -> Option<Vec<Field>> {
    Some(match kind {
        ROUTER_SOLICITATION => vec![unused(message, 4..8, "RFC 4861 §4.1")],
        ROUTER_ADVERTISEMENT => router_advertisement(message)?,
        NEIGHBOUR_SOLICITATION => {
            let meaning = "Whose MAC address is wanted.";
            vec![
                unused(message, 4..8, "RFC 4861 §4.3"),
                address(message, "target address", 8, meaning, "RFC 4861 §4.3")?,
            ]
        }
        NEIGHBOUR_ADVERTISEMENT => advertisement(message)?,
        _ => redirect(message)?,
    })
}

fn address(
    message: &[u8],
    name: &'static str,
    at: usize,
    meaning: &'static str,
    source: &'static str,
) -> Option<Field> {
    let address: Ipv6Addr = array_at::<16>(message, at)?.into();
    Some(Field::new(name, at..at + 16, address.to_string(), meaning, source))
}

/// A bit, with a sentence for each of its values.
fn flag(
    message: &[u8],
    name: &'static str,
    (byte, bit): (usize, usize),
    [set, not_set]: [&'static str; 2],
    source: &'static str,
) -> Field {
    let is_set = u8_at(message, byte).unwrap_or(0) & (0x80 >> bit) != 0;
    let meaning = if is_set { set } else { not_set };
    Field::new(name, byte..byte + 1, yes_no(is_set), meaning, source).with_bits(bit..bit + 1)
}

/// What is left of a byte or of several from this bit on.
fn reserved(message: &[u8], place: Range<usize>, from: usize, source: &'static str) -> Field {
    let bytes = message.get(place.clone()).unwrap_or_default();
    let clear = |at: usize, byte: &u8| if at == 0 { byte & (0xff >> from) } else { *byte };
    let bytes: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| clear(at, byte)).collect();
    let bits = from..place.len() * 8;
    Field::new("reserved", place, hex(&bytes), "Nothing is said here.", source).with_bits(bits)
}

fn advertisement(message: &[u8]) -> Option<Vec<Field>> {
    let source = "RFC 4861 §4.4";
    let [router, solicited, replace] = [
        ["The sender passes packets on for others.", "The sender is no router."],
        ["Somebody asked for this.", "Nobody asked for this: the sender tells it by itself."],
        ["It replaces what was known before.", "It leaves alone what was known before."],
    ];
    Some(vec![
        flag(message, "router", (4, 0), router, source),
        flag(message, "solicited", (4, 1), solicited, source),
        flag(message, "override", (4, 2), replace, source),
        reserved(message, 4..8, 3, source),
        address(message, "target address", 8, "Whose MAC address this tells.", source)?,
    ])
}

fn redirect(message: &[u8]) -> Option<Vec<Field>> {
    let source = "RFC 4861 §4.5";
    Some(vec![
        unused(message, 4..8, source),
        address(message, "target address", 8, "Who is nearer to the destination.", source)?,
        address(message, "destination address", 24, "Where the packet went that begot this.", source)?,
    ])
}

fn router_advertisement(message: &[u8]) -> Option<Vec<Field>> {
    let source = "RFC 4861 §4.2";
    let managed = ["Ask a DHCP server for an address.", "No DHCP server hands out addresses here."];
    let other =
        ["Ask a DHCP server for what else there is to know.", "A DHCP server has nothing else to say."];
    let (reachable, retrans) = (u32_at(message, 8)?, u32_at(message, 12)?);
    Some(vec![
        hop_limit(u8_at(message, 4)?, source),
        flag(message, "managed address configuration", (5, 0), managed, source),
        flag(message, "other configuration", (5, 1), other, source),
        reserved(message, 5..6, 2, source),
        router_lifetime(u16_at(message, 6)?, source),
        timer("reachable time", 8, reachable, "a neighbour that has answered counts as there", source),
        timer("retrans timer", 12, retrans, "a question to a neighbour waits for its answer", source),
    ])
}

fn hop_limit(hops: u8, source: &'static str) -> Field {
    let meaning = match hops {
        0 => "The router proposes no hop limit.".to_owned(),
        _ => format!("The router proposes that packets pass at most {hops} routers."),
    };
    Field::new("current hop limit", 4..5, hops.to_string(), meaning, source)
}

fn router_lifetime(lifetime: u16, source: &'static str) -> Field {
    let meaning = match lifetime {
        0 => "It must not be used as the way to everywhere else.".to_owned(),
        _ => format!("It may be used as the way to everywhere else for {lifetime} s."),
    };
    Field::new("router lifetime", 6..8, lifetime.to_string(), meaning, source)
}

fn timer(name: &'static str, at: usize, time: u32, what: &str, source: &'static str) -> Field {
    let meaning = match time {
        0 => "The router leaves this time to each host.".to_owned(),
        _ => format!("For {time} ms {what}."),
    };
    Field::new(name, at..at + 4, time.to_string(), meaning, source)
}

/// The options from `at` on. One with an impossible length spoils them all (RFC 4861, section 4.6).
fn option_fields(message: &[u8], at: usize) -> Vec<Field> {
    match ndp::options(message, at) {
        Ok(options) => options.flat_map(|option| fields_of(message, &option)).collect(),
        Err(_) => vec![unreadable(message, at)],
    }
}

/// An option as a whole, then its parts.
fn fields_of(message: &[u8], option: &NdpOption<'_>) -> Vec<Field> {
    let place = option.at..option.at + option.bytes.len();
    let (whole, source) = whole(option, place.clone());
    let units = option.bytes.len() / 8;
    let kind = format!("This is {}.", option_name(option.kind));
    let length = format!("The option has {} bytes: units of 8.", option.bytes.len());
    let head = [
        Field::new("option type", place.start..place.start + 1, option.kind.to_string(), kind, source),
        Field::new("option length", place.start + 1..place.start + 2, units.to_string(), length, source),
    ];
    let parts = match option.kind {
        // Of the option's own bytes: a short one is followed by the next.
        PREFIX_INFORMATION => {
            message.get(..place.end).and_then(|upto| prefix_parts(upto, place.start)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    std::iter::once(whole).chain(head).chain(parts).collect()
}

fn option_name(kind: u8) -> &'static str {
    match kind {
        SOURCE_LINK_LAYER_ADDRESS => "the sender's link-layer address",
        TARGET_LINK_LAYER_ADDRESS => "the target's link-layer address",
        PREFIX_INFORMATION => "information about a prefix",
        REDIRECTED_HEADER => "the packet that begot the message",
        MTU => "the largest packet of the link",
        NONCE => "a nonce",
        RECURSIVE_DNS_SERVER => "a list of DNS servers",
        DNS_SEARCH_LIST => "a list of domains",
        _ => "an option that is not known here",
    }
}

fn whole(option: &NdpOption<'_>, place: Range<usize>) -> (Field, &'static str) {
    let bytes = option.bytes;
    let (name, value, meaning, source) = match option.kind {
        SOURCE_LINK_LAYER_ADDRESS => {
            ("source link-layer address", mac(bytes), "The sender's MAC address.", "RFC 4861 §4.6.1")
        }
        TARGET_LINK_LAYER_ADDRESS => {
            ("target link-layer address", mac(bytes), "The MAC address asked for.", "RFC 4861 §4.6.1")
        }
        PREFIX_INFORMATION => match prefix(bytes) {
            Some(prefix) => ("prefix information", prefix, "A network of this link.", "RFC 4861 §4.6.2"),
            None => {
                let value = format!("{} bytes", bytes.len());
                ("prefix information", value, "Too short to say which network.", "RFC 4861 §4.6.2")
            }
        },
        REDIRECTED_HEADER => {
            let inside = place.start + 8..place.end;
            let quoted = quote::field(inside.clone(), bytes.get(8..).unwrap_or_default(), "RFC 4861 §4.6.3");
            let meaning = "The packet that went the longer way, so that its sender knows which.";
            ("redirected header", quoted.value, meaning, "RFC 4861 §4.6.3")
        }
        MTU => {
            let mtu = u32_at(bytes, 4).unwrap_or(0).to_string();
            ("MTU", mtu, "The largest packet on this link.", "RFC 4861 §4.6.4")
        }
        NONCE => {
            let value = hex(bytes.get(2..).unwrap_or_default());
            ("nonce", value, "Tells an answer to this question from any other.", "RFC 3971 §5.3.2")
        }
        RECURSIVE_DNS_SERVER => {
            let meaning = "Who turns names into addresses for hosts on this link.";
            ("recursive DNS server", addresses(bytes), meaning, "RFC 8106 §5.1")
        }
        DNS_SEARCH_LIST => {
            let value = format!("{} bytes", bytes.len());
            ("DNS search list", value, "What hosts may put behind short names.", "RFC 8106 §5.2")
        }
        kind => {
            let meaning = "An option that is not known here; it is passed over.";
            ("option", format!("type {kind}"), meaning, "RFC 4861 §4.6")
        }
    };
    (Field::new(name, place, value, meaning, source), source)
}

fn mac(option: &[u8]) -> String {
    MacAddr::new(array_at(option, 2).unwrap_or_default()).to_string()
}

fn prefix(option: &[u8]) -> Option<String> {
    let network: Ipv6Addr = array_at::<16>(option, 16)?.into();
    Some(format!("{network}/{}", u8_at(option, 2)?))
}

/// The servers' addresses, behind the option's first eight bytes.
fn addresses(option: &[u8]) -> String {
    let octets = option.get(8..).unwrap_or_default().chunks_exact(16);
    let addresses = octets.filter_map(|octets| array_at::<16>(octets, 0));
    let written: Vec<String> = addresses.map(|octets| Ipv6Addr::from(octets).to_string()).collect();
    written.join(", ")
}

fn prefix_parts(message: &[u8], at: usize) -> Option<Vec<Field>> {
    let source = "RFC 4861 §4.6.2";
    let length = u8_at(message, at + 2)?;
    let on_link = [
        "Whoever has such an address is on this link.",
        "Says nothing of whether who has such an address is on this link.",
    ];
    let autonomous =
        ["Hosts may make themselves an address of it.", "Hosts must not make themselves an address of it."];
    let lifetime = |name, from: usize, what: &str| {
        let seconds = u32_at(message, from)?;
        let meaning = match seconds {
            u32::MAX => format!("{what} for ever."),
            _ => format!("{what} for {seconds} s."),
        };
        Some(Field::new(name, from..from + 4, seconds.to_string(), meaning, source))
    };
    let bits = format!("The first {length} bits of an address are those of the network.");
    Some(vec![
        Field::new("prefix length", at + 2..at + 3, length.to_string(), bits, source),
        flag(message, "on-link", (at + 3, 0), on_link, source),
        flag(message, "autonomous address configuration", (at + 3, 1), autonomous, source),
        reserved(message, at + 3..at + 4, 2, source),
        lifetime("valid lifetime", at + 4, "Its addresses may be used")?,
        lifetime("preferred lifetime", at + 8, "New conversations may begin from its addresses")?,
        unused(message, at + 12..at + 16, source),
        address(message, "prefix", at + 16, "The network: the rest of these bits is 0.", source)?,
    ])
}
