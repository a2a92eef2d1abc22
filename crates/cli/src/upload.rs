//! A file on its way into a request's body.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use crate::exit::{Failure, Kind};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// A file's bytes, read as they are sent.
pub(crate) struct Upload {
    file: File,
    /// Bytes still to be read of a file that has a length; a pipe has none.
    left: Option<u64>,
    has_ended: bool,
}

impl Upload {
    /// Opens a file; of a directory or a file that can't be read it says so.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| {
            Failure::new(Kind::File, format!("{} can't be read: {error}", path.display()))
                .next("the same with a file that can be, or with -T /dev/stdin and a program before it")
        };
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(cannot(io::ErrorKind::IsADirectory.into()));
        }
        let left = metadata.is_file().then_some(metadata.len());
        Ok(Upload { file, left, has_ended: false })
    }

    /// How long the body will be, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.left
    }

    /// The next piece; none at the end.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let most = self.left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
        if most == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; most];
        let count = self.file.read(&mut piece)?;
        piece.truncate(count);
        match &mut self.left {
            Some(_) if count == 0 => Err(io::Error::other("it has become shorter meanwhile")),
            None if count == 0 => Ok(None),
            left => {
                *left = left.map(|left| left - count as u64);
                Ok(Some(piece.into()))
            }
        }
    }
}

impl Iterator for Upload {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let read = self.read().transpose();
        // After an error there is no more.
        self.has_ended = !matches!(read, Some(Ok(_)));
        read
    }
}
