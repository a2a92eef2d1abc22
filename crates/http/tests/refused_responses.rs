//! Every kind of response that RFC 9112 has refused: it is never a page, its connection is never used again, and nothing
//! behind it is taken for an answer to another request.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{Bench, asked};
use framewise_core::seams::exchange::{BodyLength, ExchangeError, ExchangeUp};
use framewise_core::seams::stream::StreamUp;
use framewise_http::{Method, Rule};

/// What an attacker puts behind a response that two readers end at different places.
const SPLIT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";

fn with(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    with("Transfer-Encoding: chunked") + body
}

fn cases() -> Vec<(String, Rule)> {
    let mut cases = vec![
        (with("Content-Length: 3\r\nTransfer-Encoding: chunked"), Rule::LengthAndCoding),
        (with("Content-Length: 3\r\nContent-Length: 4"), Rule::LengthRepeated),
        (with("Content-Length: 3\r\nContent-Length: 3"), Rule::LengthRepeated),
        (with("Transfer-Encoding: gzip, chunked"), Rule::CodingUnknown),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".into(), Rule::CodingInHttp10),
        (with("X: a\rb"), Rule::BareCarriageReturn),
        ("HTTP/1.1 200 OK\nX: a\n\n".into(), Rule::BareLineFeed),
        ("HTTP/1.1 200 OK\r\n X: a\r\n\r\n".into(), Rule::FoldedField),
        (chunked("0\r\nX: y\r\n z\r\n\r\n"), Rule::FoldedField),
        (with("X : a"), Rule::SpaceBeforeColon),
        (with("X\u{e9}: a"), Rule::FieldName),
        (with(": a"), Rule::FieldName),
        (with("Nothing"), Rule::NoColon),
        (with("X: a\0b"), Rule::ControlCharacter),
        (with("X: a\x1b[2J"), Rule::ControlCharacter),
        (with(&"X: a\r\n".repeat(120)), Rule::TooManyFields),
        ("HTTP/2.0 200 OK\r\n\r\n".into(), Rule::Version),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n".into(), Rule::StatusLine),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n".into(), Rule::SwitchingProtocols),
        ("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20), Rule::TooManyInformational),
        (chunked("3\r\nabcd\r\n0\r\n\r\n"), Rule::ChunkEnd),
        (chunked("3\nabc\r\n0\r\n\r\n"), Rule::BareLineFeed),
        (chunked("3;x\nabc\r\n0\r\n\r\n"), Rule::BareLineFeed),
        (chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), Rule::ChunkSizeOverflow),
        (chunked("0\r\nX : y\r\n\r\n"), Rule::SpaceBeforeColon),
    ];
    for status in ["000", "099", "20", "2000", "+200", "2x0", ""] {
        cases.push((format!("HTTP/1.1 {status} OK\r\nX: a\r\n\r\n"), Rule::StatusLine));
    }
    for line in ["HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1  200 OK", "HTTP/1.1200 OK"] {
        cases.push((format!("{line}\r\nX: a\r\n\r\n"), Rule::StatusLine));
    }
    for line in ["HTTP/2 200 OK", "HTTP/0.9 200 OK", "HTTP/3.1 200 OK"] {
        cases.push((format!("{line}\r\nX: a\r\n\r\n"), Rule::Version));
    }
    for length in ["+3", "-3", "3_0", "0x3", "3 3", "3,3", "", "18446744073709551616"] {
        cases.push((with(&format!("Content-Length: {length}")), Rule::LengthInvalid));
    }
    for coding in ["chunked, gzip", "chunked, chunked"] {
        cases.push((with(&format!("Transfer-Encoding: {coding}")), Rule::ChunkedNotLast));
    }
    for coding in ["xchunked", "identity", "gzip", ""] {
        cases.push((with(&format!("Transfer-Encoding: {coding}")), Rule::CodingUnknown));
    }
    for size in ["+3", "0x3", "3_0", " 3", "g", ""] {
        cases.push((chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n")), Rule::ChunkSize));
    }
    cases
}

#[test]
fn none_is_a_page_and_nothing_behind_it_an_answer() {
    for (response, rule) in cases() {
        for cut in [usize::MAX, 1] {
            let (mut bench, conn) = Bench::client();
            let all = response.clone() + SPLIT;
            for piece in all.as_bytes().chunks(cut.min(all.len())) {
                bench.feed(conn, piece);
            }
            bench.inbound(StreamUp::PeerClosed { conn, clean: true });
            let ups = bench.ups();
            let results: Vec<_> = ups
                .iter()
                .filter_map(|up| match up {
                    ExchangeUp::Closed { result, .. } => Some(result),
                    _ => None,
                })
                .collect();
            let [Err(ExchangeError::Malformed { rule: said, .. })] = results.as_slice() else {
                panic!("{response:?} should be malformed, but ended {results:?}");
            };
            // A limit has its number behind the sentence.
            let parts = [rule.sentence(), rule.source()];
            assert!(parts.iter().all(|part| said.contains(part)), "{response:?}: {said}");
            assert!(bench.has_closed(), "after {response:?} the connection should end");
            // The next request goes elsewhere.
            let before = bench.connecting();
            bench.ask(asked(1), Method::GET, BodyLength::None);
            assert_ne!(bench.connecting(), before, "{response:?}");
            let answered = bench.ups().iter().any(|up| matches!(up, ExchangeUp::Response { .. }));
            assert!(!answered, "{response:?}: what stood behind it was taken for an answer");
        }
    }
}

#[test]
fn the_place_that_is_told_counts_from_the_beginning_of_the_message() {
    let head = chunked("").len() as u64;
    for (body, place) in [("x", 0), ("3\r\nabcd", 6), ("3\r\nabc\r\n0\r\nA: b\r\nC d\r\n\r\n", 20)] {
        for cut in [usize::MAX, 1] {
            let (mut bench, conn) = Bench::client();
            let all = chunked(body);
            for piece in all.as_bytes().chunks(cut.min(all.len())) {
                bench.feed(conn, piece);
            }
            let (_, Some(Err(ExchangeError::Malformed { offset, .. }))) = bench.outcome() else {
                panic!("{body:?} should be malformed");
            };
            assert_eq!(offset, head + place, "{body:?}");
        }
    }
}

#[test]
fn the_place_that_is_told_is_that_of_the_field() {
    for (fields, place) in [
        ("X: a\r\nContent-Length: 3\r\nContent-Length: 3", 42),
        ("X: a\r\nContent-Length: x", 23),
        ("X: a\r\nTransfer-Encoding: gzip", 23),
        ("X: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", 42),
    ] {
        let (mut bench, conn) = Bench::client();
        bench.feed(conn, with(fields).as_bytes());
        let (_, Some(Err(ExchangeError::Malformed { offset, .. }))) = bench.outcome() else {
            panic!("{fields:?} should be malformed");
        };
        assert_eq!(offset, place, "{fields:?}");
    }
}
