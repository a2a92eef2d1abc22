//! What captured frames begin with: Ethernet, or what stands in its place where there was none.
//!
//! Read first: the registry of LINKTYPE values (draft-ietf-opsawg-pcaplinktype) and, for each, the description that it
//! refers to.
//!
//! ```text
//!   Ethernet   destination, source, type, perhaps VLAN tags │ packet
//!   cooked     way, kind of link, source, type              │ packet      Linux, `-i any`
//!   loopback   address family                               │ packet      BSD, macOS
//!   raw                                                     │ packet
//! ```

mod cooked;
mod loopback;

use framewise_core::{Description, Direction};

use crate::error::ParseError;
use crate::frame::{EtherType, FrameView, HEADER_LENGTH};
use crate::vlan::{TAG_LENGTH, Tag};

/// What captured frames begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// An Ethernet header.
    Ethernet,
    /// A header of 16 bytes that Linux makes up (LINKTYPE_LINUX_SLL).
    Cooked,
    /// Its successor, of 20 bytes (LINKTYPE_LINUX_SLL2).
    Cooked2,
    /// The address family in the byte order of the machine that captured (LINKTYPE_NULL).
    Null,
    /// The address family, the larger part first (LINKTYPE_LOOP).
    Loop,
    /// Nothing: the IP packet at once (LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6).
    Raw,
}

/// The kinds of link that captures have most often, read here or not, as the registry calls them.
const NAMES: [(u32, &str); 33] = [
    (0, "NULL"),
    (1, "ETHERNET"),
    (6, "IEEE802_5"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (50, "PPP_HDLC"),
    (51, "PPP_ETHER"),
    (101, "RAW"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (108, "LOOP"),
    (113, "LINUX_SLL"),
    (117, "PFLOG"),
    (119, "IEEE802_11_PRISM"),
    (122, "IP_OVER_FC"),
    (127, "IEEE802_11_RADIOTAP"),
    (129, "ARCNET_LINUX"),
    (138, "APPLE_IP_OVER_IEEE1394"),
    (163, "IEEE802_11_AVS"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4_WITHFCS"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (220, "USB_LINUX_MMAPPED"),
    (227, "CAN_SOCKETCAN"),
    (228, "IPV4"),
    (229, "IPV6"),
    (239, "NFLOG"),
    (249, "USBPCAP"),
    (276, "LINUX_SLL2"),
];

/// What a kind of link is called, with its number: `LINKTYPE_IEEE802_11 (105)`.
pub fn link_type_name(link_type: u32) -> String {
    match NAMES.iter().find(|(number, _)| *number == link_type) {
        Some((_, name)) => format!("LINKTYPE_{name} ({link_type})"),
        None => format!("LINKTYPE {link_type}"),
    }
}

/// Tags that are passed before a frame counts as nonsense; two are usual at most.
const MOST_TAGS: usize = 8;

impl Link {
    /// What the frames of a capture with this LINKTYPE begin with; `None` where it is not known here.
    ///
    /// ```
    /// use framewise_ethernet::Link;
    /// assert_eq!(Link::of_capture(1), Some(Link::Ethernet));
    /// assert_eq!(Link::of_capture(105), None, "IEEE 802.11");
    /// ```
    pub fn of_capture(link_type: u32) -> Option<Self> {
        Some(match link_type {
            0 => Link::Null,
            1 => Link::Ethernet,
            // 12 and 14 are what some systems wrote for raw IP before 101 was registered.
            12 | 14 | 101 | 228 | 229 => Link::Raw,
            108 => Link::Loop,
            113 => Link::Cooked,
            276 => Link::Cooked2,
            _ => return None,
        })
    }

    /// Explains the header with which `frame` begins, without tags behind it; `None` where there is none.
    ///
    /// # Errors
    /// The frame ends within it.
    pub fn describe(self, frame: &[u8]) -> Result<Option<Description>, ParseError> {
        match self {
            Link::Ethernet => crate::describe(frame).map(Some),
            Link::Cooked | Link::Cooked2 => cooked::describe(self, frame).map(Some),
            Link::Null | Link::Loop => loopback::describe(self, frame).map(Some),
            Link::Raw => Ok(None),
        }
    }

    /// What is behind the header with which `frame` begins, and where; a tag, perhaps.
    pub fn next(self, frame: &[u8]) -> Option<(EtherType, usize)> {
        match self {
            Link::Ethernet => Some((FrameView::new(frame).ok()?.ethertype(), HEADER_LENGTH)),
            Link::Cooked | Link::Cooked2 => cooked::next(self, frame),
            Link::Null | Link::Loop => loopback::next(self, frame),
            Link::Raw => Some((EtherType::of_packet(frame)?, 0)),
        }
    }

    /// What is behind header and tags, and where.
    pub fn inside(self, frame: &[u8]) -> Option<(EtherType, usize)> {
        let (mut ethertype, mut at) = self.next(frame)?;
        for _ in 0..MOST_TAGS {
            if !ethertype.is_tag() {
                return Some((ethertype, at));
            }
            ethertype = Tag::parse(frame.get(at..)?).ok()?.ethertype;
            at += TAG_LENGTH;
        }
        None
    }

    /// Which way the frame went, where its header tells.
    pub fn direction(self, frame: &[u8]) -> Option<Direction> {
        match self {
            Link::Cooked | Link::Cooked2 => cooked::direction(self, frame),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINKS: [Link; 6] = [Link::Ethernet, Link::Cooked, Link::Cooked2, Link::Null, Link::Loop, Link::Raw];

    fn tagged(tags: usize) -> Vec<u8> {
        let mut frame = vec![2; 12];
        for _ in 0..tags {
            frame.extend([0x81, 0x00, 0x00, 0x05]);
        }
        frame.extend([0x08, 0x00, 0x45]);
        frame
    }

    #[test]
    fn kinds_of_link_are_called_by_their_names() {
        assert!(NAMES.is_sorted_by_key(|(number, _)| *number));
        assert_eq!(link_type_name(127), "LINKTYPE_IEEE802_11_RADIOTAP (127)");
        assert_eq!(link_type_name(147), "LINKTYPE 147");
    }

    #[test]
    fn tags_are_passed_up_to_a_bound() {
        assert_eq!(Link::Ethernet.inside(&tagged(0)), Some((EtherType::IPV4, 14)));
        assert_eq!(Link::Ethernet.inside(&tagged(2)), Some((EtherType::IPV4, 22)));
        assert_eq!(Link::Ethernet.inside(&tagged(100)), None);
    }

    proptest! {
        #[test]
        fn what_is_described_is_what_is_passed(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for link in LINKS {
                let described = link.describe(&bytes).ok().flatten();
                if let (Some(described), Some((_, at))) = (described, link.next(&bytes)) {
                    prop_assert_eq!(described.header, 0..at, "{:?}", link);
                    prop_assert_eq!(described.payload.start, at, "{:?}", link);
                }
                let _ = (link.inside(&bytes), link.direction(&bytes));
            }
        }
    }
}
