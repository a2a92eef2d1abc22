//! `framewise tap`: TAP devices made, joined, removed and listed, and what this computer's kernel does for them.
//!
//! | what | by | undone by |
//! |---|---|---|
//! | TAPs, bridges, addresses | netlink, in `framewise::device::tap_setup` | their removal: the kernel forgets all of it |
//! | forwarding | `forward` | writing what was there before, which the [`record`] keeps |
//! | NAT | `nat` | removing a table of its own name, which the [`record`] knows of |
//!
//! Each deed is recorded before it is done, so that `down` undoes also what a killed `up` has begun.

mod forward;
pub(crate) mod holders;
pub(crate) mod nat;
mod record;
mod status;

use std::collections::BTreeSet;

use framewise::device::interfaces::{self, KernelInterface};
use framewise::device::{TapError, tap_setup};
use framewise::ip::Cidr;

use self::forward::Family;
use self::record::{Done, Ledger};
use crate::args::{Tap, TapUp};
use crate::exit::{Failure, Kind};
use crate::output;

pub(crate) fn run(action: Tap) -> Result<(), Failure> {
    match action {
        Tap::Up(args) => up(&args),
        Tap::Down { names, all } => down(names, all),
        Tap::Status { names, json } => status::run(&names, json),
    }
}

fn up(args: &TapUp) -> Result<(), Failure> {
    check(args)?;
    let before = all_interfaces()?;
    let done = make(args, &before).and_then(|()| serve_network(args));
    if done.is_err() {
        // What was there before stays; what could not be finished does not. Where this fails, too, `down` can do it later.
        let is_new = |name: &&String| !before.iter().any(|interface| interface.name == **name);
        let new: Vec<_> = args.names.iter().filter(is_new).cloned().collect();
        let _ = take_down(&new);
    }
    output::print(&format!("{}{}", told(args), done?))
}

fn check(args: &TapUp) -> Result<(), Failure> {
    let names = args.names.join(" ");
    if args.names.len() > 1 && args.bridge.is_none() && !args.address.is_empty() {
        let sentence = "several TAPs can't have the same address, unless they are joined by a bridge";
        let address = args.address.iter().map(|cidr| format!(" --address {cidr}")).collect::<String>();
        return Err(Failure::new(Kind::Usage, sentence)
            .next(format!("sudo framewise tap up {names} --bridge fwbr{address}")));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = args.names.iter().find(|name| !seen.insert(*name)) {
        let sentence = format!("{twice} is named twice: two TAPs can't have the same name");
        let names: Vec<&str> = seen.into_iter().map(String::as_str).collect();
        return Err(
            Failure::new(Kind::Usage, sentence).next(format!("sudo framewise tap up {}", names.join(" ")))
        );
    }
    if args.bridge.as_ref().is_some_and(|bridge| args.names.contains(bridge)) {
        return Err(Failure::new(Kind::Usage, "a bridge and a TAP can't have the same name")
            .next(format!("sudo framewise tap up {names} --bridge fwbr")));
    }
    Ok(())
}

/// The TAPs and their bridge.
fn make(args: &TapUp, before: &[KernelInterface]) -> Result<(), Failure> {
    let addresses: Vec<_> = args.address.iter().map(|cidr| (cidr.address, cidr.prefix)).collect();
    for name in &args.names {
        let is_owned = before.iter().any(|tap| tap.name == *name && tap.owner.is_some());
        let owner = args.owner.or_else(|| (!is_owned).then(caller));
        let made = match &args.bridge {
            Some(bridge) => tap_setup::up_on_bridge(name, bridge, &addresses, owner),
            None => tap_setup::up(name, &addresses, owner),
        };
        made.map_err(failed)?;
    }
    Ok(())
}

/// The user behind sudo, else this one. A TAP without an owner would be everybody's to open.
fn caller() -> u32 {
    let behind_sudo = std::env::var("SUDO_UID").ok().and_then(|user| user.parse().ok());
    behind_sudo.unwrap_or_else(|| rustix::process::geteuid().as_raw())
}

/// Forwarding and NAT, for the networks that are on the TAP or its bridge. What was done, as sentences.
fn serve_network(args: &TapUp) -> Result<String, Failure> {
    if !args.forward && args.nat.is_none() {
        return Ok(String::new());
    }
    let link = args.bridge.as_ref().or(args.names.first()).cloned().unwrap_or_default();
    let networks = networks_of(&link)?;
    let families: BTreeSet<_> = networks.iter().map(|network| Family::of(network.address)).collect();
    if families.is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            format!("this computer has no address on {link} to route for"),
        )
        .next(format!("sudo framewise tap up {} --address 192.0.2.1/24 --nat", args.names.join(" "))));
    }
    let nat = args.nat.map(nat::find).transpose()?;
    let mut ledger = Ledger::open()?;
    let mut told = String::new();
    for &family in &families {
        if forward_for(&mut ledger, &link, family)? {
            told.push_str(&format!("\n{family} packets are forwarded now, until tap down"));
        }
    }
    if let Some(nat) = nat {
        ledger.record.links.entry(link.clone()).or_default().nat = Some(nat.clone());
        ledger.write()?;
        nat.add(&link, &networks)?;
        told.push_str(&format!(
            "\nwhat comes from there goes on under this computer's addresses (NAT by {nat})"
        ));
    }
    Ok(told)
}

