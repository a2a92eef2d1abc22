//! Text: heads and chunks of HTTP cut anywhere, URLs, the ranges of a file that a request asks for, and scripts of replay tests.

use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use framewise::http::body::{Decoded, Decoder, Framing};
use framewise::http::{
    self, Answer, AnswerSink, BodyLength, ConnInfo, Gone, Handler, Headers, Params, Pieces, Request,
    RequestHead, ResponseHead, Url, Version,
};
use framewise_replay::Script;
use framewise_site::StaticFiles;
use tempfile::TempDir;

use crate::headers::explained;
use crate::input::Input;

/// Runs the target: the first byte chooses.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 6 {
        0 => head(input, |bytes| http::read_request(bytes, &Default::default())),
        1 => head(input, |bytes| http::read_response(bytes, &Default::default())),
        2 => chunks(input),
        3 => url(input.rest()),
        4 => file(input),
        _ => script(input.rest()),
    }
}

/// A head is over where it is over: before that there is none, and what comes behind changes nothing.
fn head<H: PartialEq + std::fmt::Debug>(
    mut input: Input<'_>,
    read: impl Fn(&[u8]) -> Result<Option<(H, usize)>, http::Refusal>,
) {
    let cut = input.below(512);
    let bytes = input.rest();
    explained(http::describe(bytes), bytes);
    match read(bytes) {
        Ok(Some((head, end))) => {
            assert!(end <= bytes.len());
            let begun = bytes.get(..cut.min(end - 1)).unwrap_or_default();
            assert_eq!(read(begun), Ok(None), "of a good head every beginning is good");
            let exactly = bytes.get(..end).unwrap_or_default();
            assert_eq!(read(exactly), Ok(Some((head, end))), "what comes behind changes nothing");
        }
        Ok(None) => {
            let begun = bytes.get(..cut.min(bytes.len())).unwrap_or_default();
            assert_eq!(read(begun), Ok(None), "what has no end has none in its beginning");
        }
        Err(refusal) => {
            assert!(refusal.offset <= bytes.len() as u64, "{refusal:?} lies within {} bytes", bytes.len());
            assert!(refusal.rule.status().as_u16() >= 400);
        }
    }
}

/// A body gives the same data, end and refusal however it is cut, and no more at a time than was asked for.
fn chunks(mut input: Input<'_>) {
    let framing = match input.byte() % 4 {
        0 => Framing::Length(u64::from(input.word())),
        1 => Framing::UntilClose,
        _ => Framing::Chunked,
    };
    let (longest, credit) = (u64::from(input.word()), 1 + input.below(2_000));
    let cuts = input;
    let bytes = input.rest();
    let whole = decode(framing, longest, &[bytes], usize::MAX);
    let pieces = { cuts }.cut(bytes);
    assert_eq!(decode(framing, longest, &pieces, credit), whole);
}

