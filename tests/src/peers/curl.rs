//! curl, the client that everyone trusts.

use crate::place::Place;
use crate::process::finish;
use std::fs;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// What curl itself is told as its limit, and a little more, so that curl is the one to say so.
const LIMIT: Duration = Duration::from_secs(60);

/// A curl, before it is run.
pub struct Curl {
    command: Command,
    folder: TempDir,
}

/// What curl found.
#[derive(Clone, Debug)]
pub struct CurlAnswer {
    /// Its exit code: 0 where it got a whole answer, whatever its status.
    pub exit: Option<i32>,
    /// The status of the last response; 0 where there was none.
    pub status: u16,
    /// The head of the response, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// From the start until the connection stood.
    pub connected_after: Duration,
    /// From the start to the end.
    pub took: Duration,
    /// How many connections it opened.
    pub connections: usize,
    /// What it said of a failure.
    pub complaint: String,
}

impl Curl {
    /// A curl at a place; it takes neither a configuration nor a proxy from its surroundings.
    pub fn new(place: &impl Place) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = place.command("curl");
        command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "50"]);
        command.arg("--output").arg(folder.path().join("body"));
        command.arg("--dump-header").arg(folder.path().join("head"));
        command.args(["--write-out", "%{http_code} %{time_connect} %{time_total} %{num_connects}"]);
        Curl { command, folder }
    }

    /// Adds options of curl's own.
    pub fn options(mut self, options: &[&str]) -> Self {
        self.command.args(options);
        self
    }

    /// Trusts the authority whose certificate is in this file, and no other.
    pub fn trusting(mut self, file: &std::path::Path) -> Self {
        self.command.arg("--cacert").arg(file);
        self
    }

    /// Takes `address` for the host of the URL: `host:port:address`.
    pub fn resolve(self, entry: &str) -> Self {
        self.options(&["--resolve", entry])
    }

    /// Fetches a URL.
    ///
    /// # Panics
    ///
    /// Where curl hangs beyond its own limit.
    #[track_caller]
    pub fn get(mut self, url: &str) -> CurlAnswer {
        let finished = finish(self.command.arg(url), LIMIT);
        let facts = finished.text();
        let mut facts = facts.split_whitespace();
        let mut seconds =
            facts.clone().skip(1).map(|time| Duration::from_secs_f64(time.parse().unwrap_or(0.0)));
        let file = |name: &str| fs::read(self.folder.path().join(name)).unwrap_or_default();
        CurlAnswer {
            exit: finished.status.code(),
            head: String::from_utf8_lossy(&file("head")).into_owned(),
            body: file("body"),
            connected_after: seconds.next().unwrap_or_default(),
            took: seconds.next().unwrap_or_default(),
            status: facts.next().and_then(|status| status.parse().ok()).unwrap_or(0),
            connections: facts.nth(2).and_then(|count| count.parse().ok()).unwrap_or(0),
            complaint: finished.stderr,
        }
    }
}
