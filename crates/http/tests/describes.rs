//! What the layer says about its own heads.
#![allow(clippy::unwrap_used)] // a failed step fails its test

use framewise_http::{describe, describe_cut};

#[test]
fn a_request() {
    let bytes = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    let description = describe(bytes).unwrap();
    assert_eq!(description.outbound, "GET / from shop.test");
    assert_eq!((description.header.clone(), description.payload.clone()), (0..35, 35..35));
    let shown: Vec<String> =
        description.fields.iter().map(|f| format!("{}@{:?}={}", f.name, f.bytes, f.value)).collect();
    assert_eq!(
        shown,
        ["method@0..3=GET", "request target@4..5=/", "HTTP version@6..14=HTTP/1.1", "Host@16..31=shop.test"]
    );
}

#[test]
fn a_response() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>shop</h1>\n";
    let description = describe(bytes).unwrap();
    assert_eq!(description.header, 0..64);
    assert_eq!(description.inbound, "200 OK, text/html");
    assert_eq!(description.next, "all 14 came: you");
}

#[test]
fn sentences_keep_their_width() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n", "é".len(), "a".repeat(60));
    let description = describe(long.as_bytes()).unwrap();
    assert!(description.outbound.chars().count() <= 34);
    assert!(description.next.chars().count() <= 22);
    assert!(describe(b"not http").is_none());
}

/// Found by fuzzing: places were counted in the text that stands for what is no UTF-8, which is longer.
#[test]
fn places_are_those_of_the_bytes() {
    let bytes = b"HTTP/1.1 200 \xa4\xa4\r\nX: \xa4\xa4\xa4\r\nDate: \xa4\r\n\r\n";
    let places: Vec<_> = describe(bytes).unwrap().fields.into_iter().map(|field| field.bytes).collect();
    assert_eq!(places, [0..8, 9..12, 13..15, 17..23, 25..32]);
}

#[test]
fn a_status_says_what_it_means_and_an_unknown_one_what_its_class_does() {
    let meaning = |code: u16| {
        let bytes = format!("HTTP/1.1 {code} Words\r\n\r\n");
        describe(bytes.as_bytes()).unwrap().fields[1].meaning.clone()
    };
    assert_eq!(meaning(404), "There is no such page here.");
    assert_eq!(meaning(299), "It worked.");
    assert_eq!(meaning(499), "The request was at fault.");
}

#[test]
fn a_response_says_its_own_phrase() {
    let said = |line: &str| describe(format!("HTTP/1.1 {line}\r\n\r\n").as_bytes()).unwrap().outbound;
    assert_eq!(said("405 Not Allowed"), "405 Not Allowed");
    assert_eq!(said("299 Odd"), "299 Odd");
    assert_eq!((said("404 "), said("404")), ("404".to_owned(), "404".to_owned()));
}

#[test]
fn of_a_head_that_breaks_off_the_lines_are_told_that_are_there() {
    let said = |bytes: &[u8]| describe_cut(bytes).map(|cut| (cut.outbound, cut.fields.len()));
    assert_eq!(said(b"HTTP/1.1 200 OK\r\nAge: 1\r\n"), Some(("200 OK, cut off".to_owned(), 4)));
    assert_eq!(said(b"HTTP/1.1 20"), Some(("a response, cut off".to_owned(), 1)));
    let long = format!("GET /{} HTTP/1.1\r\nHo", "a".repeat(40));
    assert_eq!(describe_cut(long.as_bytes()).unwrap().outbound.chars().count(), 34);
    assert_eq!(said(b"the middle of a page"), None);
}

#[test]
fn a_folded_field_is_one_field() {
    let fields = describe(b"HTTP/1.1 204 No Content\r\nX: a\r\n b\r\nAge: 1\r\n\r\n").unwrap().fields;
    let last: Vec<_> = fields[3..].iter().map(|field| (field.bytes.clone(), field.value.as_str())).collect();
    assert_eq!(last, [(25..33, "X: a   b"), (35..41, "1")]);
}

#[test]
fn fields_speak_of_their_value() {
    let bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\nContent-Type: text/html; charset=utf-8\r\n\r\nabc";
    let fields = describe(bytes).unwrap().fields;
    let meanings: Vec<_> = fields[3..].iter().map(|field| field.meaning.as_str()).collect();
    let expected = [
        "The connection ends after this message's exchange.",
        "3 bytes of body follow the empty line.",
        "The body is a page in HTML, which a browser draws.",
    ];
    assert_eq!(meanings, expected);
}

#[test]
fn the_chunks_of_a_body_have_their_places() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let places = |body: &[u8]| {
        let fields = describe(&[head, body].concat()).unwrap().fields;
        let chunks = fields.into_iter().filter(|field| field.name.starts_with("chunk"));
        let place = |field: framewise_core::Field| {
            (field.bytes.start - head.len()..field.bytes.end - head.len(), field.value)
        };
        chunks.map(place).collect::<Vec<_>>()
    };
    let said = |range: std::ops::Range<usize>, value: &str| (range, value.to_owned());
    assert_eq!(
        places(b"5\r\nhello\r\n0\r\n\r\n"),
        [said(0..1, "5"), said(3..8, "5 bytes"), said(10..11, "0")]
    );
    assert_eq!(places(b"a;x=1\r\nhel"), [said(0..1, "a"), said(7..10, "3 bytes")], "the rest is to come");
    assert_eq!(places(b"ffffffffffffffff\r\n"), [], "no chunk is that long");
}
