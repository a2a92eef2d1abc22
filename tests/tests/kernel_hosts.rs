//! A host of ours among the kernel's: it asks dnsmasq for names, and ping finds it.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{Addresses, GATEWAYS, TAP, V4, V6, as_host, beyond, on_tap, tap};
use framewise_tests::peers::{Dnsmasq, Framewise, Nginx, body_of, ping};
use framewise_tests::{Finished, Namespace, in_namespace, until};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const PORT: u16 = 53;

/// Fetches a page by a host that has an address of one version only, and asks for names at `server`.
fn fetch(ns: &Namespace, addresses: &Addresses, server: &str, url: &str) -> Finished {
    let arguments =
        ["fetch", "--quiet", url, "--tap", TAP, "--address", addresses.ours_cidr, "--dns", server];
    Framewise::new(ns, &arguments).limit(SOON).run()
}

fn at(server: &str) -> SocketAddr {
    SocketAddr::new(server.parse().unwrap(), PORT)
}

#[test]
fn dnsmasq_is_asked_for_a_name() {
    in_namespace("dnsmasq_is_asked_for_a_name", |ns| {
        tap(ns);
        let both = [V4.kernel, V6.kernel].map(|address| address.parse::<IpAddr>().unwrap());
        for addresses in [V4, V6] {
            let dnsmasq = Dnsmasq::start(ns, at(addresses.kernel), &[("shop.test", &both)]);
            let listens = format!("{}:80", as_host(addresses.kernel));
            let _nginx = Nginx::new().http(&listens).page("page", &body_of(1_460)).start(ns);
            let page = fetch(ns, &addresses, addresses.kernel, "http://shop.test/page").successful();
            assert_eq!(page.stdout, body_of(1_460));
            let kind = if addresses.kernel.contains(':') { "AAAA" } else { "A" };
            let question = format!("query[{kind}] shop.test from {}", addresses.ours);
            until("dnsmasq has logged the question", SOON, || {
                dnsmasq.questions().contains(&question).then_some(())
            });
        }
    });
}

#[test]
fn dnsmasq_beyond_a_gateway_is_asked_for_a_name() {
    in_namespace("dnsmasq_beyond_a_gateway_is_asked_for_a_name", |ns| {
        tap(ns);
        let beyond = beyond(ns);
        let _dnsmasq =
            Dnsmasq::start(&beyond, at(V4.beyond), &[("shop.test", &[V4.beyond.parse().unwrap()])]);
        let _nginx = Nginx::new().http("198.51.100.80:80").page("page", b"far").start(&beyond);
        let arguments = ["fetch", "--quiet", "http://shop.test/page", "--dns", V4.beyond];
        let page = on_tap(ns, &arguments).arguments(&GATEWAYS).limit(SOON).run().successful();
        assert_eq!(page.stdout, b"far");
    });
}

#[test]
fn a_name_that_nobody_has_is_told_from_a_server_that_does_not_answer() {
    in_namespace("a_name_that_nobody_has_is_told_from_a_server_that_does_not_answer", |ns| {
        tap(ns);
        let nobody_listens = fetch(ns, &V4, V4.kernel, "http://shop.test/page");
        assert_eq!(nobody_listens.status.code(), Some(3), "{}", nobody_listens.stderr);
        assert!(nobody_listens.stderr.contains("nobody listens on that port"), "{}", nobody_listens.stderr);

        let dnsmasq = Dnsmasq::start(ns, at(V4.kernel), &[("shop.test", &[V4.kernel.parse().unwrap()])]);
        let unknown = fetch(ns, &V4, V4.kernel, "http://shoop.test/page");
        assert_eq!(unknown.status.code(), Some(3), "{}", unknown.stderr);
        assert!(unknown.stderr.contains("shoop.test"), "{}", unknown.stderr);
        assert!(!unknown.stderr.contains("nobody listens"), "{}", unknown.stderr);
        until("dnsmasq was asked", SOON, || (!dnsmasq.questions().is_empty()).then_some(()));
    });
}

#[test]
fn ping_is_answered_in_one_piece_and_in_fragments() {
    in_namespace("ping_is_answered_in_one_piece_and_in_fragments", |ns| {
        tap(ns);
        let _server = on_tap(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        // The largest that fits a packet of each version, one byte more, several fragments, and the largest of all.
        for (address, sizes) in
            [(V4.ours, [56, 1_472, 1_473, 3_000, 65_507]), (V6.ours, [56, 1_452, 1_453, 3_000, 65_487])]
        {
            for size in sizes {
                let report = ping(ns, address.parse().unwrap(), 3, size);
                assert_eq!((report.sent, report.received), (3, 3), "{size} bytes: {}", report.output);
            }
        }
    });
}

#[test]
fn ping_is_answered_over_a_link_with_a_smaller_mtu() {
    in_namespace("ping_is_answered_over_a_link_with_a_smaller_mtu", |ns| {
        tap(ns);
        ns.ip("link set fw0 mtu 1300");
        let _server = on_tap(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        for address in [V4.ours, V6.ours] {
            for size in [1_400, 3_000] {
                let report = ping(ns, address.parse().unwrap(), 2, size);
                assert_eq!((report.sent, report.received), (2, 2), "{size} bytes: {}", report.output);
            }
        }
    });
}
