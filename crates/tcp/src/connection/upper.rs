//! What a connection and the layer above say to each other, and the credit they keep.

use bytes::Bytes;
use framewise_core::Cx;
use framewise_core::seams::stream::{CloseReason, ConnInfo, StreamUp};

use super::{Connection, Life};
use crate::outputs::Outputs;
use crate::passive::State;
use crate::reset::bare_segment;
use crate::segment::Flags;

/// Credit is told in portions of at least this part of the send buffer, unless all is acknowledged.
const CREDIT_PORTION: usize = 8;

impl Connection {
    /// Takes bytes to send, which the credit bounds so that they fit.
    pub(crate) fn send(&mut self, data: Bytes, out: &mut Outputs, cx: &mut Cx) {
        if self.closing {
            return self.abort(CloseReason::Misuse("sent after Close"), out, cx);
        }
        if data.len() > self.credit {
            return self.abort(CloseReason::Misuse("sent more than the credit"), out, cx);
        }
        self.credit -= data.len();
        self.touch();
        let taken = self.engine.send(data.len());
        debug_assert_eq!(taken, data.len(), "the credit promised room");
        self.queue.push(data);
        self.note_progress(cx.now);
    }

    /// Lets `bytes` more come up.
    pub(crate) fn grant(&mut self, bytes: usize, out: &mut Outputs, cx: &mut Cx) {
        self.grant = self.grant.saturating_add(bytes);
        if self.engine.recv_queue() > 0 {
            self.owes_fin_since = cx.now;
        }
        self.deliver(out);
    }

    /// Sends no more: FIN after what is left.
    pub(crate) fn close(&mut self, out: &mut Outputs, cx: &mut Cx) {
        match self.life {
            Life::Opening => self.abort(CloseReason::Aborted, out, cx),
            Life::Open if !self.closing => {
                self.closing = true;
                self.engine.close();
                self.note_progress(cx.now);
            }
            _ => {}
        }
    }

    /// Ends it here and now, with RST where the peer believes in a connection.
    pub(crate) fn abort(&mut self, reason: CloseReason, out: &mut Outputs, cx: &mut Cx) {
        let state = self.engine.state();
        let peer_knows = !matches!(state, State::Closed | State::Listen | State::SynSent | State::TimeWait);
        if peer_knows && self.over().is_none() {
            let header = self.guard.bare(Flags::RST | Flags::ACK);
            out.reply(bare_segment(&self.flow, header), cx);
        }
        self.end(reason);
    }

    pub(super) fn open(&mut self, out: &mut Outputs, cx: &mut Cx) {
        self.life = Life::Open;
        self.opened = true;
        let (local, remote) = (self.flow.local(), self.flow.remote());
        cx.note("tcp", "connected", || match self.listener {
            None => format!("connected: my port {} to its port {}", local.port(), remote.port()),
            Some(_) => format!("connected: its port {} to my port {}", remote.port(), local.port()),
        });
        let info = ConnInfo { local, remote, tls: None };
        out.say(StreamUp::Opened { conn: self.name, info: Box::new(info) });
        self.offer(out);
    }

    /// Says `Data` from the ring as far as it is granted, and `PeerClosed` after the last of it.
    pub(super) fn deliver(&mut self, out: &mut Outputs) {
        if !self.is_opened() {
            return;
        }
        while self.grant > 0 && self.engine.recv_queue() > 0 {
            let data = self.engine.recv(self.grant);
            if data.is_empty() {
                break;
            }
            self.hand_up(data, out);
        }
        if self.guard.is_finished() && self.engine.recv_queue() == 0 && !self.peer_closed {
            self.peer_closed = true;
            out.say(StreamUp::PeerClosed { conn: self.name, clean: true });
        }
    }

    pub(super) fn hand_up(&mut self, data: Bytes, out: &mut Outputs) {
        self.grant -= data.len();
        out.say(StreamUp::Data { conn: self.name, data });
    }

    /// Says `Writable` for room in the send buffer that no credit was given for.
    pub(super) fn offer(&mut self, out: &mut Outputs) {
        if self.closing || !matches!(self.life, Life::Open) {
            return;
        }
        let capacity = self.engine.send_capacity().min(self.allowance.bytes());
        let queue = self.engine.send_queue();
        let bytes = capacity.saturating_sub(queue).saturating_sub(self.credit);
        if bytes > 0 && (queue == 0 || bytes >= capacity / CREDIT_PORTION) {
            self.credit += bytes;
            out.say(StreamUp::Writable { conn: self.name, bytes });
        }
    }
}
