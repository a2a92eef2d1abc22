//! Where the command ends, or can't go on, it says why, and what leads on from there.
#![allow(clippy::unwrap_used, reason = "a failed step fails its test")]

mod common;

#[cfg(unix)]
use std::process::Stdio;

#[cfg(unix)]
use common::command;
use common::{fails, framewise, said, succeeds};

/// A server with threads to look at, which writes nothing to the home of whoever runs it.
#[cfg(unix)]
fn server_with_threads(control: &str) -> std::process::Child {
    use std::io::{BufRead, BufReader};

    let args =
        ["serve", "--forward", "127.0.0.1:0", "--threads", "1", "--max-time", "60", "--control", control];
    let mut server = command(&args).env("HOME", "/dev/null").stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("Ctrl-C ends it")), "it serves");
    server
}

#[cfg(unix)]
#[test]
fn whoever_reads_no_more_of_top_ends_it() {
    use std::io::{BufRead, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control");
    let control = control.to_str().unwrap();
    let mut server = server_with_threads(control);
    for more in [&[][..], &["--json"]] {
        let args = [&["top", "--control", control, "--follow", "--interval", "0.05"], more].concat();
        let mut top = command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(top.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        assert!(top.wait().unwrap().success(), "a reader that goes away is no error");
    }
    assert!(server.try_wait().unwrap().is_none(), "it was not the server's end");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn marks_stand_below_what_they_mark_whatever_the_letters() {
    let shown = String::from_utf8(succeeds(&["url", "http://münchen.de/straße?q=ü"]).stdout).unwrap();
    let lines: Vec<&str> = shown.lines().take(2).collect();
    assert_eq!(lines, ["http://münchen.de/straße?q=ü", "^---   ^---------^------ ^--"]);
    assert!(shown.contains("q=%C3%BC"), "what is sent: {shown}");
}

#[test]
fn what_is_no_page_is_told_for_what_it_is() {
    fails(&["explain", "capture"], 1, "capture is not there");
    fails(
        &["explain", "example.com"],
        2,
        "example.com is no file that is there, and as a page in the real world",
    );
    fails(&["explain", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], 1, "it begins with \"[pac\"");
    fails(&["url", "/path"], 2, "it begins with a path");
    fails(&["fetch", "mailto:a@b.c"], 2, "mailto: is not fetched here");
    let ftp = succeeds(&["url", "ftp://files.test/a"]);
    let ftp = String::from_utf8(ftp.stdout).unwrap();
    assert!(ftp.contains("files.test") && ftp.contains("No page is fetched by ftp:"), "{ftp}");
    succeeds(&["stats", "TCP"]);
}

#[test]
fn options_in_the_wrong_order_are_named_as_such() {
    let figure = ["figure", "http://shop.test/", "--kind", "ladder", "--", "--loss", "2", "-o", "x.svg"];
    fails(&figure, 2, "--output is for a fetch by itself");
    let told = said(&framewise(&figure));
    assert!(told.contains("options of this command go before --"), "{told}");
}

#[test]
fn who_is_reached_by_http_alone_needs_no_authority() {
    let serve = |from: &str| {
        let args = ["serve", "--forward", from, "--max-time", "0.1"];
        command(&args).env_remove("XDG_DATA_HOME").env("HOME", "/dev/null").output().unwrap()
    };
    let plain = serve("127.0.0.1:0=80");
    assert!(plain.status.success(), "{}", said(&plain));
    let secure = serve("127.0.0.1:0=443");
    let told = said(&secure);
    assert_eq!(secure.status.code(), Some(5), "{told}");
    assert_eq!(told.matches("/dev/null").count(), 1, "the folder is named once: {told}");
    assert!(told.contains("os error") && told.contains("\n  try: the same with --https 0"), "{told}");
}

#[test]
fn completions_offer_only_what_is_for_people() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(succeeds(&["completions", shell]).stdout).unwrap();
        assert!(script.contains("explain") && !script.contains("serve-child"), "{shell}");
    }
}

#[test]
fn of_many_troubles_the_rest_can_be_found() {
    let told = succeeds(&["explain", "http://shop.test/large", "--", "--loss", "5", "--seed", "3"]);
    let told = String::from_utf8(told.stdout).unwrap();
    let rest = told.split("\n  and ").nth(1).expect("more than are shown");
    assert!(rest.contains("more, with frames ") && rest.contains("--frame NUMBER tells of one"), "{told}");
}
