//! A way out and in without root, on any system: a gateway between our frames and the operating system's sockets.
//!
//! ```text
//!   my computer ────────────── wire ────────────── gateway ┊ the operating system ── the real network
//!   192.0.2.10                          192.0.2.1, names   ┊
//!   2001:db8:1::10                      2001:db8:1::1      ┊
//! ```
//!
//! My computer is a host like any other. The gateway is one, too, whose TCP takes connections for every address, and in which
//! [`Splice`] stands in the place of HTTP and TLS:
//!
//! ```text
//!   ┌─────────────────┐  ┌───────┐
//!   │ splice          │  │ names │  the operating system's resolver
//!   ├───────┬─────────┤  ├───────┤
//!   │ tcp   │ sockets │  │ dns   │
//!   │       │         │  │ udp   │
//!   ├───────┴─────────┴──┴───────┤
//!   │ ip, ethernet               │
//!   └────────────────────────────┘
//! ```
//!
//! So our frames end at the gateway: what goes on from there is the same bytes, in the operating system's own segments. TLS
//! passes as it is, and ends at the real server. Nobody on the wire can tell: a connection is only answered when the operating
//! system's is there, and refused in its words when it is not.
//!
//! ```no_run
//! use framewise::gateway::Setup;
//! use framewise::tls::{Config, Crypto, Roots, TimeSource};
//!
//! let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
//! let mut tls = Config::new(TimeSource::starting_at(now), Crypto::Real);
//! tls.client.roots = vec![Roots::System];
//! let mut outside = Setup::new("me", tls).build(framewise::entropy()?)?;
//! let page = outside.runner.host(outside.host).fetch_page("https://example.com/")?;
//! println!("{}", page.text());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way in is a [forward](Setup::forward): a listener of the operating system's, whose connections are passed on to a port of
//! my computer's. There they come from the gateway's address: whose they are is not told.

mod check;
mod complaints;
mod names;
mod readiness;
mod socket;
mod streams;
mod this_computer;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use framewise_core::{Beside, Over, Rng};
use framewise_device::wire::WireConfig;
use framewise_dns::Relay;
use framewise_ethernet::{Ethernet, MacAllocator};
use framewise_gateway::Splice;
use framewise_ip::{Cidr, Ip};
use framewise_tcp::Tcp;
use framewise_udp::Udp;

pub use self::check::{CheckError, check};
use self::complaints::Complaints;
use self::names::OsNames;
use self::streams::OsStreams;
pub use self::this_computer::{THIS_COMPUTER_V4, THIS_COMPUTER_V6, on_the_wire};
use crate::config::{HostConfig, Interface};
use crate::fetch::KnownAddress;
use crate::link::WireId;
use crate::runner::{HostId, Plug, Runner};
use crate::wake::Waker;
use crate::world::{Build, WorldError};

/// The gateway's layers, composed at compile time.
type Stack =
    Over<Beside<Over<Splice, Beside<Tcp, OsStreams>>, Over<OsNames, Over<Relay, Udp>>>, Over<Ip, Ethernet>>;

/// The name of the gateway in traces.
pub const NAME: &str = "gateway";

const HOST_V4: &str = "192.0.2.10/24";
const HOST_V6: &str = "2001:db8:1::10/64";
const GATEWAY_V4: &str = "192.0.2.1/24";
const GATEWAY_V6: &str = "2001:db8:1::1/64";

/// Bytes that each TCP keeps for a connection in each direction. The wire takes no time, so little is under way on it; what is
/// under way to a server far away the operating system keeps.
const WINDOW: usize = 128 << 10;
/// Questions about names that the gateway has under way.
const QUESTIONS: usize = 64;

/// A host of ours behind a gateway, about to be built.
pub struct Setup {
    /// My computer. Its addresses, routes and name servers are the gateway's affair, all else may be changed.
    pub host: HostConfig,
    /// The wire between the two: it takes no time, and nothing goes wrong on it, unless told otherwise.
    pub wire: WireConfig,
    splice: framewise_gateway::Config,
    listeners: Vec<TcpListener>,
    known: Vec<KnownAddress>,
}

