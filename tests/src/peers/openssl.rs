//! `openssl s_server`: the least of servers, whose bodies mostly end with the connection.

use crate::certificates::Identity;
use crate::peers::Tls;
use crate::place::Place;
use crate::process::Running;
use crate::until::until;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tempfile::TempDir;

const READY: Duration = Duration::from_secs(20);

/// A listening `openssl s_server`, which ends when this is dropped.
pub struct OpensslServer {
    running: Running,
    _folder: TempDir,
}

impl OpensslServer {
    /// Starts it at an address, and waits until it takes connections. `answers` says from what: `-WWW` has it give files of
    /// the pages as bodies, `-HTTP` as whole answers with their heads, `-www` a page of its own.
    ///
    /// # Panics
    ///
    /// Where openssl refuses; with its own words.
    #[track_caller]
    pub fn start(
        place: &impl Place,
        at: SocketAddr,
        tls: Tls,
        answers: &str,
        identity: &Identity,
        pages: &[(&str, &[u8])],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).expect("the temporary folder can be written to");
        };
        write("certificate.pem", identity.certificate.as_bytes());
        write("key.pem", identity.key.as_bytes());
        pages.iter().for_each(|(name, body)| write(name, body));
        let mut command = place.command("openssl");
        command.args(["s_server", "-accept", &at.to_string(), answers, "-quiet"]);
        command.args(["-cert", "certificate.pem", "-key", "key.pem"]).current_dir(folder.path());
        match tls {
            Tls::V12 => command.arg("-tls1_2"),
            Tls::V13 => command.arg("-tls1_3"),
            Tls::Any => &mut command,
        };
        let running = Running::start(&mut command);
        // It says nothing; a connection that says nothing either is forgotten with its end.
        until("openssl s_server listens", READY, || {
            TcpStream::connect_timeout(&at, Duration::from_secs(1)).is_ok().then_some(())
        });
        OpensslServer { running, _folder: folder }
    }

    /// What it complained of.
    pub fn complaints(&self) -> Vec<String> {
        self.running.said()
    }
}
