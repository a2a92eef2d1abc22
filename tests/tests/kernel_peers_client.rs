//! `framewise fetch` and the servers of others: the whole table of schemes, versions of IP and forms of bodies.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise::core::MacAddr;
use framewise::device::Tap;
use framewise::tls::{Config, Crypto, Roots, TimeSource};
use framewise::{Fetch, HostConfig, HostId, Interface, Plug, Runner};
use framewise_tests::link::{TAP, V4, V6, as_host, tap};
use framewise_tests::matrix::{Form, OFFLOADS, Row, Scheme, check_all, gunzip, rows, same};
use framewise_tests::peers::{Apache, Framewise, Nginx, OpensslServer, Python, Tls, body_of};
use framewise_tests::{Authority, Namespace, in_namespace, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// One byte, one segment, and many windows.
const SIZES: [usize; 3] = [1, 1_460, 1_000_000];
/// Where peers listen in each scheme.
const PORTS: [(Scheme, u16); 3] = [(Scheme::Http, 80), (Scheme::Tls12, 443), (Scheme::Tls13, 8443)];

fn port(scheme: Scheme) -> u16 {
    PORTS.iter().find(|(known, _)| *known == scheme).unwrap().1
}

fn tls_of(scheme: Scheme) -> Option<Tls> {
    match scheme {
        Scheme::Http => None,
        Scheme::Tls12 => Some(Tls::V12),
        Scheme::Tls13 => Some(Tls::V13),
    }
}

/// Every address at which the kernel's side listens, with its scheme.
fn listens() -> impl Iterator<Item = (&'static str, u16, Option<Tls>)> {
    let at = |address| PORTS.map(|(scheme, port)| (address, port, tls_of(scheme)));
    [V4.kernel, V6.kernel].into_iter().flat_map(at)
}

/// An authority, a file with its certificate, and a place for the pages that come.
struct Desk {
    authority: Authority,
    trusted: PathBuf,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        Desk { trusted: authority.write_to(folder.path()), authority, folder }
    }

    fn identity(&self) -> framewise_tests::Identity {
        self.authority.issue(&[V4.kernel, V6.kernel])
    }

    /// Fetches a page with its head, over what the row says.
    fn fetch(&self, ns: &Namespace, row: &Row, url: &str) -> Result<(String, Vec<u8>), String> {
        let file = self.folder.path().join("page");
        let mut fetch = Framewise::new(ns, &["fetch", "--quiet", "--include", url, "--tap", TAP])
            .arguments(&["--address", row.addresses.ours_cidr, "--cacert", text(&self.trusted)])
            .arguments(&["--output", text(&file)])
            .arguments(row.offload);
        if let Some(version) = row.scheme.tls() {
            fetch = fetch.arguments(&["--tls", version]);
        }
        if row.form == Form::Gzip {
            fetch = fetch.arguments(&["--header", "Accept-Encoding: gzip"]);
        }
        let finished = fetch.limit(SOON).run();
        if !finished.status.success() {
            return Err(format!("{}: {}", finished.status, finished.stderr.trim()));
        }
        let answer = fs::read(&file).unwrap();
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").ok_or("a head without an end")?;
        Ok((String::from_utf8_lossy(&answer[..head]).into_owned(), answer[head + 4..].to_vec()))
    }

    /// Whether the row's page comes as it was sent, in the row's form. What is compressed stays so in our client.
    fn check(&self, ns: &Namespace, row: &Row) -> Result<(), String> {
        let (head, body) = self.fetch(ns, row, &row.url(row.addresses.kernel, port(row.scheme)))?;
        row.form.check(&head)?;
        if row.form != Form::Gzip {
            return same(&body, &body_of(row.size));
        }
        let file = self.folder.path().join("page.gz");
        fs::write(&file, body).unwrap();
        same(&gunzip(&file), &body_of(row.size))
    }
}

#[test]
fn nginx_and_we_understand_each_other_in_every_way() {
    in_namespace("nginx_and_we_understand_each_other_in_every_way", |ns| {
        tap(ns);
        let desk = Desk::new();
        let mut nginx = Nginx::new().identity(desk.identity());
        for (address, port, tls) in listens() {
            let address = format!("{}:{port}", as_host(address));
            nginx = match tls {
                None => nginx.http(&address),
                Some(tls) => nginx.https(&address, tls),
            };
        }
        let nginx = SIZES.iter().fold(nginx, |nginx, &size| nginx.page(&size.to_string(), &body_of(size)));
        let _nginx = nginx.start(ns);
        check_all(&rows(&Form::ALL, &SIZES), |row| desk.check(ns, row));
    });
}

#[test]
fn apache_and_we_understand_each_other_in_every_way() {
    in_namespace("apache_and_we_understand_each_other_in_every_way", |ns| {
        tap(ns);
        let desk = Desk::new();
        let apache = listens().fold(Apache::new(desk.identity()), |apache, (address, port, tls)| {
            apache.listen(&format!("{}:{port}", as_host(address)), tls)
        });
        let apache =
            SIZES.iter().fold(apache, |apache, &size| apache.page(&size.to_string(), &body_of(size)));
        let _apache = apache.start(ns);
        // It knows the length of every file; what it compresses goes in chunks, and a single byte it leaves alone.
        let rows = [rows(&[Form::Length], &SIZES), rows(&[Form::Gzip], &SIZES[1..])].concat();
        check_all(&rows, |row| desk.check(ns, row));
    });
}

