//! The IPv6 header and the extension headers behind it, explained: RFC 8200 sections 3 and 4.

use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::{Description, Field};

use super::{hops_left, protocol_name, short, traffic_class_meaning};
use crate::error::ParseError;
use crate::extension::{
    self, Chain, DESTINATION_OPTIONS, FRAGMENT, FragmentHeader, HOP_BY_HOP, LONGEST_CHAIN, ROUTING,
};
use crate::ipv6::{self, Ipv6Header};

const SOURCE: &str = "RFC 8200 §3";

/// Explains an IPv6 packet's header and its extension headers, as far as they are there.
pub fn describe_ipv6(packet: &[u8]) -> Result<Description, ParseError> {
    let header = Ipv6Header::read(packet)?;
    let mut fields = fixed(&header);
    fields.extend(extensions(packet, header.next_header));
    let (protocol, payload) = payload(packet, &header);
    let end = (ipv6::HEADER_LEN + header.payload_len).clamp(payload, packet.len().max(payload));
    let hops = match header.hop_limit {
        1 => "1 hop left".to_owned(),
        hops => format!("{hops} hops left"),
    };
    let is_fragment = fields.iter().any(|field| field.name == "fragment offset");
    let next = if is_fragment {
        "the other fragments".to_owned()
    } else {
        format!("next header {protocol}: {}", protocol_name(protocol))
    };
    Ok(Description {
        protocol: "IPv6",
        unit: "packet",
        outbound: format!("to {}, far end", short(header.destination.into())),
        inbound: format!("for me, {hops}"),
        next: next.chars().take(22).collect(),
        header: 0..payload,
        payload: payload..end,
        fields,
    })
}

/// The protocol above IP and where it begins; at a header that can't be passed, that one.
fn payload(packet: &[u8], header: &Ipv6Header) -> (u8, usize) {
    match extension::walk(packet, header.next_header, ipv6::HEADER_LEN, 6, true) {
        Ok(Chain::Upper { protocol, offset, .. }) => (protocol, offset.min(packet.len())),
        Ok(Chain::Fragment { fragment, offset }) => (fragment.next_header, offset),
        Err(_) => (header.next_header, ipv6::HEADER_LEN),
    }
}

fn fixed(header: &Ipv6Header) -> Vec<Field> {
    let flow = match header.flow_label {
        0 => "Not marked as part of a flow.",
        _ => "Packets with this number and these addresses belong together and should take the same way.",
    };
    vec![
        Field::new("version", 0..1, "6", "This is IP version 6: addresses have 128 bits.", SOURCE)
            .with_bits(0..4),
        Field::new(
            "traffic class",
            0..2,
            format!("{:#04x}", header.traffic_class),
            traffic_class_meaning(header.traffic_class),
            "RFC 8200 §7",
        )
        .with_bits(4..12),
        Field::new("flow label", 1..4, format!("{:#07x}", header.flow_label), flow, "RFC 6437 §2")
            .with_bits(4..24),
        Field::new(
            "payload length",
            4..6,
            header.payload_len.to_string(),
            format!("{} bytes follow these 40.", header.payload_len),
            SOURCE,
        ),
        next_header_field(6, header.next_header, SOURCE),
        Field::new("hop limit", 7..8, header.hop_limit.to_string(), hops_left(header.hop_limit), SOURCE),
        Field::new(
            "source address",
            8..24,
            header.source.to_string(),
            "The host that sent it, and to which the answer goes.",
            SOURCE,
        ),
        Field::new(
            "destination address",
            24..40,
            header.destination.to_string(),
            "The host at the far end; every router on the way looks at this.",
            SOURCE,
        ),
    ]
}

fn next_header_field(at: usize, next: u8, source: &'static str) -> Field {
    let name = protocol_name(next);
    Field::new("next header", at..at + 1, next.to_string(), format!("What follows is {name}."), source)
}

/// The fields of the extension headers, at most so many headers as a packet may have.
fn extensions(packet: &[u8], first: u8) -> Vec<Field> {
    let (mut kind, mut at, mut fields) = (first, ipv6::HEADER_LEN, Vec::new());
    for _ in 0..LONGEST_CHAIN {
        let (Some(next), Some(length)) = (u8_at(packet, at), extension_len(packet, kind, at)) else {
            break;
        };
        let source = extension_source(kind);
        fields.push(next_header_field(at, next, source));
        match kind {
            FRAGMENT => fields.extend(fragment_fields(packet, at)),
            _ => fields.push(extension_field(kind, at, length, source)),
        }
        (kind, at) = (next, at + length);
    }
    fields
}

fn extension_len(packet: &[u8], kind: u8, at: usize) -> Option<usize> {
    let length = match kind {
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => 8 + 8 * usize::from(u8_at(packet, at + 1)?),
        FRAGMENT => FragmentHeader::LEN,
        _ => return None,
    };
    packet.get(at..at + length).map(|_| length)
}

fn extension_source(kind: u8) -> &'static str {
    match kind {
        HOP_BY_HOP => "RFC 8200 §4.3",
        ROUTING => "RFC 8200 §4.4",
        FRAGMENT => "RFC 8200 §4.5",
        _ => "RFC 8200 §4.6",
    }
}

fn extension_field(kind: u8, at: usize, length: usize, source: &'static str) -> Field {
    let (name, meaning) = match kind {
        HOP_BY_HOP => ("hop-by-hop options", "Options that each router on the way may look at."),
        ROUTING => ("routing header", "Stations that the packet shall pass on its way."),
        _ => ("destination options", "Options for the host at the far end."),
    };
    Field::new(name, at + 1..at + length, format!("{length} bytes"), meaning, source)
}

fn fragment_fields(packet: &[u8], at: usize) -> Vec<Field> {
    let source = "RFC 8200 §4.5";
    let word = u16_at(packet, at + 2).unwrap_or(0);
    let more = word & 1;
    let follow =
        if more == 1 { "Further fragments of the same packet follow." } else { "This is the last fragment." };
    vec![
        Field::new(
            "fragment offset",
            at + 2..at + 4,
            (word >> 3).to_string(),
            format!("This part belongs {} bytes into the whole.", word & 0xfff8),
            source,
        )
        .with_bits(0..13),
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
