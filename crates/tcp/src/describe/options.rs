//! The options of a segment: RFC 9293 section 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 2883 (D-SACK).

use std::ops::Range;

use framewise_core::Field;
use framewise_core::read::{u8_at, u16_at, u32_at};

use crate::analysis::Facts;
use crate::segment::{Flags, HEADER_LEN, Header, MAX_WINDOW_SCALE, RawOption, kind, walk_options};
use crate::sequence::SeqNumber;

/// Options that only segments of others have (IANA, TCP parameters).
const MD5_SIGNATURE: u8 = 19;
const USER_TIMEOUT: u8 = 28;
const AUTHENTICATION: u8 = 29;
const MULTIPATH: u8 = 30;
const FAST_OPEN: u8 = 34;

/// Where it is said what SACK means of what came early, and of what came twice.
const BLOCKS: &str = "RFC 2018 §3";
const DUPLICATES: &str = "RFC 2883 §4";

/// The other side's stream, as far as the segment tells of it: a SACK speaks of that.
pub(super) struct Other {
    /// Up to where the segment acknowledges it.
    acknowledged: Option<SeqNumber>,
    /// From which number its bytes are counted, if that is known.
    initial: Option<u32>,
}

impl Other {
    pub(super) fn of(header: &Header, facts: Option<&Facts>) -> Self {
        let acknowledged = header.has(Flags::ACK).then_some(header.acknowledgment);
        let relative = facts.and_then(|facts| facts.acknowledgment);
        let initial = acknowledged.zip(relative).map(|(number, relative)| number.0.wrapping_sub(relative));
        Other { acknowledged, initial }
    }

    /// A number of its stream: counted from its beginning if that is known, else as it is on the wire.
    fn told(&self, number: u32) -> String {
        match self.initial {
            Some(initial) => format!("+{}", number.wrapping_sub(initial)),
            None => number.to_string(),
        }
    }

    /// Whether the first of these blocks tells of bytes that came twice: it ends where all is acknowledged, or lies in the
    /// second one (RFC 2883, section 4).
    fn has_duplicate(&self, blocks: &[u8]) -> bool {
        let edge = |at| u32_at(blocks, at).map(SeqNumber);
        let Some((left, right)) = edge(0).zip(edge(4)) else { return false };
        let is_acknowledged = self.acknowledged.is_some_and(|number| !number.is_before(right));
        let second = edge(8).zip(edge(12));
        is_acknowledged || second.is_some_and(|(from, to)| !left.is_before(from) && !to.is_before(right))
    }
}

/// The options of a header of which `header` is all: each as a whole, then its parts; and what can't be read.
pub(super) fn fields(header: &[u8], other: &Other) -> Vec<Field> {
    let options = header.get(HEADER_LEN..).unwrap_or(&[]);
    let (mut fields, mut end) = (Vec::new(), HEADER_LEN);
    for option in walk_options(options) {
        let place = HEADER_LEN + option.range.start..HEADER_LEN + option.range.end;
        end = place.end;
        fields.push(whole(&option, place.clone(), other));
        fields.extend(parts(&option, &place, other));
    }
    if end < header.len() {
        let value = format!("{} bytes", header.len() - end);
        let meaning = "An option whose length makes no sense: nobody can read on.";
        fields.push(Field::new("broken option", end..header.len(), value, meaning, "RFC 9293 §3.2"));
    }
    fields
}

fn whole(option: &RawOption<'_>, place: Range<usize>, other: &Other) -> Field {
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
        kind::SACK => {
            let (meaning, source) = sack(data, other);
            return Field::new("SACK", place, blocks(data, other), meaning, source);
        }
        kind::TIMESTAMPS => {
            let (value, echo) = (u32_at(data, 0).unwrap_or(0), u32_at(data, 4).unwrap_or(0));
            let meaning = "The sender's clock, and the last reading of the other's: together they measure the round trip.";
            ("timestamps", format!("{value}, echo {echo}"), meaning.into())
        }
        unused => return other_option(unused, data, place),
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
fn parts(option: &RawOption<'_>, place: &Range<usize>, other: &Other) -> Vec<Field> {
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
        kind::SACK => parts.extend(edges(option.data, at + 2, other)),
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

/// What the blocks say, and where that is written.
fn sack(data: &[u8], other: &Other) -> (&'static str, &'static str) {
    match (other.has_duplicate(data), data.len() > 8) {
        (false, _) => ("This came although something before it is missing.", BLOCKS),
        (true, false) => ("This came twice.", DUPLICATES),
        (true, true) => (
            "The first of these came twice; the rest came although something before it is missing.",
            DUPLICATES,
        ),
    }
}

fn edges(data: &[u8], begin: usize, other: &Other) -> Vec<Field> {
    let has_duplicate = other.has_duplicate(data);
    let edge = |name, at: usize, meaning: &str, source| {
        let number = u32_at(data, at)?;
        let meaning = match other.initial {
            Some(_) => format!("{meaning} On the wire this number is {number}."),
            None => meaning.to_owned(),
        };
        Some(Field::new(name, begin + at..begin + at + 4, other.told(number), meaning, source))
    };
    let block = |at| {
        let (left, right, source) = match has_duplicate && at == 0 {
            true => ("The first byte of a part that came twice.", "The first byte behind it.", DUPLICATES),
            false => (
                "The first byte of a part that came.",
                "The first byte behind it, which has not come.",
                BLOCKS,
            ),
        };
        [edge("left edge", at, left, source), edge("right edge", at + 4, right, source)]
    };
    let blocks = (0..data.len()).step_by(8).filter(|at| at + 8 <= data.len());
    blocks.flat_map(block).flatten().collect()
}

fn blocks(data: &[u8], other: &Other) -> String {
    let told = |block, at| u32_at(block, at).map(|number| other.told(number));
    data.chunks_exact(8)
        .filter_map(|block| Some(format!("{} to {}", told(block, 0)?, told(block, 4)?)))
        .collect::<Vec<_>>()
        .join(", ")
}
