//! What is refused of HEAD: an answer to it is a head, whatever it says.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{Bench, accepted};
use framewise_core::seams::exchange::ExchangeDown;

#[test]
fn what_refuses_head_has_no_body_either() {
    let refused = |request: &str| {
        let mut bench = Bench::server();
        for piece in request.as_bytes().chunks(1_000) {
            bench.feed(accepted(0), piece);
        }
        assert!(bench.has_closed(), "{request:?}");
        bench.sent()
    };
    let lines: [fn(&str) -> String; 7] = [
        |method| format!("{method} / HTTP/1.1\r\n\r\n"),
        |method| format!("\r\n{method} / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"),
        |method| format!("{method} / HTTP/3.0\r\nHost: a\r\n\r\n"),
        |method| format!("{method} /{} HTTP/1.1\r\n", "a".repeat(8_192)),
        |method| format!("{method} / HTTP/1.1\r\nX: {}", "a".repeat(17_000)),
        |method| format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"),
        |method| format!("{method} / HTTP/1.1\r\nHost : a\r\n"),
    ];
    for line in lines {
        let (of_get, of_head) = (refused(&line("GET")), refused(&line("HEAD")));
        let (head, page) = of_get.split_once("\r\n\r\n").unwrap();
        assert!(!page.is_empty(), "{of_get}");
        assert_eq!(of_head, format!("{head}\r\n\r\n"), "of GET the same head, and a page");
    }
    assert!(!refused("HEADS / HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"), "another method");
}

#[test]
fn a_body_that_breaks_a_rule_after_head_gets_no_page() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let exchange = bench.requests().remove(0).exchange;
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 100 });
    bench.feed(accepted(0), b"x\r\n");
    let sent = bench.sent();
    assert!(sent.starts_with("HTTP/1.1 400 ") && sent.ends_with("\r\n\r\n"), "{sent}");
}
