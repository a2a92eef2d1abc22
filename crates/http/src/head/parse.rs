//! From the bytes of a complete head to its parts, by `httparse`: the one place where it is named.
//!
//! It splits and nothing else. What it lets pass and RFC 9112 does not (it is made to be lenient with real
//! servers) is refused before, by `scan`, or after, by `rules`. All its lenient options stay off.

use std::borrow::Cow;

use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};
use http::{Method, StatusCode};

use super::host;
use super::rules::{self, RequestLine};
use crate::rule::{Refusal, Rule};

/// Splits a complete, scanned head of a request with so many `fields`, and refuses what a server refuses.
pub(crate) fn parse_request(bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    let line = rules::request_line(bytes)?;
    rules::check_line(&line)?;
    let mut head = split_request(&line, bytes, fields)?;
    rules::check_request(&head).map_err(|rule| rules::locate(rule, bytes))?;
    host::host_of_target(&mut head);
    Ok(head)
}

/// Splits the head of a request that somebody else is asked: what its method, its target, Host and Expect say is the affair of
/// whoever answers it.
pub(crate) fn parse_watched_request(bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    split_request(&rules::request_line(bytes)?, bytes, fields)
}

fn split_request(line: &RequestLine<'_>, bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    let mut places = vec![httparse::EMPTY_HEADER; fields];
    let rest = bytes.get(line.fields_at..).unwrap_or_default();
    let Ok(httparse::Status::Complete((_, parsed))) = httparse::parse_headers(rest, &mut places) else {
        return Err(Refusal::new(Rule::RequestLine, 0));
    };
    let target = std::str::from_utf8(line.target).map_err(|_| Refusal::new(Rule::RequestTarget, 0))?;
    Ok(RequestHead {
        method: Method::from_bytes(line.method).map_err(|_| Refusal::new(Rule::Method, 0))?,
        target: target.to_owned(),
        version: line.version,
        headers: headers(parsed),
    })
}

/// Splits a complete, scanned head of a response with so many `fields`.
pub(crate) fn parse_response(bytes: &[u8], fields: usize) -> Result<ResponseHead, Refusal> {
    let mut places = vec![httparse::EMPTY_HEADER; fields];
    let mut parsed = httparse::Response::new(&mut places);
    let bytes = known_version(bytes);
    match parsed.parse(&bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::Version) if !is_ours(&bytes) => return Err(Refusal::new(Rule::Version, 0)),
        _ => return Err(Refusal::new(Rule::StatusLine, 0)),
    }
    // One of 600 or above is none, and counts as an error of the server's (RFC 9110, section 15); below 100 there is nothing to it.
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    Ok(ResponseHead {
        version: version(parsed.version)?,
        status: status.ok_or(Refusal::new(Rule::StatusLine, "HTTP/1.1 ".len()))?,
        reason: reason(&bytes),
        headers: headers(parsed.headers),
    })
}

/// Whether a head begins with a version of ours, whatever stands behind it.
fn is_ours(head: &[u8]) -> bool {
    matches!(head, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9', ..])
}

/// The reason phrase of a response: what stands behind the status in its first line, obs-text included (RFC 9112, section 4),
/// which httparse leaves out. What is no UTF-8 in it becomes U+FFFD.
fn reason(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let phrase = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    String::from_utf8_lossy(phrase).into_owned()
}

/// A later minor version than ours is read as ours (RFC 9110, section 2.5).
fn known_version(bytes: &[u8]) -> Cow<'_, [u8]> {
    let later = matches!(bytes, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9', b' ', ..]);
    if !later {
        return Cow::Borrowed(bytes);
    }
    let ours = b"HTTP/1.1";
    Cow::Owned([ours, bytes.get(ours.len()..).unwrap_or_default()].concat())
}

fn version(minor: Option<u8>) -> Result<Version, Refusal> {
    match minor {
        Some(0) => Ok(Version::Http10),
        Some(1) => Ok(Version::Http11),
        _ => Err(Refusal::new(Rule::Version, 0)),
    }
}

fn headers(fields: &[httparse::Header<'_>]) -> Headers {
    fields.iter().map(|field| (field.name, rules::trim(field.value))).collect()
}
