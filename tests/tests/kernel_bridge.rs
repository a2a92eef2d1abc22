//! `framewise tap up` with a bridge, forwarding and NAT: two of ours meet, a network beyond is reached, and afterwards all is as it was.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise::core::buf::InterfaceId;
use framewise::core::seams::frame::Frame;
use framewise::device::{Device, PacketSocket};
use framewise::ip::icmpv6;
use framewise::ip::ipv6::{self, Ipv6Header};
use framewise_tests::link::{V4, V6, as_host, beyond};
use framewise_tests::peers::{Curl, Framewise, Nginx, body_of};
use framewise_tests::{Finished, Namespace, Place, finish, in_namespace, require_tap, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const READY: &str = "Ctrl-C ends it";

fn run(place: &impl Place, arguments: &[&str]) -> Finished {
    Framewise::new(place, arguments).limit(SOON).run()
}

fn tool(place: &impl Place, program: &str, arguments: &str) -> String {
    finish(place.command(program).args(arguments.split_whitespace()), SOON).successful().text()
}

/// What is there before, so that there is something to spare: a link of others with addresses, and settings of its own.
fn others(ns: &Namespace) {
    require_tap();
    ns.own_run();
    ns.ip("link add theirs type veth peer name other");
    ns.address("other", "10.9.9.2/24");
    ns.address("theirs", "10.9.9.1/24");
    ns.address("theirs", "2001:db8:9::1/64");
    // Not what the kernel would set by itself when it stops forwarding.
    ns.set("net/ipv4/conf/all/accept_redirects", "0");
    ns.set("net/ipv4/conf/theirs/forwarding", "1");
    ns.set("net/ipv6/conf/theirs/forwarding", "1");
    until("the link of others is settled", SOON, || {
        let settled = ns.ip("-brief link show theirs").contains("LOWER_UP");
        (settled && !ns.ip("-6 address show").contains("tentative")).then_some(())
    });
}

/// All of the kernel's state that `tap up` may touch.
fn world(ns: &Namespace) -> String {
    let kernel =
        ["-json link", "-json address", "-json route show table all", "-6 -json route show table all"];
    let settings = "sysctl -a 2>/dev/null | grep -E '^net\\.ipv[46]\\.(ip_forward|conf\\.[^ ]*(forwarding|accept_redirects|accept_ra))'";
    let settings = finish(ns.command("sh").args(["-c", settings]), SOON).successful().text();
    // What counts packets, or says for how long something is good yet, is no setting.
    let kernel = kernel.map(|what| ns.ip(what)).concat();
    format!("{kernel}\n{settings}\n{}", tool(ns, "nft", "list ruleset"))
}

/// Who may do what with the record and the folder that it is in.
fn record_modes() -> [u32; 2] {
    let folder = Path::new("/run/framewise");
    let record = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    [folder, &record].map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o777)
}

#[test]
fn two_of_ours_meet_on_a_bridge() {
    in_namespace("two_of_ours_meet_on_a_bridge", |ns| {
        require_tap();
        let up = [
            "tap",
            "up",
            "a",
            "b",
            "--bridge",
            "fwbr",
            "--address",
            V4.kernel_cidr,
            "--address",
            V6.kernel_cidr,
        ];
        run(ns, &up).successful();
        let authority = tempfile::tempdir().unwrap();
        let folder = authority.path().to_str().unwrap();
        let server = Framewise::new(ns, &["serve", "--tap", "a", "--ca-dir", folder])
            .arguments(&["--address", "192.0.2.80/24", "--address", "2001:db8:1::80/64"])
            .spawn(READY);
        let trusted = authority.path().join("authority.pem");
        for (ours, host) in [(V4.ours_cidr, "192.0.2.80"), (V6.ours_cidr, "2001:db8:1::80")] {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{}/large", as_host(host));
                let page = run(
                    ns,
                    &[
                        "fetch",
                        "-q",
                        "--tap",
                        "b",
                        "--address",
                        ours,
                        "--cacert",
                        trusted.to_str().unwrap(),
                        &url,
                    ],
                );
                assert_eq!(page.successful().stdout.len(), 1_000_000, "{url}");
            }
            // The kernel is on the bridge, too.
            assert_eq!(Curl::new(ns).get(&format!("http://{}/", as_host(host))).status, 200);
        }
        let status = run(ns, &["tap", "status", "--json"]).successful();
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status[0]["name"], "a");
        assert_eq!(status[0]["holders"][0]["program"], "framewise");
        assert_eq!(status[0]["holders"][0]["process"], server.id());
        assert_eq!((&status[1]["in_use"], &status[1]["bridge"]), (&false.into(), &"fwbr".into()));
    });
}

