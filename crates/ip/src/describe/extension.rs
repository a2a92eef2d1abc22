//! IPv6 extension headers, explained: RFC 8200 sections 4.2 to 4.6; RFC 2711 (router alert), RFC 2675 (jumbo payload).
//!
//! What is described may have been refused: the way goes past headers over which the layer would drop the packet.

use std::net::Ipv6Addr;
use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::{array_at, u8_at, u16_at, u32_at};

use super::{hex, protocol_name};
use crate::extension::{
    DESTINATION_OPTIONS, FRAGMENT, FragmentHeader, HOP_BY_HOP, LONGEST_CHAIN, NO_NEXT_HEADER, ROUTING,
};
use crate::ipv6;

/// What there is behind an IPv6 header's extension headers.
pub(super) struct Passed {
    /// The fields of the extension headers.
    pub(super) fields: Vec<Field>,
    /// What follows them, or the first one that is not whole.
    pub(super) protocol: u8,
    /// Where that begins in the packet.
    pub(super) offset: usize,
    /// Which part of a packet it is that was split: from which byte on, and the packet's number.
    pub(super) fragment: Option<(usize, u32)>,
}

/// Passes at most so many extension headers as a packet may have.
pub(super) fn pass(packet: &[u8], first: u8) -> Passed {
    let mut passed = Passed { fields: Vec::new(), protocol: first, offset: ipv6::HEADER_LEN, fragment: None };
    for _ in 0..LONGEST_CHAIN {
        let (kind, at) = (passed.protocol, passed.offset);
        let Some(place) = place(packet, kind, at) else { break };
        passed.protocol = u8_at(packet, at).unwrap_or(NO_NEXT_HEADER);
        passed.offset = place.end;
        passed.fields.extend(header_fields(packet, kind, place));
        if kind == FRAGMENT {
            let offset = u16_at(packet, at + 2).unwrap_or(0) & 0xfff8;
            passed.fragment = Some((offset.into(), u32_at(packet, at + 4).unwrap_or(0)));
            break;
        }
    }
    passed
}

/// Where the extension header at `at` lies, if this is one and it is whole.
fn place(packet: &[u8], kind: u8, at: usize) -> Option<Range<usize>> {
    let length = match kind {
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => 8 + 8 * usize::from(u8_at(packet, at + 1)?),
        FRAGMENT => FragmentHeader::LEN,
        _ => return None,
    };
    let place = at..at + length;
    packet.get(place.clone()).map(|_| place)
}

fn header_fields(packet: &[u8], kind: u8, place: Range<usize>) -> Vec<Field> {
    let at = place.start;
    let source = match kind {
        HOP_BY_HOP => "RFC 8200 §4.3",
        ROUTING => "RFC 8200 §4.4",
        FRAGMENT => "RFC 8200 §4.5",
        _ => "RFC 8200 §4.6",
    };
    let (name, meaning) = match kind {
        HOP_BY_HOP => ("hop-by-hop options", "Options that each router on the way may look at."),
        ROUTING => ("routing header", "Stations that the packet shall pass on its way."),
        FRAGMENT => ("fragment header", "This packet is a part of one that its sender split."),
        _ => ("destination options", "Options for the host at the far end."),
    };
    let length = place.len();
    let next = u8_at(packet, at).unwrap_or(NO_NEXT_HEADER);
    let mut fields = vec![
        Field::new(name, place.clone(), format!("{length} bytes"), meaning, source),
        next_header_field(at, next, source),
    ];
    if kind == FRAGMENT {
        fields.extend(fragment_fields(packet, at));
        return fields;
    }
    fields.push(Field::new(
        "header extension length",
        at + 1..at + 2,
        (length / 8 - 1).to_string(),
        format!("This header has {length} bytes: units of 8, of which the first is not counted."),
        source,
    ));
    match kind {
        ROUTING => fields.extend(routing_fields(packet, place)),
        _ => fields.extend(options(packet, at + 2..place.end)),
    }
    fields
}

pub(super) fn next_header_field(at: usize, next: u8, source: &'static str) -> Field {
    let meaning = match next {
        NO_NEXT_HEADER => "Nothing follows.".to_owned(),
        HOP_BY_HOP => "What follows is another header of IP: options for each router on the way.".to_owned(),
        ROUTING => "What follows is another header of IP: stations to pass on the way.".to_owned(),
        FRAGMENT => "What follows is another header of IP: which part of a packet this is.".to_owned(),
        DESTINATION_OPTIONS => "What follows is another header of IP: options for the far end.".to_owned(),
        _ => format!("What follows is {}.", protocol_name(next)),
    };
    Field::new("next header", at..at + 1, next.to_string(), meaning, source)
}

