//! A small world in memory: my computer, a router, and the server `shop.test` beyond it.
//!
//! ```text
//!   me ───────────── near ───────────── router ───────────── far ───────────── shop.test
//!   192.0.2.10                  192.0.2.1 │ 203.0.113.1                        203.0.113.80
//!   2001:db8:1::10          2001:db8:1::1 │ 2001:db8:2::1                   2001:db8:2::80
//! ```
//!
//! The router answers DNS. Time is simulated: it jumps from event to event, and everything random follows from
//! the seed, certificates and keys included, so the same seed gives the same bytes.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use framewise_core::{Direction, Rng};
use framewise_device::Intervention;
use framewise_device::impair::ImpairmentConfig;
use framewise_device::switch::PortId;
use framewise_device::wire::WireConfig;
use framewise_dns::{Family, Zone};
use framewise_ethernet::MacAllocator;
use framewise_http::Url;
use framewise_ip::Cidr;
use framewise_tls::{Authority, Crypto, Roots, SimulatedCrypto, TimeSource, Versions};

use crate::config::{HostConfig, Interface};
use crate::link::WireId;
use crate::runner::{HostId, Plug, Runner};
use crate::stack::AnyStack;

/// The moment at which every world begins: 2026-01-01 00:00:00 UTC, in seconds since 1970.
pub const EPOCH: u64 = 1_767_225_600;

/// The name of the server.
pub const SERVER: &str = "shop.test";

/// For what the hosts' layers draw their randomness: `runner.randomness(HOSTS)` builds the same stack from the same
/// configuration again.
pub const HOSTS: &str = "hosts";

const ME_V4: &str = "192.0.2.10/24";
const ME_V6: &str = "2001:db8:1::10/64";
const NEAR_V4: &str = "192.0.2.1/24";
const NEAR_V6: &str = "2001:db8:1::1/64";
const FAR_V4: &str = "203.0.113.1/24";
const FAR_V6: &str = "2001:db8:2::1/64";
const SERVER_V4: &str = "203.0.113.80/24";
const SERVER_V6: &str = "2001:db8:2::80/64";

/// What the world is like.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Everything random follows from this number.
    pub seed: u64,
    /// One way from me to the router.
    pub near_delay: Duration,
    /// One way from the router to the server.
    pub far_delay: Duration,
    /// Bits per second of the near wire.
    pub rate: Option<u64>,
    /// What goes wrong on the near wire, in both directions.
    pub impairment: ImpairmentConfig,
    /// The versions of TLS that my computer speaks.
    pub tls_versions: Versions,
    /// Whether my computer checks certificates.
    pub verify: bool,
    /// Whose addresses come first.
    pub prefer: Family,
}

impl Default for WorldConfig {
    fn default() -> Self {
        WorldConfig {
            seed: 1,
            near_delay: Duration::from_millis(1),
            far_delay: Duration::from_millis(9),
            rate: Some(1_000_000_000),
            impairment: ImpairmentConfig::default(),
            tls_versions: Versions::Both,
            verify: true,
            prefer: Family::Ipv4,
        }
    }
}

impl WorldConfig {
    /// What the three hosts are built from in a run like this: me, the router and the server. For a run in which one of them
    /// is live, and somebody else plays the others.
    ///
    /// # Errors
    /// The authority can't be made.
    pub fn hosts(&self, runner: &Runner) -> Result<[HostConfig; 3], WorldError> {
        hosts(self, &runner.randomness("world"))
    }
}

/// Three hosts, two wires and a Runner. See the [module](self).
pub struct World {
    /// Drives it.
    pub runner: Runner,
    /// My computer.
    pub me: HostId,
    /// The router, which also answers DNS.
    pub router: HostId,
    /// The server, which serves nothing until it is told what.
    pub server: HostId,
    /// Between me and the router.
    pub near: WireId,
    /// Between the router and the server.
    pub far: WireId,
}

/// A host of the world about to be built: its configuration may be changed, and its stack replaced.
pub type Build<'a> = dyn FnMut(&HostConfig, &Rng) -> Result<AnyStack, framewise_tls::ConfigError> + 'a;

impl World {
    /// A healthy world.
    pub fn new(seed: u64) -> Result<Self, WorldError> {
        World::with(&WorldConfig { seed, ..WorldConfig::default() })
    }

    /// A world as `config` says.
    pub fn with(config: &WorldConfig) -> Result<Self, WorldError> {
        World::build(config, &mut |host, randomness| host.stack(randomness))
    }

    /// A world whose stacks are made by `build`, called with `me`, `router` and `shop.test`.
    pub fn build(config: &WorldConfig, build: &mut Build<'_>) -> Result<Self, WorldError> {
        let mut runner = Runner::simulated(config.seed)?;
        let near = runner.add_wire(WireConfig {
            delay: config.near_delay,
            rate: config.rate,
            ..WireConfig::default()
        });
        let far = runner.add_wire(WireConfig { delay: config.far_delay, ..WireConfig::default() });
        let [me, router, server] = config.hosts(&runner)?;
        let randomness = runner.randomness(HOSTS);
        let mut add = |host: HostConfig, plugs: Vec<Plug>| {
            let stack = build(&host, &randomness)?;
            Ok::<_, WorldError>(runner.add_host(&host.name, stack, plugs))
        };
        let me = add(me, vec![Plug::Wire(near)])?;
        let router = add(router, vec![Plug::Wire(near), Plug::Wire(far)])?;
        let server = add(server, vec![Plug::Wire(far)])?;
        let mut world = World { runner, me, router, server, near, far };
        world.warm_up()?;
        for port in [PortId(0), PortId(1)] {
            world.runner.wire_mut(near).set_impairment(port, config.impairment.clone());
        }
        Ok(world)
    }

