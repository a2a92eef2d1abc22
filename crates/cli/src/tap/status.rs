//! `framewise tap status`: what framewise made, who uses it, and what was done for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use framewise::device::interfaces::KernelInterface;
use framewise::device::{TapError, tap_setup};
use serde_json::{Value, json};

use super::holders::{self, Holder};
use super::record::{self, Done, Record};
use super::{all_interfaces, failed};
use crate::exit::Failure;
use crate::output;

/// A TAP with all that is known about it.
struct Status {
    tap: KernelInterface,
    /// The kernel's addresses, on it or on its bridge.
    addresses: Vec<String>,
    holders: Vec<Holder>,
    /// What was done for its network; `None`: this user may not look.
    done: Option<Done>,
}

impl Status {
    /// The interface that has the network's addresses.
    fn network(&self) -> &str {
        self.tap.bridge.as_deref().unwrap_or(&self.tap.name)
    }
}

pub(super) fn run(names: &[String], json: bool) -> Result<(), Failure> {
    let (taps, gone) = (taps(names)?, gone()?);
    let missing = names.iter().find(|name| !taps.iter().any(|status| status.tap.name == **name));
    if let Some(name) = missing.filter(|name| !gone.contains(name)) {
        return Err(failed(TapError::Missing { name: name.clone() }));
    }
    output::print(&if json { as_json(&taps, &gone) } else { as_text(&taps, &gone) })
}

fn taps(names: &[String]) -> Result<Vec<Status>, Failure> {
    let (all, record) = (all_interfaces()?, record::look());
    let wanted = |tap: &KernelInterface| names.is_empty() || names.contains(&tap.name);
    let taps = tap_setup::status().map_err(failed)?.into_iter().filter(wanted);
    Ok(taps.map(|tap| status(tap, &all, record.as_ref())).collect())
}

fn status(tap: KernelInterface, all: &[KernelInterface], record: Option<&Record>) -> Status {
    let network = tap.bridge.as_ref().unwrap_or(&tap.name);
    let at = all.iter().filter(|interface| interface.name == *network).flat_map(|at| &at.addresses);
    let addresses = at.map(|(address, prefix)| format!("{address}/{prefix}")).collect();
    let done = record.map(|record| record.links.get(network).cloned().unwrap_or_default());
    let holders = if tap.carrier { holders::of(&tap.name) } else { Vec::new() };
    Status { addresses, holders, done, tap }
}

/// Links that are gone, for which something is left to be undone.
fn gone() -> Result<Vec<String>, Failure> {
    let all = all_interfaces()?;
    let is_there = |link: &str| all.iter().any(|there| there.is_ours && there.name == link);
    let record = record::look().unwrap_or_default();
    Ok(record.links.into_keys().filter(|link| !is_there(link)).collect())
}

fn as_text(taps: &[Status], gone: &[String]) -> String {
    let mut text = String::new();
    if taps.is_empty() && gone.is_empty() {
        return "framewise has made no TAP device here\n  try: sudo framewise tap up fw0 --address 192.0.2.1/24"
            .to_owned();
    }
    if !taps.is_empty() {
        let (tap, state, owner, bridge) = ("TAP", "state", "may open", "bridge");
        let _ = writeln!(text, "{tap:<10} {state:<13} {owner:<10} {bridge:<10} this computer there");
    }
    for status in taps {
        row(&mut text, status);
    }
    for (network, done) in networks(taps) {
        match done {
            Some(done) => done_for(&mut text, network, done),
            None => {
                let _ = writeln!(
                    text,
                    "whether there is NAT for {network} only root may see: sudo framewise tap status"
                );
            }
        }
    }
    for link in gone {
        let _ = writeln!(text, "{link} is gone, but what was done for it is left");
        let _ = writeln!(text, "  try: sudo framewise tap down {link}");
    }
    text
}

fn row(text: &mut String, status: &Status) {
    let tap = &status.tap;
    let state = match (tap.up, tap.carrier) {
        (true, true) => "up, in use",
        (true, false) => "up, free",
        (false, _) => "down",
    };
    let owner = match tap.owner {
        None => "everybody".to_owned(),
        Some(0) => "root".to_owned(),
        Some(user) => format!("user {user}"),
    };
    let bridge = tap.bridge.as_deref().unwrap_or("-");
    // Every interface has an address of its link alone: that is no news.
    let mut addresses = status.addresses.iter().filter(|address| !address.starts_with("fe80:"));
    let first = addresses.next().map_or("no address", String::as_str);
    let _ = writeln!(text, "{:<10} {state:<13} {owner:<10} {bridge:<10} {first}", tap.name);
    for address in addresses {
        let _ = writeln!(text, "{:<47}{address}", "");
    }
    for Holder { process, program } in &status.holders {
        let _ = writeln!(text, "  open in {program}, process {process}");
    }
    if tap.carrier && status.holders.is_empty() {
        let _ = writeln!(text, "  open in a program that only root may see: sudo framewise tap status");
    }
    if !tap.up {
        let _ = writeln!(text, "  bring it up: sudo framewise tap up {}", tap.name);
    }
}

/// The networks of these TAPs, each once, with what was done for it.
fn networks(taps: &[Status]) -> BTreeMap<&str, Option<&Done>> {
    taps.iter().map(|status| (status.network(), status.done.as_ref())).collect()
}

fn done_for(text: &mut String, network: &str, done: &Done) {
    if let Some(nat) = &done.nat {
        let _ = writeln!(text, "{network}: goes on under this computer's addresses, NAT by {nat}");
    }
    for family in &done.forward {
        let _ = writeln!(text, "{network}: {family} is forwarded for it, and no more after tap down");
    }
}

fn as_json(taps: &[Status], gone: &[String]) -> String {
    let there = taps.iter().map(|status| {
        let Status { tap, addresses, holders, done } = status;
        json!({
            "name": tap.name, "exists": true, "up": tap.up, "carrier": tap.carrier, "in_use": tap.carrier,
            "mac": tap.mac.map(|mac| mac.to_string()), "mtu": tap.mtu, "owner": tap.owner,
            "bridge": tap.bridge, "addresses": addresses,
            "holders": holders.iter().map(|h| json!({ "process": h.process, "program": h.program })).collect::<Vec<_>>(),
            // `null`: this user may not look.
            "nat": done.as_ref().map(|done| done.nat.as_ref().map_or("none".to_owned(), ToString::to_string)),
            "forwarding": done.as_ref().map(|done| json!(done.forward)),
        })
    });
    let gone = gone.iter().map(|link| json!({ "name": link, "exists": false }));
    Value::from(there.chain(gone).collect::<Vec<_>>()).to_string()
}