type Read = (Vec<u8>, bool, Option<(&'static str, u64)>);

fn decode(framing: Framing, longest: u64, pieces: &[&[u8]], credit: usize) -> Read {
    let mut decoder = Decoder::new(framing, longest, Default::default());
    let (mut data, mut input) = (Vec::new(), Bytes::new());
    for piece in pieces {
        input = [&input[..], piece].concat().into();
        loop {
            match decoder.decode(&mut input, credit) {
                Ok(Decoded::Data(piece)) => {
                    assert!(!piece.is_empty() && piece.len() <= credit, "{} of {credit} bytes", piece.len());
                    data.extend_from_slice(&piece);
                }
                Ok(Decoded::Complete) => return (data, true, None),
                Ok(Decoded::More) => break,
                Err(refusal) => return (data, false, Some((refusal.rule.name(), refusal.offset))),
            }
            assert!(data.len() as u64 <= longest, "no more data than a body may have");
            assert_eq!(decoder.received(), data.len() as u64);
        }
    }
    (data, decoder.is_complete(), None)
}

/// A URL that is written and read again is the same, and so is what it says to a server.
fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (typed, reference) = text.split_once('\n').unwrap_or((text, "../x?y#z"));
    let _ = http::anatomy(typed);
    let Ok(url) = Url::parse(&http::complete(typed)) else { return };
    assert_eq!(Url::parse(&url.to_string()).map(|again| again.to_string()), Ok(url.to_string()));
    let target = url.target();
    assert!(target.starts_with('/'), "{target:?} is no target");
    let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", url.host_header());
    let limits = http::Limits { target_bytes: usize::MAX, head_bytes: usize::MAX, ..Default::default() };
    let read = http::read_request(head.as_bytes(), &limits);
    // The URL standard lets half a percent-encoding pass; a server need not (RFC 3986, section 2.1).
    let is_encoded = target
        .split('%')
        .skip(1)
        .all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    assert!(
        !is_encoded || matches!(read, Ok(Some(_))),
        "{url} makes a request that no server takes: {read:?}"
    );
    if let Ok(joined) = url.join(reference) {
        assert!(["http", "https"].contains(&joined.scheme()));
    }
}

/// A script is read, or the error names a place in it; what was read is read again the same.
fn script(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Script::read(text) {
        Ok(script) => {
            assert!(script.steps.len() <= text.lines().count());
            let steps = |script: &Script| format!("{:?}", script.steps);
            let again = Script::read(text).map(|again| steps(&again));
            assert_eq!(again, Ok(steps(&script)));
        }
        Err(error) => {
            let line = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
            assert!(error.line >= 1 && error.line <= text.lines().count().max(1), "{error}");
            assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{error}");
            assert!(!error.to_string().contains('\n'), "an error is one line: {error}");
        }
    }
}

/// What the file holds that is asked for.
const CONTENT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Whatever a request wants of a file, it is told which bytes it gets, and gets these.
fn file(mut input: Input<'_>) {
    static FOLDER: OnceLock<(TempDir, StaticFiles)> = OnceLock::new();
    let (_, files) = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("page.html"), CONTENT).expect("a file can be written");
        let files = StaticFiles::new(folder.path()).expect("the folder is there");
        (folder, files.with_listing())
    });
    let named = input.byte();
    let target = if named & 1 == 0 {
        "/page.html".to_owned()
    } else {
        format!("/{}", String::from_utf8_lossy(input.piece()))
    };
    let names = ["Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "Accept-Encoding"];
    let chosen = names.iter().enumerate().filter(|(bit, _)| named & (2 << bit) != 0);
    let headers: Headers = chosen.map(|(_, name)| (*name, input.piece().to_vec())).collect();
    let asked = Request {
        head: RequestHead { method: ::http::Method::GET, target, version: Version::Http11, headers },
        connection: ConnInfo {
            local: "192.0.2.10:80".parse().expect("an address"),
            remote: "192.0.2.20:50000".parse().expect("an address"),
            tls: None,
        },
        params: Params::default(),
        body: Bytes::copy_from_slice(input.rest()),
    };
    let _ = (asked.form(), asked.query_param("a"));
    let is_page = asked.path() == "/page.html";
    let answered = Answered::default();
    files.handle(asked, Answer::new(Box::new(answered.clone()), &::http::Method::GET));
    answered.check(is_page);
}

/// What was answered.
#[derive(Clone, Default)]
struct Answered(Arc<Mutex<(Option<ResponseHead>, Vec<u8>)>>);

impl Answered {
    fn check(&self, is_page: bool) {
        let answered = self.0.lock().expect("nobody panicked");
        let (head, body) = &*answered;
        let head = head.as_ref().expect("each request is answered");
        if !is_page {
            assert!(
                [200, 301, 308, 404, 400, 412, 416, 304, 206].contains(&head.status.as_u16()),
                "{head:?}"
            );
            return;
        }
        match head.status.as_u16() {
            200 => assert_eq!(body, CONTENT),
            206 => {
                let range = head.headers.text("content-range").expect("a part says which");
                let numbers = range.trim_start_matches("bytes ").trim_end_matches("/36");
                let (first, last) = numbers.split_once('-').expect("two numbers");
                let (first, last): (usize, usize) = (first.parse().expect("one"), last.parse().expect("one"));
                assert_eq!(CONTENT.get(first..=last), Some(&body[..]));
            }
            304 => assert!(body.is_empty()),
            status => assert!([412, 416].contains(&status), "{head:?}"),
        }
    }
}

impl AnswerSink for Answered {
    fn head(&mut self, head: ResponseHead, _length: BodyLength) {
        self.0.lock().expect("nobody panicked").0 = Some(head);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.0.lock().expect("nobody panicked").1.extend_from_slice(&data);
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        for piece in pieces {
            let _ = self.body(piece.expect("the file can be read"));
        }
    }

    fn end(&mut self) {}

    fn abort(&mut self) {}
}
