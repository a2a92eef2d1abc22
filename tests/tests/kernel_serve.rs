//! `framewise serve` over a TAP, judged by curl and by the kernel's own TCP.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{Addresses, GATEWAYS, V4, V6, as_host, beyond, on_tap, tap};
use framewise_tests::peers::{Curl, Framewise, SIZES, body_of};
use framewise_tests::{Namespace, Place, Running, finish, in_namespace, until};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
const NAME: &str = "shop.test";
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";

/// A directory with a page of every size, and the authority of the server's certificates.
struct Site {
    pages: TempDir,
    authority: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Site { pages: tempfile::tempdir().unwrap(), authority: tempfile::tempdir().unwrap() };
        // The server reads the pages when it is root no more.
        fs::set_permissions(site.pages.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for size in SIZES {
            fs::write(site.pages.path().join(size.to_string()), body_of(size)).unwrap();
        }
        site
    }

    /// Serves it on the TAP.
    fn serve(&self, ns: &Namespace, arguments: &[&str]) -> Running {
        let authority = ["--ca-dir", self.authority.path().to_str().unwrap()];
        on_tap(ns, &["serve", self.pages.path().to_str().unwrap()])
            .arguments(&authority)
            .arguments(arguments)
            .spawn(READY)
    }

    /// What curl must trust.
    fn trusted(&self) -> PathBuf {
        self.authority.path().join("authority.pem")
    }
}

/// Serves the built-in shop on the TAP.
fn serve_shop(ns: &Namespace, arguments: &[&str]) -> Running {
    on_tap(ns, &["serve", "--https", "0"]).arguments(arguments).spawn(READY)
}

#[test]
fn curl_gets_every_size_over_ipv4() {
    in_namespace("curl_gets_every_size_over_ipv4", |ns| {
        tap(ns);
        get_all(ns, ns, &V4, &[]);
    });
}

#[test]
fn curl_gets_every_size_over_ipv6() {
    in_namespace("curl_gets_every_size_over_ipv6", |ns| {
        tap(ns);
        get_all(ns, ns, &V6, &[]);
    });
}

#[test]
fn curl_gets_every_size_through_a_gateway() {
    in_namespace("curl_gets_every_size_through_a_gateway", |ns| {
        tap(ns);
        let beyond = beyond(ns);
        get_all(ns, &beyond, &V4, &GATEWAYS);
        get_all(ns, &beyond, &V6, &GATEWAYS);
    });
}

/// Every size, asked for at `place`, over http and either version of TLS, by address and by name.
fn get_all(ns: &Namespace, place: &impl Place, addresses: &Addresses, arguments: &[&str]) {
    let site = Site::new();
    let server = site.serve(ns, arguments);
    for (scheme, port, tls) in [
        ("http", 80, &[][..]),
        ("https", 443, &["--tlsv1.2", "--tls-max", "1.2"]),
        ("https", 443, &["--tlsv1.3", "--tls-max", "1.3"]),
    ] {
        for (host, size) in
            SIZES.iter().flat_map(|&size| [(as_host(addresses.ours), size), (NAME.to_owned(), size)])
        {
            let url = format!("{scheme}://{host}/{size}");
            let resolve = format!("{NAME}:{port}:{}", as_host(addresses.ours));
            let answer = Curl::new(place).trusting(&site.trusted()).options(tls).resolve(&resolve).get(&url);
            assert_eq!((answer.exit, answer.status), (Some(0), 200), "{tls:?} {url}: {}", answer.complaint);
            assert!(answer.body == body_of(size), "{tls:?} {url} came with {} bytes", answer.body.len());
        }
    }
    server.ends_well(SOON);
}

