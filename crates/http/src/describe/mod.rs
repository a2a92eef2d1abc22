//! What HTTP says about the heads that it writes and reads.
//!
//! Read RFC 9112 sections 3 to 5 first; the fields' meanings are those of RFC 9110.

mod app;
mod chunks;
mod cut;
mod field_line;
mod start_line;
mod status;

use std::ops::Range;

use framewise_core::describe::Part;
use framewise_core::{Description, Field};

use crate::body::Framing;
use crate::head::watched::{Watched, read_request, read_response};
use field_line::field_line;
use start_line::{request_line, status_line};

pub use app::describe_app;
pub use cut::describe_cut;

/// What a decision in a walk may be long.
const DECISION: usize = 34;
/// What the next one's name may be long.
const NEXT: usize = 22;

/// Describes the message at the beginning of `bytes`, a request or a response; `None` if its head is not whole or not right.
pub fn describe(bytes: &[u8]) -> Option<Description> {
    describe_of_length(bytes, bytes.len())
}

/// Describes a part of a message of which `bytes` has at least the head. What comes of a body is handed on at once, so how much
/// there is so far counts from the message's beginning.
pub fn describe_part(bytes: &[u8], part: &Part) -> Option<Description> {
    let so_far = usize::try_from(part.bytes.end).ok()?;
    let mut description = describe_of_length(bytes, so_far)?;
    description.payload.end = description.payload.end.max(usize::try_from(part.length).ok()?);
    if !part.begins() {
        description.outbound = part.to_string();
        description.inbound = part.to_string();
    }
    if so_far < description.header.end {
        description.next = "waits for the rest".to_owned();
    }
    Some(description)
}

/// Describes a message of which `bytes` has at least the head, and which is `length` bytes long.
fn describe_of_length(bytes: &[u8], length: usize) -> Option<Description> {
    if bytes.starts_with(b"HTTP/") {
        describe_response(bytes, length)
    } else {
        describe_request(bytes, length)
    }
}

fn describe_request(bytes: &[u8], length: usize) -> Option<Description> {
    let (Watched { head, lines, framing, .. }, end) = read_request(bytes)?;
    let host = head.headers.text("host").unwrap_or("the server");
    let said = fit(format!("{} {} from {host}", head.method, head.target), DECISION);
    let path = head.target.split('?').next().unwrap_or_default();
    let mut fields = fields(&lines, request_line);
    if framing == Framing::Chunked {
        fields.extend(chunks::fields(bytes, end));
    }
    Some(Description {
        protocol: "HTTP",
        unit: "message",
        outbound: said.clone(),
        inbound: said,
        next: fit(format!("path {path}: a handler"), NEXT),
        header: 0..end,
        payload: end..length.max(end),
        fields,
    })
}

fn describe_response(bytes: &[u8], length: usize) -> Option<Description> {
    let (Watched { head, lines, framing, .. }, end) = read_response(bytes)?;
    let kind = head.headers.text("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let comma = if kind.is_empty() { "" } else { ", " };
    // As the server put it: a phrase may be any, or none.
    let status = [head.status.as_str(), &head.reason].join(" ");
    let said = fit(format!("{}{comma}{kind}", status.trim_end()), DECISION);
    let came = length.saturating_sub(end) as u64;
    let mut fields = fields(&lines, status_line);
    if framing == Framing::Chunked {
        fields.extend(chunks::fields(bytes, end));
    }
    let next = match framing {
        Framing::Length(length) if length == came => format!("all {came} came: you"),
        // Its body is still to come; or, of HEAD, never will.
        Framing::Length(_) if came == 0 => "the head: you".to_owned(),
        Framing::Length(length) => format!("{came} of {length}: you"),
        _ => "the page: you".to_owned(),
    };
    Some(Description {
        protocol: "HTTP",
        unit: "message",
        outbound: said.clone(),
        inbound: said,
        next: fit(next, NEXT),
        header: 0..end,
        payload: end..length.max(end),
        fields,
    })
}

fn fit(text: String, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text;
    }
    let kept: String = text.chars().take(longest.saturating_sub(2)).collect();
    kept + ".."
}

/// The fields of each line of a head; the first line's by `first`.
fn fields(head: &[u8], first: fn(Range<usize>, &str) -> Vec<Field>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut start = 0;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let line_end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        // What is no UTF-8 takes more bytes in the text than in the line: places are the line's.
        let text = String::from_utf8_lossy(line.get(..line_end).unwrap_or(line));
        let place = start..start + line_end;
        match &*text {
            "" => {}
            text if fields.is_empty() => fields.extend(first(place, text)),
            text => fields.push(field_line(place, text)),
        }
        start += line.len();
    }
    fields
}
