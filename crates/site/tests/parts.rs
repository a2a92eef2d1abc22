//! Parts of files, and conditions: which bytes of which version are sent, and whether any are.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::fs;
use std::time::{Duration, SystemTime};

use common::{ask, files, get, tree, with};
use framewise_http::{BodyLength, Method};
use framewise_site::StaticFiles;
use tempfile::TempDir;

#[test]
fn ranges() {
    let dir = tree();
    // RFC 9110 §14.1.2, §14.2
    for (range, status, body, said) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=8-99", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-99", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=4-2", 200, "0123456789", None),
        // Those that overlap or touch are joined, those that are not there left out.
        ("bytes=0-1,2-4", 206, "01234", Some("bytes 0-4/10")),
        ("bytes=3-4, 0-3,,1-2", 206, "01234", Some("bytes 0-4/10")),
        ("BYTES=2-4,20-30", 206, "234", Some("bytes 2-4/10")),
        ("bytes=0-1,3-x", 200, "0123456789", None),
        ("bytes=", 200, "0123456789", None),
        ("bytes=,", 200, "0123456789", None),
        (
            "bytes=0-0,2-2,4-4,6-6,8-8,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0",
            200,
            "0123456789",
            None,
        ),
        ("pages=1-2", 200, "0123456789", None),
        ("bytes=+1-2", 200, "0123456789", None),
    ] {
        let part = with(&dir, "Range", range);
        assert_eq!((part.status(), part.text().as_str()), (status, body), "{range}");
        assert_eq!(part.header("Content-Range"), said, "{range}");
    }
    for range in ["bytes=10-", "bytes=-0", "bytes=99999999999999999999-"] {
        let part = with(&dir, "Range", range);
        assert_eq!((part.status(), part.header("Content-Range")), (416, Some("bytes */10")), "{range}");
    }
    // RFC 9110 §14.2: for GET alone.
    let head = ask(&files(&dir), Method::HEAD, "/page.html", &[("Range", "bytes=2-4")], "");
    assert_eq!((head.status(), head.length), (200, Some(BodyLength::Known(10))));
}

#[test]
fn several_ranges_come_as_parts() {
    let dir = tree();
    // RFC 9110 §14.6, §15.3.7.2
    let parts = with(&dir, "Range", "bytes=8-, 0-1,4-4");
    assert_eq!((parts.status(), parts.header("Content-Range")), (206, None));
    let kind = parts.header("Content-Type").unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = |range: &str, bytes: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes {range}/10\r\n\r\n{bytes}"
        )
    };
    let whole =
        [part("0-1", "01"), part("4-4", "4"), part("8-9", "89"), format!("\r\n--{boundary}--\r\n")].concat();
    assert_eq!(parts.text(), whole);
    assert_eq!(parts.length, Some(BodyLength::Known(whole.len() as u64)), "known before it is read");
    let none = with(&dir, "Range", "bytes=10-, 20-30");
    assert_eq!((none.status(), none.header("Content-Range")), (416, Some("bytes */10")));
}