#[test]
fn two_hundred_connections_at_once_are_all_accepted_and_none_is_reset() {
    in_namespace("two_hundred_connections_at_once_are_all_accepted_and_none_is_reset", |ns| {
        tap(ns);
        let server = serve_shop(ns, &["--quiet"]);
        let address: SocketAddr = format!("{}:80", V4.ours).parse().unwrap();
        // All are open before the first says anything.
        let mut open: Vec<_> =
            (0..200).map(|_| TcpStream::connect_timeout(&address, SOON).unwrap()).collect();
        for (number, stream) in open.iter_mut().enumerate() {
            stream.set_read_timeout(Some(SOON)).unwrap();
            write!(stream, "GET /echo?{number} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
        for (number, stream) in open.iter_mut().enumerate() {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("connection {number}: {error}"));
            assert!(answer.starts_with("HTTP/1.1 200 "), "connection {number}: {answer}");
        }
        drop(open);
        server.ends_well(SOON);
    });
}

#[test]
fn two_hundred_curls_at_once_are_all_answered() {
    in_namespace("two_hundred_curls_at_once_are_all_answered", |ns| {
        tap(ns);
        let site = Site::new();
        let server = site.serve(ns, &["--quiet"]);
        for scheme in ["http", "https"] {
            let mut curl = ns.command("curl");
            curl.args([
                "--disable",
                "--silent",
                "--noproxy",
                "*",
                "--max-time",
                "50",
                "--output",
                "/dev/null",
            ]);
            curl.args(["--parallel", "--parallel-immediate", "--parallel-max", "200", "--cacert"])
                .arg(site.trusted());
            curl.args(["--write-out", "%{http_code} %{num_connects} %{exitcode} %{size_download}\n"]);
            curl.arg(format!("{scheme}://{}/1461?[1-200]", V4.ours));
            let finished = finish(&mut curl, Duration::from_secs(60));
            let answers = finished.text();
            let good = answers.lines().filter(|line| *line == "200 1 0 1461").count();
            assert_eq!(good, 200, "{scheme}: {answers}\n{}", finished.stderr);
        }
        server.ends_well(SOON);
    });
}

#[test]
fn methods_are_answered_and_a_connection_is_kept() {
    in_namespace("methods_are_answered_and_a_connection_is_kept", |ns| {
        tap(ns);
        let server = serve_shop(ns, &[]);
        let at = |path: &str| format!("http://{}{path}", V4.ours);
        let head = Curl::new(ns).options(&["--head"]).get(&at("/large"));
        assert_eq!((head.exit, head.status), (Some(0), 200), "{}", head.complaint);
        assert!(head.head.contains("Content-Length: 1000000"), "{}", head.head);

        // Large enough to take many segments and all of the window.
        let form = "x".repeat(300_000);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("form");
        fs::write(&file, &form).unwrap();
        let data = format!("@{}", file.display());
        let posted = Curl::new(ns).options(&["--data-binary", &data]).get(&at("/echo"));
        assert_eq!((posted.exit, posted.status), (Some(0), 200), "{}", posted.complaint);
        assert!(String::from_utf8_lossy(&posted.body).contains(&form), "came {} bytes", posted.body.len());

        // One connection for three requests.
        let three = [at("/"), at("/items/1"), at("/items/2")];
        let mut curl = ns.command("curl");
        curl.args(["--disable", "--silent", "--noproxy", "*", "--max-time", "20", "--output", "/dev/null"]);
        curl.args(["--write-out", "%{http_code} %{num_connects}\n", &three[0]]);
        for url in &three[1..] {
            curl.args(["--output", "/dev/null", url]);
        }
        assert_eq!(finish(&mut curl, SOON).text(), "200 1\n200 0\n200 0\n");
        server.ends_well(SOON);
    });
}

#[test]
fn what_is_under_way_is_finished_after_an_interrupt() {
    in_namespace("what_is_under_way_is_finished_after_an_interrupt", |ns| {
        tap(ns);
        let mut server = serve_shop(ns, &[]);
        let address: SocketAddr = format!("{}:80", V4.ours).parse().unwrap();
        // One that has said nothing, so that nothing is owed to it.
        let _idle = TcpStream::connect_timeout(&address, SOON).unwrap();
        let mut slow = TcpStream::connect_timeout(&address, SOON).unwrap();
        slow.set_read_timeout(Some(SOON)).unwrap();
        write!(slow, "GET /large HTTP/1.1\r\nHost: {NAME}\r\n\r\n").unwrap();
        let mut answer = vec![0; 1_000];
        slow.read_exact(&mut answer).unwrap();
        server.interrupt();
        server.wait_for_line("says that it ends", SOON, |line| line.contains("Finishing what was begun"));
        let refused = TcpStream::connect_timeout(&address, SOON).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "nobody new is let in: {refused}");
        slow.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(answer.len() - body, 1_000_000, "all of the page that was begun");
        assert_eq!(server.wait(SOON).code(), Some(0), "{}", server.said().join("\n"));
    });
}

