//! Names of layers and of their fields, as views show them.

use super::error::{Problem, TextError};
use super::values::unkeyed;
use super::words::Words;
use crate::compare::{Chosen, Compared};

/// The layers whose fields can be named, as their descriptions call them.
pub(super) const PROTOCOLS: &[&str] =
    &["Ethernet", "VLAN", "ARP", "IPv4", "IPv6", "ICMP", "ICMPv6", "NDP", "TCP", "UDP", "DNS", "TLS", "HTTP"];

/// The name as descriptions have it, however it is written.
pub(super) fn protocol(text: &str) -> Option<&'static str> {
    PROTOCOLS.iter().copied().find(|name| name.eq_ignore_ascii_case(text))
}

/// `everything`, or names; then perhaps `except` and names.
pub(super) fn compared(words: &mut Words) -> Result<Compared, TextError> {
    let mut compared = Compared { chosen: Vec::new(), except: Vec::new() };
    let mut is_except = false;
    let mut is_everything = false;
    while let Some(word) = words.next() {
        let said = unkeyed(&word).unwrap_or_default().trim_end_matches(',').to_owned();
        match said.as_str() {
            "except" if !is_except => is_except = true,
            _ if is_everything && !is_except => {
                return Err(words.unexpected("except, or the end of the line", &word));
            }
            "everything" if !is_except && compared.chosen.is_empty() => is_everything = true,
            name => {
                let chosen = chosen(name).ok_or_else(|| {
                    let name = word.shown();
                    words.error(word.column, Problem::Unknown { kind: "layer", name, known: PROTOCOLS })
                })?;
                let list = if is_except { &mut compared.except } else { &mut compared.chosen };
                list.push(chosen);
            }
        }
    }
    if is_except && compared.except.is_empty() {
        return words.take("layers and fields such as TCP or IPv4/time-to-live", |_| None);
    }
    if !is_everything && compared.chosen.is_empty() {
        return words.take("everything, or layers and fields such as TCP or IPv4/time-to-live", |_| None);
    }
    Ok(compared)
}

/// `chance`, `TCP`, or `TCP/window`, with hyphens in the place of spaces.
fn chosen(text: &str) -> Option<Chosen> {
    if text == "chance" {
        return Some(Chosen::Chance);
    }
    match text.split_once('/') {
        None => protocol(text).map(Chosen::Layer),
        Some((layer, field)) if !field.is_empty() => {
            Some(Chosen::Field(protocol(layer)?, field.replace('-', " ")))
        }
        Some(_) => None,
    }
}
