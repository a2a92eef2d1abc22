//! Reading vectors that say their own length: RFC 8446 section 3.4.

use std::ops::Range;

use framewise_core::read::{array_at, u8_at, u16_at, u32_at};

/// Reads numbers and vectors one behind the other, and keeps track of where they are. What can't be read is not passed.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    /// Everything up to the end of what is read here, so that places count from the first byte of all.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from this place on.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Reader { bytes, at }
    }

    /// Where what is left to be read lies.
    pub(crate) fn range(&self) -> Range<usize> {
        self.at.min(self.bytes.len())..self.bytes.len()
    }

    /// What is left to be read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.range()).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.range().is_empty()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        let value = u8_at(self.bytes, self.at)?;
        self.at += 1;
        Some(value)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let value = u16_at(self.bytes, self.at)?;
        self.at += 2;
        Some(value)
    }

    /// Three bytes, as the lengths of messages and certificates have.
    pub(crate) fn u24(&mut self) -> Option<u32> {
        let [high, middle, low] = array_at(self.bytes, self.at)?;
        self.at += 3;
        Some(u32::from_be_bytes([0, high, middle, low]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let value = u32_at(self.bytes, self.at)?;
        self.at += 4;
        Some(value)
    }

    /// As many bytes as are wanted.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let value = array_at(self.bytes, self.at)?;
        self.at += N;
        Some(value)
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Option<Reader<'a>> {
        let begin = self.at;
        let bytes = self.bytes.get(..begin.checked_add(length)?)?;
        self.at = begin + length;
        Some(Reader { bytes, at: begin })
    }

    /// What a length in one byte tells.
    pub(crate) fn vector8(&mut self) -> Option<Reader<'a>> {
        self.vector(|reader| reader.u8().map(usize::from))
    }

    /// What a length in two bytes tells.
    pub(crate) fn vector16(&mut self) -> Option<Reader<'a>> {
        self.vector(|reader| reader.u16().map(usize::from))
    }

    /// What a length in three bytes tells.
    pub(crate) fn vector24(&mut self) -> Option<Reader<'a>> {
        self.vector(|reader| reader.u24().map(|length| length as usize))
    }

    fn vector(&mut self, length: impl Fn(&mut Self) -> Option<usize>) -> Option<Reader<'a>> {
        let mut ahead = self.clone();
        let length = length(&mut ahead)?;
        let inside = ahead.take(length)?;
        *self = ahead;
        Some(inside)
    }

    /// All that is left, as numbers of two bytes.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut rest = self.clone();
        std::iter::from_fn(move || rest.u16())
    }

    /// All that is left, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.rest()).into_owned()
    }
}
