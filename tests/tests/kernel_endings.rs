//! Ends that nobody wants: a full disk, a reader that went away, a terminal that was closed, a process that was killed. What
//! was accepted is whole, or said not to be.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{TAP, V4, on_tap, tap};
use framewise_tests::peers::{Curl, Framewise, program};
use framewise_tests::{Namespace, Place, Running, finish, in_namespace};
use framewise_trace::{CaptureReader, Item};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::{TempDir, tempdir};

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// How many bytes the small disk holds.
const DISK: usize = 64 << 10;

/// A folder on a disk of its own that is soon full.
fn small_disk(ns: &Namespace) -> TempDir {
    let folder = tempdir().unwrap();
    let options = format!("size={DISK}");
    let mut mount = ns.command("mount");
    mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder.path());
    finish(&mut mount, SOON).successful();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_full_disk_is_said_with_the_name_of_the_file() {
    in_namespace("a_full_disk_is_said_with_the_name_of_the_file", |ns| {
        let whole =
            Framewise::new(ns, &["fetch", "--quiet", "http://shop.test/large"]).run().successful().stdout;
        for option in ["-o", "-w"] {
            let disk = small_disk(ns);
            let file = disk.path().join("file");
            let ended =
                Framewise::new(ns, &["fetch", "--quiet", "http://shop.test/large", option, text(&file)])
                    .run();
            assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
            assert!(ended.stderr.contains(text(&file)), "{}", ended.stderr);
            assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
            let kept = fs::read(&file).unwrap();
            assert!(kept.len() <= DISK);
            match option {
                "-o" => assert!(whole.starts_with(&kept), "what is there is the page's beginning"),
                _ => assert!(packets(&file) > 10, "the packets before the end can be read"),
            }
        }
    });
}

/// How many packets of a capture can be read, whatever comes after them.
fn packets(path: &Path) -> usize {
    let mut capture = CaptureReader::new(File::open(path).unwrap()).unwrap();
    let mut packets = 0;
    while let Ok(Some(item)) = capture.next_item() {
        packets += usize::from(matches!(item, Item::Packet(_)));
    }
    packets
}

/// Pages are served though their log can't be written any more, and that is said once.
#[test]
fn a_log_on_a_full_disk_ends_no_page() {
    in_namespace("a_log_on_a_full_disk_ends_no_page", |ns| {
        tap(ns);
        let disk = small_disk(ns);
        let log = disk.path().join("log");
        let mut server = on_tap(ns, &["serve", "--quiet", "--log", text(&log)]).spawn(READY);
        let path = "x".repeat(4_000);
        for _ in 0..20 {
            assert_eq!(Curl::new(ns).get(&format!("http://{}/{path}", V4.ours)).status, 404);
        }
        let complaint = server.wait_for_line("it is said", SOON, |line| line.contains(text(&log)));
        assert!(complaint.contains("No space left on device"), "{complaint}");
        let complaints = server.said().iter().filter(|line| line.contains(text(&log))).count();
        assert_eq!(complaints, 1, "{:?}", server.said());
        server.ends_well(SOON);
    });
}

