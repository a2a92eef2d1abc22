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

use crate::describe::{meaning_of_type, next, padding};
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
    let priority = match tag.priority {
        0 => "The usual treatment by the switches on the way.",
        1 => "Less urgent than usual: it may wait for the rest.",
        _ => "More urgent than usual: switches let it go before others.",
    };
    let drop = match tag.drop_eligible {
        true => "A switch that has too many frames may drop this one first.",
        false => "A switch that has too many frames treats this one like most.",
    };
    let vlan = match tag.vlan {
        0 => "None: the tag is there for the priority alone.",
        _ => "Only stations of this VLAN see the frame, as if they had a cable of their own.",
    };
    vec![
        Field::new("priority", 0..2, tag.priority.to_string(), priority, SOURCE).with_bits(0..3),
        Field::new("drop eligible", 0..2, u8::from(tag.drop_eligible).to_string(), drop, SOURCE)
            .with_bits(3..4),
        Field::new("VLAN identifier", 0..2, tag.vlan.to_string(), vlan, SOURCE).with_bits(4..16),
        Field::new("EtherType", 2..4, tag.ethertype.to_string(), meaning_of_type(tag.ethertype), SOURCE),
    ]
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
