//! What a frame's header and an ARP packet say, in sentences.
//!
//! Views print these and know nothing of Ethernet themselves.

mod arp;

use framewise_core::{Description, Field, MacAddr};

use crate::error::ParseError;
use crate::frame::{EtherType, FrameView, HEADER_LENGTH, MINIMUM_LENGTH, SMALLEST_ETHERTYPE};

pub use arp::describe_arp;

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
    let mut fields = Vec::new();
    fields.extend(address_fields("destination", 0, destination, meaning_of_destination(destination)));
    fields.extend(address_fields("source", 6, view.source(), meaning_of_source(view.source())));
    fields.push(type_field(12, ethertype));
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
    } else if destination == MacAddr::UNSPECIFIED {
        "to this machine itself".to_owned()
    } else {
        format!("only to {destination}")
    }
}

fn inbound(destination: MacAddr) -> &'static str {
    if destination.is_broadcast() {
        "is it for everybody? yes"
    } else if destination.is_multicast() {
        "is it for a group? yes, ask IP"
    } else if destination == MacAddr::UNSPECIFIED {
        "has it an address? it needs none"
    } else {
        "is it for my address? yes"
    }
}

pub(crate) fn next(ethertype: EtherType) -> String {
    let protocol = ethertype.protocol().unwrap_or("nobody");
    format!("type {ethertype}: {protocol}")
}

/// Of the address of nobody, which stands in both places where a machine sends to itself.
const OWN_LOOP: &str =
    "No address: the frame stays in the machine's own loop, where no station has or needs one.";

fn meaning_of_destination(mac: MacAddr) -> &'static str {
    if mac.is_broadcast() {
        "Every station on this link takes this frame in."
    } else if mac.is_multicast() {
        "The stations of a group take this frame in; the last bit of the first byte marks a group."
    } else if mac == MacAddr::UNSPECIFIED {
        OWN_LOOP
    } else {
        "The one station on this link that takes this frame in; all others ignore it."
    }
}

fn meaning_of_source(mac: MacAddr) -> &'static str {
    if mac == MacAddr::UNSPECIFIED {
        OWN_LOOP
    } else if mac.is_local() {
        "The station that sent this frame. Its address was assigned locally, not by a manufacturer."
    } else {
        "The station that sent this frame. Its manufacturer gave it this address."
    }
}

/// An address and its two bits that mean something by themselves (RFC 9542 section 2.1: the last bits of the first byte).
fn address_fields(name: &'static str, at: usize, mac: MacAddr, meaning: &'static str) -> [Field; 3] {
    let source = if at == 0 { "RFC 894, IEEE 802.3 §3.2.4" } else { "RFC 894, IEEE 802.3 §3.2.5" };
    let bit = |name, place: usize, set: bool, yes: &'static str, no: &'static str| {
        let (value, meaning) = if set { ("1", yes) } else { ("0", no) };
        Field::new(name, at..at + 1, value, meaning, "RFC 9542 §2.1").with_bits(place..place + 1)
    };
    let (is_local, is_global) = match (mac.is_broadcast(), mac.is_multicast()) {
        (true, _) => ("Set like all the bits of everybody's address.", ""),
        (_, true) => (
            "Set, since no manufacturer hands out the address of this group.",
            "Not set: this group's address is out of a block that was handed out like a manufacturer's.",
        ),
        _ if mac == MacAddr::UNSPECIFIED => ("", "Not set, like all the bits of no address."),
        _ => (
            "Whoever runs the network chose this address.",
            "The manufacturer chose this address; there is no second one like it.",
        ),
    };
    let one = match mac == MacAddr::UNSPECIFIED {
        true => "Not set, like all the bits of no address.",
        false => "The address of one station.",
    };
    [
        Field::new(name, at..at + 6, mac.to_string(), meaning, source),
        bit("local bit", 6, mac.is_local(), is_local, is_global),
        bit("group bit", 7, mac.is_multicast(), "The address of a group, or of everybody.", one),
    ]
}

/// The two bytes that say what follows; in an older kind of frame they count bytes.
pub(crate) fn type_field(at: usize, ethertype: EtherType) -> Field {
    if ethertype.0 < SMALLEST_ETHERTYPE {
        let meaning = "Too small for a type: an older kind of frame has its length here.";
        return Field::new("length", at..at + 2, ethertype.0.to_string(), meaning, "IEEE 802.3 §3.2.6");
    }
    let meaning = meaning_of_type(ethertype);
    Field::new("EtherType", at..at + 2, ethertype.to_string(), meaning, "RFC 894, RFC 9542 §3")
}

pub(crate) fn meaning_of_type(ethertype: EtherType) -> String {
    match ethertype.protocol() {
        Some("VLAN") => {
            "A tag follows that says which virtual LAN this is on, and then the true type.".to_owned()
        }
        Some(protocol) => format!("What is inside is for {protocol}."),
        None => "Nobody here reads this type; the frame is dropped.".to_owned(),
    }
}

pub(crate) fn padding(from: usize, to: usize) -> Field {
    let value = format!("{} bytes", to - from);
    if to > MINIMUM_LENGTH {
        let meaning = "Stands behind the packet, which does not count it; nobody reads it.";
        return Field::new("trailer", from..to, value, meaning, "RFC 894");
    }
    let meaning = "Fills the frame up to the shortest that a cable carries, and means nothing.";
    Field::new("padding", from..to, value, meaning, "RFC 894, IEEE 802.3 §3.2.8")
}
