//! Which host a request is for, and by which connections it may be asked for.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{Bench, accepted, info};
use framewise_core::seams::stream::*;
use framewise_http::{Config, Rule};

/// A server to which one client has connected by TLS, asking for the certificate of this name.
fn by_tls(server_name: Option<&str>) -> Bench {
    let mut info = info();
    info.tls = Some(TlsInfo {
        version: "TLS 1.3",
        cipher_suite: "TLS_AES_128_GCM_SHA256".to_owned(),
        alpn: None,
        server_name: server_name.map(str::to_owned),
        resumed: false,
        verified: false,
    });
    let conn = accepted(0);
    let mut bench = Bench::new(Config::default());
    bench.inbound(StreamUp::Opened { conn, info });
    bench.inbound(StreamUp::Writable { conn, bytes: 1 << 24 });
    bench
}

#[test]
fn a_target_that_is_a_url_names_the_host() {
    // RFC 9112 §3.2.2: whatever Host says.
    for (target, host, expected) in [
        ("http://b/page", "a", "b"),
        ("http://127.0.0.1:8080", "localhost", "127.0.0.1:8080"),
        ("HTTP://B?x", "a:80", "B"),
        ("http://a/", "", "a"),
        ("/page", "a", "a"),
    ] {
        let mut bench = Bench::server();
        bench.feed(accepted(0), format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        let request = bench.requests().remove(0);
        let hosts: Vec<_> = request.head.headers.all("host").collect();
        assert_eq!(hosts, [expected.as_bytes()], "{target}");
    }
    let mut bench = Bench::server();
    bench.feed(accepted(0), b"GET http://a/ HTTP/1.0\r\n\r\n");
    assert_eq!(bench.requests()[0].head.headers.text("host"), Some("a"), "also where there was none");
}

#[test]
fn what_is_for_another_host_than_the_certificate_is_misdirected() {
    // RFC 9110 §7.4, §15.5.20
    for (asked, target, host, is_right) in [
        (Some("shop.test"), "/", "shop.test", true),
        (Some("shop.test"), "/", "SHOP.test.:8443", true),
        (Some("shop.test"), "https://shop.test/", "bank.test", true),
        (Some("shop.test"), "/", "203.0.113.80:8443", true),
        (Some("shop.test"), "/", "[2001:db8::1]:8443", true),
        (Some("shop.test"), "/", "", true),
        (None, "/", "bank.test", true),
        (Some("shop.test"), "/", "bank.test", false),
        (Some("shop.test"), "/", "my.shop.test", false),
        (Some("shop.test"), "https://bank.test/", "shop.test", false),
    ] {
        let mut bench = by_tls(asked);
        bench.feed(accepted(0), format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(bench.requests().len(), usize::from(is_right), "{asked:?} {target} {host}");
        let sent = bench.sent();
        assert_eq!(sent.starts_with("HTTP/1.1 421 "), !is_right, "{asked:?} {target} {host}: {sent}");
        let counted = bench.counters.drops("http", Rule::HostOfOther.name());
        assert_eq!(counted, u64::from(!is_right), "{asked:?} {target} {host}");
    }
}

#[test]
fn a_url_of_https_is_answered_over_tls_alone() {
    let request = b"GET https://shop.test/ HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    let mut bench = by_tls(Some("shop.test"));
    bench.feed(accepted(0), request);
    assert_eq!(bench.requests().len(), 1);
    let mut bench = Bench::server();
    bench.feed(accepted(0), request);
    assert!(bench.requests().is_empty() && bench.sent().starts_with("HTTP/1.1 421 "));
}
