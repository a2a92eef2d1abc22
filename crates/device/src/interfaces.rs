//! What the kernel of this computer knows of its interfaces and ways. To look needs no right.

use std::io;
use std::net::IpAddr;

use framewise_core::MacAddr;

use crate::linux;
use crate::netlink::{Link, Netlink};
use crate::tap_setup::MARK;

/// One of the kernel's interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelInterface {
    /// Its name.
    pub name: String,
    /// What made it: `tun` (TUN and TAP), `veth`, `bridge`; `None` for hardware.
    pub kind: Option<String>,
    /// Whether framewise made it.
    pub is_ours: bool,
    /// The MAC address of the kernel's end.
    pub mac: Option<MacAddr>,
    /// Bytes of the largest IP packet.
    pub mtu: usize,
    /// Whether the kernel's end is up.
    pub up: bool,
    /// Whether there is somebody at the other end: of a TAP, whether a program has opened it.
    pub carrier: bool,
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
    /// The user who may open this TAP without rights.
    pub owner: Option<u32>,
    /// The kernel's addresses on it with their prefix lengths.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl KernelInterface {
    /// Whether it is a TAP or a TUN.
    pub fn is_tap(&self) -> bool {
        self.kind.as_deref() == Some("tun")
    }

    /// Whether it is a bridge.
    pub fn is_bridge(&self) -> bool {
        self.kind.as_deref() == Some("bridge")
    }
}

/// Which way the kernel sends packets to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelWay {
    /// The interface.
    pub interface: String,
    /// The router, where there is one between.
    pub gateway: Option<IpAddr>,
    /// Whether the address is this computer's own.
    pub is_own: bool,
}

/// All interfaces, sorted by name.
///
/// # Errors
/// The kernel does not answer.
pub fn all() -> io::Result<Vec<KernelInterface>> {
    let mut netlink = Netlink::open()?;
    let (links, addresses) = (netlink.links()?, netlink.addresses()?);
    let name_of = |index| links.iter().find(|link| link.index == index).map(|link| link.name.clone());
    let interface = |link: &Link| KernelInterface {
        name: link.name.clone(),
        kind: link.kind.clone(),
        is_ours: is_ours(link),
        mac: link.mac,
        mtu: link.mtu,
        up: link.up,
        carrier: link.carrier,
        bridge: link.bridge.and_then(name_of),
        owner: link.owner,
        addresses: of_interface(&addresses, link.index),
    };
    let mut interfaces: Vec<_> = links.iter().map(interface).collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(interfaces)
}

/// Which way packets to `address` go; `None`: no route leads there.
///
/// # Errors
/// The kernel does not answer.
pub fn way_to(address: IpAddr) -> io::Result<Option<KernelWay>> {
    let mut netlink = Netlink::open()?;
    let Some(way) = netlink.way_to(address)? else { return Ok(None) };
    let link = netlink.links()?.into_iter().find(|link| link.index == way.index);
    Ok(link.map(|link| KernelWay { interface: link.name, gateway: way.gateway, is_own: way.is_own }))
}

/// A number that tells this network namespace from all others of this computer, until it is started anew.
///
/// # Errors
/// The kernel is older than Linux 5.14.
pub fn namespace() -> io::Result<u64> {
    linux::namespace_cookie()
}

/// Whether framewise made it: what others made is left as it is.
pub(crate) fn is_ours(link: &Link) -> bool {
    matches!(link.kind.as_deref(), Some("tun" | "bridge")) && link.alias.as_deref() == Some(MARK)
}

fn of_interface(addresses: &[(u32, IpAddr, u8)], index: u32) -> Vec<(IpAddr, u8)> {
    let of_it = addresses.iter().filter(|(of, ..)| *of == index);
    of_it.map(|&(_, address, prefix)| (address, prefix)).collect()
}
