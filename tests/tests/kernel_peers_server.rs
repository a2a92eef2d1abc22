//! `framewise serve` and the clients of others: the whole table for curl and wget, load from ab and wrk, and who looks at
//! the connection itself.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, as_host, on_tap, tap};
use framewise_tests::matrix::{Form, OFFLOADS, Row, Scheme, check_all, compress, gunzip, rows, same};
use framewise_tests::peers::{Curl, body_of, ping};
use framewise_tests::{Namespace, Place, Running, finish, in_namespace};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(90);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// One byte, one segment, and many windows.
const SIZES: [usize; 3] = [1, 1_460, 1_000_000];
/// Bytes of the built-in site's `/large?chunked`.
const LARGE: usize = 1_000_000;

/// A directory with pages as they are and compressed, and the authority of the server's certificates.
struct Site {
    pages: TempDir,
    authority: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Site { pages: tempfile::tempdir().unwrap(), authority: tempfile::tempdir().unwrap() };
        // The server reads the pages when it is root no more.
        fs::set_permissions(site.pages.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for form in [Form::Length, Form::Gzip] {
            let folder = site.pages.path().join(form.folder());
            fs::create_dir(&folder).unwrap();
            for size in SIZES {
                let page = folder.join(size.to_string());
                fs::write(&page, body_of(size)).unwrap();
                if form == Form::Gzip {
                    compress(&page);
                }
            }
        }
        site
    }

    /// Serves the directory on the TAP.
    fn serve(&self, ns: &Namespace, arguments: &[&str]) -> Running {
        self.start(ns, &[&["serve", text(self.pages.path())], arguments].concat())
    }

    /// Serves the built-in site on the TAP.
    fn serve_shop(&self, ns: &Namespace, arguments: &[&str]) -> Running {
        self.start(ns, &[&["serve"], arguments].concat())
    }

    fn start(&self, ns: &Namespace, arguments: &[&str]) -> Running {
        on_tap(ns, arguments).arguments(&["--quiet", "--ca-dir", text(self.authority.path())]).spawn(READY)
    }

    /// What clients must trust.
    fn trusted(&self) -> PathBuf {
        self.authority.path().join("authority.pem")
    }
}

fn url(row: &Row) -> String {
    row.url(row.addresses.ours, if row.scheme == Scheme::Http { 80 } else { 443 })
}

#[test]
fn curl_and_we_understand_each_other_in_every_way() {
    in_namespace("curl_and_we_understand_each_other_in_every_way", |ns| {
        tap(ns);
        let site = Site::new();
        let folder = tempfile::tempdir().unwrap();
        let get = |row: &Row, url: &str| {
            let mut curl = Curl::new(ns).trusting(&site.trusted());
            if let Some(version) = row.scheme.tls() {
                curl = curl.options(&[&format!("--tlsv{version}"), "--tls-max", version]);
            }
            if row.form == Form::Gzip {
                curl = curl.options(&["--header", "Accept-Encoding: gzip"]);
            }
            let answer = curl.get(url);
            match (answer.exit, answer.status) {
                (Some(0), 200) => row.form.check(&answer.head).map(|()| answer.body),
                (exit, status) => Err(format!("exit {exit:?}, status {status}: {}", answer.complaint)),
            }
        };
        for offload in OFFLOADS {
            let of_it = |rows: Vec<Row>| -> Vec<Row> {
                rows.into_iter().filter(|row| row.offload == offload).collect()
            };
            let server = site.serve(ns, offload);
            check_all(&of_it(rows(&[Form::Length, Form::Gzip], &SIZES)), |row| {
                let body = get(row, &url(row))?;
                if row.form == Form::Length {
                    return same(&body, &body_of(row.size));
                }
                let file = folder.path().join("page.gz");
                fs::write(&file, body).unwrap();
                same(&gunzip(&file), &body_of(row.size))
            });
            server.ends_well(SOON);
            let server = site.serve_shop(ns, offload);
            let large = Curl::new(ns).get(&format!("http://{}/large", V4.ours)).body;
            assert_eq!(large.len(), LARGE);
            check_all(&of_it(rows(&[Form::Chunked], &[LARGE])), |row| {
                let (scheme, host) = (row.scheme.name(), as_host(row.addresses.ours));
                same(&get(row, &format!("{scheme}://{host}/large?chunked"))?, &large)
            });
            server.ends_well(SOON);
        }
    });
}

