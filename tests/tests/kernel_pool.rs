//! `framewise serve` with threads and child processes, over a TAP: what holds a thread, what waits, what is refused; and that
//! children that are killed cost no more than what they worked on.
//!
//! The run of the killed children takes 15 seconds; `FRAMEWISE_POOL_SECONDS=120` makes it as long as one likes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, Place, Running, finish, in_namespace, sha256_of, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// For how long children are killed, without anything said.
const SECONDS: u64 = 15;

/// A server with a pool, and its socket for `framewise top`.
struct Pooled {
    server: Running,
    folder: TempDir,
}

impl Pooled {
    /// Serves the built-in shop, and waits until every process is ready.
    fn start(ns: &Namespace, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The socket is made when the server is root no more.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let control = folder.path().join("control");
        let server = on_tap(ns, &["serve", "--https", "0", "--quiet"])
            .arguments(&["--control", control.to_str().unwrap()])
            .arguments(arguments)
            .spawn(READY);
        let pooled = Pooled { server, folder };
        pooled.until_whole();
        pooled
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// What the pool says of itself.
    fn now(&self) -> Value {
        let mut text = String::new();
        UnixStream::connect(self.control()).unwrap().read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn until(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        until(what, SOON, || Some(self.now()).filter(|now| condition(now)))
    }

    /// As many processes are ready as there are to be, and there are no others.
    fn until_whole(&self) -> Value {
        self.until("the pool is whole", |now| {
            let processes = now["processes"].as_array().unwrap();
            let ready = processes.iter().filter(|process| process["phase"] == "ready").count() as u64;
            Some(ready) == now["processes_wanted"].as_u64() && processes.len() as u64 == ready
        })
    }

    /// The process ids of the children.
    fn children(&self) -> Vec<i32> {
        let now = self.now();
        let processes = now["processes"].as_array().unwrap();
        processes.iter().filter_map(|process| process["pid"].as_i64()).map(|pid| pid as i32).collect()
    }

    fn ends_well(self) {
        let children = self.children();
        let own = self.server.id() as i32;
        self.server.ends_well(SOON);
        for child in children.into_iter().filter(|child| *child != own) {
            assert!(!is_there(child), "child {child} outlived the server");
        }
        assert!(!self.folder.path().join("control").exists(), "the socket is left");
    }
}

fn is_there(process: i32) -> bool {
    fs::metadata(format!("/proc/{process}")).is_ok()
}

fn signal(process: i32, signal: Signal) {
    kill_process(Pid::from_raw(process).unwrap(), signal).unwrap();
}

fn connect() -> TcpStream {
    let address = format!("{}:80", V4.ours).parse().unwrap();
    let stream = TcpStream::connect_timeout(&address, SOON).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, target: &str) {
    write!(stream, "GET {target} HTTP/1.1\r\nHost: shop.test\r\n\r\n").unwrap();
}

/// The head of the next answer, and its body, whose length it tells.
fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn url(path: &str) -> String {
    format!("http://{}{path}", V4.ours)
}

#[test]
fn children_have_no_rights_and_no_device_and_run_as_the_main_process_does() {
    in_namespace("children_have_no_rights_and_no_device_and_run_as_the_main_process_does", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--processes", "2", "--threads", "2"]);
        let field = |process: i32, name: &str| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
            let line = status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        for child in pooled.children() {
            for name in ["Uid:", "Gid:"] {
                assert!(field(child, name).iter().all(|id| id != "0"), "{name} {:?}", field(child, name));
                assert_eq!(field(child, name), field(pooled.server.id() as i32, name), "{name}");
            }
            assert_eq!(field(child, "Groups:"), [""; 0]);
            for name in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
                assert_eq!(field(child, name), ["0000000000000000"], "{name}");
            }
            assert_eq!(field(child, "NoNewPrivs:"), ["1"]);
            let open = fs::read_dir(format!("/proc/{child}/fd")).unwrap();
            let open = open.map(|fd| fs::read_link(fd.unwrap().path()).unwrap().display().to_string());
            let open: Vec<String> = open.collect();
            assert!(!open.iter().any(|fd| fd.contains("tun")), "the device is the main process's: {open:?}");
            // Its input twice, for reading and writing; its outputs; what it looks at itself by.
            assert!(open.iter().filter(|fd| fd.starts_with("socket:")).count() <= 3, "{open:?}");
        }
        let mode = fs::metadata(pooled.control()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the socket is its owner's alone");
        pooled.ends_well();
    });
}

#[test]
fn a_silent_connection_holds_a_thread_of_worker_and_none_of_event() {
    in_namespace("a_silent_connection_holds_a_thread_of_worker_and_none_of_event", |ns| {
        tap(ns);
        for (model, holds) in [("worker", true), ("prefork", true), ("event", false)] {
            // Silent for longer than the test takes.
            let arguments = ["--model", model, "--processes", "1", "--threads", "1", "--idle-timeout", "60"];
            let pooled = Pooled::start(ns, &arguments);
            let (mut first, mut second) = (connect(), connect());
            ask(&mut first, "/");
            assert!(answer(&mut first).0.starts_with("HTTP/1.1 200 "), "{model}");
            ask(&mut second, "/");
            if holds {
                pooled.until("the second waits", |now| now["queue"]["length"] == 1);
                let now = pooled.now();
                let thread = &now["processes"][0]["threads"][0];
                assert_eq!((&thread["state"], &thread["holds"]), (&1.into(), &true.into()), "{model}");
                drop(first);
            }
            assert!(answer(&mut second).0.starts_with("HTTP/1.1 200 "), "{model}");
            drop(second);
            pooled.until("nothing holds it", |now| now["processes"][0]["threads"][0]["holds"] == false);
            pooled.ends_well();
        }
    });
}

#[test]
fn a_connection_that_holds_a_thread_is_ended_after_its_requests() {
    in_namespace("a_connection_that_holds_a_thread_is_ended_after_its_requests", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--model", "prefork", "--requests-per-connection", "2"]);
        let mut stream = connect();
        ask(&mut stream, "/");
        assert!(!answer(&mut stream).0.contains("Connection: close"));
        ask(&mut stream, "/");
        assert!(answer(&mut stream).0.contains("Connection: close"));
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "and it ends");
        pooled.ends_well();
    });
}

