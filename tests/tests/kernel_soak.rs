//! Mixed load and faults for as long as one likes: pages over both schemes and both versions of IP, uploads, broken requests,
//! connections cut in the middle, a cable pulled. Nothing may grow.
//!
//! Ten seconds by itself, which tells that nothing breaks; `FRAMEWISE_SOAK_SECONDS=3600 cargo test -p framewise-tests
//! --test kernel_soak -- --nocapture` tells of memory, too, once what finished connections leave behind has levelled out.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{TAP, V4, V6, as_host, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, in_namespace_for};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// For how long without anything said.
const SECONDS: u64 = 10;
/// From how many seconds on drift can be told from beginning: what is in TIME-WAIT stays for a minute.
const LONG: u64 = 600;
/// The most that the last quarter of a long run may take above the one before, in hundredths.
const DRIFT: u64 = 1;
/// The most that our process may ever take.
const MEMORY: u64 = 64 << 20;

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    /// Bytes of resident memory.
    memory: u64,
    /// Open descriptors.
    descriptors: u64,
}

fn held(process: u32) -> Held {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count() as u64;
    Held { memory: kilobytes * 1024, descriptors }
}

/// One round: a bit of everything.
fn round(ns: &Namespace, number: u64, authority: &Path, upload: &Path) {
    let address = if number.is_multiple_of(2) { V4.ours } else { V6.ours };
    let scheme = if number.is_multiple_of(3) { "https" } else { "http" };
    let origin = format!("{scheme}://{}", as_host(address));
    let curl = |options: &[&str], path: &str| {
        let curl = Curl::new(ns).trusting(authority).options(options);
        let answer = curl.get(&format!("{origin}{path}"));
        (answer.exit, answer.status, answer.body.len())
    };
    assert_eq!(curl(&[], "/").1, 200);
    assert_eq!(curl(&["--compressed"], "/verse").1, 200);
    assert_eq!(curl(&[], "/nowhere").1, 404);
    assert_eq!(curl(&["--data", "item=tea&pieces=2"], "/form").1, 200);
    assert_eq!(curl(&["--upload-file", upload.to_str().unwrap()], "/sink").1, 200);
    match number % 4 {
        0 => assert_eq!(curl(&[], "/large"), (Some(0), 200, 1_000_000)),
        1 => assert_eq!(curl(&[], "/large?chunked"), (Some(0), 200, 1_000_000)),
        2 => cut(address),
        _ => refused(address),
    }
    if number.is_multiple_of(16) {
        pulled(ns);
    }
}

fn connect(address: &str) -> TcpStream {
    TcpStream::connect((address, 80)).unwrap()
}

/// A page whose reader goes away after its beginning: the kernel answers the rest with RST.
fn cut(address: &str) {
    let mut peer = connect(address);
    write!(peer, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    peer.read_exact(&mut [0; 1_000]).unwrap();
}

/// A request that no server should read.
fn refused(address: &str) {
    let mut peer = connect(address);
    write!(peer, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// A page during which the cable is out for a moment.
fn pulled(ns: &Namespace) {
    let mut peer = connect(V4.ours);
    peer.set_read_timeout(Some(SOON)).unwrap();
    write!(peer, "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut begin = [0; 1_000];
    peer.read_exact(&mut begin).unwrap();
    ns.ip(&format!("link set {TAP} down"));
    std::thread::sleep(Duration::from_millis(100));
    ns.ip(&format!("link set {TAP} up"));
    // The kernel forgets IPv6 addresses of a link that is down.
    ns.ip(&format!("address replace {} dev {TAP} nodad", V6.kernel_cidr));
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    let head = begin.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(begin.len() - head + rest.len(), 1_000_000);
}

/// The middle one of what was held.
fn median(held: &[Held]) -> u64 {
    let mut memory: Vec<u64> = held.iter().map(|held| held.memory).collect();
    memory.sort_unstable();
    memory[memory.len() / 2]
}

#[test]
fn mixed_load_and_faults_leave_nothing_behind() {
    let seconds = std::env::var("FRAMEWISE_SOAK_SECONDS").map_or(SECONDS, |said| said.parse().unwrap());
    let limit = Duration::from_secs(seconds + 300);
    in_namespace_for(limit, "mixed_load_and_faults_leave_nothing_behind", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        let upload = folder.path().join("upload");
        fs::write(&upload, vec![7; 1 << 20]).unwrap();
        let directory = folder.path().join("ca");
        let server = on_tap(ns, &["serve", "--quiet", "--ca-dir", directory.to_str().unwrap()]).spawn(READY);
        let authority = directory.join("authority.pem");
        let (begun, mut rounds, mut samples) = (Instant::now(), 0, Vec::new());
        while begun.elapsed() < Duration::from_secs(seconds) || rounds < 20 {
            round(ns, rounds, &authority, &upload);
            rounds += 1;
            samples.push(held(server.id()));
        }
        let descriptors = samples[4..].iter().map(|held| held.descriptors);
        assert_eq!(descriptors.clone().min(), descriptors.max(), "a descriptor was left open");
        assert!(samples.iter().all(|held| held.memory < MEMORY));
        // The first half is for warming up: until the most has come together that ever does, memory grows by steps.
        let warm = &samples[samples.len() / 2..];
        let (early, late) = warm.split_at(warm.len() / 2);
        let (early, late) = (median(early), median(late));
        eprintln!(
            "{rounds} rounds in {seconds} s: {early} bytes of memory in the third quarter, {late} in the fourth"
        );
        if seconds >= LONG {
            assert!(late * 100 <= early * (100 + DRIFT), "memory grew from {early} to {late} bytes");
        }
        server.ends_well(SOON);
    });
}
