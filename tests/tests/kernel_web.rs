//! What a web server owes to a web client: `framewise serve` over a TAP, with curl and with bare connections.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, Place, Running, finish, in_namespace, until};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";

/// A directory that a server may read when it is root no more.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Serves the folder, or the shop, by http alone.
fn serve(ns: &Namespace, folder: Option<&TempDir>, arguments: &[&str]) -> Running {
    let directory = folder.map(|folder| text(folder.path()));
    on_tap(ns, &["serve", "--https", "0"]).arguments(directory.as_slice()).arguments(arguments).spawn(READY)
}

fn at(path: &str) -> String {
    format!("http://{}{path}", V4.ours)
}

fn connect() -> TcpStream {
    try_to_connect().unwrap()
}

fn try_to_connect() -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&format!("{}:80", V4.ours).parse().unwrap(), SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    Ok(stream)
}

/// Sends these bytes, and gives all that comes until the server closes.
fn say(bytes: &[u8]) -> String {
    let mut stream = connect();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A server that refuses what is under way may reset what it has not read.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn curl_gets_pages_compressed_in_parts_and_only_when_they_have_changed() {
    in_namespace("curl_gets_pages_compressed_in_parts_and_only_when_they_have_changed", |ns| {
        tap(ns);
        let folder = folder();
        let page: String = (0..100_000).map(|number| format!("{number}\n")).collect();
        fs::write(folder.path().join("page.txt"), &page).unwrap();
        let server = serve(ns, Some(&folder), &[]);
        let url = at("/page.txt");
        let coded = Curl::new(ns).options(&["--compressed"]).get(&url);
        assert!(coded.head.contains("Content-Encoding: gzip\r\n"), "{}", coded.head);
        assert!(coded.body == page.as_bytes(), "{} bytes came", coded.body.len());
        let plain = Curl::new(ns).get(&url);
        assert!(plain.body == page.as_bytes() && plain.head.contains("\r\nDate: "), "{}", plain.head);
        let part = Curl::new(ns).options(&["--range", "10-19"]).get(&url);
        assert_eq!((part.status, part.body.as_slice()), (206, &page.as_bytes()[10..20]));
        let parts = Curl::new(ns).options(&["--range", "0-1,10-19"]).get(&url);
        assert!(parts.head.contains("multipart/byteranges"), "{}", parts.head);
        let beyond = Curl::new(ns).options(&["--range", "99999999-"]).get(&url);
        assert_eq!((beyond.status, beyond.exit), (416, Some(0)));
        let etag = plain.head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let field = format!("If-None-Match: {etag}");
        let again = Curl::new(ns).options(&["--header", &field]).get(&url);
        assert_eq!((again.status, again.body.len()), (304, 0));
        // What was cut short is resumed, to the byte.
        let file = folder.path().join("resumed");
        fs::write(&file, &page.as_bytes()[..100_000]).unwrap();
        let mut curl = ns.command("curl");
        curl.args([
            "--disable",
            "--silent",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--continue-at",
            "-",
            "--output",
        ]);
        finish(curl.arg(&file).arg(&url), SOON).successful();
        assert!(fs::read(&file).unwrap() == page.as_bytes());
        server.ends_well(SOON);
    });
}

#[test]
fn an_upload_that_nobody_wants_is_never_sent() {
    in_namespace("an_upload_that_nobody_wants_is_never_sent", |ns| {
        tap(ns);
        let folder = folder();
        let file = folder.path().join("large");
        fs::write(&file, vec![0x5a; 3_000_000]).unwrap();
        for (limits, path, wanted) in [
            (&[][..], "/nowhere", "404 0"),
            (&[], "/form", "405 0"),
            (&["--max-body", "1000000"], "/echo", "413 0"),
            (&["--max-body", "1000000"], "/sink", "413 0"),
        ] {
            let server = serve(ns, None, limits);
            // Of bodies beyond 1 MB curl asks first whether they are wanted.
            let mut curl = ns.command("curl");
            curl.args(["--disable", "--silent", "--verbose", "--noproxy", "*", "--max-time", "20"]);
            curl.args([
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code} %{size_upload}",
                "--upload-file",
            ]);
            let finished = finish(curl.arg(&file).arg(at(path)), SOON);
            assert_eq!(finished.text(), wanted, "{path}: {}", finished.stderr);
            assert!(!finished.stderr.contains("100 Continue"), "{path}: {}", finished.stderr);
            server.ends_well(SOON);
        }
        let server = serve(ns, None, &[]);
        let data = format!("@{}", file.display());
        let sent = Curl::new(ns).options(&["--data-binary", &data]).get(&at("/sink"));
        assert!(String::from_utf8_lossy(&sent.body).starts_with("3000000 bytes"), "{:?}", sent.head);
        server.ends_well(SOON);
    });
}

