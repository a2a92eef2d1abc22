//! Fields as they are gathered while a message is read.

use std::ops::Range;

use framewise_core::Field;

use crate::vector::Reader;

/// What has been told so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) fields: Vec<Field>,
}

impl Told {
    pub(super) fn field(
        &mut self,
        name: &'static str,
        place: Range<usize>,
        value: impl Into<String>,
        meaning: impl Into<String>,
        source: &'static str,
    ) {
        self.fields.push(Field::new(name, place, value, meaning, source));
    }

    /// A number of one byte, of which `say` gives value and meaning.
    pub(super) fn u8(
        &mut self,
        from: &mut Reader<'_>,
        name: &'static str,
        source: &'static str,
        say: impl FnOnce(u8) -> (String, String),
    ) -> Option<u8> {
        let begin = from.range().start;
        let number = from.u8()?;
        let (value, meaning) = say(number);
        self.field(name, begin..begin + 1, value, meaning, source);
        Some(number)
    }

    /// A number of two bytes.
    pub(super) fn u16(
        &mut self,
        from: &mut Reader<'_>,
        name: &'static str,
        source: &'static str,
        say: impl FnOnce(u16) -> (String, String),
    ) -> Option<u16> {
        let begin = from.range().start;
        let number = from.u16()?;
        let (value, meaning) = say(number);
        self.field(name, begin..begin + 2, value, meaning, source);
        Some(number)
    }

    /// A number of four bytes.
    pub(super) fn u32(
        &mut self,
        from: &mut Reader<'_>,
        name: &'static str,
        source: &'static str,
        say: impl FnOnce(u32) -> String,
    ) -> Option<u32> {
        let begin = from.range().start;
        let number = from.u32()?;
        self.field(name, begin..begin + 4, number.to_string(), say(number), source);
        Some(number)
    }

    /// The next bytes, shown as they are.
    pub(super) fn bytes(
        &mut self,
        from: &mut Reader<'_>,
        length: usize,
        name: &'static str,
        meaning: impl Into<String>,
        source: &'static str,
    ) -> Option<()> {
        let taken = from.take(length)?;
        self.field(name, taken.range(), hex(taken.rest()), meaning, source);
        Some(())
    }

    /// All that is left of these bytes, shown as they are.
    pub(super) fn all(
        &mut self,
        from: &mut Reader<'_>,
        name: &'static str,
        meaning: impl Into<String>,
        source: &'static str,
    ) -> Option<()> {
        let length = from.range().len();
        self.bytes(from, length, name, meaning, source)
    }

    /// The length in one byte of what follows; gives that to be read.
    pub(super) fn vector8<'a>(
        &mut self,
        from: &mut Reader<'a>,
        name: &'static str,
        source: &'static str,
    ) -> Option<Reader<'a>> {
        let begin = from.range().start;
        let inside = from.vector8()?;
        self.length(begin..begin + 1, &inside, name, source);
        Some(inside)
    }

    /// The length in two bytes.
    pub(super) fn vector16<'a>(
        &mut self,
        from: &mut Reader<'a>,
        name: &'static str,
        source: &'static str,
    ) -> Option<Reader<'a>> {
        let begin = from.range().start;
        let inside = from.vector16()?;
        self.length(begin..begin + 2, &inside, name, source);
        Some(inside)
    }

    /// The length in three bytes.
    pub(super) fn vector24<'a>(
        &mut self,
        from: &mut Reader<'a>,
        name: &'static str,
        source: &'static str,
    ) -> Option<Reader<'a>> {
        let begin = from.range().start;
        let inside = from.vector24()?;
        self.length(begin..begin + 3, &inside, name, source);
        Some(inside)
    }

    fn length(&mut self, place: Range<usize>, inside: &Reader<'_>, name: &'static str, source: &'static str) {
        let length = inside.range().len();
        let meaning = match length {
            0 => "Nothing follows that belongs to it.".to_owned(),
            1 => "1 byte follows that belongs to it.".to_owned(),
            _ => format!("{length} bytes follow that belong to it."),
        };
        self.field(name, place, length.to_string(), meaning, source);
    }

    /// What should have been read by now, and could not be.
    pub(super) fn unread(&mut self, left: &Reader<'_>) {
        if !left.is_empty() {
            let meaning = "Does not follow the rules of what stands here, or is not known: it is not read.";
            self.field("not read", left.range(), hex(left.rest()), meaning, "RFC 8446 §4");
        }
    }
}

/// Bytes as two digits each, without gaps; a long row is cut off.
pub(super) fn hex(bytes: &[u8]) -> String {
    const MOST: usize = 64;
    let digits: String = bytes.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect();
    match bytes.len() {
        0..=MOST => digits,
        length => format!("{digits}… ({length} bytes)"),
    }
}
