//! The body of a request on its way down, within the credit.

use std::io;

use bytes::Bytes;
use framewise_core::seams::exchange::BodyLength;
use framewise_http::{Body, Pieces};

/// What of a request's body is still to be sent.
pub(crate) struct Upload {
    length: BodyLength,
    /// All of it, where it is in memory: every address that is tried gets it from its beginning.
    whole: Bytes,
    /// Else what makes it; touched only once a connection is there, for it can't begin again.
    pieces: Option<Pieces>,
    /// Bytes that they still have to make, where that was said.
    left: Option<u64>,
    is_connected: bool,
    unsent: Bytes,
    credit: usize,
    has_ended: bool,
}

/// What goes down next.
pub(crate) enum Next {
    /// Some of the body.
    Piece(Bytes),
    /// That it is complete.
    End,
}

impl Upload {
    pub(crate) fn new(body: Body) -> Self {
        let length = body.length();
        let (whole, pieces, left) = match body {
            Body::Empty => (Bytes::new(), None, None),
            Body::Bytes(bytes) => (bytes, None, None),
            Body::Stream { length, pieces } => (Bytes::new(), Some(pieces), length),
        };
        let unsent = whole.clone();
        Upload { length, whole, pieces, left, is_connected: false, unsent, credit: 0, has_ended: false }
    }

    /// How long the body is.
    pub(crate) fn length(&self) -> BodyLength {
        self.length
    }

    /// Another exchange shall carry it.
    pub(crate) fn begin(&mut self) {
        self.unsent = self.whole.clone();
        self.credit = 0;
        self.has_ended = false;
    }

    /// The connection is there, and no other address will be tried.
    pub(crate) fn connected(&mut self) {
        self.is_connected = true;
    }

    /// There is room for so many bytes more.
    pub(crate) fn writable(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes);
    }

    /// What can be sent now; an error where the body can't be made.
    pub(crate) fn next(&mut self) -> Option<io::Result<Next>> {
        loop {
            if !self.unsent.is_empty() {
                let size = self.unsent.len().min(self.credit);
                self.credit -= size;
                return (size > 0).then(|| Ok(Next::Piece(self.unsent.split_to(size))));
            }
            let Some(pieces) = &mut self.pieces else { break };
            if !self.is_connected {
                return None;
            }
            // Without credit, too: after the last byte there may never be any, and the end is still to be said.
            match pieces.next() {
                Some(Ok(data)) if self.left.is_some_and(|left| left < data.len() as u64) => {
                    return Some(Err(io::Error::other("it is longer than was said")));
                }
                Some(Ok(data)) => {
                    self.left = self.left.map(|left| left - data.len() as u64);
                    self.unsent = data;
                }
                Some(Err(error)) => return Some(Err(error)),
                None if self.left.is_some_and(|left| left > 0) => {
                    return Some(Err(io::Error::other("it is shorter than was said")));
                }
                None => self.pieces = None,
            }
        }
        let ends = !self.has_ended;
        self.has_ended = true;
        ends.then_some(Ok(Next::End))
    }
}
