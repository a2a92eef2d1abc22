//! Elements of DER, as far as the wording of errors needs them: nothing is trusted because of what is read here.
//!
//! Read first: X.690 section 8.1 (tag, length, content).

use framewise_core::read::u8_at;

/// An element: its tag, what is in it, and all of it.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element and what follows it.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let tag = u8_at(bytes, 0)?;
        let short = usize::from(u8_at(bytes, 1)?);
        let (length, begin) = match short {
            0..=0x7f => (short, 2),
            // The length stands in this many bytes of its own; three hold any certificate.
            0x81..=0x83 => {
                let begin = 2 + (short & 0x7f);
                let digits = bytes.get(2..begin)?;
                (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), begin)
            }
            _ => return None,
        };
        let (whole, rest) = bytes.split_at_checked(begin.checked_add(length)?)?;
        Some((Element { tag, content: whole.get(begin..)?, whole }, rest))
    }

    /// The only element of `bytes`, or the first.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        Element::first(bytes).map(|(element, _)| element)
    }

    /// The elements in this one, as far as they can be read.
    pub(crate) fn inside(self) -> impl Iterator<Item = Element<'a>> {
        elements(self.content)
    }

    /// What a string of bits holds; its first byte says how many bits of the last are unused: none.
    pub(crate) fn bits(self) -> Option<&'a [u8]> {
        self.content.get(1..)
    }
}

/// The elements that `bytes` are a row of, as far as they can be read.
pub(crate) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || {
        let (element, rest) = Element::first(bytes)?;
        bytes = rest;
        Some(element)
    })
}
