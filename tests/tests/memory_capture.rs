//! tshark reads what was captured in memory: nothing malformed, no checksum wrong, and HTTP inside TLS.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use framewise::device::ImpairmentConfig;
use framewise::{Fetch, WorldConfig};
use framewise_tests::memory::{GREETING, LARGE, capture, record, world};
use framewise_tests::peers::{Tshark, bad_checksums, body_of, http_objects, malformed};
use framewise_tests::skippable;

/// What tshark's reassembly asks about a segment that was sent again when it had already joined those before; it counts
/// the question among the malformed. [`changed_bytes`] answers it.
const SENT_AGAIN: &str = "New fragment overlaps old data (retransmission?)";

/// Fetches these pages one after the other and gives the captures of all three hosts to `judge`, each with the
/// host's name and in a file of its own.
fn captured(test: &str, config: &WorldConfig, urls: &[&str], judge: impl Fn(&str, &Path)) {
    let mut world = world(config);
    let recorder = record(&mut world);
    for url in urls {
        let fetch = Fetch::get(*url).max_time(Duration::from_secs(120));
        let page = world.runner.host(world.me).fetch(fetch);
        page.unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    let trace = recorder.borrow().trace();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    skippable(test, || {
        for host in ["me", "router", "shop.test"] {
            let file = folder.path().join(format!("{host}.pcapng"));
            std::fs::write(&file, capture(&trace, host)).expect("there is room for a capture");
            let frames = Tshark::new(&file).lines().len();
            assert_eq!(frames, trace.frames(host).count(), "{host}: tshark was to see every frame");
            let is_lossy = config.impairment != ImpairmentConfig::default();
            let mut malformed = malformed(&file);
            malformed.retain(|line| !(is_lossy && line.contains(SENT_AGAIN)));
            assert_eq!(malformed, [""; 0], "{host}: malformed");
            assert_eq!(changed_bytes(&file), [""; 0], "{host}: sent again, but not as before");
            assert_eq!(bad_checksums(&file), [""; 0], "{host}: with a wrong checksum");
            judge(host, &file);
        }
    });
}

/// The bytes of a stream that were sent more than once and differed, a line for each: where in which stream, and both.
fn changed_bytes(file: &Path) -> Vec<String> {
    let fields = ["tcp.stream", "ip.src", "ipv6.src", "tcp.seq_raw", "tcp.payload"];
    let mut seen = HashMap::new();
    let mut changed = Vec::new();
    for row in Tshark::new(file).filter("tcp.len > 0").fields(&fields) {
        let [stream, v4, v6, sequence, payload] = row.as_slice() else { panic!("not five fields: {row:?}") };
        let sequence: u32 = sequence.parse().expect("a sequence number");
        for (offset, byte) in (0..).zip(hex(payload)) {
            let place = (stream.clone(), format!("{v4}{v6}"), sequence.wrapping_add(offset));
            let first = *seen.entry(place.clone()).or_insert(byte);
            if first != byte {
                changed.push(format!("{place:?}: {first:#04x}, then {byte:#04x}"));
            }
        }
    }
    assert!(!seen.is_empty(), "{}: no byte of any stream", file.display());
    changed
}

fn hex(digits: &str) -> impl Iterator<Item = u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits"))
}

fn healthy(seed: u64) -> WorldConfig {
    WorldConfig { seed, ..WorldConfig::default() }
}

/// The requests that tshark finds in a capture, by host and path, and the statuses of the responses.
fn http(file: &Path) -> (Vec<String>, Vec<String>) {
    let requests = Tshark::new(file).filter("http.request").fields(&["http.host", "http.request.uri"]);
    let responses = Tshark::new(file).filter("http.response").fields(&["http.response.code"]);
    (requests.iter().map(|row| row.concat()).collect(), responses.iter().map(|row| row.concat()).collect())
}

#[test]
fn an_http_fetch_reads_well() {
    captured("an_http_fetch_reads_well", &healthy(1), &["http://shop.test/"], |host, file| {
        let (requests, responses) = http(file);
        assert_eq!((requests, responses), (vec!["shop.test/".to_owned()], vec!["200".to_owned()]), "{host}");
        let says = |filter: &str| Tshark::new(file).filter(filter).lines().len();
        if host == "me" {
            assert!(says("arp") >= 2, "{host}: a question and its answer");
            assert!(says("dns.resp.name == \"shop.test\"") >= 1, "{host}: an answer of DNS");
            assert!(says("tcp.flags.syn == 1") == 2, "{host}: SYN and SYN, ACK");
        }
    });
}

#[test]
fn an_https_fetch_shows_the_http_inside_without_a_key_file() {
    captured(
        "an_https_fetch_shows_the_http_inside_without_a_key_file",
        &healthy(2),
        &["https://shop.test/", "https://shop.test/large"],
        |host, file| {
            let (requests, responses) = http(file);
            assert_eq!(requests, ["shop.test/", "shop.test/large"], "{host}: the requests inside TLS");
            assert_eq!(responses, ["200", "200"], "{host}: the responses inside TLS");
            let objects = http_objects(file);
            let large =
                objects.iter().find(|(name, _)| name.contains("large")).map(|(_, body)| body.as_slice());
            assert!(large == Some(&body_of(LARGE)[..]), "{host}: the large page, as tshark puts it together");
            assert!(objects.values().any(|body| body == GREETING.as_bytes()), "{host}: the small page");
            let handshake = Tshark::new(file).filter("tls.handshake.extensions_server_name").lines();
            assert_eq!(handshake.len(), 1, "{host}: one ClientHello for both pages");
        },
    );
}

#[test]
fn tls_1_2_reads_well() {
    let config = WorldConfig { tls_versions: framewise::tls::Versions::Only12, ..healthy(3) };
    captured("tls_1_2_reads_well", &config, &["https://shop.test/"], |host, file| {
        assert_eq!(http(file).0, ["shop.test/"], "{host}: the request inside TLS 1.2");
    });
}

#[test]
fn ipv6_reads_well() {
    let config = WorldConfig { prefer: framewise::dns::Family::Ipv6, ..healthy(4) };
    captured("ipv6_reads_well", &config, &["http://shop.test/large", "https://shop.test/"], |host, file| {
        assert_eq!(http(file).0, ["shop.test/large", "shop.test/"], "{host}");
        let over = |filter: &str| Tshark::new(file).filter(filter).lines().len();
        assert_eq!(over("tcp && ip"), 0, "{host}: no segment went over IPv4");
        if host == "me" {
            assert!(over("icmpv6.type == 135") >= 1 && over("icmpv6.type == 136") >= 1, "{host}: NDP");
        }
    });
}

#[test]
fn a_lossy_run_reads_well() {
    let impairment =
        ImpairmentConfig { loss: 0.05, duplication: 0.02, reordering: 0.1, ..ImpairmentConfig::default() };
    let config = WorldConfig { impairment, ..healthy(5) };
    let urls = ["http://shop.test/large", "https://shop.test/large"];
    captured("a_lossy_run_reads_well", &config, &urls, |host, file| {
        if host == "shop.test" {
            let again = Tshark::new(file).filter("tcp.analysis.retransmission").lines();
            assert!(!again.is_empty(), "{host}: nothing was sent again, so the run was not a lossy one");
        }
    });
}
