//! The rules of RFC 9112 that a head can break though each of its lines is well formed.
//!
//! Read RFC 9112 sections 3, 6.1, 6.3 and 9.3, RFC 9110 sections 2.5, 8.6 and 10.1.1 first. Two readers that
//! understand the length of a message differently are what request smuggling lives on (RFC 9112, section 11.2),
//! so whatever could be understood in two ways is refused.

use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};
use http::{Method, StatusCode};

use super::host::{check_host, is_host, origin};
use super::scan::is_token;
use crate::body::Framing;
use crate::rule::{Refusal, Rule};

/// The methods that a server hands to its application; others are answered with 501.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// The first line of a request.
pub(crate) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) version: Version,
    /// Where it begins, and where the fields do.
    at: usize,
    pub(super) fields_at: usize,
}

/// Finds the first line of a scanned head, which says what HTTP/1 has it say.
pub(crate) fn request_line(head: &[u8]) -> Result<RequestLine<'_>, Refusal> {
    let blank = head.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let line = head.get(blank..).and_then(|rest| rest.split(|b| *b == b'\r').next());
    let mut parts = line.unwrap_or_default().split(|b| *b == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::new(Rule::RequestLine, blank));
    };
    let target_at = blank + method.len() + 1;
    if method.is_empty() || target.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(Refusal::new(Rule::RequestLine, blank));
    }
    let version_at = target_at + target.len() + 1;
    let fields_at = version_at + version.len() + 2;
    let version = request_version(version).map_err(|rule| Refusal::new(rule, version_at))?;
    Ok(RequestLine { method, target, version, at: blank, fields_at })
}

/// Judges the first line of a request by what a server of ours does.
pub(crate) fn check_line(line: &RequestLine<'_>) -> Result<(), Refusal> {
    if !METHODS.iter().any(|known| known.as_str().as_bytes() == line.method) {
        return Err(Refusal::new(Rule::Method, line.at));
    }
    let target_at = line.at + line.method.len() + 1;
    request_target(line.method, line.target).map_err(|rule| Refusal::new(rule, target_at))
}

/// A later minor version than ours is spoken to as ours is (RFC 9110, section 2.5).
fn request_version(version: &[u8]) -> Result<Version, Rule> {
    match version {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            if *major == b'1' {
                Ok(Version::Http11)
            } else {
                Err(Rule::Version)
            }
        }
        _ => Err(Rule::RequestLine),
    }
}

/// Visible, and yet no part of any URL (RFC 3986, appendix A), or never sent.
pub(crate) const NOT_IN_TARGETS: &[u8] = b"\"#<>\\^`{|}";
/// What browsers send of these all the same, since no reader takes it for anything but itself (WHATWG URL, section 1.3: the
/// path and the query percent-encode sets).
const SENT_IN_PATHS: &[u8] = b"|";
const SENT_IN_QUERIES: &[u8] = b"\\^`{|}";

