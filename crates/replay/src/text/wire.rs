//! Frames in a script: those that come, and those that are expected.

use std::net::IpAddr;

use bytes::Bytes;
use framewise::tcp::segment::Flags;

use super::error::{Problem, TextError};
use super::fields;
use super::steps::payload;
use super::values::{number, unkeyed, yes_or_no};
use super::words::{Word, Words};
use crate::expect::CONTROL_BITS;
use crate::script::{ArpKind, Content, Expectation, Injection, Segment};

/// What can be injected.
const KINDS: &[&str] = &["tcp", "udp", "ping", "icmp", "arp", "ns", "na", "frame", "again"];
/// The keys of all that can be injected.
const KEYS: &[&str] = &[
    "seq",
    "ack",
    "win",
    "mss",
    "ws",
    "sackok",
    "sack",
    "data",
    "len",
    "from-port",
    "to-port",
    "id",
    "type",
    "code",
    "mtu",
    "from",
    "to",
    "mac",
    "to-mac",
    "ttl",
    "fragments",
    "order",
    "sum",
];
/// Fragments of one packet that may be put in order by hand.
const MOST_FRAGMENTS: usize = 64;

/// What stands behind `<`.
pub(super) fn injection(words: &mut Words) -> Result<Injection, TextError> {
    let content = match words.name("what comes: tcp udp ping icmp arp ns na frame again", KINDS)? {
        "tcp" => {
            let flags = words.take("control bits such as S, SA, A, PA, FA, R or none", flags)?;
            Content::Tcp(Segment { flags, ..Segment::default() })
        }
        "udp" => Content::Udp { from: None, to: 0, data: Bytes::new() },
        "ping" => Content::Ping { identifier: 1, sequence: 1, length: 56 },
        "icmp" => Content::Error { kind: 0, code: 0, mtu: 0 },
        "arp" => arp(words)?,
        "ns" => Content::Solicitation { about: words.address()? },
        "na" => Content::Advertisement { about: words.address()? },
        "frame" => Content::Frame(frame(words)?),
        _ => Content::Again,
    };
    let mut injection = Injection::of(content);
    while let Some(word) = words.next() {
        key(&mut injection, &word, words)?;
    }
    Ok(injection)
}

fn arp(words: &mut Words) -> Result<Content, TextError> {
    let kinds = [
        ("request", ArpKind::Request),
        ("reply", ArpKind::Reply),
        ("probe", ArpKind::Probe),
        ("announcement", ArpKind::Announcement),
    ];
    let kind = words.one_of("request, reply, probe or announcement", &kinds)?;
    let about = words.take("an IPv4 address", |word| {
        unkeyed(word)?.parse().ok().filter(|address: &IpAddr| address.is_ipv4())
    })?;
    Ok(Content::Arp { kind, about })
}

/// Hexadecimal digits, in any number of words.
fn frame(words: &mut Words) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::new();
    while let Some(word) = words.next() {
        let digits = unkeyed(&word).filter(|text| text.len() % 2 == 0);
        let pairs = digits.map(|text| text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>());
        match pairs.flatten() {
            Some(more) if bytes.len() + more.len() <= usize::from(u16::MAX) => bytes.extend(more),
            _ => return Err(words.unexpected("pairs of hexadecimal digits, 65535 at most", &word)),
        }
    }
    match bytes.is_empty() {
        true => words.take("pairs of hexadecimal digits", |_| None),
        false => Ok(bytes),
    }
}

