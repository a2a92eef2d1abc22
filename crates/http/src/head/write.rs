//! From a head to its bytes.
//!
//! Read RFC 9112 sections 3, 4, 5 and 6 first. Fields keep their order and case. What says how long the
//! body is, and whether the connection goes on, is written here and nowhere else, so that it is always true.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};

use super::scan::{is_control, is_token};

/// The framing field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FramingField {
    /// None: there is no body, or the connection's end delimits it.
    Omitted,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// As the application gave it: of a response to HEAD, which has the field though no body.
    Given,
}

/// What the layer adds to an application's fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added<'a> {
    pub(crate) framing: FramingField,
    /// `User-Agent` or `Server`, where the application gave none.
    pub(crate) product: Option<(&'static str, &'a str)>,
    /// `close`, or `keep-alive` for a client of HTTP/1.0.
    pub(crate) connection: Option<&'static str>,
}

/// Room for the bytes of most heads.
const ROOM: usize = 512;

/// The end of the year 9999, since 1970: a date of HTTP has four digits for the year (RFC 9110, section 5.6.7).
const LAST_DATE: Duration = Duration::from_secs(253_402_300_799);

/// The bytes of a request's head; refused if a part of it would break out of its place.
pub(crate) fn request(head: &RequestHead, added: &Added<'_>) -> Result<Bytes, &'static str> {
    if head.target.is_empty() || !head.target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("the request target is empty or holds what is not visible ASCII");
    }
    let mut out = Vec::with_capacity(ROOM);
    for part in [head.method.as_str(), " ", &head.target, " "] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(version(head.version));
    fields(&mut out, &head.headers, added)?;
    Ok(out.into())
}

/// The bytes of a response's head; `date` is since 1970, and written where the application gave none.
pub(crate) fn response(
    head: &ResponseHead,
    date: Option<Duration>,
    added: &Added<'_>,
) -> Result<Bytes, &'static str> {
    let reason = match head.reason.as_str() {
        "" => head.status.canonical_reason().unwrap_or(""),
        reason => reason,
    };
    if reason.bytes().any(is_control) {
        return Err("the reason phrase holds a control character");
    }
    let mut out = Vec::with_capacity(ROOM);
    out.extend_from_slice(b"HTTP/1.1 ");
    for part in [head.status.as_str(), " ", reason, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if let Some(date) = date.filter(|_| !head.headers.contains("date")) {
        let date = SystemTime::UNIX_EPOCH + date.min(LAST_DATE);
        field(&mut out, "Date", httpdate::fmt_http_date(date).as_bytes());
    }
    fields(&mut out, &head.headers, added)?;
    Ok(out.into())
}

fn version(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"HTTP/1.0\r\n",
        Version::Http11 => b"HTTP/1.1\r\n",
    }
}

fn fields(out: &mut Vec<u8>, headers: &Headers, added: &Added<'_>) -> Result<(), &'static str> {
    for (name, value) in headers.iter() {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("a field's name is not a token");
        }
        if value.iter().any(|b| is_control(*b) && *b != b'\t') {
            return Err("a field's value holds a control character");
        }
        if !is_replaced(name, added) {
            field(out, name, value);
        }
    }
    if let Some((name, value)) = added.product.filter(|(name, _)| !headers.contains(name)) {
        if value.bytes().any(is_control) {
            return Err("the product's name holds a control character");
        }
        field(out, name, value.as_bytes());
    }
    match added.framing {
        FramingField::Length(length) => field(out, "Content-Length", length.to_string().as_bytes()),
        FramingField::Chunked => field(out, "Transfer-Encoding", b"chunked"),
        FramingField::Omitted | FramingField::Given => {}
    }
    if let Some(option) = added.connection {
        field(out, "Connection", option.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Whether the layer's own word stands in place of the application's.
fn is_replaced(name: &str, added: &Added<'_>) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    match added.framing {
        _ if is("transfer-encoding") => true,
        FramingField::Given => is("connection") && added.connection.is_some(),
        _ => is("content-length") || (is("connection") && added.connection.is_some()),
    }
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
