//! The options of a segment: RFC 9293 section 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK).

use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::{u8_at, u16_at, u32_at};

use crate::segment::{HEADER_LEN, MAX_WINDOW_SCALE, RawOption, kind, walk_options};

/// Options that only segments of others have (IANA, TCP parameters).
const MD5_SIGNATURE: u8 = 19;
const USER_TIMEOUT: u8 = 28;
const AUTHENTICATION: u8 = 29;
const MULTIPATH: u8 = 30;
const FAST_OPEN: u8 = 34;

/// The options of a header of which `header` is all: each as a whole, then its parts; and what can't be read.
pub(super) fn fields(header: &[u8]) -> Vec<Field> {
    let options = header.get(HEADER_LEN..).unwrap_or(&[]);
    let (mut fields, mut end) = (Vec::new(), HEADER_LEN);
    for option in walk_options(options) {
        let place = HEADER_LEN + option.range.start..HEADER_LEN + option.range.end;
        end = place.end;
        fields.push(whole(&option, place.clone()));
        fields.extend(parts(&option, &place));
    }
    if end < header.len() {
        let value = format!("{} bytes", header.len() - end);
        let meaning = "An option whose length makes no sense: nobody can read on.";
        fields.push(Field::new("broken option", end..header.len(), value, meaning, "RFC 9293 §3.2"));
    }
    fields
}

fn whole(option: &RawOption<'_>, place: Range<usize>) -> Field {
    let data = option.data;
    let (name, value, meaning): (_, String, String) = match option.kind {
        kind::END => ("end of options", String::new(), "No option comes after.".into()),
        kind::NO_OPERATION => ("no-operation", String::new(), "Fills up to whole words.".into()),
        kind::MAXIMUM_SEGMENT_SIZE => {
            let size = u16_at(data, 0).unwrap_or(0);
            let meaning = format!("The sender takes at most {size} bytes of payload in one segment.");
            ("maximum segment size", size.to_string(), meaning)
        }
        kind::WINDOW_SCALE => {
            let shift = u8_at(data, 0).unwrap_or(0);
            let times = 1u32 << shift.min(MAX_WINDOW_SCALE);
            let meaning = format!("The sender's windows count in units of {times} bytes.");
            ("window scale", shift.to_string(), meaning)
        }
        kind::SACK_PERMITTED => (
            "SACK permitted",
            String::new(),
            "The sender understands lists of what came out of order.".into(),
        ),
        kind::SACK => ("SACK", blocks(data), "This came although something before it is missing.".into()),
        kind::TIMESTAMPS => {
            let (value, echo) = (u32_at(data, 0).unwrap_or(0), u32_at(data, 4).unwrap_or(0));
            let meaning = "The sender's clock, and the last reading of the other's: together they measure the round trip.";
            ("timestamps", format!("{value}, echo {echo}"), meaning.into())
        }
        other => return other_option(other, data, place),
    };
    Field::new(name, place, value, meaning, source(option.kind))
}

/// Those that our connections don't use, and those that nobody here knows.
fn other_option(kind: u8, data: &[u8], place: Range<usize>) -> Field {
    let (name, meaning) = match kind {
        MD5_SIGNATURE => {
            ("MD5 signature", "A signature, so that nobody can break off a connection of routers.")
        }
        USER_TIMEOUT => {
            ("user timeout", "How long the sender waits for an acknowledgment before it gives up.")
        }
        AUTHENTICATION => {
            ("authentication", "A signature over the segment, so that nobody can meddle with it.")
        }
        MULTIPATH => ("multipath", "Joins connections over several networks to one."),
        FAST_OPEN => {
            ("fast open", "A cookie by which a later connection may carry data in its first segment.")
        }
        _ => ("unknown option", "Skipped: nobody must understand every option."),
    };
    Field::new(name, place, format!("kind {kind}, {} bytes", data.len()), meaning, source(kind))
}

fn source(kind: u8) -> &'static str {
    match kind {
        kind::MAXIMUM_SEGMENT_SIZE => "RFC 9293 §3.7.1",
        kind::WINDOW_SCALE => "RFC 7323 §2.2",
        kind::SACK_PERMITTED => "RFC 2018 §2",
        kind::SACK => "RFC 2018 §3",
        kind::TIMESTAMPS => "RFC 7323 §3.2",
        MD5_SIGNATURE => "RFC 2385 §3",
        USER_TIMEOUT => "RFC 5482 §2",
        AUTHENTICATION => "RFC 5925 §2.2",
        MULTIPATH => "RFC 8684 §3",
        FAST_OPEN => "RFC 7413 §4.1.1",
        _ => "RFC 9293 §3.2",
    }
}

/// Kind, length and numbers of an option that is more than one byte.
fn parts(option: &RawOption<'_>, place: &Range<usize>) -> Vec<Field> {
    let (at, length) = (place.start, place.len());
    let kind = option.kind;
    let is_of_one_byte = matches!(kind, kind::END | kind::NO_OPERATION);
    let meaning = if is_of_one_byte { "An option of one byte." } else { "Which option this is." };
    let mut parts = vec![Field::new("option kind", at..at + 1, kind.to_string(), meaning, "RFC 9293 §3.2")];
    if is_of_one_byte {
        return parts;
    }
    let meaning = format!("The option has {length} bytes, kind and length included.");
    parts.push(Field::new("option length", at + 1..at + 2, length.to_string(), meaning, "RFC 9293 §3.2"));
    match kind {
        kind::TIMESTAMPS => parts.extend(timestamps(option.data, at + 2)),
        kind::SACK => parts.extend(edges(option.data, at + 2)),
        _ => {}
    }
    parts
}

fn number(
    name: &'static str,
    data: &[u8],
    at: usize,
    begin: usize,
    meaning: &'static str,
    source: &'static str,
) -> Option<Field> {
    let value = u32_at(data, at)?;
    Some(Field::new(name, begin + at..begin + at + 4, value.to_string(), meaning, source))
}

fn timestamps(data: &[u8], begin: usize) -> impl Iterator<Item = Field> {
    let source = "RFC 7323 §3.2";
    let value = number(
        "timestamp value",
        data,
        0,
        begin,
        "What the sender's clock shows, in units of its own.",
        source,
    );
    let meaning = "The last reading of the other's clock that came here, sent back.";
    let echo = number("timestamp echo reply", data, 4, begin, meaning, source);
    value.into_iter().chain(echo)
}

fn edges(data: &[u8], begin: usize) -> Vec<Field> {
    let (left, right) =
        ("The first byte of a part that came.", "The first byte behind it, which has not come.");
    let blocks = (0..data.len()).step_by(8).filter(|at| at + 8 <= data.len());
    let edge = |name, at, meaning| number(name, data, at, begin, meaning, "RFC 2018 §3");
    blocks.flat_map(|at| [edge("left edge", at, left), edge("right edge", at + 4, right)]).flatten().collect()
}

fn blocks(data: &[u8]) -> String {
    data.chunks_exact(8)
        .filter_map(|block| Some(format!("{} to {}", u32_at(block, 0)?, u32_at(block, 4)?)))
        .collect::<Vec<_>>()
        .join(", ")
}
