//! How the Runner turns, steps, and lets time pass.

use std::io;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::buf::InterfaceId;
use framewise_core::time::earliest;
use framewise_device::wire::Wire;

use crate::node::Moved;
use crate::runner::{HostId, Runner};
use crate::wait::{self, Came};

/// How many turns may end with something still due before that is taken for a fault.
const IDLE_TURNS: u32 = 1_000;

/// How much is taken in at one turn before everybody else has theirs.
#[derive(Clone, Copy, Debug)]
struct Limit {
    frames: usize,
    bytes: usize,
}

/// Of wires: enough that what follows from a turn is shared by many frames.
const OF_WIRES: Limit = Limit { frames: 256, bytes: 1 << 20 };
/// Of a device, where the peer sends meanwhile. Bytes count beside frames: sixteen super-frames overfill a window of
/// 512 KiB, and who is not told in between that there is room again stops and waits.
const OF_A_DEVICE: Limit = Limit { frames: 64, bytes: 192 << 10 };

/// What one turn has taken in from one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burst {
    frames: usize,
    bytes: usize,
    limit: Limit,
}

impl Burst {
    fn of_wires() -> Self {
        Burst { frames: 0, bytes: 0, limit: OF_WIRES }
    }

    pub(crate) fn of_a_device() -> Self {
        Burst { frames: 0, bytes: 0, limit: OF_A_DEVICE }
    }

    pub(crate) fn has_room(self) -> bool {
        self.frames < self.limit.frames && self.bytes < self.limit.bytes
    }

    pub(crate) fn count(&mut self, length: usize) {
        self.frames += 1;
        self.bytes += length;
    }

    pub(crate) fn is_empty(self) -> bool {
        self.frames == 0
    }
}

/// How far a stepped run has come in what [`Runner::turn`] does in one go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// Frames are taken in, and the application hears what follows from each.
    Receiving(Burst),
    /// One host's commands and frames go out.
    Settling(HostId),
    /// A frame of this host went out: what has arrived at once is taken in, and its receiver hears what follows.
    Passing { from: HostId, hearing: Option<HostId> },
}

impl Default for Phase {
    fn default() -> Self {
        Phase::Receiving(Burst::of_wires())
    }
}

impl Runner {
    /// One turn: everything that can happen now. Returns whether anything did.
    pub fn turn(&mut self) -> io::Result<bool> {
        let mut happened = false;
        self.begin();
        loop {
            let mut moved = self.deliver()?;
            for index in 0..self.nodes.len() {
                moved |= self.with_node(index, false, |node, _, cx| {
                    let came = node.receive(cx)?;
                    node.timers(cx);
                    Ok(came)
                })?;
            }
            for index in 0..self.nodes.len() {
                moved |= self.settle(index)?;
            }
            if !moved {
                self.passed = false;
                return Ok(happened);
            }
            happened = true;
            if !self.clock.is_simulated() {
                self.awake_until = self.now() + self.spin;
                return Ok(true);
            }
        }
    }

    /// Moves one message across one seam, or one frame over a wire, or time to what comes next. Returns whether anything
    /// was left to move. The outcome of a run made of such steps equals that of a free one.
    pub fn step(&mut self) -> io::Result<bool> {
        self.begin();
        // Through all phases, wherever it stands, and once more from the first: timers may have had something to say.
        for _ in 0..2 * (self.nodes.len() + 1) {
            if self.step_in_phase()? {
                return Ok(true);
            }
            self.next_phase()?;
        }
        self.phase = Phase::default();
        self.wait(None)
    }

    /// What comes when nothing moves in this phase any more.
    fn next_phase(&mut self) -> io::Result<()> {
        let next = match self.phase {
            Phase::Receiving(_) => {
                self.timers()?;
                0
            }
            Phase::Settling(HostId(host)) => {
                self.settled = self.settled.max(host + 1);
                host + 1
            }
            Phase::Passing { from: HostId(from), .. } => from,
        };
        self.phase = if next < self.nodes.len() { Phase::Settling(HostId(next)) } else { Phase::default() };
        Ok(())
    }

