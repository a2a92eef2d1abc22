use std::time::Duration;

use super::*;

const EPOCH: u64 = 1_767_225_600;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

fn after(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// A jar into which `from` has set these.
fn jar(from: &str, fields: &[&str]) -> CookieJar {
    let mut jar = CookieJar::starting_at(EPOCH);
    set(&mut jar, from, fields);
    jar
}

fn set(jar: &mut CookieJar, from: &str, fields: &[&str]) -> bool {
    let headers = fields.iter().map(|field| ("Set-Cookie", *field)).collect();
    jar.take(&url(from), &headers, Instant::ZERO)
}

fn sent(jar: &CookieJar, to: &str) -> String {
    jar.field_for(&url(to), Instant::ZERO).unwrap_or_default()
}

#[test]
fn a_cookie_is_for_whoever_set_it() {
    let jar = jar("http://shop.test/a/b", &["id=7", "all=1; Domain=shop.test; Path=/"]);
    assert_eq!(sent(&jar, "http://shop.test/a/c"), "id=7; all=1", "of longer paths first");
    assert_eq!(sent(&jar, "https://shop.test:8443/"), "all=1", "neither scheme nor port count");
    assert_eq!(sent(&jar, "http://www.shop.test/a/b"), "all=1");
    for other in ["http://other.test/a/b", "http://bookshop.test/", "http://test/"] {
        assert_eq!(sent(&jar, other), "", "{other}");
    }
}

#[test]
fn what_is_for_tls_alone_stays_there() {
    let mut jar = jar("https://shop.test/", &["id=7; Secure", "__Host-a=1; Secure; Path=/", "__Secure-b=2"]);
    assert_eq!(sent(&jar, "https://shop.test/"), "id=7; __Host-a=1", "a prefix is a promise");
    assert_eq!(sent(&jar, "http://shop.test/"), "");
    assert!(!set(&mut jar, "http://shop.test/", &["id=8", "new=1; Secure"]), "plain http may neither");
    assert_eq!(sent(&jar, "https://shop.test/"), "id=7; __Host-a=1");
}

#[test]
fn cookies_end() {
    let mut jar = jar(
        "http://shop.test/",
        &["a=1; Max-Age=60", "b=2; Expires=Thu, 01 Jan 2026 00:02:00 GMT", "c=3", "d=4; Max-Age=0"],
    );
    let at = |jar: &CookieJar, seconds: u64| {
        jar.field_for(&url("http://shop.test/"), after(seconds)).unwrap_or_default()
    };
    assert_eq!(
        (at(&jar, 59), at(&jar, 60), at(&jar, 120)),
        ("a=1; b=2; c=3".into(), "b=2; c=3".into(), "c=3".into())
    );
    let both = "a=5; Max-Age=10; Expires=Thu, 01 Jan 2099 00:00:00 GMT";
    assert!(
        set(&mut jar, "http://shop.test/", &[both]) && at(&jar, 11) == "b=2; c=3",
        "Max-Age counts first"
    );
    assert!(set(&mut jar, "http://shop.test/", &["c=; Max-Age=-1"]), "a server takes a cookie back");
    assert_eq!(at(&jar, 20), "b=2");
}

#[test]
fn what_breaks_out_or_is_too_long_is_no_cookie() {
    let long = format!("a={}", "x".repeat(LONGEST));
    let jar = jar(
        "http://shop.test/",
        &["a=1\u{1}", "no pair", "=1", &long, "e=1; Domain=test", "f=1; Domain=other.test"],
    );
    assert_eq!(jar.iter().count(), 0, "{jar:?}");
}

#[test]
fn a_jar_has_a_bound() {
    let mut jar = CookieJar::starting_at(EPOCH);
    for number in 0..PER_HOST + 10 {
        set(&mut jar, "http://shop.test/", &[&format!("n{number}=1")]);
    }
    assert_eq!(jar.iter().count(), PER_HOST);
    assert!(jar.iter().all(|cookie| cookie.name != "n9") && jar.iter().any(|cookie| cookie.name == "n10"));
    for number in 0..IN_ALL + 10 {
        set(&mut jar, &format!("http://h{number}.test/"), &["a=1"]);
    }
    assert_eq!(jar.iter().count(), IN_ALL);
}

#[test]
fn a_file_gives_back_what_was_written() {
    let jar = jar(
        "https://www.shop.test/a/",
        &["id=7; Secure; HttpOnly; Max-Age=60", "all=a b\"c; Domain=shop.test; Path=/"],
    );
    let text = jar.written(Instant::ZERO);
    assert_eq!(
        text,
        "# Netscape HTTP Cookie File\n\
         #HttpOnly_www.shop.test\tFALSE\t/a\tTRUE\t1767225660\tid\t7\n\
         .shop.test\tTRUE\t/\tFALSE\t0\tall\ta b\"c\n"
    );
    let mut again = CookieJar::starting_at(EPOCH);
    again.read(&text, Instant::ZERO).expect("it can be read");
    assert!(again.iter().eq(jar.iter()), "{again:?}");
    let mut later = CookieJar::starting_at(EPOCH);
    later.read(&text, after(61)).expect("it can be read");
    assert_eq!(later.iter().count(), 1, "what is over is left out");
    assert_eq!(jar.written(after(61)).lines().count(), 2);
}

#[test]
fn what_never_ends_ends_when_others_can_still_read_it() {
    let ever = "http://shop.test/";
    let written = jar(ever, &["a=1; Path=/; Max-Age=99999999999999999999"]).written(Instant::ZERO);
    let line = "shop.test\tFALSE\t/\tFALSE\t253402300799\ta\t1\n";
    assert_eq!(written, format!("# Netscape HTTP Cookie File\n{line}"));
    let mut again = CookieJar::starting_at(EPOCH);
    again.read(&line.replace("253402300799", "9223372038650749164"), Instant::ZERO).expect("it can be read");
    assert_eq!(again.written(Instant::ZERO), written);
}

#[test]
fn what_is_no_cookie_file_says_where() {
    let mut jar = CookieJar::default();
    let text = "# a comment\n\nshop.test\tFALSE\t/\tTRUE\t0\ta\tb\nshop.test FALSE / TRUE 0 a b\n";
    assert_eq!(jar.read(text, Instant::ZERO), Err(CookieFileError { line: 4 }));
    assert_eq!(jar.iter().count(), 1);
    for line in ["a\tMAYBE\t/\tTRUE\t0\ta\tb", "a\tTRUE\t/\tTRUE\tsoon\ta\tb", "a\tTRUE\t/\tTRUE\t-1\ta\tb"] {
        assert!(CookieJar::default().read(line, Instant::ZERO).is_err(), "{line:?}");
    }
}
