//! What goes wrong on a TAP: each kind has its exit code, one sentence and what to try next.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{TAP, V4, V6, as_host, on_tap, tap};
use framewise_tests::peers::{Framewise, Nginx, Tls};
use framewise_tests::{Authority, Finished, Namespace, Place, in_namespace, require_program, skip_because};
use std::fs;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// Exit codes, as `framewise --help` tells them.
const FILE: i32 = 1;
const USAGE: i32 = 2;
const CONNECTION: i32 = 4;
const TLS: i32 = 5;
const TIME: i32 = 7;
const DEVICE: i32 = 8;

/// It ended with this code, and said so in one sentence that contains `words`, and what to try.
#[track_caller]
fn assert_refused(finished: &Finished, code: i32, words: &str) {
    let said = &finished.stderr;
    assert_eq!(finished.status.code(), Some(code), "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert!(
        matches!(lines[..], [sentence, next] if sentence.starts_with("framewise: ") && next.starts_with("  try: ")),
        "one sentence and a next command, but: {said}"
    );
    assert!(said.contains(words), "{words:?} is not in: {said}");
    assert_eq!(finished.text(), "", "nothing that could be taken for a page");
}

fn fetch(ns: &Namespace, url: &str, arguments: &[&str]) -> Finished {
    on_tap(ns, &["fetch", "--quiet", url]).arguments(arguments).limit(SOON).run()
}

#[test]
fn a_closed_port_is_refused() {
    in_namespace("a_closed_port_is_refused", |ns| {
        tap(ns);
        for address in [V4.kernel, V6.kernel] {
            let url = format!("http://{}:81/", as_host(address));
            assert_refused(&fetch(ns, &url, &[]), CONNECTION, "nobody listens on that port");
        }
    });
}

#[test]
fn a_tap_that_was_made_for_the_run_has_nobody_on_it() {
    in_namespace("a_tap_that_was_made_for_the_run_has_nobody_on_it", |ns| {
        let alone = fetch(ns, &format!("http://{}/", V4.kernel), &[]);
        assert_refused(&alone, CONNECTION, "was made just now, and nobody is at its other end");
        assert!(alone.stderr.contains(&format!("framewise tap up {TAP} --address")), "{}", alone.stderr);
    });
}

#[test]
fn a_host_that_is_not_there_is_unreachable() {
    in_namespace("a_host_that_is_not_there_is_unreachable", |ns| {
        tap(ns);
        for address in ["192.0.2.77", "2001:db8:1::77"] {
            let url = format!("http://{}/", as_host(address));
            assert_refused(&fetch(ns, &url, &[]), CONNECTION, "the host does not answer");
        }
    });
}

#[test]
fn without_a_gateway_there_is_no_way_out() {
    in_namespace("without_a_gateway_there_is_no_way_out", |ns| {
        tap(ns);
        for address in [V4.beyond, V6.beyond] {
            let refused = fetch(ns, &format!("http://{}/", as_host(address)), &[]);
            assert_refused(&refused, CONNECTION, "no route to that address");
            assert!(refused.stderr.contains("--gateway"), "{}", refused.stderr);
        }
        // The kernel as router knows no way either, and says so by ICMP.
        ns.forward();
        let gateway = ["--gateway", V4.kernel];
        assert_refused(&fetch(ns, "http://203.0.113.9/", &gateway), CONNECTION, "unreachable");
    });
}

#[test]
fn a_server_that_says_nothing_is_too_slow() {
    in_namespace("a_server_that_says_nothing_is_too_slow", |ns| {
        tap(ns);
        // The kernel connects, and nobody takes the connection.
        let _silent = std::net::TcpListener::bind((V4.kernel, 80)).unwrap();
        let url = format!("http://{}/", V4.kernel);
        assert_refused(&fetch(ns, &url, &["--max-time", "0.5"]), TIME, "");
        let url = "http://192.0.2.77/";
        assert_refused(&fetch(ns, url, &["--connect-timeout", "0.5"]), TIME, "");
    });
}

