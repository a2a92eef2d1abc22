//! Provenance: from a text of a page down to frames, and from a byte of a frame up to what it is part of.

use std::fmt::Write as _;
use std::ops::Range;

use framewise_trace::dissect::{Dissection, Frame, Place, Side, Space, Stream};

use super::frame::heading;
use crate::exit::{Failure, Kind};
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{cut, wrapped};

/// Places of a text that are shown.
const SHOWN: usize = 8;

/// Which frames brought a text, and where in them.
pub(super) fn down(dissection: &Dissection, wanted: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let mut found = 0;
    for connection in dissection.connections() {
        for side in Side::BOTH {
            let stream = connection.stream(side);
            for place in places(dissection, &stream, wanted.as_bytes()) {
                found += 1;
                if found <= SHOWN {
                    let who = if side == Side::Client { "client" } else { "server" };
                    let id = connection.id().0 + 1;
                    let _ = writeln!(text, "{wanted:?}, said by the {who} of connection {id}");
                    steps_down(&mut text, dissection, &place, 1);
                }
            }
        }
    }
    if found > SHOWN {
        let _ = writeln!(text, "and {} places more", found - SHOWN);
    }
    match found {
        0 => Err(Failure::new(Kind::Usage, format!("{wanted:?} is in no message that can be read"))
            .next("framewise explain with --keylog, if it is sealed")),
        _ => Ok(text),
    }
}

/// Where a text stands in what a side said, messages or not.
fn places(dissection: &Dissection, stream: &Stream<'_>, wanted: &[u8]) -> Vec<Place> {
    let space = stream.message_space();
    let length = match space {
        Space::Plaintext(_) => stream.plaintext_length(),
        _ => stream.length(),
    };
    let mut found = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    for range in whole(stream, space, length) {
        let place = Place::new(space, range.clone());
        let Some(bytes) = dissection.bytes(&place) else { continue };
        let starts = bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted);
        found.extend(starts.map(|(at, _)| {
            let start = range.start + at as u64;
            Place::new(space, start..start + wanted.len() as u64)
        }));
    }
    found
}

/// The ranges between gaps. Of plaintext there is only what could be opened.
fn whole(stream: &Stream<'_>, space: Space, length: u64) -> Vec<Range<u64>> {
    let gaps: Vec<Range<u64>> = match space {
        Space::Stream(_) => stream.gaps().collect(),
        _ => Vec::new(),
    };
    let begins = std::iter::once(0).chain(gaps.iter().map(|gap| gap.end));
    let ends = gaps.iter().map(|gap| gap.start).chain([length]);
    begins.zip(ends).filter(|(begin, end)| begin < end).map(|(begin, end)| begin..end).collect()
}

/// One step down after the other, each further in.
fn steps_down(text: &mut String, dissection: &Dissection, place: &Place, depth: usize) {
    let indent = depth * 2;
    let _ = writeln!(text, "{:indent$}{}", "", told(place));
    for carrier in dissection.below(place) {
        if carrier.again {
            let _ = writeln!(text, "{:indent$}  and once more, since it was sent again:", "");
        }
        steps_down(text, dissection, &carrier.at, depth + 1);
    }
}

/// A place in words.
fn told(place: &Place) -> String {
    let Range { start, end } = place.range;
    let bytes = match end.saturating_sub(start) {
        1 => format!("byte {start}"),
        _ => format!("bytes {start} to {}", end.saturating_sub(1)),
    };
    match place.space {
        Space::Frame(number) => format!("{bytes} of frame {number}"),
        Space::Datagram(id) => format!("{bytes} of the datagram {} that came in fragments", id.0 + 1),
        Space::Stream(_) => format!("{bytes} of the stream that TCP carries"),
        Space::Record(_, number) => format!("{bytes} inside TLS record {}", number + 1),
        Space::Plaintext(_) => format!("{bytes} of what TLS was given to carry"),
    }
}

/// What a byte of a frame is, in each layer.
pub(super) fn up(dissection: &Dissection, frame: &Frame<'_>, byte: usize) -> Result<String, Failure> {
    let length = frame.bytes().len();
    let Some(value) = frame.bytes().get(byte) else {
        let sentence = format!("frame {} has bytes 0 to {}", frame.number(), length.saturating_sub(1));
        return Err(Failure::new(Kind::Usage, sentence));
    };
    let mut text = String::new();
    heading(&mut text, dissection, frame);
    let _ = writeln!(text, "Byte {byte} is {value:#04x}.");
    for meaning in dissection.meanings(frame.number(), byte) {
        let protocol = meaning.layer.description.protocol;
        let style = style_of(protocol);
        let at = told(&meaning.place);
        let _ = writeln!(text, "{style}{protocol:<9}{style:#} {}", cut(&at, WIDTH - 10));
        if meaning.fields.is_empty() {
            let _ = writeln!(text, "          what {protocol} carries");
        }
        for field in &meaning.fields {
            let _ = writeln!(
                text,
                "          {}  {}",
                field.name,
                cut(&field.value, WIDTH - 12 - field.name.len())
            );
            for line in wrapped(&field.meaning, WIDTH - 12) {
                let _ = writeln!(text, "            {line}");
            }
        }
    }
    Ok(text)
}
