//! What HTTP says about the heads that it writes and reads.
//!
//! Read RFC 9112 sections 3 to 5 first; the fields' meanings are those of RFC 9110.

use std::ops::Range;

use framewise_core::{Description, Field};
use http::Method;

use crate::body::Framing;
use crate::config::Limits;
use crate::head::{read_request, read_response, rules};

/// What a decision in a walk may be long.
const DECISION: usize = 34;
/// What the next one's name may be long.
const NEXT: usize = 22;

/// Describes the message at the beginning of `bytes`, a request or a response; `None` if its head is not whole or not right.
pub fn describe(bytes: &[u8]) -> Option<Description> {
    describe_of_length(bytes, bytes.len())
}

/// Describes a message of which `bytes` has at least the head, and which is `length` bytes long in all.
pub fn describe_of_length(bytes: &[u8], length: usize) -> Option<Description> {
    if bytes.starts_with(b"HTTP/") {
        describe_response(bytes, length)
    } else {
        describe_request(bytes, length)
    }
}

fn describe_request(bytes: &[u8], length: usize) -> Option<Description> {
    let (head, end) = read_request(bytes, &Limits::default()).ok()??;
    let host = head.headers.text("host").unwrap_or("the server");
    let said = fit(format!("{} {} from {host}", head.method, head.target), DECISION);
    let path = head.target.split('?').next().unwrap_or_default();
    Some(Description {
        protocol: "HTTP",
        unit: "message",
        outbound: said.clone(),
        inbound: said,
        next: fit(format!("path {path}: a handler"), NEXT),
        header: 0..end,
        payload: end..length.max(end),
        fields: fields(bytes.get(..end)?, request_line),
    })
}

fn describe_response(bytes: &[u8], length: usize) -> Option<Description> {
    let (head, end) = read_response(bytes, &Limits::default()).ok()??;
    let kind = head.headers.text("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let comma = if kind.is_empty() { "" } else { ", " };
    let said = fit(format!("{}{comma}{kind}", head.status), DECISION);
    let came = length.saturating_sub(end) as u64;
    let next = match rules::response_framing(&head, &Method::GET) {
        Ok(Framing::Length(length)) if length == came => format!("all {came} came: you"),
        Ok(Framing::Length(length)) => format!("{came} of {length} so far: you"),
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
        fields: fields(bytes.get(..end)?, status_line),
    })
}

fn fit(text: String, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text;
    }
    let kept: String = text.chars().take(longest - 1).collect();
    kept + "…"
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
            text => fields.push(header_field(place, text)),
        }
        start += line.len();
    }
    fields
}

fn request_line(place: Range<usize>, line: &str) -> Vec<Field> {
    let meanings =
        [("method", "RFC 9112 §3.1"), ("request target", "RFC 9112 §3.2"), ("HTTP version", "RFC 9112 §2.3")];
    words(place, line, &meanings, |index, word| match (index, word) {
        (0, "GET") => "What is wanted: information, and no change.",
        (0, "HEAD") => "What is wanted: the head that GET would get, without the page.",
        (0, "POST") => "What is wanted: that the server takes in what is sent, such as a form.",
        (0, "PUT") => "What is wanted: that what is sent becomes the page.",
        (0, "DELETE") => "What is wanted: that the page goes away.",
        (0, "OPTIONS") => "What is wanted: to know what may be wanted.",
        (0, _) => "What is wanted.",
        (1, _) => "Of which page: path and query of the URL.",
        _ => "Which rules this message follows.",
    })
}

fn status_line(place: Range<usize>, line: &str) -> Vec<Field> {
    let meanings = [
        ("HTTP version", "RFC 9112 §2.3"),
        ("status code", "RFC 9110 §15"),
        ("reason phrase", "RFC 9112 §4"),
    ];
    words(place, line, &meanings, |index, word| match (index, word.get(..1)) {
        (0, _) => "Which rules this message follows.",
        (1, Some("1")) => "It goes on: another response follows.",
        (1, Some("2")) => "It worked.",
        (1, Some("3")) => "Look elsewhere, or at what you have already.",
        (1, Some("4")) => "The request was at fault.",
        (1, Some("5")) => "The server was at fault.",
        _ => "The same for people; programs ignore it.",
    })
}

