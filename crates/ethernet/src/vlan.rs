//! VLAN tags, which make several links of one cable: four bytes between a frame's source and what is inside.
//!
//! Read first: IEEE 802.1Q-2022 clause 9 (the tag), clause 6.9.3 (drop eligible).
//!
//! ```text
//!   … source │ type 0x8100 │ priority, VLAN │ type of what is inside │ payload
//!            └─ Ethernet ─┘ └──────────────── the tag ──────────────┘
//! ```
//!
//! The stack takes no tagged frames; captures of others have them, also one in the other.

use framewise_core::read::u16_at;
use framewise_core::{Description, Field};

use crate::describe::{next, padding, type_field};
use crate::error::ParseError;
use crate::frame::EtherType;

/// Length of what follows the EtherType that announces a tag, in bytes.
pub const TAG_LENGTH: usize = 4;

const SOURCE: &str = "IEEE 802.1Q §9.6";

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// 0 to 7: how urgent the frame is.
    pub priority: u8,
    /// Whether it may be dropped before others when there are too many.
    pub drop_eligible: bool,
    /// Of which VLAN it is; 0: of none, only the priority counts.
    pub vlan: u16,
    /// What is inside; another tag, perhaps.
    pub ethertype: EtherType,
}

impl Tag {
    /// Reads the tag at the beginning of `bytes`, behind the EtherType that announces it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let truncated =
            ParseError::Truncated { layer: "VLAN", offset: 0, needed: TAG_LENGTH, found: bytes.len() };
        let (control, inside) = u16_at(bytes, 0).zip(u16_at(bytes, 2)).ok_or(truncated)?;
        Ok(Tag {
            priority: (control >> 13) as u8,
            drop_eligible: control & 0x1000 != 0,
            vlan: control & 0x0fff,
            ethertype: EtherType(inside),
        })
    }
}

/// Explains the tag at the beginning of `bytes`. Offsets count from behind the EtherType that announces it.
///
/// ```
/// let described = framewise_ethernet::describe_vlan(&[0x60, 0x05, 0x08, 0x06, 0, 1])?;
/// assert_eq!(described.outbound, "in VLAN 5");
/// assert_eq!(described.next, "type 0x0806: ARP");
/// # Ok::<(), framewise_ethernet::ParseError>(())
/// ```
pub fn describe_vlan(bytes: &[u8]) -> Result<Description, ParseError> {
    let tag = Tag::parse(bytes)?;
    let inside = bytes.get(TAG_LENGTH..).unwrap_or_default();
    let end = TAG_LENGTH + tag.ethertype.unpadded_length(inside);
    let mut fields = fields(&tag);
    if end < bytes.len() {
        fields.push(padding(end, bytes.len()));
    }
    Ok(Description {
        protocol: "VLAN",
        unit: "tag",
        outbound: said(&tag),
        inbound: said(&tag),
        next: next(tag.ethertype),
        header: 0..TAG_LENGTH,
        payload: TAG_LENGTH..end,
        fields,
    })
}

fn said(tag: &Tag) -> String {
    match tag.vlan {
        0 => format!("in no VLAN, priority {}", tag.priority),
        vlan => format!("in VLAN {vlan}"),
    }
}

fn fields(tag: &Tag) -> Vec<Field> {
    vec![
        priority(tag.priority),
        drop_eligible(tag.drop_eligible),
        identifier(tag.vlan),
        type_field(2, tag.ethertype),
    ]
}

fn priority(priority: u8) -> Field {
    let meaning = match priority {
        0 => "No hurry: the usual priority.".to_owned(),
        1 => "Background: it may wait longer than the usual.".to_owned(),
        _ => format!("Priority {priority} of 7: switches may send it before others."),
    };
    Field::new("priority code point", 0..2, priority.to_string(), meaning, SOURCE).with_bits(0..3)
}

fn drop_eligible(eligible: bool) -> Field {
    let (value, meaning) = match eligible {
        false => ("0", "Not among the first to be dropped when a link is full."),
        true => ("1", "May be dropped first when a link is full."),
    };
    Field::new("drop eligible indicator", 0..2, value, meaning, SOURCE).with_bits(3..4)
}

fn identifier(vlan: u16) -> Field {
    let meaning = match vlan {
        0 => "Of no virtual LAN in particular: only the priority counts.".to_owned(),
        4_095 => "Reserved: no virtual LAN may have this number.".to_owned(),
        _ => format!(
            "Only stations of virtual LAN {vlan} get this frame, as if they had a cable of their own."
        ),
    };
    Field::new("VLAN identifier", 0..2, vlan.to_string(), meaning, SOURCE).with_bits(4..16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_bits_apart() {
        let tag = Tag::parse(&[0xb0, 0x2a, 0x86, 0xdd]).unwrap();
        assert_eq!(
            tag,
            Tag { priority: 5, drop_eligible: true, vlan: 42, ethertype: EtherType::IPV6 },
            "101 1 000000101010"
        );
    }

    #[test]
    fn padding_behind_a_tagged_packet_is_its_own_field() {
        let mut bytes = vec![0, 1, 0x08, 0x00, 0x45, 0, 0, 20];
        bytes.resize(4 + 46, 0);
        let described = describe_vlan(&bytes).unwrap();
        assert_eq!(described.payload, 4..24);
        assert_eq!(described.fields.last().unwrap().name, "padding");
    }

    #[test]
    fn too_few_bytes_are_no_tag() {
        let error = describe_vlan(&[0, 1, 8]).unwrap_err();
        assert_eq!(error, ParseError::Truncated { layer: "VLAN", offset: 0, needed: 4, found: 3 });
    }
}