#[test]
fn a_certificate_that_proves_nothing_is_refused() {
    in_namespace("a_certificate_that_proves_nothing_is_refused", |ns| {
        tap(ns);
        let (trusted, other) = (Authority::new(), Authority::new());
        let folder = tempfile::tempdir().unwrap();
        let trusted_file = trusted.write_to(folder.path());
        let trusting = ["--cacert", trusted_file.to_str().unwrap()];
        let serve = |authority: &Authority, name: &str| {
            let nginx =
                Nginx::new().http("192.0.2.1:80").https("192.0.2.1:443", Tls::Any).page("page", b"secret");
            nginx.identity(authority.issue(&[name])).start(ns)
        };
        let url = "https://192.0.2.1/page";

        let nginx = serve(&other, "192.0.2.1");
        let unknown = fetch(ns, url, &[]);
        assert_refused(&unknown, TLS, "");
        assert!(unknown.stderr.contains("--cacert"), "{}", unknown.stderr);
        // The other authority has the same name, but not the same key.
        assert_refused(&fetch(ns, url, &trusting), TLS, "a signature that is wrong");
        // Asked not to check, it doesn't, and says so.
        let unchecked = on_tap(ns, &["fetch", url, "--insecure"]).limit(SOON).run().successful();
        assert_eq!(unchecked.stdout, b"secret");
        assert!(unchecked.stderr.contains("nobody checked with whom"), "{}", unchecked.stderr);
        let plain = fetch(ns, "https://192.0.2.1:80/page", &trusting);
        assert_refused(&plain, TLS, "answered in plain HTTP");
        drop(nginx);

        let _nginx = serve(&trusted, "shop.test");
        assert_refused(&fetch(ns, url, &trusting), TLS, "192.0.2.1");
        assert_refused(
            &fetch(
                ns,
                "https://bank.test/page",
                &[&trusting[..], &["--resolve", "bank.test:443:192.0.2.1"]].concat(),
            ),
            TLS,
            "bank.test",
        );
    });
}

#[test]
fn what_is_no_tap_is_left_alone() {
    in_namespace("what_is_no_tap_is_left_alone", |ns| {
        tap(ns);
        let on = |name: &str| {
            let arguments =
                ["fetch", "--quiet", "http://192.0.2.1/", "--tap", name, "--address", V4.ours_cidr];
            Framewise::new(ns, &arguments).limit(SOON).run()
        };
        ns.ip("link add veth0 type veth peer name veth1");
        for name in ["lo", "veth0"] {
            assert_refused(&on(name), DEVICE, "is no TAP");
        }
        assert_refused(&on("a/name"), USAGE, "can't name an interface");
        let _server = on_tap(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        assert_refused(&on(TAP), DEVICE, "in use by another program");
    });
}

/// The namespace, for programs that run as nobody.
struct AsNobody<'a>(&'a Namespace);

impl Place for AsNobody<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = self.0.command("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(require_program(program));
        command
    }
}

#[test]
fn without_rights_no_device_is_opened() {
    in_namespace("without_rights_no_device_is_opened", |ns| {
        tap(ns);
        let users = fs::read_to_string("/proc/self/uid_map").unwrap();
        if users.split_whitespace().last() == Some("1") {
            skip_because("there is no user beside root in a namespace of an ordinary user's");
        }
        let nobody = AsNobody(ns);
        let fetched = on_tap(&nobody, &["fetch", "--quiet", "http://192.0.2.1/"]).limit(SOON).run();
        assert_refused(&fetched, DEVICE, "may not be opened by this user");
        for arguments in [&["tap", "up", "fw7"][..], &["tap", "up", "fw7", "--address", "198.51.100.1/24"]] {
            let refused = Framewise::new(&nobody, arguments).limit(SOON).run();
            assert_eq!(refused.status.code(), Some(DEVICE), "{}", refused.stderr);
        }
        assert!(!ns.ip("-brief link").contains("fw7"));
    });
}

#[test]
fn a_command_that_lacks_something_says_what() {
    in_namespace("a_command_that_lacks_something_says_what", |ns| {
        tap(ns);
        let run = |arguments: &[&str]| Framewise::new(ns, arguments).limit(SOON).run();
        assert_refused(&run(&["fetch", "-q", "http://192.0.2.1/", "--tap", TAP]), USAGE, "which address");
        assert_refused(&run(&["serve"]), USAGE, "on which TAP");
        assert_refused(&fetch(ns, "http://shop.test/", &["--resolve", "shop.test"]), USAGE, "--resolve");
        let unwritable = fetch(ns, "http://192.0.2.1/", &["--output", "/dev/null/page"]);
        assert_eq!(unwritable.status.code(), Some(FILE), "{}", unwritable.stderr);
        assert!(unwritable.stderr.contains("/dev/null/page can't be written"), "{}", unwritable.stderr);
    });
}