#[test]
fn wget_and_we_understand_each_other_in_every_way() {
    in_namespace("wget_and_we_understand_each_other_in_every_way", |ns| {
        tap(ns);
        let site = Site::new();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page");
        for offload in OFFLOADS {
            let server = site.serve(ns, offload);
            let rows: Vec<_> = rows(&[Form::Length, Form::Gzip], &SIZES)
                .into_iter()
                .filter(|r| r.offload == offload)
                .collect();
            check_all(&rows, |row| {
                let mut wget = ns.command("wget");
                wget.args(["--no-config", "--no-proxy", "--tries=1", "--timeout=20", "--no-verbose"]);
                wget.arg(format!("--ca-certificate={}", text(&site.trusted())));
                match row.scheme {
                    Scheme::Http => &mut wget,
                    Scheme::Tls12 => wget.arg("--secure-protocol=TLSv1_2"),
                    Scheme::Tls13 => wget.arg("--secure-protocol=TLSv1_3"),
                };
                if row.form == Form::Gzip {
                    wget.arg("--compression=gzip");
                }
                let finished = finish(wget.arg("-O").arg(&file).arg(url(row)), SOON);
                if !finished.status.success() {
                    return Err(finished.stderr);
                }
                same(&fs::read(&file).unwrap(), &body_of(row.size))
            });
            server.ends_well(SOON);
        }
    });
}

#[test]
fn openssl_s_client_sees_the_versions_and_the_certificate() {
    in_namespace("openssl_s_client_sees_the_versions_and_the_certificate", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve_shop(ns, offload);
            let script =
                r#"printf "GET /items/1 HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n" | "$@""#;
            for (addresses, version) in [(V4, "1_2"), (V4, "1_3"), (V6, "1_2"), (V6, "1_3")] {
                let mut client = ns.command("sh");
                client.args(["-c", script, "sh"]).arg("openssl");
                client.args([
                    "s_client",
                    "-connect",
                    &format!("{}:443", as_host(addresses.ours)),
                    "-ign_eof",
                ]);
                client.args([
                    &format!("-tls{version}"),
                    "-servername",
                    "shop.test",
                    "-verify_hostname",
                    "shop.test",
                ]);
                client.args(["-verify_return_error", "-CAfile", text(&site.trusted())]);
                let said = finish(&mut client, SOON).successful().text();
                let version = version.replace('_', ".");
                for part in [
                    "Verify return code: 0 (ok)",
                    &format!("New, TLSv{version}, Cipher is "),
                    "HTTP/1.1 200 OK",
                    "A packet of tea",
                ] {
                    assert!(
                        said.contains(part),
                        "TLS {version} to {}: no {part:?} in: {said}",
                        addresses.ours
                    );
                }
            }
            // What is older is refused, by an alert.
            let old = format!(
                "openssl s_client -connect {}:443 -tls1_1 -cipher ALL@SECLEVEL=0 < /dev/null",
                V4.ours
            );
            let refused = finish(ns.command("sh").args(["-c", &old]), SOON);
            assert!(!refused.status.success(), "{}", refused.text());
            assert!(refused.stderr.contains("SSL alert number"), "{}", refused.stderr);
            server.ends_well(SOON);
        }
    });
}

#[test]
fn a_thousand_requests_come_over_one_connection() {
    in_namespace("a_thousand_requests_come_over_one_connection", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve(ns, offload);
            for origin in [format!("http://{}", V4.ours), format!("https://{}", as_host(V6.ours))] {
                let mut curl = ns.command("curl");
                curl.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "80"]);
                curl.arg("--cacert").arg(site.trusted());
                curl.args([
                    "--write-out",
                    "%{http_code} %{num_connects} %{size_download}\n",
                    "--output",
                    "/dev/null",
                ]);
                let finished = finish(curl.arg(format!("{origin}/length/1460?[1-1000]")), LONG);
                let answers = finished.text();
                let mut answers = answers.lines();
                assert_eq!(answers.next(), Some("200 1 1460"), "{origin}: {}", finished.stderr);
                let reused = answers.by_ref().take_while(|line| *line == "200 0 1460").count();
                assert_eq!(reused, 999, "{origin}: {}", finished.stderr);
            }
            // And by HTTP/1.0, which must ask to keep a connection.
            let report = ab(ns, &["-k", "-n", "1000", "-c", "1", &format!("http://{}/length/1460", V4.ours)]);
            assert_eq!(
                (field(&report, "Failed requests"), field(&report, "Keep-Alive requests")),
                (0, 1_000),
                "{report}"
            );
            server.ends_well(SOON);
        }
    });
}

