//! Every kind of request that RFC 9112 has refused: what it gets, that the connection ends, and that nothing behind it is
//! ever read as a request.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::collections::BTreeSet;

use common::{Bench, accepted};
use framewise_core::seams::exchange::{ExchangeDown, ExchangeUp};
use framewise_http::{Method, Rule};

/// A request, the status that it gets, and the rule that is named.
struct Case {
    request: Vec<u8>,
    status: u16,
    rule: Rule,
}

fn case(request: impl Into<Vec<u8>>, status: u16, rule: Rule) -> Case {
    Case { request: request.into(), status, rule }
}

/// A request whose fields after `Host` are these.
fn with(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    with("Transfer-Encoding: chunked") + body
}

/// A request whose only field is this Host.
fn host(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// A request with this first line.
fn line(line: &str) -> String {
    format!("{line}\r\nHost: a\r\n\r\n")
}

/// RFC 9112 §6.1, §6.3, RFC 9110 §8.6: framing that could be read in two ways.
fn framing() -> Vec<Case> {
    let mut cases = vec![
        case(with("Content-Length: 3\r\nTransfer-Encoding: chunked"), 400, Rule::LengthAndCoding),
        case(with("Transfer-Encoding: chunked\r\nContent-Length: 3"), 400, Rule::LengthAndCoding),
        case(with("Content-Length: 0\r\nTransfer-Encoding: identity"), 400, Rule::LengthAndCoding),
        case(with("Content-Length: 3\r\nContent-Length: 4"), 400, Rule::LengthRepeated),
        case(with("Content-Length: 3\r\nContent-Length: 3"), 400, Rule::LengthRepeated),
        case(with("Content-Length: 3\r\ncontent-length: 30"), 400, Rule::LengthRepeated),
        case(with("Transfer-Encoding: gzip, chunked"), 501, Rule::CodingUnknown),
        case("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, Rule::CodingInHttp10),
    ];
    for length in
        ["+3", "-3", "3_0", "0x3", "3 3", "3,3", "3, 3", "", "3.0", "3e1", "18446744073709551616", "3;q"]
    {
        cases.push(case(with(&format!("Content-Length: {length}")), 400, Rule::LengthInvalid));
    }
    for coding in [
        " chunked, gzip",
        " chunked, chunked",
        " chunked\r\nTransfer-Encoding: chunked",
        " chunked\r\nTransfer-Encoding: identity",
        " xchunked",
        " chunkedx",
        " \"chunked\"",
        " chunked;q=1",
        " ,chunked",
        " chunked,",
        " identity",
        " gzip",
        "",
    ] {
        cases.push(case(with(&format!("Transfer-Encoding:{coding}")), 400, Rule::ChunkedNotLast));
    }
    cases
}

/// RFC 9112 §2.2, §5.1, §5.2, RFC 9110 §5.5: lines that are not as they must be.
fn lines() -> Vec<Case> {
    vec![
        case("GET / HTTP/1.1\nHost: a\n\n", 400, Rule::BareLineFeed),
        case("GET / HTTP/1.1\r\nHost: a\n\r\n", 400, Rule::BareLineFeed),
        case("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, Rule::BareLineFeed),
        case("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::BareLineFeed),
        case("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, Rule::BareCarriageReturn),
        case("GET / HTTP/1.1\rHost: a\r\r", 400, Rule::BareCarriageReturn),
        case("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, Rule::BareCarriageReturn),
        case(with("X: a\r\n b"), 400, Rule::FoldedField),
        case(with("X: a\r\n\tb"), 400, Rule::FoldedField),
        case(with("Transfer-Encoding:\r\n chunked"), 400, Rule::FoldedField),
        case("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, Rule::FoldedField),
        case(with("X : a"), 400, Rule::SpaceBeforeColon),
        case(with("X\t: a"), 400, Rule::SpaceBeforeColon),
        case(with("Transfer-Encoding : chunked"), 400, Rule::SpaceBeforeColon),
        case(with("X \t : a"), 400, Rule::SpaceBeforeColon),
        case(with("Content-Length 3"), 400, Rule::NoColon),
        case(with("Nothing at all"), 400, Rule::NoColon),
        case(with("Nothing "), 400, Rule::NoColon),
        case(with("X y: a"), 400, Rule::FieldName),
        case(with("X y : a"), 400, Rule::FieldName),
        case(with("X \0: a"), 400, Rule::ControlCharacter),
        case(with("X \n: a"), 400, Rule::BareLineFeed),
        case(with(&format!("X{}", " ".repeat(17_000))), 431, Rule::HeadTooLong),
        case(with("X(: a"), 400, Rule::FieldName),
        case(with("X\": a"), 400, Rule::FieldName),
        case(with("X/Y: a"), 400, Rule::FieldName),
        case(with(": a"), 400, Rule::FieldName),
        case(with("X\u{e9}: a"), 400, Rule::FieldName),
        case(with("Nothing"), 400, Rule::NoColon),
        case(with("X: a\0b"), 400, Rule::ControlCharacter),
        case(with("X\0: a"), 400, Rule::ControlCharacter),
        case(with("X: a\x07b"), 400, Rule::ControlCharacter),
        case(with("X: a\x1b[2J"), 400, Rule::ControlCharacter),
        case(with("X: a\x7fb"), 400, Rule::ControlCharacter),
        case(with("Transfer-Encoding: \x0bchunked"), 400, Rule::ControlCharacter),
        case(line("GET /\t HTTP/1.1"), 400, Rule::ControlCharacter),
        case(line("GET\t/\tHTTP/1.1"), 400, Rule::ControlCharacter),
        case(line("GET /\0 HTTP/1.1"), 400, Rule::ControlCharacter),
        case(line("GET / HTTP/1.1\x0c"), 400, Rule::ControlCharacter),
    ]
}

/// RFC 9112 §2.2, §2.3, §3, §3.2, RFC 9110 §9.1, §15.6.2, §15.6.6: first lines.
fn first_lines() -> Vec<Case> {
    let mut cases = vec![
        case("GET /\r\n\r\n", 400, Rule::RequestLine),
        case("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Rule::RequestLine),
        case("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, Rule::Version),
    ];
    for first in [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET / a HTTP/1.1",
        "GET",
        "GET / http/1.1",
        "GET / Http/1.1",
        "GET / HTTP/1.1x",
        "GET / HTTP/11",
        "GET / HTTP/1.10",
        "GET / HTTP/1",
        "GET / HTTPS/1.1",
        "G(T / HTTP/1.1",
        "G\"T\" / HTTP/1.1",
        "\u{e9} / HTTP/1.1",
        "\u{feff}GET / HTTP/1.1",
    ] {
        cases.push(case(line(first), 400, Rule::RequestLine));
    }
    for target in [
        "page",
        "*",
        "**",
        "a:443",
        "ftp://a/",
        "http:/a",
        "http://",
        "http:///page",
        "http://:80/",
        "http://user@a/",
        "http://a:b/",
        "/#top",
        "/\u{e9}",
        "/a\\b",
        "/a{b}",
        "/?<b>",
        "/?\"",
        "/%",
        "/%4",
        "/%zz",
    ] {
        cases.push(case(line(&format!("GET {target} HTTP/1.1")), 400, Rule::RequestTarget));
    }
    for version in ["0.9", "2.0", "2.1", "3.0", "9.9"] {
        cases.push(case(line(&format!("GET / HTTP/{version}")), 505, Rule::Version));
    }
    for method in ["BREW", "get", "Get", "CONNECT", "TRACE", "PRI", "PROPFIND", "GETGET", "_"] {
        cases.push(case(line(&format!("{method} / HTTP/1.1")), 501, Rule::Method));
    }
    cases.push(case(line("CONNECT a:443 HTTP/1.1"), 501, Rule::Method));
    cases.push(case(line(&format!("{} / HTTP/1.1", "M".repeat(8_000))), 501, Rule::Method));
    cases
}

/// RFC 9112 §3.2, §3.2.2, RFC 9110 §7.2: hosts.
fn hosts() -> Vec<Case> {
    let mut cases = vec![
        case("GET / HTTP/1.1\r\n\r\n", 400, Rule::HostMissing),
        case("GET http://a/ HTTP/1.1\r\n\r\n", 400, Rule::HostMissing),
        case(host("a\r\nHost: a"), 400, Rule::HostRepeated),
        case(host("a\r\nhost: b"), 400, Rule::HostRepeated),
        case("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, Rule::HostRepeated),
    ];
    for name in [
        "a b",
        "a/b",
        "a@b",
        "a:b",
        "a:123456",
        "a:-1",
        "a:80:80",
        "[::1",
        "[zz]",
        "[::1]x",
        "[1.2.3.4]",
        "::1",
        "a,b",
        "a, b",
        "a,b:x",
        "a\"",
        "<b>",
        "a%",
        "a%zz",
        "\u{e9}",
        "a#b",
        "a?b",
        "a\\b",
    ] {
        cases.push(case(host(name), 400, Rule::HostInvalid));
    }
    // RFC 9110 §7.4: this connection has no TLS.
    for target in ["https://a/", "https://a", "HTTPS://a:80/?x"] {
        cases.push(case(line(&format!("GET {target} HTTP/1.1")), 421, Rule::NotByTls));
    }
    cases
}

/// RFC 6585 §5, RFC 9110 §10.1.1, §15.5.14, §15.5.15: what is too much, or not to be had.
fn limits() -> Vec<Case> {
    let mut cases = vec![
        case(with(&format!("X: {}", "a".repeat(17_000))), 431, Rule::HeadTooLong),
        case(with(&format!("{}: a", "X".repeat(17_000))), 431, Rule::HeadTooLong),
        case(format!("{} / HTTP/1.1", "M".repeat(17_000)), 431, Rule::HeadTooLong),
        case(with(&"X: a\r\n".repeat(120)), 431, Rule::TooManyFields),
        case(line(&format!("GET /{} HTTP/1.1", "a".repeat(8_192))), 414, Rule::TargetTooLong),
        case(format!("GET /{}", "a".repeat(17_000)), 414, Rule::TargetTooLong),
        case(with("Content-Length: 99999999999"), 413, Rule::BodyTooLong),
        case(with("Content-Length: 18446744073709551615"), 413, Rule::BodyTooLong),
        case(chunked("fffffffffff\r\n"), 413, Rule::BodyTooLong),
        case(chunked("ffffffffffffffff\r\n"), 413, Rule::BodyTooLong),
    ];
    for expected in ["200-ok", "100-continue, 200-ok", ", x", "100-continue;q=1"] {
        cases.push(case(with(&format!("Expect: {expected}")), 417, Rule::Expectation));
    }
    cases
}

/// RFC 9112 §7.1: chunks.
fn chunks() -> Vec<Case> {
    let mut cases = vec![
        case(chunked("00010000000000000003\r\nabc\r\n0\r\n\r\n"), 400, Rule::ChunkSizeOverflow),
        case(chunked(&"0".repeat(300)), 400, Rule::ChunkSizeZeros),
        case(chunked(&format!("{}1\r\na\r\n", "0".repeat(250)).repeat(80)), 400, Rule::ChunkSizeZeros),
        case(chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400, Rule::ChunkSizeOverflow),
        case(chunked("3\r\nabcd\r\n0\r\n\r\n"), 400, Rule::ChunkEnd),
        case(chunked("3\r\nabc0\r\n\r\n"), 400, Rule::ChunkEnd),
        case(chunked("3\r\nabc\n0\r\n\r\n"), 400, Rule::ChunkEnd),
        case(chunked("3\r\nabc\r0\r\n\r\n"), 400, Rule::ChunkEnd),
        case(chunked("3\nabc\r\n0\r\n\r\n"), 400, Rule::BareLineFeed),
        case(chunked("3;x\nabc\r\n0\r\n\r\n"), 400, Rule::BareLineFeed),
        case(chunked("3;x=\"\nabc\r\n0\r\n\r\n"), 400, Rule::BareLineFeed),
        case(chunked("3\rabc\r\n0\r\n\r\n"), 400, Rule::BareCarriageReturn),
        case(chunked(&format!("3;{}\r\nabc\r\n", "x".repeat(300))), 400, Rule::ChunkExtension),
        case(chunked(&format!("1;{}\r\na\r\n", "x".repeat(250)).repeat(80)), 400, Rule::ChunkExtension),
        case(chunked("3;\x01\r\nabc\r\n"), 400, Rule::ChunkExtension),
        case(chunked("3;x=\"\r\nabc\r\n"), 400, Rule::ChunkExtension),
        case(chunked("3;x=\"\\\"\r\nabc\r\n"), 400, Rule::ChunkExtension),
        case(chunked(&format!("3{};x\r\nabc\r\n", " ".repeat(300))), 400, Rule::ChunkExtension),
        case(chunked("3 3;x\r\nabc\r\n"), 400, Rule::ChunkSize),
        case(chunked(" 3;x\r\nabc\r\n"), 400, Rule::ChunkSize),
        case(chunked("3 \n;x\r\nabc\r\n"), 400, Rule::ChunkSize),
        case(chunked("0\r\nX : y\r\n\r\n"), 400, Rule::SpaceBeforeColon),
        case(chunked("0\r\nX: y\r\n z\r\n\r\n"), 400, Rule::FoldedField),
        case(chunked("0\r\n\n"), 400, Rule::BareLineFeed),
        case(chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(120))), 431, Rule::TooManyFields),
        case(chunked(&format!("0\r\nX: {}\r\n\r\n", "y".repeat(17_000))), 431, Rule::HeadTooLong),
    ];
    for size in ["+3", "-3", "0x3", "3_0", " 3", "3 ", "g", "", "3,", "3.", "\u{ff13}", "3\t"] {
        cases.push(case(chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n")), 400, Rule::ChunkSize));
    }
    cases
}

/// What a smuggler puts behind a request that two readers end at different places.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// How the bytes of a case come.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// The request alone, and what is smuggled once it was refused.
    After,
    /// All in one piece.
    Together,
    /// Byte by byte.
    Bytes,
}

/// Feeds a case, and checks the status, the rule that the page names, and that this was all.
#[track_caller]
fn check(case: &Case, cut: Cut) {
    let Case { request, status, rule } = case;
    let shown = format!("{:?}, cut {cut:?},", String::from_utf8_lossy(request));
    let mut bench = Bench::server();
    let pieces: Vec<&[u8]> = match cut {
        Cut::After => vec![request, SMUGGLED],
        Cut::Together => vec![],
        Cut::Bytes => request.chunks(1).chain(SMUGGLED.chunks(1)).collect(),
    };
    let both = [request.as_slice(), SMUGGLED].concat();
    let pieces = if pieces.is_empty() { vec![both.as_slice()] } else { pieces };
    let mut targets = Vec::new();
    // No more at a time than a client is let.
    for piece in pieces.into_iter().flat_map(|piece| piece.chunks(1_000)) {
        bench.feed(accepted(0), piece);
        for up in bench.ups() {
            if let ExchangeUp::Request(request) = up {
                let exchange = request.exchange;
                targets.push((request.head.method, request.head.target));
                bench.outbound(ExchangeDown::Grant { exchange, bytes: 1 << 20 });
            }
        }
    }
    // What is wrong with its body is known only after the request.
    let all_of_it =
        targets.iter().all(|target| *target == (Method::POST, "/".to_owned())) && targets.len() <= 1;
    assert!(all_of_it, "{shown} was read as {targets:?}");
    let answer = bench.sent();
    let expected = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&expected), "{shown} should have got {status}, but got {answer:?}");
    assert_eq!(
        answer.matches("\r\nContent-Length: ").count(),
        1,
        "{shown} should get one answer, not {answer:?}"
    );
    let said = unescaped(&answer);
    assert!(
        said.contains(rule.sentence()) && said.contains(rule.source()),
        "{shown} should be told {rule}, but was told {answer:?}"
    );
    assert!(
        answer.contains("Connection: close\r\n") && bench.has_closed(),
        "after {shown} the connection should end"
    );
    assert_eq!(bench.counters.drops("http", rule.name()), 1, "{rule} should be counted for {shown}");
}

/// A page of HTML as it is read.
fn unescaped(page: &str) -> String {
    let page = page.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&quot;", "\"");
    page.replace("&amp;", "&")
}

fn all() -> Vec<Case> {
    [framing(), lines(), first_lines(), hosts(), limits(), chunks()].into_iter().flatten().collect()
}

#[test]
fn each_gets_its_status_and_the_connection_ends() {
    let cases = all();
    assert!(cases.len() > 150, "there are {}", cases.len());
    for case in &cases {
        check(case, Cut::After);
    }
}

#[test]
fn nothing_behind_a_refused_request_is_read_as_one() {
    for case in &all() {
        check(case, Cut::Together);
    }
}

#[test]
fn it_makes_no_difference_in_what_pieces_they_come() {
    for case in &all() {
        check(case, Cut::Bytes);
    }
}

/// The rules that only time, the number of requests, TLS, a peer's end or a response break.
const ELSEWHERE: [Rule; 10] = [
    Rule::HostOfOther,
    Rule::TlsRecord,
    Rule::StatusLine,
    Rule::NotHttp,
    Rule::BodyCutShort,
    Rule::TooManyInformational,
    Rule::SwitchingProtocols,
    Rule::HeadTooSlow,
    Rule::BodyTooSlow,
    Rule::TooManyExchanges,
];

#[test]
fn the_page_about_a_limit_names_the_number() {
    for (request, said) in [
        (with(&"X: a\r\n".repeat(120)), "takes, which is 100."),
        (with(&format!("X: {}", "a".repeat(17_000))), "takes, which is 16384 bytes."),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(8_192)), "takes, which is 8192 bytes."),
    ] {
        let mut bench = Bench::server();
        bench.feed(accepted(0), request.as_bytes());
        let page = bench.sent();
        assert!(page.contains(said), "{page}");
    }
}

#[test]
fn every_rule_is_broken_by_some_case() {
    let broken: BTreeSet<Rule> = all().iter().map(|case| case.rule).collect();
    let missing: Vec<Rule> =
        Rule::ALL.into_iter().filter(|rule| !broken.contains(rule) && !ELSEWHERE.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What looks odd, and is as it must be.
#[test]
fn nothing_else_is_refused() {
    for request in [
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHoSt:a:80\t \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET http://a/?x HTTP/1.1\r\nHost: A:80\r\n\r\n",
        "GET HTTP://A:80 HTTP/1.1\r\nHost: b:81\r\n\r\n",
        "GET http://a/ HTTP/1.0\r\n\r\n",
        // A later minor version (RFC 9110 §2.5).
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
        "GET //a@b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%20?a=b&c='d'()[]@:!$*+,;~ HTTP/1.1\r\nHost: a\r\n\r\n",
        // As browsers send it.
        "GET /a|b?c={d}|\\^` HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a?q=100%&r=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        // A list without members (RFC 9110 §5.6.1.2).
        "GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: , 100-Continue\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: a\tb \u{e9}\r\nX: again\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n003;a=\"\\\"\";b\r\nabc\r\n0;c\r\nTransfer-Encoding: x\r\nContent-Length: 9\r\n\r\n",
        // White space before an extension (RFC 9112 §7.1.1).
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \t;a = b ; c\r\nabc\r\n0 ;\r\n\r\n",
        // A size may begin with zeros (RFC 9112 §7.1).
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000003\r\nabc\r\n000000000000000000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
    ] {
        let mut bench = Bench::server();
        bench.feed(accepted(0), request.as_bytes());
        let requests = bench.requests();
        assert_eq!(requests.len(), 1, "{request:?} was answered {:?}", bench.sent());
        let exchange = requests[0].exchange;
        bench.outbound(ExchangeDown::Grant { exchange, bytes: 1 << 20 });
        bench.answer(exchange, 200, "page");
        assert!(bench.sent().starts_with("HTTP/1.1 200 "), "{request:?}");
        if requests[0].head.version == framewise_http::Version::Http11 {
            bench.feed(accepted(0), b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
            let next = bench.requests();
            assert_eq!(next.len(), 1, "{request:?} should leave the connection open");
            assert_eq!(next[0].head.target, "/next");
        }
    }
}
