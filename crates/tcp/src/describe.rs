//! What a TCP header says, field by field, in sentences.

use std::net::IpAddr;

use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::{Description, Field};

use crate::analysis::{Facts, Order};
use crate::checksum::Checksum;
use crate::segment::{Flags, HEADER_LEN, Header, ParseError, RawOption, kind, walk_options};

/// Explains the segment `bytes` from `source` to `destination`; with `facts` from [`analysis`](crate::analysis), also its
/// place in the connection.
///
/// ```
/// use framewise_tcp::{Header, SeqNumber, describe};
/// let header = Header { source_port: 49_152, destination_port: 443, ..Header::default() };
/// let mut bytes = vec![0; header.emitted_len()];
/// header.emit(&mut bytes);
/// let addresses = ("192.0.2.10".parse().unwrap(), "203.0.113.80".parse().unwrap());
/// let description = describe(&bytes, addresses.0, addresses.1, None).unwrap();
/// assert_eq!(description.next, "port 443: TLS");
/// assert_eq!(description.fields[1].name, "destination port");
/// ```
pub fn describe(
    bytes: &[u8],
    source: IpAddr,
    destination: IpAddr,
    facts: Option<&Facts>,
) -> Result<Description, ParseError> {
    describe_of_length(bytes, bytes.len(), source, destination, facts)
}

/// Explains a segment that is `length` bytes long, of which `bytes` has at least the header: a capture may have kept no more.
pub fn describe_of_length(
    bytes: &[u8],
    length: usize,
    source: IpAddr,
    destination: IpAddr,
    facts: Option<&Facts>,
) -> Result<Description, ParseError> {
    let header = Header::parse(bytes)?;
    let payload = header.length..length.max(header.length);
    let checksum = Checksum::of(bytes, length, source, destination);
    let mut fields = fixed_fields(&header, payload.len(), checksum, facts);
    let options = bytes.get(HEADER_LEN..header.length).unwrap_or(&[]);
    fields.extend(walk_options(options).map(|option| option_field(&option)));
    Ok(Description {
        protocol: "TCP",
        unit: "segment",
        outbound: outbound(&header, payload.len(), facts),
        inbound: format!("{}, {}", event(&header, payload.len(), facts), checksum.short()),
        next: next(&header),
        header: 0..header.length,
        payload,
        fields,
    })
}

impl Checksum {
    fn short(self) -> &'static str {
        match self {
            Checksum::Right => "sum right",
            Checksum::Wrong => "sum wrong",
            Checksum::Left => "no sum needed",
            Checksum::Unknown => "sum unknown",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Checksum::Right => "Right: nothing was damaged on the way, as far as 16 bits can tell.",
            Checksum::Wrong => "Wrong: something was damaged on the way, so the segment is thrown away.",
            Checksum::Left => {
                "Not computed yet: the network device does it, or there is no wire to be damaged on."
            }
            Checksum::Unknown => "Nobody can tell whether it is right: not all of the segment was captured.",
        }
    }
}

fn outbound(header: &Header, payload: usize, facts: Option<&Facts>) -> String {
    format!("port {}, {}", header.destination_port, event(header, payload, facts))
}

/// What the segment does, in at most 22 characters.
fn event(header: &Header, payload: usize, facts: Option<&Facts>) -> &'static str {
    let order = facts.map(|facts| facts.order);
    match order {
        _ if header.has(Flags::RST) => "breaks it off",
        _ if header.has(Flags::SYN | Flags::ACK) => "accepts a connection",
        _ if header.has(Flags::SYN) => "asks to connect",
        Some(Order::Again) => "sent once more",
        Some(Order::Overlap) => "partly sent before",
        Some(Order::Ahead { .. }) => "one is missing before",
        Some(Order::Filling) => "fills a gap",
        _ if header.has(Flags::FIN) => "nothing more to send",
        _ if payload == 0 => "acknowledges",
        Some(Order::Next | Order::First) => "next in order",
        _ => "carries data",
    }
}

/// Who gets the payload: the program at the port, known by whichever of the two ports is well-known.
fn next(header: &Header) -> String {
    let port = header.destination_port;
    match (service(port), service(header.source_port)) {
        (Some(service), _) => format!("port {port}: {service}"),
        (None, Some(service)) => format!("port {port}: my {service}"),
        (None, None) => format!("port {port}"),
    }
}

/// The ports that this stack's own lessons use (IANA, service names and port numbers).
fn service(port: u16) -> Option<&'static str> {
    Some(match port {
        53 => "DNS",
        80 | 8_080 => "HTTP",
        443 | 8_443 => "TLS",
        _ => return None,
    })
}

fn fixed_fields(header: &Header, payload: usize, checksum: Checksum, facts: Option<&Facts>) -> Vec<Field> {
    const SOURCE: &str = "RFC 9293 §3.1";
    vec![
        Field::new(
            "source port",
            0..2,
            header.source_port.to_string(),
            "The program that sent this, and that an answer goes to.",
            SOURCE,
        ),
        Field::new(
            "destination port",
            2..4,
            header.destination_port.to_string(),
            "The program that gets this.",
            SOURCE,
        ),
        sequence_field(header, payload, facts),
        acknowledgment_field(header, facts),
        Field::new(
            "data offset",
            12..13,
            (header.length / 4).to_string(),
            format!(
                "The header has {} words of four bytes: {} bytes, then comes the payload.",
                header.length / 4,
                header.length
            ),
            SOURCE,
        )
        .with_bits(0..4),
        Field::new("control bits", 13..14, header.flags.to_string(), flags_meaning(header.flags), SOURCE),
        window_field(header, facts),
        Field::new("checksum", 16..18, format!("0x{:04x}", header.checksum), checksum.meaning(), SOURCE),
        Field::new(
            "urgent pointer",
            18..20,
            header.urgent_pointer.to_string(),
            match header.has(Flags::URG) {
                true => "Up to here the sender calls its data urgent; hardly anybody uses it.",
                false => "Means nothing, as the URG bit is not set.",
            },
            SOURCE,
        ),
    ]
}

