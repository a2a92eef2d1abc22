//! `deflate`: by its name in HTTP the zlib format (RFC 1950), by many servers bare deflate (RFC 1951). The first byte tells
//! which.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::expect_end;

/// What was there before deflate.
pub(super) struct Inflated<R> {
    coded: R,
    inflate: Option<Decompress>,
    /// Whether it may hold bytes of the page that there was no room for.
    holds: bool,
    has_ended: bool,
}

impl<R: BufRead> Inflated<R> {
    pub(super) fn new(coded: R) -> Self {
        Inflated { coded, inflate: None, holds: false, has_ended: false }
    }
}

/// Whether a stream that begins so has zlib's header: 8 is its method. Bare deflate would begin so only with a stored block
/// whose padding is not zero.
fn is_zlib(first: u8) -> bool {
    first & 0x0f == 8
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, page: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended {
            // What it still holds is asked for before more is: there may be no more.
            let coded = if self.holds { &[] } else { self.coded.fill_buf()? };
            if coded.is_empty() && !self.holds {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let is_zlib = coded.first().is_none_or(|&first| is_zlib(first));
            let inflate = self.inflate.get_or_insert_with(|| Decompress::new(is_zlib));
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(coded, page, FlushDecompress::None);
            let status = status.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let (taken, given) = (inflate.total_in() - before.0, inflate.total_out() - before.1);
            self.coded.consume(taken as usize);
            self.has_ended = status == Status::StreamEnd;
            if given > 0 {
                self.holds = given == page.len() as u64;
                return Ok(given as usize);
            }
            if taken == 0 && !self.has_ended && !self.holds {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it can't go on"));
            }
            self.holds = false;
        }
        expect_end(&mut self.coded)
    }
}