#[test]
fn conditions() {
    let dir = tree();
    let page = get(&files(&dir), "/page.html");
    let (etag, date) = (page.header("ETag").unwrap(), page.header("Last-Modified").unwrap());
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
    // RFC 9110 §13.1, §13.2.2
    for (name, value, status) in [
        ("If-None-Match", etag, 304),
        ("If-None-Match", "\"x\", *", 200),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Modified-Since", date, 304),
        ("If-Modified-Since", long_ago, 200),
        ("If-Modified-Since", "yesterday", 200),
        ("If-Match", etag, 200),
        ("If-Match", "\"x\"", 412),
        ("If-Match", "\"x\", *", 412),
        ("If-Match", "*", 200),
        ("If-Match", &format!("\"x\", {etag}"), 200),
        ("If-Match", &format!("W/{etag}"), 412),
        ("If-None-Match", &format!("\"x\",W/{etag}"), 304),
        ("If-Unmodified-Since", long_ago, 412),
        ("If-Unmodified-Since", date, 200),
        ("If-Unmodified-Since", "yesterday", 200),
    ] {
        assert_eq!(with(&dir, name, value).status(), status, "{name}: {value}");
    }
    let refused = with(&dir, "If-Match", "\"x\"");
    assert!(refused.text().contains("RFC 9110 §15.5.13"), "a page says why: {}", refused.text());
    assert_eq!(refused.header("ETag"), Some(etag));
    // The order of RFC 9110 §13.2.2: what is further down counts only where nothing stands above.
    for (fields, status) in [
        (&[("If-Match", etag), ("If-Unmodified-Since", long_ago)][..], 200),
        (&[("If-Match", "\"x\""), ("If-None-Match", etag)], 412),
        (&[("If-None-Match", "\"x\""), ("If-Modified-Since", date)], 200),
        (&[("If-None-Match", "\"x\""), ("If-None-Match", etag)], 304),
        (&[("If-None-Match", etag), ("Range", "bytes=0-0")], 304),
        (&[("If-Match", "\"x\""), ("Range", "bytes=99-")], 412),
        (&[("If-Modified-Since", date), ("Range", "bytes=99-")], 304),
    ] {
        let answer = ask(&files(&dir), Method::GET, "/page.html", fields, "");
        assert_eq!(answer.status(), status, "{fields:?}");
        assert_eq!(answer.header("Etag").is_some(), status != 416);
    }
    let range = |if_range: &str, site: &StaticFiles| {
        let fields = [("Range", "bytes=0-0"), ("If-Range", if_range)];
        ask(site, Method::GET, "/page.html", &fields, "").status()
    };
    let site = files(&dir);
    for (if_range, status) in
        [(etag, 206), ("\"x\"", 200), (&format!("W/{etag}"), 200), (long_ago, 200), ("Tue", 200)]
    {
        assert_eq!(range(if_range, &site), status, "{if_range}");
    }
    // RFC 9110 §13.1.5, §8.8.2.2: within its second a date names more than one version.
    touch(&dir, SystemTime::now() + Duration::from_secs(5));
    let date = |dir: &TempDir| get(&files(dir), "/page.html").header("Last-Modified").unwrap().to_owned();
    assert_eq!(range(&date(&dir), &site), 200);
    touch(&dir, SystemTime::now() - Duration::from_secs(5));
    assert_eq!(range(&date(&dir), &site), 206);
}

/// RFC 9110, section 5.6.7: a date that could not be read would be no condition at all.
#[test]
fn a_date_is_read_in_each_of_its_three_forms() {
    let dir = tree();
    let forms =
        ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
    touch(&dir, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
    for date in forms {
        assert_eq!(with(&dir, "If-Modified-Since", date).status(), 304, "{date}");
        assert_eq!(with(&dir, "If-Unmodified-Since", date).status(), 200, "{date}");
    }
    touch(&dir, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_778));
    for date in forms {
        assert_eq!(with(&dir, "If-Modified-Since", date).status(), 200, "a second later than {date}");
        assert_eq!(with(&dir, "If-Unmodified-Since", date).status(), 412, "a second later than {date}");
    }
}

/// Dates the page.
fn touch(dir: &TempDir, time: SystemTime) {
    let page = fs::File::options().write(true).open(dir.path().join("root/page.html")).unwrap();
    page.set_modified(time).unwrap();
}

#[test]
fn nothing_was_changed_in_the_future() {
    let dir = tree();
    let now = SystemTime::now();
    touch(&dir, now + Duration::from_secs(172_800));
    // RFC 9110 §8.8.2.1
    let said = get(&files(&dir), "/page.html").header("Last-Modified").map(httpdate::parse_http_date);
    let said = said.unwrap().unwrap();
    assert!(said <= SystemTime::now() && said + Duration::from_secs(1) > now, "{said:?}");
    let tomorrow = httpdate::fmt_http_date(now + Duration::from_secs(86_400));
    assert_eq!(with(&dir, "If-Unmodified-Since", &tomorrow).status(), 200, "that is before tomorrow");
}

#[test]
fn no_range_of_an_empty_file_can_be_named() {
    let dir = tree();
    fs::write(dir.path().join("root/page.html"), "").unwrap();
    for range in ["bytes=-5", "bytes=0-", "bytes=0-0,3-4"] {
        let page = with(&dir, "Range", range);
        assert_eq!((page.status(), page.length), (200, Some(BodyLength::Known(0))), "{range}");
    }
}
