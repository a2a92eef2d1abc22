//! One question on its way: from which port, under which number, to which server, and until when.
//!
//! Read first: RFC 5452 sections 4 and 9 (what a forger must guess, and what a reply must match).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::seams::datagram::{Datagram, DatagramDown};
use framewise_core::seams::resolve::ResolveError;

use crate::cache::Key;
use crate::message::Message;
use crate::record::{INTERNET, Question as Asked};

/// The port of every name server (RFC 1035 section 4.2.1).
pub const PORT: u16 = 53;
/// How often another port is tried where one is taken.
const MAX_REBINDS: u32 = 8;

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its port is to be bound.
    Bind,
    /// It is to be sent.
    Send,
    /// It is waiting for a reply.
    Wait,
}

/// A question on its way. The port it is asked from is its key in the resolver's table.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) key: Key,
    pub(crate) stage: Stage,
    pub(crate) deadline: Instant,
    /// Its place among all that were asked: the first is sent first.
    pub(crate) order: u64,
    id: u16,
    /// Which server, and in which round.
    turn: usize,
    round: usize,
    /// What each server said that won't answer; such a server is not asked again.
    refusals: Vec<Option<String>>,
    /// Why a server could not be reached of late; it may be reached the next time.
    pub(crate) last_error: Option<String>,
    asked: u32,
    rebinds: u32,
}

impl Question {
    /// A question to the first server.
    pub(crate) fn new(key: Key, id: u16, servers: usize, deadline: Instant) -> Self {
        Question {
            key,
            stage: Stage::Bind,
            deadline,
            order: 0,
            id,
            turn: 0,
            round: 0,
            refusals: vec![None; servers],
            last_error: None,
            asked: 0,
            rebinds: 0,
        }
    }

    pub(crate) fn server(&self, servers: &[IpAddr]) -> Option<IpAddr> {
        servers.get(self.turn).copied()
    }

    /// What is to be said downward next.
    pub(crate) fn next(&mut self, port: u16, servers: &[IpAddr]) -> Option<DatagramDown> {
        match self.stage {
            Stage::Bind => {
                self.stage = Stage::Send;
                Some(DatagramDown::Bind { port })
            }
            Stage::Send => {
                self.stage = Stage::Wait;
                self.asked = self.asked.saturating_add(1);
                Some(DatagramDown::Send(Datagram {
                    port,
                    local: None,
                    remote: SocketAddr::new(self.server(servers)?, PORT),
                    data: Bytes::from(self.message().emit().ok()?),
                }))
            }
            Stage::Wait => None,
        }
    }

    fn message(&self) -> Message {
        let asked = Asked { name: self.key.name.clone(), kind: self.key.family.kind(), class: INTERNET };
        Message::query(self.id, asked)
    }

    /// Why a message from the right server is not the reply to this, if it is not.
    pub(crate) fn mismatch(&self, message: &Message) -> Option<&'static str> {
        let ours = self.message();
        if !message.response || message.opcode != ours.opcode {
            Some("not a reply")
        } else if message.id != ours.id {
            Some("reply with another id")
        } else if message.questions != ours.questions {
            Some("reply to another question")
        } else {
            None
        }
    }

    /// Moves on to the next server that has not refused, under a new number; `false` if all turns are over.
    pub(crate) fn next_turn(&mut self, id: u16, timeouts: &[Duration], now: Instant) -> bool {
        loop {
            self.turn += 1;
            if self.turn >= self.refusals.len() {
                self.turn = 0;
                self.round += 1;
            }
            let Some(&timeout) = timeouts.get(self.round) else {
                return false;
            };
            if self.refusals.get(self.turn).is_some_and(Option::is_none) {
                self.id = id;
                self.stage = Stage::Bind;
                self.deadline = now + timeout;
                return true;
            }
        }
    }

    /// The server whose turn it is won't answer.
    pub(crate) fn refused(&mut self, why: String) {
        if let Some(refusal) = self.refusals.get_mut(self.turn) {
            *refusal = Some(why);
        }
    }

    /// The port was taken: the same again from another one; `false` if that was tried often enough.
    pub(crate) fn rebind(&mut self, id: u16) -> bool {
        self.rebinds += 1;
        self.id = id;
        self.stage = Stage::Bind;
        self.rebinds <= MAX_REBINDS
    }

    /// Why there is no answer, after all turns: what the last of the servers said if each has refused, or why none
    /// could be reached.
    pub(crate) fn failure(&self, name: &str, servers: &[IpAddr]) -> ResolveError {
        let name = name.to_owned();
        let refusals: Option<Vec<&String>> = self.refusals.iter().map(Option::as_ref).collect();
        let last = refusals.and_then(|all| all.last().copied().cloned()).or_else(|| self.last_error.clone());
        match (last, servers.last()) {
            (Some(code), Some(&server)) => ResolveError::Refused { name, server, code },
            _ => ResolveError::TimedOut { name, asked: self.asked },
        }
    }
}
