//! nginx, serving given bodies over http and https.

use crate::certificates::Identity;
use crate::place::Place;
use crate::process::Running;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// nginx is ready within milliseconds; a loaded machine may take longer.
const READY: Duration = Duration::from_secs(20);

/// A body of `size` bytes that tells where a byte is missing or misplaced: its period, 251, is prime and
/// so no divisor of any buffer's or segment's size.
pub fn body_of(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

/// The sizes of bodies that travel in the tests: none, the smallest, those around a full segment of IPv4 without
/// options, the largest of 16 bits, and one of thousands of segments.
pub const SIZES: [usize; 7] = [0, 1, 1_459, 1_460, 1_461, 65_535, 10_000_000];

/// The versions of TLS that a listening address speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS 1.2 only.
    V12,
    /// TLS 1.3 only.
    V13,
    /// Both.
    Any,
}

impl Tls {
    fn protocols(self) -> &'static str {
        match self {
            Tls::V12 => "TLSv1.2",
            Tls::V13 => "TLSv1.3",
            Tls::Any => "TLSv1.2 TLSv1.3",
        }
    }
}

/// What an nginx is to do, before it is started.
#[derive(Default)]
pub struct Nginx {
    listens: Vec<(String, Option<Tls>)>,
    pages: Vec<(String, Vec<u8>)>,
    files: Vec<(String, PathBuf)>,
    bytes_per_second: Option<u64>,
    identity: Option<Identity>,
}

impl Nginx {
    /// An nginx that listens nowhere and has no pages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens for http at an address such as `192.0.2.1:80` or `[2001:db8::1]:80`.
    pub fn http(mut self, address: &str) -> Self {
        self.listens.push((address.to_owned(), None));
        self
    }

    /// Listens for https at an address, in these versions of TLS. Needs [`Nginx::identity`].
    pub fn https(mut self, address: &str, tls: Tls) -> Self {
        self.listens.push((address.to_owned(), Some(tls)));
        self
    }

    /// The certificate and the key for https.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Serves `body` at `/name`; in chunks at `/chunked/name`, compressed at `/gzip/name`.
    pub fn page(mut self, name: &str, body: &[u8]) -> Self {
        self.pages.push((name.to_owned(), body.to_vec()));
        self
    }

    /// Serves a file at `/name`, from where it lies: one too large to be held here.
    pub fn file(mut self, name: &str, file: &Path) -> Self {
        self.files.push((name.to_owned(), file.to_owned()));
        self
    }

    /// Sends each answer no faster than this.
    pub fn bytes_per_second(mut self, bytes: u64) -> Self {
        self.bytes_per_second = Some(bytes);
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    ///
    /// Where nginx refuses its configuration or an address; with its own words.
    #[track_caller]
    pub fn start(self, place: &impl Place) -> NginxRunning {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        self.write_into(folder.path()).expect("the temporary folder can be written to");
        let mut command = place.command("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        // Else it would first open the system's own log, which an ordinary user may not.
        command.args(["-e", "stderr"]);
        let mut running = Running::start(&mut command);
        // It writes its process id once all its addresses listen.
        let pid = folder.path().join("nginx.pid");
        let written = |_: &Running| fs::read_to_string(&pid).ok().filter(|id| id.ends_with('\n'));
        running.wait_until("listens", READY, written);
        NginxRunning { running, folder }
    }

    fn write_into(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir(folder.join("pages"))?;
        for (name, body) in &self.pages {
            fs::write(folder.join("pages").join(name), body)?;
        }
        for (name, file) in &self.files {
            std::os::unix::fs::symlink(file, folder.join("pages").join(name))?;
        }
        if let Some(identity) = &self.identity {
            fs::write(folder.join("certificate.pem"), &identity.certificate)?;
            fs::write(folder.join("key.pem"), &identity.key)?;
        }
        fs::write(folder.join("nginx.conf"), self.configuration(folder))
    }

    fn configuration(&self, folder: &Path) -> String {
        let folder = folder.display();
        let servers: String = self.listens.iter().map(|(address, tls)| server(address, *tls)).collect();
        let rate = self.bytes_per_second.map(|bytes| format!("limit_rate {bytes};\n")).unwrap_or_default();
        // One process: what is killed is all there is. In a user namespace root is the only user, and nginx
        // gives its folders to someone even where it keeps no worker to use them.
        format!(
            "daemon off;\nmaster_process off;\nuser root root;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 2048; }}\n\
             http {{\n\
             access_log {folder}/access.log;\nroot {folder}/pages;\ndefault_type application/octet-stream;\n\
             client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
             keepalive_requests 100000;\n\
             gzip_types *;\ngzip_min_length 1;\nssi_types *;\n{rate}\
             {servers}}}\n"
        )
    }
}

fn server(address: &str, tls: Option<Tls>) -> String {
    // One listening socket for 200 connections at once; the default of 511 is said, not assumed.
    let mut server = format!("server {{ listen {address} backlog=1024");
    if let Some(tls) = tls {
        let _ = write!(server, " ssl; ssl_protocols {}", tls.protocols());
        server += "; ssl_certificate certificate.pem; ssl_certificate_key key.pem";
    }
    // Whoever looks for includes within a page cannot know its length before: it goes in chunks.
    server
        + "; location /length/ { alias pages/; }\n\
           location /chunked/ { alias pages/; ssi on; }\n\
           location /gzip/ { alias pages/; gzip on; } }\n"
}

/// A listening nginx, which ends when this is dropped.
pub struct NginxRunning {
    running: Running,
    folder: TempDir,
}

impl NginxRunning {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// The requests it has logged, a line for each. It logs a little after it has answered: wait for what is
    /// expected with [`until`](crate::until()).
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// What it complained of.
    pub fn complaints(&self) -> Vec<String> {
        self.running.said()
    }
}