fn fragment_fields(packet: &[u8], at: usize) -> Vec<Field> {
    let source = "RFC 8200 §4.5";
    let word = u16_at(packet, at + 2).unwrap_or(0);
    let more = word & 1;
    let follow =
        if more == 1 { "Further fragments of the same packet follow." } else { "This is the last fragment." };
    let reserved = |place: Range<usize>, value: u16| {
        Field::new("reserved", place, value.to_string(), "Nothing is said here.", source)
    };
    vec![
        reserved(at + 1..at + 2, u8_at(packet, at + 1).unwrap_or(0).into()),
        Field::new(
            "fragment offset",
            at + 2..at + 4,
            (word >> 3).to_string(),
            format!("This part belongs {} bytes into the whole.", word & 0xfff8),
            source,
        )
        .with_bits(0..13),
        reserved(at + 2..at + 4, word >> 1 & 3).with_bits(13..15),
        Field::new("more fragments", at + 2..at + 4, more.to_string(), follow, source).with_bits(15..16),
        Field::new(
            "identification",
            at + 4..at + 8,
            format!("{:#010x}", u32_at(packet, at + 4).unwrap_or(0)),
            "The fragments of one packet are found by this number.",
            source,
        ),
    ]
}

fn routing_fields(packet: &[u8], place: Range<usize>) -> Vec<Field> {
    let source = "RFC 8200 §4.4";
    let at = place.start;
    let (kind, left) = (u8_at(packet, at + 2).unwrap_or(0), u8_at(packet, at + 3).unwrap_or(0));
    let kind_meaning = match kind {
        0 => "A list of routers to pass: given up, since it could send packets to and fro (RFC 5095).",
        2 => "The home address of a mobile host.",
        3 => "A list of routers of a network of small devices.",
        4 => "A list of segments, as a provider's own network uses it.",
        _ => "A kind of routing header that is not known here.",
    };
    let left_meaning = match left {
        0 => "The way is over: this header can be passed by.".to_owned(),
        _ => format!("{left} of the stations are still to be passed."),
    };
    let rest = at + 4..place.end;
    let bytes = packet.get(rest.clone()).unwrap_or_default();
    vec![
        Field::new("routing type", at + 2..at + 3, kind.to_string(), kind_meaning, source),
        Field::new("segments left", at + 3..at + 4, left.to_string(), left_meaning, source),
        Field::new(
            "type-specific data",
            rest,
            format!("{} bytes", bytes.len()),
            stations(kind, bytes),
            source,
        ),
    ]
}

/// The addresses that a routing header holds behind its first four bytes, where it is of a kind that holds some.
fn stations(kind: u8, bytes: &[u8]) -> String {
    let addresses = bytes.get(4..).unwrap_or_default().chunks_exact(16);
    let first = addresses.clone().next().and_then(|octets| array_at::<16>(octets, 0)).map(Ipv6Addr::from);
    match (kind, first) {
        (0 | 2 | 4, Some(only)) if bytes.len() < 4 + 2 * 16 => format!("One address: {only}."),
        (0 | 2 | 4, Some(first)) => format!("{} addresses, the first {first}.", addresses.count()),
        _ => "What this kind of routing header needs.".to_owned(),
    }
}

const PAD1: u8 = 0;
const PAD_N: u8 = 1;
const ROUTER_ALERT: u8 = 5;
const JUMBO_PAYLOAD: u8 = 0xc2;

/// The options of a header; what has a length that leads out of it ends them.
fn options(packet: &[u8], place: Range<usize>) -> Vec<Field> {
    let (mut at, mut fields) = (place.start, Vec::new());
    while at < place.end {
        let end = option_end(packet, at).min(place.end);
        fields.push(option_field(packet, at..end));
        at = end;
    }
    fields
}

fn option_end(packet: &[u8], at: usize) -> usize {
    match u8_at(packet, at) {
        Some(PAD1) => at + 1,
        _ => at + 2 + usize::from(u8_at(packet, at + 1).unwrap_or(0)),
    }
}

fn option_field(packet: &[u8], place: Range<usize>) -> Field {
    let bytes = packet.get(place.clone()).unwrap_or_default();
    let kind = u8_at(bytes, 0).unwrap_or(0);
    let (name, meaning, source) = match kind {
        PAD1 | PAD_N => ("padding option", "Fills the header up to a multiple of 8 bytes.", "RFC 8200 §4.2"),
        ROUTER_ALERT => {
            ("router alert", "Each router on the way shall look into this packet.", "RFC 2711 §2.1")
        }
        JUMBO_PAYLOAD => {
            ("jumbo payload", "The payload is longer than 65,535 bytes: here is its length.", "RFC 2675 §2")
        }
        _ => ("option", unknown_option(kind), "RFC 8200 §4.2"),
    };
    Field::new(name, place, hex(bytes), meaning, source)
}

/// What whoever does not know an option shall do stands in the first two bits of its type.
fn unknown_option(kind: u8) -> &'static str {
    match kind >> 6 {
        0 => "An option that is not known here; it asks to be passed over then.",
        1 => "An option that is not known here; it asks that the packet be dropped then.",
        2 => "An option that is not known here; it asks for a drop then, and that its sender be told.",
        _ => "An option that is not known here; it asks for a drop then, and a word unless sent to a group.",
    }
}
