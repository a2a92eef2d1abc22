//! A host's layers, put together in three ways. All are compiled here, so that none has a better chance with the compiler.

use framewise::HostConfig;
use framewise::core::{Beside, Over, Rng};
use framewise::dns::Dns;
use framewise::ethernet::{self, Ethernet};
use framewise::http::Http;
use framewise::ip::{self, Ip};
use framewise::stack::{AnyStack, Stack};
use framewise::tcp::Tcp;
use framewise::tls::Tls;
use framewise::udp::Udp;

use super::unwatched::Unwatched;

/// How a host's layers are put together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Composition {
    /// At compile time, as [`HostConfig::stack`] does.
    Static,
    /// Each layer in a box, as [`HostConfig::layers`] gives them.
    Boxed,
    /// At compile time, by a composition that does not know of observers.
    Unwatched,
}

impl Composition {
    /// The layers of `config`, for a host with addresses on its links alone.
    pub(crate) fn stack(self, config: &HostConfig, randomness: &Rng) -> AnyStack {
        let fork = |layer: &str| randomness.fork(&format!("{}/{layer}", config.name));
        let http = Http::new(config.http.clone());
        let tls = Tls::new(config.tls.clone()).expect("a TLS layer");
        let tcp = Tcp::new(config.tcp.clone(), fork("tcp"));
        let dns = Dns::new(config.dns.clone(), fork("dns"));
        let udp = Udp::new(config.udp);
        let ip = Ip::new(ip_config(config), fork("ip"));
        let ethernet = Ethernet::new(ethernet_config(config), fork("ethernet"));
        match self {
            Composition::Static => {
                let web = Over::new(http, Over::new(tls, tcp));
                let stack: Stack = Over::new(Beside::new(web, Over::new(dns, udp)), Over::new(ip, ethernet));
                Box::new(stack)
            }
            Composition::Boxed => config.layers(randomness).expect("layers").stacked(),
            Composition::Unwatched => {
                let web = Unwatched::new(http, Unwatched::new(tls, tcp));
                let upper = Beside::new(web, Unwatched::new(dns, udp));
                Box::new(Unwatched::new(upper, Unwatched::new(ip, ethernet)))
            }
        }
    }
}

fn ip_config(config: &HostConfig) -> ip::Config {
    let interfaces = config.interfaces.iter();
    let interfaces =
        interfaces.map(|i| ip::InterfaceConfig { mac: i.mac, mtu: i.mtu, addresses: i.addresses.clone() });
    ip::Config {
        interfaces: interfaces.collect(),
        duplicate_address_detection: config.announce,
        ..ip::Config::default()
    }
}

fn ethernet_config(config: &HostConfig) -> ethernet::Config {
    let interfaces = config.interfaces.iter();
    let interfaces = interfaces.map(|i| ethernet::InterfaceConfig { mac: i.mac, mtu: i.mtu });
    ethernet::Config {
        interfaces: interfaces.collect(),
        announce: config.announce,
        optimistic: config.optimistic,
        ..ethernet::Config::default()
    }
}
