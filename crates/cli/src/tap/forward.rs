//! Whether this computer's kernel forwards packets: switched on, and back to exactly what was there.
//!
//! Read first: the kernel's Documentation/networking/ip-sysctl.rst, `ip_forward` and `forwarding`. The one switch changes
//! settings of every interface along with it, and those of interfaces to come. So all of them are looked at before.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Kind};

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Family {
    #[serde(rename = "IPv4")]
    Ipv4,
    #[serde(rename = "IPv6")]
    Ipv6,
}

impl Family {
    pub(super) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
    }

    /// The one switch.
    fn switch(self) -> &'static Path {
        Path::new(match self {
            Family::Ipv4 => "/proc/sys/net/ipv4/ip_forward",
            Family::Ipv6 => "/proc/sys/net/ipv6/conf/all/forwarding",
        })
    }

    /// Where the settings of each interface are.
    fn interfaces(self) -> &'static Path {
        Path::new(match self {
            Family::Ipv4 => "/proc/sys/net/ipv4/conf",
            Family::Ipv6 => "/proc/sys/net/ipv6/conf",
        })
    }

    /// All that the switch changes, but for itself.
    fn settings(self) -> io::Result<Vec<PathBuf>> {
        let mut settings = Vec::new();
        for interface in fs::read_dir(self.interfaces())? {
            let setting = interface?.path().join("forwarding");
            if !setting.ends_with("all/forwarding") {
                settings.push(setting);
            }
        }
        if self == Family::Ipv4 {
            // A router takes no redirects (RFC 1812, section 5.2.7.2).
            settings.push(self.interfaces().join("all/accept_redirects"));
        }
        settings.sort();
        Ok(settings)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}

/// What was there before the switch was turned on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved(BTreeMap<PathBuf, String>);

impl Saved {
    /// Turns the switch off, and writes back what that changes too far. What is gone with its interface stays so.
    pub(super) fn restore(&self, family: Family) -> Result<(), Failure> {
        write(family.switch(), "0").map_err(|error| refused(family, &error))?;
        for (setting, before) in &self.0 {
            match read(setting) {
                Ok(now) if now != *before => {
                    write(setting, before).map_err(|error| refused(family, &error))?
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the kernel forwards.
pub(super) fn is_on(family: Family) -> Result<bool, Failure> {
    read(family.switch()).map(|now| now != "0").map_err(|error| {
        Failure::new(Kind::Device, format!("this kernel does not tell whether it forwards {family}: {error}"))
    })
}

/// Has the kernel forward.
pub(super) fn turn_on(family: Family) -> Result<(), Failure> {
    write(family.switch(), "1").map_err(|error| refused(family, &error))
}

/// What the switch would change, as it is now.
pub(super) fn look(family: Family) -> Result<Saved, Failure> {
    let settings = family.settings().map_err(|error| refused(family, &error))?;
    Ok(Saved(
        settings.into_iter().filter_map(|setting| Some((setting.clone(), read(&setting).ok()?))).collect(),
    ))
}

/// A router forgets the routers that it has learnt from their advertisements (RFC 4861, section 6.2.8), so a laptop would be
/// cut off from its network.
pub(super) fn check_harmless(family: Family) -> Result<(), Failure> {
    if family == Family::Ipv4 {
        return Ok(());
    }
    let routes = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let accepts = |interface: &str| read(&family.interfaces().join(interface).join("accept_ra"));
    let learnt = learnt_routers(&routes).into_iter().find(|on| accepts(on).is_ok_and(|now| now != "2"));
    let Some(interface) = learnt else { return Ok(()) };
    let sentence = format!(
        "to forward IPv6, this computer's kernel would forget the router that it has learnt of on {interface}"
    );
    Err(Failure::new(Kind::Device, sentence)
        .next(format!("sudo sysctl net.ipv6.conf.{interface}.accept_ra=2")))
}

/// The interfaces with a default route that an advertisement brought (`/proc/net/ipv6_route`: the flags are the field
/// before the interface).
fn learnt_routers(routes: &str) -> Vec<&str> {
    const DEFAULT_AND_ADVERTISED: u32 = 0x0001_0000 | 0x0004_0000;
    let learnt = |line: &'_ str| -> Option<bool> {
        let flags = line.split_whitespace().rev().nth(1)?;
        let flags = u32::from_str_radix(flags, 16).ok()?;
        Some(flags & DEFAULT_AND_ADVERTISED == DEFAULT_AND_ADVERTISED)
    };
    let lines = routes.lines().filter(|line| learnt(line) == Some(true));
    lines.filter_map(|line| line.split_whitespace().next_back()).collect()
}

/// Addresses of one link alone, which nobody routes (RFC 3927, RFC 4291 section 2.5.6).
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn read(setting: &Path) -> io::Result<String> {
    fs::read_to_string(setting).map(|text| text.trim().to_owned())
}

fn write(setting: &Path, value: &str) -> io::Result<()> {
    fs::write(setting, value)
}

fn refused(family: Family, error: &io::Error) -> Failure {
    let sentence = format!("whether this computer forwards {family} could not be changed: {error}");
    Failure::new(Kind::Device, sentence).next("the same with sudo")
}

#[cfg(test)]
mod tests {
    use super::learnt_routers;

    #[test]
    fn a_router_that_advertised_itself_is_told_from_one_that_was_set() {
        let route = |flags: &str, interface: &str| {
            let zeros = "0".repeat(32);
            format!(
                "{zeros} 00 {zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 {flags} {interface}\n"
            )
        };
        let routes = route("00450003", "wlan0") + &route("00000003", "eth0") + &route("00200200", "lo");
        assert_eq!(learnt_routers(&routes), ["wlan0"]);
    }
}
