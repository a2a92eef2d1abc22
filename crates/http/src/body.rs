//! Bodies: where one ends, by its length, by chunks, or by the end of the connection.
//!
//! ```text
//!   Content-Length: 5          hello
//!   Transfer-Encoding: chunked 5 CR LF hello CR LF 0 CR LF CR LF
//!   neither, in a response     hello, then the server closes
//! ```
//!
//! Read RFC 9112 sections 6.3, 7.1 and 8 first. Decoder and encoder are fed pieces of any size and give the same
//! result however the bytes are cut. Data is passed on as it came, never copied.

use bytes::Bytes;

use crate::config::Limits;
use crate::head::scan::{Part, Scanner, is_control};
use crate::rule::{Refusal, Rule};

/// What says where a body ends (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With the chunk of size 0.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// Leading zeros that a chunk's size may have; `1*HEXDIG` may begin with any number of them (RFC 9112, section 7.1).
const LEADING_ZEROS: usize = 256;
/// Leading zeros of all chunks of a body together, as with extensions.
const ALL_LEADING_ZEROS: usize = 16 * 1024;
/// Bytes of extension that a chunk may have; they mean nothing to us.
const EXTENSION_BYTES: usize = 256;
/// Bytes of extension that all chunks of a body may have: else a body of one byte in each chunk would be mostly that.
const ALL_EXTENSION_BYTES: usize = 16 * 1024;

/// Finds the data in the bytes of a body.
///
/// ```
/// use bytes::Bytes;
/// use framewise_http::body::{Decoded, Decoder, Framing};
///
/// let mut input = Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\nNEXT");
/// let mut decoder = Decoder::new(Framing::Chunked, u64::MAX, Default::default());
/// assert_eq!(decoder.decode(&mut input, 100), Ok(Decoded::Data(Bytes::from_static(b"hello"))));
/// assert_eq!(decoder.decode(&mut input, 100), Ok(Decoded::Complete));
/// assert_eq!(&input[..], b"NEXT");
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    state: State,
    limits: Limits,
    longest: u64,
    expected: Option<u64>,
    received: u64,
    /// The size of the chunk that is being read.
    chunk: u64,
    /// Leading zeros so far, and bytes of extension.
    zeros: usize,
    extension: usize,
    offset: usize,
}

#[derive(Debug, Clone)]
enum State {
    Length(u64),
    UntilClose,
    Size {
        digits: usize,
    },
    /// White space before an extension, of which that is a part (RFC 9112, section 7.1.1).
    BeforeExtension {
        bytes: usize,
    },
    Extension {
        bytes: usize,
        quote: Quote,
    },
    SizeEnd,
    Data(u64),
    DataReturn,
    DataEnd,
    Trailers(Box<Scanner>),
    Complete,
}

/// Where in a chunk extension a byte stands (RFC 9110, section 5.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Outside,
    Inside,
    /// After a backslash: the next byte means itself.
    Escaped,
}

/// What [`Decoder::decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Data, never empty.
    Data(Bytes),
    /// The body is complete.
    Complete,
    /// Nothing until more bytes come, or more may be taken.
    More,
}

const CHUNK_BEGINS: State = State::Size { digits: 0 };

impl Decoder {
    /// Decodes a body of at most `longest` bytes of data.
    pub fn new(framing: Framing, longest: u64, limits: Limits) -> Self {
        let (state, expected) = match framing {
            Framing::Length(0) => (State::Complete, Some(0)),
            Framing::Length(length) => (State::Length(length), Some(length)),
            Framing::Chunked => (CHUNK_BEGINS, None),
            Framing::UntilClose => (State::UntilClose, None),
        };
        Decoder { state, limits, longest, expected, received: 0, chunk: 0, zeros: 0, extension: 0, offset: 0 }
    }

    /// The same for a body behind a head of so many bytes: what is refused is told by its place in the message.
    pub fn behind(self, head: usize) -> Self {
        Decoder { offset: head, ..self }
    }

    /// Whether the body is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Whether only the end of the connection ends this body.
    pub fn is_until_close(&self) -> bool {
        matches!(self.state, State::UntilClose)
    }

