//! Whether the harness does what the other tests rely on.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use etherparse::PacketBuilder;
use framewise_tests::peers::{
    Curl, Dnsmasq, Nginx, Tls, Tshark, bad_checksums, body_of, http_objects, malformed, ping,
};
use framewise_tests::{
    Authority, Beyond, Finished, Host, Place, finish, in_namespace, require_program, skip_because, skippable,
    until,
};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_namespace_is_new_and_holds_only_lo() {
    in_namespace("a_namespace_is_new_and_holds_only_lo", |ns| {
        let lines = ns.ip("-brief address");
        let devices: Vec<_> = lines.lines().collect();
        assert_eq!(devices.len(), 1, "only lo, but: {devices:?}");
        assert!(devices[0].starts_with("lo ") && devices[0].contains("127.0.0.1/8"), "{devices:?}");
        assert_eq!(std::process::id(), 1, "the first process of its own");
    });
}

#[test]
fn what_is_made_inside_is_not_seen_outside() {
    in_namespace("what_is_made_inside_is_not_seen_outside", |ns| {
        ns.ip("link add framewise9 type veth peer name framewise8");
        assert!(ns.ip("-brief link").contains("framewise9"));
    });
    assert!(!fs::exists("/sys/class/net/framewise9").unwrap());
}

#[test]
#[should_panic(expected = "in its namespace")]
fn a_failure_inside_is_a_failure_outside() {
    const NAME: &str = "a_failure_inside_is_a_failure_outside";
    if std::env::var_os("FRAMEWISE_IN_NAMESPACE").is_some() {
        // Inside, the same attribute wants a panic: not to panic is what fails here.
        return in_namespace(NAME, |_| ());
    }
    in_namespace(NAME, |_| unreachable!("the body runs inside only"));
    // Where no namespace can be made, this test is skipped; the attribute wants a panic of that too.
    panic!("not run in its namespace");
}

#[test]
#[should_panic(expected = "named as the test runner names it?")]
fn a_wrong_name_is_a_failure_and_not_a_pass() {
    in_namespace("no_test_has_this_name", |_| ());
    panic!("skipped, so not named as the test runner names it?");
}

#[test]
fn a_skip_is_told_and_passes_unless_it_must_not() {
    let run = |required: &str| -> Finished {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "skips_when_asked_to", "--nocapture"]);
        command.env("HARNESS_SKIP", "1").env("FRAMEWISE_REQUIRE_TAP", required);
        finish(&mut command, SOON)
    };
    let told = run("0");
    assert!(told.status.success(), "{}", told.text());
    let line = "SKIPPED skips_when_asked_to: it was asked to";
    assert!(told.stderr.lines().any(|said| said == line), "{}", told.stderr);
    assert!(!run("1").status.success(), "with FRAMEWISE_REQUIRE_TAP=1 a skip is a failure");
}

#[test]
fn skips_when_asked_to() {
    skippable("skips_when_asked_to", || {
        if std::env::var_os("HARNESS_SKIP").is_some() {
            skip_because("it was asked to");
        }
    });
}

#[test]
fn until_gives_up_and_says_what_it_waited_for() {
    let waited = std::panic::catch_unwind(|| until("pigs fly", Duration::from_millis(5), || None::<()>));
    let words = waited.unwrap_err().downcast::<String>().unwrap();
    assert!(words.ends_with("in vain until pigs fly"), "{words}");
}

#[test]
fn nginx_serves_curl_over_http_and_https() {
    in_namespace("nginx_serves_curl_over_http_and_https", |ns| {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let trusted = authority.write_to(folder.path());
        let nginx = Nginx::new()
            .http("127.0.0.1:80")
            .http("[::1]:80")
            .https("127.0.0.1:443", Tls::V12)
            .https("[::1]:443", Tls::V13)
            .identity(authority.issue(&["shop.test", "127.0.0.1", "::1"]))
            .page("empty", b"")
            .page("large", &body_of(10_000_000))
            .start(ns);
        for origin in ["http://127.0.0.1", "http://[::1]", "https://127.0.0.1", "https://[::1]"] {
            for (page, body) in [("empty", body_of(0)), ("large", body_of(10_000_000))] {
                let answer = Curl::new(ns).trusting(&trusted).get(&format!("{origin}/{page}"));
                assert_eq!(
                    (answer.exit, answer.status),
                    (Some(0), 200),
                    "{origin}/{page}: {}",
                    answer.complaint
                );
                assert!(answer.body == body, "{origin}/{page} came with {} bytes", answer.body.len());
            }
        }
        until("nginx has logged all eight", SOON, || (nginx.requests().len() == 8).then_some(()));
        let untrusting = Curl::new(ns).get("https://127.0.0.1/empty");
        assert_eq!(untrusting.exit, Some(60), "curl must not trust an authority that it was not told of");
        let old = Curl::new(ns).trusting(&trusted).options(&["--tls-max", "1.2"]).get("https://[::1]/empty");
        assert_eq!(old.exit, Some(35), "only TLS 1.3 is spoken there: {}", old.complaint);
    });
}

