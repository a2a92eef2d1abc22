//! Plaintext going down: accepted under credit, sealed as ciphertext has room, sent under credit.
//!
//! ```text
//!   Send ─► pending ──seal──► sealed ──Send──► (below)
//!     ▲ promised                         ▲ room
//!   Writable                          Writable
//! ```
//!
//! A record costs up to [`OVERHEAD`] bytes more than it carries, so fewer bytes are promised upward than there is room
//! below. Plaintext waits unsealed, so that many small pieces become one record; sealed is only what there is
//! room for, or one small record where there is next to none, so that any credit moves something.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Bytes, BytesMut};

use crate::session::Session;

/// The longest plaintext of a record (RFC 8446, section 5.1).
const RECORD: usize = 1 << 14;
/// What a record adds at most: 5 bytes of header, 8 of nonce and 16 of tag with AES-GCM in TLS 1.2 (RFC 5288). In TLS
/// 1.3 it is 22: header, content type, tag.
const OVERHEAD: usize = 29;
/// With less room than this for ciphertext, one record of this size is sealed at a time and sent bit by bit.
const SMALL: usize = 1_024;
/// At most so much plaintext is sealed at once, in bytes and in pieces.
const BATCH: usize = 4 * RECORD;
const PIECES: usize = 16;

/// The sending half of a connection.
#[derive(Default)]
pub(crate) struct Outbound {
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    sealed: BytesMut,
    /// Credit from below that is not spent.
    room: usize,
    /// Credit given upward that was not used.
    promised: usize,
    window: usize,
    closing: bool,
    notified: bool,
}

impl Outbound {
    pub(crate) fn new(window: usize) -> Self {
        Outbound { window, ..Outbound::default() }
    }

    /// The layer below has room for so many bytes more.
    pub(crate) fn writable(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes);
    }

    /// Takes plaintext; `Err` says which rule it breaks.
    pub(crate) fn accept(&mut self, data: Bytes) -> Result<(), &'static str> {
        if self.closing {
            return Err("sent after Close");
        }
        let Some(left) = self.promised.checked_sub(data.len()) else {
            return Err("sent more than was writable");
        };
        self.promised = left;
        self.pending_bytes += data.len();
        if !data.is_empty() {
            self.pending.push_back(data);
        }
        Ok(())
    }

    /// Whether something is held here that was accepted.
    pub(crate) fn is_sending(&self) -> bool {
        !self.pending.is_empty() || !self.sealed.is_empty()
    }

    /// Nothing more will come from above.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// What is not sealed yet will not be.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
        self.pending_bytes = 0;
    }

    /// Seals what there is room for, and `close_notify` after the last of it.
    pub(crate) fn seal(&mut self, session: &mut Session) {
        session.flush(&mut self.sealed);
        if self.pending_bytes > 0 {
            // One allocation for all records of this turn.
            let bytes = self.pending_bytes.min(self.capacity());
            self.sealed.reserve(bytes + bytes.div_ceil(RECORD) * OVERHEAD);
        }
        while !session.is_handshaking() && self.pending_bytes > 0 && self.capacity() > 0 {
            self.seal_some(session);
            session.flush(&mut self.sealed);
        }
        if self.closing && !self.notified && self.pending.is_empty() && !session.is_handshaking() {
            self.notified = true;
            session.close_notify();
            session.flush(&mut self.sealed);
        }
    }

    fn seal_some(&mut self, session: &mut Session) {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let (mut left, mut used) = (self.capacity().min(BATCH), 0);
        for (slice, piece) in slices.iter_mut().zip(&self.pending) {
            let taken = piece.len().min(left);
            if taken == 0 {
                break;
            }
            *slice = IoSlice::new(piece.get(..taken).unwrap_or_default());
            (left, used) = (left - taken, used + 1);
        }
        let sealed = session.seal(slices.get(..used).unwrap_or_default());
        // Without a limit of its own the session takes all that it is given.
        self.drop_pending(sealed.unwrap_or(0));
    }

    fn drop_pending(&mut self, mut bytes: usize) {
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
        while let Some(piece) = self.pending.front_mut() {
            if piece.len() > bytes {
                drop(piece.split_to(bytes));
                return;
            }
            bytes -= piece.len();
            self.pending.pop_front();
        }
    }

    /// The next bytes for the layer below.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let ready = self.sealed.len().min(self.room);
        if ready == 0 {
            return None;
        }
        self.room -= ready;
        Some(self.sealed.split_to(ready).freeze())
    }

    /// Credit to give upward now: what fits below, no more than the window, and not in driblets.
    pub(crate) fn promise(&mut self) -> Option<usize> {
        if self.closing {
            return None;
        }
        let standing = self.promised + self.pending_bytes;
        let more = self.capacity().min(self.window).saturating_sub(standing);
        if more == 0 || (standing > 0 && more < SMALL) {
            return None;
        }
        self.promised += more;
        Some(more)
    }

    /// Whether all that was sealed has been handed down.
    pub(crate) fn is_flushed(&self) -> bool {
        self.sealed.is_empty()
    }

    /// Whether the last word was sealed and handed down.
    pub(crate) fn is_finished(&self) -> bool {
        self.notified && self.is_flushed()
    }

    /// How much plaintext may be sealed now.
    fn capacity(&self) -> usize {
        let free = self.room.saturating_sub(self.sealed.len());
        if free >= SMALL {
            let (records, rest) = (free / (RECORD + OVERHEAD), free % (RECORD + OVERHEAD));
            records * RECORD + rest.saturating_sub(OVERHEAD)
        } else if self.room > 0 && self.sealed.is_empty() {
            SMALL - OVERHEAD
        } else {
            0
        }
    }
}
