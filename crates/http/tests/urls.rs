//! The anatomy of URLs, as snapshots in words: part, place, value.
#![allow(clippy::unwrap_used)] // a failed step fails its test

use framewise_http::{Url, UrlError, anatomy};

/// `name@start..end=value` for each part.
fn parts(text: &str) -> Vec<String> {
    let anatomy = anatomy(text).unwrap();
    for field in &anatomy.fields {
        assert!(anatomy.text.get(field.bytes.clone()).is_some(), "{field:?} is outside of the text");
    }
    let shown = |f: &framewise_core::Field| format!("{}@{:?}={}", f.name, f.bytes, f.value);
    anatomy.fields.iter().map(shown).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str], remark: &str) {
    assert_eq!(parts(text), expected, "{text}");
    let remarks = anatomy(text).unwrap().remarks.join("\n");
    assert!(remarks.contains(remark), "{text} should be remarked {remark:?}, but was {remarks:?}");
}

#[test]
fn the_lectures_example() {
    check(
        "www.google.com/?q=stuff",
        &[
            "scheme@0..4=http",
            "host@7..21=www.google.com",
            "port@21..21=80",
            "path@21..22=/",
            "query@23..30=q=stuff",
            "argument@23..30=q = stuff",
        ],
        "www is part of the host, not the protocol",
    );
}

#[test]
fn a_host_and_a_port() {
    check(
        "localhost:8080/x",
        &["scheme@0..4=http", "host@7..16=localhost", "port@17..21=8080", "path@21..23=/x"],
        "localhost is the host and 8080 its port",
    );
}

#[test]
fn everything_at_once() {
    check(
        "https://ann:pw@Shop.test:8443/items?id=3&x=a%20b+c&&y#top",
        &[
            "scheme@0..5=https",
            "userinfo@8..14=ann:…",
            "host@15..24=shop.test",
            "port@25..29=8443",
            "path@29..35=/items",
            "query@36..53=id=3&x=a%20b+c&&y",
            "argument@36..40=id = 3",
            "argument@41..50=x = a b c",
            "argument@52..53=y = ",
            "fragment@54..57=top",
        ],
        "What stands before the @ (ann) is not where the request goes: shop.test is.",
    );
}

#[test]
fn addresses_defaults_and_letters_beyond_ascii() {
    check(
        "http://[2001:db8::1]:80/",
        &["scheme@0..4=http", "host@7..20=[2001:db8::1]", "port@21..23=80", "path@23..24=/"],
        "",
    );
    check(
        "https://[::1]",
        &["scheme@0..5=https", "host@8..13=[::1]", "port@13..13=443", "path@13..13=/"],
        "",
    );
    check(
        "http://bücher.test/",
        &["scheme@0..4=http", "host@7..19=xn--bcher-kva.test", "port@19..19=80", "path@19..20=/"],
        "(punycode, RFC 3492): xn--bcher-kva.test",
    );
    assert_eq!(Url::parse("127.1").unwrap().address(), Some("127.0.0.1".parse().unwrap()));
}

#[test]
fn the_query_is_told_as_it_is_sent() {
    check(
        "http://münchen.de/straße?q=ü",
        &[
            "scheme@0..4=http",
            "host@7..18=xn--mnchen-3ya.de",
            "port@18..18=80",
            "path@18..26=/stra%C3%9Fe",
            "query@27..31=q=%C3%BC",
            "argument@27..31=q = ü",
        ],
        "punycode",
    );
}

