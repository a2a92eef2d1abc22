//! The packet that an ICMP error quotes: RFC 792, RFC 4443 section 2.4 (c). Its sender finds by it what went wrong.

use std::net::IpAddr;
use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::{u16_at, u32_at};
use framewise_core::seams::segment::{TCP, UDP};

use super::{describe_ipv4, describe_ipv6, extension, protocol_name};
use crate::ipv4::Ipv4Header;
use crate::ipv6::Ipv6Header;

/// The quote behind an error's header: who sent what to whom, and then the fields of the quoted headers as far as they are there.
pub(super) fn quote_fields(message: &[u8], at: usize, source: &'static str) -> Vec<Field> {
    let place = at..message.len();
    let Some(quoted) = message.get(place.clone()).filter(|quoted| !quoted.is_empty()) else {
        return Vec::new();
    };
    let mut fields = vec![field(place, quoted, source)];
    fields.extend(parts(quoted).into_iter().map(|part| moved(part, at)));
    fields
}

/// The same field, of bytes that begin further on.
fn moved(field: Field, by: usize) -> Field {
    Field { bytes: field.bytes.start + by..field.bytes.end + by, ..field }
}

/// The fields of the quoted packet's header, and those that the errors of all versions have of the header in it.
fn parts(quoted: &[u8]) -> Vec<Field> {
    let described = describe_ipv4(quoted).or_else(|_| describe_ipv6(quoted));
    let Ok(header) = described else { return Vec::new() };
    let at = header.header.end;
    let mut fields: Vec<_> =
        header.fields.into_iter().filter(|field| field.bytes.end <= at.min(quoted.len())).collect();
    let Some(Ends { protocol, inside: Some(inside), .. }) = Ends::of(quoted) else { return fields };
    if ![TCP, UDP].contains(&protocol) {
        return fields;
    }
    let source = if protocol == TCP { "RFC 9293 §3.1" } else { "RFC 768" };
    let ports = [
        ("source port", "The port of whoever sent the packet that is quoted."),
        ("destination port", "The port that the packet that is quoted was for."),
    ];
    for (index, (name, meaning)) in ports.into_iter().enumerate() {
        if let Some(port) = u16_at(inside, index * 2) {
            let place = at + index * 2..at + index * 2 + 2;
            fields.push(Field::new(name, place, port.to_string(), meaning, source));
        }
    }
    if let Some(number) = u32_at(inside, 4).filter(|_| protocol == TCP) {
        let meaning = "The number of its first byte: by it the sender knows whether the error is about what it sent (RFC 5927).";
        fields.push(Field::new("sequence number", at + 4..at + 8, number.to_string(), meaning, source));
    }
    fields
}

/// Names the packet that begins with these bytes.
pub(super) fn field(place: Range<usize>, quoted: &[u8], source: &'static str) -> Field {
    let (value, meaning) = match value(quoted) {
        Some(value) => {
            (value, "The beginning of the packet that this is about, so that its sender knows which.")
        }
        None => (
            format!("{} bytes", quoted.len()),
            "Should be the beginning of the packet that this is about, but can't be read.",
        ),
    };
    Field::new("quoted packet", place, value, meaning, source)
}

fn value(quoted: &[u8]) -> Option<String> {
    let Ends { source, destination, protocol, inside } = Ends::of(quoted)?;
    let name = protocol_name(protocol);
    let port = |at| inside.filter(|_| [TCP, UDP].contains(&protocol)).and_then(|inside| u16_at(inside, at));
    Some(match (port(0), port(2)) {
        (Some(from), Some(to)) => format!("{name} from {source} port {from} to {destination} port {to}"),
        _ => format!("{name} from {source} to {destination}"),
    })
}

struct Ends<'a> {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// What the packet carries; nothing that can be read in any but the first of its fragments.
    inside: Option<&'a [u8]>,
}

impl<'a> Ends<'a> {
    /// Reads a packet of which only the beginning need be there.
    fn of(quoted: &'a [u8]) -> Option<Self> {
        if let Ok(header) = Ipv4Header::read(quoted) {
            let inside = quoted.get(header.header_len..).filter(|_| header.fragment_offset == 0);
            let (source, destination) = (header.source.into(), header.destination.into());
            return Some(Ends { source, destination, protocol: header.protocol, inside });
        }
        let header = Ipv6Header::read(quoted).ok()?;
        let passed = extension::pass(quoted, header.next_header);
        let inside =
            quoted.get(passed.offset..).filter(|_| passed.fragment.is_none_or(|(offset, _)| offset == 0));
        let (source, destination) = (header.source.into(), header.destination.into());
        Some(Ends { source, destination, protocol: passed.protocol, inside })
    }
}
