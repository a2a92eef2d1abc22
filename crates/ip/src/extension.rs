//! IPv6 extension headers: RFC 8200 section 4; RFC 5095 (routing type 0), RFC 7112 (header chains).
//!
//! The walk is bounded twice: by the packet's bytes and by [`LONGEST_CHAIN`] headers.

use framewise_core::read::{u8_at, u16_at, u32_at};

use crate::error::{ParseError, require};

/// Options that every router may look at.
pub const HOP_BY_HOP: u8 = 0;
/// Routers to pass on the way.
pub const ROUTING: u8 = 43;
/// A part of a packet that its source split.
pub const FRAGMENT: u8 = 44;
/// ICMPv6, which is no extension.
pub const ICMPV6: u8 = 58;
/// Nothing follows.
pub const NO_NEXT_HEADER: u8 = 59;
/// Options for the destination.
pub const DESTINATION_OPTIONS: u8 = 60;

/// More extension headers than any honest packet has.
pub const LONGEST_CHAIN: usize = 8;

/// How the walk along the headers ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// At the protocol above IP, whose header begins at `offset`.
    Upper {
        /// Its number.
        protocol: u8,
        /// Where it begins in the packet.
        offset: usize,
        /// Where the byte stands that named it.
        named_at: usize,
    },
    /// At a fragment header: what follows is a part of something.
    Fragment {
        /// Its fields.
        fragment: FragmentHeader,
        /// Where the part begins in the packet.
        offset: usize,
    },
}

/// The fields of a fragment header (RFC 8200, section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// What the whole begins with.
    pub next_header: u8,
    /// Where this part begins in the whole, in bytes.
    pub fragment_offset: usize,
    /// Further parts follow.
    pub more_fragments: bool,
    /// What the parts of one packet have in common.
    pub identification: u32,
}

/// How the walk along the headers ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Not the headers they should be: a silent drop.
    Malformed(ParseError),
    /// A drop that the source is told of, by an ICMPv6 parameter problem.
    Problem {
        /// The code of the parameter problem.
        code: u8,
        /// Where the offending byte is in the packet.
        pointer: usize,
        /// Why, as the counter names it.
        reason: &'static str,
        /// Whether the source is told even if the packet was for a group.
        even_for_group: bool,
    },
    /// A silent drop.
    Drop(&'static str),
}

impl From<ParseError> for Halt {
    fn from(error: ParseError) -> Self {
        Halt::Malformed(error)
    }
}

impl FragmentHeader {
    /// Its length.
    pub const LEN: usize = 8;
    /// Where the fragment offset is in it.
    pub(crate) const OFFSET_AT: usize = 2;

    /// Writes it to the beginning of `bytes`. Does nothing if that is shorter than 8 bytes.
    pub fn emit(&self, bytes: &mut [u8]) {
        let Some(fixed) = bytes.first_chunk_mut::<8>() else {
            return;
        };
        let offset = (self.fragment_offset as u16 & 0xfff8) | u16::from(self.more_fragments);
        fixed[0] = self.next_header;
        fixed[1] = 0;
        fixed[2..4].copy_from_slice(&offset.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.identification.to_be_bytes());
    }

    fn read(packet: &[u8], at: usize) -> Option<Self> {
        let offset = u16_at(packet, at + 2)?;
        Some(FragmentHeader {
            next_header: u8_at(packet, at)?,
            fragment_offset: usize::from(offset & 0xfff8),
            more_fragments: offset & 1 != 0,
            identification: u32_at(packet, at + 4)?,
        })
    }
}

/// Walks the headers of `packet` from the one of type `first` at `offset`, which the byte at `named_at` named.
///
/// `beginning` tells whether `offset` is right behind the IPv6 header: only there may hop-by-hop options stand.
pub fn walk(
    packet: &[u8],
    first: u8,
    offset: usize,
    named_at: usize,
    beginning: bool,
) -> Result<Chain, Halt> {
    let (mut kind, mut at, mut named_at) = (first, offset, named_at);
    for position in 0..=LONGEST_CHAIN {
        match kind {
            HOP_BY_HOP if !(beginning && position == 0) => {
                return Err(Halt::Problem {
                    code: 1,
                    pointer: named_at,
                    reason: "hop-by-hop options not in front",
                    even_for_group: false,
                });
            }
            HOP_BY_HOP | DESTINATION_OPTIONS => check_options(packet, at)?,
            ROUTING => check_routing(packet, at)?,
            FRAGMENT => return fragment(packet, at),
            protocol => return Ok(Chain::Upper { protocol, offset: at, named_at }),
        }
        let length = extension_len(packet, at)?;
        kind = u8_at(packet, at).unwrap_or(NO_NEXT_HEADER);
        named_at = at;
        at += length;
    }
    Err(Halt::Drop("too many extension headers"))
}

/// The length of the extension header at `at`, all of whose bytes are there.
fn extension_len(packet: &[u8], at: usize) -> Result<usize, ParseError> {
    require(packet, "IPv6", at, 8)?;
    let length = 8 + 8 * usize::from(u8_at(packet, at + 1).unwrap_or(0));
    require(packet, "IPv6", at, length)?;
    Ok(length)
}

fn fragment(packet: &[u8], at: usize) -> Result<Chain, Halt> {
    require(packet, "IPv6", at, FragmentHeader::LEN)?;
    let fragment = FragmentHeader::read(packet, at).ok_or(Halt::Drop("IPv6 packet cut short"))?;
    Ok(Chain::Fragment { fragment, offset: at + FragmentHeader::LEN })
}

/// A routing header may only be passed by when its way is over (RFC 8200, section 4.4).
fn check_routing(packet: &[u8], at: usize) -> Result<(), Halt> {
    extension_len(packet, at)?;
    if u8_at(packet, at + 3) == Some(0) {
        return Ok(());
    }
    Err(Halt::Problem {
        code: 0,
        pointer: at + 2,
        reason: "routing header with a way to go",
        even_for_group: false,
    })
}

/// Walks the options of a hop-by-hop or destination options header (RFC 8200, section 4.2).
fn check_options(packet: &[u8], at: usize) -> Result<(), Halt> {
    let end = at + extension_len(packet, at)?;
    let mut at = at + 2;
    while at < end {
        let kind = u8_at(packet, at).unwrap_or(0);
        if kind == PAD1 {
            at += 1;
            continue;
        }
        check_option(kind, at)?;
        let length = usize::from(u8_at(packet, at + 1).unwrap_or(0));
        at += 2 + length;
    }
    if at > end {
        return Err(Halt::Drop("IPv6 option beyond its header"));
    }
    Ok(())
}

const PAD1: u8 = 0;
const PAD_N: u8 = 1;
const ROUTER_ALERT: u8 = 5;

/// What an option that we don't know wants done with its packet stands in its type's first two bits.
fn check_option(kind: u8, at: usize) -> Result<(), Halt> {
    if matches!(kind, PAD_N | ROUTER_ALERT) {
        return Ok(());
    }
    match kind >> 6 {
        0 => Ok(()),
        1 => Err(Halt::Drop("unknown IPv6 option")),
        action => Err(Halt::Problem {
            code: 2,
            pointer: at,
            reason: "unknown IPv6 option",
            even_for_group: action == 2,
        }),
    }
}
