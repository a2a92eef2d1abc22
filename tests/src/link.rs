//! The link that our stack and the kernel share: a TAP with an address of either version at the kernel's end.
//!
//! ```text
//!   framewise: 192.0.2.10, 2001:db8:1::10 ── fw0 ── 192.0.2.1, 2001:db8:1::1: the kernel
//!                                                     └─ near ══ far ── 198.51.100.80, 2001:db8:2::80: beyond
//! ```

use crate::namespace::Namespace;
use crate::peers::Framewise;
use crate::place::Place;
use crate::routers::Beyond;
use crate::skip::require_tap;
use std::net::IpAddr;

/// The TAP's name.
pub const TAP: &str = "fw0";

/// Where the two ends of a test are, for each version of IP.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Our stack's.
    pub ours: &'static str,
    /// The same with the length of its prefix, as `--address` wants it.
    pub ours_cidr: &'static str,
    /// The kernel's on the same link.
    pub kernel: &'static str,
    /// The same with the length of its prefix.
    pub kernel_cidr: &'static str,
    /// That of the network beyond the kernel.
    pub beyond: &'static str,
}

/// The addresses of IPv4 (RFC 5737).
pub const V4: Addresses = Addresses {
    ours: "192.0.2.10",
    ours_cidr: "192.0.2.10/24",
    kernel: "192.0.2.1",
    kernel_cidr: "192.0.2.1/24",
    beyond: "198.51.100.80",
};

/// The addresses of IPv6 (RFC 3849).
pub const V6: Addresses = Addresses {
    ours: "2001:db8:1::10",
    ours_cidr: "2001:db8:1::10/64",
    kernel: "2001:db8:1::1",
    kernel_cidr: "2001:db8:1::1/64",
    beyond: "2001:db8:2::80",
};

/// Makes the TAP, with the kernel's end up, and leaves it for `framewise` to open. Skips the test where that
/// cannot be.
///
/// # Panics
///
/// Where the kernel refuses.
#[track_caller]
pub fn tap(namespace: &Namespace) {
    require_tap();
    namespace.ip(&format!("tuntap add {TAP} mode tap"));
    for addresses in [V4, V6] {
        namespace.address(TAP, addresses.kernel_cidr);
    }
}

/// Makes the network beyond the kernel, which routes between it and the TAP.
///
/// # Panics
///
/// Where the kernel refuses.
#[track_caller]
pub fn beyond(namespace: &Namespace) -> Beyond {
    Beyond::new(
        namespace,
        &[("198.51.100.1/24", "198.51.100.80/24"), ("2001:db8:2::1/64", "2001:db8:2::80/64")],
    )
}

/// `framewise` with these arguments on the TAP, with addresses of both versions.
pub fn on_tap(place: &impl Place, arguments: &[&str]) -> Framewise {
    let here = ["--tap", TAP, "--address", V4.ours_cidr, "--address", V6.ours_cidr];
    Framewise::new(place, &[arguments, &here].concat())
}

/// The arguments that make the kernel our router.
pub const GATEWAYS: [&str; 4] = ["--gateway", V4.kernel, "--gateway", V6.kernel];

/// An address as the host of a URL: that of IPv6 in brackets.
pub fn as_host(address: &str) -> String {
    if address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}