fn request_target(method: &[u8], target: &[u8]) -> Result<(), Rule> {
    let query_at = target.iter().position(|b| *b == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(query_at);
    let visible = [(path, SENT_IN_PATHS), (query, SENT_IN_QUERIES)].iter().all(|(part, sent)| {
        let is_right = |b: &u8| !NOT_IN_TARGETS.contains(b) || sent.contains(b);
        part.iter().all(|b| b.is_ascii_graphic() && is_right(b))
    });
    let form = match target {
        [b'/', ..] => true,
        b"*" => method == b"OPTIONS",
        // A user's name in front of the host is an error (RFC 9110, section 4.2.4), and so is no host (section 4.2.1).
        _ => origin(target).is_some_and(|(_, host)| !matches!(host, [] | [b':', ..]) && is_host(host)),
    };
    if visible && form && is_percent_encoded(path) { Ok(()) } else { Err(Rule::RequestTarget) }
}

/// Whether each `%` stands before two hexadecimal digits (RFC 3986, section 2.1): what is read differently by whoever
/// decodes leniently. In a query nobody finds a file or a host by it, and browsers leave a `%` there as it was typed.
pub(super) fn is_percent_encoded(text: &[u8]) -> bool {
    let mut parts = text.split(|b| *b == b'%');
    parts.next();
    parts.all(|part| part.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Judges the fields of a request.
pub(crate) fn check_request(head: &RequestHead) -> Result<(), Rule> {
    check_host(head)?;
    request_framing(head)?;
    if expectations(&head.headers).any(|expected| !expected.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Rule::Expectation);
    }
    Ok(())
}

/// What a client expects: a list, which may have no member (RFC 9110, sections 10.1.1 and 5.6.1.2).
pub(crate) fn expectations(headers: &Headers) -> impl Iterator<Item = &[u8]> {
    members(headers, "expect").filter(|expected| !expected.is_empty())
}

/// How long a request's body is (RFC 9112, section 6.3).
pub(crate) fn request_framing(head: &RequestHead) -> Result<Framing, Rule> {
    Ok(stated_framing(head.version, &head.headers)?.unwrap_or(Framing::Length(0)))
}

/// How long the body of a response to `method` is (RFC 9112, section 6.3).
pub(crate) fn response_framing(head: &ResponseHead, method: &Method) -> Result<Framing, Rule> {
    let stated = stated_framing(head.version, &head.headers).map_err(|rule| match rule {
        // That ends with the connection (RFC 9112, section 6.3), but what it is nobody knows here.
        Rule::ChunkedNotLast if !is_chunked(&head.headers) => Rule::CodingUnknown,
        _ => rule,
    })?;
    if method == Method::HEAD || is_bodyless(head.status) {
        return Ok(Framing::Length(0));
    }
    Ok(stated.unwrap_or(Framing::UntilClose))
}

/// Whether a response with this status never has a body (RFC 9110, section 6.4.1).
pub(crate) fn is_bodyless(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

pub(crate) fn stated_framing(version: Version, headers: &Headers) -> Result<Option<Framing>, Rule> {
    let mut lengths = headers.all("content-length");
    let length = lengths.next();
    let coding = headers.contains("transfer-encoding");
    match (length, coding) {
        (Some(_), true) => Err(Rule::LengthAndCoding),
        (Some(_), false) if lengths.next().is_some() => Err(Rule::LengthRepeated),
        (Some(value), false) => Ok(Some(Framing::Length(decimal(value).ok_or(Rule::LengthInvalid)?))),
        (None, true) if version == Version::Http10 => Err(Rule::CodingInHttp10),
        (None, true) => chunked_alone(headers).map(Some),
        (None, false) => Ok(None),
    }
}

/// `1*DIGIT`, nothing else, that fits 64 bits.
pub(crate) fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Whether chunked is among the transfer codings.
fn is_chunked(headers: &Headers) -> bool {
    members(headers, "transfer-encoding").any(|coding| coding.eq_ignore_ascii_case(b"chunked"))
}

fn chunked_alone(headers: &Headers) -> Result<Framing, Rule> {
    let codings: Vec<&[u8]> = members(headers, "transfer-encoding").collect();
    let chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    match codings.as_slice() {
        [only] if chunked(only) => Ok(Framing::Chunked),
        [before @ .., last] if chunked(last) && !before.iter().any(|c| chunked(c) || c.is_empty()) => {
            Err(Rule::CodingUnknown)
        }
        _ => Err(Rule::ChunkedNotLast),
    }
}

/// Whether the connection goes on after this message (RFC 9112, section 9.3).
pub(crate) fn persists(version: Version, headers: &Headers) -> bool {
    match version {
        Version::Http11 => !has_option(headers, "close"),
        Version::Http10 => has_option(headers, "keep-alive") && !has_option(headers, "close"),
    }
}

/// Whether `Connection` lists this option (RFC 9110, section 7.6.1).
pub(crate) fn has_option(headers: &Headers, option: &str) -> bool {
    members(headers, "connection").any(|listed| listed.eq_ignore_ascii_case(option.as_bytes()))
}

/// The members of a list, whatever fields they came in (RFC 9110, section 5.3).
fn members<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.all(name).flat_map(|value| value.split(|b| *b == b',')).map(trim)
}

/// Without the white space around it.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A broken rule with the place of the field that broke it: the last of its name.
pub(crate) fn locate(rule: Rule, head: &[u8]) -> Refusal {
    let Some(name) = rule.field() else {
        return Refusal::new(rule, 0);
    };
    let mut offset = 0;
    let mut found = 0;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let named = line.get(..name.len());
        if named.is_some_and(|named| named.eq_ignore_ascii_case(name.as_bytes()))
            && line.get(name.len()) == Some(&b':')
        {
            found = offset;
        }
        offset += line.len();
    }
    Refusal::new(rule, found)
}
