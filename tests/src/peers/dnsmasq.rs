//! dnsmasq, answering for names that it is given and for no other.

use crate::place::Place;
use crate::process::Running;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const READY: Duration = Duration::from_secs(20);

/// A listening dnsmasq, which ends when this is dropped.
pub struct Dnsmasq {
    running: Running,
}

impl Dnsmasq {
    /// Starts it at an address of `place`, with the addresses of each name, and waits until it listens.
    ///
    /// # Panics
    ///
    /// Where dnsmasq refuses; with its own words.
    #[track_caller]
    pub fn start(place: &impl Place, at: SocketAddr, names: &[(&str, &[IpAddr])]) -> Self {
        let mut command = place.command("dnsmasq");
        command.args(["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll"]);
        command.args(["--bind-interfaces", "--except-interface=lo", "--log-queries", "--local=/#/"]);
        command.arg(format!("--listen-address={}", at.ip())).arg(format!("--port={}", at.port()));
        for (name, addresses) in names {
            let addresses: String = addresses.iter().map(|address| format!(",{address}")).collect();
            command.arg(format!("--host-record={name}{addresses}"));
        }
        let mut running = Running::start(&mut command);
        running.wait_for_line("listens", READY, |line| line.contains("started, version"));
        Dnsmasq { running }
    }

    /// The questions it was asked, as it logs them: `query[A] shop.test from 192.0.2.10`. They are read by a
    /// thread beside: wait for what is expected with [`until`](crate::until()).
    pub fn questions(&self) -> Vec<String> {
        let logged = self.running.said().into_iter();
        logged.filter_map(|line| line.find("query[").map(|start| line[start..].to_owned())).collect()
    }
}
