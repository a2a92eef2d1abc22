//! The bytes of a file, read as they are sent.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use framewise_core::Buf;
use framewise_http::{Body, Pieces};

use super::open_files::read_at;
use super::{ahead, content_range};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// These bytes of a file.
pub(super) fn range(file: Arc<File>, range: Range<u64>) -> Body {
    Body::Stream { length: Some(range.end - range.start), pieces: pieces(file, range) }
}

/// Several parts of a file of this length and type (RFC 9110, section 14.6).
pub(super) fn ranges(
    file: &Arc<File>,
    parts: &[Range<u64>],
    length: u64,
    kind: &str,
    boundary: &str,
) -> Body {
    let mut sum = 0;
    let mut all: Pieces = Box::new(std::iter::empty());
    let mut add = |bytes: u64, more: Pieces| {
        sum += bytes;
        let before = std::mem::replace(&mut all, Box::new(std::iter::empty()));
        all = Box::new(before.chain(more));
    };
    let text = |text: String| (text.len() as u64, Box::new(std::iter::once(Ok(Bytes::from(text)))) as Pieces);
    for part in parts {
        let said = content_range(part, length);
        let (bytes, head) =
            text(format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {said}\r\n\r\n"));
        add(bytes, head);
        add(part.end - part.start, pieces(file.clone(), part.clone()));
    }
    let (bytes, end) = text(format!("\r\n--{boundary}--\r\n"));
    add(bytes, end);
    Body::Stream { length: Some(sum), pieces: all }
}

/// A range of a file. Nothing is read before the first piece is asked for: by HEAD, nobody does.
fn pieces(file: Arc<File>, range: Range<u64>) -> Pieces {
    if !ahead::is_worth_it(&range) {
        return pieces_here(file, range);
    }
    let begin = move || ahead::pieces(&file, &range).unwrap_or_else(|| pieces_here(file, range));
    Box::new(std::iter::once_with(begin).flatten())
}

/// Read by whoever asks for them.
fn pieces_here(file: Arc<File>, range: Range<u64>) -> Pieces {
    Box::new(cut(range, PIECE, move |offset, length| read(&file, offset, length)))
}

/// A range in pieces of so many bytes, each read by its offset and length. After an error there is no more.
pub(super) fn cut(
    mut left: Range<u64>,
    piece: usize,
    mut read: impl FnMut(u64, usize) -> io::Result<Bytes>,
) -> impl Iterator<Item = io::Result<Bytes>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(left.end - left.start).unwrap_or(piece).min(piece);
        if length == 0 {
            return None;
        }
        let read = read(left.start, length);
        left.start = if read.is_ok() { left.start + length as u64 } else { left.end };
        Some(read)
    })
}

/// One piece of a file, in a buffer of the pool: a fresh one would be zeroed before it is read into.
fn read(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = Buf::with_capacity(length);
    read_at(file, piece.append(length), offset)?;
    Ok(piece.into_bytes())
}
