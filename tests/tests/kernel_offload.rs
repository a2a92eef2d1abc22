//! A TAP with offload: the same pages byte for byte, fewer and larger frames, and captures that show both.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{Addresses, GATEWAYS, V4, V6, as_host, beyond, on_tap, tap};
use framewise_tests::peers::{
    Curl, Framewise, Nginx, NginxRunning, Tls, Tshark, bad_checksums, body_of, http_objects, malformed,
};
use framewise_tests::{Authority, Namespace, Place, Running, finish, in_namespace, require_tap};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// Around a segment, around what the header's length field can tell, and many super-frames.
const SIZES: [usize; 5] = [0, 1, 1_461, 65_535, 10_000_000];
/// A few super-frames.
const LARGE: usize = 1_000_000;
/// The longest frame of a link with an MTU of 1,500 bytes.
const LONGEST: usize = 1_514;

/// Pages of every size, to be served by nginx or by us.
struct Site {
    folder: TempDir,
    authority: Authority,
}

impl Site {
    fn new() -> Self {
        let site = Site { folder: tempfile::tempdir().unwrap(), authority: Authority::new() };
        fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(site.file("pages")).unwrap();
        for size in SIZES.into_iter().chain([LARGE]) {
            fs::write(site.file("pages").join(size.to_string()), body_of(size)).unwrap();
        }
        site.authority.write_to(site.folder.path());
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a client of nginx must trust.
    fn trusted(&self) -> PathBuf {
        self.authority.write_to(self.folder.path())
    }

    fn nginx(&self, place: &impl Place, addresses: &[&str]) -> NginxRunning {
        let nginx = Nginx::new().identity(self.authority.issue(addresses));
        let nginx = addresses.iter().map(|address| as_host(address)).fold(nginx, |nginx, host| {
            nginx.http(&format!("{host}:80")).https(&format!("{host}:443"), Tls::V13)
        });
        let sizes = SIZES.into_iter().chain([LARGE]);
        sizes.fold(nginx, |nginx, size| nginx.page(&size.to_string(), &body_of(size))).start(place)
    }

    /// Serves the pages by our stack.
    fn serve(&self, ns: &Namespace, arguments: &[&str]) -> Running {
        let (pages, lab) = (self.file("pages"), self.file("lab"));
        on_tap(ns, &["serve", text(&pages), "--quiet", "--ca-dir", text(&lab)])
            .arguments(arguments)
            .spawn(READY)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Fetches a page by our stack, and sees that it is the right one.
#[track_caller]
fn fetch(ns: &Namespace, site: &Site, origin: &str, size: usize, arguments: &[&str]) {
    let (page, trusted) = (site.file("page"), site.trusted());
    let url = format!("{origin}/{size}");
    on_tap(ns, &["fetch", "--quiet", &url, "--output", text(&page), "--cacert", text(&trusted)])
        .arguments(arguments)
        .run()
        .successful();
    assert!(fs::read(&page).unwrap() == body_of(size), "{url} {arguments:?}");
}

/// Gets a page by curl, and sees that it is the right one.
#[track_caller]
fn curl(place: &impl Place, site: &Site, origin: &str, size: usize) {
    let url = format!("{origin}/{size}");
    let answer = Curl::new(place).trusting(&site.file("lab").join("authority.pem")).get(&url);
    assert_eq!((answer.exit, answer.status), (Some(0), 200), "{url}: {}", answer.complaint);
    assert!(answer.body == body_of(size), "{url} came with {} bytes", answer.body.len());
}

fn fetch_all(ns: &Namespace, addresses: &Addresses) {
    tap(ns);
    let site = Site::new();
    let _nginx = site.nginx(ns, &[addresses.kernel]);
    for (scheme, offload) in [("http", "on"), ("http", "off"), ("https", "on"), ("https", "off")] {
        let origin = format!("{scheme}://{}", as_host(addresses.kernel));
        for size in SIZES {
            fetch(ns, &site, &origin, size, &["--offload", offload]);
        }
    }
}

#[test]
fn pages_are_fetched_with_offload_and_without_over_ipv4() {
    in_namespace("pages_are_fetched_with_offload_and_without_over_ipv4", |ns| fetch_all(ns, &V4));
}

#[test]
fn pages_are_fetched_with_offload_and_without_over_ipv6() {
    in_namespace("pages_are_fetched_with_offload_and_without_over_ipv6", |ns| fetch_all(ns, &V6));
}

#[test]
fn pages_are_returned_with_offload_and_without() {
    in_namespace("pages_are_returned_with_offload_and_without", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in ["on", "off"] {
            let server = site.serve(ns, &["--offload", offload]);
            for (scheme, address) in
                [("http", V4.ours), ("http", V6.ours), ("https", V4.ours), ("https", V6.ours)]
            {
                for size in SIZES {
                    curl(ns, &site, &format!("{scheme}://{}", as_host(address)), size);
                }
            }
            server.ends_well(SOON);
        }
    });
}

/// The lengths of the frames of a capture that `filter` lets through.
fn lengths(capture: &Path, filter: &str) -> Vec<usize> {
    let rows = Tshark::new(capture).filter(filter).fields(&["frame.len"]);
    rows.iter().map(|row| row[0].parse().unwrap()).collect()
}

/// The comments in a capture that begin or end so.
fn comments(capture: &Path, part: &str) -> usize {
    let filter = format!("frame.comment contains \"{part}\"");
    Tshark::new(capture).filter(&filter).lines().len()
}

#[track_caller]
fn assert_well_formed(capture: &Path, size: usize) {
    assert_eq!(malformed(capture), [""; 0]);
    assert_eq!(bad_checksums(capture), [""; 0]);
    assert!(http_objects(capture).get(&size.to_string()) == Some(&body_of(size)), "{}", capture.display());
}

/// Judges two captures of the same transfer, of which the one holds super-frames and the other what they stand for.
#[track_caller]
fn judge_captures(cut: &Path, whole: &Path, sender: &str) {
    for capture in [cut, whole] {
        assert_well_formed(capture, LARGE);
    }
    let longest =
        |capture: &Path| lengths(capture, &format!("{sender} && tcp.len > 0")).into_iter().max().unwrap();
    assert_eq!(longest(cut), LONGEST, "frames as they are on a wire");
    assert!(longest(whole) > 20_000, "super-frames travel: {}", longest(whole));
    assert!(comments(cut, "frames on the wire: one super-frame of") > LARGE / LONGEST / 2);
    assert!(comments(whole, "super-frame: ") > 0);
    assert_eq!(comments(whole, "one super-frame of"), 0);
}

#[test]
fn captures_show_super_frames_and_what_they_stand_for() {
    in_namespace("captures_show_super_frames_and_what_they_stand_for", |ns| {
        tap(ns);
        let site = Site::new();
        let _nginx = site.nginx(ns, &[V4.kernel, V6.kernel]);
        let (cut, whole) = (site.file("cut"), site.file("whole"));
        for (kind, addresses) in [("ip", V4), ("ipv6", V6)] {
            let origin = format!("http://{}", as_host(addresses.kernel));
            fetch(ns, &site, &origin, LARGE, &["-w", text(&cut)]);
            fetch(ns, &site, &origin, LARGE, &["-w", text(&whole), "--capture-super"]);
            judge_captures(&cut, &whole, &format!("{kind}.src == {}", addresses.kernel));

            for (capture, how) in [(&cut, &[][..]), (&whole, &["--capture-super"])] {
                let server = site.serve(ns, &[&["-w", text(capture)], how].concat());
                curl(ns, &site, &format!("http://{}", as_host(addresses.ours)), LARGE);
                server.ends_well(SOON);
            }
            judge_captures(&cut, &whole, &format!("{kind}.src == {}", addresses.ours));
        }
    });
}

#[test]
fn the_walk_says_how_few_frames_it_took() {
    in_namespace("the_walk_says_how_few_frames_it_took", |ns| {
        tap(ns);
        let site = Site::new();
        let _nginx = site.nginx(ns, &[V4.kernel]);
        let url = format!("http://{}/65535", V4.kernel);
        let page = site.file("page");
        let walk = |offload| {
            let fetch = on_tap(ns, &["fetch", &url, "--output", text(&page), "--offload", offload]);
            fetch.run().successful().stderr
        };
        let (with, without) = (walk("on"), walk("off"));
        assert!(with.contains("super-frame") && with.contains("frames on the wire"), "{with}");
        assert!(!without.contains("super-frame"), "{without}");
        for walk in [with, without] {
            let up = walk.lines().find(|line| line.starts_with("UP ")).unwrap_or_default();
            assert!(up.contains(" 46 frames, "), "65,535 bytes in segments of up to 1,448: {walk}");
        }
    });
}

#[test]
fn what_we_leave_to_the_kernel_arrives_beyond_it_cut_and_summed() {
    in_namespace("what_we_leave_to_the_kernel_arrives_beyond_it_cut_and_summed", |ns| {
        tap(ns);
        let there = beyond(ns);
        // The link beyond can do nothing for the kernel, which must do all that we left to it.
        for (mut ethtool, device) in [(ns.command("ethtool"), "near"), (there.command("ethtool"), "far")] {
            let features = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"];
            finish(ethtool.args(["-K", device]).args(features), SOON).successful();
        }
        let site = Site::new();
        let capture = site.file("capture");
        let mut tshark = there.command("tshark");
        // It ends by itself before the second page is over: what an interrupt finds in its buffers would be lost.
        let enough = format!("filesize:{}", 3 * LARGE / 2_000);
        let mut tshark = Running::start(tshark.args(["-i", "far", "-w", text(&capture), "-a", &enough]));
        // What it captures on it says before it does.
        tshark.wait_for_line("captures", SOON, |line| line.contains("Capture started"));
        let server = site.serve(ns, &[&GATEWAYS[..], &["--offload", "on"]].concat());
        for addresses in [V4, V6] {
            curl(&there, &site, &format!("http://{}", as_host(addresses.ours)), LARGE);
        }
        server.ends_well(SOON);
        tshark.wait(SOON);
        assert_eq!(malformed(&capture), [""; 0]);
        assert_eq!(bad_checksums(&capture), [""; 0]);
        let sent = lengths(&capture, &format!("ip.src == {} || ipv6.src == {}", V4.ours, V6.ours));
        assert_eq!(sent.iter().max(), Some(&LONGEST));
        assert!(sent.len() > LARGE / LONGEST, "{} frames", sent.len());
    });
}

#[test]
fn offload_does_not_outlive_a_program_that_was_killed() {
    in_namespace("offload_does_not_outlive_a_program_that_was_killed", |ns| {
        require_tap();
        let up = ["tap", "up", "fw0", "--address", V4.kernel_cidr, "--address", V6.kernel_cidr];
        Framewise::new(ns, &up).run().successful();
        let site = Site::new();
        let _nginx = site.nginx(ns, &[V4.kernel]);
        let offload = || {
            let said = finish(ns.command("ethtool").args(["-k", "fw0"]), SOON).successful().text();
            let state = |feature: &str| said.lines().any(|line| line.trim() == format!("{feature}: on"));
            [state("tx-checksumming"), state("tcp-segmentation-offload")]
        };
        let server = site.serve(ns, &["--offload", "on"]);
        assert_eq!(offload(), [true, true]);
        // Dropping kills it, and it can take nothing back.
        drop(server);
        assert_eq!(offload(), [true, true], "the kernel keeps what was agreed on");
        let capture = site.file("capture");
        let origin = format!("http://{}", V4.kernel);
        fetch(ns, &site, &origin, LARGE, &["--offload", "off", "-w", text(&capture), "--capture-super"]);
        assert_well_formed(&capture, LARGE);
        assert_eq!(lengths(&capture, "frame").into_iter().max(), Some(LONGEST));
        assert_eq!(offload(), [false, false]);
    });
}

mod bad_checksums_are_dropped {
    use super::*;
    use etherparse::PacketBuilder;
    use framewise::core::buf::InterfaceId;
    use framewise::core::seams::frame::Frame;
    use framewise::core::{Buf, MacAddr};
    use framewise::device::{Device, Offloading, PacketSocket, Tap, TapOptions};
    use framewise::tls::{Config, Crypto, TimeSource};
    use framewise::{HostConfig, Interface, Plug, Runner};
    use framewise_tests::link::TAP;

    const OURS: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
    const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 2];

    /// A request to connect, of which the kernel says nothing about the checksum.
    fn syn(port: u16, damage: u8) -> Frame {
        let builder = PacketBuilder::ethernet2(THEIRS, OURS.octets())
            .ipv4([192, 0, 2, 77], [192, 0, 2, 10], 64)
            .tcp(port, 80, 1_000, 65_000)
            .syn();
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &[]).unwrap();
        bytes[34 + 16] ^= damage;
        Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
    }

