//! What a TCP header says, field by field, in sentences.

mod bits;
mod options;

use std::net::IpAddr;

use framewise_core::read::u8_at;
use framewise_core::{Description, Field};

use crate::analysis::{Facts, Order};
use crate::checksum::Checksum;
use crate::segment::{Flags, Header, ParseError};

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
    let mut fields = front_fields(&header, payload.len(), facts);
    fields.extend(bits::fields(&header, u8_at(bytes, 12).unwrap_or(0)));
    fields.extend(back_fields(&header, checksum, facts));
    let other = options::Other::of(&header, facts);
    fields.extend(options::fields(bytes.get(..header.length).unwrap_or(bytes), &other));
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

/// What is said of a checksum that is wrong where the segment was captured, if it was taken all the same; in words that follow
/// `is`. `by`: what acknowledges it, such as `frame 5`; a segment without numbers is taken for what others of its connection were.
pub fn wrong_yet_taken(by: &str, has_numbers: bool) -> String {
    let known = match has_numbers {
        true => format!("yet {by} acknowledges it"),
        false => format!("as in others of this connection, of which {by} acknowledges one"),
    };
    format!("wrong here, {known}: the capture was changed, or the sum is the device's affair.")
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

const SOURCE: &str = "RFC 9293 §3.1";

/// What stands in front of the control bits.
fn front_fields(header: &Header, payload: usize, facts: Option<&Facts>) -> Vec<Field> {
    let words = header.length / 4;
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
            words.to_string(),
            format!(
                "The header has {words} words of four bytes: {} bytes, then comes the payload.",
                header.length
            ),
            SOURCE,
        )
        .with_bits(0..4),
    ]
}

/// What stands behind them, but for the options.
fn back_fields(header: &Header, checksum: Checksum, facts: Option<&Facts>) -> [Field; 3] {
    [
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
                // The SYN takes the first number, whatever comes with it.
                _ if header.has(Flags::SYN) => format!(
                    "The SYN is number {}, so the payload's first byte is byte {} of the sender's stream. On the wire this number is {}.",
                    facts.sequence,
                    facts.sequence.wrapping_add(1),
                    header.sequence
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
        Some(facts) if facts.is_window_known => {
            (facts.window.to_string(), format!("The sender of this takes {} bytes more.", facts.window))
        }
        Some(_) => (
            header.window.to_string(),
            format!(
                "The sender of this takes {} units more; how many bytes each is, only the SYNs said, which were not seen.",
                header.window
            ),
        ),
        None => (
            header.window.to_string(),
            "How much more the sender of this takes, before any window scale.".to_owned(),
        ),
    };
    Field::new("window", 14..16, value, meaning, "RFC 9293 §3.8.6")
}