    /// Bytes of data so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of data that the message announced, if it did.
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Takes bytes from the front of `input` up to the next piece of data, of at most `credit` bytes.
    pub fn decode(&mut self, input: &mut Bytes, credit: usize) -> Result<Decoded, Refusal> {
        loop {
            match self.state {
                State::Complete => return Ok(Decoded::Complete),
                State::Length(_) | State::UntilClose | State::Data(_) => return self.data(input, credit),
                State::Trailers(ref mut scanner) => {
                    let scanned = scanner.scan(input).map_err(|refusal| refusal.behind(self.offset))?;
                    let Some(end) = scanned else {
                        input.clear();
                        return Ok(Decoded::More);
                    };
                    let _ = input.split_to(end);
                    self.state = State::Complete;
                }
                _ => {
                    let Some(&byte) = input.first() else {
                        return Ok(Decoded::More);
                    };
                    self.line_byte(byte).map_err(|rule| Refusal::new(rule, self.offset))?;
                    let _ = input.split_to(1);
                    self.offset = self.offset.saturating_add(1);
                }
            }
        }
    }

    fn data(&mut self, input: &mut Bytes, credit: usize) -> Result<Decoded, Refusal> {
        let allowed = self.longest.saturating_sub(self.received);
        let left = match self.state {
            State::Length(left) | State::Data(left) => left,
            _ => u64::MAX,
        };
        let most = usize::try_from(left.min(allowed)).unwrap_or(usize::MAX);
        let take = most.min(credit).min(input.len());
        if take == 0 {
            let too_long = allowed == 0 && credit > 0 && !input.is_empty();
            let refusal = || Refusal::new(Rule::BodyTooLong, self.offset.saturating_add(1));
            return if too_long { Err(refusal()) } else { Ok(Decoded::More) };
        }
        let data = input.split_to(take);
        self.pass(take as u64);
        Ok(Decoded::Data(data))
    }

    /// Goes past so many bytes of data.
    fn pass(&mut self, bytes: u64) {
        self.offset = self.offset.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        self.received = self.received.saturating_add(bytes);
        match &mut self.state {
            State::Length(left) if *left <= bytes => self.state = State::Complete,
            State::Data(left) if *left <= bytes => self.state = State::DataReturn,
            State::Length(left) | State::Data(left) => *left -= bytes,
            _ => {}
        }
    }

    /// Goes past bytes that nobody has seen, if they can only be data. `false`: they may hold what says where the body ends.
    pub(crate) fn skip(&mut self, bytes: u64) -> bool {
        let can_be_data = match self.state {
            State::Length(left) | State::Data(left) => bytes <= left,
            State::UntilClose => true,
            _ => false,
        };
        if can_be_data {
            self.pass(bytes);
        }
        can_be_data
    }

    /// One byte of a line around chunks.
    fn line_byte(&mut self, byte: u8) -> Result<(), Rule> {
        self.state = match (&self.state, byte) {
            (&State::Size { digits }, _) => self.size_byte(digits, byte)?,
            (&State::BeforeExtension { bytes }, b' ' | b'\t') => self.space(bytes)?,
            (&State::BeforeExtension { bytes }, b';') => State::Extension { bytes, quote: Quote::Outside },
            (State::BeforeExtension { .. }, _) => return Err(Rule::ChunkSize),
            (State::Extension { quote: Quote::Outside, .. }, b'\r') => State::SizeEnd,
            (&State::Extension { bytes, quote }, _) => self.extension_byte(bytes, quote, byte)?,
            (State::SizeEnd, b'\n') if self.chunk > 0 => State::Data(self.chunk),
            (State::SizeEnd, b'\n') => State::Trailers(Box::new(Scanner::new(Part::Trailers, self.limits))),
            (State::SizeEnd, _) => return Err(Rule::BareCarriageReturn),
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => CHUNK_BEGINS,
            _ => return Err(Rule::ChunkEnd),
        };
        Ok(())
    }

