//! Neighbour discovery for IPv6: RFC 4861 sections 4 (formats), 6.1 and 7.1 (what makes a message valid);
//! RFC 4862 section 5.4 (duplicate addresses).

use std::net::Ipv6Addr;
use std::time::Duration;

use framewise_core::read::{array_at, u8_at, u16_at, u32_at};
use framewise_core::{Buf, MacAddr};

use crate::cidr::Cidr;
use crate::error::{ParseError, require};
use crate::icmpv6;

/// Are there routers?
pub const ROUTER_SOLICITATION: u8 = 133;
/// I am a router.
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// Who has this address?
pub const NEIGHBOUR_SOLICITATION: u8 = 135;
/// I have it.
pub const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// There is a better router (not followed: anyone on the link could say so).
pub const REDIRECT: u8 = 137;

/// The hop limit of every message of this protocol: no router lets one through (RFC 4861, section 3.1).
pub const HOP_LIMIT: u8 = 255;

/// Option: the sender's MAC address.
pub const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
/// Option: the target's MAC address.
pub const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
/// Option: a network on the link.
pub const PREFIX_INFORMATION: u8 = 3;
/// Option: the link's MTU.
pub const MTU: u8 = 5;

/// A router says so much in one advertisement at most; what comes after is not read.
const MOST_PREFIXES: usize = 8;

/// A valid message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ndp {
    /// Are there routers?
    RouterSolicitation,
    /// I am a router.
    RouterAdvertisement(Box<RouterAdvertisement>),
    /// Who has this address?
    NeighbourSolicitation {
        /// The address.
        target: Ipv6Addr,
        /// Who asks; `None`: someone who wants to take that address (duplicate address detection).
        source_mac: Option<MacAddr>,
    },
    /// I have this address.
    NeighbourAdvertisement {
        /// The address.
        target: Ipv6Addr,
        /// Where.
        target_mac: Option<MacAddr>,
        /// How it is meant.
        flags: AdvertisementFlags,
    },
    /// There is a better router.
    Redirect,
}

/// What a router says of itself and of the link (RFC 4861, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RouterAdvertisement {
    /// How long it may be used as default router; zero: it may not.
    pub router_lifetime: Duration,
    /// Its MAC address.
    pub source_mac: Option<MacAddr>,
    /// The link's MTU.
    pub mtu: Option<usize>,
    /// The networks of the link.
    pub prefixes: Vec<Prefix>,
}

/// A network of the link (RFC 4861, section 4.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The network.
    pub network: Cidr,
    /// Its hosts are reached without a router.
    pub on_link: bool,
    /// Addresses may be made in it (RFC 4862).
    pub autonomous: bool,
    /// How long it is good; `None`: for ever.
    pub valid: Option<Duration>,
    /// How long its addresses may be used for something new; `None`: for ever.
    pub preferred: Option<Duration>,
}

/// What stands in the IP header around a message.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// From where.
    pub source: Ipv6Addr,
    /// To where.
    pub destination: Ipv6Addr,
    /// Its hop limit.
    pub hop_limit: u8,
}

impl Ndp {
    /// Reads a message whose checksum is right, and checks what RFC 4861 sections 6.1 and 7.1 demand.
    pub fn parse(message: &[u8], envelope: Envelope) -> Result<Self, ParseError> {
        if envelope.hop_limit != HOP_LIMIT {
            let found = usize::from(envelope.hop_limit);
            return Err(invalid(0, "NDP hop limit is not 255", usize::from(HOP_LIMIT), found));
        }
        let code = u8_at(message, 1).unwrap_or(0);
        if code != 0 {
            return Err(invalid(1, "NDP code is not 0", 0, usize::from(code)));
        }
        match u8_at(message, 0).unwrap_or(0) {
            ROUTER_SOLICITATION => options(message, 8).map(|_| Ndp::RouterSolicitation),
            ROUTER_ADVERTISEMENT => router_advertisement(message, envelope),
            NEIGHBOUR_SOLICITATION => neighbour_solicitation(message, envelope),
            NEIGHBOUR_ADVERTISEMENT => neighbour_advertisement(message, envelope),
            _ => options(message, 40).map(|_| Ndp::Redirect),
        }
    }
}

