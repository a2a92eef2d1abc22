//! What a watcher says of a message, and of what is none.

use std::ops::Range;

use http::Method;

use crate::body::Framing;
use crate::rule::Refusal;

/// A message, and where it stands. All places count from the first byte of its direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it begins with.
    pub start: Start,
    /// First line, fields and the empty line.
    pub head: Range<u64>,
    /// The data of the body, without what frames it: as many pieces as it has chunks, at most as many as [`Most`] allows.
    pub body: Vec<Range<u64>>,
    /// From its first byte to its last, the framing of the body included.
    pub range: Range<u64>,
    /// What says where the body ends.
    pub framing: Framing,
    /// The first rule that its head breaks, though where the message ends is certain.
    pub broken: Option<Refusal>,
    /// How it ended.
    pub end: End,
    /// Bytes of the body that nobody has seen.
    pub missing: u64,
    /// For a response: which request it answers, counted from 0, if that was seen.
    pub answers: Option<usize>,
}

/// What a message begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// What is to be done.
        method: Method,
        /// With what.
        target: String,
    },
    /// A response.
    Response {
        /// Its status code.
        status: u16,
    },
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where its framing says.
    Complete,
    /// Before that.
    CutShort,
    /// Where its body broke a rule.
    Broken(Refusal),
}

/// Why the bytes from somewhere on were not read as messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// They break a rule.
    #[error("{0}")]
    Broken(Refusal),
    /// They begin a head that does not end.
    #[error("a head begins whose end was not seen")]
    CutShort,
    /// They come first, and their beginning was not seen.
    #[error("the beginning was not seen, and this is the middle of a message")]
    Joined,
    /// Bytes among them, or before them, are missing, and nobody knows how many messages begin behind those.
    #[error("bytes are missing, and nobody knows which messages begin behind them")]
    AfterGap,
    /// They are HTTP/2, as TLS agreed on or as they themselves begin.
    #[error("HTTP/2 is spoken, which is not read here")]
    Http2,
    /// Another protocol is spoken from here on (101, or a way through to another server: CONNECT).
    #[error("another protocol is spoken from here on")]
    OtherProtocol,
    /// There are more messages than were to be kept.
    #[error("there are more messages than are kept")]
    TooMany,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// Messages of one direction. What comes after is unread.
    pub messages: usize,
    /// Pieces of all their bodies together. Those that come after are left out.
    pub pieces: usize,
}

impl Default for Most {
    /// 65,536 of both.
    fn default() -> Self {
        Most { messages: 65_536, pieces: 65_536 }
    }
}

/// What bytes at the beginning of a direction look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Requests of HTTP/1.
    Requests,
    /// Responses of HTTP/1.
    Responses,
}

/// Whether a piece that comes behind what was not seen begins as a message does: by its whole first line, if it is a request, for
/// a word in capitals and a slash stand in many a text.
pub(super) fn begins_message(piece: &[u8], kind: Kind) -> bool {
    let has_whole_line = || {
        let line = piece.split(|byte| *byte == b'\r').next().unwrap_or_default();
        line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
    };
    kind_of(piece) == Some(kind) && (kind == Kind::Responses || has_whole_line())
}

/// Whether a direction that begins with these bytes may be HTTP/1: a status line, or a method and a target.
///
/// ```
/// use framewise_http::passive::{Kind, kind_of};
/// assert_eq!(kind_of(b"HTTP/1.1 200 OK\r\n"), Some(Kind::Responses));
/// assert_eq!(kind_of(b"BREW /pot-1 HTTP/1.1"), Some(Kind::Requests));
/// assert_eq!(kind_of(b"SSH-2.0-OpenSSH"), None);
/// assert_eq!(kind_of(b"PRI * HTTP/2.0"), None);
/// ```
pub fn kind_of(beginning: &[u8]) -> Option<Kind> {
    const STATUS: &[u8] = b"HTTP/1.";
    const LONGEST_METHOD: usize = 20;
    if beginning.starts_with(STATUS) {
        return Some(Kind::Responses);
    }
    let method = beginning.iter().take(LONGEST_METHOD).take_while(|byte| byte.is_ascii_uppercase()).count();
    let after = beginning.get(method..)?;
    let is_target = matches!(after, [b' ', b'/' | b'*' | b'h' | b'H', ..]);
    (method >= 3 && is_target && !begins_http2(beginning)).then_some(Kind::Requests)
}

/// Whether a direction begins as a client of HTTP/2 does: with what looks like a request, so that no server of HTTP/1 goes on
/// (RFC 9113, section 3.4).
pub fn begins_http2(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PRI * HTTP/2.0")
}
