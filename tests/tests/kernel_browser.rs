//! A browser reads our pages, over https as a student's own would: after the lab's authority was put into its store.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, as_host, on_tap, tap};
use framewise_tests::matrix::OFFLOADS;
use framewise_tests::peers::Chromium;
use framewise_tests::{in_namespace, until};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn chromium_shows_our_pages_over_http_and_https() {
    in_namespace("chromium_shows_our_pages_over_http_and_https", |ns| {
        tap(ns);
        let authority = tempfile::tempdir().unwrap();
        let authority = authority.path();
        for offload in OFFLOADS {
            let server = on_tap(ns, &["serve", "--ca-dir", authority.to_str().unwrap()])
                .arguments(offload)
                .spawn("Ctrl-C ends it");
            let chromium = Chromium::new(ns).trusting(&authority.join("authority.pem"));
            for origin in [
                "https://shop.test",
                "http://shop.test",
                &format!("https://{}", as_host(V6.ours)),
                &format!("http://{}", V4.ours),
            ] {
                let page = chromium.page(&format!("{origin}/about"), V4.ours);
                assert!(page.contains("This shop sells four things"), "{origin}: {page}");
                assert!(!page.contains("ERR_"), "{origin}: {page}");
            }
            // It has asked for the picture by itself.
            for wanted in ["192.0.2.1 https GET /picture.png 200", "2001:db8:1::1 https GET /picture.png 200"]
            {
                until(wanted, SOON, || server.said().iter().any(|line| line == wanted).then_some(()));
            }
            let picture = chromium.picture("https://shop.test/about", V4.ours);
            assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
            assert!(picture != chromium.picture("about:blank", V4.ours), "there is something to be seen");
        }
    });
}

#[test]
fn chromium_believes_no_authority_that_it_was_not_told_of() {
    in_namespace("chromium_believes_no_authority_that_it_was_not_told_of", |ns| {
        tap(ns);
        let authority = tempfile::tempdir().unwrap();
        let _server =
            on_tap(ns, &["serve", "--ca-dir", authority.path().to_str().unwrap()]).spawn("Ctrl-C ends it");
        let chromium = Chromium::new(ns);
        let page = chromium.page("https://shop.test/about", V4.ours);
        assert!(!page.contains("This shop sells four things"), "{page}");
        let page = chromium.page("http://shop.test/about", V4.ours);
        assert!(page.contains("This shop sells four things"), "over http there is nobody to believe: {page}");
    });
}