fn pair(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Takes one `key=value` of a frame that comes.
fn key(injection: &mut Injection, word: &Word, words: &Words) -> Result<(), TextError> {
    let name = word.key.as_deref().unwrap_or_default();
    if !KEYS.contains(&name) {
        let name = word.key.clone().unwrap_or_else(|| word.shown());
        return Err(words.error(word.column, Problem::Unknown { kind: "key", name, known: KEYS }));
    }
    let of_content = of_content(&mut injection.content, name, word);
    let is_around = takes(&injection.content, name);
    let taken = of_content.or_else(|| is_around.then(|| of_packet(injection, name, word)).flatten());
    taken.ok_or_else(|| words.unexpected("a key that fits what comes, with a value that it can have", word))
}

/// A key of what the packet carries; `None`: it has no such key, or not with this value.
fn of_content(content: &mut Content, key: &str, word: &Word) -> Option<()> {
    let text = word.plain();
    match (content, key) {
        (Content::Tcp(segment), _) => of_segment(segment, key, word)?,
        (Content::Udp { from, .. }, "from-port") => *from = Some(number(text?)?),
        (Content::Udp { to, .. }, "to-port") => *to = number(text?)?,
        (Content::Udp { data, .. }, "data" | "len") => *data = of_packet_size(word)?,
        (Content::Ping { identifier, .. }, "id") => *identifier = number(text?)?,
        (Content::Ping { sequence, .. }, "seq") => *sequence = number(text?)?,
        (Content::Ping { length, .. }, "len") => *length = usize::from(number::<u16>(text?)?),
        (Content::Error { kind, .. }, "type") => *kind = number(text?)?,
        (Content::Error { code, .. }, "code") => *code = number(text?)?,
        (Content::Error { mtu, .. }, "mtu") => *mtu = number(text?)?,
        _ => return None,
    }
    Some(())
}

/// What fits into one packet.
fn of_packet_size(word: &Word) -> Option<Bytes> {
    payload(word).filter(|data| data.len() <= usize::from(u16::MAX))
}

fn of_segment(segment: &mut Segment, key: &str, word: &Word) -> Option<()> {
    let text = word.plain();
    let options = &mut segment.options;
    match key {
        "seq" => segment.sequence = Some(number(text?)?),
        "ack" => segment.acknowledgment = Some(number(text?)?),
        "win" => segment.window = Some(number(text?)?),
        "mss" => options.maximum_segment_size = Some(number(text?)?),
        "ws" => options.window_scale = Some(number(text?)?),
        "sackok" => options.sack_permitted = yes_or_no(text?)?,
        "sack" => {
            let blocks = text?.split(',').map(|block| {
                let (from, to) = block.split_once('-')?;
                Some((number(from)?, number(to)?))
            });
            options.sack = blocks.collect::<Option<Vec<_>>>().filter(|blocks| blocks.len() <= 4)?;
        }
        "data" | "len" => segment.data = of_packet_size(word)?,
        "from-port" => segment.from_port = Some(number(text?)?),
        "to-port" => segment.to_port = Some(number(text?)?),
        _ => return None,
    }
    Some(())
}

/// Whether a key of the packet or the frame changes anything around this.
fn takes(content: &Content, key: &str) -> bool {
    let keys: &[&str] = match content {
        Content::Frame(_) | Content::Again => &[],
        Content::Arp { kind: ArpKind::Request, .. } => &["from", "mac", "to-mac"],
        Content::Arp { kind: ArpKind::Reply, .. } => &["to", "mac", "to-mac"],
        Content::Arp { .. } => &["mac", "to-mac"],
        Content::Solicitation { .. } => &["from", "mac", "to-mac", "ttl"],
        Content::Advertisement { .. } => &["from", "to", "mac", "to-mac", "ttl"],
        Content::Tcp(_) | Content::Udp { .. } | Content::Ping { .. } | Content::Error { .. } => KEYS,
    };
    keys.contains(&key)
}

/// A key of the packet or the frame around it.
fn of_packet(injection: &mut Injection, key: &str, word: &Word) -> Option<()> {
    let text = word.plain()?;
    match key {
        "from" => injection.from = Some(text.parse().ok()?),
        "to" => injection.to = Some(text.parse().ok()?),
        "mac" => injection.mac = Some(text.parse().ok()?),
        "to-mac" => injection.to_mac = Some(text.parse().ok()?),
        "ttl" => injection.time_to_live = Some(number(text)?),
        "fragments" => {
            // Fragments but the last carry whole units of 8 bytes (RFC 791, section 3.1).
            injection.fragments = Some(number::<usize>(text)?).filter(|n| *n >= 8 && n % 8 == 0);
            injection.fragments?;
        }
        "order" => {
            let order: Option<Vec<usize>> = text.split(',').map(number).collect();
            injection.order = Some(order.filter(|order| order.len() <= MOST_FRAGMENTS)?);
        }
        "sum" => injection.is_damaged = (text == "wrong").then_some(true)?,
        _ => return None,
    }
    Some(())
}

/// Control bits: `S`, `SA`, `PA`, …, one letter each; `none` for none.
fn flags(word: &Word) -> Option<Flags> {
    let text = unkeyed(word)?;
    if text == "none" {
        return Some(Flags::default());
    }
    let bit = |letter| {
        Some(match letter {
            'F' => Flags::FIN,
            'S' => Flags::SYN,
            'R' => Flags::RST,
            'P' => Flags::PSH,
            'A' => Flags::ACK,
            'U' => Flags::URG,
            'E' => Flags::ECE,
            'C' => Flags::CWR,
            _ => return None,
        })
    };
    text.chars().try_fold(Flags::default(), |all, letter| Some(all | bit(letter)?))
}

/// Short names of TCP's fields, beside their own.
const SHORT: &[(&str, &str)] = &[
    ("seq", "sequence number"),
    ("ack", "acknowledgment number"),
    ("win", "window"),
    ("mss", "maximum segment size"),
    ("ws", "window scale"),
    ("sack", "SACK"),
];

/// What stands behind `>`.
pub(super) fn expectation(words: &mut Words) -> Result<Expectation, TextError> {
    let mut expected = Expectation { protocol: None, fields: Vec::new(), length: None, data: None };
    let protocol = words.take("a layer such as tcp, arp or icmp, or any", |word| {
        let said = unkeyed(word)?;
        if said == "any" { Some(None) } else { fields::protocol(said).map(Some) }
    })?;
    let is_tcp = protocol == Some("TCP");
    expected.protocol = protocol.map(str::to_owned);
    if is_tcp && words.peek().is_some_and(|word| word.key.is_none()) {
        let flags = words.take("control bits such as S, SA, A, PA, FA or R, or key=value", flags)?;
        expected.fields.push((CONTROL_BITS.to_owned(), flags.to_string()));
    }
    while let Some(word) = words.next() {
        let Some(key) = word.key.as_deref() else {
            return Err(words.unexpected("a field and its value, such as ack=1", &word));
        };
        match key {
            "len" => {
                let length = word.plain().and_then(number);
                let wrong = || words.unexpected("a number of bytes, such as len=10", &word);
                expected.length = Some(length.ok_or_else(wrong)?);
            }
            "data" => expected.data = Some(word.value.clone()),
            key => {
                let short = SHORT.iter().find(|(short, _)| is_tcp && *short == key);
                let name = short.map_or_else(|| key.replace('-', " "), |(_, name)| (*name).to_owned());
                expected.fields.push((name, String::from_utf8_lossy(&word.value).into_owned()));
            }
        }
    }
    Ok(expected)
}
