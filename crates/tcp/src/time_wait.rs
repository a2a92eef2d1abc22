//! TIME-WAIT: what is left of a finished connection, a few numbers that answer for it.
//!
//! Read RFC 9293 section 3.4.2 (why), section 3.10.7.4 (what still is answered), and RFC 1337 (why a RST is not heeded) before changing
//! this file.

use std::collections::VecDeque;
use std::time::Duration;

use framewise_core::Instant;

use crate::flows::{FlowKey, Flows, Place};
use crate::guard::Guard;
use crate::segment::{Flags, Header};

/// What is left of one connection.
#[derive(Debug)]
pub(crate) struct Remains {
    guard: Guard,
    expires: Instant,
}

/// What to do about a segment for a finished connection.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Its sender has not heard our last acknowledgment: send it again.
    Acknowledge(Header),
    /// A new connection between the same two ports: the old one is over if anybody listens (RFC 9293, section 3.6.1).
    Anew,
    /// None.
    Nothing,
}

impl Remains {
    pub(crate) fn new(guard: Guard) -> Self {
        Remains { guard, expires: Instant::FAR_FUTURE }
    }

    /// Judges a segment with `payload` bytes of payload.
    pub(crate) fn segment_arrives(
        &mut self,
        header: &Header,
        payload: usize,
        now: Instant,
        wait: Duration,
    ) -> Answer {
        let is_syn = header.has(Flags::SYN) && !header.has(Flags::ACK);
        if header.has(Flags::RST) {
            Answer::Nothing
        } else if is_syn && header.sequence.since(self.guard.next()) > 0 {
            Answer::Anew
        } else if header.sequence_len(payload) > 0 && self.guard.may_challenge(now) {
            self.expires = now + wait;
            Answer::Acknowledge(self.guard.bare(Flags::ACK))
        } else {
            Answer::Nothing
        }
    }
}

/// All that is left, in the order of its end. The wait is the same for all, so the order is that of coming.
#[derive(Debug)]
pub(crate) struct TimeWait {
    queue: VecDeque<(Instant, FlowKey)>,
    wait: Duration,
    limit: usize,
}

impl TimeWait {
    pub(crate) fn new(wait: Duration, limit: usize) -> Self {
        TimeWait { queue: VecDeque::new(), wait, limit }
    }

    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    /// Keeps what is left of `flow`. `true` if the oldest had to go for it.
    pub(crate) fn keep(
        &mut self,
        flow: FlowKey,
        mut remains: Box<Remains>,
        flows: &mut Flows,
        now: Instant,
    ) -> bool {
        if self.limit == 0 {
            flows.remove(&flow);
            return true;
        }
        let crowded = self.queue.len() >= self.limit;
        if crowded && let Some((_, oldest)) = self.queue.pop_front() {
            forget(&oldest, flows);
        }
        remains.expires = now + self.wait;
        self.queue.push_back((remains.expires, flow));
        flows.insert(flow, Place::TimeWait(remains));
        crowded
    }

    /// When the next one's time may be over.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    /// Forgets those whose time is over. One that had to answer meanwhile stays on.
    pub(crate) fn expire(&mut self, flows: &mut Flows, now: Instant) {
        while let Some((at, flow)) = self.queue.front().copied()
            && at <= now
        {
            self.queue.pop_front();
            match flows.get(&flow) {
                Some(Place::TimeWait(remains)) if remains.expires > now => {
                    self.queue.push_back((remains.expires, flow));
                }
                _ => forget(&flow, flows),
            }
        }
    }
}

fn forget(flow: &FlowKey, flows: &mut Flows) {
    if let Some(Place::TimeWait(_)) = flows.get(flow) {
        flows.remove(flow);
    }
}
