//! What is wrong with a capture, and where.

use std::io;

use thiserror::Error;

use super::LONGEST_BLOCK;

/// Why a capture can't be read on.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file itself can't be read.
    #[error("the file can't be read at byte {offset}")]
    Io {
        /// Where.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// It begins like no capture.
    #[error("this is neither pcapng nor pcap: it begins with {}", shown(found))]
    NotACapture {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// It ends within a block.
    #[error("the file ends within the {what} at byte {offset}: {needed} bytes belong there, {found} are")]
    Truncated {
        /// Of what.
        what: &'static str,
        /// Where that begins.
        offset: u64,
        /// Its length.
        needed: usize,
        /// How much of it there is.
        found: usize,
    },
    /// It claims a length that no block has.
    #[error(
        "the {what} at byte {offset} claims {length} bytes; it can have {least} to {most}, in whole words"
    )]
    BadLength {
        /// Of what.
        what: &'static str,
        /// Where that begins.
        offset: u64,
        /// What it claims.
        length: usize,
        /// The least it can have.
        least: usize,
        /// The most we read.
        most: usize,
    },
    /// A block's two lengths differ.
    #[error("the block at byte {offset} claims {first} bytes before and {last} after its content")]
    LengthsDiffer {
        /// Where it begins.
        offset: u64,
        /// The length in front.
        first: u32,
        /// The length behind.
        last: u32,
    },
    /// A packet is from an interface that was not described.
    #[error("the packet at byte {offset} is from interface {interface}, of {known} described")]
    UnknownInterface {
        /// Where it begins.
        offset: u64,
        /// Which.
        interface: u32,
        /// How many there are.
        known: usize,
    },
    /// A section describes more interfaces than we keep.
    #[error("at byte {offset} more than {limit} interfaces are described")]
    TooManyInterfaces {
        /// Where.
        offset: u64,
        /// How many we keep.
        limit: usize,
    },
    /// What is in a block contradicts its length.
    #[error("the {what} at byte {offset} contradicts itself")]
    Malformed {
        /// What it is.
        what: &'static str,
        /// Where it begins.
        offset: u64,
    },
}

impl ReadError {
    /// Where in the file it is, in bytes.
    pub fn offset(&self) -> u64 {
        match self {
            ReadError::NotACapture { .. } => 0,
            ReadError::Io { offset, .. }
            | ReadError::Truncated { offset, .. }
            | ReadError::BadLength { offset, .. }
            | ReadError::LengthsDiffer { offset, .. }
            | ReadError::UnknownInterface { offset, .. }
            | ReadError::TooManyInterfaces { offset, .. }
            | ReadError::Malformed { offset, .. } => *offset,
        }
    }
}

pub(super) fn bad_length(what: &'static str, offset: u64, length: usize, least: usize) -> ReadError {
    ReadError::BadLength { what, offset, length, least, most: LONGEST_BLOCK }
}

pub(super) fn malformed(what: &'static str, offset: u64) -> ReadError {
    ReadError::Malformed { what, offset }
}

/// Bytes as text, where they are text; else in hexadecimal digits.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) => {
            format!("{text:?}")
        }
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_capture_is_quoted() {
        let told = |found: &[u8]| ReadError::NotACapture { found: found.to_vec() }.to_string();
        assert_eq!(told(b"root"), "this is neither pcapng nor pcap: it begins with \"root\"");
        assert_eq!(told(b"\x7fELF"), "this is neither pcapng nor pcap: it begins with 7f 45 4c 46");
    }
}
