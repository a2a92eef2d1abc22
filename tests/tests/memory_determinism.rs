//! The same seed is the same run, byte for byte; another seed is another run; a stepped run is the free one.

use std::process::Command;
use std::time::Duration;

use framewise::device::ImpairmentConfig;
use framewise::{Fetch, FetchId, World, WorldConfig};
use framewise_tests::memory::{capture, record, world};
use framewise_trace::Trace;

const URLS: [&str; 2] = ["http://shop.test/", "https://shop.test/"];

fn healthy(seed: u64) -> WorldConfig {
    WorldConfig { seed, ..WorldConfig::default() }
}

/// A world in which something of everything goes wrong, so that retransmission, reassembly and luck take part.
fn lossy(seed: u64) -> WorldConfig {
    let impairment = ImpairmentConfig {
        loss: 0.05,
        duplication: 0.02,
        reordering: 0.25,
        bit_corruption: 0.01,
        jitter: Duration::from_micros(300),
        ..ImpairmentConfig::default()
    };
    WorldConfig { seed, impairment, ..WorldConfig::default() }
}

/// What happened while `me` fetched these pages one after the other.
fn run(config: &WorldConfig, urls: &[&str]) -> Trace {
    let mut world = world(config);
    let recorder = record(&mut world);
    for url in urls {
        let page = world.runner.host(world.me).fetch_page(url);
        page.unwrap_or_else(|error| panic!("{url} with seed {}: {error}", config.seed));
    }
    recorder.borrow().trace()
}

/// Fails with the first byte at which two captures differ.
#[track_caller]
fn assert_same(one: &[u8], other: &[u8], what: &str) {
    if one != other {
        let at = one.iter().zip(other).take_while(|(a, b)| a == b).count();
        panic!("{what}: captures of {} and {} bytes differ from byte {at} on", one.len(), other.len());
    }
}

#[test]
fn the_same_seed_is_the_same_capture() {
    for url in URLS {
        let one = capture(&run(&healthy(7), &[url]), "me");
        let other = capture(&run(&healthy(7), &[url]), "me");
        assert_same(&one, &other, url);
        assert!(one.len() > 1_000, "a capture of {} bytes holds no exchange", one.len());
    }
}

#[test]
fn another_seed_is_another_capture() {
    for url in URLS {
        let one = capture(&run(&healthy(7), &[url]), "me");
        let other = capture(&run(&healthy(8), &[url]), "me");
        assert_ne!(
            one, other,
            "{url}: two seeds gave the same bytes, so something random is not drawn from them"
        );
    }
}

#[test]
fn accidents_follow_from_the_seed_too() {
    let urls = ["http://shop.test/large", "https://shop.test/large"];
    let one = run(&lossy(3), &urls);
    assert!(one.drops().count() > 0, "no damaged frame was dropped: nothing went wrong in this world");
    for host in ["me", "router", "shop.test"] {
        let other = run(&lossy(3), &urls);
        assert_same(&capture(&one, host), &capture(&other, host), host);
    }
    assert_ne!(capture(&one, "me"), capture(&run(&lossy(4), &urls), "me"));
}

/// In this variable a run of this test in another process finds where to write its capture.
const FILE: &str = "FRAMEWISE_TEST_CAPTURE";

