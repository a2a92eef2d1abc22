//! Every kind of request that RFC 9112 has refused, what it gets, and that the connection ends.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{Bench, accepted};
use framewise_core::seams::exchange::ExchangeDown;
use framewise_http::Rule;

/// Feeds `request`, and checks the status, the rule that the page names, and the end of the connection.
#[track_caller]
fn check(request: &[u8], status: u16, rule: Rule) {
    let mut bench = Bench::server();
    bench.feed(accepted(0), request);
    if let Some(request) = bench.requests().first() {
        let exchange = request.exchange;
        bench.outbound(ExchangeDown::Grant { exchange, bytes: 1 << 20 });
    }
    let shown = String::from_utf8_lossy(request).into_owned();
    let answer = bench.sent();
    let expected = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&expected), "{shown:?} should have got {status}, but got {answer:?}");
    assert!(
        answer.contains(rule.sentence()) && answer.contains(rule.source()),
        "{shown:?} should be told {rule}, but was told {answer:?}"
    );
    assert!(
        answer.contains("Connection: close\r\n") && bench.has_closed(),
        "after {shown:?} the connection should end"
    );
    assert_eq!(bench.counters.drops("http", rule.name()), 1, "{rule} should be counted");
}

/// A request whose fields after `Host` are these.
fn with(fields: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n\r\n").into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    let mut request = with("Transfer-Encoding: chunked");
    request.extend_from_slice(body.as_bytes());
    request
}

#[test]
fn framing_that_could_be_read_in_two_ways() {
    // RFC 9112 §6.1, §6.3, RFC 9110 §8.6
    check(&with("Content-Length: 3\r\nTransfer-Encoding: chunked"), 400, Rule::LengthAndCoding);
    check(&with("Content-Length: 3\r\nContent-Length: 4"), 400, Rule::LengthRepeated);
    check(&with("Content-Length: 3\r\nContent-Length: 3"), 400, Rule::LengthRepeated);
    for length in ["+3", "-3", "3_0", "0x3", "3 3", "3,3", "", "18446744073709551616", "3;q"] {
        check(&with(&format!("Content-Length: {length}")), 400, Rule::LengthInvalid);
    }
    check(&with("Transfer-Encoding: chunked, gzip"), 400, Rule::ChunkedNotLast);
    check(&with("Transfer-Encoding: chunked, chunked"), 400, Rule::ChunkedNotLast);
    check(&with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400, Rule::ChunkedNotLast);
    check(&with("Transfer-Encoding: xchunked"), 400, Rule::ChunkedNotLast);
    check(&with("Transfer-Encoding:"), 400, Rule::ChunkedNotLast);
    check(&with("Transfer-Encoding: gzip, chunked"), 501, Rule::CodingUnknown);
    check(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, Rule::CodingInHttp10);
}

#[test]
fn lines_that_are_not_as_they_must_be() {
    // RFC 9112 §2.2, §5.1, §5.2; RFC 9110 §5.5
    check(b"GET / HTTP/1.1\nHost: a\n\n", 400, Rule::BareLineFeed);
    check(b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400, Rule::BareLineFeed);
    check(b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, Rule::BareCarriageReturn);
    check(&with("X: a\r\n b"), 400, Rule::FoldedField);
    check(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, Rule::FoldedField);
    check(&with("X : a"), 400, Rule::SpaceBeforeColon);
    check(&with("X\t: a"), 400, Rule::SpaceBeforeColon);
    check(&with("X(: a"), 400, Rule::FieldName);
    check(&with(": a"), 400, Rule::FieldName);
    check(&with("X\u{e9}: a"), 400, Rule::FieldName);
    check(&with("Content-Length 3"), 400, Rule::SpaceBeforeColon);
    check(&with("Nothing"), 400, Rule::NoColon);
    check(&with("X: a\0b"), 400, Rule::ControlCharacter);
    check(&with("X: a\x07b"), 400, Rule::ControlCharacter);
    check(&with("X: a\x7fb"), 400, Rule::ControlCharacter);
    check(b"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::ControlCharacter);
}

#[test]
fn first_lines() {
    // RFC 9112 §3, §3.2
    check(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b"GET /\r\n\r\n", 400, Rule::RequestLine);
    check(b"GET / http/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestLine);
    check(b"GET page HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestTarget);
    check(b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestTarget);
    check(b"GET /#top HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestTarget);
    check("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes(), 400, Rule::RequestTarget);
    check(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, Rule::Version);
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, Rule::Version);
    check(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, Rule::Method);
    check(b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, Rule::Method);
    check(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501, Rule::Method);
}

#[test]
fn hosts() {
    // RFC 9112 §3.2, RFC 9110 §7.2
    check(b"GET / HTTP/1.1\r\n\r\n", 400, Rule::HostMissing);
    check(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, Rule::HostRepeated);
    for host in ["a b", "a/b", "a@b", "a:b", "a:123456", "[::1", "[zz]", "a,b:x"] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        check(request.as_bytes(), 400, Rule::HostInvalid);
    }
}

#[test]
fn limits() {
    // RFC 6585 §5, RFC 9110 §15.5.14, §15.5.15
    check(&with(&format!("X: {}", "a".repeat(17_000))), 431, Rule::HeadTooLong);
    check(&with(&"X: a\r\n".repeat(120)), 431, Rule::TooManyFields);
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8_192));
    check(target.as_bytes(), 414, Rule::TargetTooLong);
    check(&with("Content-Length: 99999999999"), 413, Rule::BodyTooLong);
    check(&chunked("fffffffffff\r\n"), 413, Rule::BodyTooLong);
    check(&with("Expect: 200-ok"), 417, Rule::Expectation);
}

#[test]
fn chunks() {
    // RFC 9112 §7.1
    for size in ["+3", "-3", "0x3", "3_0", " 3", "3 ", "g", ""] {
        check(&chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n")), 400, Rule::ChunkSize);
    }
    check(&chunked("00000000000000003\r\nabc\r\n0\r\n\r\n"), 400, Rule::ChunkSizeOverflow);
    check(&chunked("3\r\nabcd\r\n0\r\n\r\n"), 400, Rule::ChunkEnd);
    check(&chunked("3\r\nabc\n0\r\n\r\n"), 400, Rule::ChunkEnd);
    check(&chunked("3\nabc\r\n0\r\n\r\n"), 400, Rule::BareLineFeed);
    check(&chunked("3;x\nabc\r\n0\r\n\r\n"), 400, Rule::BareLineFeed);
    check(&chunked(&format!("3;{}\r\nabc\r\n", "x".repeat(300))), 400, Rule::ChunkExtension);
    check(&chunked("3;\x01\r\nabc\r\n"), 400, Rule::ChunkExtension);
    check(&chunked("0\r\nX : y\r\n\r\n"), 400, Rule::SpaceBeforeColon);
    check(&chunked("0\r\n\n"), 400, Rule::BareLineFeed);
}
