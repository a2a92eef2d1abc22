//! Captures of our host with programs of others: recorded over a TAP, and played again by a live host.
//!
//! Nobody else's programs say the same twice, so those captures in `pcaps/` that have such a peer are recorded once. With
//! `FRAMEWISE_RECORD_PCAPS=1` this test records them anew, into that folder; without, it records into another, and so shows
//! that what is recorded today can be played, too.
//!
//! Our host draws from a seed, its keys as well: so what TLS sealed can be played again. That is for a namespace in which
//! nobody else is, and nothing else.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use framewise::core::Rng;
use framewise::core::seams::stream::{Endpoint, Security};
use framewise::device::Tap;
use framewise::tls::Server;
use framewise::world::HOSTS;
use framewise::{Fetch, HostConfig, HostId, Plug, Runner};
use framewise_replay::{Outcome, Script, capture, host_config};
use framewise_tests::link::{TAP, V4};
use framewise_tests::peers::{Chromium, Curl, Nginx, Tls, body_of};
use framewise_tests::{Authority, Namespace, in_namespace, memory, require_tap};
use framewise_trace::Recorder;

/// How often a recording is tried. On a computer that is busy two frames may come at once to a host that, played again, has
/// answered the first before the second comes.
const TRIES: usize = 8;
/// What may follow when all is said.
const AFTERWARDS: Duration = Duration::from_millis(60);
/// Bytes of nginx's page: several segments.
const PAGE: usize = 5_000;
/// A day within the 90 for which the world's certificates are made.
const CLOCK: u64 = framewise::world::EPOCH + 86_400;

/// A host of ours on the TAP, and what is seen of it.
struct Recording {
    runner: Runner,
    host: HostId,
    recorder: Rc<RefCell<Recorder>>,
    config: HostConfig,
    sidecar: String,
}

impl Recording {
    fn new(sidecar: &str) -> Self {
        let script = Script::read(sidecar).unwrap();
        let mut runner = Runner::real(Rng::from_seed(script.host.seed).seed()).unwrap();
        let config = host_config(&script, &runner).unwrap();
        let stack = config.stack(&runner.randomness(HOSTS)).unwrap();
        let tap = Tap::open(TAP).unwrap();
        assert!(tap.wait_until_running(Duration::from_secs(5)).unwrap(), "the kernel's end is up");
        let host = runner.add_host(&config.name, stack, vec![Plug::Device(Box::new(tap))]);
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        for &(port, is_tls) in &script.host.serves {
            let security = if is_tls { Security::Tls(None) } else { Security::Plain };
            let endpoint = Endpoint { address: None, port };
            runner.host(host).serve(endpoint, security, Arc::new(framewise_site::builtin())).unwrap();
        }
        runner.observe(recorder.clone());
        Recording { runner, host, recorder, config, sidecar: sidecar.to_owned() }
    }

    /// Runs until a peer's program is done.
    fn serve<T: Send>(&mut self, client: impl FnOnce() -> T + Send) -> T {
        let waker = self.runner.waker();
        thread::scope(|scope| {
            let client = scope.spawn(move || {
                let answer = client();
                waker.wake();
                answer
            });
            self.runner.run_until(|_| client.is_finished()).unwrap();
            client.join().unwrap()
        })
    }

    /// Fetches a page; the sidecar then says when.
    fn fetch(&mut self, url: &str, header: Option<(&str, &str)>) {
        let words = header.map_or_else(String::new, |(name, value)| format!(" header=\"{name}: {value}\""));
        let now = self.runner.now().as_nanos();
        self.sidecar.push_str(&format!("\n{now}ns fetch {url}{words}\n"));
        let fetch = Fetch::get(url);
        let fetch = match header {
            Some((name, value)) => fetch.header(name, value.as_bytes().to_vec()),
            None => fetch,
        };
        self.runner.host(self.host).fetch(fetch).unwrap();
    }

    /// The capture, its sidecar, and what comes of playing it.
    fn finish(mut self) -> (Vec<u8>, String, Outcome) {
        self.runner.run_for(AFTERWARDS).unwrap();
        let bytes = memory::capture(&self.recorder.borrow().trace(), &self.config.name);
        let outcome = capture(&bytes, &Script::read(&self.sidecar).unwrap()).unwrap();
        (bytes, self.sidecar, outcome)
    }
}

/// What the sidecars of all have in common.
fn sidecar(title: &str, more: &str) -> String {
    format!(
        "# Recorded by tests/tests/kernel_pcaps.rs.\ntitle \"{title}\"\nhost shop\nseed 7\nmac 02:00:00:00:00:50\n\
         address {}\nclock {CLOCK}\nwindow 65536\nsend-buffer 65536\ndelayed-ack 10ms\nnagle no\n\
         congestion cubic\noffload none\ntimes free\ncompare everything except chance\n{more}",
        V4.ours_cidr
    )
}

/// The kernel's end of the TAP, without IPv6, so that the kernel says nothing of its own.
fn tap(ns: &Namespace) {
    require_tap();
    ns.ip(&format!("tuntap add {TAP} mode tap"));
    ns.ip(&format!("link set {TAP} address 02:00:00:00:00:01 addrgenmode none"));
    ns.address(TAP, V4.kernel_cidr);
}

