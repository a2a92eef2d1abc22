//! What a packet tells somebody who only watches: which way it was sent, how far it has come, and what it says of neighbours.
//!
//! Read first: RFC 1122 section 3.3.1 (direct or by way of a gateway), RFC 791 section 3.1 (time to live), RFC 4861 section
//! 7.2 (who says where it is).

use std::net::IpAddr;

use framewise_core::{MacAddr, StateField};

use crate::extension::{Chain, ICMPV6, walk};
use crate::ipv4::Ipv4Header;
use crate::ipv6::{self, Ipv6Header};
use crate::ndp::{Envelope, Ndp};

/// Whom a packet was handed to on its link, as far as the neighbours are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To everybody who listens.
    Group,
    /// Back to its sender: it never left the machine.
    Loop,
    /// To its destination itself.
    Direct,
    /// To this neighbour, which hands it on.
    Gateway(IpAddr),
    /// To a station of which no IP address is known here.
    Unknown(MacAddr),
}

/// What was decided about the packet `packet`, and how far it has come.
pub fn fields(packet: &[u8], way: Option<Way>) -> Vec<StateField> {
    let Some((destination, hops)) = outline(packet) else { return Vec::new() };
    let mut fields: Vec<StateField> = way.map(|way| next_hop(destination, way)).into_iter().collect();
    let passed = [64, 128, 255].into_iter().find(|begin| *begin >= hops).map_or(0, |begin: u8| begin - hops);
    let meaning = match passed {
        0 => "No router has handed it on yet: it still has what its sender gave it.".to_owned(),
        1 => "One router has handed it on.".to_owned(),
        _ => format!("{passed} routers have handed it on."),
    };
    let meaning = format!("{meaning} Senders begin with 64, 128 or 255.");
    let field = StateField::new("routers passed", passed.to_string(), meaning, "RFC 791 §3.1");
    // What it began with is not written in it.
    fields.push(field.inferred_if(true));
    fields
}

fn next_hop(destination: IpAddr, way: Way) -> StateField {
    const SOURCE: &str = "RFC 1122 §3.3.1";
    match way {
        Way::Group => StateField::new(
            "next hop",
            "everybody who listens",
            "Its destination is a group, or all: one frame reaches them.",
            SOURCE,
        ),
        Way::Loop => StateField::new(
            "next hop",
            "this machine itself",
            "Its destination is an address of its own sender: it goes round in the machine's own loop.",
            SOURCE,
        ),
        Way::Direct => StateField::new(
            "next hop",
            destination.to_string(),
            "Its destination is on this link: the frame goes to it at once.",
            SOURCE,
        ),
        Way::Gateway(gateway) => {
            let meaning = format!("{destination} is not on this link: {gateway} is to hand it on.");
            StateField::new("next hop", gateway.to_string(), meaning, SOURCE).inferred_if(true)
        }
        Way::Unknown(mac) => {
            let meaning =
                format!("The station {mac} gets it; nothing was heard here of which address it has.");
            StateField::new("next hop", mac.to_string(), meaning, SOURCE)
        }
    }
}

fn outline(packet: &[u8]) -> Option<(IpAddr, u8)> {
    match packet.first()? >> 4 {
        4 => Ipv4Header::read_caught(packet)
            .ok()
            .map(|header| (header.destination.into(), header.time_to_live)),
        _ => Ipv6Header::read(packet).ok().map(|header| (header.destination.into(), header.hop_limit)),
    }
}

/// What a packet of neighbour discovery says: who is where, or (`None`) who is asked for.
pub fn neighbours(packet: &[u8]) -> Vec<(IpAddr, Option<MacAddr>)> {
    let Ok(header) = Ipv6Header::read(packet) else { return Vec::new() };
    let chain = walk(packet, header.next_header, ipv6::HEADER_LEN, 6, true);
    let Ok(Chain::Upper { protocol: ICMPV6, offset, .. }) = chain else { return Vec::new() };
    let envelope =
        Envelope { source: header.source, destination: header.destination, hop_limit: header.hop_limit };
    let message = packet.get(offset..ipv6::HEADER_LEN + header.payload_len).unwrap_or_default();
    match Ndp::parse(message, envelope) {
        Ok(Ndp::NeighbourSolicitation { target, source_mac }) => {
            let source = source_mac.map(|mac| (header.source.into(), Some(mac)));
            source.into_iter().chain([(target.into(), None)]).collect()
        }
        Ok(Ndp::NeighbourAdvertisement { target, target_mac: Some(mac), .. }) => {
            vec![(target.into(), Some(mac))]
        }
        Ok(Ndp::RouterAdvertisement(advertisement)) => {
            let source = advertisement.source_mac;
            source.map(|mac| (header.source.into(), Some(mac))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