    /// Orders something to be done to a frame on my wire: the one of this number, from 1, of those that leave me or come to me
    /// from now on.
    pub fn intervene(&mut self, direction: Direction, number: u64, intervention: Intervention) {
        let port = match direction {
            Direction::Outbound => PortId(0),
            Direction::Inbound => PortId(1),
        };
        let near = self.runner.wire_mut(self.near);
        let before = near.counters(port).sent;
        near.script(port, before + number, intervention);
    }

    /// The server and the router have met before: otherwise the first packet would wait for their ARP, which nobody on
    /// this side would see.
    fn warm_up(&mut self) -> Result<(), WorldError> {
        let _ = self.runner.host(self.server).look_up(SERVER);
        self.runner.run_for(Duration::from_millis(100))?;
        Ok(())
    }
}

/// Whether a URL means this world and not the real one: names below .test and addresses kept for documentation (RFC 6761,
/// RFC 5737, RFC 3849).
///
/// ```
/// use framewise::http::Url;
/// use framewise::world::is_here;
/// assert!(is_here(&Url::parse("https://shop.test/").unwrap()));
/// assert!(!is_here(&Url::parse("https://example.com/").unwrap()));
/// ```
pub fn is_here(url: &Url) -> bool {
    match url.address() {
        Some(IpAddr::V4(address)) => address.is_documentation(),
        Some(IpAddr::V6(address)) => matches!(address.segments(), [0x2001, 0xdb8, ..]),
        None => {
            let name = url.host().trim_end_matches('.');
            name == "test" || name.ends_with(".test")
        }
    }
}

/// Whether somebody who typed this has a file in mind, and not a page: it ends as captures do, or names a host as no real one
/// is called, for these have a dot.
///
/// ```
/// use framewise::world::means_a_file;
///
/// assert!(means_a_file("run.pcapng") && means_a_file("lecture/run"));
/// assert!(!means_a_file("shop.test") && !means_a_file("localhost:8080") && !means_a_file("http://run/"));
/// ```
pub fn means_a_file(what: &str) -> bool {
    if what.contains("://") {
        return false;
    }
    let is_host = |url: &Url| {
        let host = url.host();
        is_here(url) || host.contains(['.', ':']) || host == "localhost" || url.has_own_port()
    };
    [".pcap", ".pcapng", ".cap"].iter().any(|end| what.ends_with(end))
        || Url::parse(what).is_ok_and(|url| !is_host(&url))
}

/// Why a world can't be built.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The TLS of a host can't be made so.
    #[error(transparent)]
    Tls(#[from] framewise_tls::ConfigError),
    /// The authority can't be made so.
    #[error(transparent)]
    Authority(#[from] framewise_tls::AuthorityError),
}

fn hosts(config: &WorldConfig, rng: &Rng) -> Result<[HostConfig; 3], WorldError> {
    let time = TimeSource::starting_at(EPOCH);
    let authority = Authority::simulated_never_on_a_real_device(&rng.fork("authority"), time)?;
    let tls = |host: &str| {
        let crypto = SimulatedCrypto::never_on_a_real_device(rng.fork(host));
        let mut tls = framewise_tls::Config::new(time, Crypto::Simulated(crypto));
        tls.client.roots = vec![Roots::Lab(authority.certificate().clone())];
        tls.export_secrets = true;
        tls
    };

    let mut macs = MacAllocator::counting();
    let [near_mac, far_mac] = [macs.assign(), macs.assign()];
    let mut router = HostConfig::new(
        "router",
        vec![
            Interface::new(near_mac, cidrs([NEAR_V4, NEAR_V6])),
            Interface::new(far_mac, cidrs([FAR_V4, FAR_V6])),
        ],
        tls("router"),
    );
    router.is_router = true;
    router.dns.zone = Some(zone());

    let mut me = HostConfig::new("me", vec![Interface::new(macs.assign(), cidrs([ME_V4, ME_V6]))], tls("me"));
    me.gateways = addresses([NEAR_V4, NEAR_V6]);
    me.dns.servers = addresses([NEAR_V4]);
    me.dns.prefer = config.prefer;
    me.tls.versions = config.tls_versions;
    me.tls.client.verify = config.verify;

    let mut server = HostConfig::new(
        SERVER,
        vec![Interface::new(macs.assign(), cidrs([SERVER_V4, SERVER_V6]))],
        tls(SERVER),
    );
    server.gateways = addresses([FAR_V4, FAR_V6]);
    server.dns.servers = addresses([FAR_V4]);
    server.tls.server = Some(framewise_tls::Server::Authority(authority));
    // On a wire made bad on purpose an honest client is slow, and TCP pauses for a minute: that is no reason to leave it.
    let patience = Duration::from_secs(3_600);
    server.http.pace_period = patience;
    server.http.reader_period = patience;
    server.http.head_timeout = patience;
    server.tls.limits.handshake = patience;
    Ok([me, router, server])
}

fn zone() -> Zone {
    let zone = Zone::new("test").and_then(|zone| {
        let zone = zone.with(SERVER, addresses([SERVER_V4, SERVER_V6]))?;
        zone.with("router.test", addresses([NEAR_V4, NEAR_V6]))
    });
    zone.expect("the world's own names are well formed")
}

fn cidrs<const N: usize>(texts: [&str; N]) -> Vec<Cidr> {
    texts.iter().map(|text| text.parse().expect("the world's own addresses are well formed")).collect()
}

fn addresses<const N: usize>(texts: [&str; N]) -> Vec<IpAddr> {
    cidrs(texts).into_iter().map(|cidr| cidr.address).collect()
}
