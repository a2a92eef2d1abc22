//! Records: the envelopes of TLS.
//!
//! Read first: RFC 8446 sections 5.1 and 5.2 (RFC 5246 section 6.2 for TLS 1.2).
//!
//! ```text
//!    0        1        2        3        4        5
//!   +--------+--------+--------+--------+--------+────────────────
//!   |  type  | legacy version  |     length      |  fragment …
//!   +--------+--------+--------+--------+--------+────────────────
//! ```

use framewise_core::read::{u8_at, u16_at};

/// The bytes of a record's header.
pub const HEADER: usize = 5;
/// The longest fragment of a record that may be on the wire: sealed by TLS 1.2 (RFC 5246, section 6.2.3).
pub const LONGEST_FRAGMENT: usize = (1 << 14) + 2_048;

/// What a record holds, as far as its header says (RFC 8446, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// 20: a leftover of TLS 1.2 that TLS 1.3 sends to please middleboxes.
    ChangeCipherSpec,
    /// 21: an error, or the end.
    Alert,
    /// 22: part of agreeing on keys.
    Handshake,
    /// 23: application data; in TLS 1.3 anything that is sealed.
    ApplicationData,
}

impl ContentType {
    /// The type with this number, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            20 => ContentType::ChangeCipherSpec,
            21 => ContentType::Alert,
            22 => ContentType::Handshake,
            23 => ContentType::ApplicationData,
            _ => return None,
        })
    }

    /// Its name in the RFC.
    pub fn name(self) -> &'static str {
        match self {
            ContentType::ChangeCipherSpec => "change_cipher_spec",
            ContentType::Alert => "alert",
            ContentType::Handshake => "handshake",
            ContentType::ApplicationData => "application_data",
        }
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            ContentType::ChangeCipherSpec => 20,
            ContentType::Alert => 21,
            ContentType::Handshake => 22,
            ContentType::ApplicationData => 23,
        }
    }
}

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// There are fewer bytes than the header or the length needs.
    #[error("tls record at offset {offset}: needs {needed} bytes, found {found}")]
    TooShort {
        /// Where the record begins.
        offset: usize,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// No content type has this number.
    #[error("tls record at offset {offset}: there is no content type {found}")]
    UnknownType {
        /// Where the type stands.
        offset: usize,
        /// The number.
        found: u8,
    },
    /// Longer than any record may be.
    #[error(
        "tls record at offset {offset}: a fragment of {found} bytes, where {LONGEST_FRAGMENT} is the most"
    )]
    TooLong {
        /// Where the length stands.
        offset: usize,
        /// The length.
        found: usize,
    },
}

/// A whole record, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it holds.
    pub content_type: ContentType,
    /// The version that its header claims: since TLS 1.3 without meaning (RFC 8446, section 5.1).
    pub legacy_version: u16,
    /// What follows the header: plain or sealed.
    pub fragment: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at the beginning of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        Self::parse_at(bytes, 0)
    }

    /// The record at `offset`.
    pub fn parse_at(bytes: &'a [u8], offset: usize) -> Result<Self, RecordError> {
        let found = bytes.len().saturating_sub(offset);
        let too_short = |needed| RecordError::TooShort { offset, needed, found };
        let number = u8_at(bytes, offset).ok_or(too_short(HEADER))?;
        let content_type =
            ContentType::from_byte(number).ok_or(RecordError::UnknownType { offset, found: number })?;
        let legacy_version = u16_at(bytes, offset + 1).ok_or(too_short(HEADER))?;
        let length = usize::from(u16_at(bytes, offset + 3).ok_or(too_short(HEADER))?);
        if length > LONGEST_FRAGMENT {
            let offset = offset + 3;
            return Err(RecordError::TooLong { offset, found: length });
        }
        let begin = offset + HEADER;
        let fragment = bytes.get(begin..begin + length).ok_or(too_short(HEADER + length))?;
        Ok(Record { content_type, legacy_version, fragment })
    }

    /// Its bytes on the wire, header included.
    pub fn wire_len(&self) -> usize {
        HEADER + self.fragment.len()
    }
}

/// The records in `bytes` one after another; ends after the first that is not one.
///
/// ```
/// use framewise_tls::record::{ContentType, records};
/// let bytes = [21, 3, 3, 0, 2, 1, 0, 20, 3, 3, 0, 1, 1];
/// let types: Vec<_> = records(&bytes).map(|record| record.map(|record| record.content_type)).collect();
/// assert_eq!(types, [Ok(ContentType::Alert), Ok(ContentType::ChangeCipherSpec)]);
/// ```
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Result<Record<'_>, RecordError>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        if offset >= bytes.len() {
            return None;
        }
        let record = Record::parse_at(bytes, offset);
        offset = match &record {
            Ok(record) => offset + record.wire_len(),
            Err(_) => bytes.len(),
        };
        Some(record)
    })
}

/// Whether these first bytes are plain HTTP's: an answer, or a request's method.
pub(crate) fn looks_like_http(first: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 7] = [b"HTTP/", b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS "];
    BEGINNINGS.iter().any(|beginning| {
        let length = first.len().min(beginning.len());
        length > 0 && first.get(..length) == beginning.get(..length)
    })
}
