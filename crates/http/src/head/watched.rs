//! Heads of messages that somebody else takes. Whether to refuse one is that one's affair: here it counts only where the message
//! ends, and that is certain more often than a server of ours cares to know.
//!
//! Read RFC 9112 sections 5.2, 6.1 and 6.3, RFC 9110 section 8.6 first.

use std::borrow::Cow;

use framewise_core::seams::exchange::{Headers, RequestHead, ResponseHead, Version};
use http::Method;

use super::fold::unfolded;
use super::parse::{parse_response, parse_watched_request};
use super::rules::{self, decimal, trim};
use super::scan::{Part, Scanner};
use crate::body::Framing;
use crate::config::Limits;
use crate::rule::{Refusal, Rule};

/// A head that was watched.
pub(crate) struct Watched<'a, H> {
    pub(crate) head: H,
    /// Its bytes, with white space in place of what folds lines.
    pub(crate) lines: Cow<'a, [u8]>,
    pub(crate) framing: Framing,
    /// The first rule that it breaks though where the message ends is certain.
    pub(crate) broken: Option<Refusal>,
}

/// Reads the head of a request from the beginning of `bytes`: the head, and how many bytes it is long.
pub(crate) fn read_request(bytes: &[u8]) -> Option<(Watched<'_, RequestHead>, usize)> {
    let mut scanner = Scanner::watching(Part::Request, Limits::watching());
    let end = scanner.scan(bytes).ok()??;
    Some((request(bytes.get(..end)?, &scanner).ok()?, end))
}

/// The same for a response, to a request that nobody knows.
pub(crate) fn read_response(bytes: &[u8]) -> Option<(Watched<'_, ResponseHead>, usize)> {
    let mut scanner = Scanner::watching(Part::Response, Limits::watching());
    let end = scanner.scan(bytes).ok()??;
    Some((response(bytes.get(..end)?, &scanner, &Method::GET).ok()?, end))
}

/// Reads a complete head of a request, which was scanned.
pub(crate) fn request<'a>(bytes: &'a [u8], scanner: &Scanner) -> Result<Watched<'a, RequestHead>, Refusal> {
    let lines = unfolded(bytes, scanner);
    let head = parse_watched_request(&lines, scanner.fields())?;
    let stated = framing(head.version, &head.headers, Framing::Length(0));
    let (framing, rule) = stated.map_err(|rule| rules::locate(rule, bytes))?;
    let broken = broken(rule, bytes, scanner);
    Ok(Watched { head, lines, framing, broken })
}

/// Reads a complete head of a response to `method`, which was scanned.
pub(crate) fn response<'a>(
    bytes: &'a [u8],
    scanner: &Scanner,
    method: &Method,
) -> Result<Watched<'a, ResponseHead>, Refusal> {
    let lines = unfolded(bytes, scanner);
    let head = parse_response(&lines, scanner.fields())?;
    // What follows a granted CONNECT is what the other server says, and nothing of HTTP (RFC 9112, section 6.3).
    let is_through = method == Method::CONNECT && head.status.is_success();
    let stated = match is_through || method == Method::HEAD || rules::is_bodyless(head.status) {
        true => Ok((Framing::Length(0), None)),
        false => framing(head.version, &head.headers, Framing::UntilClose),
    };
    let (framing, rule) = stated.map_err(|rule| rules::locate(rule, bytes))?;
    let broken = broken(rule, bytes, scanner);
    Ok(Watched { head, lines, framing, broken })
}

fn broken(rule: Option<Rule>, bytes: &[u8], scanner: &Scanner) -> Option<Refusal> {
    let fold = || scanner.fold().map(|at| Refusal::new(Rule::FoldedField, at));
    rule.map(|rule| rules::locate(rule, bytes)).or_else(fold)
}

