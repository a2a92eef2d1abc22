//! A file on its way into a request's body, or into a part of a form.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use bytes::Bytes;
use framewise::http::Pieces;
use framewise::{Fetch, Part};

use crate::exit::{Failure, Kind};

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// An open file whose bytes are to be sent.
pub(crate) struct Upload {
    from: Box<dyn Read + Send>,
    /// The same, if it is a plain file: it has a length, and can be read again.
    file: Option<(File, u64)>,
}

impl Upload {
    /// Opens a file, or standard input by the name `-`; of a directory or a file that can't be read it says so.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Upload { from: Box::new(io::stdin()), file: None });
        }
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        let metadata = file.metadata().map_err(|error| cannot_read(path, &error))?;
        if metadata.is_dir() {
            return Err(cannot_read(path, &io::ErrorKind::IsADirectory.into()));
        }
        let again = file.try_clone().map_err(|error| cannot_read(path, &error))?;
        let plain = metadata.is_file().then_some((again, metadata.len()));
        Ok(Upload { from: Box::new(file), file: plain })
    }

    /// As the body of a request.
    pub(crate) fn into_body(self, fetch: Fetch) -> Fetch {
        match self.file {
            Some((file, length)) => {
                fetch.body_maker(Some(length), Box::new(move || from_the_beginning(&file, length)))
            }
            None => fetch.body_stream(None, Box::new(Reading::new(self.from, None))),
        }
    }

    /// As a field of a form.
    pub(crate) fn into_part(self, name: &str) -> Part {
        match self.file {
            Some((file, length)) => {
                Part::maker(name, Some(length), Box::new(move || from_the_beginning(&file, length)))
            }
            None => Part::stream(name, None, Box::new(Reading::new(self.from, None))),
        }
    }
}

/// All that is in a file, or in standard input by the name `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => io::stdin().read_to_end(&mut bytes),
        false => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map(|_| bytes).map_err(|error| cannot_read(path, &error))
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::File, format!("{} can't be read: {error}", path.display()))
        .next("the same with a file that can be, or with -T - and a program before it")
}

/// A file's pieces. It was opened once, while there were the rights to; whoever reads it again reads the same file.
fn from_the_beginning(file: &File, length: u64) -> io::Result<Pieces> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(Box::new(Reading::new(Box::new(file), Some(length))))
}

/// The pieces of what is read.
struct Reading {
    from: Box<dyn Read + Send>,
    /// Bytes still to be read of a file that has a length; a pipe has none.
    left: Option<u64>,
    has_ended: bool,
}

impl Reading {
    fn new(from: Box<dyn Read + Send>, left: Option<u64>) -> Self {
        Reading { from, left, has_ended: false }
    }

    /// The next piece; none at the end.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let most = self.left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
        if most == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; most];
        let count = self.from.read(&mut piece)?;
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

impl Iterator for Reading {
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
