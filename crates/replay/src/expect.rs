//! Whether a frame is the one that a line of a script describes.

use std::collections::BTreeSet;

use framewise_trace::dissect::Layer;

use crate::compare::{Difference, Seen, Told, is_called};
use crate::script::{Expectation, Heard, Step};

/// The frame that a line expects, in its words.
pub(crate) fn described(step: &Step) -> String {
    format!("`{}`", step.deed.trim_start_matches('>').trim())
}

/// The first thing in which it is not.
pub(crate) fn difference(expected: &Expectation, got: &Seen<'_>, line: &str) -> Option<Difference> {
    let Some(protocol) = &expected.protocol else { return None };
    let layers = got.frame.layers().layers;
    // Neighbour discovery is a part of ICMPv6, and both names are in use.
    let is_it = |layer: &&Layer| {
        let name = layer.description.protocol;
        name == protocol || (name == "NDP" && protocol == "ICMPv6") || (name == "ICMPv6" && protocol == "NDP")
    };
    let Some(layer) = layers.iter().find(is_it) else {
        return Some(Difference::Kind { expected: line.to_owned(), got: got.frame.summary() });
    };
    let of_fields = expected.fields.iter().find_map(|(name, value)| field(layer, name, value));
    of_fields.or_else(|| data(expected, got, layer))
}

/// What a field must not be there is written with.
const ABSENT: &str = "none";
/// What a field must be there is written with, whatever it says.
const ANY: &str = "any";
/// The field of TCP whose value is a set: all bits are to be set that are named, and no others.
pub(crate) const CONTROL_BITS: &str = "control bits";

fn field(layer: &Layer, name: &str, value: &str) -> Option<Difference> {
    let protocol = layer.description.protocol.to_owned();
    let fields = &layer.description.fields;
    let found = fields.iter().find(|field| is_called(field.name, name));
    let Some(found) = found else {
        let is_absent = value == ABSENT;
        let missing = Difference::Presence { layer: protocol, field: name.to_owned(), is_missing: true };
        return (!is_absent).then_some(missing);
    };
    let is_alike = match found.name {
        CONTROL_BITS => same_bits(value, &found.value),
        _ => alike(value, &found.value),
    };
    if is_alike || value == ANY || (value == ABSENT && found.value.is_empty()) {
        return None;
    }
    if value == ABSENT {
        return Some(Difference::Presence { layer: protocol, field: name.to_owned(), is_missing: false });
    }
    Some(Difference::Field {
        layer: protocol,
        field: found.name.to_owned(),
        expected: Told { value: value.to_owned(), meaning: String::new() },
        got: Told { value: found.value.clone(), meaning: found.meaning.clone() },
        source: found.source.to_owned(),
    })
}

/// The same names, in any order.
fn same_bits(expected: &str, got: &str) -> bool {
    let names = |text: &str| -> BTreeSet<String> {
        text.split([' ', '-', ',']).filter(|name| !name.is_empty()).map(str::to_ascii_uppercase).collect()
    };
    names(expected) == names(got)
}

/// The same value, though one has a name behind its number, or a sign before it.
fn alike(expected: &str, got: &str) -> bool {
    let bare = |text: &str| text.trim_start_matches('+').to_ascii_lowercase();
    let (expected, got) = (bare(expected), bare(got));
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let first = got.split([' ', ',', '(']).next().unwrap_or_default();
    expected == got
        || expected == first
        || expected == got.replace(' ', "-")
        || number(&expected).is_some_and(|number_| number(first) == Some(number_))
}

fn data(expected: &Expectation, got: &Seen<'_>, layer: &Layer) -> Option<Difference> {
    if expected.length.is_none() && expected.data.is_none() {
        return None;
    }
    let has = got.data(layer);
    let protocol = layer.description.protocol.to_owned();
    if let Some(length) = expected.length.filter(|length| *length != has.len()) {
        let at = length.min(has.len());
        return Some(Difference::Data { layer: protocol, expected: length, got: has.len(), at });
    }
    let wanted = expected.data.as_ref().filter(|wanted| **wanted != has)?;
    let at = wanted.iter().zip(&has).take_while(|(a, b)| a == b).count();
    Some(Difference::Data { layer: protocol, expected: wanted.len(), got: has.len(), at })
}

impl Heard {
    /// Whether these bytes are what the application was to hear.
    pub(crate) fn is_met_by(&self, came: &[u8]) -> bool {
        match self {
            Heard::Data(length) => came.len() == *length,
            Heard::Text(text) => came == text,
            _ => false,
        }
    }

    /// Whether what the application has heard is this.
    pub(crate) fn is_heard_in(&self, heard: &Heard) -> bool {
        match (self, heard) {
            (Heard::Closed(words), Heard::Closed(reason)) => reason.contains(words.as_str()),
            _ => self == heard,
        }
    }
}

impl std::fmt::Display for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Heard::Opened => f.write_str("that the connection is there"),
            Heard::Data(length) => write!(f, "{length} bytes"),
            Heard::Text(bytes) if bytes.len() > 60 => write!(f, "{} bytes", bytes.len()),
            Heard::Text(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Heard::PeerClosed => f.write_str("that the peer sends no more"),
            Heard::Closed(reason) => write!(f, "that the connection is over: {reason}"),
        }
    }
}
