//! The Runner: the one place that does I/O, reads a clock and waits.
//!
//! It owns hosts, wires and devices, and turns:
//!
//! 1. frames in, a bounded burst, events delivered after each frame;
//! 2. timers that are due;
//! 3. commands and frames out, until nothing moves: so a burst of frames is acknowledged once; what a wire carries in no
//!    time is taken in at once;
//! 4. then it waits: for a frame, a timer, an answer from another thread. Where time is simulated, waiting
//!    is a jump of the clock.
//!
//! # Simulated time and other threads
//!
//! A handler may answer from a thread of its own, which takes real time. Simulated time stands still while any handler
//! works on an answer, and what threads have said is taken when all of them have spoken (or wait for room), in the order
//! of their exchanges. So it makes no difference how fast they are, and a run with the same seed is the same run, provided
//! that each answer follows from its request alone, not from what threads share.
//!
//! An answer that is only kept, until another request comes for instance, would hold time for ever: its handler says so
//! ([`Answer::keep`](framewise_http::handler::Answer::keep)), and time goes on without it. Of answers about which nobody says anything for as
//! long as the Runner's [patience](Runner::set_patience), in real time, the same is assumed. If another thread speaks about a
//! kept answer after all, the moment of it in simulated time is that thread's, and not reproducible.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use framewise_core::observe::Note;
use framewise_core::{Counters, Cx, Instant, Observer, Rng};
use framewise_device::Device;
use framewise_device::wire::{Wire, WireConfig};

use crate::client::Client;
use crate::clock::Clock;
use crate::host::HostMut;
use crate::link::{DeviceLink, Link, WireId};
use crate::node::{Node, Stage, Tally};
use crate::server::Server;
use crate::stack::AnyStack;
use crate::turn::Phase;
use crate::wait::Watched;
use crate::wake::Waker;
use crate::watching::Watching;

/// One of the Runner's hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

/// Where an interface is plugged in.
pub enum Plug {
    /// Into an in-memory wire.
    Wire(WireId),
    /// Into a device of the operating system.
    Device(Box<dyn Device>),
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// What was waited for is there.
    Done,
    /// The time is over.
    Deadline,
    /// Nothing is left that could happen: no frame is under way, no timer runs, no handler works.
    Quiet,
}

/// Whoever watches a run; shared, so that what it saw can be read afterwards.
pub type SharedObserver = Rc<RefCell<dyn Observer>>;

/// Hosts, wires, devices and the clock that drives them. See the [module](self).
pub struct Runner {
    pub(crate) clock: Clock,
    seed: Option<u64>,
    randomness: Rng,
    pub(crate) nodes: Vec<(Node, Tally)>,
    pub(crate) wires: Vec<Wire>,
    /// Which host and interface is at each port of each wire.
    pub(crate) ports: Vec<Vec<(HostId, u8)>>,
    observer: Option<SharedObserver>,
    pub(crate) waker: Waker,
    pub(crate) watched: Vec<Watched>,
    /// How long, in real time, simulated time stands still for threads that say nothing.
    pub(crate) patience: Duration,
    /// How long, in real time, it looks for the next thing before it sleeps; and until when it does so now.
    pub(crate) spin: Duration,
    pub(crate) awake_until: Instant,
    /// Where a stepped run stands.
    pub(crate) phase: Phase,
    /// How many hosts have settled at least once, in their order.
    pub(crate) settled: usize,
    /// Whether a host was given a frame while another one settled, and may have more to say and to send since.
    pub(crate) passed: bool,
    /// Turns in a row at whose end something was still due.
    pub(crate) idle_turns: u32,
}

/// How long a Runner is patient with threads unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

impl Runner {
    /// A run in simulated time, in which everything follows from `seed`.
    pub fn simulated(seed: u64) -> io::Result<Self> {
        Runner::with(Clock::Simulated(Instant::ZERO), Some(seed), Rng::from_seed(seed))
    }

    /// A run in real time. `entropy` are 32 bytes from the operating system (see [`crate::entropy`]).
    pub fn real(entropy: [u8; 32]) -> io::Result<Self> {
        Runner::with(Clock::real(), None, Rng::from_entropy(entropy))
    }

