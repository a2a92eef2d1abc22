//! A long file is read by a thread of its own, a few pieces ahead of where it is sent: the copy out of the system's memory is
//! made on another processor, and a slow disk holds up nobody else. Which bytes come in which order does not depend on it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use bytes::Bytes;
use framewise_http::Pieces;

use super::open_files::read_at;
use super::send::cut;

/// From so many bytes on it is worth a thread.
const WORTH_IT: u64 = 4 << 20;
/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// Pieces that are ready and not asked for.
const AHEAD: usize = 4;

/// Threads that read now, and how many may.
static READING: AtomicUsize = AtomicUsize::new(0);

/// Whether so much is worth a thread.
pub(super) fn is_worth_it(range: &Range<u64>) -> bool {
    range.end - range.start >= WORTH_IT
}

/// These bytes of a file, if a thread can be had that reads them ahead.
pub(super) fn pieces(file: &Arc<File>, range: &Range<u64>) -> Option<Pieces> {
    let place = Place::take()?;
    let (ready, pieces) = sync_channel(AHEAD);
    let (used, spare) = channel();
    let (file, range) = (file.clone(), range.clone());
    let reader = thread::Builder::new().name("read ahead".to_owned());
    // Without one, whoever sends reads.
    reader
        .spawn(move || {
            read(&file, range, &ready, &used, &spare);
            drop(place);
        })
        .ok()?;
    Some(Box::new(pieces.into_iter()))
}

/// Until all is read, an error is, or nobody wants more.
fn read(
    file: &File,
    range: Range<u64>,
    ready: &SyncSender<io::Result<Bytes>>,
    used: &Sender<Vec<u8>>,
    spare: &Receiver<Vec<u8>>,
) {
    let mut pieces = cut(range, PIECE, |offset, length| {
        let mut room = spare.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
        read_at(file, &mut room[..length], offset)?;
        Ok(Bytes::from_owner(Piece { room, length, used: used.clone() }))
    });
    while pieces.next().is_some_and(|piece| ready.send(piece).is_ok()) {}
}

/// A piece, whose memory is used again when it was sent.
struct Piece {
    room: Vec<u8>,
    length: usize,
    used: Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.room[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        // A reader that has read all needs none.
        let _ = self.used.send(std::mem::take(&mut self.room));
    }
}

/// A place among the threads that read: as many as there are processors beside the one that sends.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let most = thread::available_parallelism().map_or(1, usize::from) - 1;
        let taken = READING.fetch_add(1, Ordering::Relaxed);
        // Dropped where there is none.
        Some(Place).filter(|_| taken < most)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_nobody_listens_to_ends_and_beyond_so_many_there_is_none() -> io::Result<()> {
        let file = Arc::new(tempfile::tempfile()?);
        file.set_len(WORTH_IT * 2)?;
        assert!(!is_worth_it(&(1..WORTH_IT)) && is_worth_it(&(0..WORTH_IT)));
        let all: Vec<Pieces> = std::iter::from_fn(|| pieces(&file, &(0..WORTH_IT * 2))).take(1_000).collect();
        assert_eq!(all.len(), thread::available_parallelism()?.get() - 1);
        drop(all);
        while READING.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        Ok(())
    }
}
