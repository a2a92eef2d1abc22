//! What a frame's header and an ARP packet say, in sentences.
//!
//! Views print these and know nothing of Ethernet themselves.

use framewise_core::{Description, Field, MacAddr};

use crate::arp::{self, ArpPacket, Operation};
use crate::error::ParseError;
use crate::frame::{EtherType, FrameView, HEADER_LENGTH};

/// Explains the header of a frame, and its padding where it has any. Offsets are those of the frame.
///
/// ```
/// let mut frame = [0; 60];
/// frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
/// frame[12..14].copy_from_slice(&[0x08, 0x06]);
/// let description = framewise_ethernet::describe(&frame)?;
/// assert_eq!(description.outbound, "only to 02:00:00:00:00:01");
/// assert_eq!(description.next, "type 0x0806: ARP");
/// assert_eq!(description.payload, 14..42);
/// # Ok::<(), framewise_ethernet::ParseError>(())
/// ```
pub fn describe(frame: &[u8]) -> Result<Description, ParseError> {
    let view = FrameView::new(frame)?;
    let (destination, ethertype) = (view.destination(), view.ethertype());
    let end = HEADER_LENGTH + view.unpadded_length();
    let mut fields = vec![
        Field::new(
            "destination",
            0..6,
            destination.to_string(),
            meaning_of_destination(destination),
            "RFC 894, IEEE 802.3 §3.2.4",
        ),
        Field::new(
            "source",
            6..12,
            view.source().to_string(),
            meaning_of_source(view.source()),
            "RFC 894, IEEE 802.3 §3.2.5",
        ),
        Field::new(
            "EtherType",
            12..14,
            ethertype.to_string(),
            meaning_of_type(ethertype),
            "RFC 894, RFC 9542 §3",
        ),
    ];
    if end < frame.len() {
        fields.push(padding(end, frame.len()));
    }
    Ok(Description {
        protocol: "Ethernet",
        unit: "frame",
        outbound: outbound(destination),
        inbound: inbound(destination).to_owned(),
        next: next(ethertype),
        header: 0..HEADER_LENGTH,
        payload: HEADER_LENGTH..end,
        fields,
    })
}

fn outbound(destination: MacAddr) -> String {
    if destination.is_broadcast() {
        "to every station on the link".to_owned()
    } else if destination.is_multicast() {
        "to a group of stations".to_owned()
    } else {
        format!("only to {destination}")
    }
}

fn inbound(destination: MacAddr) -> &'static str {
    if destination.is_broadcast() {
        "is it for everybody? yes"
    } else if destination.is_multicast() {
        "is it for a group? yes, ask IP"
    } else {
        "is it for my address? yes"
    }
}

pub(crate) fn next(ethertype: EtherType) -> String {
    let protocol = ethertype.protocol().unwrap_or("nobody");
    format!("type {ethertype}: {protocol}")
}

fn meaning_of_destination(mac: MacAddr) -> &'static str {
    if mac.is_broadcast() {
        "Every station on this link takes this frame in."
    } else if mac.is_multicast() {
        "The stations of a group take this frame in; the last bit of the first byte marks a group."
    } else {
        "The one station on this link that takes this frame in; all others ignore it."
    }
}

fn meaning_of_source(mac: MacAddr) -> &'static str {
    if mac.is_local() {
        "The station that sent this frame. Its address was assigned locally, not by a manufacturer."
    } else {
        "The station that sent this frame. Its manufacturer gave it this address."
    }
}

pub(crate) fn meaning_of_type(ethertype: EtherType) -> String {
    match ethertype.protocol() {
        Some(protocol) => format!("What is inside is for {protocol}."),
        None if ethertype.0 < 0x0600 => {
            "Too small for a type: an older kind of frame has its length here.".to_owned()
        }
        None => "Nobody here reads this type; the frame is dropped.".to_owned(),
    }
}

pub(crate) fn padding(from: usize, to: usize) -> Field {
    Field::new(
        "padding",
        from..to,
        format!("{} bytes", to - from),
        "Fills the frame up to the shortest that a cable carries, and means nothing.",
        "RFC 894, IEEE 802.3 §3.2.8",
    )
}

/// Explains an ARP packet, which begins behind the frame's header. Offsets are those of the ARP packet.
pub fn describe_arp(packet: &[u8]) -> Result<Description, ParseError> {
    let arp = ArpPacket::parse(packet)?;
    Ok(Description {
        protocol: "ARP",
        unit: "packet",
        outbound: said(&arp),
        inbound: heard(&arp),
        next: "nobody: ARP ends here".to_owned(),
        header: 0..arp::LENGTH,
        payload: arp::LENGTH..arp::LENGTH,
        fields: arp_fields(&arp),
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

fn arp_fields(arp: &ArpPacket) -> Vec<Field> {
    const RFC: &str = "RFC 826, Packet format";
    let (number, does) = match arp.operation {
        Operation::Request => ("1", "A request: who has the target's IP address?"),
        Operation::Reply => ("2", "A reply: the sender has the IP address that was asked for."),
    };
    let target_mac = match arp.operation {
        Operation::Request => "Not known yet: that is what the request is about.",
        Operation::Reply => "Who asked.",
    };
    vec![
        Field::new("hardware type", 0..2, "1", "Addresses of Ethernet are asked for.", RFC),
        Field::new("protocol type", 2..4, "0x0800", "The question is about an address of IPv4.", RFC),
        Field::new("hardware address length", 4..5, "6", "A MAC address has 6 bytes.", RFC),
        Field::new("protocol address length", 5..6, "4", "An IPv4 address has 4 bytes.", RFC),
        Field::new("operation", 6..8, number, does, RFC),
        Field::new(
            "sender hardware address",
            8..14,
            arp.sender_mac.to_string(),
            "The MAC address of the station that says this.",
            RFC,
        ),
        Field::new(
            "sender protocol address",
            14..18,
            arp.sender_address.to_string(),
            meaning_of_sender(arp),
            if arp.is_probe() { "RFC 5227 §1.1" } else { RFC },
        ),
        Field::new("target hardware address", 18..24, arp.target_mac.to_string(), target_mac, RFC),
        Field::new(
            "target protocol address",
            24..28,
            arp.target_address.to_string(),
            meaning_of_target(arp),
            RFC,
        ),
    ]
}

fn meaning_of_sender(arp: &ArpPacket) -> &'static str {
    if arp.is_probe() {
        "Left open: the sender only tries whether anyone has the target's address."
    } else {
        "The sender's IPv4 address; whoever hears this knows where to find it."
    }
}

fn meaning_of_target(arp: &ArpPacket) -> &'static str {
    match arp.operation {
        _ if arp.is_announcement() => "The sender's own address: it tells everybody that it uses it.",
        Operation::Request => "The IPv4 address whose station is wanted.",
        Operation::Reply => "The IPv4 address of the station that asked.",
    }
}
