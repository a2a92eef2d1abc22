//! The four bytes that BSD and macOS put in front of packets on the loop: the address family, and nothing else.
//!
//! Read first: LINKTYPE_NULL and LINKTYPE_LOOP in the registry of LINKTYPE values.

use framewise_core::read::array_at;
use framewise_core::{Description, Field};

use super::Link;
use crate::describe::next as next_phrase;
use crate::error::ParseError;
use crate::frame::EtherType;

const LENGTH: usize = 4;

/// AF_INET is the same everywhere; AF_INET6 is not: Linux, NetBSD and OpenBSD, FreeBSD, macOS.
const INET: u32 = 2;
const INET6: [u32; 4] = [10, 24, 28, 30];

/// The family, whose byte order LINKTYPE_NULL leaves open: families are small numbers.
fn family(link: Link, frame: &[u8]) -> Option<u32> {
    let bytes = array_at(frame, 0)?;
    let (big, little) = (u32::from_be_bytes(bytes), u32::from_le_bytes(bytes));
    Some(if link == Link::Loop { big } else { big.min(little) })
}

fn ethertype(family: u32) -> Option<EtherType> {
    match family {
        INET => Some(EtherType::IPV4),
        family if INET6.contains(&family) => Some(EtherType::IPV6),
        _ => None,
    }
}

pub(super) fn next(link: Link, frame: &[u8]) -> Option<(EtherType, usize)> {
    Some((ethertype(family(link, frame)?)?, LENGTH))
}

pub(super) fn describe(link: Link, frame: &[u8]) -> Result<Description, ParseError> {
    let truncated =
        ParseError::Truncated { layer: "loopback header", offset: 0, needed: LENGTH, found: frame.len() };
    let family = family(link, frame).ok_or(truncated)?;
    let inside = ethertype(family);
    let rest = frame.get(LENGTH..).unwrap_or_default();
    let meaning = match inside {
        Some(EtherType::IPV4) => "The packet is one of IPv4.",
        Some(_) => "The packet is one of IPv6; each system has its own number for it.",
        None => "No family that is read here.",
    };
    let source = if link == Link::Loop { "LINKTYPE_LOOP" } else { "LINKTYPE_NULL" };
    Ok(Description {
        protocol: "loopback",
        unit: "frame",
        outbound: "within one machine".to_owned(),
        inbound: "within one machine".to_owned(),
        next: inside.map_or_else(|| "nobody: unknown family".to_owned(), next_phrase),
        header: 0..LENGTH,
        payload: LENGTH..LENGTH + inside.map_or(rest.len(), |inside| inside.unpadded_length(rest)),
        fields: vec![Field::new("address family", 0..LENGTH, family.to_string(), meaning, source)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_read_in_both_byte_orders_and_loop_in_one() {
        let little = [30, 0, 0, 0, 0x60];
        let big = [0, 0, 0, 2, 0x45];
        assert_eq!(next(Link::Null, &little), Some((EtherType::IPV6, 4)));
        assert_eq!(next(Link::Null, &big), Some((EtherType::IPV4, 4)));
        assert_eq!(next(Link::Loop, &big), Some((EtherType::IPV4, 4)));
        assert_eq!(next(Link::Loop, &little), None);
    }

    #[test]
    fn another_family_is_described_and_goes_to_nobody() {
        let described = describe(Link::Loop, &[0, 0, 0, 7, 1, 2, 3]).unwrap();
        assert_eq!((described.next.as_str(), described.payload), ("nobody: unknown family", 4..7));
        assert!(describe(Link::Null, &[2, 0, 0]).is_err());
    }
}