#[test]
fn more_than_the_queue_holds_is_refused_with_retry_after() {
    in_namespace("more_than_the_queue_holds_is_refused_with_retry_after", |ns| {
        tap(ns);
        for pool in [&["--threads", "1"][..], &["--processes", "1", "--threads", "1"]] {
            let pooled = Pooled::start(ns, &[pool, &["--queue", "1"]].concat());
            let (mut works, mut waits, mut refused) = (connect(), connect(), connect());
            ask(&mut works, "/work?database=2000");
            pooled.until("it works", |now| now["busy"] == 1);
            ask(&mut waits, "/");
            pooled.until("one waits", |now| now["queue"]["length"] == 1);
            ask(&mut refused, "/");
            let (head, page) = answer(&mut refused);
            assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: "), "{head}");
            assert!(page.contains("No thread is free, and as many requests wait as may."), "{page}");
            assert!(answer(&mut works).1.contains("4  2000 ms  has asked the database"));
            assert!(answer(&mut waits).0.starts_with("HTTP/1.1 200 "));
            pooled.ends_well();
        }
    });
}

#[test]
fn a_trace_tells_which_thread_worked_on_a_request_and_what_it_waited_for() {
    in_namespace("a_trace_tells_which_thread_worked_on_a_request_and_what_it_waited_for", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("run.pcapng");
        let arguments = ["--processes", "1", "--threads", "1", "--trace", trace.to_str().unwrap()];
        let pooled = Pooled::start(ns, &arguments);
        let (mut works, mut waits) = (connect(), connect());
        ask(&mut works, "/work?database=500");
        pooled.until("it works", |now| now["busy"] == 1);
        ask(&mut waits, "/");
        assert!(answer(&mut works).0.starts_with("HTTP/1.1 200 "));
        assert!(answer(&mut waits).0.starts_with("HTTP/1.1 200 "));
        pooled.ends_well();
        let notes = notes_of_app(&fs::read(&trace).unwrap());
        let topics: Vec<_> = notes.iter().map(|note| note["topic"].as_str().unwrap()).collect();
        assert_eq!(topics, ["given", "waits", "done", "given", "done"], "{notes:?}");
        let done = notes[2]["text"].as_str().unwrap();
        assert!(
            done.contains("is done with GET /work?database=500 after ") && done.contains(", database "),
            "{done}"
        );
        // And as a person sees it.
        let frame = notes[1]["frame"].to_string();
        let mut explain = std::process::Command::new(framewise_tests::peers::program());
        explain.arg("explain").arg(&trace).args(["--frame", &frame]);
        let said = finish(&mut explain, SOON).successful().text();
        assert!(
            said.contains("noted     app: GET / waits in the queue, 0 before it (1 of 1 threads"),
            "{said}"
        );
    });
}

