//! `framewise tap up`, `status` and `down`: what it makes is gone when asked, and nothing else is touched.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, on_tap};
use framewise_tests::peers::{Curl, Framewise, program};
use framewise_tests::{
    Finished, Namespace, Place, finish, in_namespace, require_program, require_tap, skip_because, until,
};
use std::fs;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn run(ns: &Namespace, arguments: &[&str]) -> Finished {
    Framewise::new(ns, arguments).limit(SOON).run()
}

/// All that the kernel knows of interfaces, addresses and routes.
fn world(ns: &Namespace) -> String {
    ["-oneline link", "-oneline address", "route show table all", "-6 route show table all"]
        .map(|what| ns.ip(what))
        .concat()
}

fn up(ns: &Namespace) {
    run(ns, &["tap", "up", "fw0", "--address", V4.kernel_cidr, "--address", V6.kernel_cidr]).successful();
}

#[test]
fn up_and_down_leave_nothing_behind() {
    in_namespace("up_and_down_leave_nothing_behind", |ns| {
        require_tap();
        let before = world(ns);
        assert!(run(ns, &["tap", "status"]).successful().text().contains("no TAP device"));
        up(ns);
        let status = run(ns, &["tap", "status"]).successful().text();
        for part in ["fw0", "up", "free", V4.kernel_cidr, V6.kernel_cidr] {
            assert!(status.contains(part), "{part:?} is not in: {status}");
        }
        // Not all: some of its state the kernel brings up to date a little later.
        let once = ns.ip("-oneline address show fw0 scope global");
        up(ns);
        assert_eq!(ns.ip("-oneline address show fw0 scope global"), once, "what is up stays as it is");
        run(ns, &["tap", "down", "fw0"]).successful();
        assert_eq!(world(ns), before);
        let gone = run(ns, &["tap", "down", "fw0"]);
        assert_eq!(gone.status.code(), Some(8), "{}", gone.stderr);
        assert!(gone.stderr.contains("there is no fw0"), "{}", gone.stderr);
    });
}

