//! Answers compressed on their way, for whoever takes gzip.
//!
//! Read RFC 9110 sections 8.4.1.3, 8.8.1, 12.5.3 and 12.5.5 first. Each piece is compressed as it is sent, so a page is never in
//! memory as a whole, and so many answers at a time are, for each takes a quarter of a megabyte meanwhile.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use framewise_http::{
    Answer, AnswerSink, BodyLength, ConnInfo, Gone, Handler, Headers, Intake, Method, Pieces, RefusedRequest,
    Request, ResponseHead, StatusCode, Version, accept,
};

/// Below this there is nothing to gain: it all fits into one segment.
const WORTH_IT: u64 = 1_000;
/// Answers that are compressed at a time; further ones go as they are.
const AT_A_TIME: usize = 256;

/// A handler whose answers of text are compressed for clients that take gzip.
///
/// Left as they are: answers that are short, coded already, marked `no-transform`, parts of something, or to a client of
/// HTTP/1.0, which could not be told where such a body ends. The tag of a version becomes a weak one, for what it names is
/// the same only in meaning.
///
/// What becomes of an answer's bytes is told to nobody (`Answer::watch`), for others are sent in their place. So it does not
/// stand around a pool of child processes, which compress for themselves.
pub struct Compressed<H> {
    handler: H,
    busy: Arc<AtomicUsize>,
}

impl<H: Handler> Compressed<H> {
    /// Compresses what `handler` answers.
    pub fn new(handler: H) -> Self {
        Compressed { handler, busy: Arc::default() }
    }
}

impl<H: Handler> Handler for Compressed<H> {
    fn handle(&self, request: Request, answer: Answer) {
        let takes_gzip = request.list("accept-encoding").is_some_and(|a| accept::prefers_coding(&a, "gzip"));
        let asks_for_part = request.head.headers.contains("range");
        let wanted = takes_gzip && !asks_for_part && request.head.version == Version::Http11;
        let is_head = request.head.method == Method::HEAD;
        let busy = self.busy.clone();
        let answer = answer.through(|sink| {
            Box::new(CompressedSink { sink, wanted, is_head, busy, encoder: None, is_live: false })
        });
        self.handler.handle(request, answer);
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.handler.wants_body(request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        self.handler.refused(refused);
    }

    fn left(&self, connection: &ConnInfo) {
        self.handler.left(connection);
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        self.handler.intake(request)
    }
}

struct CompressedSink {
    sink: Box<dyn AnswerSink + Send>,
    /// Whether the client wants it so.
    wanted: bool,
    is_head: bool,
    busy: Arc<AtomicUsize>,
    encoder: Option<Encoder>,
    /// Whether it is made while it is sent: then nothing is kept back to be seen together with later pieces.
    is_live: bool,
}

impl AnswerSink for CompressedSink {
    fn head(&mut self, mut head: ResponseHead, length: BodyLength) {
        match head.status {
            StatusCode::NOT_MODIFIED => self.say_as_page(&mut head.headers),
            StatusCode::PARTIAL_CONTENT => say_as_whole(&mut head.headers),
            _ => {}
        }
        let is_long = !matches!(length, BodyLength::Known(length) if length < WORTH_IT);
        if length == BodyLength::None || !is_long || !is_compressible(&head) {
            return self.sink.head(head, length);
        }
        add_vary(&mut head.headers);
        if !self.wanted {
            return self.sink.head(head, length);
        }
        if !self.is_head {
            self.encoder = Encoder::begin(&self.busy);
            if self.encoder.is_none() {
                return self.sink.head(head, length);
            }
        }
        self.is_live = length == BodyLength::Unknown;
        head.headers.set("Content-Encoding", "gzip");
        name_coded(&mut head.headers);
        self.sink.head(head, BodyLength::Unknown);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        let Some(encoder) = &mut self.encoder else { return self.sink.body(data) };
        match encoder.piece(&data, self.is_live) {
            Ok(coded) if coded.is_empty() => Ok(()),
            Ok(coded) => self.sink.body(coded),
            Err(_) => Err(Gone),
        }
    }

    fn stream(&mut self, pieces: Pieces) {
        match self.encoder.take() {
            Some(encoder) => self.sink.stream(Box::new(Coded { pieces, encoder: Some(encoder) })),
            None => self.sink.stream(pieces),
        }
    }

    fn end(&mut self) {
        match self.encoder.take().map(Encoder::finish) {
            None => self.sink.end(),
            Some(Ok(rest)) => {
                if self.sink.body(rest).is_ok() {
                    self.sink.end();
                }
            }
            Some(Err(_)) => self.sink.abort(),
        }
    }

    fn abort(&mut self) {
        self.encoder = None;
        self.sink.abort();
    }

    fn keep(&mut self) {
        self.sink.keep();
    }

    fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        self.sink.note(topic, text);
    }
}

impl CompressedSink {
    /// Says of what the client has what would be said of the page (RFC 9110, section 15.4.5). Of which that is, its type and its
    /// length tell, where the handler has said them: they are for us, and not for the client.
    fn say_as_page(&self, headers: &mut Headers) {
        let is_told = headers.contains("content-type");
        let is_long = stated(headers.text("content-length")).is_none_or(|length| length >= WORTH_IT);
        if !is_told || (is_long && is_text_uncoded(headers)) {
            add_vary(headers);
            if is_told && self.wanted {
                name_coded(headers);
            }
        }
        headers.remove("Content-Type");
        headers.remove("Content-Length");
    }
}

/// Says of a part of a page what would be said of all of it (RFC 9110, section 15.3.7).
fn say_as_whole(headers: &mut Headers) {
    let length = stated(headers.text("content-range").and_then(|range| range.split('/').nth(1)));
    if length.is_some_and(|length| length >= WORTH_IT) && is_text_uncoded(headers) {
        add_vary(headers);
    }
}

fn stated(length: Option<&str>) -> Option<u64> {
    length?.parse().ok()
}

/// Changes what names a page's bytes, and parts of them, to what is true of the compressed ones.
fn name_coded(headers: &mut Headers) {
    headers.remove("Accept-Ranges");
    let strong = headers.text("etag").filter(|etag| !etag.starts_with("W/"));
    if let Some(weak) = strong.map(|etag| format!("W/{etag}")) {
        headers.set("ETag", weak);
    }
}

/// Whether a page of this type and length is one that is compressed.
pub(crate) fn is_worth_it(kind: &str, length: u64) -> bool {
    length >= WORTH_IT && is_text(kind)
}

/// Whether it is a whole page of text that nobody has coded before.
fn is_compressible(head: &ResponseHead) -> bool {
    let is_part = head.status == StatusCode::PARTIAL_CONTENT || head.headers.contains("content-range");
    !is_part && is_text_uncoded(&head.headers)
}

/// Whether it is text that nobody has coded before, and that may be.
fn is_text_uncoded(headers: &Headers) -> bool {
    let is_plain = !headers.contains("content-encoding");
    let may_be = !headers.text("cache-control").is_some_and(|cache| cache.contains("no-transform"));
    is_plain && may_be && headers.text("content-type").is_some_and(is_text)
}

/// Whether a type is one of text.
fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (top, sub) = kind.split_once('/').unwrap_or((&kind, ""));
    // Each event of a stream is to arrive when it is sent (the WHATWG's server-sent events).
    (top == "text" && sub != "event-stream")
        || sub.ends_with("+xml")
        || sub.ends_with("+json")
        || matches!(sub, "json" | "xml" | "javascript" | "wasm")
}

/// Tells caches that the answer depends on what the client takes.
fn add_vary(headers: &mut Headers) {
    let said = headers.all("vary").any(|value| {
        value.split(|b| *b == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(b"accept-encoding"))
    });
    if !said {
        headers.push("Vary", "Accept-Encoding");
    }
}

/// One answer that is being compressed.
struct Encoder {
    gzip: GzEncoder<Vec<u8>>,
    busy: Arc<AtomicUsize>,
}

impl Encoder {
    /// `None`: as many as may be are at work.
    fn begin(busy: &Arc<AtomicUsize>) -> Option<Encoder> {
        let more = |count: usize| (count < AT_A_TIME).then_some(count + 1);
        busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Encoder { gzip: GzEncoder::new(Vec::new(), Compression::fast()), busy: busy.clone() })
    }

    /// What has become of the bytes so far; what is still to be seen together with later ones stays, unless `is_live`.
    fn piece(&mut self, data: &[u8], is_live: bool) -> io::Result<Bytes> {
        self.gzip.write_all(data)?;
        if is_live {
            self.gzip.flush()?;
        }
        Ok(Bytes::from(std::mem::take(self.gzip.get_mut())))
    }

    fn finish(mut self) -> io::Result<Bytes> {
        self.gzip.try_finish()?;
        Ok(Bytes::from(std::mem::take(self.gzip.get_mut())))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Pieces compressed as they are asked for.
struct Coded {
    pieces: Pieces,
    encoder: Option<Encoder>,
}

impl Iterator for Coded {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let coded = match self.pieces.next() {
                Some(Ok(piece)) => self.encoder.as_mut()?.piece(&piece, false),
                Some(Err(error)) => Err(error),
                None => self.encoder.take()?.finish(),
            };
            match coded {
                // It was kept to be seen together with the next.
                Ok(coded) if coded.is_empty() => {}
                Err(error) => {
                    self.encoder = None;
                    return Some(Err(error));
                }
                coded => return Some(coded),
            }
        }
    }
}