/// What the application noted, of a trace.
fn notes_of_app(trace: &[u8]) -> Vec<Value> {
    let lines = trace.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"kind\":\"note\""));
    let notes = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    notes.filter(|note| note["layer"] == "app").collect()
}

#[test]
fn what_a_thread_does_is_seen_while_it_does_it() {
    in_namespace("what_a_thread_does_is_seen_while_it_does_it", |ns| {
        tap(ns);
        for pool in [&["--threads", "1"][..], &["--processes", "1", "--threads", "1"]] {
            let pooled = Pooled::start(ns, pool);
            for (part, state) in [("executes", 3), ("line", 5), ("database", 4), ("processes", 6)] {
                let mut stream = connect();
                let mut parts =
                    BTreeMap::from([("executes", 0), ("line", 0), ("database", 0), ("processes", 0)]);
                parts.insert(part, 700);
                let query: Vec<_> = parts.iter().map(|(part, millis)| format!("{part}={millis}")).collect();
                ask(&mut stream, &format!("/work?{}", query.join("&")));
                let now = pooled.until(part, |now| now["processes"][0]["threads"][0]["state"] == state);
                let request = now["processes"][0]["threads"][0]["request"].as_str().unwrap();
                assert!(request.starts_with("GET /work?"), "{request}");
                assert!(answer(&mut stream).0.starts_with("HTTP/1.1 200 "));
            }
            // An answer that nobody reads: larger than what our TCP and the client's take in.
            let mut stream = connect();
            ask(&mut stream, "/large");
            pooled.until("it returns, or has", |now| {
                let thread = &now["processes"][0]["threads"][0];
                thread["state"] == 7 || thread["served"] == 5
            });
            drop(stream);
            pooled.until("it waits", |now| now["processes"][0]["threads"][0]["state"] == 1);
            // And as a person sees it.
            let control = pooled.control();
            let mut top = ns.command("env");
            top.arg(framewise_tests::peers::program());
            let screen =
                finish(top.args(["top", "--once", "--control"]).arg(control), SOON).successful().text();
            for word in ["waits for a connection", "passes the request", "executes", "has asked the database"]
            {
                assert!(screen.contains(word), "{screen}");
            }
            assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
            pooled.ends_well();
        }
    });
}

#[test]
fn bodies_go_both_ways_through_a_child() {
    in_namespace("bodies_go_both_ways_through_a_child", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--processes", "2", "--threads", "2"]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("body");
        // More than any window on the way.
        fs::write(&file, framewise_tests::peers::body_of(9_000_000)).unwrap();
        let upload = file.to_str().unwrap();
        let sent = Curl::new(ns).options(&["--upload-file", upload]).get(&url("/sink"));
        let sum = format!("9000000 bytes, SHA-256 {}\n", sha256_of(&file));
        assert_eq!(
            (sent.status, String::from_utf8_lossy(&sent.body)),
            (200, sum.into()),
            "{}",
            sent.complaint
        );
        for path in ["/large", "/large?chunked"] {
            let got = Curl::new(ns).get(&url(path));
            assert_eq!((got.exit, got.status, got.body.len()), (Some(0), 200, 1_000_000), "{path}");
        }
        let head = Curl::new(ns).options(&["--head"]).get(&url("/large"));
        assert!(head.head.contains("Content-Length: 1000000"), "{}", head.head);
        pooled.ends_well();
    });
}

