//! What the kernel tells of a device, without opening it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use framewise::device::interfaces::{self, KernelInterface};

use super::Check;
use super::computer::{Right, has};
use crate::args::{DeviceName, TapHost};
use crate::tap::{holders, nat};

/// The checks without which the device can't be opened.
pub(super) const BARS_OPENING: [&str; 3] = ["device", "owner", "free"];

pub(super) fn look(device: DeviceName<'_>, args: &TapHost) -> Vec<Check> {
    let all = interfaces::all().unwrap_or_default();
    let Some(link) = all.iter().find(|link| link.name == device.name()) else {
        return vec![missing(device, args)];
    };
    let mut checks = vec![kind_and_state(device, link), owner(device, link)];
    if let DeviceName::Tap(_) = device {
        checks.push(free(link));
    }
    if args.address.is_empty() {
        checks.push(Check::open("kernel", "IPv4", "not looked at: say my address there by --address"));
        return checks;
    }
    checks.push(not_the_kernels(args, &all));
    checks.push(way(link, args));
    let is_here =
        |gateway: &&IpAddr| all.iter().flat_map(|link| &link.addresses).any(|(its, _)| its == *gateway);
    for &gateway in args.gateway.iter().filter(is_here) {
        checks.push(forwards(link, gateway));
        checks.extend(firewall(link, gateway));
    }
    checks
}

/// A command that makes the TAP, on the network that our address is of.
fn make_it(name: &str, args: &TapHost) -> String {
    format!("sudo framewise tap up {name} --address {}", kernel_address(args))
}

/// An address for the kernel in our network: the gateway that was asked for, or the first one that is not ours.
fn kernel_address(args: &TapHost) -> String {
    let Some(ours) = args.address.first() else { return "192.0.2.1/24".to_owned() };
    let in_network = |gateway: &&IpAddr| ours.contains(**gateway);
    if let Some(gateway) = args.gateway.iter().find(in_network) {
        return format!("{gateway}/{}", ours.prefix);
    }
    let candidates = (1..=2).filter_map(|number| nth(ours.network().address, number));
    let theirs = candidates.into_iter().find(|address| *address != ours.address);
    format!("{}/{}", theirs.unwrap_or(ours.address), ours.prefix)
}

/// The address so many after another.
pub(super) fn nth(address: IpAddr, number: u32) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => Some(u32::from(address).checked_add(number)?.to_be_bytes().into()),
        IpAddr::V6(address) => Some(u128::from(address).checked_add(number.into())?.to_be_bytes().into()),
    }
}

fn missing(device: DeviceName<'_>, args: &TapHost) -> Check {
    let says = format!("there is no {}", device.name());
    match device {
        DeviceName::Tap(name) => Check::fails("device", "Ethernet", says, make_it(name, args)),
        DeviceName::Interface(_) => {
            Check::fails("device", "Ethernet", says, "ip link     (lists what is there)")
        }
    }
}

fn kind_and_state(device: DeviceName<'_>, link: &KernelInterface) -> Check {
    let name = &link.name;
    let kind = link.kind.as_deref().unwrap_or("hardware");
    match device {
        DeviceName::Tap(_) if !link.is_tap() => {
            let mend = format!("framewise doctor --interface {name}     (as root, by a packet socket)");
            return Check::fails("device", "Ethernet", format!("{name} is no TAP, but of kind {kind}"), mend);
        }
        DeviceName::Interface(_) if link.mac.is_none() => {
            let says = format!("{name} is of kind {kind}, and no Ethernet");
            return Check::fails("device", "Ethernet", says, "ip link     (lists what is there)");
        }
        _ => {}
    }
    if !link.up {
        let mend = if link.is_ours && link.is_tap() {
            format!("sudo framewise tap up {name}")
        } else {
            format!("sudo ip link set {name} up")
        };
        return Check::fails("device", "Ethernet", format!("{name} is down"), mend);
    }
    let made = if link.is_ours { "made by framewise" } else { "made by others" };
    let bridge = link.bridge.as_ref().map_or_else(String::new, |bridge| format!(", on the bridge {bridge}"));
    Check::works("device", "Ethernet", format!("{name} is up, of kind {kind}, {made}{bridge}"))
}

/// Whether this user may open it.
fn owner(device: DeviceName<'_>, link: &KernelInterface) -> Check {
    let me = rustix::process::geteuid().as_raw();
    let name = &link.name;
    match device {
        DeviceName::Tap(_) if has(Right::NetAdmin) || link.owner.is_none_or(|user| user == me) => {
            Check::works("owner", "Ethernet", "this user may open it")
        }
        DeviceName::Tap(_) => {
            let whose = link.owner.map_or_else(|| "root's".to_owned(), |user| format!("user {user}'s"));
            let says = format!("it is {whose}, and user {me} may not open it");
            Check::fails("owner", "Ethernet", says, format!("sudo framewise tap up {name} --owner {me}"))
        }
        DeviceName::Interface(_) if has(Right::NetRaw) => {
            Check::works("owner", "Ethernet", "this user may open a packet socket on it")
        }
        DeviceName::Interface(_) => {
            let says = "only root may open a packet socket";
            Check::fails("owner", "Ethernet", says, format!("sudo framewise doctor --interface {name}"))
        }
    }
}

