//! What lasts: a gigabyte each way, and what can happen to a transfer meanwhile. Through all of it our process stays small.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{Addresses, TAP, V4, V6, as_host, on_tap, tap};
use framewise_tests::matrix::{OFFLOADS, Offload, Scheme};
use framewise_tests::peers::{Curl, Framewise, Nginx, Python, Tls, body_of};
use framewise_tests::{
    Authority, Namespace, Place, Running, Summed, in_namespace, peak_memory, sha256_of, until,
};
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(120);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// Bytes that are carried through all layers.
const GIGABYTE: u64 = 1_000_000_000;
/// Bytes of memory that our process may take, whatever it carries.
const MEMORY: u64 = 64 << 20;

/// A folder with one large file, and what there is to know about it.
struct Load {
    folder: TempDir,
    file: PathBuf,
    size: u64,
    sha256: String,
}

impl Load {
    /// Bytes without a period, so that none can stand in another's place.
    fn new(size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("load");
        let mut out = BufWriter::new(File::create(&file).unwrap());
        let mut state = 1_u64;
        let mut piece = vec![0; 1 << 20];
        for start in (0..size).step_by(piece.len()) {
            for word in piece.chunks_exact_mut(8) {
                // Marsaglia's xorshift: its period is 2^64 - 1.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let left = usize::try_from(size - start).unwrap();
            out.write_all(&piece[..piece.len().min(left)]).unwrap();
        }
        out.into_inner().unwrap();
        let sha256 = sha256_of(&file);
        Load { folder, file, size, sha256 }
    }

    /// What takes the load says this of it.
    fn receipt(&self) -> String {
        format!("{} bytes, SHA-256 {}\n", self.size, self.sha256)
    }
}

/// Our server on the TAP, with its authority.
struct Server {
    running: Running,
    authority: TempDir,
}

impl Server {
    fn start(ns: &Namespace, arguments: &[&str]) -> Self {
        let authority = tempfile::tempdir().unwrap();
        let serve = on_tap(ns, &[&["serve"], arguments].concat());
        let running = serve.arguments(&["--quiet", "--ca-dir", text(authority.path())]).spawn(READY);
        Server { running, authority }
    }

    fn trusted(&self) -> PathBuf {
        self.authority.path().join("authority.pem")
    }

    /// A curl that speaks only what is said, to be added to.
    fn curl(&self, ns: &Namespace, scheme: Scheme) -> Command {
        let mut curl = ns.command("curl");
        curl.args(["--disable", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "110"]);
        curl.arg("--cacert").arg(self.trusted());
        if let Some(version) = scheme.tls() {
            curl.args([&format!("--tlsv{version}"), "--tls-max", version]);
        }
        curl
    }

