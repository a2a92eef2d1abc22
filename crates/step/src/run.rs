//! A run of the world inside this program, which can be run again with something done differently.
//!
//! The same seed gives the same bytes, so all that differs afterwards follows from what was changed.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use framewise::Fetch;
use framewise::core::Direction;
use framewise::core::buf::InterfaceId;
use framewise::device::{ImpairmentConfig, Intervention};
use framewise::tls::Versions;
use framewise::world::{SERVER, World, WorldConfig};
use framewise_trace::dissect::Limits;
use framewise_trace::{Crossing, Dissection, Recorder, Trace};

use crate::open::{OpenError, Options, Tls};

/// The names of the hosts in traces.
const ME: &str = "me";
const ROUTER: &str = "router";
/// The router's interface on my side.
const NEAR: InterfaceId = InterfaceId(0);
/// How long the last words may take: what is left to be acknowledged or closed.
const LINGER: Duration = Duration::from_millis(200);
/// Bytes in which a frame and the same one damaged may differ.
const DAMAGE: usize = 12;

/// Whose frames are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Mine.
    Me,
    /// The server's.
    Server,
}

impl Host {
    /// The other one.
    pub fn other(self) -> Host {
        match self {
            Host::Me => Host::Server,
            Host::Server => Host::Me,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Host::Me => ME,
            Host::Server => SERVER,
        }
    }
}

/// What is done differently. Frames are numbered as mine, in the run that is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This frame is lost.
    Drop(usize),
    /// This frame is held back.
    Delay(usize, Duration),
    /// This bit of this frame is flipped, counted from its first one; `None`: the last.
    Flip(usize, Option<usize>),
    /// My receive window is so small from the beginning.
    Window(usize),
}

/// A run, and how it came to be.
#[derive(Clone, Debug)]
pub struct Run {
    url: String,
    seed: u64,
    loss: f64,
    tls: Option<Tls>,
    /// What is done to frames, as the wire counts them.
    deeds: Vec<(Direction, u64, Intervention)>,
    window: Option<usize>,
}

impl Run {
    /// The fetch of a URL, with what its options ask for.
    ///
    /// # Errors
    /// A frame is named that is not there, or there is no such world.
    pub fn of(url: &str, options: &Options) -> Result<Self, OpenError> {
        let mut run = Run {
            url: url.to_owned(),
            seed: options.seed.unwrap_or(1),
            loss: options.loss,
            tls: options.tls,
            deeds: Vec::new(),
            window: None,
        };
        // Both are numbered as in the run without them.
        let changes = [options.drop.map(Change::Drop), options.flip.map(|frame| Change::Flip(frame, None))];
        let changes: Vec<Change> = changes.into_iter().flatten().collect();
        if !changes.is_empty() {
            let trace = run.record()?;
            for change in changes {
                run.change(change, &trace)?;
            }
        }
        Ok(run)
    }

    /// The same with something done differently.
    ///
    /// # Errors
    /// A frame is named that is not there, or there is no such world.
    pub fn with(&self, change: Change) -> Result<Self, OpenError> {
        let mut run = self.clone();
        run.change(change, &self.record()?)?;
        Ok(run)
    }

    /// What one of its hosts sends and receives, taken apart.
    ///
    /// # Errors
    /// There is no such world.
    pub fn dissected(&self, host: Host) -> Result<Dissection, OpenError> {
        Ok(Dissection::of_trace(&self.record()?, host.name(), Limits::default()))
    }

    /// Runs it, whatever comes of it: how it ended is in the frames.
    fn record(&self) -> Result<Trace, OpenError> {
        let mut world = self.world()?;
        for (direction, number, intervention) in &self.deeds {
            world.intervene(*direction, *number, *intervention);
        }
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        world.runner.observe(recorder.clone());
        let _ = world.runner.host(world.me).fetch(Fetch::get(&self.url));
        let _ = world.runner.run_for(LINGER);
        Ok(recorder.take().into_trace())
    }

    /// The world, with its site.
    fn world(&self) -> Result<World, OpenError> {
        let config = WorldConfig {
            seed: self.seed,
            impairment: ImpairmentConfig { loss: self.loss, ..ImpairmentConfig::default() },
            tls_versions: match self.tls {
                None => Versions::Both,
                Some(Tls::V12) => Versions::Only12,
                Some(Tls::V13) => Versions::Only13,
            },
            ..WorldConfig::default()
        };
        let mut world = World::build(&config, &mut |host, randomness| match self.window {
            Some(window) if host.name == ME => {
                let mut host = host.clone();
                host.tcp.receive_window = window;
                host.stack(randomness)
            }
            _ => host.stack(randomness),
        })?;
        let site = Arc::new(framewise_site::builtin());
        let mut server = world.runner.host(world.server);
        server.return_page(80, site.clone())?;
        server.return_page_secure(443, site)?;
        Ok(world)
    }

    fn change(&mut self, change: Change, trace: &Trace) -> Result<(), OpenError> {
        let (frame, intervention) = match change {
            Change::Window(bytes) => {
                self.window = Some(bytes);
                return Ok(());
            }
            Change::Drop(frame) => (frame, Intervention::Drop),
            Change::Delay(frame, time) => (frame, Intervention::Delay(time)),
            Change::Flip(frame, Some(bit)) => (frame, Intervention::FlipBit(bit)),
            Change::Flip(frame, None) => {
                let length = trace.frames(ME).nth(frame.wrapping_sub(1)).map_or(0, |frame| frame.range.len());
                // The last bit: of the payload, where the frame has one.
                (frame, Intervention::FlipBit((length * 8).saturating_sub(1)))
            }
        };
        let missing = || OpenError::NoSuchFrame { wanted: frame, last: trace.frames(ME).count() };
        let (direction, number) = sent_as(trace, frame).ok_or_else(missing)?;
        self.deeds.push((direction, number, intervention));
        Ok(())
    }
}

/// As which of the frames that go its way the wire counts this frame of mine. What came was counted when the router sent it,
/// lost ones included.
fn sent_as(trace: &Trace, frame: usize) -> Option<(Direction, u64)> {
    let mine: Vec<&Crossing> = trace.frames(ME).collect();
    let until = mine.get(..frame).filter(|until| !until.is_empty())?;
    let direction = until.last()?.direction;
    let same_way = until.iter().filter(|crossing| crossing.direction == direction);
    if direction == Direction::Outbound {
        return Some((direction, same_way.count() as u64));
    }
    let is_sent =
        |crossing: &&Crossing| crossing.direction == Direction::Outbound && crossing.interface == Some(NEAR);
    let sent: Vec<&[u8]> =
        trace.frames(ROUTER).filter(is_sent).map(|crossing| trace.bytes(crossing)).collect();
    let (mut used, mut last) = (vec![false; sent.len()], None);
    for came in same_way.map(|crossing| trace.bytes(crossing)) {
        let is_it = |at: &usize| is_the_same(sent[*at], came);
        let fresh = (0..sent.len()).filter(|at| !used[*at]).find(is_it);
        // One that arrives twice was sent once.
        last = fresh.or_else(|| (0..sent.len()).rev().find(is_it));
        if let Some(at) = last {
            used[at] = true;
        }
    }
    Some((direction, last? as u64 + 1))
}

fn is_the_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).filter(|(a, b)| a != b).count() <= DAMAGE
}
