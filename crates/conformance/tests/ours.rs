//! All of our own layers pass all suites.

use framewise_conformance::{PairSuite, Report, Suite, check_layer, check_pair, suites};
use framewise_core::{Layer, Rng};

/// The report of a layer that passes; the failure, as a learner would read it, of one that doesn't.
fn passes<L: Layer>(make: impl Fn() -> L, suite: &Suite<L::Upper, L::Lower>) -> Report {
    let report = check_layer(make, suite).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{report}");
    report
}

fn rng() -> Rng {
    Rng::from_seed(1)
}

#[test]
fn ethernet() {
    let setup = suites::EthernetSetup::default();
    let config = || framewise_ethernet::Config::one(setup.mac);
    passes(|| framewise_ethernet::Ethernet::new(config(), rng()), &suites::ethernet(setup));
}

#[test]
fn ethernet_that_announces_itself() {
    let setup = suites::EthernetSetup::default();
    let config =
        || framewise_ethernet::Config { announce: true, ..framewise_ethernet::Config::one(setup.mac) };
    passes(|| framewise_ethernet::Ethernet::new(config(), rng()), &suites::ethernet(setup));
}

#[test]
fn ip() {
    let setup = suites::IpSetup::default();
    let config = || {
        let addresses = [format!("{}/24", setup.v4), format!("{}/64", setup.v6)];
        let addresses = addresses.map(|text| text.parse().expect("a CIDR"));
        let mac = "02:00:00:00:00:0a".parse().expect("a MAC address");
        let interfaces = vec![framewise_ip::InterfaceConfig::new(mac, addresses)];
        framewise_ip::Config { interfaces, ..Default::default() }.with_gateway(setup.gateway.into())
    };
    passes(|| framewise_ip::Ip::new(config(), rng()), &suites::ip(setup));
}

#[test]
fn udp() {
    let make = || framewise_udp::Udp::new(framewise_udp::Config::default());
    passes(make, &suites::udp(suites::UdpSetup::default()));
}

#[test]
fn tcp() {
    let make = || framewise_tcp::Tcp::new(framewise_tcp::Config::default(), rng());
    passes(make, &suites::tcp(suites::TcpSetup::default()));
}

#[test]
fn two_tcps() {
    let make = |seed| move || framewise_tcp::Tcp::new(framewise_tcp::Config::default(), Rng::from_seed(seed));
    let report =
        check_pair(make(1), make(2), &PairSuite::default()).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(report.cases().count(), PairSuite::default().runs.len());
}

#[test]
fn a_boxed_layer() {
    type Transport =
        dyn Layer<Upper = framewise_core::seams::Streams, Lower = framewise_core::seams::Segments>;
    let make = || -> Box<Transport> { Box::new(framewise_tcp::Tcp::new(Default::default(), rng())) };
    let report = passes(make, &suites::tcp(suites::TcpSetup::default())).to_string();
    assert!(report.contains("held    law 7 (pull, don't push), 1 run\n"), "{report}");
}

#[test]
fn dns() {
    let setup = suites::DnsSetup::default();
    let config = || framewise_dns::Config { servers: vec![setup.server], ..Default::default() };
    passes(|| framewise_dns::Dns::new(config(), rng()), &suites::dns(setup));
}

#[test]
fn tls() {
    use framewise_tls::{Authority, Config, Crypto, Roots, SimulatedCrypto, TimeSource, Tls};
    let time = TimeSource::starting_at(1_790_000_000);
    let authority = Authority::simulated_never_on_a_real_device(&rng(), time).expect("an authority");
    let make = || {
        let crypto = Crypto::Simulated(SimulatedCrypto::never_on_a_real_device(rng()));
        let mut config = Config::new(time, crypto);
        config.client.roots = vec![Roots::Lab(authority.certificate().clone())];
        Tls::new(config).expect("a TLS layer")
    };
    passes(make, &suites::tls(suites::TlsSetup::default()));
}

#[test]
fn http() {
    let make = || framewise_http::Http::new(framewise_http::Config::default());
    passes(make, &suites::http());
}
