//! What is compressed on its way, how it is told, and what is left as it is.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::io::Read;

use bytes::Bytes;
use common::{Answered, answer, ask, request};
use flate2::read::GzDecoder;
use framewise_http::handler::response_head;
use framewise_http::{Answer, Body, BodyLength, Handler, Headers, Method, Request, Response, StatusCode};
use framewise_site::Compressed;

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
