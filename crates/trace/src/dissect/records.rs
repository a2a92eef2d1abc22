//! The TLS records of one stream: where they are, and what is in them.

use std::ops::Range;

use framewise_tls::passive::{Opened, Opener, Seal, Unopened};
use framewise_tls::record::{ContentType, HEADER, Record, RecordError};
use thiserror::Error;

use super::half::Half;
use super::limits::allowance;
use super::space::common;
use super::store::Store;

/// A TLS record in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRecord {
    /// Which bytes of the stream, header included.
    pub range: Range<u64>,
    /// What its header says that it holds.
    pub outer: ContentType,
    /// What it truly holds, or why it stays sealed.
    pub inner: Result<ContentType, Unopened>,
    seal: Option<Seal>,
    content_at: u16,
    content_length: u16,
    /// Where in the plaintext its content begins, or would.
    plaintext_at: u64,
}

impl TlsRecord {
    /// Whether it was sealed and could be opened.
    pub fn is_unsealed(&self) -> bool {
        self.seal.is_some()
    }

    /// Which bytes of the stream stand for its content, byte for byte; empty where it stays sealed.
    pub fn content(&self) -> Range<u64> {
        let start = self.range.start + u64::from(self.content_at);
        start..start + u64::from(self.content_length)
    }

    /// Which bytes of the plaintext its content is; `None` where it is not the application's.
    pub fn plaintext(&self) -> Option<Range<u64>> {
        let is_data = self.inner == Ok(ContentType::ApplicationData);
        is_data.then(|| self.plaintext_at..self.plaintext_at + u64::from(self.content_length))
    }

    /// Whether it certainly holds nothing of the application.
    pub(super) fn is_tls_alone(&self) -> bool {
        self.inner.is_ok_and(|inner| inner != ContentType::ApplicationData)
    }

    /// What was found in it, and where in the record.
    pub(super) fn inner_place(&self) -> Result<(ContentType, Range<usize>), Unopened> {
        let (start, length) = (usize::from(self.content_at), usize::from(self.content_length));
        self.inner.map(|inner| (inner, start..start + length))
    }

    /// Whether it may hold application data that can't be read.
    pub(super) fn may_hide_data(&self) -> bool {
        self.inner.is_err() && self.outer == ContentType::ApplicationData
    }

    /// Which bytes of its content these bytes of the stream stand for.
    pub(super) fn content_of(&self, stream: &Range<u64>) -> Range<u64> {
        let content = self.content();
        let part = common(&content, stream);
        if part.is_empty() {
            return 0..0;
        }
        part.start - content.start..part.end - content.start
    }
}

/// Why the bytes of a stream from somewhere on are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unframed {
    /// Bytes among them are missing, and nobody knows where the next record begins.
    #[error("bytes are missing, and nobody knows where the next record begins")]
    Missing,
    /// They are the beginning of a record whose end was not seen.
    #[error("a record begins whose end was not seen")]
    CutShort,
    /// They are none.
    #[error("what stands there is none")]
    NotARecord(#[source] RecordError),
    /// There are more than are kept.
    #[error("there are more tiny ones than are kept")]
    TooMany,
}

/// The records of a stream.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) list: Vec<TlsRecord>,
    pub(super) unframed: Option<(Range<u64>, Unframed)>,
    /// Bytes of plaintext.
    pub(super) plaintext: u64,
    /// Whether the sender said within TLS that it has sent all.
    pub(super) closed: bool,
}

/// The alert by which a side says that it has sent all (RFC 8446, section 6.1).
const CLOSE_NOTIFY: u8 = 0;

/// Whether a stream begins with a record.
pub(super) fn begins_with_record(store: &Store, half: &Half) -> bool {
    let mut header = Vec::with_capacity(HEADER);
    store.stream(half, 0..HEADER as u64, &mut header)
        && length_of(&header).is_ok()
        && header.get(1) == Some(&3)
}

/// How long a record with this header is. The version is not looked at.
fn length_of(header: &[u8]) -> Result<u64, RecordError> {
    match Record::parse(header) {
        Ok(record) => Ok(record.wire_len() as u64),
        Err(RecordError::TooShort { needed, .. }) if header.len() >= HEADER => Ok(needed as u64),
        Err(error) => Err(error),
    }
}

impl Records {
    /// Finds the records of a stream by their headers. None is opened yet.
    pub(super) fn of(store: &Store, half: &Half) -> Self {
        let (length, most) = (half.length(), allowance(half.known()));
        let (mut records, mut at) = (Records::default(), 0);
        let mut bytes = Vec::new();
        let why = loop {
            if at >= length {
                return records;
            }
            if records.list.len() >= most {
                break Unframed::TooMany;
            }
            let known = half.contiguous_within(at, HEADER as u64);
            bytes.clear();
            store.stream(half, at..known, &mut bytes);
            let whole = match length_of(&bytes) {
                Ok(whole) => whole,
                Err(RecordError::TooShort { .. }) => break Unframed::cut_at(known, length),
                Err(error) => break Unframed::NotARecord(error),
            };
            let known = half.contiguous_within(at, whole);
            if known < at + whole {
                break Unframed::cut_at(known, length);
            }
            let outer = bytes.first().and_then(|byte| ContentType::from_byte(*byte));
            records.list.push(TlsRecord {
                range: at..at + whole,
                outer: outer.unwrap_or(ContentType::ApplicationData),
                inner: Err(Unopened::NoHello),
                seal: None,
                content_at: HEADER as u16,
                content_length: 0,
                plaintext_at: 0,
            });
            at += whole;
        };
        records.unframed = Some((at..length, why));
        records
    }