    /// Hears what has come from other threads since.
    fn begin(&mut self) {
        self.waker.lower();
        if !self.clock.is_simulated() {
            self.release_answers();
        }
    }

    fn step_in_phase(&mut self) -> io::Result<bool> {
        match self.phase {
            Phase::Receiving(burst) => self.step_receiving(burst),
            Phase::Settling(host) => self.step_settling(host),
            Phase::Passing { from, hearing } => self.step_passing(from, hearing),
        }
    }

    fn step_receiving(&mut self, mut burst: Burst) -> io::Result<bool> {
        for index in 0..self.nodes.len() {
            if self.step_hear(HostId(index))? {
                return Ok(true);
            }
        }
        if burst.has_room()
            && let Some(length) = self.step_receive()?
        {
            burst.count(length);
            self.phase = Phase::Receiving(burst);
            return Ok(true);
        }
        Ok(false)
    }

    fn step_settling(&mut self, host: HostId) -> io::Result<bool> {
        let moved = self.with_node(host.0, true, |node, wires, cx| node.step(wires, cx))?;
        if moved == Some(Moved::Frame) && self.all_settled() {
            self.phase = Phase::Passing { from: host, hearing: None };
        }
        Ok(moved.is_some())
    }

    fn step_passing(&mut self, from: HostId, hearing: Option<HostId>) -> io::Result<bool> {
        if let Some(host) = hearing
            && self.step_hear(host)?
        {
            return Ok(true);
        }
        let Some((host, _)) = self.deliver_one(true)? else { return Ok(false) };
        self.phase = Phase::Passing { from, hearing: Some(host) };
        Ok(true)
    }

    /// Moves one thing of what follows from a frame at this host.
    fn step_hear(&mut self, host: HostId) -> io::Result<bool> {
        self.with_node(host.0, true, |node, _, cx| Ok(node.step_hear(cx)))
    }

    /// Takes one frame, over a wire or else of a device, and tells how long it was.
    fn step_receive(&mut self) -> io::Result<Option<usize>> {
        if let Some((_, length)) = self.deliver_one(true)? {
            return Ok(Some(length));
        }
        for index in 0..self.nodes.len() {
            if let Some(length) = self.with_node(index, true, |node, _, cx| node.step_receive(cx))? {
                return Ok(Some(length));
            }
        }
        Ok(None)
    }

    /// Runs every timer that is due.
    fn timers(&mut self) -> io::Result<()> {
        (0..self.nodes.len()).try_for_each(|index| {
            self.with_node(index, true, |node, _, cx| {
                node.timers(cx);
                Ok(())
            })
        })
    }

    /// Moves what a host has to say and to send, and events that come of it, until nothing moves. What a wire carries in no
    /// time is taken in before the next frame goes out, while it is still in the processor's cache.
    fn settle(&mut self, index: usize) -> io::Result<bool> {
        let mut moved_at_all = false;
        loop {
            let mut moved = self.with_node(index, false, |node, _, cx| Ok(node.words(cx)))?;
            while self.with_node(index, false, |node, wires, cx| node.frame_out(wires, cx))? {
                moved = true;
                while self.all_settled() && self.deliver_one(false)?.is_some() {
                    self.passed = true;
                }
            }
            // Layers that were asked for frames may have found out something instead: that a host can't be reached.
            moved |= self.with_node(index, false, |node, _, cx| Ok(node.event_up(cx)))?;
            if !moved {
                self.settled = self.settled.max(index + 1);
                return Ok(moved_at_all);
            }
            moved_at_all = true;
        }
    }

    /// Whether every host has settled once. Before, one may not have told its lower layers yet what addresses it has.
    fn all_settled(&self) -> bool {
        self.settled == self.nodes.len()
    }

    /// Gives a burst of the frames that have arrived over wires to their hosts. `true` if there was one.
    fn deliver(&mut self) -> io::Result<bool> {
        let mut burst = Burst::of_wires();
        while burst.has_room()
            && let Some((_, length)) = self.deliver_one(false)?
        {
            burst.count(length);
        }
        Ok(!burst.is_empty())
    }

