//! The captures in `pcaps/` are what they are said to be: each is made again byte for byte, read by others without complaint,
//! and played again by a live host.
//!
//! With `FRAMEWISE_UPDATE_PCAPS=1` what is made here is written there instead, and the README's table with it.

mod made;
mod readme;
mod worlds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use framewise_replay::sidecar_of;
use framewise_tests::peers::{Tshark, http_objects};
use framewise_tests::skippable;
use framewise_trace::Dissection;
use framewise_trace::dissect::Limits;

/// Bytes that a capture has at most, and all of them together.
const LARGEST: u64 = 100_000;
const ALL: u64 = 2_000_000;
/// How many there are at least.
const AT_LEAST: usize = 80;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps")
}

/// The names of the captures, without their ending.
pub(crate) fn captures() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).expect("pcaps/ can be read");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".pcapng").map(str::to_owned)).collect()
}

pub(crate) fn capture(name: &str) -> PathBuf {
    folder().join(format!("{name}.pcapng"))
}

/// Whether what is made is to be written.
pub(crate) fn updates() -> bool {
    std::env::var_os("FRAMEWISE_UPDATE_PCAPS").is_some()
}

#[test]
fn every_capture_is_small_and_its_origin_is_known() {
    let origins: BTreeSet<_> = made::origins().into_iter().map(|(name, _)| name).collect();
    assert_eq!(captures(), origins, "left: files in pcaps/; right: what the README and the makers make");
    let sizes =
        captures().into_iter().map(|name| (fs::metadata(capture(&name)).expect("listed").len(), name));
    let sizes: Vec<_> = sizes.collect();
    for (size, name) in &sizes {
        assert!(*size < LARGEST, "{name} has {size} bytes; captures stay below {LARGEST}");
    }
    let all: u64 = sizes.iter().map(|(size, _)| size).sum();
    assert!(all < ALL, "all captures together have {all} bytes; they stay below {ALL}");
    assert!(sizes.len() >= AT_LEAST, "there are only {} captures", sizes.len());
}

#[test]
fn every_capture_is_taken_apart_without_complaint() {
    let mut hurt = BTreeSet::new();
    for name in captures() {
        let bytes = fs::read(capture(&name)).expect("it was listed");
        let dissection = Dissection::of_capture(&bytes[..], "", Limits::default()).expect("a capture");
        assert!(dissection.damage().is_none(), "{name}: {:?}", dissection.damage());
        assert!(dissection.left_out().is_nothing(), "{name}: {:?}", dissection.left_out());
        if dissection.frames().any(|frame| !frame.layers().troubles.is_empty()) {
            hurt.insert(name);
        }
    }
    let expected: BTreeSet<_> = HURT.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        hurt, expected,
        "left: captures with something that can't be read; right: where that is the point"
    );
}

/// Captures in which something is, on purpose, no message of which it is clear where it ends.
const HURT: &[&str] = &[
    "http-505",
    "smuggling-bare-cr",
    "smuggling-chunk-size",
    "smuggling-cl-te",
    "smuggling-folded",
    "smuggling-response",
    "smuggling-space-before-colon",
    "smuggling-te-te",
    "smuggling-two-lengths",
    "tls-asked-in-plain",
    "tls-plain-answers",
];

#[test]
fn every_capture_with_our_host_is_played_again() {
    let mut played = 0;
    for name in captures() {
        let path = capture(&name);
        if sidecar_of(&path).exists() {
            framewise_replay::expect(&path);
            played += 1;
        }
    }
    assert!(played >= AT_LEAST, "only {played} captures have a sidecar");
}

/// What is wrong on purpose: chunk sizes that are no numbers, two lengths; and letters that tshark takes for a head of HTTP, sent
/// again within it.
const MALFORMED: [&str; 4] =
    ["fast-retransmit", "smuggling-chunk-size", "smuggling-cl-te", "smuggling-response"];
/// Damage; and packets that an error quotes, of which only the beginning is there, which tshark adds up all the same.
const BAD_CHECKSUMS: [&str; 5] = ["damaged", "ping-damaged", "corrupted", "path-mtu", "path-mtu6"];
/// Captures with a page. Without being told to, tshark puts no stream together that came out of order.
const PAGES: [&str; 7] = ["http", "https", "tls12", "ipv6", "form", "redirects", "http-get"];

/// Nothing is malformed, every checksum is right, and every address is one for documentation: no real one, and nothing of the
/// computer that a capture was made on.
#[test]
fn tshark_reads_every_capture_without_complaint() {
    const ADDRESSES: [&str; 4] = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst"];
    const SUMS: [&str; 5] = [
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "icmp.checksum.status",
        "icmpv6.checksum.status",
    ];
    let fields = [&ADDRESSES[..], &SUMS, &["_ws.malformed"]].concat();
    skippable("tshark_reads_every_capture_without_complaint", || {
        for name in captures() {
            let is_one_of = |names: &[&str]| names.contains(&name.as_str());
            let rows = Tshark::new(&capture(&name)).fields(&fields);
            let values = |columns: std::ops::Range<usize>| {
                let cells = rows.iter().flat_map(move |row| row.get(columns.clone()).unwrap_or_default());
                cells.flat_map(|cell| cell.split(',')).filter(|value| !value.is_empty())
            };
            // A wire that turns bits over makes any address out of any other.
            let is_real = |address: &str| !is_for_documentation(address) && name != "corrupted";
            assert_eq!(values(0..4).find(|address| is_real(address)), None, "{name}");
            assert_eq!(
                values(4..9).any(|sum| sum == "0"),
                is_one_of(&BAD_CHECKSUMS),
                "{name}: wrong checksums"
            );
            assert_eq!(values(9..10).next().is_some(), is_one_of(&MALFORMED), "{name}: malformed");
        }
        for name in PAGES {
            assert!(!http_objects(&capture(name)).is_empty(), "{name}: tshark finds no page in it");
        }
    });
}

/// RFC 5737, RFC 3849; and what is never routed: groups, the link's own addresses, none at all.
fn is_for_documentation(address: &str) -> bool {
    const BEGINNINGS: [&str; 8] =
        ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:", "fe80::", "ff02::", "0.0.0.0", "::"];
    BEGINNINGS.iter().any(|begin| address.starts_with(begin))
}
