//! The built-in shop: short, deterministic, escaped.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{ask, get};
use framewise_http::{BodyLength, Method};
use framewise_site::builtin::{LARGE_BYTES, builtin, large_byte};

#[test]
fn the_first_page_is_short() {
    let home = get(&builtin(), "/");
    assert!(home.body.len() < 120 && home.text().starts_with("<h1>shop</h1>"));
    assert_eq!(home.header("Content-Type"), Some("text/html"));
}

#[test]
fn every_page_is_the_same_each_time() {
    for path in ["/", "/about", "/items/1", "/items/4", "/picture.png", "/large", "/form", "/echo?x"] {
        let (one, other) = (get(&builtin(), path), get(&builtin(), path));
        assert_eq!((one.status(), one.body == other.body), (200, true), "{path}");
    }
    for path in ["/items/0", "/items/5", "/items/x", "/items/-1", "/items/99999999999999999999"] {
        assert_eq!(get(&builtin(), path).status(), 404, "{path}");
    }
}

#[test]
fn the_large_one_is_what_its_formula_says() {
    let large = get(&builtin(), "/large");
    assert_eq!(large.length, Some(BodyLength::Known(LARGE_BYTES)));
    assert_eq!(large.body.len() as u64, LARGE_BYTES);
    let wrong = (0..LARGE_BYTES).zip(&large.body).find(|(at, byte)| large_byte(*at) != **byte);
    assert_eq!(wrong, None);
}

#[test]
fn the_large_one_comes_without_its_length_where_that_is_asked_for() {
    let large = get(&builtin(), "/large?chunked");
    assert_eq!(large.length, Some(BodyLength::Unknown));
    assert!(large.body == get(&builtin(), "/large").body);
}

#[test]
fn the_sink_tells_what_it_was_sent() {
    // As `printf page | sha256sum` has it, and the same of nothing.
    let sum = |method, body| ask(&builtin(), method, "/sink", &[], body).text();
    for method in [Method::PUT, Method::POST] {
        assert_eq!(
            sum(method, "page"),
            "4 bytes, SHA-256 3660315a9af3df255d8f19ab077e4797822b41488a0e2a04bc6af71213c23274\n"
        );
    }
    assert_eq!(
        sum(Method::POST, ""),
        "0 bytes, SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
    );
    assert_eq!(get(&builtin(), "/sink").header("Allow"), Some("POST, PUT, OPTIONS"));
}

#[test]
fn a_form_is_echoed_and_escaped() {
    let kind = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let ordered = ask(&builtin(), Method::POST, "/form", &kind, "item=%3Cb%3E+tea&count=2");
    assert!(ordered.text().contains("<li>item: &lt;b&gt; tea"), "{}", ordered.text());
    let unknown = ask(&builtin(), Method::POST, "/form", &[("Content-Type", "text/plain")], "x");
    assert_eq!(unknown.status(), 415);
    let echo = ask(&builtin(), Method::POST, "/echo", &[("X-Odd", "<b>")], "page");
    assert_eq!(echo.text(), "POST /echo HTTP/1.1\nX-Odd: <b>\n\npage");
    assert_eq!(echo.header("Content-Type"), Some("text/plain"));
}

#[test]
fn the_picture_is_a_png() {
    let picture = get(&builtin(), "/picture.png").body;
    assert!(picture.len() < 20_000);
    let mut rest = picture.strip_prefix(b"\x89PNG\r\n\x1a\n").expect("the signature");
    let mut kinds = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        kinds.push(String::from_utf8_lossy(&after[..4]).into_owned());
        rest = &after[length + 8..];
    }
    assert_eq!(kinds, ["IHDR", "PLTE", "IDAT", "IEND"]);
}

#[test]
fn redirects_lead_to_the_first_page_in_the_end() {
    assert_eq!(get(&builtin(), "/redirect").header("Location"), Some("/items/1"));
    let mut path = "/redirect/3".to_owned();
    for _ in 0..3 {
        let page = get(&builtin(), &path);
        assert_eq!(page.status(), 302, "{path}");
        path = page.header("Location").unwrap().to_owned();
    }
    assert_eq!(path, "/");
    for path in ["/redirect/-1", "/redirect/1001", "/redirect/x"] {
        assert_eq!(get(&builtin(), path).status(), 404, "{path}");
    }
}

#[test]
fn the_private_page_asks_who_is_there() {
    let asked = get(&builtin(), "/private");
    assert_eq!((asked.status(), asked.header("WWW-Authenticate")), (401, Some("Basic realm=\"shop\"")));
    let ask_as = |it: &str| ask(&builtin(), Method::GET, "/private", &[("Authorization", it)], "").status();
    // `me:tea` and `me:tee`, as `base64` writes them.
    assert_eq!((ask_as("Basic bWU6dGVh"), ask_as("Basic bWU6dGVl"), ask_as("Basic")), (200, 401, 401));
    for credentials in ["basic bWU6dGVh", "BASIC bWU6dGVh", "Basic   bWU6dGVh"] {
        assert_eq!(ask_as(credentials), 200, "{credentials}");
    }
    for credentials in ["bWU6dGVh", "BasicbWU6dGVh", "Bearer bWU6dGVh", "Basic bwu6dgvh", "Basic\tbWU6dGVh"] {
        assert_eq!(ask_as(credentials), 401, "{credentials}");
    }
}

#[test]
fn only_the_visitor_counts_the_visits() {
    let visit = |cookies: &str| ask(&builtin(), Method::GET, "/cookie", &[("Cookie", cookies)], "");
    for (cookies, visits) in
        [("", 1), ("a=b; visits=7", 8), ("visits=<b>", 1), ("visits=4294967295", u32::MAX)]
    {
        let page = visit(cookies);
        let set = format!("visits={visits}; Path=/; Max-Age=86400");
        assert_eq!(page.header("Set-Cookie"), Some(set.as_str()), "{cookies}");
        assert!(!page.text().contains("<b>"), "{}", page.text());
    }
}

#[test]
fn the_verse_comes_shorter_to_who_takes_it_so() {
    let plain = get(&builtin(), "/verse");
    let coded = ask(&builtin(), Method::GET, "/verse", &[("Accept-Encoding", "br, gzip")], "");
    assert_eq!((plain.body.len(), plain.header("Content-Encoding")), (7_200, None));
    assert_eq!((coded.body.len() < 150, coded.header("Content-Encoding")), (true, Some("gzip")));
    // The last four bytes of gzip are the length of what it stands for.
    assert_eq!(coded.body[coded.body.len() - 4..], 7_200_u32.to_le_bytes());
}