    fn size_byte(&mut self, digits: usize, byte: u8) -> Result<State, Rule> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            return self.size_digit(digits, u64::from(digit));
        }
        if digits == 0 {
            return Err(Rule::ChunkSize);
        }
        if self.chunk > self.longest.saturating_sub(self.received) {
            return Err(Rule::BodyTooLong);
        }
        match byte {
            b'\r' => Ok(State::SizeEnd),
            b';' => Ok(State::Extension { bytes: 0, quote: Quote::Outside }),
            b' ' | b'\t' => self.space(0),
            b'\n' => Err(Rule::BareLineFeed),
            _ => Err(Rule::ChunkSize),
        }
    }

    /// One digit more of a size: what fits 64 bits does so behind any zeros, of which there may not be many.
    fn size_digit(&mut self, digits: usize, digit: u64) -> Result<State, Rule> {
        let before = if digits == 0 { 0 } else { self.chunk };
        if before > u64::MAX >> 4 {
            return Err(Rule::ChunkSizeOverflow);
        }
        self.chunk = (before << 4) | digit;
        if digits > 0 && before == 0 {
            self.zeros += 1;
            if digits > LEADING_ZEROS || self.zeros > ALL_LEADING_ZEROS {
                return Err(Rule::ChunkSizeZeros);
            }
        }
        Ok(State::Size { digits: digits + 1 })
    }

    fn extension_byte(&mut self, bytes: usize, quote: Quote, byte: u8) -> Result<State, Rule> {
        if byte == b'\n' {
            return Err(Rule::BareLineFeed);
        }
        if is_control(byte) && byte != b'\t' {
            return Err(Rule::ChunkExtension);
        }
        let bytes = self.more_extension(bytes)?;
        let quote = match (quote, byte) {
            (Quote::Outside, b'"') | (Quote::Escaped, _) => Quote::Inside,
            (Quote::Inside, b'"') => Quote::Outside,
            (Quote::Inside, b'\\') => Quote::Escaped,
            (quote, _) => quote,
        };
        Ok(State::Extension { bytes, quote })
    }

    fn space(&mut self, bytes: usize) -> Result<State, Rule> {
        Ok(State::BeforeExtension { bytes: self.more_extension(bytes)? })
    }

    /// One byte more of what nobody reads, of which there may not be much.
    fn more_extension(&mut self, bytes: usize) -> Result<usize, Rule> {
        if bytes >= EXTENSION_BYTES || self.extension >= ALL_EXTENSION_BYTES {
            return Err(Rule::ChunkExtension);
        }
        self.extension += 1;
        Ok(bytes + 1)
    }
}

/// Puts data into the framing of a body.
#[derive(Debug, Clone)]
pub struct Encoder {
    framing: Framing,
    left: u64,
}

/// The end of a chunked body, without trailers.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl Encoder {
    /// Encodes by this framing.
    pub fn new(framing: Framing) -> Self {
        let left = match framing {
            Framing::Length(length) => length,
            Framing::Chunked | Framing::UntilClose => u64::MAX,
        };
        Encoder { framing, left }
    }

    /// Bytes of data that are still missing, where that is known.
    pub fn left(&self) -> Option<u64> {
        matches!(self.framing, Framing::Length(_)).then_some(self.left)
    }

    /// Gives what stands for `data` to `out`, in order; the data itself is not copied.
    pub fn data(&mut self, data: Bytes, mut out: impl FnMut(Bytes)) -> Result<(), &'static str> {
        let length = data.len() as u64;
        if length > self.left {
            return Err("more body than its length said");
        }
        if data.is_empty() {
            return Ok(());
        }
        if self.framing != Framing::Chunked {
            self.left = self.left.saturating_sub(length);
            out(data);
            return Ok(());
        }
        out(Bytes::from(format!("{length:x}\r\n")));
        out(data);
        out(Bytes::from_static(b"\r\n"));
        Ok(())
    }

    /// Ends the body.
    pub fn end(&mut self, mut out: impl FnMut(Bytes)) -> Result<(), &'static str> {
        match self.framing {
            Framing::Length(_) if self.left > 0 => Err("less body than its length said"),
            Framing::Chunked => {
                out(Bytes::from_static(LAST_CHUNK));
                Ok(())
            }
            Framing::Length(_) | Framing::UntilClose => Ok(()),
        }
    }
}