    fn with(clock: Clock, seed: Option<u64>, randomness: Rng) -> io::Result<Self> {
        Ok(Runner {
            clock,
            seed,
            randomness,
            nodes: Vec::new(),
            wires: Vec::new(),
            ports: Vec::new(),
            observer: None,
            waker: Waker::new()?,
            watched: Vec::new(),
            patience: PATIENCE,
            spin: Duration::ZERO,
            awake_until: Instant::ZERO,
            phase: Phase::default(),
            settled: 0,
            passed: false,
            idle_turns: 0,
        })
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The seed of a simulated run.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// A stream of random numbers of its own for `purpose`.
    pub fn randomness(&self, purpose: &str) -> Rng {
        self.randomness.fork(purpose)
    }

    /// How long, in real time, simulated time stands still for answers of which it hears nothing: 10 seconds unless set.
    /// After that they count as kept. See the [module](self).
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// How long, in real time, this Runner stays awake after something has happened, in case more is about to: not at all
    /// unless set. To sleep and to be woken takes the kernel tens of microseconds, in which a peer on another processor
    /// may have answered; where there is but one processor, staying awake only keeps the peer from it.
    pub fn set_spin(&mut self, spin: Duration) {
        self.spin = spin;
    }

    /// Lets `observer` watch everything from now on. It is borrowed for each event by itself, so that handlers and sinks
    /// may look at it; whoever keeps it borrowed while the Runner runs makes that panic.
    pub fn observe(&mut self, observer: SharedObserver) {
        self.observer = Some(observer);
    }

    /// Adds an in-memory wire.
    pub fn add_wire(&mut self, config: WireConfig) -> WireId {
        let rng = self.randomness(&format!("wire/{}", self.wires.len()));
        self.wires.push(Wire::new(config, rng));
        self.ports.push(Vec::new());
        WireId(self.wires.len() - 1)
    }

    /// An in-memory wire, to be looked at or changed.
    pub fn wire_mut(&mut self, wire: WireId) -> &mut Wire {
        &mut self.wires[wire.0]
    }

    /// Adds a host of any stack, whose interfaces are plugged in in their order.
    ///
    /// What a stack sends to an interface that has no plug is dropped, and counted.
    ///
    /// # Panics
    /// There are more plugs than the 256 interfaces that a host may have, or one is for another Runner's wire.
    pub fn add_host(&mut self, name: &str, stack: AnyStack, plugs: Vec<Plug>) -> HostId {
        let host = HostId(self.nodes.len());
        let most = usize::from(u8::MAX) + 1;
        assert!(
            plugs.len() <= most,
            "a host has at most {most} interfaces, {name} was given {}",
            plugs.len()
        );
        let links = plugs.into_iter().enumerate().map(|(index, plug)| self.plug(host, index as u8, plug));
        let links = links.collect();
        let server = Server::new(self.waker.clone());
        let client = Client::new(self.randomness(&format!("client/{}", host.0)));
        let (name, stage) = (name.to_owned(), Stage::default());
        let node = Node { name, stack, links, client, server, stage };
        self.nodes.push((node, Tally::default()));
        host
    }

    fn plug(&mut self, host: HostId, interface: u8, plug: Plug) -> Link {
        match plug {
            Plug::Wire(wire) => {
                assert!(wire.0 < self.wires.len(), "{wire:?} is not one of this Runner's wires");
                self.ports[wire.0].push((host, interface));
                Link::Wire(wire, self.wires[wire.0].attach())
            }
            Plug::Device(device) => Link::Device(DeviceLink::new(device)),
        }
    }

    /// One host, to fetch pages from it or return pages on it.
    pub fn host(&mut self, host: HostId) -> HostMut<'_> {
        HostMut { runner: self, id: host }
    }

    /// The name of a host.
    pub fn name(&self, host: HostId) -> &str {
        &self.nodes[host.0].0.name
    }

    /// What a host has dropped, by layer and reason.
    pub fn counters(&self, host: HostId) -> &Counters {
        &self.nodes[host.0].1.counters
    }

    /// What a host's layers have to say to a person since this was asked last, such as that another station has an address of
    /// its, whether or not anyone [observes](Self::observe).
    pub fn take_warnings(&mut self, host: HostId) -> Vec<Note> {
        self.nodes[host.0].1.counters.take_warnings()
    }

    /// What each host has dropped, with the hosts' names.
    pub fn all_counters(&self) -> impl Iterator<Item = (&str, &Counters)> {
        self.nodes.iter().map(|(node, tally)| (node.name.as_str(), &tally.counters))
    }

    /// Wakes this Runner from another thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Calls `ready` whenever this foreign file descriptor can be read (or was closed by the other end), until it says `false`.
    /// Where time is simulated, it is looked at before each jump of the clock, but never waited for.
    #[cfg(unix)]
    pub fn watch(
        &mut self,
        fd: std::os::fd::OwnedFd,
        ready: impl FnMut(&std::os::fd::OwnedFd) -> bool + 'static,
    ) {
        self.watched.push(Watched::new(fd, ready));
    }

    /// Turns until `done` says so. `Ok(false)`: nothing is left that could happen.
    pub fn run_until(&mut self, done: impl FnMut(&mut Runner) -> bool) -> io::Result<bool> {
        Ok(self.run(None, done)? == Ended::Done)
    }

    /// Turns until this much time has passed.
    pub fn run_for(&mut self, time: Duration) -> io::Result<()> {
        let end = self.now() + time;
        self.run(Some(end), |_| false).map(drop)
    }

    /// Turns until `done` says so, at most until `end`, and tells which it was.
    pub fn run(
        &mut self,
        end: Option<Instant>,
        mut done: impl FnMut(&mut Runner) -> bool,
    ) -> io::Result<Ended> {
        loop {
            self.turn()?;
            if done(self) {
                return Ok(Ended::Done);
            }
            if end.is_some_and(|end| self.now() >= end) {
                return Ok(Ended::Deadline);
            }
            if !self.wait(end)? {
                return Ok(Ended::Quiet);
            }
        }
    }

    /// Calls into one host with a context of its own.
    pub(crate) fn with_node<R>(
        &mut self,
        index: usize,
        stepping: bool,
        call: impl FnOnce(&mut Node, &mut [Wire], &mut Cx) -> io::Result<R>,
    ) -> io::Result<R> {
        let (node, tally) = &mut self.nodes[index];
        let mut watching = self.observer.as_ref().map(Watching);
        if let Some(observer) = &mut watching {
            observer.host(&node.name);
        }
        let observer = watching.as_mut().map(|observer| observer as &mut dyn Observer);
        let mut cx = Cx { now: self.clock.now(), stepping, observer, counters: &mut tally.counters };
        call(node, &mut self.wires, &mut cx)
    }

    pub(crate) fn node(&mut self, host: HostId) -> &mut Node {
        &mut self.nodes[host.0].0
    }

    /// A host's stack, to be looked at by tests.
    pub fn stack_mut(&mut self, host: HostId) -> &mut AnyStack {
        &mut self.nodes[host.0].0.stack
    }
}
