//! TAPs that stay, and bridges that join them: made once by root, then used by a program without rights.
//!
//! ```text
//!   framewise ── fw0 ── 192.0.2.1: the kernel          framewise ── a ─┐
//!                                                                       br ── 192.0.2.1: the kernel
//!                  a TAP                               framewise ── b ─┘
//! ```
//!
//! An interface that framewise made carries the remark `framewise` (its alias, seen by `ip link`). Only such ones
//! are ever changed or removed. All of one setup happens before the interface is made to stay, so a
//! run that is killed halfway leaves no TAP behind.

use std::net::IpAddr;

use crate::interfaces::{self, KernelInterface, is_ours};
use crate::linux;
use crate::netlink::{Link, Netlink};
use crate::tap::{Tap, check_name};
use crate::tap_error::{TapError, failed};

/// The remark on interfaces that framewise made.
pub const MARK: &str = "framewise";

/// Makes a TAP that stays, with the kernel's addresses on it, up, and to be opened by the user `owner` too.
/// One that framewise made before gets what it lacks.
///
/// # Errors
/// The name belongs to another interface, or one is not root. Nothing is left behind.
pub fn up(name: &str, addresses: &[(IpAddr, u8)], owner: Option<u32>) -> Result<(), TapError> {
    let mut netlink = open(name)?;
    make_tap(&mut netlink, name, owner, |netlink, index| configure(netlink, name, index, addresses))
}

/// Makes a TAP that stays, as [`up`] does, as a port of a bridge, which is made too if it is not there. The kernel's
/// addresses are on the bridge.
///
/// # Errors
/// A name belongs to another interface, or one is not root. Nothing is left behind.
pub fn up_on_bridge(
    name: &str,
    bridge: &str,
    addresses: &[(IpAddr, u8)],
    owner: Option<u32>,
) -> Result<(), TapError> {
    let mut netlink = open(name)?;
    if let Some(link) = find(&mut netlink, name)? {
        ours(&link)?;
    }
    let (port, made) = make_bridge(&mut netlink, bridge)?;
    let done = configure(&mut netlink, bridge, port, addresses).and_then(|()| {
        make_tap(&mut netlink, name, owner, |netlink, index| {
            netlink.set_bridge(index, port).map_err(failed(name, "make it a port of the bridge"))?;
            configure(netlink, name, index, &[])
        })
    });
    if done.is_err() && made {
        netlink.delete(port).map_err(failed(bridge, "remove it again"))?;
    }
    done
}

/// Removes a TAP that framewise made, with its addresses; and its bridge, if framewise made that and no other port is
/// left. Gives the names of what was removed.
///
/// # Errors
/// There is none of this name, framewise did not make it, or one is not root.
pub fn down(name: &str) -> Result<Vec<String>, TapError> {
    let mut netlink = open(name)?;
    let link = find(&mut netlink, name)?.ok_or_else(|| TapError::Missing { name: name.to_owned() })?;
    ours(&link)?;
    netlink.delete(link.index).map_err(refused(name, "remove it"))?;
    let mut removed = vec![link.name];
    let links = netlink.links().map_err(failed(name, "ask the kernel about its bridge"))?;
    let is_empty = |bridge: &&Link| !links.iter().any(|port| port.bridge == Some(bridge.index));
    let bridge = links.iter().find(|other| Some(other.index) == link.bridge && is_ours(other));
    if let Some(bridge) = bridge.filter(is_empty) {
        netlink.delete(bridge.index).map_err(refused(&bridge.name, "remove it"))?;
        removed.push(bridge.name.clone());
    }
    Ok(removed)
}

/// The TAPs that framewise made, sorted by name. Needs no rights.
///
/// # Errors
/// The kernel does not answer.
pub fn status() -> Result<Vec<KernelInterface>, TapError> {
    let all = interfaces::all().map_err(failed("all interfaces", "list them"))?;
    Ok(all.into_iter().filter(|interface| interface.is_ours && interface.is_tap()).collect())
}

/// Makes the TAP where there is none, or takes the one that framewise made; `set_up` does the rest to it.
fn make_tap(
    netlink: &mut Netlink,
    name: &str,
    owner: Option<u32>,
    set_up: impl FnOnce(&mut Netlink, u32) -> Result<(), TapError>,
) -> Result<(), TapError> {
    let give = |tap: &Tap| match owner {
        Some(owner) => {
            linux::set_owner(&tap.descriptor(), owner).map_err(failed(name, "give it to its owner"))
        }
        None => Ok(()),
    };
    if let Some(link) = find(netlink, name)? {
        ours(&link)?;
        if owner.is_some() && owner != link.owner {
            give(&Tap::open(name)?)?;
        }
        return set_up(netlink, link.index);
    }
    let tap = Tap::open(name)?;
    let index = tap.index()?;
    netlink.set_alias(index, MARK).map_err(failed(name, "write a remark on it"))?;
    set_up(netlink, index)?;
    give(&tap)?;
    linux::set_persistent(&tap.descriptor(), true).map_err(failed(name, "make it stay"))
}

/// The bridge's number in the kernel, and whether it was made just now.
fn make_bridge(netlink: &mut Netlink, name: &str) -> Result<(u32, bool), TapError> {
    check_name(name)?;
    if let Some(link) = find(netlink, name)? {
        ours(&link)?;
        if link.kind.as_deref() != Some("bridge") {
            return Err(TapError::NotABridge { name: name.to_owned() });
        }
        return Ok((link.index, false));
    }
    netlink.add_bridge(name).map_err(refused(name, "make it"))?;
    let link = find(netlink, name)?.ok_or_else(|| TapError::Missing { name: name.to_owned() })?;
    let marked = mark_bridge(netlink, name, &link);
    if marked.is_err() {
        // Without our mark on it nobody would remove it.
        let _ = netlink.delete(link.index);
    }
    marked.map(|()| (link.index, true))
}

fn mark_bridge(netlink: &mut Netlink, name: &str, link: &Link) -> Result<(), TapError> {
    netlink.set_alias(link.index, MARK).map_err(failed(name, "write a remark on it"))?;
    // Said expressly, so that it stays: else it would be that of a port, and change with the ports.
    link.mac.map_or(Ok(()), |mac| {
        netlink.set_mac(link.index, mac).map_err(failed(name, "settle its MAC address"))
    })
}

fn configure(
    netlink: &mut Netlink,
    name: &str,
    index: u32,
    addresses: &[(IpAddr, u8)],
) -> Result<(), TapError> {
    for &(address, prefix) in addresses {
        netlink.add_address(index, address, prefix).map_err(refused(name, "put its address on it"))?;
    }
    netlink.set_up(index).map_err(refused(name, "bring it up"))
}

fn open(name: &str) -> Result<Netlink, TapError> {
    check_name(name)?;
    Netlink::open().map_err(failed(name, "ask the kernel about it"))
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

/// What the kernel's refusal of a change means: mostly that one is not root.
fn refused<'n>(name: &'n str, what: &'static str) -> impl FnOnce(std::io::Error) -> TapError + 'n {
    move |source| match source.raw_os_error() {
        Some(libc::EPERM) => TapError::MayNotChange { name: name.to_owned(), source },
        _ => failed(name, what)(source),
    }
}
