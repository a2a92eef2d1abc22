//! Whole exchanges, step by step: keep-alive, pipelining, bodies of all kinds, and ends of all kinds.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Bench, accepted, asked};
use framewise_core::seams::exchange::*;
use framewise_core::seams::stream::*;
use framewise_http::{Config, Limits, Method, read_response};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

#[test]
fn a_small_request_is_exactly_its_bytes() {
    let (mut bench, _) = Bench::client();
    assert_eq!(bench.sends.len(), 1, "one piece");
    assert_eq!(bench.sent().as_bytes(), GET);
}

#[test]
fn a_small_answer_leaves_in_one_piece() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), GET);
    let request = bench.requests().remove(0);
    bench.answer(request.exchange, 200, "<h1>shop</h1>\n");
    assert_eq!(bench.sends.len(), 1, "head and body in one piece");
    assert_eq!(
        bench.sent(),
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>shop</h1>\n"
    );
    assert!(matches!(bench.outcome().1, Some(Ok(()))));
    assert!(!bench.has_closed(), "the connection waits for the next request");
}

#[test]
fn a_large_piece_is_passed_on_and_not_copied() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    bench.respond(exchange, 200, BodyLength::Known(100_000));
    let data = Bytes::from(vec![7; 100_000]);
    let place = data.as_ptr();
    bench.outbound(ExchangeDown::Body { exchange, data });
    assert_eq!(bench.sends.len(), 2, "the head, then the body");
    assert_eq!(bench.sends[1].as_ptr(), place);
}

#[test]
fn a_head_does_not_wait_for_ever_for_its_body() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    bench.respond(exchange, 200, BodyLength::Unknown);
    assert_eq!(bench.sent(), "", "the head waits for what belongs with it");
    bench.at(bench.http_deadline());
    assert!(bench.sent().ends_with("Transfer-Encoding: chunked\r\n\r\n"));
}

impl Bench {
    fn http_deadline(&self) -> framewise_core::Instant {
        framewise_core::Layer::poll_timeout(&self.http).expect("the layer should want to be called")
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut bench = Bench::server();
    let two = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
    bench.feed(accepted(0), two);
    let first = bench.requests();
    assert_eq!(first.len(), 1, "the second waits for the first's answer");
    assert_eq!(first[0].head.target, "/1");
    bench.answer(first[0].exchange, 200, "one");
    let second = bench.requests();
    assert_eq!(second[0].head.target, "/2");
    bench.answer(second[0].exchange, 200, "two");
    let sent = bench.sent();
    assert!(sent.find("one").unwrap() < sent.find("two").unwrap());
}

#[test]
fn connection_close_and_http_10_end_the_connection() {
    for (request, kept) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
    ] {
        let mut bench = Bench::server();
        bench.feed(accepted(0), request.as_bytes());
        let exchange = bench.requests().remove(0).exchange;
        bench.answer(exchange, 200, "page");
        assert_eq!(!bench.has_closed(), kept, "{request:?}");
        assert_eq!(bench.sent().contains("Connection: close"), !kept, "{request:?}");
    }
}

#[test]
fn http_10_gets_a_body_of_unknown_length_until_the_close() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let exchange = bench.requests().remove(0).exchange;
    bench.respond(exchange, 200, BodyLength::Unknown);
    let data = Bytes::from_static(b"page");
    bench.outbound(ExchangeDown::Body { exchange, data });
    bench.outbound(ExchangeDown::End { exchange });
    let sent = bench.sent();
    assert!(sent.ends_with("\r\n\r\npage") && !sent.contains("Transfer-Encoding"), "{sent:?}");
    assert!(bench.has_closed());
}

#[test]
fn head_204_and_304_have_no_body() {
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let mut bench = Bench::server();
        bench.feed(accepted(0), format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let exchange = bench.requests().remove(0).exchange;
        bench.answer(exchange, status, "page");
        let sent = bench.sent();
        assert!(sent.ends_with("\r\n\r\n"), "{method} {status}: {sent:?}");
        assert_eq!(sent.contains("Content-Length: 4"), method == "HEAD", "{sent:?}");
        bench.feed(accepted(0), GET);
        assert_eq!(bench.requests().len(), 1, "and the connection goes on");
    }
}