/// The words of a first line; the last takes the rest.
fn words(
    whole: Range<usize>,
    line: &str,
    names: &[(&'static str, &'static str); 3],
    meaning: fn(usize, &str) -> &'static str,
) -> Vec<Field> {
    let mut at = whole.start;
    let mut fields = Vec::with_capacity(names.len());
    for (index, word) in line.splitn(names.len(), ' ').enumerate() {
        if let Some((name, source)) = names.get(index) {
            let place = at.min(whole.end)..(at + word.len()).min(whole.end);
            fields.push(Field::new(name, place, word, meaning(index, word), source));
        }
        at += word.len() + 1;
    }
    fields
}

fn header_field(place: Range<usize>, line: &str) -> Field {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let known = KNOWN.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
    match known {
        Some((known, meaning, source)) => Field::new(known, place, value.trim(), *meaning, source),
        None => Field::new(
            "field",
            place,
            line,
            "A field that HTTP carries along without looking at it.",
            "RFC 9110 §5",
        ),
    }
}

/// Name, what it is for, source.
#[rustfmt::skip]
const KNOWN: &[(&str, &str, &str)] = &[
    ("Host", "Which of the names that this machine serves is meant.", "RFC 9110 §7.2"),
    ("Content-Length", "How many bytes of body follow the empty line.", "RFC 9110 §8.6"),
    ("Transfer-Encoding", "The body comes in chunks, each with its size in front; one of size 0 ends it.", "RFC 9112 §6.1"),
    ("Content-Type", "What the body is, so that the reader knows what to do with it.", "RFC 9110 §8.3"),
    ("Connection", "Whether the connection is used again after this message.", "RFC 9110 §7.6.1"),
    ("Date", "When the message was made.", "RFC 9110 §6.6.1"),
    ("Server", "Which program answered.", "RFC 9110 §10.2.4"),
    ("User-Agent", "Which program asks.", "RFC 9110 §10.1.5"),
    ("Accept", "Which kinds of answer the reader understands.", "RFC 9110 §12.5.1"),
    ("Accept-Encoding", "Which ways of packing the reader can unpack.", "RFC 9110 §12.5.3"),
    ("Accept-Language", "Which languages the reader prefers.", "RFC 9110 §12.5.4"),
    ("Accept-Ranges", "Whether a part of the page may be asked for.", "RFC 9110 §14.3"),
    ("Allow", "Which methods this page knows.", "RFC 9110 §10.2.1"),
    ("Location", "Where to look instead.", "RFC 9110 §10.2.2"),
    ("ETag", "The name of this version of the page.", "RFC 9110 §8.8.3"),
    ("Last-Modified", "When the page last changed.", "RFC 9110 §8.8.2"),
    ("If-None-Match", "Send it only if it is not this version, which I have.", "RFC 9110 §13.1.2"),
    ("If-Modified-Since", "Send it only if it changed since then.", "RFC 9110 §13.1.3"),
    ("Range", "Which bytes of the page are wanted.", "RFC 9110 §14.2"),
    ("Content-Range", "Which bytes of the page these are.", "RFC 9110 §14.4"),
    ("Expect", "Tell me to go on before I send the body.", "RFC 9110 §10.1.1"),
    ("Cookie", "What the server asked to be told again.", "RFC 6265 §4.2"),
    ("Set-Cookie", "What the server wants to be told again.", "RFC 6265 §4.1"),
    ("Cache-Control", "Whether, and how long, this may be kept for later.", "RFC 9111 §5.2"),
    ("Retry-After", "When to ask again.", "RFC 9110 §10.2.3"),
];
