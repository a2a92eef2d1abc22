//! What the main process and a child say to each other over their socket: frames of a bounded length.
//!
//! ```text
//!    0       4      5        7             15
//!    +-------+------+--------+-------------+---------
//!    | length| kind | thread | request     | payload
//!    +-------+------+--------+-------------+---------
//! ```
//!
//! Numbers are big-endian; the length is the payload's. A thread works on one request at a time, and each frame bears its
//! number, so that what is said late about one is not taken for the next. Bodies go both ways in pieces, within the credit
//! that the other side has granted.

use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use framewise_http::{
    BodyLength, ConnInfo, Headers, Method, RequestHead, ResponseHead, StatusCode, TlsInfo, Version,
};

use crate::state::State;

/// Bytes before the payload.
const HEADER: usize = 15;
/// Bytes of a payload: a head of the longest that HTTP takes fits by far.
const LONGEST: usize = 4 << 20;
/// Bytes of a piece of a body.
pub(crate) const PIECE: usize = 64 << 10;
/// Bytes of a body that may be under way without having been granted.
pub(crate) const WINDOW: usize = 256 << 10;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) thread: u16,
    pub(crate) request: u64,
    pub(crate) word: Word,
}

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    /// The child has so many threads, and they wait.
    Ready,
    /// A request for this thread, with as many bytes of body to come.
    Request { head: RequestHead, connection: ConnInfo, body: u64 },
    /// The thread does this.
    State(State),
    /// The answer begins.
    Head { head: ResponseHead, body: BodyLength },
    /// A piece of a body: of the request's downward, of the answer's upward.
    Body(Bytes),
    /// The answer is complete.
    End,
    /// The answer can't be completed; or, downward: nobody wants it any more.
    Abort,
    /// So many bytes of body more may come.
    Grant(u32),
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {0} bytes is longer than any")]
    TooLong(usize),
    #[error("no frame has the kind {0}")]
    Kind(u8),
    #[error("the frame is cut short")]
    CutShort,
    #[error("the frame says {0} in a way that nobody writes")]
    Wrong(&'static str),
}

impl Frame {
    /// Its bytes.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER + 256);
        out.put_u32(0);
        out.put_u8(self.word.kind());
        out.put_u16(self.thread);
        out.put_u64(self.request);
        self.word.encode(&mut out);
        let length = (out.len() - HEADER) as u32;
        out[..4].copy_from_slice(&length.to_be_bytes());
        out.freeze()
    }

    /// Takes the next frame off the beginning of what came; `None` until it is complete.
    pub(crate) fn decode(inbox: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if inbox.len() < HEADER {
            return Ok(None);
        }
        let length = u32::from_be_bytes([inbox[0], inbox[1], inbox[2], inbox[3]]) as usize;
        if length > LONGEST {
            return Err(FrameError::TooLong(length));
        }
        if inbox.len() < HEADER + length {
            return Ok(None);
        }
        let mut frame = inbox.split_to(HEADER + length).freeze();
        frame.advance(4);
        let (kind, thread, request) = (frame.get_u8(), frame.get_u16(), frame.get_u64());
        Ok(Some(Frame { thread, request, word: Word::decode(kind, &mut Reader(frame))? }))
    }
}

impl Word {
    fn kind(&self) -> u8 {
        match self {
            Word::Ready => 0,
            Word::Request { .. } => 1,
            Word::State(_) => 2,
            Word::Head { .. } => 3,
            Word::Body(_) => 4,
            Word::End => 5,
            Word::Abort => 6,
            Word::Grant(_) => 7,
        }
    }

    fn encode(&self, out: &mut BytesMut) {
        match self {
            Word::Ready | Word::End | Word::Abort => {}
            Word::Request { head, connection, body } => {
                put_text(out, head.method.as_str());
                put_text(out, &head.target);
                out.put_u8(u8::from(head.version == Version::Http11));
                put_headers(out, &head.headers);
                put_text(out, &connection.local.to_string());
                put_text(out, &connection.remote.to_string());
                put_tls(out, connection.tls.as_ref());
                out.put_u64(*body);
            }
            Word::State(state) => out.put_u8(state.number()),
            Word::Head { head, body } => {
                out.put_u16(head.status.as_u16());
                put_text(out, &head.reason);
                put_headers(out, &head.headers);
                let (kind, length) = match body {
                    BodyLength::None => (0, 0),
                    BodyLength::Known(length) => (1, *length),
                    BodyLength::Unknown => (2, 0),
                };
                out.put_u8(kind);
                out.put_u64(length);
            }
            Word::Body(data) => out.extend_from_slice(data),
            Word::Grant(bytes) => out.put_u32(*bytes),
        }
    }