/// Records what `make` does, until it can be played again, and keeps it.
fn keep(name: &str, mut make: impl FnMut() -> (Vec<u8>, String, Outcome)) {
    for _ in 0..TRIES {
        let (bytes, sidecar, outcome) = make();
        if !outcome.is_success() {
            eprintln!("{name}: not played as recorded, so once more\n{outcome}");
            continue;
        }
        assert!(outcome.matched > 3, "{name}: only {} frames", outcome.matched);
        if std::env::var_os("FRAMEWISE_RECORD_PCAPS").is_some() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps");
            fs::write(folder.join(format!("{name}.pcapng")), bytes).unwrap();
            fs::write(folder.join(format!("{name}.replay")), sidecar).unwrap();
        }
        return;
    }
    panic!("{name}: recorded {TRIES} times, and never played again");
}

/// A client of others, to whom our host serves its site.
fn served(name: &str, title: &str, more: &str, client: impl Fn(&HostConfig) + Sync) {
    keep(name, || {
        let mut recording = Recording::new(&sidecar(title, more));
        let config = recording.config.clone();
        recording.serve(|| client(&config));
        recording.finish()
    });
}

#[test]
fn curl_is_recorded_and_played() {
    in_namespace("curl_is_recorded_and_played", |ns| {
        tap(ns);
        let http = format!("http://{}", V4.ours);
        served("peer-curl", "curl fetches a page of ours", "serve http 80\n", |_| {
            assert_eq!(Curl::new(ns).get(&format!("{http}/about")).status, 200);
        });
        served("peer-curl-form", "curl sends a form of several parts to us", "serve http 80\n", |_| {
            let form = ["-F", "item=tea", "-F", "note=two pieces"];
            assert_eq!(Curl::new(ns).options(&form).get(&format!("{http}/form")).status, 200);
        });
        served(
            "peer-curl-chunked",
            "curl sends us chunks, and waits for 100 Continue",
            "serve http 80\n",
            |_| {
                let upload = [
                    "-X",
                    "POST",
                    "-H",
                    "Transfer-Encoding: chunked",
                    "-H",
                    "Expect: 100-continue",
                    "-d",
                    "hello",
                ];
                assert_eq!(Curl::new(ns).options(&upload).get(&format!("{http}/echo")).status, 200);
            },
        );
        for (version, flag) in [("1.2", "--tls-max"), ("1.3", "--tlsv1.3")] {
            let name = format!("peer-curl-tls{}", version.replace('.', ""));
            let title = format!("curl fetches a page of ours over TLS {version}");
            let more = format!("tls {version}\nserve https 443\n");
            served(&name, &title, &more, |config| {
                assert!(matches!(&config.tls.server, Some(Server::Authority(_))));
                let mut options = vec!["--insecure", "--resolve", "shop.test:443:192.0.2.10", flag];
                if version == "1.2" {
                    options.push("1.2");
                }
                assert_eq!(Curl::new(ns).options(&options).get("https://shop.test/about").status, 200);
            });
        }
    });
}

#[test]
fn nginx_is_recorded_and_played() {
    in_namespace("nginx_is_recorded_and_played", |ns| {
        tap(ns);
        let identity = Authority::new().issue(&[V4.kernel]);
        let nginx = Nginx::new().identity(identity).page("page", &body_of(PAGE));
        let kernel = V4.kernel;
        let nginx = nginx.http(&format!("{kernel}:80")).https(&format!("{kernel}:443"), Tls::Any);
        let _nginx = nginx.start(ns);
        let fetched = |name: &str, title: &str, more: &str, url: &str, header: Option<(&str, &str)>| {
            keep(name, || {
                let mut recording = Recording::new(&sidecar(title, more));
                recording.fetch(url, header);
                recording.finish()
            });
        };
        let (http, https) = (format!("http://{kernel}/page"), format!("https://{kernel}/page"));
        fetched("peer-nginx", "We fetch a page of nginx", "", &http, None);
        let range = Some(("Range", "bytes=100-199"));
        fetched("peer-nginx-range", "We fetch a part of a page of nginx", "", &http, range);
        let nothing = format!("http://{kernel}/nothing");
        fetched("peer-nginx-404", "nginx has no such page", "", &nothing, None);
        // In TLS 1.2 nginx refuses a client that has X25519 alone, for the key of its certificate is of another curve; and only
        // for X25519 do simulated keys exist.
        let title = "We fetch a page of nginx over TLS 1.3";
        fetched("peer-nginx-tls13", title, "tls 1.3\nverify no\n", &https, None);
    });
}

#[test]
fn chromium_is_recorded_and_played() {
    in_namespace("chromium_is_recorded_and_played", |ns| {
        tap(ns);
        served("peer-chromium", "Chromium shows a page of ours, with its picture", "serve http 80\n", |_| {
            let page = Chromium::new(ns).page("http://shop.test/about", V4.ours);
            assert!(page.contains("About the shop"), "{page}");
        });
    });
}