fn invalid(offset: usize, reason: &'static str, needed: usize, found: usize) -> ParseError {
    ParseError::Field { layer: "NDP", offset, reason, needed, found }
}

fn router_advertisement(message: &[u8], envelope: Envelope) -> Result<Ndp, ParseError> {
    if !envelope.source.is_unicast_link_local() {
        return Err(invalid(0, "router advertisement not from link-local", 0xfe80, source_head(envelope)));
    }
    let mut advertisement = RouterAdvertisement::default();
    for option in options(message, 16)? {
        match option.kind {
            SOURCE_LINK_LAYER_ADDRESS => advertisement.source_mac = option.mac(),
            MTU => advertisement.mtu = u32_at(option.bytes, 4).map(|mtu| mtu as usize),
            PREFIX_INFORMATION if advertisement.prefixes.len() < MOST_PREFIXES => {
                advertisement.prefixes.extend(prefix(option.bytes));
            }
            _ => {}
        }
    }
    let seconds = u16_at(message, 6).unwrap_or(0);
    advertisement.router_lifetime = Duration::from_secs(seconds.into());
    Ok(Ndp::RouterAdvertisement(Box::new(advertisement)))
}

fn source_head(envelope: Envelope) -> usize {
    usize::from(envelope.source.segments()[0])
}

fn prefix(option: &[u8]) -> Option<Prefix> {
    let length = u8_at(option, 2).filter(|length| *length <= 128)?;
    let flags = u8_at(option, 3)?;
    let network: Ipv6Addr = array_at::<16>(option, 16)?.into();
    Some(Prefix {
        network: Cidr::new(network.into(), length).network(),
        on_link: flags & 0x80 != 0,
        autonomous: flags & 0x40 != 0,
        valid: lifetime(u32_at(option, 4)?),
        preferred: lifetime(u32_at(option, 8)?),
    })
}

/// All bits set means for ever.
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(seconds.into()))
}

fn target(message: &[u8]) -> Result<Ipv6Addr, ParseError> {
    let target: Ipv6Addr = array_at::<16>(message, 8).unwrap_or_default().into();
    if target.is_multicast() {
        return Err(invalid(8, "NDP target is a group", 0, 0xff));
    }
    Ok(target)
}

fn neighbour_solicitation(message: &[u8], envelope: Envelope) -> Result<Ndp, ParseError> {
    let mut source_mac = None;
    for option in options(message, 24)? {
        if option.kind == SOURCE_LINK_LAYER_ADDRESS {
            source_mac = option.mac();
        }
    }
    if envelope.source.is_unspecified() {
        let to_solicited_node = envelope.destination.octets().starts_with(&SOLICITED_NODE_PREFIX);
        if source_mac.is_some() || !to_solicited_node {
            return Err(invalid(8, "NDP solicitation from nobody, malformed", 0, 1));
        }
    }
    Ok(Ndp::NeighbourSolicitation { target: target(message)?, source_mac })
}

const SOLICITED_NODE_PREFIX: [u8; 13] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
const ROUTER_FLAG: u8 = 0x80;
const SOLICITED_FLAG: u8 = 0x40;
const OVERRIDE_FLAG: u8 = 0x20;

fn neighbour_advertisement(message: &[u8], envelope: Envelope) -> Result<Ndp, ParseError> {
    let mut target_mac = None;
    for option in options(message, 24)? {
        if option.kind == TARGET_LINK_LAYER_ADDRESS {
            target_mac = option.mac();
        }
    }
    let bits = u8_at(message, 4).unwrap_or(0);
    let flags = AdvertisementFlags {
        router: bits & ROUTER_FLAG != 0,
        solicited: bits & SOLICITED_FLAG != 0,
        replace: bits & OVERRIDE_FLAG != 0,
    };
    if flags.solicited && envelope.destination.is_multicast() {
        return Err(invalid(4, "solicited NDP advertisement to a group", 0, usize::from(bits)));
    }
    Ok(Ndp::NeighbourAdvertisement { target: target(message)?, target_mac, flags })
}

