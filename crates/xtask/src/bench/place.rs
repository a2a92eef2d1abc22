//! Where a row over devices is measured: a network of its own, in which nothing else is.
//!
//! ```text
//!   here: nginx, wrk, the reader; the kernel's ends            far: curl, wrk, the reader, when they go over veth
//!   fw0  192.0.2.1     2001:db8:1::1  ── TAP ── framewise, at .10
//!   fw1  203.0.113.1                  ── TAP ── stock smoltcp, at .10
//!   near 198.51.100.1  2001:db8:2::1  ═════════ veth, all offloads ═════════ far 198.51.100.80
//! ```

use super::process::Started;
use crate::tool;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The TAP of `framewise`, and its address there.
pub(crate) const TAP: &str = "fw0";
pub(crate) const OURS: &str = "192.0.2.10";
pub(crate) const OURS_CIDRS: [&str; 2] = ["192.0.2.10/24", "2001:db8:1::10/64"];
/// The kernel's end of it.
pub(crate) const KERNEL: &str = "192.0.2.1";
pub(crate) const KERNEL_V6: &str = "2001:db8:1::1";
/// The TAP of stock smoltcp, its address, and the kernel's.
pub(crate) const STOCK_TAP: &str = "fw1";
pub(crate) const STOCK: &str = "203.0.113.10";
pub(crate) const STOCK_KERNEL: &str = "203.0.113.1";
/// The kernel's address on the veth pair.
pub(crate) const NEAR: &str = "198.51.100.1";

/// Parameters of the kernel's network, set in both namespaces before anything listens.
///
/// Reno: where the kernel's default is BBR, its pacing makes transfers over veth several times slower than they are.
/// The ports: a connection each for some thousand requests per second must not wait for old ones to expire.
const PARAMETERS: [(&str, &str); 6] = [
    ("net/ipv4/tcp_congestion_control", "reno"),
    ("net/ipv4/ip_local_port_range", "1024 65000"),
    ("net/ipv4/tcp_tw_reuse", "1"),
    ("net/core/somaxconn", "4096"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/dad_transmits", "0"),
];

/// A command that runs `program` in network and process namespaces of its own, and ends with us.
pub(crate) fn apart(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    if !tool::is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]).arg(program);
    command
}

/// Where a program runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    /// Beside the TAPs.
    Here,
    /// Behind the veth pair.
    Far,
}

/// The two namespaces with their devices. All of it is gone when we end.
pub(crate) struct Place {
    /// Keeps the far namespace by being in it.
    keeper: Started,
}

impl Place {
    /// Makes the devices, in the namespace we are in, and the far one.
    pub(crate) fn new() -> io::Result<Self> {
        let mut far = Command::new("unshare");
        far.args(["--net", "--", "cat"]).stdin(Stdio::piped());
        let place = Place { keeper: Started::new(&mut far)? };
        place.wait_for_the_far_one()?;
        for side in [Side::Here, Side::Far] {
            for (parameter, value) in PARAMETERS {
                let script = r#"echo "$2" > "/proc/sys/$1""#;
                place.done(side, "sh", &["-c", script, "sh", parameter, value])?;
            }
            place.ip(side, "link set lo up")?;
        }
        for (tap, addresses) in [(TAP, &[KERNEL, KERNEL_V6][..]), (STOCK_TAP, &[STOCK_KERNEL])] {
            place.ip(Side::Here, &format!("tuntap add {tap} mode tap"))?;
            addresses.iter().try_for_each(|address| place.address(Side::Here, tap, address))?;
        }
        place
            .ip(Side::Here, &format!("link add near type veth peer name far netns {}", place.keeper.id()))?;
        place.address(Side::Here, "near", NEAR)?;
        place.address(Side::Far, "far", "198.51.100.80")?;
        Ok(place)
    }

    fn wait_for_the_far_one(&self) -> io::Result<()> {
        let here = std::fs::read_link("/proc/self/ns/net")?;
        let began = Instant::now();
        while std::fs::read_link(format!("/proc/{}/ns/net", self.keeper.id()))? == here {
            if began.elapsed() > Duration::from_secs(5) {
                return Err(io::Error::other("no second network namespace can be made"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// A command that runs `program` on one side.
    pub(crate) fn command(&self, side: Side, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        match side {
            Side::Here => Command::new(program),
            Side::Far => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/proc/{}/ns/net", self.keeper.id())).arg("--").arg(program);
                command
            }
        }
    }

    fn address(&self, side: Side, device: &str, address: &str) -> io::Result<()> {
        let rest = if address.contains(':') { ("/64", "nodad") } else { ("/24", "") };
        self.ip(side, &format!("address add {address}{} dev {device} {}", rest.0, rest.1))?;
        self.ip(side, &format!("link set {device} up"))
    }

    fn ip(&self, side: Side, arguments: &str) -> io::Result<()> {
        self.done(side, "ip", &arguments.split_whitespace().collect::<Vec<_>>())
    }

    fn done(&self, side: Side, program: &str, arguments: &[&str]) -> io::Result<()> {
        let output = self.command(side, program).args(arguments).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{program} {}: {}", arguments.join(" "), said.trim())))
    }
}