fn sequence_field(header: &Header, payload: usize, facts: Option<&Facts>) -> Field {
    let (value, meaning) = match facts {
        Some(facts) => (
            format!("+{}", facts.sequence),
            match payload {
                0 => format!(
                    "The sender's stream has got to byte {}. On the wire this number is {}.",
                    facts.sequence, header.sequence
                ),
                _ => format!(
                    "The payload's first byte is byte {} of the sender's stream. On the wire this number is {}.",
                    facts.sequence, header.sequence
                ),
            },
        ),
        None => (
            header.sequence.to_string(),
            "Where the payload's first byte goes in the sender's stream, counted from a number nobody can guess."
                .to_owned(),
        ),
    };
    Field::new("sequence number", 4..8, value, meaning, "RFC 9293 §3.4")
}

fn acknowledgment_field(header: &Header, facts: Option<&Facts>) -> Field {
    let (value, meaning) = match facts.and_then(|facts| facts.acknowledgment) {
        _ if !header.has(Flags::ACK) => {
            (header.acknowledgment.to_string(), "Means nothing, as the ACK bit is not set.".to_owned())
        }
        Some(relative) => (
            format!("+{relative}"),
            format!("The sender has all of the other's stream before byte {relative}."),
        ),
        None => (
            header.acknowledgment.to_string(),
            "The next byte that the sender expects: it has all before.".to_owned(),
        ),
    };
    Field::new("acknowledgment number", 8..12, value, meaning, "RFC 9293 §3.4")
}

fn window_field(header: &Header, facts: Option<&Facts>) -> Field {
    let (value, meaning) = match facts {
        Some(facts) => {
            (facts.window.to_string(), format!("The sender of this takes {} bytes more.", facts.window))
        }
        None => (
            header.window.to_string(),
            "How much more the sender of this takes, before any window scale.".to_owned(),
        ),
    };
    Field::new("window", 14..16, value, meaning, "RFC 9293 §3.8.6")
}

fn flags_meaning(flags: Flags) -> String {
    let meanings = [
        (Flags::SYN, "SYN: numbers begin here."),
        (Flags::ACK, "ACK: the acknowledgment number counts."),
        (Flags::PSH, "PSH: hand it on without waiting for more."),
        (Flags::FIN, "FIN: the sender has sent all."),
        (Flags::RST, "RST: the connection is broken off."),
        (Flags::URG, "URG: the urgent pointer counts."),
        (Flags::ECE, "ECE: a router reported congestion."),
        (Flags::CWR, "CWR: the sender slowed down."),
    ];
    let said: Vec<_> =
        meanings.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, meaning)| *meaning).collect();
    match said.is_empty() {
        true => "None is set, which no connection sends.".to_owned(),
        false => said.join(" "),
    }
}

fn option_field(option: &RawOption<'_>) -> Field {
    let RawOption { kind, range, data } = option;
    let bytes = range.start + HEADER_LEN..range.end + HEADER_LEN;
    let (name, value, meaning, source) = match *kind {
        kind::END => ("end of options", String::new(), "No option comes after.".to_owned(), "RFC 9293 §3.1"),
        kind::NO_OPERATION => {
            ("no-operation", String::new(), "Fills up to whole words.".to_owned(), "RFC 9293 §3.1")
        }
        kind::MAXIMUM_SEGMENT_SIZE => {
            let size = u16_at(data, 0).unwrap_or(0);
            let meaning = format!("The sender takes at most {size} bytes of payload in one segment.");
            ("maximum segment size", size.to_string(), meaning, "RFC 9293 §3.7.1")
        }
        kind::WINDOW_SCALE => {
            let shift = u8_at(data, 0).unwrap_or(0);
            let times = 1u32 << shift.min(14);
            let meaning = format!("The sender's windows count in units of {times} bytes.");
            ("window scale", shift.to_string(), meaning, "RFC 7323 §2.2")
        }
        kind::SACK_PERMITTED => (
            "SACK permitted",
            String::new(),
            "The sender understands lists of what came out of order.".to_owned(),
            "RFC 2018 §2",
        ),
        kind::SACK => (
            "SACK",
            blocks(data),
            "This came although something before it is missing.".to_owned(),
            "RFC 2018 §3",
        ),
        kind::TIMESTAMPS => {
            let (value, echo) = (u32_at(data, 0).unwrap_or(0), u32_at(data, 4).unwrap_or(0));
            let meaning = "The sender's clock, and the last reading of the other's: together they measure the round trip.";
            ("timestamps", format!("{value}, echo {echo}"), meaning.to_owned(), "RFC 7323 §3.2")
        }
        other => (
            "unknown option",
            format!("kind {other}, {} bytes", data.len()),
            "Skipped: nobody must understand every option.".to_owned(),
            "RFC 9293 §3.1",
        ),
    };
    Field::new(name, bytes, value, meaning, source)
}

fn blocks(data: &[u8]) -> String {
    data.chunks_exact(8)
        .filter_map(|block| Some(format!("{} to {}", u32_at(block, 0)?, u32_at(block, 4)?)))
        .collect::<Vec<_>>()
        .join(", ")
}