/// Hashes seeded by the process, addresses of memory and the like would show only here.
#[test]
fn another_process_gives_the_same_capture() {
    let here = capture(&run(&lossy(5), &URLS), "me");
    if let Some(file) = std::env::var_os(FILE) {
        return std::fs::write(file, here).expect("the parent made the folder");
    }
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let file = folder.path().join("other.pcapng");
    let mut other = Command::new(std::env::current_exe().expect("this program has a path"));
    other.args(["--exact", "another_process_gives_the_same_capture"]).env(FILE, &file);
    let output = other.output().expect("this program can be run again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_same(&here, &std::fs::read(&file).expect("the other process wrote it"), "the other process");
}

/// How a run is driven until these fetches are done.
type Drive = fn(&mut World, &[FetchId]);

fn freely(world: &mut World, fetches: &[FetchId]) {
    let me = world.me;
    let is_done = |runner: &mut framewise::Runner| fetches.iter().all(|&id| !runner.host(me).is_fetching(id));
    assert!(world.runner.run_until(is_done).expect("memory does not fail"), "the fetches end by themselves");
}

fn step_by_step(world: &mut World, fetches: &[FetchId]) {
    let me = world.me;
    while fetches.iter().any(|&id| world.runner.host(me).is_fetching(id)) {
        let moved = world.runner.step().expect("memory does not fail");
        assert!(moved, "nothing is left to move, and a fetch is still under way");
    }
    // A free run ends with its turn: what else happens at this moment belongs to it.
    let end = world.runner.now();
    while world.runner.now() == end && world.runner.step().expect("memory does not fail") {}
}

/// The frames of each host, with their times, of several fetches at once.
fn frames_of(config: &WorldConfig, urls: &[&str], drive: Drive) -> Vec<Vec<(u64, String, Vec<u8>)>> {
    let mut world = world(config);
    let recorder = record(&mut world);
    let mut start = |url: &&str| world.runner.host(world.me).start(Fetch::get(*url)).expect(url);
    let fetches: Vec<_> = urls.iter().map(&mut start).collect();
    drive(&mut world, &fetches);
    for (&id, url) in fetches.iter().zip(urls) {
        let page = world.runner.host(world.me).finished(id).expect("it is done");
        page.unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    let trace = recorder.borrow().trace();
    assert_eq!(trace.stopped(), None, "the recording holds the whole run");
    let frames = |host: &str| {
        let shown = |c: &framewise_trace::Crossing| {
            (c.now.as_nanos(), c.direction.to_string(), trace.bytes(c).to_vec())
        };
        trace.frames(host).map(shown).collect()
    };
    ["me", "router", "shop.test"].map(frames).to_vec()
}

/// Law 8 of the contract.
#[track_caller]
fn assert_stepping_changes_nothing(config: &WorldConfig, urls: &[&str]) {
    let free = frames_of(config, urls, freely);
    let stepped = frames_of(config, urls, step_by_step);
    for (host, (free, stepped)) in ["me", "router", "shop.test"].iter().zip(free.iter().zip(&stepped)) {
        if free == stepped {
            continue;
        }
        let at = free.iter().zip(stepped).take_while(|(a, b)| a == b).count();
        panic!(
            "{host}: {} frames freely, {} step by step; frame {at} is the first that differs:\n{}\n{}",
            free.len(),
            stepped.len(),
            shown(free.get(at)),
            shown(stepped.get(at)),
        );
    }
}

fn shown(frame: Option<&(u64, String, Vec<u8>)>) -> String {
    let Some((nanos, direction, bytes)) = frame else { return "no frame".to_owned() };
    let hex: String = bytes.iter().take(70).map(|byte| format!("{byte:02x}")).collect();
    format!("{nanos} ns, {direction}, {} bytes: {hex}", bytes.len())
}

#[test]
fn a_stepped_http_fetch_is_the_free_one() {
    assert_stepping_changes_nothing(&healthy(11), &["http://shop.test/"]);
}

#[test]
fn a_stepped_https_fetch_is_the_free_one() {
    assert_stepping_changes_nothing(&healthy(12), &["https://shop.test/"]);
}

#[test]
fn stepping_a_large_page_changes_nothing() {
    assert_stepping_changes_nothing(&healthy(13), &["http://shop.test/large", "https://shop.test/large"]);
}

#[test]
fn stepping_a_lossy_world_changes_nothing() {
    assert_stepping_changes_nothing(&lossy(14), &["https://shop.test/large"]);
}

/// Names, refusals and pages at the same moment: UDP and TCP take turns, events and commands cross each other.
#[test]
fn stepping_many_fetches_at_once_changes_nothing() {
    let urls: Vec<String> = (0..40)
        .map(|i| {
            format!(
                "{}://{}/{i}",
                ["http", "https"][i % 2],
                ["shop.test", "203.0.113.80", "[2001:db8:2::80]"][i % 3]
            )
        })
        .filter(|url| !url.contains("https://2") && !url.contains("https://["))
        .collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    assert_stepping_changes_nothing(&healthy(15), &urls);
}

/// Where a wire takes no time, each frame is taken in before the next goes out.
#[test]
fn stepping_over_wires_without_delay_changes_nothing() {
    let urls = ["http://shop.test/large", "https://shop.test/large", "https://shop.test/"];
    for config in [healthy(16), lossy(17)] {
        let config =
            WorldConfig { near_delay: Duration::ZERO, far_delay: Duration::ZERO, rate: None, ..config };
        assert_stepping_changes_nothing(&config, &urls);
    }
}
