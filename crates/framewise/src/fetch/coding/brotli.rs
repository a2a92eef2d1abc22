//! `br`: Brotli (RFC 7932), without the large windows that are no part of it.

use std::io::{self, BufRead, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::expect_end;

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// What was there before Brotli.
pub(super) struct Unbrotlied<R> {
    coded: R,
    state: Box<State>,
    has_ended: bool,
}

impl<R: BufRead> Unbrotlied<R> {
    pub(super) fn new(coded: R) -> Self {
        let alloc = StandardAlloc::default;
        let state = Box::new(State::new_strict(alloc(), alloc(), alloc()));
        Unbrotlied { coded, state, has_ended: false }
    }
}

impl<R: BufRead> Read for Unbrotlied<R> {
    fn read(&mut self, page: &mut [u8]) -> io::Result<usize> {
        let (mut needs_more, mut total) = (false, 0);
        while !self.has_ended {
            // What it still holds is asked for before more is: there may be no more.
            let coded = if needs_more { self.coded.fill_buf()? } else { &[] };
            if needs_more && coded.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (mut to_take, mut taken) = (coded.len(), 0);
            let (mut room, mut given) = (page.len(), 0);
            let result = BrotliDecompressStream(
                &mut to_take,
                &mut taken,
                coded,
                &mut room,
                &mut given,
                page,
                &mut total,
                &mut self.state,
            );
            self.coded.consume(taken);
            match result {
                BrotliResult::ResultFailure => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "no such stream can be"));
                }
                BrotliResult::ResultSuccess => self.has_ended = true,
                BrotliResult::NeedsMoreInput => needs_more = true,
                BrotliResult::NeedsMoreOutput => {}
            }
            if given > 0 {
                return Ok(given);
            }
        }
        expect_end(&mut self.coded)
    }
}