    /// Gives the next frame to its host, which hears what follows from it; tells which host, and how long the frame was.
    fn deliver_one(&mut self, stepping: bool) -> io::Result<Option<(HostId, usize)>> {
        let now = self.now();
        for wire in 0..self.wires.len() {
            let Some((port, mut frame)) = self.wires[wire].poll(now) else { continue };
            let (host, interface) = self.ports[wire][port.0];
            frame.label_mut().interface = InterfaceId(interface);
            let length = frame.len();
            self.with_node(host.0, stepping, |node, _, cx| {
                node.frame_in(frame, cx);
                node.hear(cx);
                Ok(())
            })?;
            return Ok(Some((host, length)));
        }
        Ok(None)
    }

    /// Waits until something can happen, or until `end`. `false`: nothing ever will.
    pub(crate) fn wait(&mut self, end: Option<Instant>) -> io::Result<bool> {
        // Something may have been asked for, or answered, since the last turn, by whoever runs the Runner; or a frame have come
        // to a host whose turn was over.
        if std::mem::take(&mut self.passed) || self.nodes.iter().any(|(node, _)| node.has_commands()) {
            return Ok(true);
        }
        if self.clock.is_simulated() {
            return self.pass_time(end);
        }
        let is_awake = self.now() < self.awake_until;
        let until = if is_awake { Some(self.now()) } else { earliest(self.next_event(), end) };
        let links = self.nodes.iter().flat_map(|(node, _)| &node.links);
        wait::for_anything(links, &self.waker, &mut self.watched, self.clock.until(until))?;
        Ok(true)
    }

    /// Jumps to what comes next in simulated time, unless something comes from outside of it.
    fn pass_time(&mut self, end: Option<Instant>) -> io::Result<bool> {
        if self.wait_for_handlers()? || self.look_around(Duration::ZERO)? == Came::Other {
            return Ok(true);
        }
        let Some(next) = earliest(self.next_event(), end) else { return Ok(false) };
        self.expect_progress(next)?;
        self.clock.advance(next);
        Ok(true)
    }

    /// Time stands still while handlers work. When all have spoken, or patience is over, it takes what other threads have
    /// said; `true` if that, or something foreign, is to be dealt with at this same time.
    fn wait_for_handlers(&mut self) -> io::Result<bool> {
        while self.nodes.iter().any(|(node, _)| node.server.is_working()) {
            match self.look_around(self.patience)? {
                Came::Waker => self.waker.lower(),
                Came::Other => return Ok(true),
                Came::Nothing => self.nodes.iter().for_each(|(node, _)| node.server.keep_all()),
            }
        }
        self.release_answers();
        Ok(self.nodes.iter().any(|(node, _)| node.has_commands()))
    }

    /// Waits at most this long, in real time, for other threads and foreign file descriptors.
    fn look_around(&mut self, patience: Duration) -> io::Result<Came> {
        if patience.is_zero() && self.watched.is_empty() {
            return Ok(Came::Nothing);
        }
        wait::for_anything(std::iter::empty(), &self.waker, &mut self.watched, Some(patience))
    }

    fn release_answers(&self) {
        self.nodes.iter().for_each(|(node, _)| node.server.release_answers());
    }

    /// A timer that stays due however often it is called would hold time for ever (law 6 of `Layer`): that is an error.
    fn expect_progress(&mut self, next: Instant) -> io::Result<()> {
        self.idle_turns = if next > self.now() { 0 } else { self.idle_turns + 1 };
        if self.idle_turns < IDLE_TURNS {
            return Ok(());
        }
        let overdue = self.nodes.iter().find(|(node, _)| node.poll_timeout() == Some(next));
        let who = overdue.map_or("a wire", |(node, _)| node.name.as_str());
        Err(io::Error::other(format!("a timer of {who} stays due at {next} however often it is called")))
    }

    /// When something is due by itself.
    fn next_event(&self) -> Option<Instant> {
        let deliveries = self.wires.iter().filter_map(Wire::poll_timeout);
        let timers = self.nodes.iter().filter_map(|(node, _)| node.poll_timeout());
        deliveries.chain(timers).min()
    }
}