    fn decode(kind: u8, from: &mut Reader) -> Result<Word, FrameError> {
        let word = match kind {
            0 => Word::Ready,
            1 => Word::Request {
                head: RequestHead {
                    method: Method::from_bytes(from.text()?.as_bytes())
                        .map_err(|_| FrameError::Wrong("a method"))?,
                    target: from.text()?,
                    version: if from.byte()? == 0 { Version::Http10 } else { Version::Http11 },
                    headers: from.headers()?,
                },
                connection: ConnInfo { local: from.address()?, remote: from.address()?, tls: from.tls()? },
                body: from.long()?,
            },
            2 => Word::State(State::of(from.byte()?).ok_or(FrameError::Wrong("a state"))?),
            3 => {
                let status =
                    StatusCode::from_u16(from.short()?).map_err(|_| FrameError::Wrong("a status"))?;
                let (reason, headers) = (from.text()?, from.headers()?);
                let head = ResponseHead { version: Version::Http11, status, reason, headers };
                let (kind, length) = (from.byte()?, from.long()?);
                let body = match kind {
                    0 => BodyLength::None,
                    1 => BodyLength::Known(length),
                    2 => BodyLength::Unknown,
                    _ => return Err(FrameError::Wrong("a body's length")),
                };
                Word::Head { head, body }
            }
            4 => Word::Body(std::mem::take(&mut from.0)),
            5 => Word::End,
            6 => Word::Abort,
            7 => Word::Grant(from.int()?),
            other => return Err(FrameError::Kind(other)),
        };
        if from.0.is_empty() { Ok(word) } else { Err(FrameError::Wrong("more than it has to say")) }
    }
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32(bytes.len() as u32);
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut BytesMut, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_headers(out: &mut BytesMut, headers: &Headers) {
    out.put_u16(headers.len() as u16);
    for (name, value) in headers.iter() {
        put_text(out, name);
        put_bytes(out, value);
    }
}

fn put_tls(out: &mut BytesMut, tls: Option<&TlsInfo>) {
    let Some(tls) = tls else { return out.put_u8(0) };
    out.put_u8(1);
    out.put_u8(u8::from(tls.version == TLS_12));
    put_text(out, &tls.cipher_suite);
    for text in [&tls.alpn, &tls.server_name] {
        out.put_u8(u8::from(text.is_some()));
        put_text(out, text.as_deref().unwrap_or_default());
    }
    out.put_u8(u8::from(tls.resumed));
    out.put_u8(u8::from(tls.verified));
}

const TLS_12: &str = "TLS 1.2";
const TLS_13: &str = "TLS 1.3";

/// Reads a payload, which may end at any byte.
struct Reader(Bytes);

impl Reader {
    fn need(&self, bytes: usize) -> Result<(), FrameError> {
        if self.0.len() < bytes { Err(FrameError::CutShort) } else { Ok(()) }
    }

    fn byte(&mut self) -> Result<u8, FrameError> {
        self.need(1)?;
        Ok(self.0.get_u8())
    }

    fn short(&mut self) -> Result<u16, FrameError> {
        self.need(2)?;
        Ok(self.0.get_u16())
    }

    fn int(&mut self) -> Result<u32, FrameError> {
        self.need(4)?;
        Ok(self.0.get_u32())
    }

    fn long(&mut self) -> Result<u64, FrameError> {
        self.need(8)?;
        Ok(self.0.get_u64())
    }

    fn bytes(&mut self) -> Result<Bytes, FrameError> {
        let length = self.int()? as usize;
        self.need(length)?;
        Ok(self.0.split_to(length))
    }