#[test]
fn other_schemes_have_the_same_parts() {
    check(
        "ftp://ann:pw@files.test/pub/a.txt",
        &[
            "scheme@0..3=ftp",
            "userinfo@6..12=ann:…",
            "host@13..23=files.test",
            "port@23..23=21",
            "path@23..33=/pub/a.txt",
        ],
        "No page is fetched by ftp: here",
    );
    check(
        "wss://shop.test:8443/live?room=1#top",
        &[
            "scheme@0..3=wss",
            "host@6..15=shop.test",
            "port@16..20=8443",
            "path@20..25=/live",
            "query@26..32=room=1",
            "argument@26..32=room = 1",
            "fragment@33..36=top",
        ],
        "No page is fetched by wss: here",
    );
    check("file:///etc/passwd", &["scheme@0..4=file", "path@7..18=/etc/passwd"], "by file: here");
    check("mailto:a@b.c", &["scheme@0..6=mailto", "path@7..12=a@b.c"], "Without // there is no host in it");
    check("javascript:alert(1)", &["scheme@0..10=javascript", "path@11..19=alert(1)"], "no host");
    // What looks like one of them, and is none.
    assert_eq!(parts("//shop.test/a")[1], "host@7..16=shop.test");
    assert_eq!(parts("mailto.test:80/")[1], "host@7..18=mailto.test");
    assert_eq!(parts("ann:pw@shop.test")[2], "host@14..23=shop.test");
    assert_eq!(parts("http://shop.test/?to=mailto:a")[1], "host@7..16=shop.test");
}

#[test]
fn what_is_wrong_and_where() {
    let place = |text: &str| match anatomy(text) {
        Err(UrlError::Invalid { at, problem, .. }) => (at, problem),
        other => panic!("{text} should be refused, but was {other:?}"),
    };
    assert_eq!(place("http://shop.test:99999/").0, 18);
    assert!(place("http://shop.test:99999/").1.contains("port"));
    assert_eq!(place("http://").0, 8);
    assert!(place("http://[::g]/").1.contains("IPv6"));
    assert_eq!(place("http://a b/").0, 8);
    assert!(matches!(Url::parse("ftp://a/"), Err(UrlError::Scheme { scheme }) if scheme == "ftp"));
    assert!(matches!(Url::parse("mailto:a@b.c"), Err(UrlError::Scheme { scheme }) if scheme == "mailto"));
    assert!(place("/path").1.contains("begins with a path"));
    let shown = anatomy("http://shop.test:99999/").unwrap_err().to_string();
    assert!(shown.contains("(at character 18)"), "{shown}");
}

#[test]
fn what_a_request_is_made_from() {
    let url = Url::parse("HTTPS://Shop.Test:443/a b?c=d#e").unwrap();
    assert_eq!(url.target(), "/a%20b?c=d");
    assert_eq!(url.host_header(), "shop.test");
    assert_eq!(Url::parse("shop.test:81").unwrap().host_header(), "shop.test:81");
    let next = Url::parse("http://shop.test/a/b").unwrap().join("../c?d").unwrap();
    assert_eq!(next.to_string(), "http://shop.test/c?d");
    assert_eq!(Url::parse("shop.test/go?to=http://x/").unwrap().host(), "shop.test");
}

/// Found by fuzzing: the request for such a URL was one that our own server refuses.
#[test]
fn a_host_that_no_request_can_name_is_no_host() {
    for text in ["http://sh}op.test/", "http://shop.test\"/", "http://a{b/"] {
        let refused = Url::parse(text).expect_err(text).to_string();
        assert!(refused.contains("the host holds a character that no domain name may hold"), "{refused}");
    }
    let page = Url::parse("http://shop.test/").expect("a URL");
    assert!(page.join("//sh}op.test/").is_err());
    assert!(page.join("/a}b").is_ok(), "a path may hold it");
}

/// Found by fuzzing: a URL with braces in its query made a request that our own server refuses.
#[test]
fn what_no_request_may_hold_is_written_in_digits() {
    let url = Url::parse("shop.test/a|b?c={\"d\": [1]}&e=^`\\#f").expect("a URL");
    assert_eq!(url.target(), "/a%7Cb?c=%7B%22d%22:%20[1]%7D&e=%5E%60%5C");
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", url.target(), url.host_header());
    let read = framewise_http::read_request(request.as_bytes(), &Default::default());
    assert!(matches!(read, Ok(Some(_))), "{read:?}");
    assert_eq!(url.join("?x={}").expect("a URL").target(), "/a%7Cb?x=%7B%7D");
}