#[test]
fn a_second_server_with_the_same_address_gives_it_up() {
    in_namespace("a_second_server_with_the_same_address_gives_it_up", |ns| {
        require_tap();
        let up = ["tap", "up", "a", "b", "--bridge", "fwbr", "--address", V4.kernel_cidr];
        run(ns, &up).successful();
        for address in ["192.0.2.80/24", "2001:db8:1::80/64"] {
            let serve = |tap| ["serve", "--tap", tap, "--https", "0", "--address", address];
            let first = Framewise::new(ns, &serve("a")).spawn(READY);
            let second = run(ns, &[&serve("b")[..], &["--probe"]].concat());
            assert_eq!(second.status.code(), Some(8), "{address}: {}", second.stderr);
            assert!(second.stderr.contains("another station answers for my address"), "{}", second.stderr);
            assert!(second.stderr.contains("another --address"), "{}", second.stderr);
            drop(first);
        }
        let serve = |tap: &str, address: &str| {
            let mac = ["--mac", "02:00:00:00:00:42", "--address", address];
            let serve = ["serve", "-q", "--tap", tap, "--https", "0", "--probe"];
            Framewise::new(ns, &serve).arguments(&mac).spawn(READY)
        };
        let mut first = serve("a", "192.0.2.80/24");
        let _second = serve("b", "192.0.2.81/24");
        let hears = |line: &str| line.contains("another station uses my MAC address 02:00:00:00:00:42");
        first.wait_for_line("the first hears of the second", SOON, hears);
    });
}

#[test]
fn afterwards_all_is_as_it_was() {
    in_namespace("afterwards_all_is_as_it_was", |ns| {
        others(ns);
        let before = world(ns);
        for bridge in [&[][..], &["--bridge", "fwbr"]] {
            let up =
                ["tap", "up", "fw0", "--address", V4.kernel_cidr, "--address", V6.kernel_cidr, "--nat=nft"];
            let up = [&up[..], bridge].concat();
            run(ns, &up).successful();
            let made = world(ns);
            assert!(made.contains("masquerade") && made.contains("net.ipv4.ip_forward = 1"), "{made}");
            assert_eq!(record_modes(), [0o700, 0o600], "root's alone");
            run(ns, &up).successful();
            assert_eq!(
                tool(ns, "nft", "list ruleset").matches("masquerade").count(),
                2,
                "once for each version"
            );
            run(ns, &["tap", "down"]).successful();
            assert_eq!(world(ns), before, "{up:?}");
        }
        run(ns, &["tap", "up", "x", "y"]).successful();
        run(ns, &["tap", "down", "--all"]).successful();
        assert_eq!(world(ns), before);
        assert_eq!(fs::read_dir("/run").unwrap().count(), 0, "no record is left");
    });
}

