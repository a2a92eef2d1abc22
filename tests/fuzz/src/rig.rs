//! Hosts in memory whose frames pass through the fuzzer's hands.
//!
//! ```text
//!   client ──┐        ┌── each frame between client and server: passed, lost, repeated, held back, altered, …
//!   friend ──┴── hub ─┴── server      http and https, whole stacks in virtual time
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::buf::InterfaceId;
use framewise::core::seams::frame::Frame;
use framewise::core::{Buf, MacAddr, Rng};
use framewise::device::{Device, DeviceCounters};
use framewise::http::{Request, Response};
use framewise::tls::{Authority, Crypto, Roots, SimulatedCrypto, TimeSource};
use framewise::world::EPOCH;
use framewise::{
    Fetch, FetchError, FetchId, HostConfig, HostId, Interface, KnownAddress, Page, Plug, Runner,
};

use crate::kept::Kept;

/// The hosts, by their place among [`Rig::hosts`].
pub const CLIENT: usize = 0;
/// The one who serves.
pub const SERVER: usize = 1;
/// Another client, whose frames nobody touches.
pub const FRIEND: usize = 2;

/// More frames than one moment of such hosts begets.
const MOST_FRAMES: usize = 20_000;

/// Three hosts on a hub.
pub struct Rig {
    /// What drives them.
    pub runner: Runner,
    /// The hosts, in order.
    pub hosts: [HostId; 3],
    ports: [Port; 3],
}

/// What becomes of a frame between client and server: the frames that go on in its place, at once.
pub trait Hands {
    /// A frame of the host `from`, for which `pass` hands frames on to the other.
    fn frame(&mut self, from: usize, frame: Vec<u8>, pass: &mut dyn FnMut(Vec<u8>));
}

/// Hands that pass on everything as it is.
pub struct Honest;

impl Hands for Honest {
    fn frame(&mut self, _: usize, frame: Vec<u8>, pass: &mut dyn FnMut(Vec<u8>)) {
        pass(frame);
    }
}

/// The body of the page `/n/LENGTH`.
pub fn body(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8).wrapping_mul(31)) as u8).collect()
}

fn page(request: Request) -> Response {
    let length = request.path().strip_prefix("/n/").and_then(|length| length.parse().ok()).unwrap_or(0);
    Response::bytes("application/octet-stream", body(usize::min(length, 1 << 20)))
}

impl Rig {
    /// The same for every input. Each stream seam of the hosts is watched by a ledger.
    pub fn new() -> Self {
        let mut runner = Runner::simulated(1).expect("a simulated runner can be made");
        let rng = runner.randomness("rig");
        let time = TimeSource::starting_at(EPOCH);
        let authority = Authority::simulated_never_on_a_real_device(&rng.fork("authority"), time);
        let authority = authority.expect("an authority can be made");
        let ports = [(); 3].map(|()| Port::default());
        let names = ["client", "server", "friend"];
        let hosts = [CLIENT, SERVER, FRIEND].map(|at| {
            let stack = stack(names[at], at, &rng, time, &authority);
            runner.add_host(names[at], stack, vec![Plug::Device(Box::new(ports[at].clone()))])
        });
        let mut rig = Rig { runner, hosts, ports };
        let mut server = rig.runner.host(hosts[SERVER]);
        server.return_page(80, page).expect("the port is free");
        server.return_page_secure(443, page).expect("the port is free");
        for host in [CLIENT, FRIEND] {
            let known = KnownAddress {
                host: "shop.test".into(),
                port: None,
                addresses: vec![address(SERVER).into()],
            };
            rig.runner.host(hosts[host]).know(known);
        }
        rig
    }

    /// Begins a fetch.
    pub fn fetch(&mut self, host: usize, fetch: Fetch) -> Option<FetchId> {
        self.runner.host(self.hosts[host]).start(fetch).ok()
    }