/// Has the kernel forward. `false`: it did so before, and by nobody of ours.
fn forward_for(ledger: &mut Ledger, link: &str, family: Family) -> Result<bool, Failure> {
    let is_ours = ledger.record.forwarding.contains_key(&family);
    if forward::is_on(family)? && !is_ours {
        return Ok(false);
    }
    if !is_ours {
        forward::check_harmless(family)?;
        ledger.record.forwarding.insert(family, forward::look(family)?);
    }
    ledger.record.links.entry(link.to_owned()).or_default().forward.insert(family);
    ledger.write()?;
    forward::turn_on(family)?;
    Ok(true)
}

fn networks_of(link: &str) -> Result<Vec<Cidr>, Failure> {
    let interfaces = all_interfaces()?;
    let interface = interfaces.iter().find(|interface| interface.name == link);
    let addresses = interface.map(|interface| interface.addresses.clone()).unwrap_or_default();
    let routed = addresses.into_iter().filter(|(address, _)| !forward::is_link_local(*address));
    Ok(routed.map(|(address, prefix)| Cidr::new(address, prefix).network()).collect())
}

fn told(args: &TapUp) -> String {
    let names = args.names.join(" and ");
    let are = if args.names.len() == 1 { "is" } else { "are" };
    let bridge = args.bridge.as_ref().map_or_else(String::new, |bridge| format!(" on the bridge {bridge}"));
    let at: Vec<_> = args.address.iter().map(ToString::to_string).collect();
    let at = if at.is_empty() { "without an address".to_owned() } else { at.join(", ") };
    format!("{names} {are} up{bridge}: this computer is {at} on it")
}

fn down(names: Vec<String>, all: bool) -> Result<(), Failure> {
    let names = if all { everything()? } else { names };
    if names.is_empty() {
        return output::print("framewise has made nothing here");
    }
    let mut told = take_down(&names)?;
    let missing: Vec<_> = names.into_iter().filter(|name| !told.contains(name)).collect();
    if let Some(name) = missing.first() {
        let sentence = format!("there is no {name}, and nothing is left of it");
        return Err(Failure::new(Kind::Device, sentence).next("framewise tap status"));
    }
    let last = told.pop().unwrap_or_default();
    let sentence = match told.as_slice() {
        [] => format!("{last} is removed, with all that was done for it"),
        others => format!("{} and {last} are removed, with all that was done for them", others.join(", ")),
    };
    output::print(&sentence)
}

/// All that framewise has made, and what was recorded for links that are gone.
fn everything() -> Result<Vec<String>, Failure> {
    let mut names: BTreeSet<_> =
        tap_setup::status().map_err(failed)?.into_iter().map(|tap| tap.name).collect();
    names.extend(leftovers(&Ledger::open()?, &all_interfaces()?));
    Ok(names.into_iter().collect())
}

/// Removes these TAPs, and undoes what was done for links that are gone then. Gives the names of what was removed; what
/// is not there, and left nothing behind, is not among them.
fn take_down(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut removed = Vec::new();
    for name in names {
        match tap_setup::down(name) {
            Ok(links) => removed.extend(links),
            Err(TapError::Missing { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let mut ledger = Ledger::open()?;
    for link in leftovers(&ledger, &all_interfaces()?) {
        undo(&mut ledger, &link)?;
        if !removed.contains(&link) {
            removed.push(link);
        }
    }
    Ok(removed)
}

/// Links for which something was done, and which are gone: removed by us, or by others without our knowing.
fn leftovers(ledger: &Ledger, interfaces: &[KernelInterface]) -> Vec<String> {
    let is_there = |link: &str| interfaces.iter().any(|there| there.is_ours && there.name == link);
    ledger.record.links.keys().filter(|link| !is_there(link)).cloned().collect()
}

/// Undoes what was done for one link: NAT, and forwarding where no other link wants it any more.
fn undo(ledger: &mut Ledger, link: &str) -> Result<(), Failure> {
    let Some(Done { nat, forward }) = ledger.record.links.get(link).cloned() else { return Ok(()) };
    if let Some(nat) = nat {
        nat.remove(link)?;
    }
    ledger.record.links.remove(link);
    for family in forward {
        let is_wanted = ledger.record.links.values().any(|done| done.forward.contains(&family));
        if let Some(saved) = ledger.record.forwarding.get(&family).filter(|_| !is_wanted) {
            saved.restore(family)?;
            ledger.record.forwarding.remove(&family);
        }
    }
    ledger.write()
}

fn all_interfaces() -> Result<Vec<KernelInterface>, Failure> {
    interfaces::all().map_err(|error| {
        Failure::new(Kind::Device, format!("the kernel does not tell its interfaces: {error}"))
    })
}

/// Why a TAP can't be had, with what the kernel said.
fn failed(error: TapError) -> Failure {
    let next = match &error {
        TapError::Missing { name } => format!("sudo framewise tap up {name}"),
        TapError::NoDriver(_) | TapError::DriverForbidden(_) => "framewise doctor".to_owned(),
        TapError::Busy { name, .. } => format!("sudo framewise tap status {name}     (says who holds it)"),
        TapError::BadName { .. } | TapError::NotOurs { .. } | TapError::NotABridge { .. } => {
            "framewise tap status     (lists what framewise made)".to_owned()
        }
        _ => "the same with sudo".to_owned(),
    };
    Failure::of_device(&error).next(next)
}
