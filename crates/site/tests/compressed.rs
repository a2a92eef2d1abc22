//! What is compressed on its way, how it is told, and what is left as it is.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::io::Read;

use bytes::Bytes;
use common::{Answered, answer, ask, request};
use flate2::read::GzDecoder;
use framewise_http::handler::response_head;
use framewise_http::{Answer, Body, BodyLength, Handler, Headers, Method, Request, Response, StatusCode};
use framewise_site::{Compressed, StaticFiles};

const TAKES: (&str, &str) = ("Accept-Encoding", "deflate, gzip;q=0.8");

fn page() -> String {
    (0..2_000).map(|number| format!("<li>{number}\n")).collect()
}

fn site(kind: &'static str) -> impl Handler {
    Compressed::new(move |_: Request| {
        Response::bytes(kind, page()).header("ETag", "\"v1\"").header("Accept-Ranges", "bytes")
    })
}

fn plain(answered: &Answered) -> String {
    let mut text = String::new();
    GzDecoder::new(answered.body.as_slice()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn text_is_compressed_for_who_takes_it() {
    for kind in [
        "text/html",
        "text/css; charset=utf-8",
        "application/json",
        "image/svg+xml",
        "Application/JavaScript",
    ] {
        let coded = ask(&site(kind), Method::GET, "/", &[TAKES], "");
        assert_eq!((coded.status(), coded.header("Content-Encoding")), (200, Some("gzip")), "{kind}");
        assert!(plain(&coded) == page() && coded.body.len() < page().len() / 2, "{kind}");
        assert_eq!(coded.length, Some(BodyLength::Unknown));
        assert_eq!((coded.header("Vary"), coded.header("ETag")), (Some("Accept-Encoding"), Some("W/\"v1\"")));
        assert_eq!(coded.header("Accept-Ranges"), None, "no part of it can be asked for");
    }
    let head = ask(&site("text/html"), Method::HEAD, "/", &[TAKES], "");
    assert_eq!(
        (head.header("Content-Encoding"), head.body.len()),
        (Some("gzip"), 0),
        "as GET would be answered"
    );
}

#[test]
fn all_else_is_left_as_it_is() {
    for (kind, fields, varies) in [
        ("text/html", &[][..], true),
        ("text/html", &[("Accept-Encoding", "br, gzip;q=0")], true),
        ("text/html", &[("Accept-Encoding", "*"), ("Accept-Encoding", "gzip;q=0")], true),
        ("text/html", &[("Accept-Encoding", "identity, gzip;q=0.1")], true),
        ("text/html", &[TAKES, ("Range", "bytes=0-1")], true),
        ("image/png", &[TAKES], false),
        ("text/event-stream", &[TAKES], false),
        ("application/octet-stream", &[TAKES], false),
    ] {
        let same = ask(&site(kind), Method::GET, "/", fields, "");
        assert_eq!(
            (same.header("Content-Encoding"), same.text() == page()),
            (None, true),
            "{kind} {fields:?}"
        );
        assert_eq!(same.header("Vary").is_some(), varies, "{kind} {fields:?}");
        assert_eq!((same.header("ETag"), same.header("Accept-Ranges")), (Some("\"v1\""), Some("bytes")));
    }
    let with = |status: StatusCode, name: &'static str, value: &'static str, page: String| {
        let site = Compressed::new(move |_: Request| {
            Response::html(page.clone()).with_status(status).header(name, value)
        });
        ask(&site, Method::GET, "/", &[TAKES], "").header("Content-Encoding").map(str::to_owned)
    };
    let ok = StatusCode::OK;
    assert_eq!(with(ok, "X", "y", page()).as_deref(), Some("gzip"));
    assert_eq!(with(StatusCode::NOT_FOUND, "X", "y", page()).as_deref(), Some("gzip"));
    assert_eq!(with(ok, "X", "y", "short".to_owned()), None);
    assert_eq!(with(ok, "Content-Encoding", "br", page()).as_deref(), Some("br"));
    assert_eq!(with(ok, "Cache-Control", "public, no-transform", page()), None);
    assert_eq!(with(StatusCode::PARTIAL_CONTENT, "Content-Range", "bytes 0-9/10", page()), None);
    let unchanged = Compressed::new(|_: Request| {
        Response::status(StatusCode::NOT_MODIFIED).header("Vary", "Cookie, accept-encoding")
    });
    assert_eq!(
        ask(&unchanged, Method::GET, "/", &[TAKES], "").header("Vary"),
        Some("Cookie, accept-encoding")
    );
}

/// A directory with a long page, a short one, and a picture.
fn directory() -> (tempfile::TempDir, impl Handler) {
    let dir = tempfile::tempdir().unwrap();
    for (name, length) in [("long.txt", 2_000), ("short.txt", 999), ("long.bin", 2_000)] {
        std::fs::write(dir.path().join(name), vec![b'a'; length]).unwrap();
    }
    let site = StaticFiles::new(dir.path()).unwrap().compressed();
    (dir, site)
}

fn named(answered: &Answered) -> [Option<String>; 3] {
    ["ETag", "Vary", "Accept-Ranges"].map(|name| answered.header(name).map(str::to_owned))
}

#[test]
fn what_the_client_has_is_named_as_the_page_would_be() {
    let (_dir, site) = directory();
    let none = ("If-None-Match", "*");
    // RFC 9110 §15.4.5
    for path in ["/long.txt", "/short.txt", "/long.bin"] {
        for fields in [&[][..], &[TAKES]] {
            let page = ask(&site, Method::GET, path, fields, "");
            let etag = page.header("ETag").unwrap().to_owned();
            for condition in [none, ("If-None-Match", etag.as_str())] {
                let unchanged = ask(&site, Method::GET, path, &[fields, &[condition]].concat(), "");
                assert_eq!(unchanged.status(), 304, "{path} {fields:?} {condition:?}");
                assert_eq!(named(&unchanged), named(&page), "{path} {fields:?} {condition:?}");
                let (kind, length) = (unchanged.header("Content-Type"), unchanged.header("Content-Length"));
                assert_eq!((kind, length), (None, None), "what has no body has no type");
            }
        }
    }
}

#[test]
fn a_part_varies_as_the_whole_does() {
    let (_dir, site) = directory();
    // RFC 9110 §15.3.7
    for path in ["/long.txt", "/short.txt", "/long.bin"] {
        let whole = ask(&site, Method::GET, path, &[], "");
        for range in ["bytes=0-9", "bytes=0-9, 20-29"] {
            let part = ask(&site, Method::GET, path, &[("Range", range)], "");
            assert_eq!(part.status(), 206, "{path} {range}");
            assert_eq!(named(&part), named(&whole), "{path} {range}");
        }
    }
}

#[test]
fn an_old_client_is_not_asked_to_find_the_end() {
    let (given, answered) = answer(&Method::GET);
    let mut old = request(Method::GET, "/", &[TAKES], "");
    old.head.version = framewise_http::Version::Http10;
    site("text/html").handle(old, given);
    assert_eq!(answered.lock().unwrap().header("Content-Encoding"), None);
}

fn streamed(broken: bool) -> impl Fn(Request) -> Response + Send + Sync {
    move |_: Request| {
        let piece = move |number| match number {
            7 if broken => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(Bytes::from("a few words ".repeat(1_000))),
        };
        let pieces = Box::new((0..9).map(piece));
        Response::html("").with_body(Body::Stream { length: Some(108_000), pieces })
    }
}

#[test]
fn a_stream_is_compressed_as_it_is_read() {
    let coded = ask(&Compressed::new(streamed(false)), Method::GET, "/", &[TAKES], "");
    assert_eq!(plain(&coded), "a few words ".repeat(9_000));
    let (given, taken) = common::kept(&Method::GET);
    Compressed::new(streamed(true)).handle(request(Method::GET, "/", &[TAKES], ""), given);
    let Some(Body::Stream { length: None, pieces }) = taken.lock().unwrap().take() else {
        panic!("a stream")
    };
    let pieces: Vec<_> = pieces.collect();
    assert!(pieces.last().unwrap().is_err(), "what is cut short stays so");
}

/// A page that is made while it is sent.
struct Live;

impl Handler for Live {
    fn handle(&self, _request: Request, answer: Answer) {
        let headers = [("Content-Type", "text/html")].into_iter().collect::<Headers>();
        let mut body = answer.begin(response_head(StatusCode::OK, headers), BodyLength::Unknown);
        for _ in 0..3 {
            body.send(Bytes::from_static(b"news ")).unwrap();
        }
        std::mem::forget(body);
    }
}

#[test]
fn what_is_made_while_it_is_sent_is_kept_back_by_nobody() {
    let (given, answered) = answer(&Method::GET);
    Compressed::new(Live).handle(request(Method::GET, "/", &[TAKES], ""), given);
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    let mut text = [0; 15];
    GzDecoder::new(answered.body.as_slice()).read_exact(&mut text).unwrap();
    assert_eq!(&text, b"news news news ");
}
