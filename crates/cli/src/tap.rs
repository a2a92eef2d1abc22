//! `framewise tap`: TAP devices made, removed and listed.

use crate::args::Tap;
use crate::exit::{Failure, Kind};

#[cfg(target_os = "linux")]
pub(crate) fn run(action: &Tap) -> Result<(), Failure> {
    use framewise::device::tap_setup;

    use crate::output;

    let failed = |error: framewise::device::TapError| Failure::new(Kind::Device, error);
    match action {
        Tap::Up { name, address, owner } => {
            let addresses: Vec<_> = address.iter().map(|cidr| (cidr.address, cidr.prefix)).collect();
            let owner = owner.or_else(|| std::env::var("SUDO_UID").ok()?.parse().ok());
            tap_setup::up(name, &addresses, owner).map_err(failed)?;
            let at: Vec<_> = address.iter().map(ToString::to_string).collect();
            let at = if at.is_empty() { "without an address".to_owned() } else { at.join(", ") };
            output::print(&format!("{name} is up: this computer is {at} on it"))
        }
        Tap::Down { name } => {
            tap_setup::down(name).map_err(failed)?;
            output::print(&format!("{name} is removed"))
        }
        Tap::Status { json } => {
            let taps = tap_setup::status().map_err(failed)?;
            output::print(&if *json { as_json(&taps) } else { as_text(&taps) })
        }
    }
}

#[cfg(target_os = "linux")]
fn as_text(taps: &[framewise::device::tap_setup::TapStatus]) -> String {
    if taps.is_empty() {
        return "framewise has made no TAP device here\n  try: sudo framewise tap up fw0 --address 192.0.2.1/24".to_owned();
    }
    let line = |tap: &framewise::device::tap_setup::TapStatus| {
        let addresses: Vec<_> =
            tap.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
        let state = if tap.up { "up" } else { "down" };
        let use_of = if tap.in_use { "in use" } else { "free" };
        format!("{:<10} {state:<5} {use_of:<7} {}", tap.name, addresses.join(", "))
    };
    taps.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(target_os = "linux")]
fn as_json(taps: &[framewise::device::tap_setup::TapStatus]) -> String {
    let tap = |tap: &framewise::device::tap_setup::TapStatus| {
        let addresses: Vec<_> =
            tap.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
        serde_json::json!({ "name": tap.name, "up": tap.up, "in_use": tap.in_use, "addresses": addresses })
    };
    serde_json::Value::from(taps.iter().map(tap).collect::<Vec<_>>()).to_string()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_action: &Tap) -> Result<(), Failure> {
    Err(Failure::new(Kind::Device, "TAP devices are made on Linux only")
        .next("framewise fetch https://shop.test/     (inside this program, on any system)"))
}
