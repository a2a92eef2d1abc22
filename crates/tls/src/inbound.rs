//! Ciphertext coming up: granted so that a record can always be completed, opened, given up only as granted.
//!
//! ```text
//!   (above)  ◄── plaintext ◄──opened── ciphertext ◄── Data
//!   Grant ─► wanted                       granted ─► Grant
//! ```
//!
//! Opening runs ahead of the grants from above by about one record: what follows a record may be the peer's
//! `close_notify`, a session ticket, or an alert, and these must not wait for a reader.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::session::Session;

/// The longest record on the wire, header included (RFC 5246, section 6.2.3); of TLS 1.3 it is shorter.
pub(crate) const LONGEST_RECORD: usize = 5 + (1 << 14) + 2_048;
/// While so much plaintext waits, no more is opened.
const AHEAD: usize = 1 << 14;

/// The receiving half of a connection.
#[derive(Default)]
pub(crate) struct Inbound {
    ciphertext: VecDeque<Bytes>,
    ciphertext_bytes: usize,
    /// Credit given downward that was not used.
    granted: usize,
    window: usize,
    plaintext: BytesMut,
    /// Credit from above that is not spent.
    wanted: usize,
    /// The layer below brings nothing more.
    ended: bool,
}

impl Inbound {
    pub(crate) fn new(window: usize) -> Self {
        Inbound { window: window.max(LONGEST_RECORD), ..Inbound::default() }
    }

    /// So many bytes more are wanted above.
    pub(crate) fn want(&mut self, bytes: usize) {
        self.wanted = self.wanted.saturating_add(bytes);
    }

    /// Takes ciphertext; `Err` where it was not granted.
    pub(crate) fn accept(&mut self, data: Bytes) -> Result<(), &'static str> {
        let Some(left) = self.granted.checked_sub(data.len()) else {
            return Err("the layer below brought more than was granted");
        };
        self.granted = left;
        self.ciphertext_bytes += data.len();
        if !data.is_empty() {
            self.ciphertext.push_back(data);
        }
        Ok(())
    }

    /// The layer below brings nothing more.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Opens ciphertext until enough plaintext waits; says whether it took any.
    pub(crate) fn open(&mut self, session: &mut Session) -> Result<bool, rustls::Error> {
        let before = self.ciphertext_bytes;
        while self.plaintext.len() < AHEAD
            && let Some(front) = self.ciphertext.front_mut()
        {
            let length = front.len();
            let result = session.read(front);
            self.ciphertext_bytes -= length - front.len();
            if front.is_empty() {
                self.ciphertext.pop_front();
            }
            session.take_plaintext(&mut self.plaintext);
            result?;
        }
        Ok(self.ciphertext_bytes < before)
    }

    /// The next plaintext for the layer above, within its grant.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let ready = self.plaintext.len().min(self.wanted);
        if ready == 0 {
            return None;
        }
        self.wanted -= ready;
        Some(self.plaintext.split_to(ready).freeze())
    }

    /// Credit to give downward now; a quarter of the window at a time.
    pub(crate) fn grant(&mut self) -> Option<usize> {
        let more = self.window.saturating_sub(self.ciphertext_bytes + self.granted);
        if self.ended || more < self.window / 4 {
            return None;
        }
        self.granted += more;
        Some(more)
    }

    /// Forgets the ciphertext that waits: it will not be opened.
    pub(crate) fn forget_ciphertext(&mut self) {
        self.ciphertext.clear();
        self.ciphertext_bytes = 0;
    }

    /// Forgets all that waits: nobody is to hear of it.
    pub(crate) fn forget(&mut self) {
        self.forget_ciphertext();
        self.plaintext.clear();
    }

    /// Whether nothing waits to be opened or given up.
    pub(crate) fn is_empty(&self) -> bool {
        self.plaintext.is_empty() && self.ciphertext.is_empty()
    }

    /// Whether nothing waits to be given up.
    pub(crate) fn is_delivered(&self) -> bool {
        self.plaintext.is_empty()
    }

    /// Whether the layer below has ended and everything of it was given up.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.is_empty()
    }
}
