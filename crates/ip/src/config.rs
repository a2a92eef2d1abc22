//! What an IP layer is built from.

use std::net::IpAddr;
use std::time::Duration;

use framewise_core::MacAddr;
use framewise_core::buf::InterfaceId;

use crate::cidr::Cidr;

/// How an [`Ip`](crate::Ip) layer behaves.
///
/// ```
/// use framewise_ip::{Config, InterfaceConfig};
/// let mac = "02:00:00:00:00:0a".parse().unwrap();
/// let config = Config {
///     interfaces: vec![InterfaceConfig::new(mac, ["192.0.2.10/24".parse().unwrap()])],
///     ..Config::default()
/// }
/// .with_gateway("192.0.2.1".parse().unwrap());
/// assert_eq!(config.routes[0].destination.to_string(), "0.0.0.0/0");
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The interfaces; the first is `InterfaceId(0)`.
    pub interfaces: Vec<InterfaceConfig>,
    /// Ways beyond the networks that the interfaces are in.
    pub routes: Vec<Route>,
    /// Whether this host is a router: what is for others is passed on.
    pub forwarding: bool,
    /// Whether TCP segments to any host's address are taken as if they were for this one, and may be answered from that
    /// address: for a gateway, which ends connections for hosts beyond it. Everything else keeps to RFC 1122
    /// section 3.2.1.3: what is for others is dropped, or forwarded where this is a router.
    pub takes_all_tcp: bool,
    /// Whether an IPv6 address is asked for on the link before it counts as ours (RFC 4862, in the optimistic
    /// way of RFC 4429). Off, an address is used at once and silently, as fits a world that one program makes.
    pub duplicate_address_detection: bool,
    /// Whether routers on the link may give this host IPv6 prefixes and a default route. Never on a router.
    pub accept_router_advertisements: bool,
    /// The TTL or hop limit of what asks for no other.
    pub hop_limit: u8,
    /// The bounds of what is kept.
    pub limits: Limits,
}

/// One interface of the host.
#[derive(Clone, Debug)]
pub struct InterfaceConfig {
    /// Its MAC address, from which the IPv6 link-local address is made (RFC 4291, appendix A).
    pub mac: MacAddr,
    /// Bytes of the largest packet, IP header included. Below 68 counts as 68; below 1,280 there is no IPv6.
    pub mtu: usize,
    /// Its addresses with their networks.
    pub addresses: Vec<Cidr>,
}

/// A way to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network.
    pub destination: Cidr,
    /// The router that leads there; `None`: it is on the link.
    pub via: Option<IpAddr>,
    /// The interface.
    pub interface: InterfaceId,
}

/// The bounds of what an IP layer keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages that wait in each direction.
    pub queue: usize,
    /// Datagrams whose fragments are awaited.
    pub reassembly_datagrams: usize,
    /// Bytes of buffers that fragments may hold, all together.
    pub reassembly_bytes: usize,
    /// Fragments of one datagram.
    pub reassembly_fragments: usize,
    /// How long fragments are awaited (RFC 1122 section 3.3.2: 60 to 120 s; RFC 8200 section 4.5: 60 s).
    pub reassembly_timeout: Duration,
    /// Destinations whose path MTU is remembered, for datagrams over IPv6.
    pub path_mtu_entries: usize,
    /// IPv6 neighbours that are being asked for.
    pub resolutions: usize,
    /// ICMP errors sent per second, in the long run (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)).
    pub icmp_errors_per_second: u32,
    /// ICMP errors sent at once, after a quiet time.
    pub icmp_error_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            queue: 2_048,
            reassembly_datagrams: 256,
            reassembly_bytes: 4 << 20,
            reassembly_fragments: 256,
            reassembly_timeout: Duration::from_secs(60),
            path_mtu_entries: 1_024,
            resolutions: 512,
            icmp_errors_per_second: 100,
            icmp_error_burst: 50,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            interfaces: Vec::new(),
            routes: Vec::new(),
            forwarding: false,
            takes_all_tcp: false,
            duplicate_address_detection: false,
            accept_router_advertisements: false,
            hop_limit: 64,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The same with a default route by this router, on the interface whose network it is in, else the first.
    pub fn with_gateway(mut self, gateway: IpAddr) -> Self {
        let on_link =
            |interface: &InterfaceConfig| interface.addresses.iter().any(|cidr| cidr.contains(gateway));
        let index = self.interfaces.iter().position(on_link).unwrap_or(0);
        let anything = match gateway {
            IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        self.routes.push(Route {
            destination: Cidr::new(anything, 0),
            via: Some(gateway),
            interface: InterfaceId(index as u8),
        });
        self
    }
}

impl InterfaceConfig {
    /// An Ethernet interface with an MTU of 1,500 bytes.
    pub fn new(mac: MacAddr, addresses: impl IntoIterator<Item = Cidr>) -> Self {
        InterfaceConfig { mac, mtu: 1_500, addresses: addresses.into_iter().collect() }
    }
}
