//! The programs beside which we are measured, each as it is at its best.

use super::place::{OURS, OURS_CIDRS, Place, Side, TAP};
use super::process::Started;
use crate::tool;
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The page of 1 KB that requests are for.
const SMALL: usize = 1_024;
/// Where `openssl s_server` listens.
pub(crate) const OPENSSL_PORT: u16 = 4_433;

/// What is served, by whom ever: pages in a folder, and a certificate.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// Makes the pages `/large`, of this many bytes, and `/small`; the large one has no blocks on the disk, so that it is
    /// read from memory from the first time on.
    pub(crate) fn new(large: u64) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let site = Site { folder };
        fs::create_dir(site.pages())?;
        File::create(site.pages().join("large"))?.set_len(large)?;
        fs::write(site.pages().join("small"), [b'x'; SMALL])?;
        // Who has given up root's rights must still be able to read it.
        for folder in [site.path(), &site.pages()] {
            let opened = Command::new("chmod").arg("755").arg(folder).status()?;
            if !opened.success() {
                return Err(io::Error::other("the folder of the pages can't be opened to all"));
            }
        }
        site.certify()?;
        Ok(site)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn pages(&self) -> PathBuf {
        self.path().join("pages")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.path().join("key.pem")
    }

    /// One certificate of the kind that is common today, P-256, for all servers.
    fn certify(&self) -> io::Result<()> {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command.args([
            "-days",
            "2",
            "-subj",
            "/CN=bench.test",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
        command.arg("-keyout").arg(self.key()).arg("-out").arg(self.certificate());
        let output = command.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("openssl req: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// nginx, with one worker, `sendfile`, and no log: on all addresses here, for http and for https.
    pub(crate) fn nginx(&self, place: &Place) -> io::Result<Started> {
        fs::write(self.path().join("nginx.conf"), self.nginx_configuration())?;
        let mut command = place.command(Side::Here, "nginx");
        command
            .arg("-p")
            .arg(self.path())
            .arg("-c")
            .arg(self.path().join("nginx.conf"))
            .args(["-e", "stderr"]);
        let mut nginx = Started::new(command.stderr(Stdio::piped()))?;
        let pid = self.path().join("nginx.pid");
        // It writes its process id once all its addresses listen.
        nginx.wait_until("nginx", || fs::read_to_string(&pid).is_ok_and(|id| id.ends_with('\n')))?;
        Ok(nginx)
    }

    fn nginx_configuration(&self) -> String {
        let folder = self.path().display();
        // One process that is the worker: its processor time is all there is.
        format!(
            "daemon off;\nmaster_process off;\nuser root root;\npid {folder}/nginx.pid;\nerror_log stderr error;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n\
             access_log off;\nsendfile on;\ntcp_nopush on;\nkeepalive_requests 1000000000;\n\
             root {folder}/pages;\ndefault_type application/octet-stream;\n\
             client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
             server {{ listen 80 backlog=4096; listen [::]:80 backlog=4096; }}\n\
             server {{ listen 443 ssl; listen [::]:443 ssl; ssl_protocols TLSv1.3;\n\
             ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;\n\
             ssl_certificate certificate.pem; ssl_certificate_key key.pem; }}\n}}\n"
        )
    }

    /// `framewise serve`, of the same pages with the same certificate.
    pub(crate) fn framewise(&self, place: &Place, program: &Path, extra: &[&str]) -> io::Result<Started> {
        let mut command = place.command(Side::Here, program);
        command.arg("serve").arg(self.pages()).args(["--quiet", "--tap", TAP]).args(extra);
        for address in OURS_CIDRS {
            command.args(["--address", address]);
        }
        command.arg("--cert").arg(self.certificate()).arg("--key").arg(self.key());
        let mut server = Started::new(command.stderr(Stdio::piped()))?;
        let address: SocketAddr = SocketAddr::new(OURS.parse().map_err(io::Error::other)?, 80);
        let answers = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
        server.wait_until("framewise serve", answers)?;
        Ok(server)
    }

    /// `openssl s_server`, of TLS 1.3 alone, with the same certificate. It takes one connection after the other.
    pub(crate) fn openssl(&self, place: &Place) -> io::Result<Started> {
        let mut command = place.command(Side::Here, "openssl");
        command.args(["s_server", "-quiet", "-tls1_3", "-accept", &OPENSSL_PORT.to_string()]);
        command.arg("-cert").arg(self.certificate()).arg("-key").arg(self.key());
        let mut server = Started::new(command.stderr(Stdio::null()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], OPENSSL_PORT));
        server.wait_until("openssl s_server", || {
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        })?;
        Ok(server)
    }
}

/// Whether the command knows an option, which an older one may not.
pub(crate) fn knows(program: &Path, command: &str, option: &str) -> bool {
    let (program, arguments) = (program.to_owned(), [command, "--help"]);
    let said = tool::run_quietly(Command::new(program).args(arguments), Duration::from_secs(5));
    said.is_ok_and(|(_, lines)| lines.iter().any(|line| line.contains(option)))
}
