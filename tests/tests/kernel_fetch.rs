//! `framewise fetch` from nginx over a TAP: every size of body comes byte for byte, whatever it travels through.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{Addresses, GATEWAYS, TAP, V4, V6, as_host, beyond, tap};
use framewise_tests::peers::{Framewise, Nginx, NginxRunning, SIZES, Tls, body_of};
use framewise_tests::{Authority, Namespace, Place, in_namespace};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Where nginx listens for https in TLS 1.2 alone.
const TLS_12: u16 = 443;
/// Where it does in TLS 1.3 alone.
const TLS_13: u16 = 8443;
/// A name that nobody is asked for: `--resolve` says where it is.
const NAME: &str = "shop.test";

#[test]
fn fetches_from_the_kernel_over_ipv4() {
    in_namespace("fetches_from_the_kernel_over_ipv4", |ns| {
        tap(ns);
        fetch_all(ns, ns, &V4, V4.kernel, &[]);
    });
}

#[test]
fn fetches_from_the_kernel_over_ipv6() {
    in_namespace("fetches_from_the_kernel_over_ipv6", |ns| {
        tap(ns);
        fetch_all(ns, ns, &V6, V6.kernel, &[]);
    });
}

#[test]
fn fetches_through_a_gateway_over_ipv4() {
    in_namespace("fetches_through_a_gateway_over_ipv4", |ns| {
        tap(ns);
        fetch_all(ns, &beyond(ns), &V4, V4.beyond, &GATEWAYS[..2]);
    });
}

#[test]
fn fetches_through_a_gateway_over_ipv6() {
    in_namespace("fetches_through_a_gateway_over_ipv6", |ns| {
        tap(ns);
        fetch_all(ns, &beyond(ns), &V6, V6.beyond, &GATEWAYS[2..]);
    });
}

/// Every size from an nginx at `place`, over http and either version of TLS, by address and by name.
fn fetch_all(ns: &Namespace, place: &impl Place, addresses: &Addresses, server: &str, gateway: &[&str]) {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let trusted = authority.write_to(folder.path());
    let _nginx = serve(place, server, &authority);
    let page = folder.path().join("page");
    for (scheme, port, tls) in
        [("http", 80, None), ("https", TLS_12, Some("1.2")), ("https", TLS_13, Some("1.3"))]
    {
        let resolve = format!("{NAME}:{port}:{server}");
        for (host, size) in SIZES.iter().flat_map(|&size| [(as_host(server), size), (NAME.to_owned(), size)])
        {
            let url = format!("{scheme}://{host}:{port}/{size}");
            let mut fetch = Framewise::new(ns, &["fetch", "--quiet", &url, "--tap", TAP])
                .arguments(&["--address", addresses.ours_cidr, "--resolve", &resolve])
                .arguments(&["--output", page.to_str().unwrap(), "--cacert", trusted.to_str().unwrap()])
                .arguments(gateway);
            if let Some(version) = tls {
                fetch = fetch.arguments(&["--tls", version]);
            }
            fetch.run().successful();
            assert_is_body(&page, size, &url);
        }
    }
}

fn serve(place: &impl Place, server: &str, authority: &Authority) -> NginxRunning {
    let host = as_host(server);
    let nginx = Nginx::new()
        .http(&format!("{host}:80"))
        .https(&format!("{host}:{TLS_12}"), Tls::V12)
        .https(&format!("{host}:{TLS_13}"), Tls::V13)
        .identity(authority.issue(&[NAME, server]));
    SIZES.iter().fold(nginx, |nginx, &size| nginx.page(&size.to_string(), &body_of(size))).start(place)
}

#[track_caller]
fn assert_is_body(file: &Path, size: usize, url: &str) {
    let came = fs::read(file).unwrap();
    let same = came.iter().zip(body_of(size)).take_while(|(came, sent)| *came == sent).count();
    assert!(
        came.len() == size && same == size,
        "{url}: {size} bytes, came {}, the first {same} right",
        came.len()
    );
}

#[test]
fn the_version_of_tls_that_was_asked_for_is_the_only_one_spoken() {
    in_namespace("the_version_of_tls_that_was_asked_for_is_the_only_one_spoken", |ns| {
        tap(ns);
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let trusted = authority.write_to(folder.path());
        let _nginx = serve(ns, V4.kernel, &authority);
        for (port, version) in [(TLS_12, "1.3"), (TLS_13, "1.2")] {
            let url = format!("https://{}:{port}/1", V4.kernel);
            let fetch = Framewise::new(ns, &["fetch", "--quiet", &url, "--tap", TAP, "--tls", version])
                .arguments(&["--address", V4.ours_cidr, "--cacert", trusted.to_str().unwrap()])
                .limit(Duration::from_secs(20));
            let refused = fetch.run();
            assert_eq!(refused.status.code(), Some(5), "TLS {version} at port {port}: {}", refused.stderr);
        }
    });
}

#[test]
fn a_link_with_a_smaller_mtu_carries_pages_too() {
    in_namespace("a_link_with_a_smaller_mtu_carries_pages_too", |ns| {
        tap(ns);
        ns.ip("link set fw0 mtu 1300");
        let nginx = Nginx::new().http(&format!("{}:80", V4.kernel)).http(&format!("[{}]:80", V6.kernel));
        let _nginx = nginx.page("large", &body_of(200_000)).start(ns);
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        for addresses in [V4, V6] {
            let url = format!("http://{}/large", as_host(addresses.kernel));
            let answer = Framewise::new(ns, &["fetch", "--quiet", &url, "--tap", TAP])
                .arguments(&["--address", addresses.ours_cidr, "--output", page.to_str().unwrap()])
                .arguments(&["-d", &"x".repeat(5_000), "-X", "GET"])
                .run();
            answer.successful();
            assert_is_body(&page, 200_000, &url);
        }
    });
}
