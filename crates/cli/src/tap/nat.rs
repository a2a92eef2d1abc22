//! NAT for a network of ours, in a table of the kernel's that bears our name: so it can be removed, and it alone.

use std::fmt;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use framewise::ip::Cidr;
use serde::{Deserialize, Serialize};

use super::forward::Family;
use crate::args::NatTool;
use crate::exit::{Failure, Kind};

/// Seconds that iptables waits for another one to end.
const WAIT: &str = "5";

/// Which program keeps the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Nat {
    Nft,
    Iptables,
}

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nat::Nft => "nft",
            Nat::Iptables => "iptables",
        })
    }
}

/// What is wanted, if it is installed.
pub(super) fn find(wanted: NatTool) -> Result<Nat, Failure> {
    let candidates = match wanted {
        NatTool::Any => &[Nat::Nft, Nat::Iptables][..],
        NatTool::Nft => &[Nat::Nft],
        NatTool::Iptables => &[Nat::Iptables],
    };
    let found = candidates.iter().find(|nat| program(&nat.to_string()).is_some());
    found.cloned().ok_or_else(|| {
        let sentence = "NAT is set up by nft or iptables, and what is wanted of them is not installed";
        Failure::new(Kind::Device, sentence).next("sudo apt-get install nftables")
    })
}

impl Nat {
    /// Has the kernel translate the addresses of what comes from these networks and leaves by another link. What was
    /// there for this link before is replaced.
    pub(super) fn add(&self, link: &str, networks: &[Cidr]) -> Result<(), Failure> {
        match self {
            Nat::Nft => nft(&nft_rules(link, networks)),
            Nat::Iptables => {
                self.remove(link)?;
                for family in [Family::Ipv4, Family::Ipv6] {
                    let of_family = |network: &&Cidr| Family::of(network.address) == family;
                    let networks: Vec<_> = networks.iter().filter(of_family).collect();
                    if !networks.is_empty() {
                        add_chain(family, link, &networks)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Removes what was added for this link. What is not there is removed.
    pub(super) fn remove(&self, link: &str) -> Result<(), Failure> {
        match self {
            Nat::Nft => nft(&nft_removal(link)),
            Nat::Iptables => {
                [Family::Ipv4, Family::Ipv6].into_iter().try_for_each(|family| remove_chain(family, link))
            }
        }
    }
}

/// The name of the table, or the chain, for a link: 25 letters at most, of the 28 that iptables takes.
fn name(link: &str) -> String {
    format!("framewise-{link}")
}

/// Adding a table that may be there, so that there is one to remove, and all in one transaction.
fn nft_removal(link: &str) -> String {
    let name = name(link);
    ["ip", "ip6"].map(|family| format!("add table {family} {name}\ndelete table {family} {name}\n")).concat()
}

fn nft_rules(link: &str, networks: &[Cidr]) -> String {
    let name = name(link);
    let mut rules = nft_removal(link);
    for network in networks {
        let family = match network.address {
            IpAddr::V4(_) => "ip",
            IpAddr::V6(_) => "ip6",
        };
        let _ = write!(
            rules,
            "table {family} {name} {{\n  chain postrouting {{\n    type nat hook postrouting priority 100;\n    {family} saddr {network} oifname != \"{link}\" masquerade\n  }}\n}}\n"
        );
    }
    rules
}

fn nft(rules: &str) -> Result<(), Failure> {
    let output = (|| {
        let mut child = command("nft")?
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(rules.as_bytes())?;
        }
        child.wait_with_output()
    })();
    judge("nft", output)
}

fn add_chain(family: Family, link: &str, networks: &[&Cidr]) -> Result<(), Failure> {
    let name = name(link);
    iptables(family, &["-N", &name])?;
    for network in networks {
        iptables(family, &["-A", &name, "-s", &network.to_string(), "!", "-o", link, "-j", "MASQUERADE"])?;
    }
    iptables(family, &["-A", "POSTROUTING", "-j", &name])
}

fn remove_chain(family: Family, link: &str) -> Result<(), Failure> {
    let name = name(link);
    // Whether it is there is asked by listing it; where a version of IP has no such table, neither has it our chain.
    if iptables(family, &["-S", &name]).is_err() {
        return Ok(());
    }
    while iptables(family, &["-D", "POSTROUTING", "-j", &name]).is_ok() {}
    iptables(family, &["-F", &name])?;
    iptables(family, &["-X", &name])
}

fn iptables(family: Family, arguments: &[&str]) -> Result<(), Failure> {
    let program = match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    };
    let output = command(program).and_then(|mut command| {
        command.args(["--wait", WAIT, "--table", "nat"]).args(arguments).stdin(Stdio::null()).output()
    });
    judge(program, output)
}

/// Whether a firewall that other programs keep by iptables (as Docker does) passes on what comes from a link; `None`: there is
/// no iptables to ask, or this user may not.
pub(crate) fn passes_on(link: &str, of: IpAddr) -> Option<bool> {
    let program = if of.is_ipv4() { "iptables" } else { "ip6tables" };
    let output = command(program).ok()?.args(["--wait", WAIT, "-S", "FORWARD"]).output().ok()?;
    let rules = String::from_utf8_lossy(&output.stdout).into_owned();
    let has = |wanted: &str| rules.lines().any(|rule| rule.trim() == wanted);
    let drops = has("-P FORWARD DROP");
    output.status.success().then(|| !drops || has(&format!("-A FORWARD -i {link} -j ACCEPT")))
}

fn judge(program: &str, output: io::Result<Output>) -> Result<(), Failure> {
    let why = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Failure::new(Kind::Device, format!("{program} could not change the kernel's table for NAT: {why}"))
        .next("the same with sudo"))
}

fn command(name: &str) -> io::Result<Command> {
    program(name)
        .map(Command::new)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name} is not installed")))
}

/// Where a program of the system is. An ordinary user's search path often lacks its folders.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_the_network_and_spare_the_link_itself() {
        let networks = ["192.0.2.0/24".parse().unwrap(), "2001:db8::/64".parse().unwrap()];
        let rules = nft_rules("fw0", &networks);
        assert!(rules.contains("ip saddr 192.0.2.0/24 oifname != \"fw0\" masquerade"), "{rules}");
        assert!(rules.contains("ip6 saddr 2001:db8::/64 oifname != \"fw0\" masquerade"), "{rules}");
        assert!(rules.starts_with("add table ip framewise-fw0\ndelete table ip framewise-fw0\n"), "{rules}");
    }
}