#[test]
fn rules_of_iptables_are_removed_and_no_others() {
    in_namespace("rules_of_iptables_are_removed_and_no_others", |ns| {
        others(ns);
        for program in ["iptables", "ip6tables"] {
            tool(ns, program, "-t nat -A POSTROUTING -o theirs -j MASQUERADE");
        }
        let rules = || ["iptables", "ip6tables"].map(|program| tool(ns, program, "-t nat -S")).concat();
        let (before, world_before) = (rules(), world(ns));
        let up = ["tap", "up", "--address", V4.kernel_cidr, "--address", V6.kernel_cidr, "--nat=iptables"];
        run(ns, &up).successful();
        run(ns, &up).successful();
        assert_eq!(rules().matches("-A POSTROUTING -j framewise-fw0").count(), 2, "{}", rules());
        run(ns, &["tap", "down"]).successful();
        assert_eq!(rules(), before);
        assert_eq!(world(ns), world_before);
    });
}

#[test]
fn a_network_beyond_is_reached_by_nat() {
    in_namespace("a_network_beyond_is_reached_by_nat", |ns| {
        require_tap();
        ns.own_run();
        let beyond = beyond(ns);
        // There nobody knows the way back to our network, and here nobody forwards.
        tool(&beyond, "ip", "route del default");
        tool(&beyond, "ip", "-6 route del default");
        ns.set("net/ipv4/ip_forward", "0");
        ns.set("net/ipv6/conf/all/forwarding", "0");
        let nginx = Nginx::new().http(&format!("{}:80", V4.beyond)).http(&format!("[{}]:80", V6.beyond));
        let _nginx = nginx.page("page", &body_of(100_000)).start(&beyond);
        let fetch = |addresses: framewise_tests::link::Addresses| {
            let url = format!("http://{}/page", as_host(addresses.beyond));
            let there = ["--tap", "fw0", "--address", addresses.ours_cidr, "--gateway", addresses.kernel];
            Framewise::new(ns, &["fetch", "-q", "--max-time", "10", &url]).arguments(&there).limit(SOON).run()
        };
        let up = ["tap", "up", "--address", V4.kernel_cidr, "--address", V6.kernel_cidr];
        run(ns, &up).successful();
        assert_ne!(fetch(V4).status.code(), Some(0), "nobody forwards yet");
        run(ns, &[&up[..], &["--nat"]].concat()).successful();
        for addresses in [V4, V6] {
            assert_eq!(fetch(addresses).successful().stdout, body_of(100_000));
        }
        run(ns, &["tap", "down"]).successful();
        assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap(), "0\n");
    });
}

/// The namespace, where the program of this name is another.
struct WithStub<'n>(&'n Namespace, &'n Path);

impl Place for WithStub<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = self.0.command(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.1.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command
    }
}

#[test]
fn what_a_killed_up_began_is_undone_by_down() {
    in_namespace("what_a_killed_up_began_is_undone_by_down", |ns| {
        others(ns);
        let before = world(ns);
        // Kills whoever calls it, at the last step: all else has been done by then.
        let folder = tempfile::tempdir().unwrap();
        let stub = folder.path().join("nft");
        fs::write(&stub, "#!/bin/sh\nkill -KILL $PPID\n").unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let killed =
            run(&WithStub(ns, folder.path()), &["tap", "up", "--address", V4.kernel_cidr, "--nat=nft"]);
        assert_eq!(killed.status.code(), None, "{}", killed.stderr);
        assert!(world(ns).contains("net.ipv4.ip_forward = 1"));
        run(ns, &["tap", "down"]).successful();
        assert_eq!(world(ns), before);
    });
}

#[test]
fn what_is_left_of_a_tap_that_others_removed_is_told_and_undone() {
    in_namespace("what_is_left_of_a_tap_that_others_removed_is_told_and_undone", |ns| {
        others(ns);
        let before = world(ns);
        run(ns, &["tap", "up", "--address", V4.kernel_cidr, "--nat"]).successful();
        ns.ip("link delete fw0");
        let status = run(ns, &["tap", "status"]).successful().text();
        assert!(status.contains("fw0 is gone, but what was done for it is left"), "{status}");
        assert!(status.contains("try: sudo framewise tap down fw0"), "{status}");
        run(ns, &["tap", "down"]).successful();
        assert_eq!(world(ns), before);
    });
}