#[test]
fn a_form_with_files_arrives() {
    in_namespace("a_form_with_files_arrives", |ns| {
        tap(ns);
        let folder = folder();
        let file = folder.path().join("a & b.bin");
        fs::write(&file, vec![0xff; 2_000_000]).unwrap();
        let server = serve(ns, None, &[]);
        let picture = format!("picture=@{}", file.display());
        let sent =
            Curl::new(ns).options(&["--form-string", "item=<tea>", "--form", &picture]).get(&at("/form"));
        let page = String::from_utf8_lossy(&sent.body).into_owned();
        assert!(page.contains("<li>item: &lt;tea&gt;"), "{} {page}", sent.head);
        assert!(page.contains("<li>picture: the file a &amp; b.bin, 2000000 bytes"), "{page}");
        server.ends_well(SOON);
    });
}

#[test]
fn what_is_served_is_written_down_and_nobody_forges_a_line() {
    in_namespace("what_is_served_is_written_down_and_nobody_forges_a_line", |ns| {
        tap(ns);
        let folder = folder();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.path().join("page"), "page").unwrap();
        let log = folder.path().join("log");
        let mut server = serve(ns, Some(&folder), &["--log", text(&log)]);
        let agent = "a\"b \\ \u{e9}";
        let answer =
            Curl::new(ns).options(&["--user-agent", agent, "--referer", "http://a/"]).get(&at("/page?x"));
        assert_eq!(answer.status, 200);
        let refused = say(b"GET / HTTP/1.1\r\nHost : a\r\n\r\nGET /page HTTP/1.1\r\nHost: a\r\n\r\n");
        let body = refused.split_once("\r\n\r\n").unwrap().1;
        say(b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: a\tb\r\n\r\n");
        until("three lines are there", SOON, || {
            (fs::read_to_string(&log).ok()?.lines().count() == 3).then_some(())
        });
        let lines = fs::read_to_string(&log).unwrap();
        let lines: Vec<(&str, &str)> = lines.lines().map(|line| line.split_once("] ").unwrap()).collect();
        assert!(lines.iter().all(|(begin, _)| begin.starts_with("192.0.2.1 - - [")), "{lines:?}");
        assert_eq!(lines[0].1, "\"GET /page?x HTTP/1.1\" 200 4 \"http://a/\" \"a\\\"b \\\\ \\xc3\\xa9\"");
        assert_eq!(lines[1].1, format!("\"-\" 400 {} \"-\" \"-\"", body.len()));
        assert!(lines[2].1.starts_with("\"GET /none HTTP/1.1\" 404 "), "{lines:?}");
        assert!(lines[2].1.ends_with(" \"-\" \"a\\x09b\""), "{lines:?}");
        for line in [
            "192.0.2.1 http GET /page?x 200",
            "192.0.2.1 http refused (space before colon) 400",
            "192.0.2.1 http GET /none 404",
        ] {
            server.wait_for_line("shows it, too", SOON, |said| said == line);
        }
        server.ends_well(SOON);
    });
}

