//! The options of an IPv4 header, explained: RFC 791 section 3.1; RFC 2113 (router alert), RFC 7126 (what became of them).

use std::ops::Range;

use framewise_core::Field;

use super::hex;
use crate::ipv4::{
    self, HEADER_LEN, OPTION_END, OPTION_LOOSE_SOURCE_ROUTE, OPTION_NO_OPERATION, OPTION_STRICT_SOURCE_ROUTE,
};

const SOURCE: &str = "RFC 791 §3.1";

/// The options of a header of which `header` is all, and what is left behind them.
pub(super) fn option_fields(header: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let (mut at, mut is_over) = (HEADER_LEN, false);
    for option in ipv4::options(header).map_while(Result::ok) {
        at = option.bytes.end;
        is_over = option.kind == OPTION_END;
        fields.push(option_field(header, option.kind, option.bytes));
    }
    let left = at..header.len();
    if !left.is_empty() {
        fields.push(left_field(header, left, is_over));
    }
    fields
}

fn option_field(header: &[u8], kind: u8, place: Range<usize>) -> Field {
    let (name, meaning, source) = match kind {
        OPTION_END => ("end of options", "The options end here; the rest of the header is filling.", SOURCE),
        OPTION_NO_OPERATION => ("no operation", "Fills one byte.", SOURCE),
        7 => ("record route", "Each router on the way writes its address in here.", SOURCE),
        68 => ("internet timestamp", "Each router on the way writes the time in here.", SOURCE),
        130 => ("security", "How secret this is, in the words of those who use such labels.", "RFC 1108 §2"),
        136 => ("stream identifier", "Of a network that is no more.", "RFC 6814 §3"),
        148 => ("router alert", "Each router on the way shall look into this packet.", "RFC 2113 §2.1"),
        OPTION_LOOSE_SOURCE_ROUTE => (
            "loose source route",
            "The sender names routers to pass; nobody does that for strangers.",
            SOURCE,
        ),
        OPTION_STRICT_SOURCE_ROUTE => (
            "strict source route",
            "The sender names all routers to pass; nobody does that for strangers.",
            SOURCE,
        ),
        _ => ("option", "An option that is not known here; it is passed over.", SOURCE),
    };
    let bytes = header.get(place.clone()).unwrap_or_default();
    Field::new(name, place, hex(bytes), meaning, source)
}

fn left_field(header: &[u8], place: Range<usize>, is_over: bool) -> Field {
    let value = hex(header.get(place.clone()).unwrap_or_default());
    match is_over {
        true => Field::new("padding", place, value, "Fills the header up to whole words of 4 bytes.", SOURCE),
        false => {
            let meaning = "An option whose length leads out of the header: nobody can read on.";
            Field::new("broken option", place, value, meaning, SOURCE)
        }
    }
}
