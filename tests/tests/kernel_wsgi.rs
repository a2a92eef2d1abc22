//! `framewise serve --wsgi` over a TAP: an application in Python under `wsgiref.validate`, run by gunicorn in child processes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, as_host, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, Running, in_namespace, skip_because, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";

/// Every page is under `validator`, which answers 500 where the server or the application breaks a rule of PEP 3333.
const APPLICATION: &str = r#"
import json, threading, time
from wsgiref.validate import validator
from django.conf import settings
from django.db import connection

settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
go = threading.Event()

def told(environ):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    names = [name for name in environ if name.isupper() and isinstance(environ[name], str)]
    told = {name: environ[name] for name in names}
    told.update(scheme=environ["wsgi.url_scheme"], length=len(body), sum=sum(body))
    return json.dumps(told).encode()

def pieces():
    yield b"first "
    go.wait()
    yield b"second"

def echo(environ):
    while piece := environ["wsgi.input"].read(10_000):
        yield piece

def ask_database():
    connection.ensure_connection()
    connection.connection.create_function("hold", 0, lambda: int(go.wait()))
    with connection.cursor() as cursor:
        cursor.execute("select hold()")
        return str(cursor.fetchone()).encode()

def pages(environ, start_response):
    path = environ["PATH_INFO"]
    head = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    if path == "/nothing":
        start_response("204 No Content", head[1:])
        return []
    if path == "/stream":
        start_response("200 OK", head)
        return pieces()
    if path == "/echo":
        start_response("200 OK", head)
        return echo(environ)
    if path == "/go":
        go.set()
        body = b"gone"
    elif path == "/database":
        body = ask_database()
    elif path == "/hang":
        time.sleep(1000)
    elif path == "/raise":
        raise ValueError("as the test wants it")
    else:
        body = told(environ)
    start_response("404 Not Found" if path == "/missing" else "200 OK", head + [("Content-Length", str(len(body)))])
    return [body]

app = validator(pages)
"#;

/// A Python that everybody may run, for the server is not root.
fn python() -> &'static str {
    if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" }
}

/// The packages of Python that `cargo xtask test` installs.
fn packages() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/python");
    if !installed.join("gunicorn").is_dir() {
        skip_because("gunicorn is not installed; cargo xtask test installs it".to_owned());
    }
    installed
}

/// A server with the application, and its socket for `framewise top`.
struct Served {
    server: Running,
    folder: TempDir,
}

impl Served {
    fn start(ns: &Namespace, arguments: &[&str]) -> Self {
        let packages = packages();
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        // The server is nobody in particular when it reads this, and makes its socket.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.path().join("pages.py"), APPLICATION).unwrap();
        let copied = Command::new("cp").arg("-a").arg(packages).arg(folder.path().join("packages")).status();
        assert!(copied.unwrap().success());
        let control = folder.path().join("control");
        let server = on_tap(ns, &["serve", "--quiet", "--wsgi", "pages:app", "--python", python()])
            .arguments(&["--control", control.to_str().unwrap(), "--ca-dir", folder.path().to_str().unwrap()])
            .arguments(arguments)
            .within(folder.path())
            .with("PYTHONPATH", "packages")
            .with("TMPDIR", folder.path().to_str().unwrap())
            .spawn(READY);
        let served = Served { server, folder };
        served.until_whole();
        served
    }