/// Where a body ends of which the fields say this, and the rule that they break all the same. `unsaid`: where it ends if they
/// say nothing.
fn framing(version: Version, headers: &Headers, unsaid: Framing) -> Result<(Framing, Option<Rule>), Rule> {
    let rule = match rules::stated_framing(version, headers) {
        Ok(stated) => return Ok((stated.unwrap_or(unsaid), None)),
        Err(rule) => rule,
    };
    match rule {
        // The same length said twice is one length (RFC 9110, section 8.6).
        Rule::LengthRepeated | Rule::LengthInvalid => {
            let length = one_length(headers).ok_or(rule)?;
            Ok((Framing::Length(length), Some(Rule::LengthRepeated)))
        }
        // Transfer-Encoding overrides Content-Length (RFC 9112, section 6.3).
        Rule::LengthAndCoding => {
            let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
            let others: Headers = headers.iter().filter(|(name, _)| !is_length(name)).collect();
            framing(version, &others, unsaid).map(|(framing, _)| (framing, Some(rule)))
        }
        // How the data inside the chunks is packed says nothing about where they end.
        Rule::CodingUnknown => Ok((Framing::Chunked, None)),
        // A response whose last coding is not chunked ends with the connection (RFC 9112, section 6.3).
        Rule::ChunkedNotLast if unsaid == Framing::UntilClose => {
            let codings = || listed(headers, "transfer-encoding");
            let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
            match codings().last() {
                Some(last) if !last.is_empty() && !is_chunked(last) => {
                    Ok((Framing::UntilClose, codings().any(is_chunked).then_some(rule)))
                }
                _ => Err(rule),
            }
        }
        rule => Err(rule),
    }
}

/// The one length that all fields and list members say.
fn one_length(headers: &Headers) -> Option<u64> {
    let mut lengths = listed(headers, "content-length").map(decimal);
    let first = lengths.next()??;
    lengths.all(|length| length == Some(first)).then_some(first)
}

/// The members of all fields of this name.
fn listed<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    headers.all(name).flat_map(|value| value.split(|byte| *byte == b',')).map(trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the body of a response with these fields ends, and which rule they break.
    fn of_response(fields: &str) -> Option<(Framing, Option<Rule>)> {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        read_response(bytes.as_bytes())
            .map(|(watched, _)| (watched.framing, watched.broken.map(|refusal| refusal.rule)))
    }

    #[test]
    fn where_a_body_ends_is_certain_though_a_rule_is_broken() {
        let five = Framing::Length(5);
        for (fields, expected) in [
            ("Content-Length: 5\r\nContent-Length: 5", Some((five, Some(Rule::LengthRepeated)))),
            ("Content-Length: 5, 5", Some((five, Some(Rule::LengthRepeated)))),
            ("Content-Length: 5\r\nContent-Length: 6", None),
            ("Content-Length: five", None),
            (
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                Some((Framing::Chunked, Some(Rule::LengthAndCoding))),
            ),
            ("Transfer-Encoding: gzip, chunked", Some((Framing::Chunked, None))),
            ("Transfer-Encoding: gzip", Some((Framing::UntilClose, None))),
            ("Transfer-Encoding: chunked, gzip", Some((Framing::UntilClose, Some(Rule::ChunkedNotLast)))),
            ("Transfer-Encoding: chunked, chunked", None),
            ("Transfer-Encoding: chunked,", None),
            ("Content-Length: 5\r\nX: a\r\n b", Some((five, Some(Rule::FoldedField)))),
            (" X: a", None),
        ] {
            assert_eq!(of_response(fields), expected, "{fields}");
        }
    }

    #[test]
    fn a_request_without_an_end_is_none() {
        let read = |fields: &str| {
            let bytes = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            read_request(bytes.as_bytes()).map(|(watched, _)| watched.framing)
        };
        assert_eq!(read("Transfer-Encoding: gzip"), None);
        assert_eq!(read("Transfer-Encoding: chunked\r\nContent-Length: 5"), Some(Framing::Chunked));
    }

    #[test]
    fn a_folded_line_keeps_its_places() {
        let bytes = b"GET / HTTP/1.1\r\nX: a\r\n\tb\r\nY: c\r\n\r\n";
        let (watched, length) = read_request(bytes).unwrap();
        assert_eq!(
            (&*watched.lines, length),
            (&b"GET / HTTP/1.1\r\nX: a  \tb\r\nY: c\r\n\r\n"[..], bytes.len())
        );
        assert_eq!(watched.head.headers.text("x"), Some("a  \tb"));
        assert_eq!(watched.broken, Some(Refusal::new(Rule::FoldedField, 22)));
    }
}
