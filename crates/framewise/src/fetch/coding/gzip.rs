//! `gzip`: one member or several, one behind the other (RFC 1952, section 2.2).

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// With what each member begins: who it is, and how it is packed (RFC 1952, section 2.3.1).
const BEGINNING: [u8; 3] = [0x1f, 0x8b, 8];

/// What was there before gzip.
pub(super) struct Gunzipped<R> {
    state: State<R>,
}

enum State<R> {
    Member(Box<GzDecoder<Begun<R>>>),
    /// Behind a member: another one, or the end.
    Between(R),
    /// It could not go on.
    Failed,
}

impl<R: BufRead> Gunzipped<R> {
    pub(super) fn new(coded: R) -> Self {
        Gunzipped { state: State::of("gzip begins with 1f 8b 08", coded) }
    }
}

impl<R: BufRead> State<R> {
    /// A member, and what is said if it is none.
    fn of(otherwise: &'static str, coded: R) -> Self {
        State::Member(Box::new(GzDecoder::new(Begun { coded, at: 0, otherwise })))
    }
}

impl<R: BufRead> Read for Gunzipped<R> {
    fn read(&mut self, page: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                State::Member(member) => match member.read(page)? {
                    0 => {}
                    count => return Ok(count),
                },
                State::Between(coded) => {
                    if coded.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                }
                State::Failed => return Err(io::ErrorKind::InvalidData.into()),
            }
            self.state = match std::mem::replace(&mut self.state, State::Failed) {
                State::Member(member) => State::Between(member.into_inner().coded),
                State::Between(coded) => State::of(super::AFTER_ITS_END, coded),
                State::Failed => State::Failed,
            };
        }
    }
}

/// The bytes of a member, of which the first are looked at as they come: too few for a header may be none of it all the same.
struct Begun<R> {
    coded: R,
    /// Bytes that were taken, as far as it matters.
    at: usize,
    otherwise: &'static str,
}

impl<R: BufRead> BufRead for Begun<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let coded = self.coded.fill_buf()?;
        let expected = BEGINNING.get(self.at..).unwrap_or_default();
        match coded.iter().zip(expected).all(|(came, expected)| came == expected) {
            true => Ok(coded),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, self.otherwise)),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount);
        self.coded.consume(amount);
    }
}

impl<R: BufRead> Read for Begun<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let pending = self.fill_buf()?;
        let count = pending.len().min(buffer.len());
        buffer[..count].copy_from_slice(&pending[..count]);
        self.consume(count);
        Ok(count)
    }
}