    /// Opens all of them.
    pub(super) fn open(
        &mut self,
        store: &Store,
        half: &Half,
        opener: &mut Opener,
        mut see: impl FnMut(&Opened, &[u8]),
    ) {
        let (mut bytes, mut content) = (Vec::new(), Vec::new());
        let mut seals = false;
        for entry in &mut self.list {
            entry.plaintext_at = self.plaintext;
            bytes.clear();
            store.stream(half, entry.range.clone(), &mut bytes);
            let Ok(record) = Record::parse(&bytes) else { continue };
            match opener.open(&record, &mut content) {
                Ok(opened) => {
                    entry.inner = Ok(opened.content_type);
                    entry.seal = opened.seal;
                    entry.content_at = opened.content_at as u16;
                    entry.content_length = content.len() as u16;
                    let is_data = opened.content_type == ContentType::ApplicationData;
                    self.plaintext += if is_data { content.len() as u64 } else { 0 };
                    seals |= opened.seal.is_some();
                    let says_close =
                        opened.content_type == ContentType::Alert && content.get(1) == Some(&CLOSE_NOTIFY);
                    // Whoever seals would say it sealed: in the clear, anybody may have written it.
                    self.closed |= says_close && (opened.seal.is_some() || !seals);
                    see(&opened, &content);
                }
                Err(why) => {
                    seals = true;
                    entry.inner = Err(why);
                }
            }
        }
    }

    /// The content of one record, opened once more.
    pub(super) fn content(
        &self,
        store: &Store,
        half: &Half,
        opener: &Opener,
        number: usize,
    ) -> Option<Vec<u8>> {
        let entry = self.list.get(number).filter(|entry| entry.inner.is_ok())?;
        let (mut bytes, mut content) = (Vec::new(), Vec::new());
        store.stream(half, entry.range.clone(), &mut bytes);
        opener.reopen(&Record::parse(&bytes).ok()?, entry.seal, &mut content).ok()?;
        Some(content)
    }

    /// The numbers of the records that these bytes of the stream are of.
    pub(super) fn in_stream(&self, range: &Range<u64>) -> Range<usize> {
        let from = self.list.partition_point(|record| record.range.end <= range.start);
        let to = self.list.partition_point(|record| record.range.start < range.end);
        from..to.max(from)
    }

    /// How much plaintext there is in the records that end before byte `reached` of the stream.
    pub(super) fn plaintext_until(&self, reached: u64) -> u64 {
        let next = self.list.partition_point(|record| record.range.end <= reached);
        self.list.get(next).map_or(self.plaintext, |record| record.plaintext_at)
    }

    /// The numbers of the records in which these bytes of the plaintext are, among others.
    pub(super) fn in_plaintext(&self, range: &Range<u64>) -> Range<usize> {
        let end = |record: &TlsRecord| record.plaintext().map_or(record.plaintext_at, |range| range.end);
        let from = self.list.partition_point(|record| end(record) <= range.start);
        let to = self.list.partition_point(|record| record.plaintext_at < range.end);
        from..to.max(from)
    }
}

impl Unframed {
    /// A record ends at the latest byte that is known without a gap: at the stream's end, or in front of one.
    fn cut_at(known: u64, length: u64) -> Self {
        if known >= length { Unframed::CutShort } else { Unframed::Missing }
    }
}

#[cfg(test)]
mod tests {
    use framewise_tls::passive::{KeyLog, Session, Side};

    use super::super::half::Piece;
    use super::super::store;
    use super::*;

    /// The records in these bytes, opened by somebody who has no secrets.
    fn opened(bytes: &[u8]) -> Records {
        let mut store = Store::default();
        store.push(store::Record::seen(0, 0, None, bytes.len() as u32), bytes);
        let mut half = Half::default();
        let piece = Piece {
            at: 0,
            length: bytes.len() as u32,
            frame: 1,
            datagram: None,
            offset: 0,
            doubtful: false,
            differs: false,
        };
        half.take(piece, |_, _| true);
        let mut records = Records::of(&store, &half);
        let mut opener = Session::default().opener(Side::Server, &KeyLog::default());
        records.open(&store, &half, &mut opener, |_, _| {});
        records
    }

    #[test]
    fn who_seals_does_not_say_in_the_clear_that_all_is_sent() {
        const CLOSE: &[u8] = &[21, 3, 3, 0, 2, 1, 0];
        const SEALED: &[u8] = &[23, 3, 3, 0, 3, 1, 2, 3];
        assert!(opened(CLOSE).closed);
        assert!(!opened(&[SEALED, CLOSE].concat()).closed);
    }
}