#[test]
fn python_and_we_understand_each_other_in_every_way() {
    in_namespace("python_and_we_understand_each_other_in_every_way", |ns| {
        tap(ns);
        let desk = Desk::new();
        let pages = SIZES.map(|size| (size.to_string(), body_of(size)));
        let python = Python::new(&desk.identity(), &pages);
        let _python =
            listens().fold(python, |python, (address, port, tls)| python.listen(ns, address, port, tls));
        check_all(&rows(&Form::ALL, &SIZES), |row| desk.check(ns, row));
    });
}

#[test]
fn openssl_s_server_and_we_understand_each_other() {
    in_namespace("openssl_s_server_and_we_understand_each_other", |ns| {
        tap(ns);
        let desk = Desk::new();
        let body = body_of(100_000);
        let with_length = [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", &body[..]].concat();
        let (begin, end) =
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n", b"\r\n0\r\n\r\n");
        let in_chunks = [&begin[..], &body[..], &end[..]].concat();
        let pages: [(&str, &[u8]); 3] = [("bare", &body), ("length", &with_length), ("chunked", &in_chunks)];
        for offload in OFFLOADS {
            for (scheme, addresses) in
                [(Scheme::Tls12, V4), (Scheme::Tls12, V6), (Scheme::Tls13, V4), (Scheme::Tls13, V6)]
            {
                let at = format!("{}:443", as_host(addresses.kernel)).parse().unwrap();
                let row = Row { scheme, addresses, form: Form::Length, size: body.len(), offload };
                for (answers, page) in
                    [("-WWW", "bare"), ("-HTTP", "length"), ("-HTTP", "chunked"), ("-www", "")]
                {
                    let server = OpensslServer::start(
                        ns,
                        at,
                        tls_of(scheme).unwrap(),
                        answers,
                        &desk.identity(),
                        &pages,
                    );
                    let url = format!("https://{}/{page}", as_host(addresses.kernel));
                    let came = desk.fetch(ns, &row, &url).and_then(|(_, came)| match page {
                        // A page about the connection, by openssl itself.
                        "" => {
                            let said = String::from_utf8_lossy(&came).into_owned();
                            let version = format!("TLSv{}", scheme.tls().unwrap_or_default());
                            if said.contains(&version) && said.ends_with("</HTML>\r\n\r\n") {
                                Ok(())
                            } else {
                                Err(said)
                            }
                        }
                        _ => same(&came, &body),
                    });
                    came.unwrap_or_else(|why| {
                        panic!("{row}, {answers} {page}: {why}\n{}", server.complaints().join("\n"))
                    });
                }
            }
        }
    });
}

/// A host of ours on the TAP, by the library.
fn host_on_tap(trusted: &Path) -> (Runner, HostId) {
    let device = Tap::open(TAP).unwrap();
    device.bring_up().unwrap();
    device.wait_until_running(SOON).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut tls = Config::new(TimeSource::starting_at(now), Crypto::Real);
    tls.client.roots = vec![Roots::Pem(fs::read(trusted).unwrap())];
    let addresses = [V4, V6].map(|addresses| addresses.ours_cidr.parse().unwrap());
    let interface = Interface::new(MacAddr::new([0x02, 0, 0, 0, 0, 0x10]), addresses);
    let config = HostConfig::new("me", vec![interface], tls);
    let mut runner = Runner::real(framewise::entropy().unwrap()).unwrap();
    let stack = config.stack(&runner.randomness("host")).unwrap();
    let host = runner.add_host("me", stack, vec![Plug::Device(Box::new(device))]);
    (runner, host)
}

#[test]
fn a_thousand_requests_go_over_one_connection() {
    in_namespace("a_thousand_requests_go_over_one_connection", |ns| {
        tap(ns);
        let desk = Desk::new();
        let nginx = Nginx::new()
            .http(&format!("{}:80", V4.kernel))
            .https(&format!("{}:443", as_host(V6.kernel)), Tls::V13)
            .identity(desk.identity())
            .page("page", &body_of(1_460))
            .start(ns);
        let (mut runner, host) = host_on_tap(&desk.trusted);
        for url in [format!("http://{}/page", V4.kernel), format!("https://{}/page", as_host(V6.kernel))] {
            let mut ports = Vec::new();
            for number in 0..1_000 {
                let page = runner.host(host).fetch(Fetch::get(url.as_str()).max_time(SOON));
                let page = page.unwrap_or_else(|error| panic!("{url}, request {number}: {error}"));
                assert!(page.body == body_of(1_460), "{url}, request {number}: {} bytes", page.body.len());
                assert_eq!(page.reused, number > 0, "{url}, request {number}");
                ports.push(page.connection.local.port());
            }
            ports.dedup();
            assert_eq!(ports.len(), 1, "{url}: one connection, from one port");
        }
        until("nginx has logged them all", SOON, || (nginx.requests().len() == 2_000).then_some(()));
    });
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
