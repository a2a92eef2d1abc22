//! Where a step's bytes are elsewhere: in which frames, how often, and what else they are there.

use framewise_trace::dissect::{Dissection, Frame, Layer, Place, Space};

/// Ways that are shown.
const MOST: usize = 200;

/// A place to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// What is there.
    pub(crate) text: String,
    /// The frame.
    pub(crate) frame: usize,
    /// Which of its layers, the outermost first.
    pub(crate) layer: usize,
    /// Which field of that.
    pub(crate) field: usize,
}

/// The frames that carried these bytes, those that carried them again included; then what the first of them is, in the other
/// layers of the frame one looks at.
pub(crate) fn of(dissection: &Dissection, here: &Frame<'_>, layer: &Layer, place: &Place) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut first_byte = (place.space == Space::Frame(here.number())).then_some(place.range.start);
    for carrier in dissection.frames_of(place).into_iter().take(MOST) {
        let Space::Frame(number) = carrier.at.space else { continue };
        if number == here.number() {
            first_byte.get_or_insert(carrier.at.range.start);
        }
        let this = if number == here.number() { ", this one" } else { "" };
        let again = if carrier.again { ", once more" } else { "" };
        let (part, at) = (span(&carrier.part), span(&carrier.at.range));
        let text = format!("frame {number}{this}{again}: {part} as {at} of the frame");
        let (at, field) = find(dissection, number, layer, carrier.part.start).unwrap_or_default();
        ways.push(Way { text, frame: number, layer: at, field });
    }
    let meanings = first_byte.map(|byte| dissection.meanings(here.number(), byte as usize));
    for meaning in meanings.unwrap_or_default() {
        let description = &meaning.layer.description;
        // The smallest that is whole bytes: which bit is meant, a byte does not say.
        let whole = meaning.fields.iter().rfind(|field| field.bits.is_none());
        let field = whole.or(meaning.fields.first());
        let what = field.map_or("carries it".to_owned(), |field| format!("{} = {}", field.name, field.value));
        let of = match meaning.place.space {
            Space::Frame(_) => "of the frame",
            Space::Datagram(_) => "of the packet in fragments",
            Space::Stream(_) => "of the stream",
            Space::Record(..) => "of the opened record",
            Space::Plaintext(_) => "of the opened stream",
        };
        let text = format!("{}: {what}, {} {of}", description.protocol, span(&meaning.place.range));
        let layers = here.layers().layers;
        let index = layers.iter().position(|other| *other == meaning.layer).unwrap_or(0);
        let fields = &description.fields;
        let field = field.and_then(|field| fields.iter().position(|other| other == field)).unwrap_or(0);
        ways.push(Way { text, frame: here.number(), layer: index, field });
    }
    ways
}

/// The same layer in another frame, or the innermost one there that holds the byte; and the field of it.
fn find(dissection: &Dissection, frame: usize, layer: &Layer, byte: u64) -> Option<(usize, usize)> {
    let layers = dissection.frame(frame)?.layers().layers;
    let is_same = |other: &Layer| other.space == layer.space && other.here.contains(&byte);
    let index = layers.iter().rposition(is_same).unwrap_or(layers.len().checked_sub(1)?);
    let found = layers.get(index)?;
    let covers = |range: &std::ops::Range<usize>| found.place(range).range.contains(&byte);
    let field = found.description.fields.iter().rposition(|field| covers(&field.bytes)).unwrap_or(0);
    Some((index, field))
}

fn span(range: &std::ops::Range<u64>) -> String {
    match range.end.saturating_sub(range.start) {
        1 => format!("byte {}", range.start),
        _ => format!("bytes {}-{}", range.start, range.end.saturating_sub(1)),
    }
}
