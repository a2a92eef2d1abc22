//! Python's http.server, over http and https: it serves pages in every form, and takes uploads.

use crate::certificates::Identity;
use crate::peers::Tls;
use crate::place::Place;
use crate::process::Running;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

const READY: Duration = Duration::from_secs(20);

/// Serves pages of its folder as the class of the standard library does, and below `/chunked` and `/gzip` in these
/// forms. What is put to it, it adds up as it comes; below `/slow` only after it has read nothing for as many seconds
/// as the path says.
const PROGRAM: &str = r#"
import gzip, hashlib, http.server, socket, ssl, sys, time

class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        form, _, name = self.path.strip("/").partition("/")
        if form == "length":
            self.path = "/" + name
            return super().do_GET()
        with open(name, "rb") as page:
            body = page.read()
        self.send_response(200)
        if form == "gzip":
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return self.wfile.write(body)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 10_000):
            piece = body[start:start + 10_000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def pieces(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers["Content-Length"])
            while left:
                piece = self.rfile.read(min(left, 1 << 18))
                left -= len(piece)
                yield piece

    def do_PUT(self):
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.removeprefix("/slow/")))
        count, digest = 0, hashlib.sha256()
        for piece in self.pieces():
            count += len(piece)
            digest.update(piece)
        answer = b"%d bytes, SHA-256 %s\n" % (count, digest.hexdigest().encode())
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET

server = Server((sys.argv[1], int(sys.argv[2])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[3]]
    context.load_cert_chain("../certificate.pem", "../key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("listens", flush=True)
server.serve_forever()
"#;

/// Python servers of the same pages, which end when this is dropped.
pub struct Python {
    folder: TempDir,
    running: Vec<Running>,
}

impl Python {
    /// No server yet; with these pages by name, and a certificate for https.
    ///
    /// # Panics
    ///
    /// Where they cannot be written.
    pub fn new(identity: &Identity, pages: &[(String, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).expect("the temporary folder can be written to");
        };
        fs::create_dir(folder.path().join("pages")).expect("the temporary folder can be written to");
        write("server.py", PROGRAM.as_bytes());
        write("certificate.pem", identity.certificate.as_bytes());
        write("key.pem", identity.key.as_bytes());
        pages.iter().for_each(|(name, body)| write(&format!("pages/{name}"), body));
        Python { folder, running: Vec::new() }
    }

    /// Listens at an address and port too, for https in one version of TLS where that is given.
    ///
    /// # Panics
    ///
    /// Where Python refuses; with its own words.
    #[track_caller]
    pub fn listen(mut self, place: &impl Place, address: &str, port: u16, tls: Option<Tls>) -> Self {
        let mut command = place.command("python3");
        command.arg("../server.py").args([address, &port.to_string()]);
        command.current_dir(self.folder.path().join("pages"));
        match tls {
            Some(Tls::V12) => command.arg("TLSv1_2"),
            Some(Tls::V13 | Tls::Any) => command.arg("TLSv1_3"),
            None => &mut command,
        };
        let mut running = Running::start(&mut command);
        running.wait_for_line("listens", READY, |line| line == "listens");
        self.running.push(running);
        self
    }

    /// What they said: a line for each request, and what went wrong.
    pub fn said(&self) -> Vec<String> {
        self.running.iter().flat_map(Running::said).collect()
    }
}