/// A program that may have some thousand files open at a time.
fn with_many_files(place: &impl Place, program: &str) -> Command {
    let mut command = place.command("sh");
    command.args(["-c", r#"ulimit -n 8192; exec "$@""#, "sh", program]);
    command
}

#[track_caller]
fn ab(ns: &Namespace, arguments: &[&str]) -> String {
    drop(ns.command("ab"));
    finish(with_many_files(ns, "ab").arg("-q").args(["-s", "60"]).args(arguments), LONG).successful().text()
}

/// The number behind a name in a report of ab's.
#[track_caller]
fn field(report: &str, name: &str) -> u64 {
    let line = report.lines().find_map(|line| line.strip_prefix(name));
    let number =
        line.and_then(|rest| rest.trim_start_matches([':', ' ']).split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {name:?} in: {report}"))
}

#[test]
fn ab_with_a_thousand_connections_at_once_sees_no_failure() {
    in_namespace("ab_with_a_thousand_connections_at_once_sees_no_failure", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve(ns, offload);
            for (host, keep) in [(V4.ours, "-k"), (V6.ours, "-q")] {
                let url = format!("http://{}/length/1460", as_host(host));
                let report = ab(ns, &[keep, "-n", "5000", "-c", "1000", &url]);
                assert_eq!(
                    (field(&report, "Complete requests"), field(&report, "Failed requests")),
                    (5_000, 0),
                    "{report}"
                );
            }
            let url = format!("https://{}/length/1460", V4.ours);
            let report = ab(ns, &["-n", "500", "-c", "100", "-f", "TLS1.3", &url]);
            assert_eq!(
                (field(&report, "Complete requests"), field(&report, "Failed requests")),
                (500, 0),
                "{report}"
            );
            server.ends_well(SOON);
        }
    });
}

#[test]
fn wrk_sees_no_socket_error_and_no_other_status() {
    in_namespace("wrk_sees_no_socket_error_and_no_other_status", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve(ns, offload);
            drop(ns.command("wrk"));
            for (origin, connections) in [
                (format!("http://{}", V4.ours), "1000"),
                (format!("http://{}", as_host(V6.ours)), "64"),
                (format!("https://{}", V4.ours), "64"),
            ] {
                let mut wrk = with_many_files(ns, "wrk");
                wrk.args(["-t", "2", "-d", "2s", "--timeout", "30s", "-c", connections]);
                let report = finish(wrk.arg(format!("{origin}/length/1460")), LONG).successful().text();
                assert!(!report.contains("Socket errors"), "{origin}: {report}");
                assert!(!report.contains("Non-2xx"), "{origin}: {report}");
                let requests = report.lines().find_map(|line| line.trim().split_once(" requests in "));
                let requests: u64 = requests.and_then(|(count, _)| count.parse().ok()).unwrap_or(0);
                assert!(requests > 100, "{origin}: {report}");
            }
            server.ends_well(SOON);
        }
    });
}

#[test]
fn a_thousand_connections_at_once_are_all_accepted_and_none_is_reset() {
    in_namespace("a_thousand_connections_at_once_are_all_accepted_and_none_is_reset", |ns| {
        tap(ns);
        let limit = rustix::process::Rlimit { current: Some(4_096), maximum: Some(4_096) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve_shop(ns, offload);
            let address: SocketAddr = format!("{}:80", V4.ours).parse().unwrap();
            // All are open before the first says anything.
            let mut open: Vec<_> =
                (0..1_000).map(|_| TcpStream::connect_timeout(&address, SOON).unwrap()).collect();
            for (number, stream) in open.iter_mut().enumerate() {
                stream.set_read_timeout(Some(SOON)).unwrap();
                write!(stream, "GET /echo?{number} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
                    .unwrap();
            }
            for (number, stream) in open.iter_mut().enumerate() {
                let mut answer = String::new();
                stream
                    .read_to_string(&mut answer)
                    .unwrap_or_else(|error| panic!("connection {number}: {error}"));
                let own = format!("GET /echo?{number} HTTP/1.1");
                assert!(
                    answer.starts_with("HTTP/1.1 200 ") && answer.contains(&own),
                    "connection {number}: {answer}"
                );
            }
            drop(open);
            server.ends_well(SOON);
        }
    });
}

#[test]
fn nmap_finds_the_open_ports_and_no_other() {
    in_namespace("nmap_finds_the_open_ports_and_no_other", |ns| {
        tap(ns);
        let site = Site::new();
        for offload in OFFLOADS {
            let server = site.serve_shop(ns, offload);
            for (addresses, version) in [(V4, "-4"), (V6, "-6")] {
                // By complete connections, as a user without rights scans: each is opened and reset.
                let mut nmap = ns.command("nmap");
                nmap.args(["-sT", "-Pn", "-n", "-p", "1-1000", "--reason", "-T4"]);
                if version == "-6" {
                    nmap.arg(version);
                }
                let report = finish(nmap.arg(addresses.ours), LONG).successful().text();
                let open: Vec<_> = report.lines().filter(|line| line.contains("/tcp")).collect();
                assert!(
                    matches!(open[..], [http, https] if http.starts_with("80/tcp  open") && https.starts_with("443/tcp open")),
                    "{report}"
                );
                // The others say so, by a reset: none is silent.
                assert!(report.contains("998 closed tcp ports (conn-refused)"), "{report}");
                let report = ping(ns, addresses.ours.parse().unwrap(), 3, 56);
                assert_eq!((report.sent, report.received), (3, 3), "{}", report.output);
            }
            assert_eq!(Curl::new(ns).get(&format!("http://{}/", V4.ours)).status, 200, "after the scan");
            server.ends_well(SOON);
        }
    });
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