/// Whether nobody has the TAP open: one program alone can.
fn free(link: &KernelInterface) -> Check {
    let holders = holders::of(&link.name);
    match holders.first() {
        Some(holder) => {
            let says = format!("{}, process {}, has it open", holder.program, holder.process);
            Check::fails("free", "Ethernet", says, format!("kill {}", holder.process))
        }
        None if link.carrier => {
            let says = "a program has it open that only root may see";
            Check::fails("free", "Ethernet", says, format!("sudo framewise doctor --tap {}", link.name))
        }
        None => Check::works("free", "Ethernet", "no program has it open"),
    }
}

/// Whether our addresses are ours alone on this computer: the kernel answers ARP for its own on any interface, and with
/// RST for connections that it does not know (RFC 9293, section 3.5.2).
fn not_the_kernels(args: &TapHost, all: &[KernelInterface]) -> Check {
    for cidr in &args.address {
        let has = |link: &&KernelInterface| link.addresses.iter().any(|(its, _)| *its == cidr.address);
        let Some(link) = all.iter().find(has) else { continue };
        let prefix =
            link.addresses.iter().find(|(its, _)| *its == cidr.address).map_or(cidr.prefix, |(_, p)| *p);
        let says = format!(
            "{} is the kernel's own, on {}: it would answer our connections with RST",
            cidr.address, link.name
        );
        let mend = format!("sudo ip address del {}/{prefix} dev {}", cidr.address, link.name);
        return Check::fails("kernel", "TCP", says, mend);
    }
    Check::works("kernel", "TCP", "answers none of our connections with RST: the addresses are ours alone")
}

/// Whether what the kernel sends to us leaves by this device.
fn way(link: &KernelInterface, args: &TapHost) -> Check {
    let network = link.bridge.as_ref().unwrap_or(&link.name);
    for cidr in &args.address {
        let way = interfaces::way_to(cidr.address).ok().flatten();
        match way {
            Some(way) if way.interface == *network && way.gateway.is_none() => {}
            Some(way) if way.gateway.is_none() => {
                let says =
                    format!("this computer's way to {} is {}, not {network}", cidr.address, way.interface);
                let mend =
                    format!("sudo ip route replace {}/{} dev {network}", cidr.address, full(cidr.address));
                return Check::fails("route", "IPv4", says, mend);
            }
            _ => {
                let says = format!("this computer has no address in {} on {network}", cidr.network());
                return Check::fails("route", "IPv4", says, address_there(link, args));
            }
        }
    }
    Check::works("route", "IPv4", format!("this computer's way to me is {network}"))
}

/// A command that gives the kernel an address in our network.
fn address_there(link: &KernelInterface, args: &TapHost) -> String {
    let address = kernel_address(args);
    match &link.bridge {
        Some(bridge) if link.is_ours => {
            format!("sudo framewise tap up {} --bridge {bridge} --address {address}", link.name)
        }
        None if link.is_ours => format!("sudo framewise tap up {} --address {address}", link.name),
        _ => format!("sudo ip address add {address} dev {}", link.bridge.as_ref().unwrap_or(&link.name)),
    }
}

fn full(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether the kernel, which is our gateway, passes packets on.
fn forwards(link: &KernelInterface, gateway: IpAddr) -> Check {
    let (protocol, switch) = match gateway {
        IpAddr::V4(_) => ("IPv4", "net.ipv4.ip_forward"),
        IpAddr::V6(_) => ("IPv6", "net.ipv6.conf.all.forwarding"),
    };
    let file = Path::new("/proc/sys").join(switch.replace('.', "/"));
    let is_on = fs::read_to_string(file).is_ok_and(|now| now.trim() != "0");
    if is_on {
        return Check::works("forwarding", protocol, format!("{gateway}, this computer, passes packets on"));
    }
    let mend = match &link.bridge {
        _ if !link.is_ours => format!("sudo sysctl {switch}=1"),
        Some(bridge) => format!("sudo framewise tap up {} --bridge {bridge} --nat", link.name),
        None => format!("sudo framewise tap up {} --nat", link.name),
    };
    let says = format!("{gateway} is this computer, which passes no {protocol} packets on");
    Check::fails("forwarding", protocol, says, mend)
}

/// Whether this computer's firewall, if it has one, lets through what comes from the link, and the answers.
fn firewall(link: &KernelInterface, gateway: IpAddr) -> Option<Check> {
    let (protocol, program) = match gateway {
        IpAddr::V4(_) => ("IPv4", "iptables"),
        IpAddr::V6(_) => ("IPv6", "ip6tables"),
    };
    let network = link.bridge.as_ref().unwrap_or(&link.name);
    let passes = nat::passes_on(network, gateway).filter(|_| has(Right::NetAdmin))?;
    if passes {
        return Some(Check::works(
            "firewall",
            protocol,
            format!("iptables lets through what {network} sends"),
        ));
    }
    let says = format!("this computer's firewall drops the {protocol} packets that {network} sends on");
    let rule = |way: &str| format!("sudo {program} -I FORWARD -{way} {network} -j ACCEPT");
    Some(Check::fails("firewall", protocol, says, format!("{} && {}", rule("i"), rule("o"))))
}
