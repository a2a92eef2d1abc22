//! The rules of RFC 9112 that a head can break though each of its lines is well formed.
//!
//! Read RFC 9112 sections 3, 3.2, 6.1, 6.3 and 9.3, RFC 9110 sections 7.2, 8.6 and 10.1.1 first. Two readers that
//! understand the length of a message differently are what request smuggling lives on (RFC 9112, section 11.2),
//! so whatever could be understood in two ways is refused.

use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};
use http::{Method, StatusCode};

use super::scan::is_token;
use crate::body::Framing;
use crate::rule::{Refusal, Rule};

/// The methods that a server hands to its application; others are answered with 501.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// The first line of a request.
pub(crate) struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    /// Where it begins.
    at: usize,
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
    request_version(version).map_err(|rule| Refusal::new(rule, target_at + target.len() + 1))?;
    Ok(RequestLine { method, target, at: blank })
}

/// Judges the first line of a request by what a server of ours does.
pub(crate) fn check_line(line: &RequestLine<'_>) -> Result<(), Refusal> {
    if !METHODS.iter().any(|known| known.as_str().as_bytes() == line.method) {
        return Err(Refusal::new(Rule::Method, line.at));
    }
    let target_at = line.at + line.method.len() + 1;
    request_target(line.method, line.target).map_err(|rule| Refusal::new(rule, target_at))
}

fn request_version(version: &[u8]) -> Result<(), Rule> {
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Rule::Version)
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
        _ => authority(target).is_some_and(|(host, _)| !matches!(host, [] | [b':', ..]) && is_host(host)),
    };
    if visible && form && is_percent_encoded(target) { Ok(()) } else { Err(Rule::RequestTarget) }
}

/// Whether each `%` stands before two hexadecimal digits (RFC 3986, section 2.1): what is read differently by whoever
/// decodes leniently.
fn is_percent_encoded(text: &[u8]) -> bool {
    let mut parts = text.split(|b| *b == b'%');
    parts.next();
    parts.all(|part| part.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// The authority of a target in absolute form, and the port that its scheme means where it has none.
fn authority(target: &[u8]) -> Option<(&[u8], &'static [u8])> {
    [("http://", "80"), ("https://", "443")].into_iter().find_map(|(scheme, port)| {
        let (begin, rest) = target.split_at_checked(scheme.len())?;
        let host = rest.split(|b| matches!(b, b'/' | b'?')).next()?;
        begin.eq_ignore_ascii_case(scheme.as_bytes()).then_some((host, port.as_bytes()))
    })
}

/// Whether a target in absolute form names this host. RFC 9112, section 3.2.2 has a server go by the target; whoever stands
/// between may go by Host, so only a request in which both say the same is safe.
fn is_same_host(target: &[u8], host: &[u8]) -> bool {
    authority(target).is_none_or(|(authority, port)| {
        let bare = |host: &[u8]| {
            let without = host.strip_suffix(port).and_then(|host| host.strip_suffix(b":"));
            without.or_else(|| host.strip_suffix(b":")).unwrap_or(host).to_ascii_lowercase()
        };
        bare(authority) == bare(host)
    })
}

/// Judges the fields of a request.
pub(crate) fn check_request(head: &RequestHead) -> Result<(), Rule> {
    let mut hosts = head.headers.all("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::Http11 => return Err(Rule::HostMissing),
        (Some(_), Some(_)) => return Err(Rule::HostRepeated),
        (Some(host), None) if !is_host(host) => return Err(Rule::HostInvalid),
        (Some(host), None) if !is_same_host(head.target.as_bytes(), host) => return Err(Rule::HostOther),
        _ => {}
    }
    request_framing(head)?;
    if head.headers.all("expect").any(|value| !value.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Rule::Expectation);
    }
    Ok(())
}

/// `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2). It may be empty. A comma, which the grammar
/// allows in a name and no name has, is what joins two Host fields into one (RFC 9110, section 5.3).
pub(crate) fn is_host(value: &[u8]) -> bool {
    let (name, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|b| *b == b']') else {
                return false;
            };
            let (address, after) = rest.split_at(end);
            let text = std::str::from_utf8(address).unwrap_or_default();
            if text.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (&[][..], after.get(1..).unwrap_or_default())
        }
        _ => {
            let end = value.iter().position(|b| *b == b':').unwrap_or(value.len());
            value.split_at(end)
        }
    };
    let named = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%".contains(b));
    let named = named && is_percent_encoded(name);
    let port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    named && port
}

/// How long a request's body is (RFC 9112, section 6.3).
pub(crate) fn request_framing(head: &RequestHead) -> Result<Framing, Rule> {
    Ok(stated_framing(head.version, &head.headers)?.unwrap_or(Framing::Length(0)))
}

/// How long the body of a response to `method` is (RFC 9112, section 6.3).
pub(crate) fn response_framing(head: &ResponseHead, method: &Method) -> Result<Framing, Rule> {
    let stated = stated_framing(head.version, &head.headers)?;
    if method == Method::HEAD || is_bodyless(head.status) {
        return Ok(Framing::Length(0));
    }
    Ok(stated.unwrap_or(Framing::UntilClose))
}

/// Whether a response with this status never has a body (RFC 9110, section 6.4.1).
pub(crate) fn is_bodyless(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

fn stated_framing(version: Version, headers: &Headers) -> Result<Option<Framing>, Rule> {
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
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn chunked_alone(headers: &Headers) -> Result<Framing, Rule> {
    let codings: Vec<&[u8]> =
        headers.all("transfer-encoding").flat_map(|value| value.split(|b| *b == b',')).map(trim).collect();
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
    headers
        .all("connection")
        .flat_map(|value| value.split(|b| *b == b','))
        .any(|listed| trim(listed).eq_ignore_ascii_case(option.as_bytes()))
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
