//! An application that speaks before its connection is there: its bytes leave in order, and all of them.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Bench, accepted, asked};
use framewise_core::Layer;
use framewise_core::seams::exchange::*;
use framewise_core::seams::stream::*;
use framewise_http::{Config, Method};

/// A client whose kept connection has served one request and carries the head of a PUT, whose body has not begun.
fn put_on_a_kept_connection() -> Bench {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    bench.sent();
    bench.ask(asked(1), Method::PUT, BodyLength::Unknown);
    bench
}

#[test]
fn the_end_of_a_body_said_before_the_connection_is_open_follows_the_head() {
    let mut bench = Bench::new(Config::default());
    bench.ask(asked(0), Method::POST, BodyLength::Unknown);
    bench.outbound(ExchangeDown::End { exchange: asked(0) });
    assert_eq!(bench.sent(), "", "there is no connection yet");
    bench.open();
    let sent = bench.sent();
    assert!(sent.starts_with("POST / HTTP/1.1\r\n"), "the head should come first, not {sent:?}");
    assert!(sent.ends_with("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "then the end: {sent:?}");
}

#[test]
fn a_body_that_ends_twice_is_a_misuse_before_the_connection_is_open_too() {
    let mut bench = Bench::new(Config::default());
    bench.ask(asked(0), Method::POST, BodyLength::Unknown);
    bench.outbound(ExchangeDown::End { exchange: asked(0) });
    bench.outbound(ExchangeDown::End { exchange: asked(0) });
    let misuse = ExchangeError::Misuse("a body ended twice");
    assert_eq!(bench.outcome().1, Some(Err(misuse)));
}

#[test]
fn a_request_sent_again_keeps_the_end_of_its_body() {
    let mut bench = put_on_a_kept_connection();
    bench.outbound(ExchangeDown::End { exchange: asked(1) });
    let first = bench.sent();
    assert!(first.ends_with("\r\n\r\n0\r\n\r\n"), "{first:?}");
    let kept = bench.connecting();
    bench.inbound(StreamUp::PeerClosed { conn: kept, clean: true });
    let fresh = bench.open();
    assert_ne!(fresh, kept);
    assert_eq!(bench.sent(), first, "all of it again");
}

#[test]
fn a_body_that_begins_while_its_request_is_sent_again_follows_the_head() {
    let mut bench = put_on_a_kept_connection();
    let kept = bench.connecting();
    bench.inbound(StreamUp::PeerClosed { conn: kept, clean: true });
    // The credit that the first connection gave still holds.
    let exchange = asked(1);
    bench.outbound(ExchangeDown::Body { exchange, data: Bytes::from_static(b"hello") });
    bench.outbound(ExchangeDown::End { exchange });
    bench.sent();
    bench.open();
    let sent = bench.sent();
    assert!(sent.starts_with("PUT / HTTP/1.1\r\n"), "the head should come first, not {sent:?}");
    assert!(sent.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{sent:?}");
}

#[test]
fn a_period_of_nothing_does_not_make_the_clock_spin() {
    let mut bench = Bench::new(Config { pace_period: Duration::ZERO, ..Config::default() });
    bench.accept(accepted(0));
    bench.feed(accepted(0), b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    let exchange = bench.requests().remove(0).exchange;
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 9 });
    let deadline = bench.http.poll_timeout().expect("the body is waited for");
    assert_eq!(deadline, bench.now + Duration::from_secs(1));
    bench.at(deadline);
    assert!(bench.sent().starts_with("HTTP/1.1 408 "), "nothing came in a second");
}