#[test]
fn the_server_says_continue_when_the_application_wants_the_body() {
    let mut bench = Bench::server();
    bench.feed(
        accepted(0),
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    );
    let exchange = bench.requests().remove(0).exchange;
    assert_eq!(bench.sent(), "");
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 10 });
    assert_eq!(bench.sent(), "HTTP/1.1 100 Continue\r\n\r\n");
    bench.feed(accepted(0), b"page");
    assert_eq!(bench.outcome().0, b"page");
}

#[test]
fn who_speaks_http_10_or_has_its_answer_is_not_told_to_continue() {
    let post = |version: &str| {
        let mut bench = Bench::server();
        let fields = "Host: a\r\nContent-Length: 4\r\nExpect: 100-continue";
        bench.feed(accepted(0), format!("POST / {version}\r\n{fields}\r\n\r\n").as_bytes());
        let exchange = bench.requests().remove(0).exchange;
        (bench, exchange)
    };
    let (mut bench, exchange) = post("HTTP/1.0");
    bench.respond(exchange, 103, BodyLength::None);
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 10 });
    assert_eq!(bench.sent(), "", "HTTP/1.0 knows no informational responses");
    bench.feed(accepted(0), b"page");
    assert_eq!(bench.outcome().0, b"page");

    let (mut bench, exchange) = post("HTTP/1.1");
    bench.respond(exchange, 200, BodyLength::Known(4));
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 10 });
    bench.outbound(ExchangeDown::Body { exchange, data: Bytes::from_static(b"page") });
    bench.outbound(ExchangeDown::End { exchange });
    let sent = bench.sent();
    assert!(sent.starts_with("HTTP/1.1 200 OK\r\n") && sent.ends_with("\r\n\r\npage"), "{sent:?}");
    assert!(!sent.contains("Continue"), "{sent:?}");
}

#[test]
fn more_requests_at_a_time_than_may_be_are_to_come_again() {
    let mut bench = Bench::new(Config { exchanges: 1, ..Config::default() });
    (0..2).for_each(|index| bench.accept(accepted(index)));
    bench.feed(accepted(0), GET);
    let first = bench.requests().remove(0).exchange;
    bench.feed(accepted(1), GET);
    assert!(bench.requests().is_empty());
    let refusal = bench.sent();
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal:?}");
    assert!(refusal.contains("\r\nRetry-After: 1\r\n"), "{refusal:?}");
    assert!(matches!(bench.down.as_slice(), [StreamDown::Close { conn }] if *conn == accepted(1)));
    assert_eq!(bench.counters.drops("http", "too many exchanges"), 1);
    bench.answer(first, 200, "page");
    assert!(bench.sent().ends_with("\r\n\r\npage"), "who came first is answered");
    bench.feed(accepted(0), GET);
    assert_eq!(bench.requests().len(), 1, "and there is room for another");
}

/// RFC 9112, section 9.6, whoever says it.
#[test]
fn nothing_is_processed_after_close() {
    for client_says_it in [true, false] {
        let mut bench = Bench::server();
        let field = if client_says_it { "Connection: close\r\n" } else { "" };
        let two = format!("GET /1 HTTP/1.1\r\nHost: a\r\n{field}\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
        bench.feed(accepted(0), two.as_bytes());
        let exchange = bench.requests().remove(0).exchange;
        if !client_says_it {
            let port = common::LOCAL.rsplit(':').next().unwrap().parse().unwrap();
            bench.outbound(ExchangeDown::Unlisten { endpoint: Endpoint { address: None, port } });
        }
        bench.answer(exchange, 200, "one");
        bench.feed(accepted(0), GET);
        assert!(bench.requests().is_empty(), "neither what came with it nor what comes after");
        let sent = bench.sent();
        assert!(sent.contains("Connection: close\r\n") && sent.ends_with("\r\n\r\none"), "{sent:?}");
        assert!(bench.has_closed());
    }
}

#[test]
fn a_body_waits_for_credit() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\npage");
    let exchange = bench.requests().remove(0).exchange;
    assert_eq!(bench.outcome().0, b"");
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 3 });
    assert_eq!(bench.outcome().0, b"pag");
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 1 });
    assert!(matches!(bench.ups().as_slice(), [ExchangeUp::Body { .. }, ExchangeUp::End { .. }]));
}

