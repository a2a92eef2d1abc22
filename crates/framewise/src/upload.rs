//! The body of a request on its way down, within the credit.

use std::io;

use bytes::Bytes;
use framewise_core::seams::exchange::BodyLength;
use framewise_http::Pieces;

use crate::fetch::source::Source;

/// What of a request's body is still to be sent.
pub(crate) struct Upload {
    source: Source,
    /// What makes it, once it was begun.
    pieces: Option<Pieces>,
    /// Bytes that they still have to make, where that was said.
    left: Option<u64>,
    /// A source that is no memory is touched only once a connection is there: it may not begin again.
    is_connected: bool,
    is_open: bool,
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
    pub(crate) fn new(source: Source) -> Self {
        Upload {
            source,
            pieces: None,
            left: None,
            is_connected: false,
            is_open: false,
            unsent: Bytes::new(),
            credit: 0,
            has_ended: false,
        }
    }

    /// How long the body is.
    pub(crate) fn length(&self) -> BodyLength {
        self.source.length()
    }

    /// Whether another exchange could carry all of it.
    pub(crate) fn can_begin(&self) -> bool {
        self.source.is_whole()
    }

    /// Another exchange shall carry it, from its beginning.
    pub(crate) fn begin(&mut self) {
        let source = std::mem::replace(&mut self.source, Source::Empty);
        *self = Upload::new(source);
        if let Source::Bytes(whole) = &self.source {
            self.unsent = whole.clone();
        }
    }

    /// No further exchange shall carry it.
    pub(crate) fn forget(&mut self) {
        *self = Upload::new(Source::Empty);
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
            let is_made = matches!(self.source, Source::Once { .. } | Source::Each { .. });
            if is_made && !self.is_open {
                if !self.is_connected {
                    return None;
                }
                if let Err(error) = self.open() {
                    return Some(Err(error));
                }
            }
            // Without credit, too: after the last byte there may never be any, and the end is still to be said.
            match self.pieces.as_mut().and_then(Iterator::next) {
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
                None => break,
            }
        }
        self.pieces = None;
        let ends = !self.has_ended;
        self.has_ended = true;
        ends.then_some(Ok(Next::End))
    }

    fn open(&mut self) -> io::Result<()> {
        self.is_open = true;
        self.pieces = self.source.open()?;
        self.left = self.source.known_length();
        Ok(())
    }
}