/// One option of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NdpOption<'a> {
    pub(crate) kind: u8,
    /// Where it stands in the message.
    pub(crate) at: usize,
    /// All of it, type and length included.
    pub(crate) bytes: &'a [u8],
}

impl NdpOption<'_> {
    /// The MAC address of a link-layer address option; one of a group or of nobody is none.
    fn mac(&self) -> Option<MacAddr> {
        let octets: [u8; 6] = array_at(self.bytes, 2)?;
        Some(MacAddr::new(octets)).filter(|mac| mac.is_unicast())
    }
}

/// The options from `at` on, once all of them are known to have a length (RFC 4861, section 4.6: units of 8 bytes, never 0).
pub(crate) fn options(message: &[u8], at: usize) -> Result<impl Iterator<Item = NdpOption<'_>>, ParseError> {
    require(message, "NDP", 0, at)?;
    let mut walked = at;
    while walked < message.len() {
        let length = 8 * usize::from(u8_at(message, walked + 1).unwrap_or(0));
        if length == 0 {
            return Err(invalid(walked + 1, "NDP option of length 0", 1, 0));
        }
        require(message, "NDP", walked, length)?;
        walked += length;
    }
    let mut at = at;
    Ok(std::iter::from_fn(move || {
        let length = 8 * usize::from(u8_at(message, at + 1)?);
        let bytes = message.get(at..at + length)?;
        let option = NdpOption { kind: u8_at(bytes, 0)?, at, bytes };
        at += length;
        Some(option)
    }))
}

fn link_layer_option(kind: u8, mac: MacAddr) -> [u8; 8] {
    let [a, b, c, d, e, g] = mac.octets();
    [kind, 1, a, b, c, d, e, g]
}

fn with_target(target: Ipv6Addr, option: Option<[u8; 8]>) -> Vec<u8> {
    let mut body = target.octets().to_vec();
    body.extend(option.into_iter().flatten());
    body
}

/// Who has `target`? `mac` is left out in duplicate address detection, which asks from the unspecified address.
pub fn emit_neighbour_solicitation(
    target: Ipv6Addr,
    mac: Option<MacAddr>,
    source: Ipv6Addr,
    destination: Ipv6Addr,
) -> Buf {
    let option = mac.map(|mac| link_layer_option(SOURCE_LINK_LAYER_ADDRESS, mac));
    let body = with_target(target, option);
    icmpv6::message(NEIGHBOUR_SOLICITATION, 0, [0; 4], &body, source, destination)
}

/// How an advertisement is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisementFlags {
    /// The sender is a router.
    pub router: bool,
    /// Somebody asked.
    pub solicited: bool,
    /// What was known before shall be replaced.
    pub replace: bool,
}

/// I have `target`, at `mac`.
pub fn emit_neighbour_advertisement(
    target: Ipv6Addr,
    mac: MacAddr,
    flags: AdvertisementFlags,
    source: Ipv6Addr,
    destination: Ipv6Addr,
) -> Buf {
    let bit = |set, bit| if set { bit } else { 0 };
    let flags = bit(flags.router, ROUTER_FLAG)
        | bit(flags.solicited, SOLICITED_FLAG)
        | bit(flags.replace, OVERRIDE_FLAG);
    let body = with_target(target, Some(link_layer_option(TARGET_LINK_LAYER_ADDRESS, mac)));
    icmpv6::message(NEIGHBOUR_ADVERTISEMENT, 0, [flags, 0, 0, 0], &body, source, destination)
}

/// Are there routers? `mac` is left out by who has no address that is settled (RFC 4429, section 3.3).
pub fn emit_router_solicitation(mac: Option<MacAddr>, source: Ipv6Addr, destination: Ipv6Addr) -> Buf {
    let option = mac.map(|mac| link_layer_option(SOURCE_LINK_LAYER_ADDRESS, mac));
    let option = option.as_ref().map_or(&[][..], |option| option);
    icmpv6::message(ROUTER_SOLICITATION, 0, [0; 4], option, source, destination)
}