#[test]
fn misuse_ends_the_exchange_with_a_reason() {
    let wrong: [fn(&mut Bench, framewise_core::id::ExchangeId); 4] = [
        |bench, exchange| {
            bench.respond(exchange, 200, BodyLength::Known(2));
            bench.outbound(ExchangeDown::End { exchange });
        },
        |bench, exchange| {
            bench.respond(exchange, 200, BodyLength::Known(2));
            let data = Bytes::from_static(b"page");
            bench.outbound(ExchangeDown::Body { exchange, data });
        },
        |bench, exchange| {
            let data = Bytes::from_static(b"page");
            bench.outbound(ExchangeDown::Body { exchange, data });
        },
        |bench, exchange| {
            bench.respond(exchange, 200, BodyLength::Unknown);
            bench.respond(exchange, 200, BodyLength::Unknown);
        },
    ];
    for act in wrong {
        let mut bench = Bench::server();
        bench.feed(accepted(0), GET);
        let exchange = bench.requests().remove(0).exchange;
        act(&mut bench, exchange);
        assert!(matches!(bench.outcome().1, Some(Err(ExchangeError::Misuse(_)))));
        assert!(bench.has_closed());
    }
}

#[test]
fn a_field_can_not_break_out_of_its_line() {
    let mut bench = Bench::server();
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    let head = Box::new(ResponseHead {
        version: Version::Http11,
        status: framewise_http::StatusCode::OK,
        reason: String::new(),
        headers: [("X", "a\r\nSet-Cookie: b")].into_iter().collect(),
    });
    let body = BodyLength::None;
    bench.outbound(ExchangeDown::Respond { exchange, head, body });
    assert!(matches!(bench.outcome().1, Some(Err(ExchangeError::Misuse(_)))));
    assert_eq!(bench.sent(), "");
}

#[test]
fn a_client_that_is_slow_or_leaves() {
    let timeouts = Config::default();
    let mut bench = Bench::server();
    bench.feed(accepted(0), b"GET / HT");
    bench.at(framewise_core::Instant::ZERO + timeouts.head_timeout);
    assert!(bench.sent().starts_with("HTTP/1.1 408 "));

    let mut bench = Bench::server();
    bench.at(framewise_core::Instant::ZERO + timeouts.head_timeout);
    assert_eq!(bench.sent(), "");
    assert!(bench.has_closed(), "a silent client is closed without a word");

    let mut bench = Bench::server();
    bench.feed(accepted(0), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npag");
    let exchange = bench.requests().remove(0).exchange;
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 100 });
    bench.at(framewise_core::Instant::ZERO + timeouts.pace_period + Duration::from_secs(1));
    assert!(bench.sent().starts_with("HTTP/1.1 408 "));
    assert!(matches!(bench.outcome().1, Some(Err(ExchangeError::TimedOut(_)))));

    let mut bench = Bench::server();
    bench.feed(accepted(0), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npag");
    let exchange = bench.requests().remove(0).exchange;
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 100 });
    bench.inbound(StreamUp::PeerClosed { conn: accepted(0), clean: true });
    let cut = ExchangeError::Truncated { received: 3, expected: Some(9), unsaid: false };
    assert_eq!(bench.outcome().1, Some(Err(cut)));
}

#[test]
fn unlisten_finishes_what_was_begun() {
    let mut bench = Bench::server();
    bench.accept(accepted(1));
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    let port = common::LOCAL.rsplit(':').next().unwrap().parse().unwrap();
    let endpoint = Endpoint { address: None, port };
    bench.outbound(ExchangeDown::Unlisten { endpoint });
    let closes = |bench: &Bench| {
        let closes = bench.down.iter();
        closes.filter(|down| matches!(down, StreamDown::Close { .. })).count()
    };
    assert_eq!(closes(&bench), 1, "the idle connection is closed, the busy one is not");
    bench.answer(exchange, 200, "page");
    assert!(bench.sent().contains("Connection: close"));
    assert_eq!(closes(&bench), 2);
}

// The client's side.

/// Answers the client's GET with `response`, then closes as `clean` says.
fn answered(response: &str, clean: Option<bool>) -> (Vec<u8>, Option<Result<(), ExchangeError>>) {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, response.as_bytes());
    if let Some(clean) = clean {
        bench.inbound(StreamUp::PeerClosed { conn, clean });
    }
    bench.outcome()
}