#[test]
fn a_reader_that_has_read_enough_ends_nothing_badly() {
    let script =
        r#""$0" fetch http://shop.test/large | head -c 10 >/dev/null; echo "ended ${PIPESTATUS[0]}""#;
    let ended = finish(Command::new("bash").args(["-c", script]).arg(program()), SOON).successful();
    assert_eq!(ended.text(), "ended 0\n", "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// A page of which a piece comes every now and then.
const TRICKLE: &str = r#"
import socket, time
listener = socket.create_server(("127.0.0.1", 8080))
print("listens", flush=True)
while True:
    peer, _ = listener.accept()
    peer.recv(65536)
    try:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(1000):
            peer.sendall(b"x" * 1000)
            time.sleep(0.05)
    except OSError: pass
"#;

fn trickle(ns: &Namespace) -> Running {
    let mut server = Running::start(ns.command("python3").args(["-c", TRICKLE]));
    server.wait_for_line("listens", SOON, |line| line == "listens");
    server
}

/// Runs a command on a terminal of its own, closes that when `$1` has grown, and says how the command ended.
const TERMINAL: &str = r#"
import os, pty, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
def size():
    try: return os.stat(sys.argv[1]).st_size
    except OSError: return 0
end = time.monotonic() + 15
while size() == 0 and time.monotonic() < end: time.sleep(0.02)
os.close(terminal)
_, status = os.waitpid(child, 0)
print("ended", os.waitstatus_to_exitcode(status), flush=True)
"#;

#[test]
fn a_closed_terminal_ends_what_runs_on_it() {
    in_namespace("a_closed_terminal_ends_what_runs_on_it", |ns| {
        tap(ns);
        let folder = tempdir().unwrap();
        let _server = trickle(ns);
        let page = folder.path().join("page");
        let on_terminal = |arguments: &[&str]| {
            let mut command = ns.command("python3");
            command.args(["-c", TERMINAL, text(&page), text(&program())]).args(arguments);
            finish(&mut command, Duration::from_secs(40)).successful().text()
        };
        let fetch = ["fetch", "--quiet", "http://127.0.0.1:8080/", "-o", text(&page)];
        let ended = on_terminal(&fetch);
        assert!(!["ended 0\n", "ended 101\n"].contains(&ended.as_str()), "{ended}");
        let kept = fs::read(&page).unwrap();
        assert!(!kept.is_empty() && kept.iter().all(|&byte| byte == b'x'));
        // A server ends as it should: by what it would do at SIGHUP.
        let serve = ["serve", "--tap", TAP, "--address", V4.ours_cidr, "-w", text(&page)];
        fs::remove_file(&page).unwrap();
        assert_eq!(on_terminal(&serve), "ended 0\n");
    });
}

#[test]
fn what_a_killed_fetch_left_is_the_beginning_of_the_page() {
    in_namespace("what_a_killed_fetch_left_is_the_beginning_of_the_page", |ns| {
        let folder = tempdir().unwrap();
        let _server = trickle(ns);
        let page = folder.path().join("page");
        let script = r#""$0" fetch --quiet http://127.0.0.1:8080/ -o "$1" & \
            until [ -s "$1" ]; do sleep 0.02; done; kill -9 $!; wait $!; echo "ended $?""#;
        let mut command = ns.command("bash");
        let ended = finish(command.args(["-c", script]).arg(program()).arg(&page), SOON).successful();
        assert_eq!(ended.text(), "ended 137\n", "whoever waits for it hears that it was killed");
        let kept = fs::read(&page).unwrap();
        assert!(!kept.is_empty() && kept.len() < 1_000_000 && kept.iter().all(|&byte| byte == b'x'));
    });
}

/// A server that is killed leaves a capture that can be read, no page that looks whole, and a TAP for the next.
#[test]
fn a_killed_server_leaves_nothing_that_looks_whole() {
    in_namespace("a_killed_server_leaves_nothing_that_looks_whole", |ns| {
        tap(ns);
        // Else the kernel may take all of the page in for a client that has read little of it.
        let narrow = "echo 4096 65536 65536 > /proc/sys/net/ipv4/tcp_rmem";
        finish(ns.command("sh").args(["-c", narrow]), SOON).successful();
        let folder = tempdir().unwrap();
        let capture = folder.path().join("run.pcapng");
        let mut server = on_tap(ns, &["serve", "-w", text(&capture)]).spawn(READY);
        let url = format!("http://{}/large", V4.ours);
        let options = ["--limit-rate", "100k", "--speed-time", "5", "--speed-limit", "1"];
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| Curl::new(ns).options(&options).get(&url));
            server.wait_for_line("answers", SOON, |line| line.ends_with("GET /large 200"));
            std::thread::sleep(Duration::from_millis(500));
            drop(server);
            let answer = slow.join().unwrap();
            assert_ne!(answer.exit, Some(0), "{} bytes came", answer.body.len());
            assert!(answer.body.len() < 1_000_000);
        });
        assert!(packets(&capture) > 10);
        let again = on_tap(ns, &["serve", "--quiet"]).spawn(READY);
        assert_eq!(Curl::new(ns).get(&url).body.len(), 1_000_000);
        again.ends_well(SOON);
    });
}
