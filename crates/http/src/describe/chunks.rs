//! The chunks of a body whose length nobody knew when it began: RFC 9112 section 7.1.

use std::ops::Range;

use framewise_core::Field;

const SOURCE: &str = "RFC 9112 §7.1";
/// So many chunks are told one by one; what is behind them is told as one.
const MOST: usize = 64;

/// The sizes and the data of the chunks that begin at `at`, as far as they are there and right.
pub(super) fn fields(bytes: &[u8], at: usize) -> Vec<Field> {
    let (mut at, mut fields) = (at, Vec::new());
    for _ in 0..MOST {
        let Some((digits, data)) = chunk(bytes, at) else {
            return fields;
        };
        let size = data.len();
        fields.push(size_field(bytes, digits, size));
        if size == 0 {
            return fields;
        }
        let here = data.start..data.end.min(bytes.len());
        let meaning = match here.len() < size {
            true => "The first part of a chunk of the body; the rest is still to come.",
            false => "A chunk of the body.",
        };
        fields.push(Field::new("chunk data", here.clone(), format!("{} bytes", here.len()), meaning, SOURCE));
        // CR LF ends the data.
        at = data.end.saturating_add(2);
    }
    if at < bytes.len() {
        let value = format!("{} bytes", bytes.len() - at);
        fields.push(Field::new("further chunks", at..bytes.len(), value, "More chunks of the body.", SOURCE));
    }
    fields
}

/// Where a chunk's size stands, and where its data would, if all of it is there.
fn chunk(bytes: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let rest = bytes.get(at..)?;
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(rest.get(..digits)?).ok()?;
    let size = usize::from_str_radix(text, 16).ok()?;
    let begin = at + line + 1;
    Some((at..at + digits, begin..begin.checked_add(size)?))
}

fn size_field(bytes: &[u8], place: Range<usize>, size: usize) -> Field {
    let value = String::from_utf8_lossy(bytes.get(place.clone()).unwrap_or_default()).into_owned();
    let meaning = match size {
        0 => "The body is over: a chunk of no bytes ends it.".to_owned(),
        _ => format!("A chunk of {size} bytes follows; its size is written in hexadecimal digits."),
    };
    Field::new("chunk size", place, value, meaning, SOURCE)
}