#[test]
fn the_kernel_routes_to_what_is_beyond() {
    in_namespace("the_kernel_routes_to_what_is_beyond", |ns| {
        let addresses = [("198.51.100.1/24", "198.51.100.80/24"), ("2001:db8:2::1/64", "2001:db8:2::80/64")];
        let beyond = Beyond::new(ns, &addresses);
        let _nginx = Nginx::new()
            .http("198.51.100.80:80")
            .http("[2001:db8:2::80]:80")
            .page("p", b"far")
            .start(&beyond);
        // A client that shares no link with the server, so that only the router's kernel can connect them.
        ns.ip("link add client0 type veth peer name client1");
        ns.address("client0", "192.0.2.10/24");
        ns.address("client0", "2001:db8:1::10/64");
        let from = |source: &str, url: &str| Curl::new(ns).options(&["--interface", source]).get(url);
        for answer in [
            from("192.0.2.10", "http://198.51.100.80/p"),
            from("2001:db8:1::10", "http://[2001:db8:2::80]/p"),
        ] {
            assert_eq!((answer.status, answer.body.as_slice()), (200, &b"far"[..]), "{}", answer.complaint);
        }
        let reply = ping(ns, IpAddr::from([198, 51, 100, 80]), 2, 56);
        assert_eq!((reply.sent, reply.received), (2, 2), "{}", reply.output);
    });
}

#[test]
fn dnsmasq_answers_for_the_names_it_was_given() {
    in_namespace("dnsmasq_answers_for_the_names_it_was_given", |ns| {
        let beyond = Beyond::new(ns, &[("198.51.100.1/24", "198.51.100.53/24")]);
        let shop = [IpAddr::from([203, 0, 113, 80]), "2001:db8:3::80".parse().unwrap()];
        let dnsmasq = Dnsmasq::start(&beyond, "198.51.100.53:53".parse().unwrap(), &[("shop.test", &shop)]);
        let answer = ask_a_record("198.51.100.53:53", b"\x04shop\x04test\x00");
        assert!(answer.ends_with(&[203, 0, 113, 80]), "{answer:?}");
        let questions =
            until("the question is logged", SOON, || Some(dnsmasq.questions()).filter(|all| !all.is_empty()));
        assert_eq!(questions, ["query[A] shop.test from 198.51.100.1"]);
    });
}

/// Asks for the IPv4 address of a name in wire form, by the bytes of RFC 1035, section 4.
fn ask_a_record(server: &str, name: &[u8]) -> Vec<u8> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let question = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat();
    socket.send_to(&question, server).unwrap();
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).unwrap();
    answer[..length].to_vec()
}

#[test]
fn a_peer_ends_with_its_handle() {
    in_namespace("a_peer_ends_with_its_handle", |ns| {
        let nginx = Nginx::new().http("127.0.0.1:80").start(ns);
        let process = format!("/proc/{}", nginx.id());
        assert!(Path::new(&process).exists());
        drop(nginx);
        assert!(!Path::new(&process).exists(), "nginx still runs");
        assert_eq!(Curl::new(ns).get("http://127.0.0.1/").exit, Some(7), "nobody listens any more");
    });
}

#[test]
fn tshark_finds_what_is_wrong_in_a_capture() {
    skippable("tshark_finds_what_is_wrong_in_a_capture", || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("two.pcap");
        let mut wrong = UDP_FRAME.to_vec();
        wrong[41] ^= 1;
        fs::write(&file, pcap(&[UDP_FRAME, &wrong])).unwrap();
        assert_eq!(malformed(&file), [""; 0]);
        assert_eq!(bad_checksums(&file).len(), 1);
        let ports = Tshark::new(&file).filter("frame.number == 1").fields(&["udp.srcport", "udp.dstport"]);
        assert_eq!(ports, [["4660", "22136"]]);
        assert_eq!(Tshark::new(&file).json().as_array().map(Vec::len), Some(2));
        assert!(http_objects(&file).is_empty());
    });
}

/// What a checksum comes to is complemented before it is written: ffff and 0 are two names of nothing, and both are right.
#[test]
fn a_checksum_of_nothing_is_not_wrong_by_its_other_name() {
    const CHECKSUM: std::ops::Range<usize> = 34 + 16..34 + 18;
    let segment = |source: u16| {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let builder = builder.ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).tcp(source, 80, 1_000, 65_000);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"framewise").unwrap();
        frame
    };
    let of = |frame: &[u8]| u16::from_be_bytes(frame[CHECKSUM].try_into().unwrap());
    skippable("a_checksum_of_nothing_is_not_wrong_by_its_other_name", || {
        // A port that is the checksum without it takes the sum to nothing.
        let nothing = segment(of(&segment(0)));
        assert_eq!(of(&nothing), 0);
        let (mut other_name, mut wrong) = (nothing.clone(), nothing.clone());
        other_name[CHECKSUM].copy_from_slice(&[0xff, 0xff]);
        wrong[CHECKSUM].copy_from_slice(&[0xff, 0xfe]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("three.pcap");
        fs::write(&file, pcap(&[&nothing, &other_name, &wrong])).unwrap();
        let wrong = bad_checksums(&file);
        assert!(wrong.len() == 1 && wrong[0].trim_start().starts_with('3'), "{wrong:?}");
    });
}

/// Ethernet, IPv4 from 192.0.2.1 to 192.0.2.2, UDP from port 0x1234 to 0x5678 with no data.
const UDP_FRAME: &[u8] = &[
    0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00, // Ethernet
    0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0xb6, 0xcd, 192, 0, 2, 1, 192, 0, 2, 2, // IPv4
    0x12, 0x34, 0x56, 0x78, 0, 8, 0x13, 0x2e, // UDP
];

/// A capture in the oldest format, which every reader knows.
fn pcap(frames: &[&[u8]]) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let mut file = [word(0xa1b2_c3d4), [2, 0, 4, 0], word(0), word(0), word(65_535), word(1)].concat();
    for frame in frames {
        file.extend([word(0), word(0), word(frame.len()), word(frame.len())].concat());
        file.extend(*frame);
    }
    file
}

#[test]
fn a_missing_program_skips() {
    let missing = std::panic::catch_unwind(|| require_program("no-program-has-this-name"));
    assert!(missing.is_err());
    skippable("a_missing_program_skips", || drop(Host.command("sh")));
}
