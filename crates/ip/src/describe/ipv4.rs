//! The IPv4 header, explained: RFC 791 section 3.1.

use framewise_core::checksum::Sum;
use framewise_core::read::{u8_at, u16_at};
use framewise_core::{Description, Field};

use super::option::option_fields;
use super::{fragment, hops_left, protocol_name, service_fields, whose, yes_no};
use crate::error::ParseError;
use crate::ipv4::{self, Ipv4Header};

const SOURCE: &str = "RFC 791 §3.1";

/// Explains an IPv4 packet's header. It is enough that the header is there; a wrong checksum is said, not refused.
pub fn describe_ipv4(packet: &[u8]) -> Result<Description, ParseError> {
    let header = Ipv4Header::read_caught(packet)?;
    let bytes = packet.get(..header.header_len).unwrap_or_default();
    let mut fields = lengths(&header, Ipv4Header::is_length_left(packet));
    fields.extend(fragmentation(&header, bytes));
    fields.extend(rest(&header, bytes));
    fields.extend(option_fields(bytes));
    let sum = Verdict::of(bytes).short();
    Ok(Description {
        protocol: "IPv4",
        unit: "packet",
        outbound: outbound(&header),
        inbound: format!("for me, {sum}, TTL {}", header.time_to_live),
        next: next(&header),
        header: 0..header.header_len,
        payload: header.header_len
            ..header.total_len.clamp(header.header_len, packet.len().max(header.header_len)),
        fields,
    })
}

fn outbound(header: &Ipv4Header) -> String {
    if header.is_fragment() {
        let length = header.total_len.saturating_sub(header.header_len);
        return fragment(header.fragment_offset, length, header.identification.into());
    }
    whose::sent_to(header.destination.into())
}

fn next(header: &Ipv4Header) -> String {
    if header.is_fragment() {
        return "the other fragments".to_owned();
    }
    format!("protocol {}: {}", header.protocol, protocol_name(header.protocol))
}

/// What the header's checksum turns out to be.
enum Verdict {
    Right,
    /// It is 0: the device writes it.
    Left,
    Wrong,
}

impl Verdict {
    fn of(header: &[u8]) -> Self {
        let mut sum = Sum::default();
        sum.add(header);
        match (sum.is_valid(), u16_at(header, 10)) {
            (true, _) => Verdict::Right,
            (false, Some(0)) => Verdict::Left,
            (false, _) => Verdict::Wrong,
        }
    }

    fn short(&self) -> &'static str {
        match self {
            Verdict::Right => "sum right",
            Verdict::Left => "no sum needed",
            Verdict::Wrong => "sum wrong",
        }
    }

    fn meaning(&self) -> &'static str {
        match self {
            Verdict::Right => {
                "It fits the other bytes of the header: none was damaged. It says nothing of the payload."
            }
            Verdict::Left => {
                "Not computed yet: the network device does it, or there is no wire to be damaged on."
            }
            Verdict::Wrong => {
                "It does not fit the other bytes of the header: at least one was damaged on the way."
            }
        }
    }
}

fn lengths(header: &Ipv4Header, is_left: bool) -> Vec<Field> {
    let words = header.header_len / 4;
    let options = match header.header_len - ipv4::HEADER_LEN {
        0 => "no options follow the fixed part".to_owned(),
        extra => format!("{extra} bytes of options follow the fixed part"),
    };
    let mut fields = vec![
        Field::new("version", 0..1, "4", "This is IP version 4: addresses have 32 bits.", SOURCE)
            .with_bits(0..4),
        Field::new(
            "internet header length",
            0..1,
            words.to_string(),
            format!("The header has {words} words of 4 bytes, {} bytes: {options}.", header.header_len),
            SOURCE,
        )
        .with_bits(4..8),
    ];
    fields.extend(service_fields("type of service", 1..2, 0, header.traffic_class, "RFC 2474 §3"));
    let length = header.total_len;
    let (value, meaning) = match is_left {
        true => (
            0,
            format!(
                "Left to the device, which cuts this into smaller packets; here they are {length} bytes, up to the end."
            ),
        ),
        false => (
            length,
            format!("Header and payload are {length} bytes; what a frame holds beyond that is padding."),
        ),
    };
    fields.push(Field::new("total length", 2..4, value.to_string(), meaning, SOURCE));
    fields
}

fn fragmentation(header: &Ipv4Header, bytes: &[u8]) -> Vec<Field> {
    let reserved = u8_at(bytes, 6).unwrap_or(0) & 0x80 != 0;
    let is_reserved =
        if reserved { "Should be 0; whoever reads it passes over it." } else { "Nothing is said here." };
    let dont = if header.dont_fragment {
        "A router must not split this packet; if it is too big, the sender is told."
    } else {
        "A router may split this packet if the next link is too narrow."
    };
    let more = if header.more_fragments {
        "Further fragments of the same packet follow."
    } else {
        "Nothing of the same packet follows this."
    };
    let offset = match header.fragment_offset {
        0 => "Its payload begins where the packet's payload begins.".to_owned(),
        at => format!("Its payload belongs {at} bytes into the packet's; the field counts units of 8 bytes."),
    };
    vec![
        Field::new(
            "identification",
            4..6,
            header.identification.to_string(),
            "If the packet is split, its fragments carry this number and are found by it.",
            "RFC 6864 §4",
        ),
        Field::new("reserved", 6..8, yes_no(reserved), is_reserved, SOURCE).with_bits(0..1),
        Field::new("don't fragment", 6..8, yes_no(header.dont_fragment), dont, SOURCE).with_bits(1..2),
        Field::new("more fragments", 6..8, yes_no(header.more_fragments), more, SOURCE).with_bits(2..3),
        Field::new("fragment offset", 6..8, (header.fragment_offset / 8).to_string(), offset, SOURCE)
            .with_bits(3..16),
    ]
}

fn rest(header: &Ipv4Header, bytes: &[u8]) -> Vec<Field> {
    let sum = Verdict::of(bytes).meaning();
    vec![
        Field::new(
            "time to live",
            8..9,
            header.time_to_live.to_string(),
            hops_left(header.time_to_live),
            SOURCE,
        ),
        Field::new(
            "protocol",
            9..10,
            header.protocol.to_string(),
            format!("The payload goes to {} next.", protocol_name(header.protocol)),
            SOURCE,
        ),
        Field::new(
            "header checksum",
            10..12,
            format!("{:#06x}", u16_at(bytes, 10).unwrap_or(0)),
            sum,
            "RFC 791 §3.1, RFC 1071",
        ),
        Field::new(
            "source address",
            12..16,
            header.source.to_string(),
            whose::source(header.source.into()),
            SOURCE,
        ),
        Field::new(
            "destination address",
            16..20,
            header.destination.to_string(),
            whose::destination(header.destination.into()),
            SOURCE,
        ),
    ]
}
