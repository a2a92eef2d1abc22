//! Captures of runs on a TAP: tshark finds nothing wrong in them, and no secrets that were not asked for.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, as_host, on_tap, tap};
use framewise_tests::peers::{
    Curl, Nginx, NginxRunning, Tls, Tshark, bad_checksums, body_of, http_objects, malformed, ping,
};
use framewise_tests::{Authority, Namespace, in_namespace};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// Several segments, and a piece of one.
const SIZE: usize = 20_000;

/// An nginx with a page of several segments over http and https, both versions of IP, and somebody to trust.
struct Server {
    folder: TempDir,
    trusted: PathBuf,
    _nginx: NginxRunning,
}

impl Server {
    fn new(ns: &Namespace) -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let trusted = authority.write_to(folder.path());
        let mut nginx =
            Nginx::new().identity(authority.issue(&[V4.kernel, V6.kernel])).page("page", &body_of(SIZE));
        for address in [V4.kernel, V6.kernel].map(as_host) {
            nginx = nginx.http(&format!("{address}:80")).https(&format!("{address}:443"), Tls::Any);
        }
        Server { folder, trusted, _nginx: nginx.start(ns) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Fetches the page, with these arguments too.
    #[track_caller]
    fn fetch(&self, ns: &Namespace, origin: &str, arguments: &[&str]) {
        let url = format!("{origin}/page");
        let fetch =
            on_tap(ns, &["fetch", "--quiet", &url, "--cacert", text(&self.trusted)]).arguments(arguments);
        assert_eq!(fetch.limit(SOON).run().successful().stdout.len(), SIZE);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn assert_well_formed(file: &Path) {
    assert!(Tshark::new(file).lines().len() > 10, "there are frames in it");
    assert_eq!(malformed(file), [""; 0]);
    assert_eq!(bad_checksums(file), [""; 0]);
}

#[test]
fn a_fetch_s_capture_is_well_formed_and_whole() {
    in_namespace("a_fetch_s_capture_is_well_formed_and_whole", |ns| {
        tap(ns);
        let server = Server::new(ns);
        for (name, address) in [("v4", V4), ("v6", V6)] {
            let file = server.file(name);
            server.fetch(ns, &format!("http://{}", as_host(address.kernel)), &["-w", text(&file)]);
            assert_well_formed(&file);
            assert_eq!(http_objects(&file).get("page"), Some(&body_of(SIZE)));
            let ours = if name == "v4" { "ip.src" } else { "ipv6.src" };
            let sent = |flag: &str| {
                Tshark::new(&file)
                    .filter(&format!("{ours} == {} && tcp.flags.{flag} == 1", address.ours))
                    .lines()
            };
            assert_eq!(sent("syn").len(), 1, "one request to connect, and no answer lost before it");
            assert_eq!(sent("fin").len(), 1, "the connection is closed, not left to the server");
            assert_eq!(sent("reset"), [""; 0]);
        }
    });
}

#[test]
fn secrets_are_written_only_when_asked_for_and_for_the_owner_alone() {
    in_namespace("secrets_are_written_only_when_asked_for_and_for_the_owner_alone", |ns| {
        tap(ns);
        let server = Server::new(ns);
        let origin = format!("https://{}", V4.kernel);
        let page = |file: &Path, keys: Option<&Path>| {
            let tshark = Tshark::new(file).filter("http.response");
            keys.iter().fold(tshark, |tshark, keys| tshark.keys(keys)).lines().len()
        };
        for version in ["1.2", "1.3"] {
            let (closed, keys, open) = (server.file("closed"), server.file("keys"), server.file("open"));
            // A file that others could read until now.
            fs::write(&keys, "").unwrap();
            fs::write(&open, "").unwrap();

            server.fetch(ns, &origin, &["--tls", version, "-w", text(&closed), "--keylog", text(&keys)]);
            assert_well_formed(&closed);
            assert_eq!(page(&closed, None), 0, "TLS {version}: nobody can read it");
            assert_eq!(mode(&keys), 0o600);
            assert_eq!(page(&closed, Some(&keys)), 1, "TLS {version}: but who has the keys");

            server.fetch(ns, &origin, &["--tls", version, "-w", text(&open), "--capture-secrets"]);
            assert_well_formed(&open);
            assert_eq!(mode(&open), 0o600);
            assert_eq!(http_objects(&open).get("page"), Some(&body_of(SIZE)), "TLS {version}");
        }
    });
}

#[test]
fn a_server_s_capture_is_well_formed_too() {
    in_namespace("a_server_s_capture_is_well_formed_too", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority");
        let (closed, open) = (folder.path().join("closed"), folder.path().join("open"));
        for (file, secrets) in [(&closed, &[][..]), (&open, &["--capture-secrets"])] {
            let arguments = ["serve", "--ca-dir", text(&authority), "-w", text(file)];
            let mut server = on_tap(ns, &arguments).arguments(secrets).spawn("Ctrl-C ends it");
            let trusted = authority.join("authority.pem");
            for (scheme, address) in
                [("http", V4.ours), ("http", V6.ours), ("https", V4.ours), ("https", V6.ours)]
            {
                let answer =
                    Curl::new(ns).trusting(&trusted).get(&format!("{scheme}://{}/items/1", as_host(address)));
                assert_eq!((answer.exit, answer.status), (Some(0), 200), "{}", answer.complaint);
            }
            for address in [V4.ours, V6.ours] {
                assert_eq!(ping(ns, address.parse().unwrap(), 1, 3_000).received, 1);
            }
            server.interrupt();
            assert_eq!(server.wait(SOON).code(), Some(0), "{}", server.said().join("\n"));
            assert_well_formed(file);
        }
        let read = |file: &Path| Tshark::new(file).filter("http.response").lines().len();
        assert_eq!((read(&closed), read(&open)), (2, 4), "https is read by whoever was given its secrets");
        assert_eq!(mode(&open), 0o600);
    });
}
