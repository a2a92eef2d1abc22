//! What tshark makes of frames, field by field, in its own XML (PDML): every field with its place and in its order.

use std::ops::Range;

/// One field of a frame, or the head of a protocol's part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdmlField {
    /// The name by which display filters know it: `tcp.flags.syn`.
    pub name: String,
    /// The value as tshark writes it for programs.
    pub show: String,
    /// The bytes in hexadecimal digits; empty for what has none of its own.
    pub value: String,
    /// Where it stands: in the frame, or in the bytes that tshark has put together or opened.
    pub place: Range<usize>,
}

/// The fields of each frame.
pub(crate) fn frames(xml: &str) -> Vec<Vec<PdmlField>> {
    xml.split("<packet>").skip(1).map(fields).collect()
}

fn fields(packet: &str) -> Vec<PdmlField> {
    let mut rest = packet;
    let mut found = Vec::new();
    while let Some(begin) = rest.find('<') {
        rest = &rest[begin + 1..];
        if rest.starts_with("field ") || rest.starts_with("proto ") {
            let (attributes, after) = attributes(rest);
            rest = after;
            found.push(field(&attributes));
        }
    }
    found
}

/// The attributes of the element whose name `text` begins with, and what follows them. Values may hold any character but
/// the quote that ends them.
fn attributes(text: &str) -> (Vec<(&str, String)>, &str) {
    let mut rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    let mut found = Vec::new();
    while let Some((name, value)) = rest.split_once("=\"").filter(|(name, _)| !name.contains('>')) {
        let Some((value, after)) = value.split_once('"') else { break };
        found.push((name.trim(), unescaped(value)));
        rest = after;
    }
    (found, rest)
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

fn field(attributes: &[(&str, String)]) -> PdmlField {
    let text = |name: &str| {
        attributes
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let number = |name: &str| text(name).parse().unwrap_or(0);
    let (begin, length): (usize, usize) = (number("pos"), number("size"));
    PdmlField { name: text("name"), show: text("show"), value: text("value"), place: begin..begin + length }
}
