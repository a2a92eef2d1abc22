//! The lines of a ladder: one for each host, and one for all who are on the link.
//!
//! Where it is known which way a frame went, one of its ends is the host at which it was captured, whichever of its addresses
//! that used. Else hosts are told apart by addresses alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use framewise::core::Direction;
use framewise_trace::dissect::{Astray, Frame};

use super::{MARGIN, WIDTH};
use crate::drawing::palette::{FAINT, GREY, INK, PALE};
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};

/// Hosts that have a line, besides the one at which it was captured.
pub(super) const HOSTS: usize = 4;
/// Addresses of one host that are told apart: what passed a router has very many.
const MANY: usize = 200;
/// What stands at the left: numbers and times.
pub(super) const LEFT: f64 = 150.0;
/// Where the names of the hosts begin, and what they take.
pub(super) const TOP: f64 = 88.0;
pub(super) const HEAD: f64 = 46.0;

/// The lines, by their places from left to right.
pub(super) struct Lines(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// The host at which it was captured, with its addresses.
    Own(Vec<IpAddr>),
    /// All who are on the link: for frames without a packet, and for packets to all.
    Link,
    Host(IpAddr),
}

/// One end of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Own,
    Link,
    Host(IpAddr),
}

impl Lines {
    /// Of the hosts those with the most frames, in the order of their first ones.
    pub(super) fn of(frames: &[Frame<'_>]) -> Self {
        let ends: Vec<_> = frames.iter().flat_map(ends).collect();
        let has = |wanted: End| ends.iter().any(|(end, _)| *end == wanted);
        let mut lines = Vec::new();
        if has(End::Own) {
            lines.push(Line::Own(own_addresses(&ends)));
        }
        // Where nobody is the host at which it was captured, there is a line more for the others.
        lines.extend(busiest(&ends, HOSTS + 1 - lines.len()).into_iter().map(Line::Host));
        if has(End::Link) {
            lines.insert(lines.len().min(1), Line::Link);
        }
        Lines(lines)
    }

    /// From where to where a frame's arrow goes; `None`: one of its hosts has no line.
    pub(super) fn way(&self, frame: &Frame<'_>) -> Option<(f64, f64)> {
        let [(from, _), (to, _)] = ends(frame);
        Some((self.x(self.place(from)?), self.x(self.place(to)?)))
    }

    /// Where from a frame would have come that never did, and where to.
    pub(super) fn way_of_astray(&self, astray: &Astray) -> Option<(f64, f64)> {
        let (source, _) = astray.addresses()?;
        let (from, _) = other(Some(source));
        Some((self.x(self.place(from)?), self.x(self.place(End::Own)?)))
    }

    fn place(&self, end: End) -> Option<usize> {
        self.0.iter().position(|line| match (line, end) {
            (Line::Own(_), End::Own) | (Line::Link, End::Link) => true,
            (Line::Host(host), End::Host(wanted)) => *host == wanted,
            _ => false,
        })
    }

    fn x(&self, place: usize) -> f64 {
        let (first, last) = (LEFT + MARGIN + 70.0, WIDTH - MARGIN - 90.0);
        first + (last - first) * place as f64 / self.0.len().saturating_sub(1).max(1) as f64
    }

    /// The names of the hosts, and their lines down to `bottom`.
    pub(super) fn draw(&self, svg: &mut Svg, bottom: f64) {
        let width = ((WIDTH - LEFT - 2.0 * MARGIN) / self.0.len().max(1) as f64 - 12.0).min(190.0);
        for (place, line) in self.0.iter().enumerate() {
            let (name, below) = line.named();
            let x = self.x(place);
            svg.line((x, TOP + 38.0), (x, bottom), Stroke::new(FAINT, 2.0));
            let head = Rect { x: x - width / 2.0, y: TOP, width, height: 38.0 };
            svg.rect(head, PALE, Some(Stroke::new(GREY, 1.0)));
            let font = Font::new(13.0, INK).bold().at(Anchor::Middle);
            let y = TOP + if below.is_empty() { 24.0 } else { 16.0 };
            svg.text((x, y), font, &font.fit(&name, width - 8.0));
            let font = Font::new(10.0, GREY).at(Anchor::Middle);
            svg.text((x, TOP + 30.0), font, &font.fit(&below, width - 8.0));
        }
    }
}

impl Line {
    /// What stands above it, in two lines.
    fn named(&self) -> (String, String) {
        match self {
            Line::Own(addresses) => match addresses.as_slice() {
                [] => ("captured here".to_owned(), String::new()),
                [one] => (one.to_string(), "captured here".to_owned()),
                [one, other] => (one.to_string(), format!("here; also {other}")),
                [one, more @ ..] => (one.to_string(), format!("here; {} addresses more", more.len())),
            },
            Line::Link => ("the link".to_owned(), "all who are on it".to_owned()),
            Line::Host(host) => (host.to_string(), String::new()),
        }
    }
}

/// The addresses of the host at which it was captured, in the order in which it used them.
fn own_addresses(ends: &[(End, Option<IpAddr>)]) -> Vec<IpAddr> {
    let mut own: Vec<IpAddr> = Vec::new();
    for address in ends.iter().filter(|(end, _)| *end == End::Own).filter_map(|(_, address)| *address) {
        if is_ones_own(&address) && own.len() < MANY && !own.contains(&address) {
            own.push(address);
        }
    }
    own
}

/// The hosts of the most frames, at most so many, in the order of their first frames.
fn busiest(ends: &[(End, Option<IpAddr>)], most: usize) -> Vec<IpAddr> {
    let mut hosts: BTreeMap<IpAddr, (usize, usize)> = BTreeMap::new();
    for (place, (end, _)) in ends.iter().enumerate() {
        if let End::Host(host) = end {
            hosts.entry(*host).or_insert((0, place)).0 += 1;
        }
    }
    let mut hosts: Vec<_> = hosts.into_iter().collect();
    hosts.sort_by_key(|(_, (count, first))| (Reverse(*count), *first));
    hosts.truncate(most);
    hosts.sort_by_key(|(_, (_, first))| *first);
    hosts.into_iter().map(|(host, _)| host).collect()
}

/// Who sent a frame and who is to get it, and by which addresses.
fn ends(frame: &Frame<'_>) -> [(End, Option<IpAddr>); 2] {
    let [source, destination] = match frame.addresses() {
        Some((source, destination)) => [source, destination].map(Some),
        None => arp_addresses(frame),
    };
    match frame.direction() {
        Some(Direction::Outbound) => [(End::Own, source), other(destination)],
        Some(Direction::Inbound) => [other(source), (End::Own, destination)],
        None => [other(source), other(destination)],
    }
}

/// The end that is not the host at which it was captured.
fn other(address: Option<IpAddr>) -> (End, Option<IpAddr>) {
    match address {
        Some(address) if is_ones_own(&address) || address.is_unspecified() => {
            (End::Host(address), Some(address))
        }
        _ => (End::Link, address),
    }
}

/// Who says something by ARP, and to whom if not to all.
fn arp_addresses(frame: &Frame<'_>) -> [Option<IpAddr>; 2] {
    let stack = frame.layers();
    let Some(arp) = stack.layers.iter().find(|layer| layer.description.protocol == "ARP") else {
        return [None; 2];
    };
    let value = |name: &str| {
        let field = arp.description.fields.iter().find(|field| field.name == name)?;
        field.value.parse::<IpAddr>().ok()
    };
    let is_reply = frame.bytes().first().is_some_and(|byte| byte & 1 == 0);
    [value("sender protocol address"), value("target protocol address").filter(|_| is_reply)]
}

/// Whether it is one host's: not for all, and not for who has none yet.
fn is_ones_own(address: &IpAddr) -> bool {
    let is_for_all =
        matches!(address, IpAddr::V4(address) if address.is_broadcast()) || address.is_multicast();
    !is_for_all && !address.is_unspecified()
}