/// A host of ours, the gateway, the wire between them, and the Runner that drives them in real time.
pub struct Outside {
    /// Drives them.
    pub runner: Runner,
    /// My computer.
    pub host: HostId,
    /// The gateway.
    pub gateway: HostId,
    /// Between the two; my computer is at the first port.
    pub wire: WireId,
    /// The ways in: where the operating system listens, and to which port of my computer that leads.
    pub forwards: Vec<(SocketAddr, u16)>,
    aliases: BTreeMap<IpAddr, IpAddr>,
    complaints: Complaints,
}

impl Setup {
    /// A host of this name whose TLS is `tls`. 127.0.0.1, ::1, `localhost`, and what else means the same, are this computer to it.
    pub fn new(name: &str, tls: framewise_tls::Config) -> Self {
        let mut macs = MacAllocator::counting();
        let _gateway = macs.assign();
        let mut host =
            HostConfig::new(name, vec![Interface::new(macs.assign(), cidrs([HOST_V4, HOST_V6]))], tls);
        host.gateways = addresses([GATEWAY_V4, GATEWAY_V6]).to_vec();
        host.dns.servers = addresses([GATEWAY_V4]).to_vec();
        host.tcp.receive_window = WINDOW;
        host.tcp.send_buffer = WINDOW;
        let mut setup = Setup {
            host,
            wire: WireConfig { rate: None, delay: Duration::ZERO, ..WireConfig::default() },
            splice: framewise_gateway::Config::default(),
            listeners: Vec::new(),
            known: Vec::new(),
        };
        for (own, name) in [("127.0.0.1", THIS_COMPUTER_V4.into()), ("::1", THIS_COMPUTER_V6.into())] {
            setup.alias(own.parse().expect("an address that is well formed"), name);
        }
        setup.know("localhost", &[THIS_COMPUTER_V4.into(), THIS_COMPUTER_V6.into()]);
        // Other words for the same, as URLs write them; the last is 127.0.0.1 within IPv6 (RFC 4291, section 2.5.5.2).
        for (any, name) in [
            ("0.0.0.0", THIS_COMPUTER_V4.into()),
            ("[::]", THIS_COMPUTER_V6.into()),
            ("[::ffff:7f00:1]", THIS_COMPUTER_V4.into()),
        ] {
            setup.know(any, &[name]);
        }
        setup
    }

    /// Makes what `host` calls this computer in a URL, such as `127.0.0.53`, `0.0.0.0` or `shop.localhost`, mean that.
    /// Of any other host nothing is changed.
    pub fn know_this_computer(&mut self, host: &str) {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        match address {
            Ok(address) if this_computer::is_this_computer(address) => {
                let name = this_computer::on_the_wire(address);
                self.alias(address, name);
            }
            Ok(_) => {}
            // RFC 6761, section 6.3.
            Err(_) if host == "localhost" || host.ends_with(".localhost") => {
                self.know(host, &[THIS_COMPUTER_V4.into(), THIS_COMPUTER_V6.into()]);
            }
            Err(_) => {}
        }
    }

