//! What a host is built from.

use std::net::IpAddr;

use framewise_core::{Beside, MacAddr, Over, Rng};
use framewise_device::Capabilities;
use framewise_dns::Dns;
use framewise_ethernet::Ethernet;
use framewise_http::Http;
use framewise_ip::{Cidr, Ip, Route};
use framewise_tcp::Tcp;
use framewise_tls::{ConfigError, Tls};
use framewise_udp::Udp;

use crate::stack::{AnyStack, Layers, Stack};

/// Everything that a host's layers need to know, in one place.
///
/// What two layers must agree on (MAC addresses, MTU) is said once, in [`interfaces`](Self::interfaces).
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The host's name: it separates its randomness from that of others, and names it in traces.
    pub name: String,
    /// Its interfaces; the first is `InterfaceId(0)`.
    pub interfaces: Vec<Interface>,
    /// Routers to all other networks, at most one for each IP version.
    pub gateways: Vec<IpAddr>,
    /// Ways to particular networks.
    pub routes: Vec<Route>,
    /// Whether it passes on packets for others.
    pub is_router: bool,
    /// Whether addresses are probed and announced before they are used (RFC 5227, RFC 4862). For links
    /// that others are on, too.
    pub announce: bool,
    /// Whether an address is used while it is probed, and given up when somebody objects, as RFC 4429 has it for IPv6: IPv4 then
    /// does not wait the seconds that RFC 5227 wants, either. [`Runner::take_warnings`](crate::Runner::take_warnings) tells who
    /// objects.
    pub optimistic: bool,
    /// HTTP.
    pub http: framewise_http::Config,
    /// TLS.
    pub tls: framewise_tls::Config,
    /// TCP.
    pub tcp: framewise_tcp::Config,
    /// DNS.
    pub dns: framewise_dns::Config,
    /// UDP.
    pub udp: framewise_udp::Config,
}

/// One interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its MAC address.
    pub mac: MacAddr,
    /// Bytes of the largest packet it carries.
    pub mtu: usize,
    /// Its IP addresses with their networks.
    pub addresses: Vec<Cidr>,
}

impl Interface {
    /// An Ethernet interface with an MTU of 1,500 bytes.
    pub fn new(mac: MacAddr, addresses: impl IntoIterator<Item = Cidr>) -> Self {
        Interface { mac, mtu: 1_500, addresses: addresses.into_iter().collect() }
    }
}

impl HostConfig {
    /// A host with these interfaces, TLS by `tls`, and all else by default.
    pub fn new(name: &str, interfaces: Vec<Interface>, tls: framewise_tls::Config) -> Self {
        HostConfig {
            name: name.to_owned(),
            interfaces,
            gateways: Vec::new(),
            routes: Vec::new(),
            is_router: false,
            announce: false,
            optimistic: false,
            // What is collected in memory has its own limit (`HostMut::collect_at_most`); what is taken piece by piece needs none.
            http: framewise_http::Config {
                request_body_bytes: u64::MAX,
                ..framewise_http::Config::default()
            },
            tls,
            tcp: framewise_tcp::Config::default(),
            dns: framewise_dns::Config::default(),
            udp: framewise_udp::Config::default(),
        }
    }

    /// Leaves to a device what it can do better: TCP then makes super-segments and no checksums. A device that can't, does it
    /// in software, so this matters for speed alone.
    pub fn leave_to(&mut self, device: Capabilities) {
        self.tcp.checksum_offload = device.checksums;
        self.tcp.super_segments = device.segmentation;
        if device.segmentation {
            // A super-segment is more than the two segments of which one must be acknowledged (RFC 9293, section 3.8.6.3).
            self.tcp.delayed_ack = None;
        }
    }

    /// Our layers, composed at compile time. `randomness` is the run's.
    pub fn stack(&self, randomness: &Rng) -> Result<AnyStack, ConfigError> {
        let web = Over::new(self.http(), Over::new(self.tls()?, self.tcp(randomness)));
        let names = Over::new(self.dns(randomness), self.udp());
        let stack: Stack =
            Over::new(Beside::new(web, names), Over::new(self.ip(randomness), self.ethernet(randomness)));
        Ok(Box::new(stack))
    }

    /// Our layers, each in a box, so that any can be replaced before they are stacked.
    pub fn layers(&self, randomness: &Rng) -> Result<Layers, ConfigError> {
        Ok(Layers {
            http: Box::new(self.http()),
            tls: Box::new(self.tls()?),
            tcp: Box::new(self.tcp(randomness)),
            dns: Box::new(self.dns(randomness)),
            udp: Box::new(self.udp()),
            ip: Box::new(self.ip(randomness)),
            ethernet: Box::new(self.ethernet(randomness)),
        })
    }

    fn http(&self) -> Http {
        Http::new(self.http.clone())
    }

    fn tls(&self) -> Result<Tls, ConfigError> {
        Tls::new(self.tls.clone())
    }

    pub(crate) fn tcp(&self, randomness: &Rng) -> Tcp {
        Tcp::new(self.tcp.clone(), self.fork(randomness, "tcp"))
    }

    fn dns(&self, randomness: &Rng) -> Dns {
        Dns::new(self.dns.clone(), self.fork(randomness, "dns"))
    }

    pub(crate) fn udp(&self) -> Udp {
        Udp::new(self.udp)
    }

    fn ip(&self, randomness: &Rng) -> Ip {
        Ip::new(self.ip_config(), self.fork(randomness, "ip"))
    }

    pub(crate) fn ip_config(&self) -> framewise_ip::Config {
        let interface = |i: &Interface| framewise_ip::InterfaceConfig {
            mac: i.mac,
            mtu: i.mtu,
            addresses: i.addresses.clone(),
        };
        let mut config = framewise_ip::Config {
            interfaces: self.interfaces.iter().map(interface).collect(),
            routes: self.routes.clone(),
            forwarding: self.is_router,
            duplicate_address_detection: self.announce,
            ..framewise_ip::Config::default()
        };
        for &gateway in &self.gateways {
            config = config.with_gateway(gateway);
        }
        config
    }

    pub(crate) fn ethernet(&self, randomness: &Rng) -> Ethernet {
        let interface = |i: &Interface| framewise_ethernet::InterfaceConfig { mac: i.mac, mtu: i.mtu };
        let config = framewise_ethernet::Config {
            interfaces: self.interfaces.iter().map(interface).collect(),
            announce: self.announce,
            optimistic: self.optimistic,
            ..framewise_ethernet::Config::default()
        };
        Ethernet::new(config, self.fork(randomness, "ethernet"))
    }

    pub(crate) fn fork(&self, randomness: &Rng, layer: &str) -> Rng {
        randomness.fork(&format!("{}/{layer}", self.name))
    }
}