#[test]
fn a_body_cut_short_is_never_a_page() {
    let truncated =
        |received, expected| Some(Err(ExchangeError::Truncated { received, expected, unsaid: false }));
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npage";
    assert_eq!(answered(length, Some(true)), (b"page".to_vec(), truncated(4, Some(9))));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n";
    assert_eq!(answered(chunked, Some(true)), (b"page".to_vec(), truncated(4, None)));
    let until_close = "HTTP/1.1 200 OK\r\n\r\npage";
    let unsaid = ExchangeError::Truncated { received: 4, expected: None, unsaid: true };
    assert!(unsaid.to_string().contains("without close_notify"), "{unsaid}");
    assert_eq!(answered(until_close, Some(false)), (b"page".to_vec(), Some(Err(unsaid))));
    assert_eq!(answered(until_close, Some(true)), (b"page".to_vec(), Some(Ok(()))));
    assert_eq!(answered(until_close, None), (b"page".to_vec(), None));
}

#[test]
fn what_came_in_place_of_an_answer_is_told() {
    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let not_http = |begins: &str| ExchangeError::NotHttp { begins: begins.to_owned() };
    for (came, error) in [
        ("", ExchangeError::NoAnswer),
        ("H", ExchangeError::HeadCutShort { received: 1 }),
        ("HTTP/1.1 200", ExchangeError::HeadCutShort { received: 12 }),
        ("HTTP/1.1 200 OK\r\nX: a\r\n", ExchangeError::HeadCutShort { received: 23 }),
        (HINTS, ExchangeError::OnlyInformational { count: 1 }),
        (&HINTS.repeat(2), ExchangeError::OnlyInformational { count: 2 }),
        (&format!("{HINTS}HTTP"), ExchangeError::HeadCutShort { received: 4 }),
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", not_http("SSH-2.0-OpenSSH_9.2p1 De")),
        ("ICY 200 OK\r\n\r\n", not_http("ICY 200 OK")),
        ("http/1.1 200 OK\r\n\r\n", not_http("http/1.1 200 OK")),
        ("<h1>shop</h1>", not_http("<h1>shop</h1>")),
        // The same though the line's end comes later: of 24 bytes the last is CR.
        ("220 a.mail.test ready..\r\n", not_http("220 a.mail.test ready..\\r")),
        ("\0\u{1b}[2J", not_http("\\x00\\x1b[2J")),
        ("HTTQ", not_http("HTTQ")),
    ] {
        assert_eq!(answered(came, Some(true)), (vec![], Some(Err(error))), "{came:?}");
    }
    let at_once = answered("220 mail.test ESMTP\r\n", None).1;
    assert_eq!(at_once, Some(Err(not_http("220 mail.test ESMTP"))));
}

#[test]
fn complete_by_framing_is_complete_though_tls_was_cut() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
    assert_eq!(answered(whole, Some(false)), (b"page".to_vec(), Some(Ok(()))));
}

#[test]
fn responses_that_break_rules_are_malformed() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\nX: a\n\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let (_, closed) = answered(response, Some(true));
        let malformed = matches!(closed, Some(Err(ExchangeError::Malformed { .. })));
        assert!(malformed, "{response:?} should be malformed, but was {closed:?}");
    }
    let endless = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20);
    assert!(matches!(answered(&endless, None).1, Some(Err(ExchangeError::Malformed { .. }))));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(20_000));
    assert!(matches!(answered(&long, None).1, Some(Err(ExchangeError::TooLong { .. }))));
}

#[test]
fn an_answer_in_tls_is_known_as_one() {
    // An alert, and the beginning of a handshake (RFC 8446, sections 5.1 and 6).
    for record in ["\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}", "\u{16}\u{3}\u{1}"] {
        assert_eq!(answered(record, None).1, Some(Err(ExchangeError::SpeaksTls)), "{record:?}");
    }
    let late = answered("HTTP/1.1 200 OK\r\n\u{15}\u{3}\u{3}", None).1;
    assert!(matches!(late, Some(Err(ExchangeError::Malformed { .. }))), "{late:?}");
}

#[test]
fn a_status_of_600_or_above_is_an_answer() {
    // RFC 9110 §15: as if it were one of 5xx.
    for status in ["600", "999"] {
        let answer = format!("HTTP/1.1 {status} What\r\nContent-Length: 4\r\n\r\npage");
        assert_eq!(answered(&answer, None), (b"page".to_vec(), Some(Ok(()))));
    }
}

