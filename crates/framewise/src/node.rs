//! One host inside the Runner: its stack, its links, and the application halves above.

use std::collections::VecDeque;
use std::io;

use framewise_core::buf::InterfaceId;
use framewise_core::id::{ExchangeId, Opener};
use framewise_core::seams::exchange::ExchangeUp;
use framewise_core::seams::frame::Frame;
use framewise_core::seams::{Exchanges, Frames, Names};
use framewise_core::{Counters, Cx, Direction, Either, Instant, Layer};
use framewise_device::switch::PortId;
use framewise_device::wire::Wire;

use crate::client::{Client, Command};
use crate::link::Link;
use crate::server::Server;
use crate::stack::AnyStack;
use crate::turn::Burst;

/// One host: everything but what it counts, so that a context can borrow that meanwhile.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) stack: AnyStack,
    pub(crate) links: Vec<Link>,
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) stage: Stage,
}

/// How far a stepped run has come in what the Runner does in one go when a host settles.
#[derive(Clone, Copy, Default)]
pub(crate) enum Stage {
    /// Events and commands.
    #[default]
    Words,
    Frames,
}

/// What a step of a settling host moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// Something inside, or between the stack and the application.
    Word,
    /// A frame went out.
    Frame,
}

/// What a node counts.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counters: Counters,
}

impl Node {
    /// A frame came in on one of the interfaces.
    pub(crate) fn frame_in(&mut self, frame: Frame, cx: &mut Cx) {
        if cx.is_observed() {
            cx.crossed::<Frames>(self.stack.lowest_name(), "device", Direction::Inbound, &frame);
        }
        self.stack.handle_inbound(frame, cx);
    }

    /// Lets the application hear what follows from a frame; while stepping, one thing at a time by
    /// [`step_hear`](Self::step_hear).
    pub(crate) fn hear(&mut self, cx: &mut Cx) {
        while !cx.stepping && self.event_up(cx) {}
    }

    /// Moves one thing of what follows from a frame; `false` if there is none.
    pub(crate) fn step_hear(&mut self, cx: &mut Cx) -> bool {
        self.stack.step_settle(cx) || self.event_up(cx)
    }

    /// Takes what the devices have, up to a burst each. `true` if anything came.
    pub(crate) fn receive(&mut self, cx: &mut Cx) -> io::Result<bool> {
        let mut came = false;
        for index in 0..self.links.len() {
            let mut burst = Burst::of_a_device();
            while burst.has_room()
                && let Some(length) = self.receive_one(index, cx)?
            {
                burst.count(length);
                self.hear(cx);
            }
            came |= !burst.is_empty();
        }
        Ok(came)
    }

    /// Takes one frame, of the first device that has one, and tells how long it was.
    pub(crate) fn step_receive(&mut self, cx: &mut Cx) -> io::Result<Option<usize>> {
        for index in 0..self.links.len() {
            if let Some(length) = self.receive_one(index, cx)? {
                return Ok(Some(length));
            }
        }
        Ok(None)
    }

    /// Takes one frame of one interface's device, and tells how long it was.
    fn receive_one(&mut self, index: usize, cx: &mut Cx) -> io::Result<Option<usize>> {
        let Some(Link::Device(link)) = self.links.get_mut(index) else { return Ok(None) };
        let Some(mut frame) = link.device.receive()? else { return Ok(None) };
        frame.label_mut().interface = InterfaceId(index as u8);
        let length = frame.len();
        self.frame_in(frame, cx);
        Ok(Some(length))
    }

    /// Runs the timers that are due.
    pub(crate) fn timers(&mut self, cx: &mut Cx) {
        if self.stack.poll_timeout().is_some_and(|at| at <= cx.now) {
            self.stack.handle_timeout(cx);
        }
        if self.client.poll_timeout().is_some_and(|at| at <= cx.now) {
            self.client.handle_timeout(cx);
        }
    }

