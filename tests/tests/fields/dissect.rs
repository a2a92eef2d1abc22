//! Frames taken apart by the layers' own descriptions.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use framewise::core::{Description, Field};
use framewise::{dns, ethernet, http, ip, tcp, tls, udp};
use framewise_trace::pcapng::{CaptureReader, Item};

/// A field, with its place in the frame.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) protocol: &'static str,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) meaning: String,
    pub(crate) place: Range<usize>,
    pub(crate) has_bits: bool,
}

/// The frames of a capture.
pub(crate) fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = CaptureReader::new(file).expect("a capture");
    let mut frames = Vec::new();
    while let Some(item) = reader.next_item().expect("whole") {
        if let Item::Packet(packet) = item {
            frames.push(packet.bytes.to_vec());
        }
    }
    frames
}

/// The fields of a description whose bytes begin at `at`.
pub(crate) fn said(description: &Description, at: usize) -> impl Iterator<Item = Said> {
    assert_eq!(description.misplaced(), None, "{description:#?}");
    // Neighbour discovery is a part of ICMPv6, as others see it.
    let protocol = if description.protocol == "NDP" { "ICMPv6" } else { description.protocol };
    let quote = description.fields.iter().find(|field| field.name == "quoted packet");
    description.fields.iter().map(move |field| Said {
        protocol: match quote {
            Some(quote) if field.name != quote.name && field.bytes.start >= quote.bytes.start => {
                of_quoted(quote, field)
            }
            _ => protocol,
        },
        name: field.name,
        value: field.value.clone(),
        meaning: field.meaning.clone(),
        place: at + field.bytes.start..at + field.bytes.end,
        has_bits: field.bits.is_some(),
    })
}

/// Whose a field of a quoted packet is.
fn of_quoted(quote: &Field, field: &Field) -> &'static str {
    match (field.name, quote.value.split_once(' ')) {
        ("source port" | "destination port" | "sequence number", Some(("TCP", _))) => "TCP",
        ("source port" | "destination port", _) => "UDP",
        _ if quote.value.contains(':') => "IPv6",
        _ => "IPv4",
    }
}

/// Reads the frames of a capture one after the other, and keeps in mind who speaks TLS 1.2 and has begun to seal.
#[derive(Default)]
pub(crate) struct Reader {
    sealed: BTreeSet<SocketAddr>,
    tls12: BTreeSet<SocketAddr>,
}

impl Reader {
    /// All fields of a frame, as far as the layers read it from its beginning.
    pub(crate) fn frame(&mut self, bytes: &[u8]) -> Vec<Said> {
        let outer = ethernet::describe(bytes).expect("a frame");
        let mut all: Vec<Said> = said(&outer, 0).collect();
        let (mut at, mut kind) = (outer.payload.start, [bytes[12], bytes[13]]);
        if kind == [0x81, 0x00] {
            all.extend(said(&ethernet::describe_vlan(&bytes[at..]).expect("a tag"), at));
            kind = [bytes[at + 2], bytes[at + 3]];
            at += 4;
        }
        let packet = &bytes[at..outer.payload.end];
        match kind {
            [0x08, 0x06] => all.extend(said(&ethernet::describe_arp(packet).expect("an ARP packet"), at)),
            [0x08, 0x00] | [0x86, 0xdd] => all.extend(self.in_ip(packet, at)),
            _ => {}
        }
        all
    }

    fn in_ip(&mut self, packet: &[u8], at: usize) -> Vec<Said> {
        let header = ip::describe(packet).expect("a packet");
        let mut all: Vec<Said> = said(&header, at).collect();
        if header.next == "the other fragments" {
            return all;
        }
        let inside = &packet[header.payload.clone()];
        let at = at + header.payload.start;
        let (source, destination) = addresses(packet);
        let mut protocols =
            header.fields.iter().filter(|field| ["protocol", "next header"].contains(&field.name));
        match protocols.next_back().map(|field| field.value.as_str()) {
            Some("1") => all.extend(said(&ip::describe_icmp(inside).expect("a message"), at)),
            Some("58") => all.extend(said(&ip::describe_icmpv6(inside).expect("a message"), at)),
            Some("6") => {
                let header = tcp::describe(inside, source, destination, None).expect("a segment");
                all.extend(said(&header, at));
                let port = |at: usize| u16::from_be_bytes([inside[at], inside[at + 1]]);
                let ends = [SocketAddr::new(source, port(0)), SocketAddr::new(destination, port(2))];
                let begin = header.payload.start;
                all.extend(self.in_stream(&inside[header.payload], at + begin, ends));
            }
            Some("17") => {
                let header = udp::describe(inside, Some((source, destination))).expect("a datagram");
                all.extend(said(&header, at));
                if header.next == "port 53: DNS" || header.fields[0].value == "53" {
                    let message = dns::describe(&inside[header.payload.clone()]).expect("a message");
                    all.extend(said(&message, at + header.payload.start));
                }
            }
            _ => {}
        }
        all
    }

    /// The records or the HTTP messages that a segment begins with: nothing, if it does not begin with one and end with one.
    fn in_stream(&mut self, payload: &[u8], at: usize, ends: [SocketAddr; 2]) -> Vec<Said> {
        if http::describe(payload).is_some() {
            return messages(payload, at);
        }
        let (mut begin, mut all) = (0, Vec::new());
        while begin < payload.len() {
            let context = tls::Context {
                sealed: self.sealed.contains(&ends[0]),
                tls12: self.tls12.contains(&ends[0]) || self.tls12.contains(&ends[1]),
                ..tls::Context::default()
            };
            let Ok(record) = tls::describe(&payload[begin..], &context) else { return Vec::new() };
            let whole = tls::record::Record::parse(&payload[begin..]).expect("it was described");
            let mut fields: Vec<Said> = said(&record, at + begin).collect();
            // Of what TLS itself seals in version 1.2 tshark tells what it takes it for, not where it lies.
            let is_data = payload[begin] == 23;
            fields.retain(|field| is_data || field.name != "sealed fragment");
            let has = |name| fields.iter().any(|field| field.name == name);
            if has("change cipher spec") {
                self.sealed.insert(ends[0]);
            }
            if has("chosen cipher suite") && !has("selected version") {
                self.tls12.insert(ends[0]);
            }
            all.extend(fields);
            begin += whole.wire_len();
        }
        all
    }
}

/// HTTP messages one behind the other, as pipelining has them.
fn messages(payload: &[u8], at: usize) -> Vec<Said> {
    let (mut begin, mut all) = (0, Vec::new());
    while let Some(message) = payload.get(begin..).and_then(http::describe) {
        all.extend(said(&message, at + begin));
        let length = message.fields.iter().find(|field| field.name == "Content-Length");
        let length = length.map_or(0, |field| field.value.parse().expect("a number"));
        begin += message.header.end + length;
        if message.fields.iter().any(|field| field.name == "chunk data") {
            break;
        }
    }
    all
}

fn addresses(packet: &[u8]) -> (IpAddr, IpAddr) {
    let v4 = |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).expect("four bytes")).into();
    let v6 = |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("sixteen")).into();
    if packet[0] >> 4 == 4 { (v4(12), v4(16)) } else { (v6(8), v6(24)) }
}
