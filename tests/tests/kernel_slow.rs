//! Clients that keep a connection each and do next to nothing with it: slow with a head, with a body, or with reading. A
//! thousand of them, over http and https at once, keep nobody else waiting, and are gone after 40 seconds.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, Place, Running, in_namespace, peak_memory, require_program};
use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// Attackers by each of the two protocols, and how many come in a second.
const ATTACKERS: &str = "1000";
const RATE: &str = "500";
/// Of all these so many are there at once, and in the end no more than so few: their probes, and our own pages.
const MANY: usize = 1_800;
const FEW: usize = 10;
/// How long one may hold its connection, and how long the last of them may take to come on a busy machine.
const HELD: Duration = Duration::from_secs(40);
const COMING: Duration = Duration::from_secs(10);
/// How long a page may take beside them, for 99 of 100.
const PROMPT: Duration = Duration::from_secs(1);
/// By how much our process may grow: twice a thousand connections, each with 64 KiB of an answer under way, what is prepared to
/// follow, and its session.
const GROWTH: u64 = 512 << 20;

/// `slowhttptest`, which goes on until it is dropped: of what is reset while it waits it does not always hear.
fn attack(ns: &Namespace, url: &str, how: &[&str]) -> Running {
    require_program("slowhttptest");
    let mut command = ns.command("slowhttptest");
    command.args(["-c", ATTACKERS, "-r", RATE, "-l", "120", "-p", "10", "-u", url]).args(how);
    Running::start(&mut command)
}

/// How many connections to our server the kernel holds for established.
fn established() -> usize {
    let ours: Ipv4Addr = V4.ours.parse().unwrap();
    let ours = format!("{:08X}:", u32::from_ne_bytes(ours.octets()));
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
    let of_ours = |line: &&str| {
        let mut words = line.split_whitespace().skip(2);
        words.next().is_some_and(|remote| remote.starts_with(&ours)) && words.next() == Some("01")
    };
    sockets.lines().filter(of_ours).count()
}

/// How long each page took while `goes_on`, none of them missing.
fn beside(ns: &Namespace, mut goes_on: impl FnMut() -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while took.len() < 100 || goes_on() {
        let begun = Instant::now();
        let answer = Curl::new(ns).options(&["--max-time", "10"]).get(&format!("http://{}/", V4.ours));
        assert_eq!((answer.exit, answer.status), (Some(0), 200), "fetch {} failed", took.len());
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took
}

fn slow(name: &str, path: &'static str, how: &'static [&'static str]) {
    in_namespace(name, |ns| {
        tap(ns);
        let authority = tempfile::tempdir().unwrap();
        let directory = authority.path().to_str().unwrap();
        let server = on_tap(ns, &["serve", "--quiet", "--ca-dir", directory]).spawn(READY);
        let before = peak_memory(server.id()).unwrap();
        let begun = Instant::now();
        let attacks =
            ["http", "https"].map(|scheme| attack(ns, &format!("{scheme}://{}{path}", V4.ours), how));
        let mut most = 0;
        let took = beside(ns, || {
            let open = established();
            most = most.max(open);
            assert!(begun.elapsed() < HELD + COMING || open < FEW, "{open} of {most} are still there");
            most < MANY || open >= FEW
        });
        drop(attacks);
        let p99 = took[took.len() * 99 / 100];
        assert!(p99 < PROMPT, "of {} pages, 1 of 100 took longer than {p99:?}", took.len());
        let growth = peak_memory(server.id()).unwrap() - before;
        assert!(growth <= GROWTH, "it grew by {growth} bytes");
        server.ends_well(SOON);
    });
}

#[test]
fn slow_heads_keep_nobody_waiting() {
    slow("slow_heads_keep_nobody_waiting", "/", &["-H", "-i", "5", "-x", "24"]);
}

#[test]
fn slow_bodies_keep_nobody_waiting() {
    slow("slow_bodies_keep_nobody_waiting", "/form", &["-B", "-i", "5", "-x", "24", "-s", "8192"]);
}

#[test]
fn slow_readers_keep_nobody_waiting() {
    slow(
        "slow_readers_keep_nobody_waiting",
        "/large",
        &["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"],
    );
}
