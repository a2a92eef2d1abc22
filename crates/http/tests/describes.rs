//! What the layer says about its own heads.
#![allow(clippy::unwrap_used)] // a failed step fails its test

use framewise_http::describe;

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