    /// Lets `name` stand for `own` on the wire.
    fn alias(&mut self, own: IpAddr, name: IpAddr) {
        // Who is asked for all addresses is asked for the usual one.
        let meant = match own {
            IpAddr::V4(address) if address.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(address) if address.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        self.splice.aliases.insert(name, meant);
        let written = if own.is_ipv4() { own.to_string() } else { format!("[{own}]") };
        self.know(&written, &[name]);
    }

    fn know(&mut self, host: &str, addresses: &[IpAddr]) {
        self.known.retain(|known| known.host != host);
        self.known.push(KnownAddress { host: host.to_owned(), port: None, addresses: addresses.to_vec() });
    }

    /// Passes what comes to `listener` on to `port` of my computer.
    ///
    /// # Errors
    /// The listener does not say where it is bound.
    pub fn forward(&mut self, listener: TcpListener, port: u16) -> io::Result<SocketAddr> {
        let bound = listener.local_addr()?;
        let [address, _] = addresses([HOST_V4, HOST_V6]);
        self.splice.forwards.insert(bound, SocketAddr::new(address, port));
        self.listeners.push(listener);
        Ok(bound)
    }

    /// Builds the two hosts. `entropy` are 32 bytes from the operating system (see [`crate::entropy`]).
    ///
    /// # Errors
    /// TLS can't be set up so, or the operating system refused something.
    pub fn build(self, entropy: [u8; 32]) -> Result<Outside, WorldError> {
        self.build_with(entropy, &mut |host, randomness| host.stack(randomness))
    }

    /// The same, with our host's stack made by `build`.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_with(self, entropy: [u8; 32], build: &mut Build<'_>) -> Result<Outside, WorldError> {
        let mut runner = Runner::real(entropy)?;
        let wire = runner.add_wire(self.wire.clone());
        let (randomness, complaints) = (runner.randomness("hosts"), Complaints::default());
        let stack = build(&self.host, &randomness)?;
        let host = runner.add_host(&self.host.name, stack, vec![Plug::Wire(wire)]);
        let (known, tls, mtu) = (self.known, self.host.tls, self.wire.mtu);
        let aliases = self.splice.aliases.clone();
        let forwards = self.splice.forwards.iter().map(|(from, to)| (*from, to.port())).collect();
        let stack = GatewayParts { splice: self.splice, listeners: self.listeners, mtu }.stack(
            tls,
            &randomness,
            &complaints,
            runner.waker(),
        )?;
        let gateway = runner.add_host(NAME, Box::new(stack), vec![Plug::Wire(wire)]);
        for known in known {
            runner.host(host).know(known);
        }
        Ok(Outside { runner, host, gateway, wire, forwards, aliases, complaints })
    }
}

impl Outside {
    /// What an address on the wire means outside: this computer's own, where one stands for it.
    pub fn meant_by(&self, remote: SocketAddr) -> SocketAddr {
        let address = self.aliases.get(&remote.ip()).copied().unwrap_or(remote.ip());
        SocketAddr::new(address, remote.port())
    }

    /// What the operating system last said was wrong, the newest last: a connection that it could not open and why, a name that
    /// its resolver did not find.
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.all()
    }
}

/// What the gateway is made of.
struct GatewayParts {
    splice: framewise_gateway::Config,
    listeners: Vec<TcpListener>,
    mtu: usize,
}

impl GatewayParts {
    fn stack(
        self,
        tls: framewise_tls::Config,
        randomness: &Rng,
        complaints: &Complaints,
        waker: Waker,
    ) -> io::Result<Stack> {
        let config = gateway_host(tls, self.mtu);
        let limit = self.splice.max_connections;
        let sockets = OsStreams::new(self.listeners, limit, complaints.clone(), waker.clone())?;
        let streams = Over::new(Splice::new(self.splice), Beside::new(config.tcp(randomness), sockets));
        let relay = Over::new(Relay::new(QUESTIONS), config.udp());
        let names = Over::new(OsNames::new(complaints.clone(), waker), relay);
        let ip = framewise_ip::Config { takes_all_tcp: true, ..config.ip_config() };
        let ip = Ip::new(ip, config.fork(randomness, "ip"));
        let below = Over::new(ip, config.ethernet(randomness));
        Ok(Over::new(Beside::new(streams, names), below))
    }
}

/// The gateway as a host. Its TLS is never used.
fn gateway_host(tls: framewise_tls::Config, mtu: usize) -> HostConfig {
    let mut own = cidrs([GATEWAY_V4, GATEWAY_V6]);
    own.push(Cidr::new(THIS_COMPUTER_V4.into(), 24));
    own.push(Cidr::new(THIS_COMPUTER_V6.into(), 64));
    let interface = Interface { mtu, ..Interface::new(MacAllocator::counting().assign(), own) };
    let mut config = HostConfig::new(NAME, vec![interface], tls);
    config.tcp.asks = true;
    config.tcp.receive_window = WINDOW;
    config.tcp.send_buffer = WINDOW;
    config
}

fn cidrs<const N: usize>(texts: [&str; N]) -> Vec<Cidr> {
    texts.map(|text| text.parse().expect("the gateway's own addresses are well formed")).to_vec()
}

fn addresses<const N: usize>(texts: [&str; N]) -> [IpAddr; N] {
    texts.map(|text| text.parse::<Cidr>().expect("the gateway's own addresses are well formed").address)
}
