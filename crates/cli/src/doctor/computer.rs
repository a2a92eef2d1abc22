//! What this computer has, whatever the device: clock, names, rights, drivers.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use framewise::device::interfaces;
use framewise::tls::store::{self, StoreError};

use super::Check;
use crate::args;
use crate::exit::with_causes;
use crate::real::unix_seconds;
use crate::serve::ca_directory;

/// What the check of `/dev/net/tun` is called.
pub(super) const DRIVER: &str = "TAP driver";
/// How long the resolver may take.
const RESOLVER: Duration = Duration::from_secs(5);
/// A clock before 2026 is older than this program; one after 2100 has run away.
const CREDIBLE: std::ops::Range<u64> = 1_767_225_600..4_102_444_800;
/// Seconds of a year, on the average.
const YEAR: u64 = 31_556_952;

pub(super) fn look(args: &args::Doctor) -> Vec<Check> {
    vec![
        clock(unix_seconds()),
        authority(args.ca_dir.as_deref()),
        names(&args.name),
        rights(),
        driver(),
        namespaces(),
    ]
}

/// Whether certificates can be judged by this clock.
fn clock(now: u64) -> Check {
    let year = 1_970 + now / YEAR;
    if CREDIBLE.contains(&now) {
        return Check::works("clock", "TLS", format!("it is {year}: certificates can be judged"));
    }
    let says = format!("it is {year}, says the clock: every certificate will seem expired, or not yet valid");
    Check::fails("clock", "TLS", says, "sudo timedatectl set-ntp true")
}

/// Whether the lab's authority, if there is one, can be used.
fn authority(asked: Option<&Path>) -> Check {
    let folder = ca_directory(asked);
    let shown = folder.display();
    if !folder.join(store::KEY_FILE).exists() {
        return Check::open("authority", "TLS", "the lab has none yet: the first serve makes it");
    }
    match store::load(&folder) {
        Ok(_) => {
            let certificate = folder.join(store::CERTIFICATE_FILE);
            Check::works(
                "authority",
                "TLS",
                format!("curl believes it by --cacert {}", certificate.display()),
            )
        }
        Err(error @ StoreError::TooOpen { .. }) => {
            let mend = format!("chmod 600 {}", folder.join(store::KEY_FILE).display());
            Check::fails("authority", "TLS", with_causes(&error), mend)
        }
        Err(error) => {
            let mend = format!("mv {shown} {shown}.old     (the next serve makes another)");
            Check::fails("authority", "TLS", with_causes(&error), mend)
        }
    }
}

/// Whether this computer finds addresses for names.
fn names(host: &str) -> Check {
    let (tell, told) = mpsc::channel();
    let asked = host.to_owned();
    // Nobody waits for it longer than told: it ends with the process.
    thread::spawn(move || tell.send((asked.as_str(), 80).to_socket_addrs().map(|found| found.count())));
    let why = match told.recv_timeout(RESOLVER) {
        Ok(Ok(1..)) => return Check::works("names", "DNS", format!("{host} has an address")),
        Ok(Ok(_)) => "no answer".to_owned(),
        Ok(Err(error)) => error.to_string().replace("failed to lookup address information: ", ""),
        Err(_) => format!("no answer in {} s", RESOLVER.as_secs()),
    };
    Check::fails("names", "DNS", format!("this computer finds no address for {host}: {why}"), mend_names())
}

/// The resolver needs a server; at home and in labs the router is one.
fn mend_names() -> String {
    let config = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let has_server = config.lines().any(|line| line.trim_start().starts_with("nameserver"));
    let anywhere = IpAddr::from([192, 88, 99, 1]);
    let router = interfaces::way_to(anywhere).ok().flatten().and_then(|way| way.gateway);
    match router {
        Some(router) if !has_server => format!("echo nameserver {router} | sudo tee -a /etc/resolv.conf"),
        Some(_) => "cat /etc/resolv.conf     (who was asked, and gave no address)".to_owned(),
        None => "framewise fetch https://shop.test/     (needs no network; from here no way leads to the internet)"
            .to_owned(),
    }
}

/// Capabilities of Linux (capabilities(7)).
#[derive(Clone, Copy)]
pub(super) enum Right {
    /// To make and change interfaces.
    NetAdmin = 12,
    /// To open packet sockets.
    NetRaw = 13,
}

/// Whether this process has a right.
pub(super) fn has(right: Right) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default();
    effective & (1 << right as u64) != 0
}

fn rights() -> Check {
    if has(Right::NetAdmin) {
        let says = "may make devices; what runs on one gives the right up first";
        return Check::works("rights", "link", says);
    }
    let says = "an ordinary user: may use a TAP that root has made for them, by sudo framewise tap up";
    Check::open("rights", "link", says)
}

/// Whether `/dev/net/tun` leads to a driver.
fn driver() -> Check {
    let tun = "/dev/net/tun";
    let fails = |says: &str, mend: &str| Check::fails(DRIVER, "link", format!("{tun} {says}"), mend);
    let Err(error) = OpenOptions::new().read(true).write(true).open(tun) else {
        return Check::works(DRIVER, "link", format!("{tun} may be opened"));
    };
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            fails("may not be opened by this user", "sudo chmod 0666 /dev/net/tun")
        }
        io::ErrorKind::NotFound if is_driver_there() => fails(
            "is missing, though its driver is loaded",
            "sudo mkdir -p /dev/net && sudo mknod -m 0666 /dev/net/tun c 10 200",
        ),
        _ => fails("has no driver behind it", "sudo modprobe tun"),
    }
}

/// The kernel's list of small drivers (Documentation/admin-guide/devices.txt: TUN and TAP are number 200).
fn is_driver_there() -> bool {
    let drivers = fs::read_to_string("/proc/misc").unwrap_or_default();
    drivers.lines().any(|line| line.split_whitespace().eq(["200", "tun"]))
}

/// Settings by which distributions forbid namespaces, the value that does, and one that does not.
const LIMITS: [(&str, &str, &str); 4] = [
    ("user.max_user_namespaces", "0", "15000"),
    ("user.max_net_namespaces", "0", "15000"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
];

/// Whether a network of one's own can be made to try things in.
fn namespaces() -> Check {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => {
            let says = "a network of one's own can be made, for trying: unshare --user --net";
            Check::works("namespaces", "link", says)
        }
        Ok(_) => {
            let forbids = |(name, value, _): &&(&str, &str, &str)| {
                let path = Path::new("/proc/sys").join(name.replace('.', "/"));
                fs::read_to_string(path).is_ok_and(|now| now.trim() == *value)
            };
            let mend = LIMITS.iter().find(forbids).map_or_else(
                || "sudo framewise doctor     (root may make them)".to_owned(),
                |(name, _, good)| format!("sudo sysctl {name}={good}"),
            );
            Check::fails("namespaces", "link", "this user may not make a network of their own", mend)
        }
        Err(_) => Check::open("namespaces", "link", "not looked at: unshare is not installed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_clock_that_is_older_than_this_program_is_wrong() {
        for wrong in [0, 978_307_200, CREDIBLE.end] {
            let check = clock(wrong);
            assert!(
                matches!(&check.verdict, Verdict::Fails { mend } if mend.contains("set-ntp")),
                "{check:?}"
            );
        }
        assert_eq!(clock(1_795_000_000).verdict, Verdict::Works);
        assert!(clock(978_307_200).says.starts_with("it is 2001"), "{}", clock(978_307_200).says);
    }
}
