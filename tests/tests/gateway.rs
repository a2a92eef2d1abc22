//! The gateway without root: our client to servers that are not ours, and curl to our server, over loopback. Nothing here
//! leaves this computer.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise::gateway::{Outside, Setup};
use framewise::http::{Request, Response};
use framewise::tls::{Config, Crypto, TimeSource};
use framewise::{Fetch, FetchError};
use framewise_tests::peers::{Curl, Framewise, Nginx, Tls, body_of};
use framewise_tests::{
    Authority, Finished, Host, Place, Running, in_namespace, require_program, skip_because, skippable, until,
};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const LARGE: usize = 10_000_000;

/// Exit codes, as `framewise --help` tells them.
const USAGE: i32 = 2;
const NAME: i32 = 3;
const CONNECTION: i32 = 4;
const TLS: i32 = 5;
const HTTP: i32 = 6;
const TIME: i32 = 7;

fn framewise(arguments: &[&str]) -> Framewise {
    Framewise::new(&Host, arguments).limit(SOON)
}

/// A fetch of which only the page is wanted.
fn fetch(url: &str, arguments: &[&str]) -> Finished {
    framewise(&["fetch", "--quiet", url]).arguments(arguments).run()
}

#[track_caller]
fn assert_refused(finished: &Finished, code: i32, words: &[&str]) {
    let said = &finished.stderr;
    assert_eq!(finished.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert_eq!(finished.text(), "", "nothing that could be taken for a page");
}

/// A port that was free a moment ago.
fn free_port(address: &str) -> u16 {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}

/// Python's own server, for a folder.
fn python(address: &str, folder: &std::path::Path) -> (Running, u16) {
    let port = free_port(address);
    let mut command = Host.command("python3");
    command
        .args(["-u", "-m", "http.server", &port.to_string(), "--bind", address, "--directory"])
        .arg(folder);
    let running = Running::start(&mut command);
    until("python listens", SOON, || TcpStream::connect((address, port)).ok());
    (running, port)
}

/// A server of the test's own: whoever connects is given to `serve`, one after the other.
fn listener(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(serve));
    port
}

/// Reads the head of a request, and gives its `Content-Length`.
fn read_head(stream: &mut TcpStream) -> usize {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.unwrap_or(0)
}

#[test]
fn a_page_of_pythons_server_comes_and_the_walk_says_where_our_frames_end() {
    skippable("a_page_of_pythons_server_comes_and_the_walk_says_where_our_frames_end", || {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page"), "by another's hand").unwrap();
        let (_python, port) = python("127.0.0.1", folder.path());
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{port}/page");
            let fetched = framewise(&["fetch", &url]).run().successful();
            assert_eq!(fetched.text(), "by another's hand");
            assert!(fetched.stderr.contains("Our frames end at the gateway"), "{}", fetched.stderr);
            assert!(
                fetched.stderr.contains(&format!("127.0.0.1:{port}: the same bytes")),
                "{}",
                fetched.stderr
            );
        }
    });
}

#[test]
fn over_ipv6_too() {
    skippable("over_ipv6_too", || {
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            skip_because("this computer has no IPv6");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page"), "by IPv6").unwrap();
        let (_python, port) = python("::1", folder.path());
        let fetched = fetch(&format!("http://[::1]:{port}/page"), &[]).successful();
        assert_eq!(fetched.text(), "by IPv6");
        // 127.0.0.1 is tried first, and nobody is there.
        let fetched = fetch(&format!("http://localhost:{port}/page"), &[]).successful();
        assert_eq!(fetched.text(), "by IPv6");
    });
}

#[test]
fn ten_megabytes_are_the_same_bytes_in_clear_and_in_tls() {
    skippable("ten_megabytes_are_the_same_bytes_in_clear_and_in_tls", || {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let trusted = authority.write_to(folder.path());
        let [plain, secure] = [0, 0].map(|_| format!("127.0.0.1:{}", free_port("127.0.0.1")));
        let _nginx = Nginx::new()
            .http(&plain)
            .https(&secure, Tls::Any)
            .identity(authority.issue(&["127.0.0.1", "secure.example"]))
            .page("large", &body_of(LARGE))
            .start(&Host);
        let trusting = ["--cacert", trusted.to_str().unwrap()];
        let port = secure.rsplit(':').next().unwrap();
        let resolve = format!("secure.example:{port}:127.0.0.1");
        for (url, options) in [
            (format!("http://{plain}/large"), &[][..]),
            (format!("https://{secure}/large"), &trusting[..]),
            (format!("https://{secure}/large"), &[&trusting[..], &["--tls", "1.2"]].concat()[..]),
            (
                format!("https://secure.example:{port}/large"),
                &[&trusting[..], &["--resolve", &resolve]].concat()[..],
            ),
            (format!("http://{plain}/large"), &["--loss", "2"][..]),
        ] {
            let fetched = fetch(&url, options).successful();
            assert!(fetched.stdout == body_of(LARGE), "{url}: the page is another");
        }
        // Whom nobody vouches for is refused, here as elsewhere.
        let refused =
            fetch(&format!("https://{secure}/large"), &["--cacert", other_authority(folder.path()).as_str()]);
        assert_refused(&refused, TLS, &["127.0.0.1"]);
    });
}

