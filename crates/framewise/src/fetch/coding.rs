//! Content codings: the page that was made shorter for the way, made long again piece by piece.
//!
//! Read RFC 9110 sections 8.4 and 12.5.3, RFC 1950 to 1952 and RFC 7932 first. `flate2` and `brotli-decompressor` decode;
//! here is how much may come of how little, and that nothing is missing or left over.

mod brotli;
mod deflate;
mod feed;
mod gzip;

use std::io::{self, BufRead, BufReader, Read};
use std::{cell::RefCell, rc::Rc};

use bytes::{Bytes, BytesMut};
use framewise_core::seams::exchange::Headers;
use thiserror::Error;

use self::feed::Feed;

/// The codings that are undone, as a request says it.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";

/// Codings one upon the other that are undone.
const MOST: usize = 4;

/// Bytes that are decoded at a time.
const PIECE: usize = 16 * 1024;

/// Bytes of a page from which on it matters how little they were made of.
const SHORT: u64 = 1 << 20;

/// How much a decoded page may come to. Few bytes can stand for many: a page of a kilobyte for one of gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoding {
    /// Bytes of the page, decoded.
    pub max_bytes: u64,
    /// Bytes of the page for each byte that came; the first MiB is not counted.
    pub max_ratio: u64,
}

impl Default for Decoding {
    /// 1 GiB, and 250 for one.
    fn default() -> Self {
        Decoding { max_bytes: 1 << 30, max_ratio: 250 }
    }
}

/// Why a coded page can't be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodingError {
    /// A coding that is not known here.
    #[error("the page is coded as {coding:?}, which is not known here: {ACCEPTED} are (RFC 9110 §8.4)")]
    Unknown {
        /// What `Content-Encoding` says.
        coding: String,
    },
    /// It was coded and coded again.
    #[error("the page was coded {count} times over; {MOST} times are taken")]
    TooMany {
        /// How often.
        count: usize,
    },
    /// The bytes are not what the coding says.
    #[error("the page is damaged: its {coding} breaks {} ({problem})", place(*offset))]
    Corrupt {
        /// The codings, as the field has them.
        coding: String,
        /// Bytes of the coded page that had been taken.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// The coded page ends before its end.
    #[error("the page is cut short: its {coding} goes on after the {received} bytes that came")]
    Truncated {
        /// The codings, as the field has them.
        coding: String,
        /// Bytes of the coded page.
        received: u64,
    },
    /// It is longer than may be.
    #[error("decoded, the page is longer than {limit} bytes, the limit set for it")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// It is out of all proportion.
    #[error(
        "{received} bytes of {coding} have become more than {decoded} bytes of page: more than {limit} for one, the limit set for it"
    )]
    OutOfProportion {
        /// The codings, as the field has them.
        coding: String,
        /// Bytes of the coded page that had been taken.
        received: u64,
        /// Bytes of the page that they had become.
        decoded: u64,
        /// How many for one there may be.
        limit: u64,
    },
}

/// Decodes a page piece by piece.
pub(crate) struct Decoder {
    coding: String,
    feed: Rc<RefCell<Feed>>,
    reader: Box<dyn Read>,
    limits: Decoding,
    decoded: u64,
}

impl Decoder {
    /// A decoder for what a response's fields say; `None` if its body is the page as it is.
    pub(crate) fn of(headers: &Headers, limits: Decoding) -> Result<Option<Self>, CodingError> {
        let fields = headers.all("content-encoding").map(String::from_utf8_lossy);
        let coding = fields.collect::<Vec<_>>().join(", ");
        let listed = coding.split(',').map(|name| name.trim().to_ascii_lowercase());
        let codings: Vec<_> = listed.filter(|name| !name.is_empty() && name != "identity").collect();
        if codings.len() > MOST {
            return Err(CodingError::TooMany { count: codings.len() });
        }
        if codings.is_empty() {
            return Ok(None);
        }
        let feed = Rc::new(RefCell::new(Feed::default()));
        let mut reader: Box<dyn BufRead> = Box::new(feed::Reader::new(feed.clone()));
        // The last one that was applied is undone first.
        for name in codings.iter().rev() {
            let decoded = undo(name, reader)?;
            reader = Box::new(BufReader::with_capacity(PIECE, decoded));
        }
        Ok(Some(Decoder { coding, feed, reader, limits, decoded: 0 }))
    }

    /// Bytes of the page so far.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// The next bytes of the coded page came: gives to `out` what they stand for.
    pub(crate) fn take<E: From<CodingError>>(
        &mut self,
        data: Bytes,
        out: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        self.feed.borrow_mut().push(data);
        self.drain(out)
    }

    /// That was all of it. A page of no bytes at all needs no coding.
    pub(crate) fn end<E: From<CodingError>>(
        &mut self,
        out: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        self.feed.borrow_mut().end();
        if self.feed.borrow().came() == 0 { Ok(()) } else { self.drain(out) }
    }

    fn drain<E: From<CodingError>>(&mut self, mut out: impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        loop {
            let mut piece = BytesMut::zeroed(PIECE);
            match self.reader.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.count(count)?;
                    piece.truncate(count);
                    out(piece.freeze())?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(self.failed(&error).into()),
            }
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), CodingError> {
        self.decoded = self.decoded.saturating_add(bytes as u64);
        let received = self.feed.borrow().taken();
        let limit = self.limits.max_bytes;
        if self.decoded > limit {
            return Err(CodingError::TooLong { limit });
        }
        let limit = self.limits.max_ratio;
        let (coding, decoded) = (self.coding.clone(), self.decoded);
        match decoded > SHORT && decoded > received.saturating_mul(limit) {
            true => Err(CodingError::OutOfProportion { coding, received, decoded, limit }),
            false => Ok(()),
        }
    }

    fn failed(&self, error: &io::Error) -> CodingError {
        let feed = self.feed.borrow();
        let coding = self.coding.clone();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => CodingError::Truncated { coding, received: feed.came() },
            _ => CodingError::Corrupt { coding, offset: feed.taken(), problem: error.to_string() },
        }
    }
}

/// A reader of what `coded` was before the coding of this name.
fn undo(name: &str, coded: Box<dyn BufRead>) -> Result<Box<dyn Read>, CodingError> {
    match name {
        // RFC 9110, section 8.4.1.3: x-gzip is the same.
        "gzip" | "x-gzip" => Ok(Box::new(gzip::Gunzipped::new(coded))),
        "deflate" => Ok(Box::new(deflate::Inflated::new(coded))),
        "br" => Ok(Box::new(brotli::Unbrotlied::new(coded))),
        _ => Err(CodingError::Unknown { coding: name.to_owned() }),
    }
}

/// Where a coding breaks, of which so many bytes were taken.
fn place(offset: u64) -> String {
    match offset {
        0 => "where it begins".to_owned(),
        offset => format!("within the first {offset} bytes"),
    }
}

/// What is wrong where a coding goes on.
const AFTER_ITS_END: &str = "there are bytes after its end";

/// After the end of a coding nothing comes: `Ok(0)`, once that is certain.
fn expect_end(coded: &mut impl BufRead) -> io::Result<usize> {
    match coded.fill_buf()? {
        [] => Ok(0),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, AFTER_ITS_END)),
    }
}

#[cfg(test)]
mod tests;