    /// Its memory has stayed small, and nothing is left to be done: interrupted, it ends at once, long before it would cut
    /// off what is under way.
    #[track_caller]
    fn ends_small_and_free(mut self) {
        let peak = peak_memory(self.running.id()).expect("it runs");
        assert!(peak < MEMORY, "our server took {} MiB of memory", peak >> 20);
        let since = Instant::now();
        self.running.interrupt();
        let status = self.running.wait(SOON);
        assert_eq!(status.code(), Some(0), "{}", self.running.said().join("\n"));
        assert!(since.elapsed() < Duration::from_secs(8), "something was still under way");
    }
}

fn origin(scheme: Scheme, host: &str) -> String {
    format!("{}://{}", scheme.name(), as_host(host))
}

/// Bytes that the kernel has received from us over the TAP, and sent to us, and the number of frames from us.
fn carried() -> (u64, u64, u64) {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    let line = devices.lines().find_map(|line| line.trim().strip_prefix(&format!("{TAP}:"))).unwrap();
    let fields: Vec<u64> = line.split_whitespace().map(|field| field.parse().unwrap()).collect();
    (fields[0], fields[8], fields[1])
}

/// Waits until so many bytes have gone one way.
fn until_carried(what: &str, way: impl Fn((u64, u64, u64)) -> u64, bytes: u64) {
    until(what, LONG, || (way(carried()) >= bytes).then_some(()));
}

/// The link is down for so long, as if its cable had been pulled; addresses stay.
fn pull_cable(ns: &Namespace, time: Duration) {
    ns.ip(&format!("link set {TAP} down"));
    std::thread::sleep(time);
    ns.ip(&format!("link set {TAP} up"));
}

#[test]
fn our_client_takes_and_gives_a_gigabyte() {
    in_namespace("our_client_takes_and_gives_a_gigabyte", |ns| {
        tap(ns);
        let load = Load::new(GIGABYTE);
        let authority = Authority::new();
        let trusted = authority.write_to(load.folder.path());
        let identity = authority.issue(&[V4.kernel, V6.kernel]);
        let _nginx = Nginx::new()
            .http(&format!("{}:80", as_host(V4.kernel)))
            .https(&format!("{}:443", as_host(V6.kernel)), Tls::V13)
            .identity(identity.clone())
            .file("load", &load.file)
            .start(ns);
        let _python = Python::new(&identity, &[]).listen(ns, V6.kernel, 8_080, None).listen(
            ns,
            V4.kernel,
            8_443,
            Some(Tls::V13),
        );
        let fetch = |url: &str, addresses: &Addresses, offload: Offload, arguments: &[&str]| {
            let sum = Framewise::new(ns, &["fetch", "--quiet", url, "--tap", TAP])
                .arguments(&["--address", addresses.ours_cidr, "--cacert", text(&trusted)])
                .arguments(&[arguments, offload].concat())
                .summed()
                .wait(LONG);
            assert!(sum.status.success(), "{url} {offload:?}: {}", sum.complaint);
            assert!(sum.peak < MEMORY, "{url} {offload:?} took {} MiB of memory", sum.peak >> 20);
            sum.sha256
        };
        let receipt = load.folder.path().join("receipt");
        fs::write(&receipt, load.receipt()).unwrap();
        let receipt = sha256_of(&receipt);
        for offload in OFFLOADS {
            for (scheme, addresses) in [(Scheme::Http, V4), (Scheme::Tls13, V6)] {
                let url = format!("{}/load", origin(scheme, addresses.kernel));
                assert_eq!(fetch(&url, &addresses, offload, &[]), load.sha256, "{url} {offload:?}");
            }
            for (scheme, addresses, port) in [(Scheme::Http, V6, 8_080), (Scheme::Tls13, V4, 8_443)] {
                let url = format!("{}:{port}/sink", origin(scheme, addresses.kernel));
                let upload = ["--upload-file", text(&load.file)];
                assert_eq!(fetch(&url, &addresses, offload, &upload), receipt, "{url} {offload:?}");
            }
        }
    });
}

#[test]
fn our_server_gives_and_takes_a_gigabyte() {
    in_namespace("our_server_gives_and_takes_a_gigabyte", |ns| {
        tap(ns);
        let load = Load::new(GIGABYTE);
        for offload in OFFLOADS {
            let server = Server::start(ns, &[&[text(load.folder.path())], offload].concat());
            for (scheme, addresses) in [(Scheme::Http, V6), (Scheme::Tls13, V4)] {
                let url = format!("{}/load", origin(scheme, addresses.ours));
                let sum = Summed::start(server.curl(ns, scheme).arg(&url)).wait(LONG);
                assert!(sum.status.success(), "{url} {offload:?}: {}", sum.complaint);
                assert_eq!(sum.sha256, load.sha256, "{url} {offload:?}");
            }
            server.ends_small_and_free();
            let server = Server::start(ns, offload);
            for (scheme, addresses) in [(Scheme::Http, V4), (Scheme::Tls13, V6)] {
                let url = format!("{}/sink", origin(scheme, addresses.ours));
                let mut curl = server.curl(ns, scheme);
                let upload =
                    framewise_tests::finish(curl.arg("--upload-file").arg(&load.file).arg(&url), LONG);
                assert_eq!(upload.text(), load.receipt(), "{url} {offload:?}: {}", upload.stderr);
            }
            server.ends_small_and_free();
        }
    });
}

#[test]
fn a_client_killed_at_half_leaves_nothing_behind() {
    in_namespace("a_client_killed_at_half_leaves_nothing_behind", |ns| {
        tap(ns);
        let load = Load::new(GIGABYTE);
        let killed = |mut curl: Command, way: fn((u64, u64, u64)) -> u64, bytes: u64| {
            let before = way(carried());
            let curl = curl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut curl = curl.spawn().unwrap();
            until_carried("it is well under way", way, before + bytes);
            assert!(curl.try_wait().unwrap().is_none(), "it was still at it");
            curl.kill().unwrap();
            curl.wait().unwrap();
        };
        let server = Server::start(ns, &[text(load.folder.path())]);
        let download = |scheme| {
            let mut curl = server.curl(ns, scheme);
            curl.arg(format!("{}/load", origin(scheme, V4.ours)));
            curl
        };
        killed(download(Scheme::Http), |(received, ..)| received, GIGABYTE / 2);
        killed(download(Scheme::Tls13), |(received, ..)| received, GIGABYTE / 2);
        // Each takes a window of data along into its grave.
        for _ in 0..100 {
            killed(download(Scheme::Http), |(received, ..)| received, 2 << 20);
        }
        let head = Curl::new(ns).options(&["--head"]).get(&format!("http://{}/load", V4.ours));
        assert_eq!(head.status, 200, "it goes on: {}", head.complaint);
        server.ends_small_and_free();
        let server = Server::start(ns, &[]);
        let mut upload = server.curl(ns, Scheme::Http);
        upload.arg("--upload-file").arg(&load.file).arg(format!("http://{}/sink", V4.ours));
        killed(upload, |(_, sent, _)| sent, GIGABYTE / 2);
        assert_eq!(Curl::new(ns).get(&format!("http://{}/", V4.ours)).status, 200, "it goes on");
        server.ends_small_and_free();
    });
}

#[test]
fn a_cable_pulled_for_five_seconds_costs_our_client_no_byte() {
    in_namespace("a_cable_pulled_for_five_seconds_costs_our_client_no_byte", |ns| {
        tap(ns);
        let load = Load::new(100_000_000);
        let _nginx = Nginx::new()
            .http(&format!("{}:80", V4.kernel))
            .file("load", &load.file)
            .bytes_per_second(25_000_000)
            .start(ns);
        let url = format!("http://{}/load", V4.kernel);
        let fetch = on_tap(ns, &["fetch", "--quiet", &url]).summed();
        until_carried("it is well under way", |(_, sent, _)| sent, load.size / 4);
        pull_cable(ns, Duration::from_secs(5));
        let sum = fetch.wait(LONG);
        assert!(sum.status.success(), "{}", sum.complaint);
        assert_eq!(sum.sha256, load.sha256);
    });
}

#[test]
fn a_cable_pulled_for_five_seconds_costs_our_server_no_byte() {
    in_namespace("a_cable_pulled_for_five_seconds_costs_our_server_no_byte", |ns| {
        tap(ns);
        // An interface that is down would lose its addresses of IPv6, and with them the connection.
        ns.set(&format!("net/ipv6/conf/{TAP}/keep_addr_on_down"), "1");
        let load = Load::new(100_000_000);
        let each = [(Scheme::Http, V6), (Scheme::Tls13, V4)].into_iter().zip(OFFLOADS.into_iter().cycle());
        for ((scheme, addresses), offload) in each {
            let server = Server::start(ns, &[&[text(load.folder.path())], offload].concat());
            let (before, ..) = carried();
            let url = format!("{}/load", origin(scheme, addresses.ours));
            let curl = Summed::start(server.curl(ns, scheme).args(["--limit-rate", "25M", &url]));
            until_carried("it is well under way", |(received, ..)| received, before + load.size / 4);
            pull_cable(ns, Duration::from_secs(5));
            let sum = curl.wait(LONG);
            assert!(sum.status.success(), "{url}: {}", sum.complaint);
            assert_eq!(sum.sha256, load.sha256, "{url}");
            server.ends_small_and_free();
        }
    });
}

/// How long a peer reads nothing.
const CLOSED: Duration = Duration::from_secs(30);

#[test]
fn our_server_waits_for_a_window_that_is_closed_for_thirty_seconds() {
    in_namespace("our_server_waits_for_a_window_that_is_closed_for_thirty_seconds", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let body = body_of(50_000_000);
        fs::write(folder.path().join("page"), &body).unwrap();
        let server = Server::start(ns, &["--https", "0", text(folder.path())]);
        let address: SocketAddr = format!("{}:80", V4.ours).parse().unwrap();
        let mut reader = TcpStream::connect_timeout(&address, SOON).unwrap();
        reader.set_read_timeout(Some(LONG)).unwrap();
        write!(reader, "GET /page HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = vec![0; 1_000];
        reader.read_exact(&mut answer).unwrap();
        std::thread::sleep(CLOSED / 2);
        let (bytes, _, frames) = carried();
        std::thread::sleep(CLOSED / 2);
        let (later, _, probed) = carried();
        assert!(bytes < body.len() as u64, "the window had been closed for long");
        // It asks again and again (RFC 9293, section 3.8.6.1), in small segments and ever less often.
        assert!((1..100).contains(&(probed - frames)), "{} probes within 15 seconds", probed - frames);
        assert!(later - bytes < 100_000, "{} bytes into a closed window", later - bytes);
        // The word that the window is open again is lost with the cable: only a probe can find that out.
        ns.ip(&format!("link set {TAP} down"));
        reader.set_nonblocking(true).unwrap();
        let mut piece = vec![0; 1 << 20];
        while let Ok(size) = reader.read(&mut piece) {
            answer.extend_from_slice(&piece[..size]);
        }
        ns.ip(&format!("link set {TAP} up"));
        reader.set_nonblocking(false).unwrap();
        reader.read_to_end(&mut answer).unwrap();
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert!(answer[head..] == body, "{} bytes of the page came", answer.len() - head);
        server.ends_small_and_free();
    });
}

#[test]
fn our_client_waits_for_a_window_that_is_closed_for_thirty_seconds() {
    in_namespace("our_client_waits_for_a_window_that_is_closed_for_thirty_seconds", |ns| {
        tap(ns);
        let load = Load::new(50_000_000);
        let identity = Authority::new().issue(&[V6.kernel]);
        let _python = Python::new(&identity, &[]).listen(ns, V6.kernel, 80, None);
        let url = format!("http://{}/slow/{}", as_host(V6.kernel), CLOSED.as_secs());
        let upload = on_tap(ns, &["fetch", "--quiet", "--upload-file", text(&load.file), &url]);
        let finished = upload.limit(LONG).run().successful();
        assert_eq!(finished.text(), load.receipt());
    });
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