    fn now(&self) -> Value {
        let mut text = String::new();
        UnixStream::connect(self.folder.path().join("control")).unwrap().read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[track_caller]
    fn until(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let said = || self.server.said().join("\n");
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(what, SOON, || {
                last = self.now();
                Some(last.clone()).filter(|now| condition(now))
            })
        }));
        found.unwrap_or_else(|_| panic!("{what}: {last}\n{}", said()))
    }

    fn until_whole(&self) -> Value {
        self.until("the pool is whole", |now| {
            let processes = now["processes"].as_array().unwrap();
            processes.iter().all(|process| process["phase"] == "ready")
                && Some(processes.len() as u64) == now["processes_wanted"].as_u64()
        })
    }

    /// How many gunicorns there are in the namespace, workers included.
    fn gunicorns() -> usize {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        lines.filter(|line| line.contains("\0gunicorn\0")).count()
    }

    fn ends_well(self) {
        self.server.ends_well(SOON);
        until("no gunicorn is left", SOON, || (Self::gunicorns() == 0).then_some(()));
        let left = fs::read_dir(self.folder.path()).unwrap().flatten();
        let left: Vec<_> = left
            .map(|entry| entry.file_name())
            .filter(|name| name.to_string_lossy().starts_with("framewise"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn ask(target: &str) -> TcpStream {
    let mut stream = TcpStream::connect((V4.ours, 80)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

#[test]
fn an_application_sees_the_request_as_it_is_and_the_client_gets_its_answer() {
    in_namespace("an_application_sees_the_request_as_it_is_and_the_client_gets_its_answer", |ns| {
        let served = Served::start(ns, &["--processes", "2", "--threads", "2"]);
        let file = served.folder.path().join("body");
        fs::write(&file, vec![7; 3_000_000]).unwrap();
        let upload = format!("@{}", file.display());
        let trusted = served.folder.path().join("authority.pem");
        for (scheme, addresses) in [("http", V4), ("https", V4), ("http", V6)] {
            let lies = [
                "-H",
                "X-Forwarded-For: 6.6.6.6",
                "-H",
                "X-Forwarded-Proto: gopher",
                "-H",
                "SCRIPT_NAME: /x",
                "-H",
                "X_Forwarded_For: 6.6.6.6",
                "-H",
                "Forwarded: for=6.6.6.6",
                "-H",
                "X-Kept: yes",
                "--data-binary",
                &upload,
            ];
            let url = format!("{scheme}://{}/a%20b/%C3%A9?x=1&y=%2f", as_host(addresses.ours));
            let answer = Curl::new(ns).trusting(&trusted).options(&lies).get(&url);
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            let told: Value = serde_json::from_slice(&answer.body).unwrap();
            let expected = [
                ("REQUEST_METHOD", "POST"),
                ("PATH_INFO", "/a b/\u{c3}\u{a9}"),
                ("QUERY_STRING", "x=1&y=%2f"),
                ("SCRIPT_NAME", ""),
                ("REMOTE_ADDR", addresses.kernel),
                ("SERVER_NAME", addresses.ours),
                ("SERVER_PORT", if scheme == "https" { "443" } else { "80" }),
                ("HTTP_HOST", &as_host(addresses.ours)),
                ("HTTP_X_FORWARDED_FOR", addresses.kernel),
                ("HTTP_X_FORWARDED_PROTO", scheme),
                ("HTTP_X_KEPT", "yes"),
                ("scheme", scheme),
            ];
            for (name, value) in expected {
                assert_eq!(told[name], value, "{name} of {told}");
            }
            assert_eq!((&told["length"], &told["sum"]), (&3_000_000.into(), &21_000_000.into()));
            assert!(!told.to_string().contains("6.6.6.6"), "{told}");
            assert_eq!(answer.head.matches("Set-Cookie: ").count(), 2, "{}", answer.head);
        }
        let page = |options: &[&str], path: &str| {
            let answer = Curl::new(ns).options(options).get(&format!("http://{}{path}", V4.ours));
            (answer.exit, answer.status, answer.body.len())
        };
        assert_eq!(page(&[], "/nothing"), (Some(0), 204, 0));
        assert_eq!(page(&[], "/missing").1, 404);
        assert_eq!(page(&[], "/raise").1, 500);
        let head = Curl::new(ns).options(&["--head"]).get(&format!("http://{}/", V4.ours));
        assert!(head.status == 200 && head.head.contains("Content-Length: "), "{}", head.head);
        // One that answers as it reads: more than any socket on the way holds, both ways.
        let echo =
            Curl::new(ns).options(&["--data-binary", &upload]).get(&format!("http://{}/echo", V4.ours));
        assert_eq!(
            (echo.exit, echo.status, echo.body.len()),
            (Some(0), 200, 3_000_000),
            "{}",
            echo.complaint
        );
        served.ends_well();
    });
}

#[test]
fn an_answer_comes_as_it_is_made_and_what_python_does_is_seen() {
    in_namespace("an_answer_comes_as_it_is_made_and_what_python_does_is_seen", |ns| {
        let served = Served::start(ns, &["--processes", "1", "--threads", "3"]);
        let (mut streams, mut asks) = (ask("/stream"), ask("/database"));
        let mut came = Vec::new();
        while !came.ends_with(b"first \r\n") {
            let mut byte = [0];
            streams.read_exact(&mut byte).unwrap();
            came.push(byte[0]);
        }
        served.until("one returns its answer, and one asks the database", |now| {
            let threads = now["processes"][0]["threads"].as_array().unwrap();
            let does = |state: u64| threads.iter().any(|thread| thread["state"] == state);
            does(7) && does(4)
        });
        let mut go = String::new();
        ask("/go").read_to_string(&mut go).unwrap();
        assert!(go.ends_with("gone"), "{go}");
        streams.read_to_end(&mut came).unwrap();
        assert!(String::from_utf8_lossy(&came).contains("second"));
        let mut answer = String::new();
        asks.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("(1,)"), "{answer}");
        served.until("all wait", |now| now["busy"] == 0);
        served.ends_well();
    });
}

#[test]
fn an_application_that_hangs_or_is_killed_is_replaced_with_its_gunicorn() {
    in_namespace("an_application_that_hangs_or_is_killed_is_replaced_with_its_gunicorn", |ns| {
        let served = Served::start(ns, &["--processes", "1", "--threads", "2", "--answer-timeout", "2"]);
        let status = |path: &str| Curl::new(ns).get(&format!("http://{}{path}", V4.ours)).status;
        assert_eq!(status("/hang"), 504);
        served.until("the hung one is gone", |now| now["counts"]["died"] == 1);
        served.until_whole();
        assert_eq!(status("/"), 200);
        let child = served.now()["processes"][0]["pid"].as_i64().unwrap() as i32;
        kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
        served.until("the killed one is gone", |now| now["counts"]["died"] == 2);
        served.until_whole();
        assert_eq!(status("/"), 200);
        // gunicorn's master and its worker.
        until("one gunicorn is left", SOON, || (Served::gunicorns() == 2).then_some(()));
        served.ends_well();
    });
}

#[test]
fn what_is_missing_is_said_with_the_command_that_mends_it() {
    in_namespace("what_is_missing_is_said_with_the_command_that_mends_it", |ns| {
        tap(ns);
        for (arguments, said, mends) in [
            (
                &["--python", "/nowhere/python3"][..],
                "/nowhere/python3 can't be run",
                "try: apt install python3",
            ),
            (&["--python", python()], "has no gunicorn", "-m pip install gunicorn"),
        ] {
            let arguments = [&["serve", "--https", "0", "--wsgi", "pages:app"], arguments].concat();
            let refused = on_tap(ns, &arguments).with("PYTHONPATH", "").limit(SOON).run();
            assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
            assert!(refused.stderr.contains(said) && refused.stderr.contains(mends), "{}", refused.stderr);
        }
    });
}