fn other_authority(folder: &std::path::Path) -> String {
    let folder = folder.join("other");
    fs::create_dir(&folder).unwrap();
    Authority::new().write_to(&folder).to_str().unwrap().to_owned()
}

#[test]
fn openssl_sees_nothing_but_our_own_tls() {
    skippable("openssl_sees_nothing_but_our_own_tls", || {
        let authority = Authority::new();
        let identity = authority.issue(&["127.0.0.1"]);
        let folder = tempfile::tempdir().unwrap();
        let trusted = authority.write_to(folder.path());
        fs::write(folder.path().join("cert"), identity.certificate).unwrap();
        fs::write(folder.path().join("key"), identity.key).unwrap();
        let port = free_port("127.0.0.1");
        let mut openssl = Host.command("openssl");
        openssl
            .current_dir(folder.path())
            .args(["s_server", "-www", "-cert", "cert", "-key", "key", "-accept"]);
        let _openssl = Running::start(openssl.arg(format!("127.0.0.1:{port}")));
        until("openssl listens", SOON, || TcpStream::connect(("127.0.0.1", port)).ok());
        let url = format!("https://127.0.0.1:{port}/");
        let fetched = framewise(&["fetch", &url, "--cacert", trusted.to_str().unwrap()]).run().successful();
        // Its page tells of the session: one that rustls, not another's library, has agreed on.
        assert!(fetched.text().contains("TLSv1.3"), "{}", fetched.text());
        assert!(fetched.stderr.contains("only ciphertext"), "{}", fetched.stderr);
    });
}

#[test]
fn a_redirect_to_other_words_for_this_computer_leads_there() {
    for host in ["localhost", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        let port = listener(move |mut stream| {
            let mut head = [0; 4_096];
            let length = stream.read(&mut head).unwrap();
            let is_first = head[..length].starts_with(b"GET /first ");
            let port = stream.local_addr().unwrap().port();
            let answer = match is_first {
                true => format!("302 Found\r\nLocation: http://{host}:{port}/second"),
                false => "200 OK".to_owned(),
            };
            let length = "Content-Length: 4\r\nConnection: close";
            let _ = write!(stream, "HTTP/1.1 {answer}\r\n{length}\r\n\r\npage");
        });
        let url = format!("http://127.0.0.1:{port}/first");
        let fetched = fetch(&url, &["-L", "--max-time", "20"]).successful();
        assert_eq!(fetched.text(), "page", "{host}");
    }
}