    #[test]
    fn and_counted() {
        in_namespace("bad_checksums_are_dropped::and_counted", |ns| {
            tap(ns);
            let options = TapOptions { offload: Offloading::On, ..TapOptions::default() };
            let device = Tap::open_with(TAP, options).expect("it can be opened");
            assert!(device.wait_until_running(SOON).unwrap());
            let mut runner = Runner::real(framewise::entropy().unwrap()).unwrap();
            let tls = Config::new(TimeSource::starting_at(0), Crypto::Real);
            let interface = Interface::new(OURS, [V4.ours_cidr.parse().unwrap()]);
            let mut config = HostConfig::new("server", vec![interface], tls);
            config.leave_to(device.capabilities());
            let stack = config.stack(&runner.randomness("host")).unwrap();
            let host = runner.add_host("server", stack, vec![Plug::Device(Box::new(device))]);

            let mut socket = PacketSocket::open(TAP).unwrap();
            for (port, damage) in [(1_001, 0), (1_002, 1), (1_003, 0)] {
                assert!(socket.transmit(syn(port, damage)).unwrap().is_none());
            }
            let refused = |runner: &Runner| runner.counters(host).drops("tcp", "nobody listens");
            let end = runner.now() + SOON;
            runner.run(Some(end), |runner| refused(runner) == 2).unwrap();
            assert_eq!(refused(&runner), 2, "the good ones got as far as TCP");
            assert_eq!(runner.counters(host).drops("tcp", "checksum wrong"), 1);
        });
    }
}
