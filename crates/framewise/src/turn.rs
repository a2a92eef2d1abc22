//! How the Runner turns, steps, and lets time pass.

use std::io;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::buf::InterfaceId;
use framewise_core::time::earliest;
use framewise_device::wire::Wire;

use crate::runner::Runner;
use crate::wait::{self, Came};

/// How many turns may end with something still due before that is taken for a fault.
const IDLE_TURNS: u32 = 1_000;

impl Runner {
    /// One turn: everything that can happen now. Returns whether anything did.
    pub fn turn(&mut self) -> io::Result<bool> {
        let mut happened = false;
        self.waker.lower();
        if !self.clock.is_simulated() {
            self.release_answers();
        }
        loop {
            let mut moved = self.deliver()?;
            for index in 0..self.nodes.len() {
                moved |= self.with_node(index, false, |node, wires, cx| {
                    let came = node.receive(wires, cx)?;
                    node.timers(cx);
                    Ok(node.settle(wires, cx)? || came)
                })?;
            }
            if !moved {
                return Ok(happened);
            }
            happened = true;
            if !self.clock.is_simulated() {
                return Ok(true);
            }
        }
    }

    /// Moves one message across one seam, or one frame over a wire, or time to what comes next. Returns whether anything
    /// was left to move. The outcome of a run made of such steps equals that of a free one.
    pub fn step(&mut self) -> io::Result<bool> {
        self.waker.lower();
        if !self.clock.is_simulated() {
            self.release_answers();
        }
        for index in 0..self.nodes.len() {
            if self.with_node(index, true, |node, wires, cx| node.step(wires, cx))? {
                return Ok(true);
            }
        }
        if self.deliver_one(true)? {
            return Ok(true);
        }
        for index in 0..self.nodes.len() {
            if self.with_node(index, true, |node, _, cx| node.step_receive(cx))? {
                return Ok(true);
            }
        }
        let mut was_due = false;
        for index in 0..self.nodes.len() {
            was_due |= self.with_node(index, true, |node, _, cx| Ok(node.timers(cx)))?;
        }
        Ok(was_due || self.wait(None)?)
    }

    /// Gives every frame that has arrived to its host, each settled before the next.
    fn deliver(&mut self) -> io::Result<bool> {
        let mut delivered = false;
        while self.deliver_one(false)? {
            delivered = true;
        }
        Ok(delivered)
    }

    fn deliver_one(&mut self, stepping: bool) -> io::Result<bool> {
        let now = self.now();
        for wire in 0..self.wires.len() {
            let Some((port, mut frame)) = self.wires[wire].poll(now) else { continue };
            let (host, interface) = self.ports[wire][port.0];
            frame.label_mut().interface = InterfaceId(interface);
            self.with_node(host.0, stepping, |node, wires, cx| {
                node.frame_in(frame, cx);
                if !cx.stepping {
                    node.settle(wires, cx)?;
                }
                Ok(())
            })?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Waits until something can happen, or until `end`. `false`: nothing ever will.
    pub(crate) fn wait(&mut self, end: Option<Instant>) -> io::Result<bool> {
        // Something may have been asked for, or answered, since the last turn: by whoever runs the Runner.
        if self.nodes.iter().any(|(node, _)| node.has_commands()) {
            return Ok(true);
        }
        if self.clock.is_simulated() {
            return self.pass_time(end);
        }
        let until = earliest(self.next_event(), end);
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