#[test]
fn limits_are_kept_and_said() {
    in_namespace("limits_are_kept_and_said", |ns| {
        tap(ns);
        let limits =
            ["--head-timeout", "1", "--max-per-client", "2", "--max-head", "1000", "--max-target", "100"];
        let server = serve(ns, None, &[&limits[..], &["--idle-timeout", "1"]].concat());
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100));
        assert!(say(long.as_bytes()).starts_with("HTTP/1.1 414 "));
        let wide = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(1_000));
        assert!(say(wide.as_bytes()).starts_with("HTTP/1.1 431 "));
        assert!(say(b"GET / HT").starts_with("HTTP/1.1 408 "), "a head that does not go on");
        let kept = say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(kept.ends_with("</a>\n"), "a connection that is not used again is closed: {kept}");
        let (_one, _two) = (connect(), connect());
        // It may be reset before the kernel has told of it that it is there.
        if let Ok(mut three) = try_to_connect() {
            let _ = three.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            let mut answer = String::new();
            assert!(three.read_to_string(&mut answer).is_err() || answer.is_empty(), "{answer}");
        }
        server.ends_well(SOON);
    });
}

#[test]
fn a_file_that_gets_shorter_on_the_way_is_broken_off_and_said() {
    in_namespace("a_file_that_gets_shorter_on_the_way_is_broken_off_and_said", |ns| {
        tap(ns);
        let folder = folder();
        let file = folder.path().join("page");
        fs::write(&file, vec![0x5a; 20_000_000]).unwrap();
        let mut server = serve(ns, Some(&folder), &[]);
        let mut slow = connect();
        write!(slow, "GET /page HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut some = vec![0; 1_000];
        slow.read_exact(&mut some).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_len(1_000).unwrap();
        let ended = slow.read_to_end(&mut some);
        assert!(ended.is_err(), "reset, not closed, after {} bytes", some.len());
        server.wait_for_line("says what went wrong", SOON, |line| {
            line.starts_with("192.0.2.1 http GET /page broken off after ")
        });
        let again = Curl::new(ns).get(&at("/page"));
        assert_eq!((again.status, again.body.len()), (200, 1_000), "and it goes on");
        server.ends_well(SOON);
    });
}

/// However a server is told to end: what it has begun it finishes, and nobody new is let in.
fn finishes(ns: &Namespace, end: impl Fn(&Running)) {
    let folder = folder();
    fs::write(folder.path().join("page"), vec![0x5a; 4_000_000]).unwrap();
    let mut server = serve(ns, Some(&folder), &["--drain", "30"]);
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| Curl::new(ns).options(&["--limit-rate", "2M"]).get(&at("/page")));
        server.wait_for_line("answers", SOON, |line| line.ends_with("GET /page 200"));
        end(&server);
        server.wait_for_line("says that it ends", SOON, |line| line.contains("Finishing what was begun"));
        let refused = Curl::new(ns).get(&at("/page"));
        assert_eq!(refused.exit, Some(7), "nobody new is let in");
        let answer = slow.join().unwrap();
        assert_eq!((answer.exit, answer.body.len()), (Some(0), 4_000_000), "{}", answer.complaint);
    });
    assert_eq!(server.wait(SOON).code(), Some(0), "{}", server.said().join("\n"));
}

#[test]
fn a_hangup_ends_it_in_order() {
    in_namespace("a_hangup_ends_it_in_order", |ns| {
        tap(ns);
        finishes(ns, Running::hang_up);
    });
}

#[test]
fn a_request_to_end_ends_it_in_order() {
    in_namespace("a_request_to_end_ends_it_in_order", |ns| {
        tap(ns);
        finishes(ns, Running::terminate);
    });
}

#[test]
fn what_takes_too_long_to_finish_is_left_and_said() {
    in_namespace("what_takes_too_long_to_finish_is_left_and_said", |ns| {
        tap(ns);
        let mut server = serve(ns, None, &["--drain", "1"]);
        let mut stuck = connect();
        write!(stuck, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stuck.read_exact(&mut [0; 1_000]).unwrap();
        server.terminate();
        assert_eq!(server.wait(Duration::from_secs(10)).code(), Some(0));
        assert!(server.said().iter().any(|line| line == "Not finished: 1."), "{:?}", server.said());
    });
}