#[test]
fn forwarding_stays_while_another_network_wants_it_and_where_others_had_it_on() {
    in_namespace("forwarding_stays_while_another_network_wants_it_and_where_others_had_it_on", |ns| {
        require_tap();
        ns.own_run();
        let forwards = || fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap().trim() == "1";
        let up = |name: &str, address: &str| {
            run(ns, &["tap", "up", name, "--address", address, "--forward"]).successful();
        };
        up("a", "192.0.2.1/24");
        up("b", "198.51.100.1/24");
        run(ns, &["tap", "down", "a"]).successful();
        assert!(forwards(), "b wants it still");
        run(ns, &["tap", "down", "b"]).successful();
        assert!(!forwards());
        ns.set("net/ipv4/ip_forward", "1");
        up("a", "192.0.2.1/24");
        run(ns, &["tap", "down", "a"]).successful();
        assert!(forwards(), "others had it on");
    });
}

#[test]
fn an_up_that_is_refused_leaves_nothing() {
    in_namespace("an_up_that_is_refused_leaves_nothing", |ns| {
        others(ns);
        ns.ip("link add bridge0 type bridge");
        let before = world(ns);
        for (arguments, code, words) in [
            (&["up", "--bridge", "bridge0"][..], 8, "bridge0 was not made by framewise"),
            (&["up", "--bridge", "theirs"], 8, "theirs was not made by framewise"),
            (&["up", "a", "--bridge", "a"], 2, "can't have the same name"),
            (&["up", "a", "b", "--address", "192.0.2.1/24"], 2, "unless they are joined by a bridge"),
            (&["up", "a", "--nat"], 2, "no address on a to route for"),
            (&["up", "--bridge", "a-name-of-16-long"], 2, "can't name an interface"),
            (&["status", "nowhere"], 8, "there is no nowhere"),
        ] {
            let refused = run(ns, &[&["tap"], arguments].concat());
            assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {}", refused.stderr);
            assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.stderr);
            assert!(refused.stderr.contains("\n  try: "), "{arguments:?}: {}", refused.stderr);
            assert_eq!(world(ns), before, "{arguments:?}");
        }
    });
}

/// A router's advertisement of itself, for half an hour (RFC 4861, section 4.2).
fn advertisement() -> Frame {
    let (source, destination) = ("fe80::99".parse().unwrap(), ipv6::ALL_NODES);
    let mut buf = icmpv6::message(134, 0, [64, 0, 7, 8], &[0; 8], source, destination);
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: buf.len(),
        next_header: 58,
        hop_limit: 255,
        source,
        destination,
    };
    header.emit(buf.prepend(ipv6::HEADER_LEN));
    let ethernet = [0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 0x86, 0xdd];
    buf.prepend(ethernet.len()).copy_from_slice(&ethernet);
    Frame::new(buf, InterfaceId(0))
}

#[test]
fn a_learnt_router_is_not_forgotten_for_forwarding() {
    in_namespace("a_learnt_router_is_not_forgotten_for_forwarding", |ns| {
        others(ns);
        ns.set("net/ipv6/conf/theirs/forwarding", "0");
        let mut router = PacketSocket::open("other").unwrap();
        assert!(router.transmit(advertisement()).unwrap().is_none());
        let learnt = || ns.ip("-6 route show default").contains("via fe80::99 dev theirs");
        until("the kernel has learnt of the router", SOON, || learnt().then_some(()));

        let up = ["tap", "up", "--address", V6.kernel_cidr, "--forward"];
        let refused = run(ns, &up);
        assert_eq!(refused.status.code(), Some(8), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("try: sudo sysctl net.ipv6.conf.theirs.accept_ra=2"),
            "{}",
            refused.stderr
        );
        assert!(learnt());
        ns.set("net/ipv6/conf/theirs/accept_ra", "2");
        run(ns, &up).successful();
        assert!(learnt());
    });
}
