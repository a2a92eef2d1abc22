//! Whose an address is: one host's, everybody's, a group's, or nobody's.
//!
//! Read first: RFC 1122 section 3.2.1.3 (IPv4), RFC 5771 section 4 (groups of a link), RFC 3927 section 2.7 and RFC 4291
//! sections 2.5 and 2.7 (what stays on a link).

use std::net::IpAddr;

use super::short;

/// What a destination reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// One host, wherever it is.
    Host,
    /// One host of this link.
    Neighbour,
    /// The sender itself.
    Itself,
    /// A group, and how far it goes.
    Group {
        /// Whether it ends at the routers.
        is_of_link: bool,
    },
    /// Everybody on the link.
    Everybody,
    /// Nobody.
    Nobody,
}

impl Reach {
    fn of(address: IpAddr) -> Self {
        let is_of_link = match address {
            IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _] | [169, 254, ..]),
            // The scope of a group stands in its second byte; 1 and 2 go no further than the link.
            IpAddr::V6(address) if address.is_multicast() => address.octets()[1] & 0x0f <= 2,
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        match address {
            IpAddr::V4(address) if address.is_broadcast() => Reach::Everybody,
            _ if address.is_unspecified() => Reach::Nobody,
            _ if address.is_loopback() => Reach::Itself,
            _ if address.is_multicast() => Reach::Group { is_of_link },
            _ if is_of_link => Reach::Neighbour,
            _ => Reach::Host,
        }
    }
}

/// What a packet for this address does, in at most 34 characters.
pub(super) fn sent_to(address: IpAddr) -> String {
    let who = match Reach::of(address) {
        Reach::Host => "far end",
        Reach::Neighbour => "on link",
        Reach::Itself => "itself",
        Reach::Group { .. } => "a group",
        Reach::Everybody => "all on link",
        Reach::Nobody => "nobody",
    };
    format!("to {}, {who}", short(address))
}

/// Who a packet's source is.
pub(super) fn source(address: IpAddr) -> &'static str {
    match address.is_unspecified() {
        true => "The sender has no address yet: whoever answers has to know it by something else.",
        false => "The host that sent it, and to which the answer goes.",
    }
}

/// Who a packet's destination is.
pub(super) fn destination(address: IpAddr) -> &'static str {
    match Reach::of(address) {
        Reach::Host => "The host at the far end; every router on the way looks at this.",
        Reach::Neighbour => "A host of this link: no router hands it on.",
        Reach::Itself => "The sender's own machine: the packet never leaves it.",
        Reach::Group { is_of_link: true } => {
            "Those of this link who listen to this group; no router hands it on."
        }
        Reach::Group { is_of_link: false } => {
            "All who listen to this group; routers hand it on to where there are some."
        }
        Reach::Everybody => "Everybody on this link; no router hands it on.",
        Reach::Nobody => "Nobody: this is what stands where there is no address.",
    }
}
