//! Who is where on a link, as somebody learns it who only hears ARP and neighbour discovery.
//!
//! Read first: RFC 826 "Packet Reception", RFC 5227 section 1.1 (a probe claims nothing).
//!
//! ```
//! use framewise_ethernet::passive::{Heard, Neighbours};
//! use framewise_ethernet::{ArpPacket, MacAddr};
//!
//! let mac = MacAddr::new([2, 0, 0, 0, 0, 1]);
//! let request = ArpPacket::request(mac, "192.0.2.1".parse().unwrap(), "192.0.2.10".parse().unwrap());
//! let mut neighbours = Neighbours::default();
//! Heard::of_arp(&request.to_bytes()).into_iter().for_each(|heard| neighbours.hear(heard));
//! assert_eq!(neighbours.mac("192.0.2.1".parse().unwrap()), Some(mac), "who asks says who it is");
//! assert_eq!(neighbours.fields(&[])[1].value, "192.0.2.10: asked for, no answer yet");
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;

use framewise_core::{MacAddr, StateField};

use crate::arp::{ArpPacket, Operation};

/// Something that a packet said about a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// About whom.
    pub address: IpAddr,
    /// Where it is; `None`: somebody asked.
    pub mac: Option<MacAddr>,
}

impl Heard {
    /// What an ARP packet says: where its sender is, and, of a question, who is asked for.
    pub fn of_arp(packet: &[u8]) -> Vec<Heard> {
        let Ok(arp) = ArpPacket::parse(packet) else { return Vec::new() };
        let sender = (!arp.is_probe())
            .then_some(Heard { address: arp.sender_address.into(), mac: Some(arp.sender_mac) });
        let is_question = arp.operation == Operation::Request && !arp.is_announcement();
        let target = is_question.then_some(Heard { address: arp.target_address.into(), mac: None });
        sender.into_iter().chain(target).collect()
    }
}

/// Neighbours that are remembered; further ones are not.
const MOST: usize = 1_024;

/// Rows of the table that are told at a time, unless more are asked for.
const TOLD: usize = 8;

/// Who is where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    table: BTreeMap<IpAddr, Option<MacAddr>>,
}

impl Neighbours {
    /// Learns. A question about a neighbour that is known changes nothing.
    pub fn hear(&mut self, heard: Heard) {
        let is_known = self.table.contains_key(&heard.address);
        if is_known || self.table.len() < MOST {
            let entry = self.table.entry(heard.address).or_default();
            *entry = heard.mac.or(*entry);
        }
    }

    /// Where a neighbour is, if that was heard.
    pub fn mac(&self, address: IpAddr) -> Option<MacAddr> {
        self.table.get(&address).copied().flatten()
    }

    /// Who is there; the first of them, where it is several.
    pub fn address(&self, mac: MacAddr) -> Option<IpAddr> {
        self.table.iter().find(|(_, known)| **known == Some(mac)).map(|(address, _)| *address)
    }

    /// The table, a row for each: for those that are asked for and some others, and how many more there are.
    pub fn fields(&self, asked_for: &[IpAddr]) -> Vec<StateField> {
        let field = |(address, mac): (&IpAddr, &Option<MacAddr>)| match mac {
            Some(mac) => StateField::new(
                "neighbour",
                format!("{address} is at {mac}"),
                "Frames for it, or for whom it hands on to, go to this MAC address.",
                "RFC 826, RFC 4861 §7.3.2",
            ),
            None => StateField::new(
                "neighbour",
                format!("{address}: asked for, no answer yet"),
                "Packets for it wait until it has said where it is.",
                "RFC 826, RFC 4861 §7.3.2",
            ),
        };
        let is_asked_for = |address: &IpAddr| asked_for.contains(address);
        let mut others = TOLD.saturating_sub(self.table.keys().filter(|one| is_asked_for(one)).count());
        let mut fields: Vec<StateField> = Vec::new();
        for row in &self.table {
            if is_asked_for(row.0) {
                fields.push(field(row));
            } else if others > 0 {
                others -= 1;
                fields.push(field(row));
            }
        }
        let more = self.table.len() - fields.len();
        if more > 0 {
            let meaning = "So many others were heard of, or asked for, on this link.";
            fields.push(StateField::new(
                "neighbours",
                format!("{more} more"),
                meaning,
                "RFC 826, RFC 4861 §5.1",
            ));
        }
        fields
    }
}
