//! From the bytes of a complete head to its parts, by `httparse`: the one place where it is named.
//!
//! It splits and nothing else. What it lets pass and RFC 9112 does not (it is made to be lenient with real
//! servers) is refused before, by `scan`, or after, by `rules`. All its lenient options stay off.

use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};
use http::{Method, StatusCode};

use super::rules;
use crate::rule::{Refusal, Rule};

/// Splits a complete, scanned head of a request with so many `fields`, and refuses what a server refuses.
pub(crate) fn parse_request(bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    rules::check_line(&rules::request_line(bytes)?)?;
    let head = split_request(bytes, fields)?;
    rules::check_request(&head).map_err(|rule| rules::locate(rule, bytes))?;
    Ok(head)
}

/// Splits the head of a request that somebody else is asked: what its method, its target, Host and Expect say is the affair of
/// whoever answers it.
pub(crate) fn parse_watched_request(bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    rules::request_line(bytes)?;
    split_request(bytes, fields)
}

fn split_request(bytes: &[u8], fields: usize) -> Result<RequestHead, Refusal> {
    let mut places = vec![httparse::EMPTY_HEADER; fields];
    let mut parsed = httparse::Request::new(&mut places);
    if !matches!(parsed.parse(bytes), Ok(httparse::Status::Complete(_))) {
        return Err(Refusal::new(Rule::RequestLine, 0));
    }
    Ok(RequestHead {
        method: method(parsed.method)?,
        target: parsed.path.unwrap_or_default().to_owned(),
        version: version(parsed.version)?,
        headers: headers(parsed.headers),
    })
}

/// Splits a complete, scanned head of a response with so many `fields`.
pub(crate) fn parse_response(bytes: &[u8], fields: usize) -> Result<ResponseHead, Refusal> {
    let mut places = vec![httparse::EMPTY_HEADER; fields];
    let mut parsed = httparse::Response::new(&mut places);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::Version) => return Err(Refusal::new(Rule::Version, 0)),
        _ => return Err(Refusal::new(Rule::StatusLine, 0)),
    }
    let code = parsed.code.filter(|code| (100..600).contains(code));
    let status = code.and_then(|code| StatusCode::from_u16(code).ok());
    Ok(ResponseHead {
        version: version(parsed.version)?,
        status: status.ok_or(Refusal::new(Rule::StatusLine, "HTTP/1.1 ".len()))?,
        reason: parsed.reason.unwrap_or_default().to_owned(),
        headers: headers(parsed.headers),
    })
}

fn method(method: Option<&str>) -> Result<Method, Refusal> {
    let method = method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    method.ok_or(Refusal::new(Rule::Method, 0))
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