#[test]
fn the_last_answer_arrives_whole_however_slowly_it_is_read() {
    in_namespace("the_last_answer_arrives_whole_however_slowly_it_is_read", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Less than what our TCP takes in at once, more than the kernel does.
        fs::write(folder.path().join("page"), body_of(450_000)).unwrap();
        let mut server = on_tap(ns, &["serve", "--https", "0", path(folder.path())]).spawn(READY);
        let address: SocketAddr = format!("{}:80", V4.ours).parse().unwrap();
        let mut slow = TcpStream::connect_timeout(&address, SOON).unwrap();
        slow.set_read_timeout(Some(SOON)).unwrap();
        write!(slow, "GET /page HTTP/1.1\r\nHost: {NAME}\r\n\r\n").unwrap();
        let mut answer = vec![0; 1_000];
        slow.read_exact(&mut answer).unwrap();
        server.interrupt();
        server.wait_for_line("says that it ends", SOON, |line| line.contains("Finishing what was begun"));
        slow.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert!(answer[body..] == body_of(450_000), "{} bytes of the page came", answer.len() - body);
        assert_eq!(server.wait(SOON).code(), Some(0), "{}", server.said().join("\n"));
    });
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    in_namespace("a_second_interrupt_ends_it_at_once", |ns| {
        tap(ns);
        let mut server = serve_shop(ns, &[]);
        let mut stuck =
            TcpStream::connect_timeout(&format!("{}:80", V4.ours).parse().unwrap(), SOON).unwrap();
        write!(stuck, "GET /large HTTP/1.1\r\nHost: {NAME}\r\n\r\n").unwrap();
        stuck.read_exact(&mut [0; 1_000]).unwrap();
        server.interrupt();
        server.wait_for_line("says that it ends", SOON, |line| line.contains("Finishing what was begun"));
        server.interrupt();
        // Less than the time that it gives to what is under way.
        server.wait(Duration::from_secs(5));
    });
}

#[test]
fn root_s_rights_are_given_up_while_serving() {
    in_namespace("root_s_rights_are_given_up_while_serving", |ns| {
        tap(ns);
        let server = serve_shop(ns, &[]);
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        for name in ["Uid:", "Gid:"] {
            assert!(field(name).iter().all(|id| id != "0"), "{name} {:?}", field(name));
        }
        assert_eq!(field("Groups:"), [""; 0]);
        for name in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(field(name), ["0000000000000000"], "{name}");
        }
        assert_eq!(field("NoNewPrivs:"), ["1"]);
        server.ends_well(SOON);
    });
}

#[test]
fn a_directory_that_only_root_may_read_is_refused_and_not_served_as_missing() {
    in_namespace("a_directory_that_only_root_may_read_is_refused_and_not_served_as_missing", |ns| {
        tap(ns);
        let private = tempfile::tempdir().unwrap();
        fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let refused = on_tap(ns, &["serve", "--https", "0", path(private.path())]).limit(SOON).run();
        assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains("can't be read without root's rights"), "{}", refused.stderr);
        assert!(refused.stderr.contains("try: chmod o+rx"), "{}", refused.stderr);
    });
}

#[test]
fn the_authority_s_key_is_its_owner_s_alone() {
    in_namespace("the_authority_s_key_is_its_owner_s_alone", |ns| {
        tap(ns);
        let site = Site::new();
        let server = site.serve(ns, &[]);
        let key = fs::metadata(site.authority.path().join("authority.key.pem")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        // Whoever was told of another authority is not to be fooled.
        let answer = Curl::new(ns).get(&format!("https://{}/1", V4.ours));
        assert_eq!(answer.exit, Some(60), "curl must not trust the lab by itself");
        server.ends_well(SOON);
    });
}

#[test]
fn our_client_and_our_server_meet_over_the_kernel_as_router() {
    in_namespace("our_client_and_our_server_meet_over_the_kernel_as_router", |ns| {
        tap(ns);
        ns.ip("tuntap add fw1 mode tap");
        ns.address("fw1", "198.51.100.1/24");
        ns.forward();
        let server = serve_shop(ns, &["--gateway", V4.kernel]);
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        let url = format!("http://{}/large", V4.ours);
        let here = ["--tap", "fw1", "--address", "198.51.100.10/24", "--gateway", "198.51.100.1"];
        Framewise::new(ns, &["fetch", "-q", &url, "-o", path(&page)]).arguments(&here).run().successful();
        assert_eq!(fs::metadata(&page).unwrap().len(), 1_000_000);
        until("the server has logged it", SOON, || {
            server.said().iter().any(|line| line == "198.51.100.10 http GET /large 200").then_some(())
        });
        server.ends_well(SOON);
    });
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