#[test]
fn uploads_arrive_as_they_were() {
    skippable("uploads_arrive_as_they_were", || {
        // Sends every body back.
        let port = listener(|mut stream| {
            let mut body = vec![0; read_head(&mut stream)];
            stream.read_exact(&mut body).unwrap();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("upload");
        fs::write(&file, body_of(LARGE)).unwrap();
        let data = format!("@{}", file.display());
        let echoed = fetch(&format!("http://127.0.0.1:{port}/"), &["--data", &data]).successful();
        assert!(echoed.stdout == body_of(LARGE), "what comes back is another");
    });
}

/// A server that answers, and leaves with most of the upload unread: its kernel sends RST right behind the answer.
#[test]
fn an_answer_with_a_reset_behind_it_arrives_whole() {
    skippable("an_answer_with_a_reset_behind_it_arrives_whole", || {
        const ANSWER: usize = 30_000;
        let port = listener(|mut stream| {
            assert!(read_head(&mut stream) > 0, "an upload");
            let head = format!("HTTP/1.1 413 Content Too Large\r\nContent-Length: {ANSWER}\r\n\r\n");
            // All at once: what a kernel still keeps back when a connection is reset, it throws away.
            stream.set_nodelay(true).unwrap();
            stream.write_all(&[head.as_bytes(), &[b'x'; ANSWER]].concat()).unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("upload");
        fs::write(&file, vec![7; LARGE]).unwrap();
        for _ in 0..5 {
            let fetched = fetch(&format!("http://127.0.0.1:{port}/"), &["-T", file.to_str().unwrap()]);
            assert_eq!(fetched.text().len(), ANSWER, "{}", fetched.stderr);
        }
    });
}

#[test]
fn a_refusal_is_told_in_the_systems_words() {
    skippable("a_refusal_is_told_in_the_systems_words", || {
        let port = free_port("127.0.0.1");
        let refused = fetch(&format!("http://127.0.0.1:{port}/"), &[]);
        let at = format!("127.0.0.1:{port}");
        assert_refused(
            &refused,
            CONNECTION,
            &[&at, "nobody listens on that port", "Connection refused", "try:"],
        );
    });
}

#[test]
fn a_name_that_the_resolver_does_not_find_is_told_so() {
    // Without a network the resolver can ask nobody.
    in_namespace("a_name_that_the_resolver_does_not_find_is_told_so", |ns| {
        let url = "http://nobody.invalid/";
        let refused = Framewise::new(ns, &["fetch", "--quiet", url]).limit(SOON).run();
        assert_refused(&refused, NAME, &["nobody.invalid", "the operating system says", "try:"]);
        // Nor is there a way to anywhere.
        let refused = Framewise::new(ns, &["fetch", "--quiet", "http://198.18.0.1/"]).limit(SOON).run();
        assert_refused(&refused, CONNECTION, &["198.18.0.1:80", "no way to the network", "unreachable"]);
    });
}

#[test]
fn the_systems_own_list_of_hosts_counts() {
    skippable("the_systems_own_list_of_hosts_counts", || {
        let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
        let of_this_computer = |line: &&str| line.starts_with("127.0.0.1") && !line.starts_with('#');
        let names = hosts.lines().filter(of_this_computer).flat_map(|line| line.split_whitespace().skip(1));
        let Some(name) = names.into_iter().find(|name| !name.contains("localhost")) else {
            skip_because("/etc/hosts has no name for 127.0.0.1 but localhost");
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page"), "by its name").unwrap();
        let (_python, port) = python("127.0.0.1", folder.path());
        let fetched = fetch(&format!("http://{name}:{port}/page"), &[]).successful();
        assert_eq!(fetched.text(), "by its name");
    });
}

#[test]
fn servers_that_do_not_answer_or_stop_half_way() {
    skippable("servers_that_do_not_answer_or_stop_half_way", || {
        // The kernel connects, and nobody takes the connection.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        assert_refused(&fetch(&url, &["--max-time", "0.5"]), TIME, &["not complete within 500ms"]);

        let early = listener(|mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ntoo early");
        });
        let cut = fetch(&format!("http://127.0.0.1:{early}/"), &["-o", "/dev/null"]);
        assert_refused(&cut, HTTP, &[]);

        // What was not read makes the kernel reset the connection.
        let rude = listener(|mut stream| drop(stream.read_exact(&mut [0; 4])));
        let reset = fetch(&format!("http://127.0.0.1:{rude}/"), &[]);
        assert!(matches!(reset.status.code(), Some(CONNECTION | HTTP)), "{}", reset.stderr);
    });
}

#[test]
fn options_that_would_mean_nothing_are_refused() {
    skippable("options_that_would_mean_nothing_are_refused", || {
        for (url, options, word) in [
            ("http://127.0.0.1:1/", &["--seed", "7"][..], "--seed"),
            ("http://127.0.0.1:1/", &["--flip", "3"][..], "--flip"),
            ("https://shop.test/", &["--cacert", "Cargo.toml"][..], "--cacert"),
            ("http://shop.test/", &["--resolve", "shop.test:80:127.0.0.1"][..], "--resolve"),
        ] {
            assert_refused(&fetch(url, options), USAGE, &[word, "try:"]);
        }
        // Asked for, even a name of the world in memory is looked for outside.
        let port = free_port("127.0.0.1");
        let resolve = format!("shop.test:{port}:127.0.0.1");
        let url = format!("http://shop.test:{port}/");
        let refused = fetch(&url, &["--outside", "--resolve", &resolve]);
        assert_refused(&refused, CONNECTION, &["Connection refused"]);
    });
}

/// TLS that is neither served nor asked for.
fn no_tls() -> Config {
    Config::new(TimeSource::starting_at(framewise::world::EPOCH), Crypto::Real)
}

fn behind_a_gateway() -> Outside {
    Setup::new("me", no_tls()).build(framewise::entropy().unwrap()).unwrap()
}

#[test]
fn two_hundred_fetches_at_once() {
    skippable("two_hundred_fetches_at_once", || {
        let address = format!("127.0.0.1:{}", free_port("127.0.0.1"));
        let _nginx = Nginx::new().http(&address).page("page", &body_of(20_000)).start(&Host);
        let mut outside = behind_a_gateway();
        let mut me = outside.runner.host(outside.host);
        let url = format!("http://{address}/page");
        let begun: Vec<_> = (0..200).map(|_| me.start(Fetch::get(&url)).unwrap()).collect();
        for fetch in begun {
            assert!(me.finish(fetch).unwrap().body == body_of(20_000), "the page is another");
        }
    });
}

#[test]
fn a_server_that_is_gone_is_noticed_while_others_go_on() {
    skippable("a_server_that_is_gone_is_noticed_while_others_go_on", || {
        let mut outside = behind_a_gateway();
        let gone = free_port("127.0.0.1");
        let here = listener(|mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        });
        let mut me = outside.runner.host(outside.host);
        let refused = me.start(Fetch::get(format!("http://127.0.0.1:{gone}/"))).unwrap();
        let fetched = me.start(Fetch::get(format!("http://127.0.0.1:{here}/"))).unwrap();
        assert_eq!(me.finish(fetched).unwrap().text(), "ok");
        assert!(matches!(me.finish(refused), Err(FetchError::Connect { .. })));
        let complaints = outside.complaints();
        assert!(complaints.iter().any(|said| said.contains(&format!("127.0.0.1:{gone}"))), "{complaints:?}");
    });
}

/// Our server with two ways in, and their addresses.
struct Serving {
    running: Running,
    http: String,
    https: String,
    folder: tempfile::TempDir,
}

impl Serving {
    fn start(pages: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        for (name, body) in pages {
            fs::write(site.join(name), body).unwrap();
        }
        let serve = ["serve", "site", "--quiet", "--ca-dir", "ca"];
        let forwards = ["--forward", "127.0.0.1:0", "--forward", "127.0.0.1:0=443"];
        let running = framewise(&serve).arguments(&forwards).within(folder.path()).spawn("Ctrl-C ends it.");
        let said = running.said().join(" ");
        let url = |scheme: &str| said.split(' ').find(|word| word.starts_with(scheme)).unwrap().to_owned();
        Serving { http: url("http://"), https: url("https://"), running, folder }
    }

    fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("ca/authority.pem")
    }

    /// Bytes of memory that it had at the most.
    fn peak_memory(&self) -> usize {
        // The command is started through `env`, which becomes it.
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }
}

#[test]
fn a_server_says_what_it_dropped_when_asked() {
    skippable("a_server_says_what_it_dropped_when_asked", || {
        let mut serving = Serving::start(&[("page", b"page".to_vec())]);
        let address = serving.http.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET /page HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{}", answer.escape_ascii());

        serving.running.ask();
        let told = |line: &str| line.contains("http") && line.contains("host missing");
        let line = serving.running.wait_for_line("it says what it dropped", SOON, told);
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words, ["server", "http", "host", "missing", "1"]);
        serving.running.ends_well(SOON);
    });
}

#[test]
fn curl_gets_pages_from_our_stack() {
    skippable("curl_gets_pages_from_our_stack", || {
        require_program("curl");
        let serving = Serving::start(&[("page", b"from our stack".to_vec()), ("large", body_of(LARGE))]);
        let port: u16 = serving.https.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
        let named = format!("https://shop.test:{port}/");
        for base in [&serving.http, &serving.https, &named] {
            let curl = || {
                let resolve = format!("shop.test:{port}:127.0.0.1");
                Curl::new(&Host).trusting(&serving.authority()).resolve(&resolve)
            };
            let page = curl().get(&format!("{base}page"));
            assert_eq!(
                (page.exit, page.status, &page.body[..]),
                (Some(0), 200, &b"from our stack"[..]),
                "{base}"
            );
            let large = curl().get(&format!("{base}large"));
            assert!(large.body == body_of(LARGE), "{base}: {}", large.complaint);
            assert_eq!(curl().get(&format!("{base}missing")).status, 404);
        }
        // A page whose own name suddenly means 127.0.0.1 is none of ours.
        let rebound = Curl::new(&Host).options(&["--header", "Host: evil.example"]).get(&serving.http);
        assert_eq!(rebound.status, 421);
        // curl believes nobody else.
        let doubted = Curl::new(&Host).get(&serving.https);
        assert_eq!(doubted.exit, Some(60), "{}", doubted.complaint);
        serving.running.interrupt();
    });
}

#[test]
fn fifty_connections_at_once_are_all_answered() {
    skippable("fifty_connections_at_once_are_all_answered", || {
        let serving = Serving::start(&[("page", body_of(100_000))]);
        let (http, https) = (serving.http.clone(), serving.https.clone());
        let authority = serving.authority();
        thread::scope(|scope| {
            for index in 0..50 {
                let (base, authority) = (if index % 2 == 0 { &http } else { &https }, &authority);
                scope.spawn(move || {
                    let answer = Curl::new(&Host).trusting(authority).get(&format!("{base}page"));
                    assert!(answer.body == body_of(100_000), "{:?} {}", answer.exit, answer.complaint);
                });
            }
        });
    });
}

#[test]
fn a_reader_that_does_not_read_costs_no_memory() {
    skippable("a_reader_that_does_not_read_costs_no_memory", || {
        let serving = Serving::start(&[("index.html", b"page".to_vec())]);
        let huge = fs::File::create(serving.folder.path().join("site/huge")).unwrap();
        huge.set_len(1 << 30).unwrap();
        let address: SocketAddr =
            serving.http.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let mut idle = TcpStream::connect(address).unwrap();
        idle.write_all(b"GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut reader = TcpStream::connect(address).unwrap();
        reader.write_all(b"GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        // One does not read at all, while the other takes many times what all buffers together hold.
        let mut taken = 0;
        let mut room = vec![0; 1 << 20];
        while taken < 64 << 20 {
            taken += reader.read(&mut room).unwrap();
        }
        let peak = serving.peak_memory();
        assert!(peak < 64 << 20, "{} MiB of memory", peak >> 20);
        // Whoever goes away half way is nobody's trouble.
        drop((idle, reader));
        assert_eq!(Curl::new(&Host).get(&serving.http).status, 200);
    });
}

#[test]
fn a_slow_reader_of_ours_slows_the_server_down() {
    skippable("a_slow_reader_of_ours_slows_the_server_down", || {
        // Counts what it could send before it had to wait for more than a moment.
        let (count, counted) = std::sync::mpsc::channel();
        let port = listener(move |mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut sent = 0;
            while let Ok(written @ 1..) = stream.write(&[0; 65_536]) {
                sent += written;
            }
            let _ = count.send(sent);
        });
        let mut outside = behind_a_gateway();
        let url = format!("http://127.0.0.1:{port}/");
        let fetch = outside.runner.host(outside.host).start(Fetch::get(url).max_body(1 << 40)).unwrap();
        // It runs until the connection is there, and then not at all.
        outside.runner.run_for(Duration::from_millis(50)).unwrap();
        let sent = counted.recv_timeout(SOON).unwrap();
        assert!(sent < 128 << 20, "{} MiB were taken from it", sent >> 20);
        outside.runner.host(outside.host).cancel(fetch);
    });
}

#[test]
fn the_library_serves_whoever_comes_to_a_listener() {
    skippable("the_library_serves_whoever_comes_to_a_listener", || {
        let mut setup = Setup::new("server", no_tls());
        let address = setup.forward(TcpListener::bind("127.0.0.1:0").unwrap(), 80).unwrap();
        let mut outside = setup.build(framewise::entropy().unwrap()).unwrap();
        let handler = |request: Request| {
            Response::text(format!("{} for {}", request.path(), request.connection.remote.ip()))
        };
        outside.runner.host(outside.host).return_page(80, handler).unwrap();
        let waker = outside.runner.waker();
        let client = thread::spawn(move || {
            let answer = Curl::new(&Host).get(&format!("http://{address}/hello"));
            waker.wake();
            answer
        });
        outside.runner.run_until(|_| client.is_finished()).unwrap();
        // Whose connection it is, a gateway does not tell.
        assert_eq!(client.join().unwrap().body, b"/hello for 192.0.2.1");
    });
}

#[test]
fn the_gateway_can_be_tried_without_anybody_else() {
    framewise::gateway::check(framewise::entropy().unwrap()).unwrap();
}

#[test]
fn a_taken_address_is_told_before_anything_is_served() {
    skippable("a_taken_address_is_told_before_anything_is_served", || {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = taken.local_addr().unwrap().to_string();
        let refused = framewise(&["serve", "--https", "0", "--forward", &at]).run();
        assert_refused(&refused, CONNECTION, &[&at, "in use", "try:"]);
        let nowhere = framewise(&["serve", "--https", "0", "--forward", "127.0.0.1:0=8081"]).run();
        assert_refused(&nowhere, USAGE, &["nothing is served on port 8081", "try:"]);
    });
}
