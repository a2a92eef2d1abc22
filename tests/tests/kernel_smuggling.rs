//! Requests that two servers in a row might read differently, so that one finds a request where the other saw a body: sent to
//! ours alone, and to nginx and Apache in front of ours.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::{Namespace, Place, Running, in_namespace, require_program, until};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);
/// For how long an answer may keep us waiting that does not come.
const SILENCE: Duration = Duration::from_secs(3);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// What is asked for by whoever takes a part of a body for a request.
const HIDDEN: &str = "/smuggled";

/// What is wrong with a message, its fields, and its body, in which `HIDDEN` stands for the hidden request.
const MESSAGES: [(&str, &str, &str); 24] = [
    ("a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    ("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\nHIDDEN"),
    ("two lengths", "Content-Length: 0\r\nContent-Length: 90\r\n", "HIDDEN"),
    ("two lengths, the other way", "Content-Length: 90\r\nContent-Length: 0\r\n", "HIDDEN"),
    ("a list of lengths", "Content-Length: 0, 90\r\n", "HIDDEN"),
    ("a length with a sign", "Content-Length: +0\r\n", "HIDDEN"),
    ("a length in hexadecimal", "Content-Length: 0x0\r\n", "HIDDEN"),
    ("a length beyond 64 bits", "Content-Length: 18446744073709551616\r\n", "HIDDEN"),
    ("a length with a space inside", "Content-Length: 0 0\r\n", "HIDDEN"),
    ("a length after a folded line", "X: a\r\n Content-Length: 90\r\n", "HIDDEN"),
    ("a space before the colon", "Content-Length : 90\r\n", "HIDDEN"),
    ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n", "0\r\n\r\nHIDDEN"),
    ("a coding that is nearly chunked", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\nHIDDEN"),
    ("chunked in quotes", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\nHIDDEN"),
    ("chunked twice", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\nHIDDEN"),
    ("chunked before another", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\nHIDDEN"),
    (
        "two codings in two fields",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "0\r\n\r\nHIDDEN",
    ),
    ("a vertical tab before chunked", "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\nHIDDEN"),
    ("a line that ends with LF alone", "X: a\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    ("a line that ends with CR alone", "X: a\rTransfer-Encoding: chunked\r\n", "0\r\n\r\nHIDDEN"),
    ("a NUL in a field", "X: \0\r\nContent-Length: 0\r\n", "HIDDEN"),
    ("a chunk size with a sign", "Transfer-Encoding: chunked\r\n", "+0\r\n\r\nHIDDEN"),
    ("a chunk size that overflows", "Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\nHIDDEN"),
    ("a chunk that ends with LF alone", "Transfer-Encoding: chunked\r\n", "1\r\na\n0\r\n\r\nHIDDEN"),
];

/// A message as it goes over the wire, and the hidden request with a number of its own.
fn message(number: usize, fields: &str, body: &str) -> Vec<u8> {
    let hidden = format!("GET {HIDDEN}-{number} HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let body = body.replace("HIDDEN", &hidden);
    format!("POST /form HTTP/1.1\r\nHost: shop.test\r\n{fields}\r\n{body}").into_bytes()
}

/// All that comes back until the other end closes, or has been silent for a while; and whether it closed.
fn exchange(at: SocketAddr, message: &[u8]) -> (String, bool) {
    let mut stream = TcpStream::connect_timeout(&at, SOON).unwrap();
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    // Whoever has refused may have closed before all was sent.
    let _ = stream.write_all(message);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    let closed = loop {
        match stream.read(&mut piece) {
            Ok(0) => break true,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(error) => break error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    };
    let _ = stream.shutdown(Shutdown::Both);
    (String::from_utf8_lossy(&answer).into_owned(), closed)
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

/// Our server, which says a line for each request.
struct Ours(Running);

impl Ours {
    fn start(ns: &Namespace) -> Self {
        Ours(on_tap(ns, &["serve"]).spawn(READY))
    }

    /// How often it has seen what was hidden in the message of this number.
    fn hidden(&self, number: usize) -> usize {
        let path = format!("{HIDDEN}-{number} ");
        self.0.said().iter().filter(|line| format!("{line} ").contains(&path)).count()
    }

    /// Waits until it has seen this path.
    fn saw(&mut self, path: &str) {
        self.0.wait_for_line("it sees what was asked for", SOON, |line| line.contains(path));
    }
}

#[test]
fn ours_refuses_and_reads_nothing_behind() {
    in_namespace("ours_refuses_and_reads_nothing_behind", |ns| {
        tap(ns);
        let mut ours = Ours::start(ns);
        let at = format!("{}:80", V4.ours).parse().unwrap();
        for (number, (kind, fields, body)) in MESSAGES.into_iter().enumerate() {
            let (answer, closed) = exchange(at, &message(number, fields, body));
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(["400", "413", "501"].contains(&status), "{kind}: {answer}");
            assert_eq!(answers(&answer), 1, "{kind}: one answer, and nothing after it: {answer}");
            assert!(closed, "{kind}: the connection is not used again");
        }
        let (answer, _) = exchange(at, b"GET /control HTTP/1.1\r\nHost: shop.test\r\n\r\n");
        assert_eq!(answers(&answer), 1);
        ours.saw("/control");
        assert!((0..MESSAGES.len()).all(|number| ours.hidden(number) == 0), "{:?}", ours.0.said());
    });
}

/// A server of somebody else's that passes on to ours what it is asked.
struct Front {
    _running: Running,
    _folder: TempDir,
}

impl Front {
    /// `command` runs until it is killed; its configuration has `FOLDER` in the place of its folder.
    fn start(ns: &Namespace, program: &str, configuration: &str, arguments: &[&str], port: u16) -> Self {
        require_program(program);
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display().to_string();
        fs::write(folder.path().join("conf"), configuration.replace("FOLDER", &here)).unwrap();
        let mut command = ns.command(program);
        command.args(arguments.iter().map(|argument| argument.replace("FOLDER", &here)));
        let running = Running::start(&mut command);
        let at = SocketAddr::new(V4.kernel.parse().unwrap(), port);
        until("the front listens", SOON, || TcpStream::connect_timeout(&at, Duration::from_secs(1)).ok());
        Front { _running: running, _folder: folder }
    }

    fn nginx(ns: &Namespace) -> Self {
        let configuration = format!(
            "daemon off; master_process off; user root root; pid FOLDER/pid; error_log stderr crit;\n\
             events {{}}\n\
             http {{ access_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;\n\
             fastcgi_temp_path FOLDER/a; uwsgi_temp_path FOLDER/b; scgi_temp_path FOLDER/c;\n\
             upstream ours {{ server {}; keepalive 8; }}\n\
             server {{ listen {}:80; ignore_invalid_headers off; location / {{ proxy_pass http://ours;\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_request_buffering off; }} }} }}\n",
            V4.ours, V4.kernel
        );
        Front::start(ns, "nginx", &configuration, &["-p", "FOLDER", "-c", "FOLDER/conf", "-e", "stderr"], 80)
    }

    fn apache(ns: &Namespace) -> Self {
        let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
            .iter()
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
            .collect();
        let configuration = format!(
            "{modules}ServerName front.test\nPidFile FOLDER/pid\nErrorLog /dev/stderr\nLogLevel crit\n\
             Mutex pthread\nUser www-data\nGroup www-data\nListen {}:80\nProxyPass / http://{}/\n",
            V4.kernel, V4.ours
        );
        Front::start(ns, "apache2", &configuration, &["-X", "-d", "FOLDER", "-f", "FOLDER/conf"], 80)
    }
}

/// Whatever the front makes of a message, ours must see no more requests than the front has passed on.
fn behind(test: &str, front: fn(&Namespace) -> Front) {
    in_namespace(test, |ns| {
        tap(ns);
        let mut ours = Ours::start(ns);
        let _front = front(ns);
        let at = format!("{}:80", V4.kernel).parse().unwrap();
        let two =
            b"GET /first HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /second HTTP/1.1\r\nHost: shop.test\r\n\r\n";
        let (answer, _) = exchange(at, two);
        assert_eq!(answers(&answer), 2, "the front passes on what is right: {answer}");
        ours.saw("/second");
        for (number, (kind, fields, body)) in MESSAGES.into_iter().enumerate() {
            let (answer, _) = exchange(at, &message(number, fields, body));
            // A front that takes what is hidden for a request, by its own reading, has passed on two: then ours saw two.
            let seen = ours.hidden(number);
            let passed_on = answers(&answer).saturating_sub(1);
            assert!(
                seen <= passed_on,
                "{kind}: {seen} hidden requests seen, {passed_on} passed on: {answer}"
            );
        }
    });
}

#[test]
fn behind_nginx_nothing_is_smuggled() {
    behind("behind_nginx_nothing_is_smuggled", Front::nginx);
}

#[test]
fn behind_apache_nothing_is_smuggled() {
    behind("behind_apache_nothing_is_smuggled", Front::apache);
}
