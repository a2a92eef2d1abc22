//! The IPv6 header, explained: RFC 8200 section 3.

use framewise_core::{Description, Field};

use super::extension::{self, Passed, next_header_field};
use super::{fragment, hops_left, protocol_name, service_fields, whose};
use crate::error::ParseError;
use crate::ipv6::{self, Ipv6Header};

const SOURCE: &str = "RFC 8200 §3";

/// Explains an IPv6 packet's header and its extension headers, as far as they are there.
pub fn describe_ipv6(packet: &[u8]) -> Result<Description, ParseError> {
    let header = Ipv6Header::read_caught(packet)?;
    let Passed { fields: extensions, protocol, offset: payload, fragment: part } =
        extension::pass(packet, header.next_header);
    let mut fields = fixed(&header, Ipv6Header::is_length_left(packet));
    fields.extend(extensions);
    let end = (ipv6::HEADER_LEN + header.payload_len).clamp(payload, packet.len().max(payload));
    let hops = match header.hop_limit {
        1 => "1 hop left".to_owned(),
        hops => format!("{hops} hops left"),
    };
    let next = match part {
        Some(_) => "the other fragments".to_owned(),
        None => format!("next header {protocol}: {}", protocol_name(protocol)),
    };
    let outbound = match part {
        Some((offset, number)) => fragment(offset, end - payload, number),
        None => whose::sent_to(header.destination.into()),
    };
    Ok(Description {
        protocol: "IPv6",
        unit: "packet",
        outbound,
        inbound: format!("for me, {hops}"),
        next: next.chars().take(22).collect(),
        header: 0..payload,
        payload: payload..end,
        fields,
    })
}

fn fixed(header: &Ipv6Header, is_left: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::new("version", 0..1, "6", "This is IP version 6: addresses have 128 bits.", SOURCE)
            .with_bits(0..4),
    ];
    fields.extend(service_fields("traffic class", 0..2, 4, header.traffic_class, "RFC 8200 §7"));
    fields.extend(flow_and_length(header, is_left));
    fields.extend(way(header));
    fields
}

fn flow_and_length(header: &Ipv6Header, is_left: bool) -> [Field; 3] {
    let flow = match header.flow_label {
        0 => "Not marked as part of a flow.",
        _ => "Packets with this number and these addresses belong together and should take the same way.",
    };
    let length = header.payload_len;
    let (value, meaning) = match is_left {
        true => (
            0,
            format!(
                "Too long for this field, or left to a device that cuts it; here {length} bytes follow these 40."
            ),
        ),
        false => (length, format!("{length} bytes follow these 40.")),
    };
    [
        Field::new("flow label", 1..4, format!("{:#07x}", header.flow_label), flow, "RFC 6437 §2")
            .with_bits(4..24),
        Field::new("payload length", 4..6, value.to_string(), meaning, SOURCE),
        next_header_field(6, header.next_header, SOURCE),
    ]
}

fn way(header: &Ipv6Header) -> [Field; 3] {
    [
        Field::new("hop limit", 7..8, header.hop_limit.to_string(), hops_left(header.hop_limit), SOURCE),
        Field::new(
            "source address",
            8..24,
            header.source.to_string(),
            whose::source(header.source.into()),
            SOURCE,
        ),
        Field::new(
            "destination address",
            24..40,
            header.destination.to_string(),
            whose::destination(header.destination.into()),
            SOURCE,
        ),
    ]
}