    /// Lets frames go round until none is under way.
    pub fn exchange(&mut self, hands: &mut dyn Hands) {
        for _ in 0..MOST_FRAMES {
            self.runner.turn().expect("devices in memory don't fail");
            let mut moved = false;
            for from in [CLIENT, SERVER, FRIEND] {
                while let Some(frame) = self.ports[from].take() {
                    moved = true;
                    self.carry(from, frame, hands);
                }
            }
            if !moved {
                return;
            }
        }
        panic!("frames go round without end");
    }

    fn carry(&mut self, from: usize, frame: Vec<u8>, hands: &mut dyn Hands) {
        let ports = &self.ports;
        match from {
            CLIENT | SERVER => {
                let to = 1 - from;
                hands.frame(from, frame.clone(), &mut |frame| ports[to].give(&frame));
                ports[FRIEND].give(&frame);
            }
            _ => [CLIENT, SERVER].into_iter().for_each(|to| ports[to].give(&frame)),
        }
    }

    /// Lets time pass, with all that happens in it.
    pub fn pass(&mut self, time: Duration, hands: &mut dyn Hands) {
        let end = self.runner.now() + time;
        while self.runner.now() < end {
            self.exchange(hands);
            // Until the next timer: the runner stops at once where a host has sent something.
            let sent = self.ports.clone();
            let spoke = move |_: &mut Runner| sent.iter().any(Port::has_sent);
            self.runner.run(Some(end), spoke).expect("devices in memory don't fail");
            if !self.ports.iter().any(Port::has_sent) {
                return;
            }
        }
    }

    /// What came of a fetch, if it is over.
    pub fn finished(&mut self, host: usize, fetch: FetchId) -> Option<Result<Page, FetchError>> {
        self.runner.host(self.hosts[host]).finished(fetch)
    }
}

impl Default for Rig {
    fn default() -> Self {
        Rig::new()
    }
}

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 10 + host as u8)
}

fn stack(
    name: &str,
    host: usize,
    rng: &Rng,
    time: TimeSource,
    authority: &Authority,
) -> framewise::stack::AnyStack {
    let crypto = SimulatedCrypto::never_on_a_real_device(rng.fork(name));
    let mut tls = framewise::tls::Config::new(time, Crypto::Simulated(crypto));
    tls.client.roots = vec![Roots::Lab(authority.certificate().clone())];
    if host == SERVER {
        tls.server = Some(framewise::tls::Server::Authority(authority.clone()));
    }
    let cidr = framewise::ip::Cidr::new(address(host).into(), 24);
    let interface = Interface::new(MacAddr::new([2, 0, 0, 0, 0, 10 + host as u8]), [cidr]);
    let config = HostConfig::new(name, vec![interface], tls);
    let mut layers = config.layers(rng).expect("the configuration is good");
    layers.tcp = Box::new(Kept::new(layers.tcp));
    layers.tls = Box::new(Kept::new(layers.tls));
    layers.stacked()
}

/// A device whose wire is two queues.
#[derive(Clone, Default)]
struct Port(Rc<Queues>);

#[derive(Default)]
struct Queues {
    to_host: RefCell<VecDeque<Vec<u8>>>,
    from_host: RefCell<VecDeque<Vec<u8>>>,
    counters: DeviceCounters,
}

impl Port {
    fn give(&self, frame: &[u8]) {
        self.0.to_host.borrow_mut().push_back(frame.to_vec());
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.0.from_host.borrow_mut().pop_front()
    }

    fn has_sent(&self) -> bool {
        !self.0.from_host.borrow().is_empty()
    }
}

impl Device for Port {
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let mut queue = self.0.from_host.borrow_mut();
        assert!(queue.len() < MOST_FRAMES, "a host floods its wire");
        queue.push_back(frame.to_vec());
        Ok(None)
    }

    fn receive(&mut self) -> io::Result<Option<Frame>> {
        let frame = self.0.to_host.borrow_mut().pop_front();
        Ok(frame.map(|bytes| Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))))
    }

    fn mtu(&self) -> usize {
        1_500
    }

    fn readable_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn counters(&self) -> &DeviceCounters {
        &self.0.counters
    }
}
