//! Worlds in memory for tests: a site to fetch from, and a recording of what happened.

use std::cell::RefCell;
use std::rc::Rc;

use framewise::ethernet::MacAllocator;
use framewise::http::{Request, Response};
use framewise::stack::AnyStack;
use framewise::tls::{self, Authority, Crypto, Roots, SimulatedCrypto, TimeSource};
use framewise::world::EPOCH;
use framewise::{HostConfig, HostId, Interface, Plug, Runner, WireId, World, WorldConfig};
use framewise_trace::{CaptureOptions, Recorder, Trace, write_capture};

use crate::peers::body_of;

/// Bytes of the page at `/large`.
pub const LARGE: usize = 1_000_000;
/// What the page at `/` says.
pub const GREETING: &str = "a page travels";

/// A world as `config` says, whose server serves the [site] over http and https.
///
/// # Panics
///
/// Where it can't be built.
pub fn world(config: &WorldConfig) -> World {
    let mut world = World::with(config).expect("a world can be built");
    serve(&mut world);
    world
}

/// A healthy world of this seed.
///
/// # Panics
///
/// Where it can't be built.
pub fn healthy(seed: u64) -> World {
    world(&WorldConfig { seed, ..WorldConfig::default() })
}

/// Serves the [site] on the world's server, over http and https.
///
/// # Panics
///
/// Where a port is taken.
pub fn serve(world: &mut World) {
    let mut server = world.runner.host(world.server);
    server.return_page(80, site).expect("port 80 is free");
    server.return_page_secure(443, site).expect("port 443 is free");
}

/// The site of the tests: `/`, `/large`, an echo of what is posted to `/echo`, and of any other path.
pub fn site(request: Request) -> Response {
    match request.path() {
        "/echo" => Response::bytes("application/octet-stream", request.body),
        "/" => Response::text(GREETING),
        "/large" => Response::bytes("application/octet-stream", body_of(LARGE)),
        path => Response::text(path.to_owned()),
    }
}

/// Watches a world from now on.
pub fn record(world: &mut World) -> Rc<RefCell<Recorder>> {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    world.runner.observe(recorder.clone());
    recorder
}

/// The capture of one host, with the secrets of its TLS inside, as a file's bytes.
///
/// # Panics
///
/// Where the recording had to stop before its end.
pub fn capture(trace: &Trace, host: &str) -> Vec<u8> {
    assert_eq!(trace.stopped(), None, "the recording holds the whole run");
    let mut file = Vec::new();
    let options = CaptureOptions { secrets: true, ..CaptureOptions::default() };
    write_capture(trace, host, &mut file, &options).expect("memory can be written to");
    file
}

/// What hosts of one's own are made with, where the usual world is not the one that is wanted.
pub struct Lab {
    /// Drives them.
    pub runner: Runner,
    authority: Authority,
    macs: MacAllocator,
}

impl Lab {
    /// An empty world of this seed.
    ///
    /// # Panics
    ///
    /// Where the operating system refuses a pipe.
    pub fn new(seed: u64) -> Self {
        let runner = Runner::simulated(seed).expect("a simulated run needs next to nothing");
        let rng = runner.randomness("authority");
        let authority = Authority::simulated_never_on_a_real_device(&rng, TimeSource::starting_at(EPOCH));
        Lab {
            runner,
            authority: authority.expect("a fixed authority can be made"),
            macs: MacAllocator::counting(),
        }
    }

    /// An interface with the next MAC address and these addresses with their networks.
    ///
    /// # Panics
    ///
    /// Where one of them is none.
    pub fn interface(&mut self, addresses: &[&str]) -> Interface {
        let cidrs =
            addresses.iter().map(|text| text.parse().expect("an address and the length of its network"));
        Interface::new(self.macs.assign(), cidrs)
    }

    /// A host that trusts this world's authority, shows certificates of it, and has these gateways.
    ///
    /// # Panics
    ///
    /// Where a gateway is no address.
    pub fn config(&self, name: &str, interfaces: Vec<Interface>, gateways: &[&str]) -> HostConfig {
        let crypto = SimulatedCrypto::never_on_a_real_device(self.runner.randomness(name));
        let mut tls = tls::Config::new(TimeSource::starting_at(EPOCH), Crypto::Simulated(crypto));
        tls.client.roots = vec![Roots::Lab(self.authority.certificate().clone())];
        tls.server = Some(tls::Server::Authority(self.authority.clone()));
        let mut config = HostConfig::new(name, interfaces, tls);
        config.gateways = gateways.iter().map(|text| text.parse().expect("an address")).collect();
        config
    }

    /// Adds a host to the run, its interfaces plugged into these wires in their order.
    ///
    /// # Panics
    ///
    /// Where its TLS can't be made so.
    pub fn add(&mut self, config: &HostConfig, wires: &[WireId]) -> HostId {
        let stack = config.stack(&self.runner.randomness("hosts")).expect("the configuration is a good one");
        self.plug(&config.name, stack, wires)
    }

    /// Adds a host of any stack.
    pub fn plug(&mut self, name: &str, stack: AnyStack, wires: &[WireId]) -> HostId {
        self.runner.add_host(name, stack, wires.iter().map(|&wire| Plug::Wire(wire)).collect())
    }

    /// Serves the site of the tests on a host, over http and https.
    ///
    /// # Panics
    ///
    /// Where a port is taken.
    pub fn serve(&mut self, host: HostId) {
        let mut server = self.runner.host(host);
        server.return_page(80, site).expect("port 80 is free");
        server.return_page_secure(443, site).expect("port 443 is free");
    }

    /// Watches from now on.
    pub fn record(&mut self) -> Rc<RefCell<Recorder>> {
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        self.runner.observe(recorder.clone());
        recorder
    }
}
