//! The bytes of one connection: what came and was not read, what is to go and was not sent, and the credit both ways.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use framewise_core::Instant;
use framewise_core::id::ConnId;
use framewise_core::seams::stream::StreamDown;

/// Small pieces up to this size leave as one.
const GATHER_BYTES: usize = 16 * 1024;
/// Pieces below this size are joined while they wait, so that a trickle of them costs no more than their bytes.
const TINY: usize = 512;

/// Bytes of body that may wait here however little room there is below: else a peer with a small window would be
/// sent chunks of a few bytes, each in more framing than it holds.
pub(crate) const LITTLE: usize = 4 * 1024;

/// Pieces that came, in order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Inbox {
    pub(crate) fn push(&mut self, data: Bytes) {
        if data.is_empty() {
            return;
        }
        self.len = self.len.saturating_add(data.len());
        match self.pieces.back_mut() {
            Some(back) if back.len() < TINY && data.len() < TINY => {
                let mut joined = BytesMut::from(std::mem::take(back));
                joined.extend_from_slice(&data);
                *back = joined.freeze();
            }
            _ => self.pieces.push_back(data),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.len = self.len.saturating_sub(piece.len());
        Some(piece)
    }

    /// Puts back what is left of a piece that was popped.
    pub(crate) fn put_back(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len = self.len.saturating_add(piece.len());
            self.pieces.push_front(piece);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// How far a connection's own direction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    WhenSent,
    Said,
}

/// One connection's bytes and credit.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) conn: ConnId,
    pub(crate) inbox: Inbox,
    /// Whether the peer has sent all, and whether it said so itself.
    pub(crate) peer_closed: Option<bool>,
    /// Bytes sent so far.
    pub(crate) sent: u64,
    /// Bytes that came so far.
    pub(crate) came: u64,
    outbox: VecDeque<Bytes>,
    waiting: usize,
    room: usize,
    granted: usize,
    hold: Option<Instant>,
    closing: Closing,
    /// The layer below knows it no more: nothing is said about it.
    disconnected: bool,
}

impl Wire {
    pub(crate) fn new(conn: ConnId) -> Self {
        Wire {
            conn,
            inbox: Inbox::default(),
            peer_closed: None,
            sent: 0,
            came: 0,
            outbox: VecDeque::new(),
            waiting: 0,
            room: 0,
            granted: 0,
            hold: None,
            closing: Closing::Open,
            disconnected: false,
        }
    }

    /// The layer below has said its last word about this connection. What came stays to be read.
    pub(crate) fn disconnect(&mut self) {
        self.disconnected = true;
        self.outbox.clear();
        self.waiting = 0;
        self.hold = None;
    }

    /// Whether something waits for room below.
    pub(crate) fn is_sending(&self) -> bool {
        !self.disconnected && !self.outbox.is_empty()
    }

    pub(crate) fn received(&mut self, data: Bytes) {
        self.granted = self.granted.saturating_sub(data.len());
        self.came = self.came.saturating_add(data.len() as u64);
        self.inbox.push(data);
    }

    pub(crate) fn writable(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes);
    }

    /// Bytes that a body may still hand over: what fits below, or a little that waits here.
    pub(crate) fn body_room(&self, window: usize) -> usize {
        self.room.clamp(LITTLE, window.max(LITTLE)).saturating_sub(self.waiting)
    }

    /// Tops up what the peer may send, so that `wanted` bytes are on their way or here.
    pub(crate) fn grant(&mut self, wanted: usize, down: &mut VecDeque<StreamDown>) {
        let missing = wanted.saturating_sub(self.granted.saturating_add(self.inbox.len()));
        // Not for every few bytes, or the peer would send as few at a time (as RFC 9293, section 3.8.6.2.2 has it for
        // windows). Nothing stalls by it: when all is read, all of it is missing.
        if missing >= (wanted / 4).max(1) && !self.disconnected {
            self.granted = self.granted.saturating_add(missing);
            let conn = self.conn;
            down.push_back(StreamDown::Grant { conn, bytes: missing });
        }
    }

    pub(crate) fn send(&mut self, data: Bytes) {
        if !data.is_empty() && !self.disconnected {
            self.waiting = self.waiting.saturating_add(data.len());
            self.outbox.push_back(data);
        }
    }

    /// Lets what is to go wait until `then` for what belongs with it.
    pub(crate) fn hold_until(&mut self, then: Instant) {
        self.hold = Some(then);
    }

    /// Lets go what was held.
    pub(crate) fn release(&mut self) {
        self.hold = None;
    }

    pub(crate) fn held_until(&self) -> Option<Instant> {
        self.hold
    }

    /// Whether everything has left.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Closes our direction once everything has left.
    pub(crate) fn close(&mut self) {
        self.hold = None;
        if self.closing == Closing::Open {
            self.closing = Closing::WhenSent;
        }
    }

    /// Whether `Close` was said.
    pub(crate) fn is_closed(&self) -> bool {
        self.closing == Closing::Said
    }

    /// Forgets what waits, and ends the connection.
    pub(crate) fn abort(&mut self, down: &mut VecDeque<StreamDown>) {
        self.outbox.clear();
        self.waiting = 0;
        self.hold = None;
        self.closing = Closing::Said;
        self.inbox = Inbox::default();
        if !self.disconnected {
            down.push_back(StreamDown::Abort { conn: self.conn });
        }
    }

    /// Sends what may go now; whether anything went.
    pub(crate) fn flush(&mut self, now: Instant, down: &mut VecDeque<StreamDown>) -> bool {
        if self.disconnected || (self.hold.is_some_and(|then| now < then) && self.waiting < GATHER_BYTES) {
            return false;
        }
        self.hold = None;
        let mut moved = false;
        while let Some(data) = self.next_send() {
            self.room = self.room.saturating_sub(data.len());
            self.waiting = self.waiting.saturating_sub(data.len());
            self.sent = self.sent.saturating_add(data.len() as u64);
            let conn = self.conn;
            down.push_back(StreamDown::Send { conn, data });
            moved = true;
        }
        if self.closing == Closing::WhenSent && self.outbox.is_empty() {
            self.closing = Closing::Said;
            down.push_back(StreamDown::Close { conn: self.conn });
            moved = true;
        }
        moved
    }

    /// The next bytes within the room: small pieces joined, a large one as it is.
    fn next_send(&mut self) -> Option<Bytes> {
        let room = self.room;
        if room == 0 {
            return None;
        }
        let mut first = self.outbox.pop_front()?;
        if first.len() > room {
            let part = first.split_to(room);
            self.outbox.push_front(first);
            return Some(part);
        }
        let limit = room.min(GATHER_BYTES);
        let (mut length, mut joining) = (first.len(), 0);
        while let Some(next) = self.outbox.get(joining).filter(|next| length + next.len() <= limit) {
            length += next.len();
            joining += 1;
        }
        if joining == 0 {
            return Some(first);
        }
        let mut joined = BytesMut::with_capacity(length);
        joined.extend_from_slice(&first);
        self.outbox.drain(..joining).for_each(|next| joined.extend_from_slice(&next));
        Some(joined.freeze())
    }
}
