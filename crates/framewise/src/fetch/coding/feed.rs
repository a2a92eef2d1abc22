//! The bytes of a coded page as they come, read by whoever decodes them: an end that is not there yet is `WouldBlock`.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use bytes::{Buf, Bytes};

/// Bytes that came and were not decoded yet: one piece, since it is decoded before the next comes.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pending: Bytes,
    came: u64,
    has_ended: bool,
}

impl Feed {
    /// The next piece.
    pub(super) fn push(&mut self, data: Bytes) {
        self.came += data.len() as u64;
        self.pending = data;
    }

    /// No more will come.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Bytes that came.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// Bytes that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.came - self.pending.len() as u64
    }
}

/// Reads a feed.
pub(super) struct Reader {
    feed: Rc<RefCell<Feed>>,
    /// The piece that is lent to whoever looks at it.
    lent: Bytes,
}

impl Reader {
    pub(super) fn new(feed: Rc<RefCell<Feed>>) -> Self {
        Reader { feed, lent: Bytes::new() }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let feed = self.feed.borrow();
        if feed.pending.is_empty() && !feed.has_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.lent = feed.pending.clone();
        Ok(&self.lent)
    }

    fn consume(&mut self, amount: usize) {
        let mut feed = self.feed.borrow_mut();
        let amount = amount.min(feed.pending.len());
        feed.pending.advance(amount);
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pending = self.fill_buf()?;
        let count = pending.len().min(buffer.len());
        buffer[..count].copy_from_slice(&pending[..count]);
        self.consume(count);
        Ok(count)
    }
}
