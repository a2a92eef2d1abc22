//! ARP packets, explained: RFC 826, "Packet format"; RFC 5227 sections 1.1 and 2 (probe, announcement, gratuitous).

use framewise_core::{Description, Field};

use crate::arp::{self, ArpPacket, Operation};
use crate::error::ParseError;

const SOURCE: &str = "RFC 826, Packet format";

/// Explains an ARP packet, which begins behind the frame's header. Offsets are those of the ARP packet.
///
/// ```
/// use framewise_ethernet::{ArpPacket, MacAddr, describe_arp};
/// let probe = ArpPacket::probe(MacAddr::new([2, 0, 0, 0, 0, 1]), [192, 0, 2, 1].into());
/// let description = describe_arp(&probe.to_bytes())?;
/// assert_eq!(description.outbound, "does anyone have 192.0.2.1?");
/// assert!(description.fields[4].meaning.starts_with("A probe"));
/// # Ok::<(), framewise_ethernet::ParseError>(())
/// ```
pub fn describe_arp(packet: &[u8]) -> Result<Description, ParseError> {
    let arp = ArpPacket::parse(packet)?;
    let mut fields = what_is_asked_for();
    fields.extend(who_asks_whom(&arp));
    Ok(Description {
        protocol: "ARP",
        unit: "packet",
        outbound: said(&arp),
        inbound: heard(&arp),
        next: "nobody: ARP ends here".to_owned(),
        header: 0..arp::LENGTH,
        payload: arp::LENGTH..arp::LENGTH,
        fields,
    })
}

fn said(arp: &ArpPacket) -> String {
    match arp.operation {
        _ if arp.is_announcement() => format!("{} is mine", arp.sender_address),
        Operation::Request if arp.is_probe() => format!("does anyone have {}?", arp.target_address),
        Operation::Request => format!("who has {}?", arp.target_address),
        Operation::Reply => format!("I have {}", arp.sender_address),
    }
}

fn heard(arp: &ArpPacket) -> String {
    match arp.operation {
        _ if arp.is_announcement() => format!("{} says it is there", arp.sender_address),
        Operation::Request => format!("do I have {}?", arp.target_address),
        Operation::Reply => format!("{} has answered", arp.sender_address),
    }
}

/// What an ARP packet is there for: both operations are used for more than question and answer.
#[derive(Clone, Copy)]
enum Kind {
    Request,
    Probe,
    Announcement,
    Reply,
    GratuitousReply,
}

impl Kind {
    fn of(arp: &ArpPacket) -> Self {
        match arp.operation {
            Operation::Request if arp.is_announcement() => Kind::Announcement,
            Operation::Request if arp.is_probe() => Kind::Probe,
            Operation::Request => Kind::Request,
            Operation::Reply if arp.is_announcement() => Kind::GratuitousReply,
            Operation::Reply => Kind::Reply,
        }
    }

    fn operation(self) -> (&'static str, &'static str) {
        match self {
            Kind::Request => ("A request: it asks who has the target's IP address.", SOURCE),
            Kind::Probe => {
                ("A probe: a request that only tries whether an address is free to use.", "RFC 5227 §1.1")
            }
            Kind::Announcement => (
                "An announcement: a request for the sender's own address, to which nobody shall answer.",
                "RFC 5227 §2.3",
            ),
            Kind::Reply => ("A reply: the sender has the IP address that was asked for.", SOURCE),
            Kind::GratuitousReply => {
                ("A gratuitous reply: nobody asked; the sender tells that it has its address.", "RFC 5227 §3")
            }
        }
    }

    fn sender_address(self) -> &'static str {
        match self {
            Kind::Probe => "Left open: the sender only tries whether anyone has the target's address.",
            _ => "The sender's IPv4 address; whoever hears this knows where to find it.",
        }
    }

    fn target_mac(self) -> &'static str {
        match self {
            Kind::Request | Kind::Probe => "Not known yet: that is what the request is about.",
            Kind::Announcement => "Means nothing: nobody is asked.",
            Kind::Reply => "Who asked.",
            Kind::GratuitousReply => "Means nothing: nobody has asked.",
        }
    }

    fn target_address(self) -> &'static str {
        match self {
            Kind::Request => "The IPv4 address whose station is wanted.",
            Kind::Probe => "The IPv4 address that the sender would like to use.",
            Kind::Announcement | Kind::GratuitousReply => {
                "The sender's own address: it tells everybody that it uses it."
            }
            Kind::Reply => "The IPv4 address of the station that asked.",
        }
    }
}

/// The first eight bytes but for the operation: a packet in which they say anything else is refused.
fn what_is_asked_for() -> Vec<Field> {
    vec![
        Field::new("hardware type", 0..2, "1", "Addresses of Ethernet are asked for.", SOURCE),
        Field::new("protocol type", 2..4, "0x0800", "The question is about an address of IPv4.", SOURCE),
        Field::new("hardware address length", 4..5, "6", "A MAC address has 6 bytes.", SOURCE),
        Field::new("protocol address length", 5..6, "4", "An IPv4 address has 4 bytes.", SOURCE),
    ]
}

fn who_asks_whom(arp: &ArpPacket) -> [Field; 5] {
    let kind = Kind::of(arp);
    let number = match arp.operation {
        Operation::Request => "1",
        Operation::Reply => "2",
    };
    let (operation, source) = kind.operation();
    let sender_source = if arp.is_probe() { "RFC 5227 §1.1" } else { SOURCE };
    [
        Field::new("operation", 6..8, number, operation, source),
        Field::new(
            "sender hardware address",
            8..14,
            arp.sender_mac.to_string(),
            "The MAC address of the station that says this.",
            SOURCE,
        ),
        Field::new(
            "sender protocol address",
            14..18,
            arp.sender_address.to_string(),
            kind.sender_address(),
            sender_source,
        ),
        Field::new("target hardware address", 18..24, arp.target_mac.to_string(), kind.target_mac(), SOURCE),
        Field::new(
            "target protocol address",
            24..28,
            arp.target_address.to_string(),
            kind.target_address(),
            SOURCE,
        ),
    ]
}