    /// When this host must be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        framewise_core::time::earliest(self.stack.poll_timeout(), self.client.poll_timeout())
    }

    /// Moves events and commands until nothing moves. What a command begets goes up before any frame goes out: else TCP
    /// would send an acknowledgment alone, and the answer behind it.
    pub(crate) fn words(&mut self, cx: &mut Cx) -> bool {
        let mut moved = false;
        while self.event_up(cx) || self.command_down(cx) {
            moved = true;
        }
        moved
    }

    /// Moves one thing of what moves when a host settles, in the same order; `None` if there is none.
    pub(crate) fn step(&mut self, wires: &mut [Wire], cx: &mut Cx) -> io::Result<Option<Moved>> {
        if self.stack.step_settle(cx) {
            return Ok(Some(Moved::Word));
        }
        for _ in 0..2 {
            let (moved, next) = match self.stage {
                Stage::Words => {
                    ((self.event_up(cx) || self.command_down(cx)).then_some(Moved::Word), Stage::Frames)
                }
                Stage::Frames => (self.step_out(wires, cx)?, Stage::Words),
            };
            if moved.is_some() {
                return Ok(moved);
            }
            self.stage = next;
        }
        self.stage = Stage::Words;
        Ok(None)
    }

    /// Sends one frame, or moves what is to become of one by one seam.
    fn step_out(&mut self, wires: &mut [Wire], cx: &mut Cx) -> io::Result<Option<Moved>> {
        if self.frame_out(wires, cx)? {
            return Ok(Some(Moved::Frame));
        }
        Ok(self.stack.step_pull(cx).then_some(Moved::Word))
    }

    /// Gives the application one event.
    pub(crate) fn event_up(&mut self, cx: &mut Cx) -> bool {
        let Some(event) = self.stack.poll_inbound(cx) else { return false };
        match event {
            Either::Left(event) => {
                if cx.is_observed() {
                    cx.crossed::<Exchanges>("app", self.stack.name(), Direction::Inbound, &event);
                }
                self.exchange_event(event, cx);
            }
            Either::Right(event) => {
                if cx.is_observed() {
                    cx.crossed::<Names>("app", "dns", Direction::Inbound, &event);
                }
                self.client.handle_name(event, cx);
            }
        }
        true
    }

    fn exchange_event(&mut self, event: ExchangeUp, cx: &mut Cx) {
        match event.exchange().map(ExchangeId::opener) {
            Some(Opener::Upper) => self.client.handle_exchange(event, cx),
            Some(Opener::Lower) | None => self.server.handle_exchange(event),
        }
    }

    /// Gives the stack one command of the application.
    pub(crate) fn command_down(&mut self, cx: &mut Cx) -> bool {
        self.server.collect_answers(cx);
        let Some(command) = next_command(&mut self.client.commands, &mut self.server.commands) else {
            return false;
        };
        if cx.is_observed() {
            match &command {
                Either::Left(command) => {
                    cx.crossed::<Exchanges>("app", self.stack.name(), Direction::Outbound, command);
                }
                Either::Right(command) => cx.crossed::<Names>("app", "dns", Direction::Outbound, command),
            }
        }
        self.stack.handle_outbound(command, cx);
        true
    }

    /// Sends one frame. Nothing is pulled while every link is a full device; while some are, their frames wait in a queue
    /// of their own, so that they hold up nobody else.
    pub(crate) fn frame_out(&mut self, wires: &mut [Wire], cx: &mut Cx) -> io::Result<bool> {
        let mut is_open = self.links.is_empty();
        for link in &mut self.links {
            is_open |= link.retry()?;
        }
        if !is_open {
            return Ok(false);
        }
        let Some(frame) = self.stack.poll_outbound(cx) else { return Ok(false) };
        if cx.is_observed() {
            cx.crossed::<Frames>(self.stack.lowest_name(), "device", Direction::Outbound, &frame);
        }
        match self.links.get_mut(usize::from(frame.interface().0)) {
            Some(Link::Wire(wire, port)) => {
                let wire = &mut wires[wire.0];
                wire.send(*port, frame, cx.now);
                if cx.is_observed() {
                    tell(wire, *port, cx);
                }
            }
            Some(Link::Device(link)) => {
                if !link.transmit(frame)? {
                    cx.dropped("device", "queue to the device is full");
                }
            }
            None => cx.dropped("device", "no such interface"),
        }
        Ok(true)
    }

    /// Whether the application has something to say to the stack.
    pub(crate) fn has_commands(&self) -> bool {
        !self.client.commands.is_empty() || self.server.has_commands()
    }
}

fn next_command(client: &mut VecDeque<Command>, server: &mut VecDeque<Command>) -> Option<Command> {
    client.pop_front().or_else(|| server.pop_front())
}

/// Tells whoever watches what was done to the frame that this port has just sent: neither end could know.
fn tell(wire: &mut Wire, sender: PortId, cx: &mut Cx) {
    // It is done when the frame has left the sender's queue; what is older nobody watched.
    let now = cx.now;
    for deed in wire.take_deeds(sender).into_iter().filter(|deed| deed.now >= now) {
        cx.note("wire", deed.action.topic(), || format!("it {}", deed.action));
    }
}