#[test]
fn what_is_up_serves_many_runs() {
    in_namespace("what_is_up_serves_many_runs", |ns| {
        require_tap();
        up(ns);
        let made = ns.ip("-oneline address show fw0 scope global");
        for _ in 0..2 {
            let mut server = on_tap(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
            assert!(run(ns, &["tap", "status"]).successful().text().contains("in use"));
            assert_eq!(Curl::new(ns).get(&format!("http://{}/", V4.ours)).status, 200);
            server.terminate();
            assert_eq!(server.wait(SOON).code(), Some(0), "{}", server.said().join("\n"));
        }
        assert!(run(ns, &["tap", "status", "--json"]).successful().text().contains(r#""in_use":false"#));
        assert_eq!(ns.ip("-oneline address show fw0 scope global"), made);
    });
}

#[test]
fn interfaces_of_others_are_left_alone() {
    in_namespace("interfaces_of_others_are_left_alone", |ns| {
        require_tap();
        ns.ip("tuntap add theirs mode tap");
        ns.ip("link add veth0 type veth peer name veth1");
        let before = world(ns);
        for name in ["theirs", "veth0", "lo"] {
            for arguments in [&["tap", "down", name][..], &["tap", "up", name, "--address", V4.kernel_cidr]] {
                let refused = run(ns, arguments);
                assert_eq!(refused.status.code(), Some(8), "{arguments:?}: {}", refused.stderr);
                assert!(refused.stderr.contains("not made by framewise"), "{}", refused.stderr);
            }
        }
        assert!(!run(ns, &["tap", "status"]).successful().text().contains("theirs"));
        assert_eq!(world(ns), before);
    });
}

#[test]
fn a_killed_run_leaves_no_tap_behind() {
    in_namespace("a_killed_run_leaves_no_tap_behind", |ns| {
        require_tap();
        let before = world(ns);
        let server = on_tap(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        assert!(ns.ip("-brief link").contains("fw0"), "made by the command itself");
        // Dropping kills it, and it has no time to tidy up.
        drop(server);
        until("the kernel has removed it", SOON, || (world(ns) == before).then_some(()));
    });
}

/// Where programs may not change interfaces: `CAP_NET_ADMIN` is taken from them.
struct WithoutRights<'n>(&'n Namespace);

impl Place for WithoutRights<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = self.0.command("setpriv");
        command.args(["--inh-caps=-net_admin", "--bounding-set=-net_admin", "--"]);
        command.arg(require_program(program));
        command
    }
}

#[test]
fn its_owner_may_use_it_without_any_right() {
    in_namespace("its_owner_may_use_it_without_any_right", |ns| {
        require_tap();
        run(ns, &["tap", "up", "fw0", "--address", V4.kernel_cidr, "--owner", "0"]).successful();
        let there = WithoutRights(ns);
        let fetch = || on_tap(&there, &["fetch", "-q", "http://192.0.2.1/"]).limit(SOON).run();
        let refused = fetch();
        assert_eq!(refused.status.code(), Some(4), "it got as far as the kernel's TCP: {}", refused.stderr);
        let server = on_tap(&there, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        assert_eq!(Curl::new(ns).get(&format!("http://{}/", V4.ours)).status, 200);
        drop(server);
        // What is down, only root may bring up.
        ns.ip("link set fw0 down");
        let down = fetch();
        assert_eq!(down.status.code(), Some(8), "{}", down.stderr);
        assert!(down.stderr.contains("sudo framewise tap up fw0"), "{}", down.stderr);
    });
}

#[test]
fn it_belongs_to_whoever_called_sudo_and_stays_theirs() {
    in_namespace("it_belongs_to_whoever_called_sudo_and_stays_theirs", |ns| {
        require_tap();
        let owner = || {
            let status = run(ns, &["tap", "status", "fw0", "--json"]).successful().text();
            let status: serde_json::Value = serde_json::from_str(&status).unwrap();
            status[0]["owner"].as_u64()
        };
        if fs::read_to_string("/proc/self/uid_map").unwrap().split_whitespace().last() == Some("1") {
            skip_because("there is no user beside root in a namespace of an ordinary user's");
        }
        finish(ns.command("env").args(["SUDO_UID=1000"]).arg(program()).args(["tap", "up"]), SOON)
            .successful();
        assert_eq!(owner(), Some(1_000));
        run(ns, &["tap", "up"]).successful();
        assert_eq!(owner(), Some(1_000), "what it has, it does not lack");
        run(ns, &["tap", "up", "--owner", "1002"]).successful();
        assert_eq!(owner(), Some(1_002));
        run(ns, &["tap", "down"]).successful();
        run(ns, &["tap", "up"]).successful();
        assert_eq!(owner(), Some(0), "without an owner it would be everybody's");
    });
}

#[test]
fn a_tap_that_somebody_else_brought_down_stays_down() {
    in_namespace("a_tap_that_somebody_else_brought_down_stays_down", |ns| {
        require_tap();
        ns.ip("tuntap add fw0 mode tap");
        let refused = on_tap(ns, &["fetch", "-q", "http://192.0.2.1/"]).limit(SOON).run();
        assert_eq!(refused.status.code(), Some(8), "{}", refused.stderr);
        assert!(refused.stderr.contains("fw0 is down, and framewise did not make it"), "{}", refused.stderr);
        assert!(ns.ip("-brief link show fw0").contains("DOWN"));
        // Its own, it brings up again.
        ns.ip("link delete fw0");
        up(ns);
        ns.ip("link set fw0 down");
        on_tap(ns, &["fetch", "-q", "http://192.0.2.1/"]).limit(SOON).run();
        assert!(ns.ip("-oneline link show fw0").contains(",UP"));
    });
}