#[test]
fn a_restart_lets_the_old_processes_finish() {
    in_namespace("a_restart_lets_the_old_processes_finish", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--processes", "2", "--threads", "2"]);
        let before = pooled.children();
        let mut slow = connect();
        ask(&mut slow, "/work?database=2000");
        pooled.until("it works", |now| now["busy"] == 1);
        pooled.server.hang_up();
        pooled.until("an old one finishes beside the new", |now| {
            let processes = now["processes"].as_array().unwrap();
            let count = |phase: &str| processes.iter().filter(|process| process["phase"] == phase).count();
            (count("ready"), count("retiring")) == (2, 1)
        });
        assert_eq!(Curl::new(ns).get(&url("/")).status, 200);
        assert!(answer(&mut slow).0.starts_with("HTTP/1.1 200 "));
        pooled.until_whole();
        let after = pooled.children();
        assert!(after.iter().all(|child| !before.contains(child)), "{before:?} {after:?}");
        until("the old are gone", SOON, || (!before.iter().any(|child| is_there(*child))).then_some(()));
        assert_eq!(pooled.now()["counts"]["died"], 0);
        pooled.ends_well();
    });
}

#[test]
fn a_hung_thread_is_answered_for_and_its_process_replaced() {
    in_namespace("a_hung_thread_is_answered_for_and_its_process_replaced", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--processes", "1", "--threads", "2", "--answer-timeout", "1"]);
        let before = pooled.children();
        let slow = Curl::new(ns).get(&url("/work?database=9000"));
        assert_eq!(slow.status, 504, "{}", slow.complaint);
        pooled.until_whole();
        assert_ne!(pooled.children(), before);
        assert_eq!(Curl::new(ns).get(&url("/")).status, 200);
        until("the old is gone", SOON, || (!is_there(before[0])).then_some(()));
        pooled.ends_well();
    });
}

#[test]
fn what_is_under_way_in_a_child_is_finished_after_sigterm() {
    in_namespace("what_is_under_way_in_a_child_is_finished_after_sigterm", |ns| {
        tap(ns);
        let mut pooled = Pooled::start(ns, &["--processes", "1", "--threads", "1"]);
        let (mut works, mut waits) = (connect(), connect());
        ask(&mut works, "/work?database=1000");
        pooled.until("it works", |now| now["busy"] == 1);
        ask(&mut waits, "/");
        pooled.until("one waits", |now| now["queue"]["length"] == 1);
        let child = pooled.children()[0];
        pooled.server.terminate();
        assert!(answer(&mut works).0.starts_with("HTTP/1.1 200 "));
        assert!(answer(&mut waits).0.starts_with("HTTP/1.1 200 "), "what waits was begun, too");
        assert_eq!(pooled.server.wait(SOON).code(), Some(0), "{}", pooled.server.said().join("\n"));
        assert!(!is_there(child));
    });
}

