//! Files: what is served of a directory, how much of it, and that nothing else ever is.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::fs;

use common::{ask, files, get, tree, with};
use framewise_http::{Body, Method};
use framewise_site::{FilesError, Router, StaticFiles};
use proptest::prelude::*;

#[test]
fn a_file_with_its_type_and_version() {
    let dir = tree();
    let page = get(&files(&dir), "/page.html");
    assert_eq!((page.status(), page.text().as_str()), (200, "0123456789"));
    assert_eq!(page.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(page.header("ETag").is_some() && page.header("Last-Modified").is_some());
    let odd = get(&files(&dir), "/two%20words%20&%20%3Cb%3E.bin");
    assert_eq!(
        (odd.body.as_slice(), odd.header("Content-Type")),
        (&[0, 255][..], Some("application/octet-stream"))
    );
    assert_eq!(get(&files(&dir), "/in.html").text(), "0123456789", "a link within is followed");
}

#[test]
fn nothing_else_is_ever_served() {
    let dir = tree();
    let routed = Router::new().get("/static/{*rest}", files(&dir));
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/../../secret.txt",
        "/..\\secret.txt",
        "/%2e%2e%5csecret.txt",
        "//../secret.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/out.txt",
        "/env.txt",
        "/up/secret.txt",
        "/up/",
        "/page.html%00.txt",
        "/./page.html",
        "/C:/x",
        "/page.html/",
        "/page.html%2f",
        "/in.html/",
        "/sub/empty/",
        "/missing",
        "/%ff",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        for (site, path) in [
            (&files(&dir) as &dyn framewise_http::Handler, path.to_owned()),
            (&routed, format!("/static{path}")),
        ] {
            let answer = get(site, &path);
            assert_eq!(answer.status(), 404, "{path}");
            assert!(!answer.text().contains("SECRET"), "{path}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_may_have_any_name_and_is_of_the_type_that_its_name_says() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let dir = tree();
    let root = dir.path().join("root");
    fs::write(root.join("a:b\\c.txt"), "colon").unwrap();
    assert_eq!(get(&files(&dir), "/a:b%5cc.txt").text(), "colon");
    // Some file systems take letters alone.
    if fs::write(root.join(std::ffi::OsStr::from_bytes(b"b\xff.txt")), "bytes").is_ok() {
        assert_eq!(get(&files(&dir), "/b%FF.txt").text(), "bytes");
        let listed = get(&files(&dir).with_listing(), "/").text();
        assert!(listed.contains("<a href=\"./b%FF.txt\">b\u{fffd}.txt</a>"), "{listed}");
    }
    let two_words = "two words & <b>.bin";
    for (to, name, kind) in [
        (two_words, "alias.html", "text/html; charset=utf-8"),
        ("page.html", "latest", "text/html; charset=utf-8"),
        (two_words, "latest.unknown", "application/octet-stream"),
    ] {
        symlink(to, root.join(name)).unwrap();
        assert_eq!(get(&files(&dir), &format!("/{name}")).header("Content-Type"), Some(kind), "{name}");
    }
}

#[test]
fn pages_of_our_own_run_nothing_and_obey_nothing() {
    let dir = tree();
    fs::write(dir.path().join("root/\u{202e}\u{1b}[2J.txt"), "").unwrap();
    let site = files(&dir).with_listing();
    for (path, fields) in [
        ("/", &[][..]),
        ("/sub", &[]),
        ("/missing", &[]),
        ("/missing%1b%5b2J", &[("Accept", "text/plain")]),
        ("/page.html", &[("Range", "bytes=99-")]),
    ] {
        let page = ask(&site, Method::GET, path, fields, "");
        let policy = page.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
        assert!(!page.text().contains(['\u{1b}', '\u{202e}']), "{path}");
    }
    assert!(get(&site, "/").text().contains("\">\u{fffd}\u{fffd}[2J.txt</a>"));
    assert_eq!(get(&site, "/page.html").header("Content-Security-Policy"), None, "that is not ours");
}

#[test]
fn directories() {
    let dir = tree();
    assert_eq!(get(&files(&dir), "/sub/").text(), "index");
    let moved = get(&files(&dir), "//sub");
    assert_eq!((moved.status(), moved.header("Location")), (301, Some("/sub/")));
    for path in ["/sub//", "//sub///"] {
        let moved = get(&files(&dir), path);
        assert_eq!((moved.status(), moved.header("Location")), (301, Some("/sub/")), "{path}");
    }
    assert_eq!(get(&files(&dir), "//").header("Location"), None, "that would be another host");
    assert_eq!(get(&files(&dir), "/sub//?a=b").header("Location"), Some("/sub/?a=b"));
    assert_eq!(get(&files(&dir), "/sub?a=b").header("Location"), Some("/sub/?a=b"));
    let options = ask(&files(&dir), Method::OPTIONS, "*", &[], "");
    assert_eq!((options.status(), options.header("Allow")), (204, Some("GET, HEAD, OPTIONS")));
    let no_listing = get(&files(&dir), "/");
    assert_eq!(no_listing.status(), 404, "no listing unless asked for");
    assert!(!no_listing.text().contains("href=\"/\""), "a link to itself: {}", no_listing.text());
    assert!(get(&files(&dir), "/nowhere").text().contains("href=\"/\""));
    let listed = get(&files(&dir).with_listing(), "/");
    let text = listed.text();
    assert!(
        text.contains("<a href=\"./two%20words%20&amp;%20%3Cb%3E.bin\">two words &amp; &lt;b&gt;.bin</a>"),
        "{text}"
    );
    assert!(text.contains("./sub/") && !text.contains(".env"));
    let posted = ask(&files(&dir), Method::POST, "/page.html", &[], "");
    assert_eq!((posted.status(), posted.header("Allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert!(matches!(StaticFiles::new(dir.path().join("nowhere")), Err(FilesError::Unreadable { .. })));
    assert!(matches!(StaticFiles::new(dir.path().join("secret.txt")), Err(FilesError::NotADirectory(_))));
}

proptest! {
    #[test]
    fn no_path_escapes(path in "(/|\\.|\\.\\.|%2e|%2f|%5c|secret\\.txt|root|sub|up|out\\.txt|\\.env){0,12}") {
        let dir = tree();
        let answer = get(&files(&dir).with_listing(), &format!("/{path}"));
        prop_assert!(!answer.text().contains("SECRET"));
    }
}

#[test]
fn what_lies_compressed_beside_a_file_is_sent_to_who_takes_it() {
    let dir = tree();
    let root = dir.path().join("root");
    fs::write(root.join("page.html.gz"), "compressed").unwrap();
    for accepts in ["gzip", "br, GZIP;q=0.5", "deflate, gzip, br, zstd"] {
        let coded = with(&dir, "Accept-Encoding", accepts);
        assert_eq!((coded.status(), coded.text().as_str()), (200, "compressed"), "{accepts}");
        assert_eq!(coded.header("Content-Encoding"), Some("gzip"));
        assert_eq!(coded.header("Content-Type"), Some("text/html; charset=utf-8"), "that of the file itself");
    }
    for accepts in ["identity", "gzip;q=0", "gzip; q=0.000", "br", "gzipped"] {
        let plain = with(&dir, "Accept-Encoding", accepts);
        assert_eq!(
            (plain.text().as_str(), plain.header("Content-Encoding")),
            ("0123456789", None),
            "{accepts}"
        );
        assert_eq!(plain.header("Vary"), Some("Accept-Encoding"), "a cache must not give it to others");
    }
    let (plain, coded) = (with(&dir, "Accept", "*/*"), with(&dir, "Accept-Encoding", "gzip"));
    assert_ne!(plain.header("ETag"), coded.header("ETag"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../../secret.txt", root.join("sub/index.html.gz")).unwrap();
        let page = ask(&files(&dir), Method::GET, "/sub/", &[("Accept-Encoding", "gzip")], "");
        assert_eq!(page.text(), "index");
    }
}

/// A small file stays open between requests: what is served is none the less what is there.
#[test]
fn a_file_that_has_changed_is_served_as_it_is_now() {
    let dir = tree();
    let (site, page) = (files(&dir), dir.path().join("root/page.html"));
    let served = || get(&site, "/page.html");
    assert_eq!(served().text(), "0123456789");
    fs::write(&page, "written in place, and longer").unwrap();
    assert_eq!(served().text(), "written in place, and longer");
    fs::write(dir.path().join("root/new.html"), "another file").unwrap();
    fs::rename(dir.path().join("root/new.html"), &page).unwrap();
    assert_eq!(served().text(), "another file", "moved to its name");
    fs::remove_file(&page).unwrap();
    assert_eq!(served().status(), 404);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.txt", &page).unwrap();
        assert_eq!(served().status(), 404, "a link to where nobody may look");
    }
}

#[test]
fn more_files_than_stay_open_are_all_served() {
    let dir = tree();
    let site = files(&dir);
    for number in 0..200 {
        fs::write(dir.path().join(format!("root/{number}")), number.to_string()).unwrap();
    }
    for number in (0..200).chain(0..200) {
        assert_eq!(get(&site, &format!("/{number}")).text(), number.to_string());
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_any_more_or_is_no_file_is_not_served() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tree();
    let (site, root) = (files(&dir), dir.path().join("root"));
    // A pipe, whose other end nobody has open: to open it would wait for ever.
    let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status();
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(get(&site, "/pipe").status(), 404);
    }
    // The index of a directory follows the same rules as what is asked for by name.
    fs::remove_file(root.join("sub/index.html")).unwrap();
    symlink("../.env", root.join("sub/index.html")).unwrap();
    assert_eq!(get(&site, "/sub/").status(), 404);
    // Rights that were taken away count at once, though the file stays open; root reads everything.
    assert_eq!(get(&site, "/page.html").status(), 200);
    fs::set_permissions(root.join("page.html"), fs::Permissions::from_mode(0o000)).unwrap();
    let may_read = fs::File::open(root.join("page.html")).is_ok();
    assert_eq!(get(&site, "/page.html").status() == 200, may_read);
}

#[test]
fn what_lies_compressed_beside_a_newer_file_is_what_that_was_before() {
    let dir = tree();
    let (site, root) = (files(&dir), dir.path().join("root"));
    let accepting = || ask(&site, Method::GET, "/page.html", &[("Accept-Encoding", "gzip")], "");
    fs::write(root.join("page.html.gz"), "compressed").unwrap();
    assert_eq!(accepting().text(), "compressed");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    fs::File::options().write(true).open(root.join("page.html")).unwrap().set_modified(later).unwrap();
    assert_eq!(accepting().text(), "0123456789");
}

#[test]
fn brotli_is_sent_to_who_takes_it_as_gladly() {
    let dir = tree();
    let root = dir.path().join("root");
    for coding in ["br", "gz"] {
        fs::write(root.join(format!("page.html.{coding}")), coding).unwrap();
    }
    for (accepts, sent) in [
        ("gzip, br", "br"),
        ("br;q=0.5, gzip;q=0.6", "gz"),
        ("br;q=0, *", "gz"),
        ("*;q=0.1", "br"),
        ("identity, gzip;q=0.1", "0123456789"),
        ("identity;q=0.5, br;q=0.4, gzip;q=0.5", "gz"),
        ("gzip", "gz"),
        ("zstd", "0123456789"),
    ] {
        assert_eq!(with(&dir, "Accept-Encoding", accepts).text(), sent, "{accepts}");
    }
    assert_eq!(with(&dir, "Accept-Encoding", "br").header("Content-Encoding"), Some("br"));
    // RFC 9110 §5.3: two fields are one list.
    let fields = [("Accept-Encoding", "*"), ("Accept-Encoding", "br;q=0")];
    assert_eq!(ask(&files(&dir), Method::GET, "/page.html", &fields, "").text(), "gz");
}

#[test]
fn what_is_well_known_is_served_and_nothing_else_with_a_dot() {
    let dir = tree();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join(".well-known/.git")).unwrap();
    fs::create_dir_all(root.join("sub/.well-known")).unwrap();
    for file in
        [".well-known/security.txt", ".well-known/.env", ".well-known/.git/config", "sub/.well-known/x"]
    {
        fs::write(root.join(file), "Contact").unwrap();
    }
    assert_eq!(get(&files(&dir), "/.well-known/security.txt").text(), "Contact");
    for path in
        ["/.well-known/.env", "/.well-known/.git/config", "/sub/.well-known/x", "/.well-known/../.env"]
    {
        assert_eq!(get(&files(&dir), path).status(), 404, "{path}");
    }
}

#[test]
fn a_file_that_gets_shorter_on_the_way_is_never_taken_for_whole() {
    let dir = tree();
    let (site, page) = (files(&dir), dir.path().join("root/page.html"));
    fs::write(&page, vec![b'a'; 200_000]).unwrap();
    let (answer, taken) = common::kept(&Method::GET);
    framewise_http::Handler::handle(&site, common::request(Method::GET, "/page.html", &[], ""), answer);
    let Some(Body::Stream { length, mut pieces }) = taken.lock().unwrap().take() else { panic!("a stream") };
    assert_eq!(length, Some(200_000));
    assert_eq!(pieces.next().unwrap().unwrap().len(), 65_536);
    fs::write(&page, "short").unwrap();
    assert_eq!(pieces.next().unwrap().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(pieces.next().is_none());
}

#[test]
fn a_long_file_comes_whole_and_in_parts_however_many_ask_for_it() {
    let dir = tree();
    let bytes: Vec<u8> = (0..9_000_001_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(dir.path().join("root/long.bin"), &bytes).unwrap();
    let site = files(&dir);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert!(get(&site, "/long.bin").body == bytes));
        }
    });
    let part = ask(&site, Method::GET, "/long.bin", &[("Range", "bytes=1000001-8000000")], "");
    assert!(part.status() == 206 && part.body == bytes[1_000_001..=8_000_000]);
    let parts = ask(&site, Method::GET, "/long.bin", &[("Range", "bytes=0-4999999, 5000001-")], "");
    let second = parts.body.len() - 3_999_999;
    assert!(parts.status() == 206 && parts.body.windows(64).any(|some| some == &bytes[4_999_936..5_000_000]));
    assert!(parts.body[second..].windows(64).any(|some| some == &bytes[8_999_900..8_999_964]));
}

#[test]
fn a_long_file_that_gets_shorter_on_the_way_is_never_taken_for_whole() {
    let dir = tree();
    let (site, page) = (files(&dir), dir.path().join("root/page.html"));
    fs::write(&page, vec![b'a'; 20_000_000]).unwrap();
    let (answer, taken) = common::kept(&Method::GET);
    framewise_http::Handler::handle(&site, common::request(Method::GET, "/page.html", &[], ""), answer);
    let Some(Body::Stream { length, mut pieces }) = taken.lock().unwrap().take() else { panic!("a stream") };
    assert_eq!(length, Some(20_000_000));
    assert!(pieces.next().unwrap().is_ok());
    fs::write(&page, "short").unwrap();
    let broken = pieces.find_map(Result::err).expect("what is missing is missed");
    assert_eq!(broken.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(pieces.next().is_none());
}

#[test]
fn a_long_directory_says_that_there_is_more() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    for number in 0..1_001 {
        fs::write(root.join(number.to_string()), "").unwrap();
    }
    let listed = get(&files(&dir).with_listing(), "/").text();
    assert_eq!(listed.matches("<li>").count(), 1_000);
    assert!(listed.contains("There is more"));
}
