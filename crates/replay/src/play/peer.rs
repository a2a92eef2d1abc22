//! What the peer sends by a line, and up to where it has sent.

use std::net::IpAddr;
use std::time::Duration;

use framewise::core::Direction;
use framewise::tcp::segment::Flags;

use super::{NO_PORT, Player, Stop};
use crate::error::PlayError;
use crate::frames::Flow;
use crate::script::{Action, Content, Deed, Injection, Segment, Step};

impl Player<'_> {
    pub(super) fn inject(&mut self, step: &Step, injection: &Injection) -> Result<Stop, PlayError> {
        let at = self.time_of(step.when).max(self.live.now());
        let before = at.saturating_sub(Duration::from_nanos(1));
        if before > self.live.now() {
            self.pass(before)?;
        }
        // What is sent at once after the step before has been sent by now, or is not awaited by anybody.
        if let Some(wrong) = self.unexpected() {
            return Ok(Some(wrong));
        }
        let key = self.key(injection);
        let flow = self.flow(key, injection);
        let frames = self.maker.make(injection, &flow);
        let frames = frames.map_err(|why| PlayError::Step { line: step.line, why: why.to_owned() })?;
        for frame in &frames {
            if self.live.is_full() {
                return Err(PlayError::TooMuch);
            }
            self.live.give(frame, at)?;
            self.came.push(Some(step.line));
            self.injected += 1;
            self.maker.last.clone_from(frame);
        }
        self.base = at.max(self.live.now() + Duration::from_nanos(1));
        if let Content::Tcp(segment) = &injection.content {
            self.sent_by_peer(key, flow, segment);
        }
        let says = step.deed.trim_start_matches("< ").to_owned();
        self.note(step, self.base, Some(Direction::Inbound), says);
        Ok(None)
    }

    /// The peer's end of the connection that an injected segment belongs to.
    fn key(&self, injection: &Injection) -> (IpAddr, u16) {
        let port = match &injection.content {
            Content::Tcp(Segment { from_port: Some(port), .. }) => *port,
            _ => self.current.map_or(self.maker.peer.port, |(_, port)| match self.maker.peer.port {
                NO_PORT => port,
                port => port,
            }),
        };
        (injection.from.unwrap_or(self.maker.peer.address), port)
    }

    fn flow(&self, key: (IpAddr, u16), injection: &Injection) -> Flow {
        let listens = self.script.steps.iter().find_map(|step| match &step.action {
            Action::Do(Deed::Listen(port)) => Some(*port),
            _ => None,
        });
        let served = self.script.host.serves.first().map(|(port, _)| *port);
        let port = listens.or(served).unwrap_or_default();
        let mut flow = self.flows.get(&key).copied().unwrap_or(Flow { host_port: port, ..Flow::default() });
        if let Content::Tcp(segment) = &injection.content {
            flow.host_port = segment.to_port.unwrap_or(flow.host_port);
            if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) && segment.sequence.is_none() {
                flow.peer_next = 0;
            }
        }
        flow
    }

    /// Keeps in mind up to where the peer has sent.
    fn sent_by_peer(&mut self, key: (IpAddr, u16), mut flow: Flow, segment: &Segment) {
        let begin = segment.sequence.unwrap_or(flow.peer_next);
        let end = begin.wrapping_add(length(segment.flags, segment.data.len()));
        let is_further = end.wrapping_sub(flow.peer_next) < 1 << 31;
        if is_further && !segment.flags.has(Flags::RST) {
            flow.peer_next = end;
        }
        self.flows.insert(key, flow);
        self.current = Some(key);
    }
}

/// How far a segment goes in its sender's stream: SYN and FIN count for one each.
pub(super) fn length(flags: Flags, data: usize) -> u32 {
    let one = |flag| u32::from(flags.has(flag));
    (data as u32).wrapping_add(one(Flags::SYN)).wrapping_add(one(Flags::FIN))
}
