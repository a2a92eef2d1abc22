//! TAPs that stay: made once by root, then used by a program without rights.
//!
//! An interface that framewise made carries the remark `framewise` (its alias, seen by `ip link`). Only such ones
//! are ever changed or removed. All of one setup happens before the interface is made to stay, so a
//! run that is killed halfway leaves nothing behind.

use std::net::IpAddr;

use framewise_core::MacAddr;

use crate::linux;
use crate::netlink::{Link, Netlink};
use crate::tap::{Tap, TapError, check_name, failed};

/// The remark on interfaces that framewise made.
pub const MARK: &str = "framewise";

/// A TAP that framewise made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapStatus {
    /// Its name.
    pub name: String,
    /// The MAC address of the kernel's end.
    pub mac: Option<MacAddr>,
    /// Bytes of the largest IP packet.
    pub mtu: usize,
    /// Whether the kernel's end is up.
    pub up: bool,
    /// Whether a program has opened the other end.
    pub in_use: bool,
    /// The kernel's addresses on it with their prefix lengths.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// Makes a TAP that stays, with the kernel's addresses on it, up, and to be opened by the user `owner` too.
/// One that framewise made before gets what it lacks.
///
/// # Errors
/// The name belongs to another interface, or one is not root. Nothing is left behind.
pub fn up(name: &str, addresses: &[(IpAddr, u8)], owner: Option<u32>) -> Result<(), TapError> {
    check_name(name)?;
    let mut netlink = Netlink::open().map_err(failed(name, "ask the kernel about it"))?;
    if let Some(link) = find(&mut netlink, name)? {
        ours(&link)?;
        return configure(&mut netlink, name, link.index, addresses);
    }
    let tap = Tap::open(name)?;
    let index = tap.index()?;
    netlink.set_alias(index, MARK).map_err(failed(name, "write a remark on it"))?;
    configure(&mut netlink, name, index, addresses)?;
    if let Some(owner) = owner {
        linux::set_owner(tap.iface(), owner).map_err(failed(name, "give it to its owner"))?;
    }
    linux::set_persistent(tap.iface(), true).map_err(failed(name, "make it stay"))
}

/// Removes a TAP that framewise made, with its addresses.
///
/// # Errors
/// There is none of this name, framewise did not make it, or one is not root.
pub fn down(name: &str) -> Result<(), TapError> {
    check_name(name)?;
    let mut netlink = Netlink::open().map_err(failed(name, "ask the kernel about it"))?;
    let link = find(&mut netlink, name)?.ok_or_else(|| TapError::Missing { name: name.to_owned() })?;
    ours(&link)?;
    netlink.delete(link.index).map_err(|source| {
        if source.raw_os_error() == Some(libc::EPERM) {
            let name = name.to_owned();
            return TapError::Forbidden { name, source };
        }
        failed(name, "remove it")(source)
    })
}

/// The TAPs that framewise made, sorted by name. Needs no rights.
///
/// # Errors
/// The kernel does not answer.
pub fn status() -> Result<Vec<TapStatus>, TapError> {
    let unanswered = || failed("all interfaces", "list them");
    let mut netlink = Netlink::open().map_err(unanswered())?;
    let links = netlink.links().map_err(unanswered())?;
    let mut taps = Vec::new();
    for link in links.into_iter().filter(is_ours) {
        let addresses = netlink.addresses(link.index).map_err(unanswered())?;
        taps.push(TapStatus {
            name: link.name,
            mac: link.mac,
            mtu: link.mtu,
            up: link.up,
            in_use: link.carrier,
            addresses,
        });
    }
    taps.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(taps)
}

fn configure(
    netlink: &mut Netlink,
    name: &str,
    index: u32,
    addresses: &[(IpAddr, u8)],
) -> Result<(), TapError> {
    for &(address, prefix) in addresses {
        netlink.add_address(index, address, prefix).map_err(failed(name, "put its address on it"))?;
    }
    netlink.set_up(index).map_err(failed(name, "bring it up"))
}

fn find(netlink: &mut Netlink, name: &str) -> Result<Option<Link>, TapError> {
    netlink.link(name).map_err(failed(name, "ask the kernel about it"))
}

fn ours(link: &Link) -> Result<(), TapError> {
    if is_ours(link) {
        return Ok(());
    }
    Err(TapError::NotOurs { name: link.name.clone() })
}

/// Whether framewise made it: what others made is left as it is.
pub(crate) fn is_ours(link: &Link) -> bool {
    link.kind.as_deref() == Some("tun") && link.alias.as_deref() == Some(MARK)
}