#[test]
fn children_end_with_a_main_process_that_is_killed() {
    in_namespace("children_end_with_a_main_process_that_is_killed", |ns| {
        tap(ns);
        let pooled = Pooled::start(ns, &["--processes", "2", "--threads", "2"]);
        let mut slow = connect();
        ask(&mut slow, "/work?database=9000");
        pooled.until("it works", |now| now["busy"] == 1);
        let children = pooled.children();
        drop(pooled.server);
        // As orphans they are the namespace's own first process's, which buries them.
        let is_over = |child: &i32| {
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        until("they have ended", SOON, || children.iter().all(is_over).then_some(()));
    });
}

#[test]
fn children_that_are_killed_cost_no_more_than_what_they_worked_on() {
    in_namespace("children_that_are_killed_cost_no_more_than_what_they_worked_on", |ns| {
        tap(ns);
        let seconds = std::env::var("FRAMEWISE_POOL_SECONDS").ok().and_then(|text| text.parse().ok());
        kill_under_load(ns, "event", seconds.unwrap_or(SECONDS));
        kill_under_load(ns, "worker", seconds.unwrap_or(SECONDS) / 3);
    });
}

/// What the main process holds: descriptors, threads, and resident memory in kilobytes.
fn held(process: u32) -> (usize, usize, u64) {
    let entries = |what: &str| fs::read_dir(format!("/proc/{process}/{what}")).unwrap().count();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (entries("fd"), entries("task"), line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Kills a child each second while 200 connections ask for as much as they can.
fn kill_under_load(ns: &Namespace, model: &str, seconds: u64) {
    let logs = tempfile::tempdir().unwrap();
    fs::set_permissions(logs.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let log = logs.path().join("access");
    let arguments = ["--model", model, "--processes", "2", "--threads", "16", "--log", log.to_str().unwrap()];
    let pooled = Pooled::start(ns, &arguments);
    let target = url("/work?executes=5&database=10&processes=5");
    let mut ab = ns.command("ab");
    let time = seconds.to_string();
    ab.args(["-q", "-k", "-c", "200", "-s", "60", "-t", &time, "-n", "100000000", &target]);
    let load =
        std::thread::spawn(move || finish(&mut ab, Duration::from_secs(seconds + 100)).successful().text());
    pooled.until("the load is there", |now| now["busy"].as_u64() >= Some(16));
    // What a load takes, it has by the second kill.
    let (mut kills, mut first) = (0, None);
    let began = Instant::now();
    while began.elapsed() + Duration::from_secs(2) < Duration::from_secs(seconds) {
        let children = pooled.children();
        signal(children[kills % children.len()], Signal::KILL);
        kills += 1;
        let killed = Instant::now();
        let whole = pooled.until("the pool is whole again", |now| {
            let processes = now["processes"].as_array().unwrap();
            let ready = processes.iter().filter(|process| process["phase"] == "ready").count();
            (ready, now["counts"]["died"].as_u64()) == (2, Some(kills as u64))
        });
        // Printed, for no test depends on a time; "within a second" is said of this figure.
        println!("whole again after {} ms", killed.elapsed().as_millis());
        assert_eq!(whole["processes"].as_array().unwrap().len(), 2);
        if kills == 2 {
            first = Some(held(pooled.server.id()));
        }
        until("the next second", SOON, || (killed.elapsed() >= Duration::from_secs(1)).then_some(()));
    }
    let report = load.join().unwrap();
    let line = |name: &str| {
        let line = report.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_start_matches([':', ' ']).to_owned()
    };
    let complete: u64 = line("Complete requests").parse().unwrap();
    // Pages about a dead process differ in length: that alone ab may find odd.
    let odd = report
        .lines()
        .find(|line| line.trim().starts_with("(Connect:"))
        .unwrap_or("(Connect: 0, Receive: 0, Length: 0, Exceptions: 0)");
    assert!(odd.contains("Connect: 0, Receive: 0,") && odd.contains("Exceptions: 0"), "{report}");
    let now = pooled.until("all is answered", |now| now["busy"] == 0 && now["queue"]["length"] == 0);
    let counts = &now["counts"];
    println!("{model}, {kills} kills: {complete} answers; {counts}");
    assert!(complete > 500 * seconds / 4, "{report}");
    assert!(kills as u64 >= seconds / 3, "{kills}");
    let logged = fs::read_to_string(&log).unwrap();
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    for line in logged.lines() {
        let status = line.rsplit_once("\" \"").and_then(|(before, _)| before.split("\" ").nth(1));
        *statuses.entry(status.unwrap_or(line).split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    println!("{statuses:?}");
    assert!(statuses.keys().all(|status| ["200", "502", "503"].contains(&status.as_str())), "{statuses:?}");
    let of = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(of("came"), of("answered") + of("refused") + of("failed") + of("expired") + of("left"));
    // Nothing is left of the dead.
    let (descriptors, threads, memory) = held(pooled.server.id());
    if let Some((descriptors_then, threads_then, memory_then)) = first {
        assert!(descriptors <= descriptors_then, "{descriptors} descriptors, {descriptors_then} before");
        assert_eq!(threads, threads_then);
        // Of counters, connections in TIME-WAIT and an allocator that keeps what it had.
        assert!(memory < memory_then + 32_768, "{memory} KB, {memory_then} before");
    }
    let own = format!("/proc/{0}/task/{0}/children", pooled.server.id());
    let all = fs::read_dir(format!("/proc/{}/task", pooled.server.id()))
        .unwrap()
        .map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default());
    let children: Vec<String> =
        all.flat_map(|all| all.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(children.len(), 2, "{own}: {children:?}");
    pooled.ends_well();
}
