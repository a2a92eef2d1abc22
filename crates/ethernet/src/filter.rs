//! Which frames are for us, and which address a group of stations has.
//!
//! Read first: RFC 1112 section 6.4 (IPv4 groups), RFC 2464 section 7 (IPv6 groups), RFC 1122 section 2.4.

use std::net::IpAddr;

use framewise_core::MacAddr;

use crate::frame::FrameView;

/// To whom a frame that concerns us is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressed {
    /// To this station.
    Me,
    /// To a group of IPv4 or IPv6; whether we are in it, IP knows.
    Group,
    /// To everybody.
    Everybody,
}

/// Why a frame does not concern us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says that we sent it.
    OwnSource,
    /// Its source is a group or nobody, and a group never sends.
    GroupSource,
    /// It is for another station.
    OtherStation,
    /// It is for a group of another protocol.
    OtherGroup,
}

impl Refusal {
    /// Whether the frame is merely for others, as a shared link brings them.
    pub fn is_harmless(self) -> bool {
        matches!(self, Refusal::OtherStation | Refusal::OtherGroup)
    }

    /// The same as a short fixed phrase, by which drops are counted.
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::OwnSource => "my own address as source",
            Refusal::GroupSource => "source is no station",
            Refusal::OtherStation => "for another station",
            Refusal::OtherGroup => "for another protocol's group",
        }
    }
}

/// Decides by the two addresses alone whether the station `mac` reads on.
///
/// The source comes first, so that a second station with our address is found whomever it writes to.
pub fn admit(frame: &FrameView<'_>, mac: MacAddr) -> Result<Addressed, Refusal> {
    let (destination, source) = (frame.destination(), frame.source());
    if source == mac {
        Err(Refusal::OwnSource)
    } else if !source.is_unicast() {
        Err(Refusal::GroupSource)
    } else if destination == mac {
        Ok(Addressed::Me)
    } else if destination.is_broadcast() {
        Ok(Addressed::Everybody)
    } else if is_ip_group(destination) {
        Ok(Addressed::Group)
    } else if destination.is_multicast() {
        Err(Refusal::OtherGroup)
    } else {
        Err(Refusal::OtherStation)
    }
}

/// Whether this is the address of an IPv4 or IPv6 group.
fn is_ip_group(mac: MacAddr) -> bool {
    matches!(mac.octets(), [0x01, 0x00, 0x5e, 0x00..=0x7f, ..] | [0x33, 0x33, ..])
}

/// The MAC address of an IP group: the last 23 bits of an IPv4 group's address, the last 32 of an IPv6 group's.
///
/// ```
/// use framewise_ethernet::filter::group_address;
/// assert_eq!(group_address([224, 0, 0, 251].into()).to_string(), "01:00:5e:00:00:fb");
/// let all_nodes: std::net::Ipv6Addr = "ff02::1".parse()?;
/// assert_eq!(group_address(all_nodes.into()).to_string(), "33:33:00:00:00:01");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn group_address(group: IpAddr) -> MacAddr {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            MacAddr::new([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            MacAddr::new([0x33, 0x33, a, b, c, d])
        }
    }
}
