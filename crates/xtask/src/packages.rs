//! Installing the programs that the tests use as peers and as oracles.

use crate::tool;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// A program that tests run, and the Debian package that brings it.
const PROGRAMS: [(&str, &str); 29] = [
    ("tshark", "tshark"),
    ("nginx", "nginx-light"),
    ("curl", "curl"),
    ("dnsmasq", "dnsmasq-base"),
    ("apache2", "apache2-bin"),
    ("wget", "wget"),
    ("chromium", "chromium"),
    ("certutil", "libnss3-tools"),
    ("ab", "apache2-utils"),
    ("wrk", "wrk"),
    ("nmap", "nmap"),
    ("hping3", "hping3"),
    ("atk6-flood_advertise6", "thc-ipv6"),
    ("slowhttptest", "slowhttptest"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("jsonschema", "python3-jsonschema"),
    ("gzip", "gzip"),
    ("ip", "iproute2"),
    ("ping", "iputils-ping"),
    ("ethtool", "ethtool"),
    ("openssl", "openssl"),
    ("unshare", "util-linux"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("sysctl", "procps"),
    ("faketime", "faketime"),
];

/// What holds the authorities that the system trusts, and its package.
const AUTHORITIES: (&str, &str) = ("/etc/ssl/certs/ca-certificates.crt", "ca-certificates");

/// Installs what is missing, where we may; else says what is missing. The tests that need it then skip.
pub(crate) fn provide() -> io::Result<()> {
    provide_also(&[])
}

/// The same, and these programs with their packages.
pub(crate) fn provide_also(more: &[(&'static str, &'static str)]) -> io::Result<()> {
    let missing = missing(more);
    if missing.is_empty() {
        return Ok(());
    }
    println!("\n== what this needs: {}", missing.join(" "));
    if !tool::is_root() || !tool::is_installed("apt-get") {
        println!(
            "These Debian packages are missing; as root, this command would install them. What needs them is skipped."
        );
        return Ok(());
    }
    let installed = install(&missing)?;
    if !installed {
        println!("Not all of it could be installed. What needs the rest is skipped.");
    }
    Ok(())
}

/// The packages whose programs are not there.
fn missing(more: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    let programs = PROGRAMS.iter().chain(more);
    let programs = programs.filter(|(program, _)| !tool::is_installed(program)).map(|(_, package)| *package);
    let authorities = (!Path::new(AUTHORITIES.0).is_file()).then_some(AUTHORITIES.1);
    programs.chain(authorities).collect()
}

/// Installs Debian packages, after an update of the lists where a first attempt fails.
pub(crate) fn install(packages: &[&str]) -> io::Result<bool> {
    let _quiet = NoServices::begin()?;
    if apt("install", packages)? {
        return Ok(true);
    }
    Ok(apt("update", &[])? && apt("install", packages)?)
}

fn apt(action: &str, packages: &[&str]) -> io::Result<bool> {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--yes", "--no-install-recommends", action]).args(packages);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(tool::stream(&mut command, |_| ())?.success())
}

/// While this lives, no freshly installed package starts its service: the tests run their own nginx, and
/// nobody asked for one on port 80.
struct NoServices {
    ours: bool,
}

impl NoServices {
    /// Debian's way to say so: a program that answers 101, "not allowed".
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn begin() -> io::Result<Self> {
        let ours = !Path::new(Self::POLICY).exists();
        if ours {
            fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n")?;
            Command::new("chmod").args(["755", Self::POLICY]).status()?;
        }
        Ok(NoServices { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(Self::POLICY)
        {
            println!("{} was written for the installation and could not be removed: {error}", Self::POLICY);
        }
    }
}
