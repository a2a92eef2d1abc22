//! Where the packet in a frame is, and what is in that: as little as is needed to sort frames, without a sentence.
//!
//! Each header is read by its crate; only how one follows the other is here.

use std::net::IpAddr;
use std::ops::Range;

use framewise_core::checksum::Sum;
use framewise_core::read::u16_at;
use framewise_ethernet::{EtherType, Link};
use framewise_ip::extension::{Chain, Halt, walk};
use framewise_ip::{Ipv4Header, Ipv6Header, ipv6};

/// An IP packet in a frame.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// What is in it.
    pub(crate) protocol: u8,
    /// Where in the frame that is, as far as it was captured.
    pub(crate) payload: Range<usize>,
    /// How long it was on the wire.
    pub(crate) length: usize,
    pub(crate) fragment: Option<Fragment>,
    /// Whether the header's checksum is wrong.
    pub(super) damaged: bool,
}

/// Which part of a packet a fragment is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) identification: u32,
}

impl Outline {
    /// The packet in a frame that begins with a header of this kind, if there is one that can be read.
    pub(crate) fn of(link: Link, frame: &[u8]) -> Option<Self> {
        let (ethertype, at) = link.inside(frame)?;
        let packet = frame.get(at..)?;
        let mut outline = match ethertype {
            EtherType::IPV4 => ipv4(packet),
            EtherType::IPV6 => ipv6(packet),
            _ => None,
        }?;
        outline.payload = outline.payload.start + at..outline.payload.end + at;
        Some(outline)
    }
}

/// Why nothing is shown of what is behind the headers of an IPv6 packet, if its headers can't be passed.
pub(super) fn hidden(packet: &[u8]) -> Option<String> {
    let header = Ipv6Header::read_caught(packet).ok()?;
    let why = match walk(packet, header.next_header, ipv6::HEADER_LEN, 6, true).err()? {
        Halt::Malformed(error) => error.to_string(),
        Halt::Problem { pointer, reason, .. } => format!("{reason} (byte {pointer} of the packet)"),
        Halt::Drop(reason) => reason.to_owned(),
    };
    Some(format!("what is behind the headers is not shown: {why}"))
}

fn ipv4(packet: &[u8]) -> Option<Outline> {
    let header = Ipv4Header::read_caught(packet).ok()?;
    let begin = header.header_len;
    let fragment = Fragment {
        offset: header.fragment_offset,
        more: header.more_fragments,
        identification: header.identification.into(),
    };
    let mut sum = Sum::default();
    sum.add(packet.get(..begin)?);
    // A checksum of zero was left to the device.
    let is_left = u16_at(packet, 10) == Some(0);
    Some(Outline {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol: header.protocol,
        payload: begin..header.total_len.min(packet.len()),
        length: header.total_len - begin,
        fragment: header.is_fragment().then_some(fragment),
        damaged: !sum.is_valid() && !is_left,
    })
}

fn ipv6(packet: &[u8]) -> Option<Outline> {
    let header = Ipv6Header::read_caught(packet).ok()?;
    let end = ipv6::HEADER_LEN + header.payload_len;
    let (protocol, begin, fragment) =
        match walk(packet, header.next_header, ipv6::HEADER_LEN, 6, true).ok()? {
            Chain::Upper { protocol, offset, .. } => (protocol, offset, None),
            Chain::Fragment { fragment, offset } => {
                let part = Fragment {
                    offset: fragment.fragment_offset,
                    more: fragment.more_fragments,
                    identification: fragment.identification,
                };
                // A packet that is its own only fragment (RFC 6946).
                let is_part = part.offset > 0 || part.more;
                (fragment.next_header, offset, is_part.then_some(part))
            }
        };
    Some(Outline {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol,
        payload: begin.min(packet.len())..end.min(packet.len()).max(begin.min(packet.len())),
        length: end.checked_sub(begin)?,
        fragment,
        damaged: false,
    })
}
