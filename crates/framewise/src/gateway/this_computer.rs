//! How this computer itself is called on the wire: 127.0.0.1 must not appear on any (RFC 1122 section 3.2.1.3, RFC 4291
//! section 2.5.3), so addresses of the gateway's stand for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Stands for 127.0.0.1.
pub const THIS_COMPUTER_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Stands for ::1.
pub const THIS_COMPUTER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);

/// Whether an address means this computer, from its own point of view.
pub(super) fn is_this_computer(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// How an address of the operating system's is called on the wire: this computer's own by the address that stands for it, all
/// others as they are.
pub fn on_the_wire(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) if is_this_computer(address) => THIS_COMPUTER_V4.into(),
        IpAddr::V6(_) if is_this_computer(address) => THIS_COMPUTER_V6.into(),
        other => other,
    }
}