    fn text(&mut self) -> Result<String, FrameError> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| FrameError::Wrong("a text"))
    }

    fn address(&mut self) -> Result<SocketAddr, FrameError> {
        self.text()?.parse().map_err(|_| FrameError::Wrong("an address"))
    }

    fn headers(&mut self) -> Result<Headers, FrameError> {
        let mut headers = Headers::new();
        for _ in 0..self.short()? {
            headers.push(self.text()?, self.bytes()?.to_vec());
        }
        Ok(headers)
    }

    fn perhaps(&mut self) -> Result<Option<String>, FrameError> {
        let is_there = self.byte()? != 0;
        let text = self.text()?;
        Ok(is_there.then_some(text))
    }

    fn tls(&mut self) -> Result<Option<TlsInfo>, FrameError> {
        if self.byte()? == 0 {
            return Ok(None);
        }
        Ok(Some(TlsInfo {
            version: if self.byte()? == 1 { TLS_12 } else { TLS_13 },
            cipher_suite: self.text()?,
            alpn: self.perhaps()?,
            server_name: self.perhaps()?,
            resumed: self.byte()? != 0,
            verified: self.byte()? != 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> Vec<Frame> {
        let tls = TlsInfo {
            version: TLS_12,
            cipher_suite: "TLS_AES_128_GCM_SHA256".into(),
            alpn: None,
            server_name: Some("shop.test".into()),
            resumed: true,
            verified: false,
        };
        let connection = ConnInfo {
            local: "192.0.2.10:443".parse().expect("an address"),
            remote: "[2001:db8::1]:49152".parse().expect("an address"),
            tls: Some(tls),
        };
        let head = RequestHead {
            method: Method::POST,
            target: "/items?x=1".into(),
            version: Version::Http10,
            headers: [("Host", "shop.test"), ("X", "\u{e9}")].into_iter().collect(),
        };
        let answer = ResponseHead {
            version: Version::Http11,
            status: StatusCode::NOT_FOUND,
            reason: "Nothing here".into(),
            headers: [("A", "1"), ("a", "2")].into_iter().collect(),
        };
        let words = [
            Word::Ready,
            Word::Request { head: head.clone(), connection: connection.clone(), body: 1 << 40 },
            Word::Request { head, connection: ConnInfo { tls: None, ..connection }, body: 0 },
            Word::State(State::Database),
            Word::Head { head: answer.clone(), body: BodyLength::None },
            Word::Head { head: answer.clone(), body: BodyLength::Known(7) },
            Word::Head { head: answer, body: BodyLength::Unknown },
            Word::Body(Bytes::from_static(b"abc")),
            Word::End,
            Word::Abort,
            Word::Grant(65_536),
        ];
        words.into_iter().map(|word| Frame { thread: 300, request: u64::MAX - 1, word }).collect()
    }

    #[test]
    fn what_is_written_is_read_however_it_is_cut() {
        let mut all = BytesMut::new();
        frames().iter().for_each(|frame| all.extend_from_slice(&frame.encode()));
        for size in [1, 7, 1_000_000] {
            let (mut inbox, mut read) = (BytesMut::new(), Vec::new());
            for piece in all.chunks(size) {
                inbox.extend_from_slice(piece);
                while let Some(frame) = Frame::decode(&mut inbox).expect("a frame") {
                    read.push(frame);
                }
            }
            assert_eq!(read, frames(), "in pieces of {size}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_it_has_come() {
        let mut inbox = BytesMut::from(&[0xff; HEADER][..]);
        assert_eq!(Frame::decode(&mut inbox), Err(FrameError::TooLong(u32::MAX as usize)));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0usize..11, at in any::<usize>()) {
            // A right frame with some of its bytes changed, but for its length.
            let mut inbox = BytesMut::from(&frames()[which].encode()[..]);
            for (index, byte) in bytes.iter().take(3).enumerate() {
                let place = 4 + at.wrapping_add(index * 31) % (inbox.len() - 4);
                inbox[place] = *byte;
            }
            let _ = Frame::decode(&mut inbox);
            let _ = Frame::decode(&mut BytesMut::from(&bytes[..]));
        }
    }
}
