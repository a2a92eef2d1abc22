//! The header that Linux makes up where it captures on many links at once, whatever their own headers are.
//!
//! Read first: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2, each on its page of the tcpdump group.
//!
//! ```text
//!   SLL    way 2 │ kind of link 2 │ address length 2 │ address 8 │ type 2
//!   SLL2   type 2 │ zero 2 │ interface 4 │ kind of link 2 │ way 1 │ address length 1 │ address 8
//! ```

use framewise_core::read::{u8_at, u16_at, u32_at};
use framewise_core::{Description, Direction, Field};

use super::Link;
use crate::describe::{meaning_of_type, next as next_phrase};
use crate::error::ParseError;
use crate::frame::EtherType;

const SLL: &str = "LINKTYPE_LINUX_SLL";
const SLL2: &str = "LINKTYPE_LINUX_SLL2";
const SLL_LENGTH: usize = 16;
const SLL2_LENGTH: usize = 20;
/// Bytes that an address has room for.
const ADDRESS: usize = 8;

/// Where the fields of one of the two stand.
struct Layout {
    length: usize,
    source: &'static str,
    ethertype: usize,
    way: (usize, usize),
    kind: usize,
    address_length: (usize, usize),
    address: usize,
    interface: Option<usize>,
}

impl Layout {
    fn of(link: Link) -> Layout {
        match link {
            Link::Cooked2 => Layout {
                length: SLL2_LENGTH,
                source: SLL2,
                ethertype: 0,
                way: (10, 1),
                kind: 8,
                address_length: (11, 1),
                address: 12,
                interface: Some(4),
            },
            _ => Layout {
                length: SLL_LENGTH,
                source: SLL,
                ethertype: 14,
                way: (0, 2),
                kind: 2,
                address_length: (4, 2),
                address: 6,
                interface: None,
            },
        }
    }
}

/// A number of one or two bytes.
fn number(bytes: &[u8], (at, length): (usize, usize)) -> Option<u16> {
    if length == 1 { u8_at(bytes, at).map(u16::from) } else { u16_at(bytes, at) }
}

pub(super) fn next(link: Link, frame: &[u8]) -> Option<(EtherType, usize)> {
    let layout = Layout::of(link);
    let ethertype = u16_at(frame, layout.ethertype)?;
    (frame.len() >= layout.length).then_some((EtherType(ethertype), layout.length))
}

pub(super) fn direction(link: Link, frame: &[u8]) -> Option<Direction> {
    match number(frame, Layout::of(link).way)? {
        4 => Some(Direction::Outbound),
        0..=2 => Some(Direction::Inbound),
        _ => None,
    }
}

pub(super) fn describe(link: Link, frame: &[u8]) -> Result<Description, ParseError> {
    let layout = Layout::of(link);
    let length = layout.length;
    let (ethertype, _) = next(link, frame).ok_or(ParseError::Truncated {
        layer: "cooked header",
        offset: 0,
        needed: length,
        found: frame.len(),
    })?;
    let inside = frame.get(length..).unwrap_or_default();
    let way = number(frame, layout.way).unwrap_or_default();
    Ok(Description {
        protocol: "cooked",
        unit: "frame",
        outbound: way_in_short(way).to_owned(),
        inbound: way_in_short(way).to_owned(),
        next: next_phrase(ethertype),
        header: 0..length,
        payload: length..length + ethertype.unpadded_length(inside),
        fields: fields(&layout, frame, ethertype, way),
    })
}

fn way_in_short(way: u16) -> &'static str {
    match way {
        0 => "to the machine that captured",
        1 => "to every station on the link",
        2 => "to a group of stations",
        3 => "between two others",
        4 => "from the machine that captured",
        _ => "which way is not known",
    }
}

fn fields(layout: &Layout, frame: &[u8], ethertype: EtherType, way: u16) -> Vec<Field> {
    let source = layout.source;
    let place = |(at, length): (usize, usize)| at..at + length;
    let kind = u16_at(frame, layout.kind).unwrap_or_default();
    let address_length = number(frame, layout.address_length).unwrap_or_default();
    let mut fields = vec![
        Field::new("packet type", place(layout.way), way.to_string(), way_meaning(way), source),
        Field::new(
            "ARPHRD type",
            place((layout.kind, 2)),
            kind.to_string(),
            match kind {
                1 => "The link is an Ethernet, or looks like one.",
                772 => "The link is the machine's own loop: nothing left it.",
                65_534 => "The link has no addresses of its own: a tunnel.",
                _ => "The kind of link, by its number in Linux.",
            },
            source,
        ),
        Field::new(
            "link-layer address length",
            place(layout.address_length),
            address_length.to_string(),
            "How many bytes of the next field count.",
            source,
        ),
        Field::new(
            "link-layer address",
            place((layout.address, ADDRESS)),
            address(frame, layout.address, address_length),
            "The station that sent this, by its address on the link.",
            source,
        ),
    ];
    if let Some(at) = layout.interface {
        let index = u32_at(frame, at).unwrap_or_default();
        let meaning = "On which of the machine's interfaces this was captured, by its index.";
        fields.push(Field::new("interface index", at..at + 4, index.to_string(), meaning, source));
    }
    let meaning = meaning_of_type(ethertype);
    fields.push(Field::new(
        "protocol type",
        place((layout.ethertype, 2)),
        ethertype.to_string(),
        meaning,
        source,
    ));
    fields.sort_by_key(|field| field.bytes.start);
    fields
}

fn way_meaning(way: u16) -> &'static str {
    match way {
        0 => "It came for the machine that captured it.",
        1 => "It came for every station on the link.",
        2 => "It came for a group of stations.",
        3 => "It was for another station, and only overheard.",
        4 => "The machine that captured it sent it.",
        _ => "A number that means no way.",
    }
}

fn address(frame: &[u8], at: usize, length: u16) -> String {
    let end = at + usize::from(length).min(ADDRESS);
    let bytes = frame.get(at..end).unwrap_or_default();
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `tcpdump -i any`: a packet that left by the loop.
    const LEFT: [u8; 17] = [0, 4, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45];

    #[test]
    fn a_cooked_header_tells_way_and_type() {
        assert_eq!(next(Link::Cooked, &LEFT), Some((EtherType::IPV4, 16)));
        assert_eq!(direction(Link::Cooked, &LEFT), Some(Direction::Outbound));
        let described = describe(Link::Cooked, &LEFT).unwrap();
        assert_eq!(described.outbound, "from the machine that captured");
        assert_eq!(described.fields[3].value, "00:00:00:00:00:00");
    }

    #[test]
    fn the_second_kind_names_the_interface() {
        let mut frame = vec![0x86, 0xdd, 0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0];
        frame.push(0x60);
        let described = describe(Link::Cooked2, &frame).unwrap();
        let names: Vec<_> = described.fields.iter().map(|field| (field.name, &*field.value)).collect();
        assert_eq!(names[1], ("interface index", "7"));
        assert_eq!(names[5], ("link-layer address", "02:00:00:00:00:09"));
        assert_eq!(direction(Link::Cooked2, &frame), Some(Direction::Inbound));
        assert_eq!(described.payload, 20..21);
    }

    #[test]
    fn cut_short_it_is_an_error() {
        assert!(describe(Link::Cooked2, &[0x86; 19]).is_err());
        assert!(describe(Link::Cooked, &[0; 15]).is_err());
    }
}
