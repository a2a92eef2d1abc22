//! Heads of messages: finding their end, reading them, judging them, writing them.
//!
//! ```text
//!   bytes ─► scan (lines, limits) ─► parse (httparse) ─► rules (framing, Host, version) ─► head
//!   head ─► write ─► bytes
//! ```
//!
//! Read RFC 9112 sections 2 to 6 and RFC 9110 sections 5 to 8 before changing anything here.

mod fold;
pub(crate) mod host;
mod parse;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod watched;
pub(crate) mod write;

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use framewise_core::seams::exchange::{RequestHead, ResponseHead};
use http::Method;

use crate::body::Framing;
use crate::config::Limits;
use crate::rule::{Refusal, Rule};
use crate::wire::Inbox;
use fold::unfolded;
use scan::{Part, Scanner};

pub(crate) use parse::{parse_request, parse_response};

/// Reads the head of a request from the beginning of `bytes`: the head, and how many bytes it is long.
/// `None`: it goes on beyond `bytes`.
///
/// ```
/// let bytes = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
/// let (head, length) = framewise_http::read_request(bytes, &Default::default()).unwrap().unwrap();
/// assert_eq!((head.target.as_str(), length), ("/", 35));
/// ```
pub fn read_request(bytes: &[u8], limits: &Limits) -> Result<Option<(RequestHead, usize)>, Refusal> {
    let mut scanner = Scanner::new(Part::Request, *limits);
    let Some(end) = scanner.scan(bytes)? else {
        return Ok(None);
    };
    let head = parse_request(bytes.get(..end).unwrap_or(bytes), scanner.fields())?;
    Ok(Some((head, end)))
}

/// Reads the head of a response from the beginning of `bytes`, as [`read_request`] does.
pub fn read_response(bytes: &[u8], limits: &Limits) -> Result<Option<(ResponseHead, usize)>, Refusal> {
    let mut scanner = Scanner::new(Part::Response, *limits);
    let Some(end) = scanner.scan(bytes)? else {
        return Ok(None);
    };
    let lines = unfolded(bytes.get(..end).unwrap_or(bytes), &scanner);
    Ok(Some((parse_response(&lines, scanner.fields())?, end)))
}

/// Where the body of a response to `method` ends (RFC 9112, section 6.3).
///
/// # Errors
/// Its fields say no length, or more than one.
///
/// ```
/// use framewise_http::body::Framing;
/// use framewise_http::{Method, Rule, read_response, response_framing};
///
/// let framing = |fields: &str| {
///     let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
///     let (head, _) = read_response(bytes.as_bytes(), &Default::default()).unwrap().unwrap();
///     response_framing(&head, &Method::GET)
/// };
/// assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
/// assert_eq!(framing("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(Rule::LengthRepeated));
/// ```
pub fn response_framing(head: &ResponseHead, method: &Method) -> Result<Framing, Rule> {
    rules::response_framing(head, method)
}

/// Gathers a head from the pieces in which it comes.
#[derive(Debug)]
pub(crate) struct HeadReader {
    scanner: Scanner,
    begun: BytesMut,
}

impl HeadReader {
    pub(crate) fn new(part: Part, limits: Limits) -> Self {
        HeadReader { scanner: Scanner::new(part, limits), begun: BytesMut::new() }
    }

    /// Whether some of the head has come.
    pub(crate) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Whether what has come is the beginning of no response.
    pub(crate) fn is_foreign(&self) -> bool {
        self.scanner.is_foreign()
    }

    /// What has come of it; where it was refused, with the piece in which that happened.
    pub(crate) fn begun(&self) -> &[u8] {
        &self.begun
    }

    /// Whether its method is known to be HEAD.
    pub(crate) fn asks_for_head_alone(&self) -> bool {
        self.scanner.asks_for_head_alone()
    }

    /// How many fields the head has, once it is complete.
    pub(crate) fn fields(&self) -> usize {
        self.scanner.fields()
    }

    /// The whole head, once it is there, its fields a line each. A head that came so and in one piece is not copied.
    pub(crate) fn read(&mut self, inbox: &mut Inbox) -> Result<Option<Bytes>, Refusal> {
        while let Some(mut piece) = inbox.pop() {
            let scanned = self.scanner.scan(&piece);
            let Ok(Some(end)) = scanned else {
                self.begun.extend_from_slice(&piece);
                scanned?;
                continue;
            };
            let last = piece.split_to(end);
            inbox.put_back(piece);
            let head = if self.begun.is_empty() {
                last
            } else {
                self.begun.extend_from_slice(&last);
                self.begun.split().freeze()
            };
            return Ok(Some(match unfolded(&head, &self.scanner) {
                Cow::Borrowed(_) => head,
                Cow::Owned(lines) => lines.into(),
            }));
        }
        Ok(None)
    }
}