#[test]
fn a_reason_phrase_is_kept_as_it_came() {
    let all = Limits::default();
    let reason = |line: &[u8]| {
        let bytes = [line, b"\r\nX: a b c\r\n\r\n"].concat();
        read_response(&bytes, &all).unwrap().unwrap().0.reason
    };
    assert_eq!(reason(b"HTTP/1.1 200 OK"), "OK");
    assert_eq!(reason(b"HTTP/1.1 404 Not  Found "), "Not  Found ");
    assert_eq!(reason(b"HTTP/1.1 404 Not\tFound"), "Not\tFound");
    assert_eq!(reason(b"HTTP/1.1 200 "), "");
    assert_eq!(reason(b"HTTP/1.1 200"), "");
    // obs-text (RFC 9112 §4).
    assert_eq!(
        reason("HTTP/1.1 404 Nicht gefunden, schöne Grüße".as_bytes()),
        "Nicht gefunden, schöne Grüße"
    );
    assert_eq!(reason(b"HTTP/1.2 404 Sch\xf6n"), "Sch\u{fffd}n");
}

#[test]
fn informational_responses_come_before_the_real_one() {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let ups = bench.ups().into_iter();
    let statuses: Vec<u16> = ups
        .filter_map(|up| match up {
            ExchangeUp::Response { head, .. } => Some(head.status.as_u16()),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [103, 200]);
}

#[test]
fn a_field_of_a_response_may_go_on_in_the_next_line() {
    let response = b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length:\r\n 2\r\n\r\nhi";
    for cut in [response.len(), 1] {
        let (mut bench, conn) = Bench::client();
        response.chunks(cut).for_each(|piece| bench.feed(conn, piece));
        let ups = bench.ups();
        let head = ups.iter().find_map(|up| match up {
            ExchangeUp::Response { head, .. } => Some(head),
            _ => None,
        });
        assert_eq!(head.unwrap().headers.text("x"), Some("a   b  \tc"));
        let body = ups.iter().find_map(|up| match up {
            ExchangeUp::Body { data, .. } => Some(data.to_vec()),
            _ => None,
        });
        assert!(body.is_some_and(|body| b"hi".starts_with(&body)));
        assert!(ups.iter().any(|up| matches!(up, ExchangeUp::Closed { result: Ok(()), .. })), "{ups:?}");
    }
}

#[test]
fn a_later_minor_version_is_read_as_ours() {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let (body, outcome) = bench.outcome();
    assert_eq!((body.as_slice(), outcome), (&b"hi"[..], Some(Ok(()))));
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_kept_connection_is_used_again() {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, EMPTY);
    bench.sent();
    bench.ups();
    bench.ask(asked(1), Method::GET, BodyLength::None);
    assert_eq!(bench.sent().as_bytes(), GET);
    assert!(matches!(bench.ups()[0], ExchangeUp::Connected { reused: true, .. }));
    assert_eq!(bench.http.connections(), 1);
}

#[test]
fn who_says_close_or_speaks_http_10_is_not_asked_again_there() {
    for (head, kept) in [
        ("HTTP/1.1 200 OK\r\nConnection: close", false),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close", false),
        ("HTTP/1.0 200 OK", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive", true),
        ("HTTP/1.1 200 OK", true),
    ] {
        let (mut bench, conn) = Bench::client();
        bench.feed(conn, format!("{head}\r\nContent-Length: 4\r\n\r\npage").as_bytes());
        assert_eq!(bench.outcome(), (b"page".to_vec(), Some(Ok(()))), "{head:?}");
        assert_eq!(!bench.has_closed(), kept, "{head:?}");
        bench.sent();
        bench.ask(asked(1), Method::GET, BodyLength::None);
        assert_eq!(bench.connecting() == conn, kept, "{head:?}");
        assert_eq!(bench.sent().as_bytes() == GET, kept, "{head:?}");
        if !kept {
            bench.feed(conn, EMPTY);
            assert_eq!(bench.outcome(), (vec![], None), "what comes after close is no answer");
        }
    }
}

#[test]
fn after_head_204_and_304_no_body_is_waited_for() {
    let cases =
        [(Method::HEAD, "200 OK"), (Method::GET, "204 No Content"), (Method::GET, "304 Not Modified")];
    for (method, status) in cases {
        let mut bench = Bench::new(Config::default());
        bench.ask(asked(0), method, BodyLength::None);
        let conn = bench.open();
        bench.feed(conn, format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\n").as_bytes());
        assert_eq!(bench.outcome(), (vec![], Some(Ok(()))), "{status}");
        bench.ask(asked(1), Method::GET, BodyLength::None);
        bench.feed(conn, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
        assert_eq!(bench.outcome(), (b"page".to_vec(), Some(Ok(()))), "the next answer, after {status}");
        assert_eq!(bench.http.connections(), 1);
    }
}

#[test]
fn a_stale_connection_costs_one_retry_of_what_may_be_repeated() {
    for (method, retried) in [(Method::GET, true), (Method::POST, false)] {
        let (mut bench, conn) = Bench::client();
        bench.feed(conn, EMPTY);
        bench.ups();
        bench.ask(asked(1), method.clone(), BodyLength::None);
        bench.sent();
        let reason = CloseReason::Reset;
        bench.inbound(StreamUp::Closed { conn, reason });
        assert_eq!(bench.outcome().1.is_none(), retried, "{method}");
        if retried {
            let fresh = bench.open();
            assert_eq!(bench.sent().as_bytes(), GET);
            bench.feed(fresh, EMPTY);
            assert_eq!(bench.outcome().1, Some(Ok(())));
        }
    }
}

#[test]
fn bytes_that_belong_to_no_request_end_the_connection() {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, EMPTY);
    bench.feed(conn, EMPTY);
    assert!(bench.has_closed());
    assert_eq!(bench.counters.drops("http", "bytes that belong to no request"), 1);
}

#[test]
fn a_cancelled_request_ends_once() {
    let (mut bench, conn) = Bench::client();
    let exchange = asked(0);
    bench.outbound(ExchangeDown::Cancel { exchange });
    assert_eq!(bench.outcome().1, Some(Err(ExchangeError::Cancelled)));
    bench.outbound(ExchangeDown::Cancel { exchange });
    let reason = CloseReason::Aborted;
    bench.inbound(StreamUp::Closed { conn, reason });
    assert!(bench.ups().is_empty());
    assert_eq!((bench.http.connections(), bench.http.exchanges()), (0, 0));
}

#[test]
fn a_connection_that_never_comes_about_is_said() {
    let mut bench = Bench::new(Config::default());
    bench.ask(asked(0), Method::GET, BodyLength::None);
    let conn = bench.connecting();
    let reason = CloseReason::Refused;
    bench.inbound(StreamUp::Closed { conn, reason });
    let refused = ExchangeError::Connection(CloseReason::Refused);
    assert_eq!(bench.outcome().1, Some(Err(refused)));
}

#[test]
fn what_came_before_a_reset_still_comes_up() {
    let (mut bench, conn) = Bench::client();
    bench.feed(conn, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npage");
    let reason = CloseReason::Reset;
    bench.inbound(StreamUp::Closed { conn, reason });
    let (body, closed) = bench.outcome();
    assert_eq!(body, b"page");
    assert_eq!(closed, Some(Err(ExchangeError::Connection(CloseReason::Reset))));
    assert_eq!(bench.http.connections(), 0);
}

#[test]
fn one_client_has_no_more_connections_than_it_may() {
    let config = Config { connections_per_client: 2, ..Config::default() };
    let mut bench = Bench::new(config);
    let from = |bench: &mut Bench, index, remote: &str| {
        let info = ConnInfo { remote: remote.parse().unwrap(), ..*common::info() };
        bench.inbound(StreamUp::Opened { conn: accepted(index), info: Box::new(info) });
        !bench.down.iter().any(|down| matches!(down, StreamDown::Abort { conn } if *conn == accepted(index)))
    };
    assert!(from(&mut bench, 0, "192.0.2.1:1") && from(&mut bench, 1, "192.0.2.1:2"));
    assert!(!from(&mut bench, 2, "192.0.2.1:3"), "a third one");
    assert_eq!(bench.counters.drops("http", "too many connections of one client"), 1);
    assert!(from(&mut bench, 3, "192.0.2.2:1"), "another client's");
    // One of the two ends; the one that was refused counts no more.
    for index in [2, 0] {
        bench.inbound(StreamUp::Closed { conn: accepted(index), reason: CloseReason::Aborted });
    }
    assert!(from(&mut bench, 4, "192.0.2.1:4"));
    assert!(!from(&mut bench, 5, "192.0.2.1:5"));
    // Of IPv6 a client has a whole network.
    assert!(from(&mut bench, 6, "[2001:db8::1]:1") && from(&mut bench, 7, "[2001:db8::ffff:2]:1"));
    assert!(!from(&mut bench, 8, "[2001:db8::3]:1"));
    assert!(from(&mut bench, 9, "[2001:db8:0:1::3]:1"));
}

#[test]
fn a_server_with_a_clock_dates_its_answers() {
    let config = Config { epoch: Some(Duration::from_secs(784_111_770)), ..Config::default() };
    let mut bench = Bench::new(config.clone());
    bench.accept(accepted(0));
    bench.at(framewise_core::Instant::from_secs(7));
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    bench.answer(exchange, 200, "page");
    let date = "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    assert!(bench.sent().contains(date));
    bench.feed(accepted(0), b"no request\r\n\r\n");
    assert!(bench.sent().contains(date), "what the layer answers by itself is dated, too");

    // What the application says counts; a year of five digits is none.
    let mut bench = Bench::new(Config { epoch: Some(Duration::from_secs(u64::MAX)), ..config });
    bench.accept(accepted(0));
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    let head = Box::new(ResponseHead {
        version: Version::Http11,
        status: framewise_http::StatusCode::NO_CONTENT,
        reason: String::new(),
        headers: [("date", "mine")].into_iter().collect(),
    });
    bench.outbound(ExchangeDown::Respond { exchange, head, body: BodyLength::None });
    bench.outbound(ExchangeDown::End { exchange });
    assert_eq!(bench.sent(), "HTTP/1.1 204 No Content\r\ndate: mine\r\n\r\n");
    bench.feed(accepted(0), b"no request\r\n\r\n");
    assert!(bench.sent().contains("Date: Fri, 31 Dec 9999 23:59:59 GMT"));
}

#[test]
fn trailers_are_taken_and_mean_nothing() {
    let mut bench = Bench::server();
    bench.feed(
        accepted(0),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\nContent-Length: 99\r\nHost: b\r\nConnection: close\r\n\r\n",
    );
    let request = bench.requests().remove(0);
    let exchange = request.exchange;
    bench.outbound(ExchangeDown::Grant { exchange, bytes: 10 });
    assert_eq!(bench.outcome().0, b"page");
    assert_eq!(request.head.headers.text("host"), Some("a"));
    bench.answer(exchange, 200, "page");
    bench.feed(accepted(0), GET);
    assert_eq!(bench.requests().len(), 1, "and the connection goes on");
}

#[test]
fn a_flood_of_pipelined_requests_waits_outside() {
    let mut bench = Bench::server();
    let flood = GET.repeat(100_000);
    bench.feed(accepted(0), &flood);
    assert_eq!(bench.requests().len(), 1);
    assert_eq!(bench.granted, 0, "nothing more may come before the first is answered");
}

#[test]
fn a_reader_that_takes_next_to_nothing_is_left() {
    let config = Config { minimum_rate: 1, ..Config::default() };
    let mut bench = Bench::new(config.clone());
    bench.inbound(StreamUp::Opened { conn: accepted(0), info: common::info() });
    bench.inbound(StreamUp::Writable { conn: accepted(0), bytes: 1_000 });
    bench.feed(accepted(0), GET);
    let exchange = bench.requests().remove(0).exchange;
    bench.respond(exchange, 200, BodyLength::Known(3_000));
    bench.outbound(ExchangeDown::Body { exchange, data: Bytes::from(vec![7; 3_000]) });
    bench.outbound(ExchangeDown::End { exchange });
    // Fast enough over one period, and then not.
    bench.inbound(StreamUp::Writable { conn: accepted(0), bytes: 100 });
    bench.at(framewise_core::Instant::ZERO + config.reader_period);
    assert!(!bench.has_closed());
    bench.inbound(StreamUp::Writable { conn: accepted(0), bytes: 10 });
    bench.at(framewise_core::Instant::ZERO + config.reader_period * 2);
    assert!(bench.has_closed());
    assert_eq!(bench.outcome().1, Some(Err(ExchangeError::TimedOut("sending the answer"))));
    assert_eq!(bench.counters.drops("http", "reader too slow"), 1);
}
