//! The packet that an ICMP error quotes: RFC 792, RFC 4443 section 2.4 (c). Its sender finds by it what went wrong.

use std::net::IpAddr;
use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::u16_at;
use framewise_core::seams::segment::{TCP, UDP};

use super::{extension, protocol_name};
use crate::ipv4::Ipv4Header;
use crate::ipv6::Ipv6Header;

/// The quote behind an error's header, as one field: who sent what to whom.
pub(super) fn quote_field(message: &[u8], at: usize, source: &'static str) -> Option<Field> {
    let place = at..message.len();
    let quoted = message.get(place.clone()).filter(|quoted| !quoted.is_empty())?;
    Some(field(place, quoted, source))
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
        let inside = quoted.get(passed.offset..).filter(|_| !passed.is_later_fragment);
        let (source, destination) = (header.source.into(), header.destination.into());
        Some(Ends { source, destination, protocol: passed.protocol, inside })
    }
}
