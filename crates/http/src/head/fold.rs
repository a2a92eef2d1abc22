//! Fields that go on in the next line (obs-fold): nobody may write them, and who reads a response takes them all the same.
//!
//! Read RFC 9112 section 5.2 before changing this file.

use std::borrow::Cow;

use super::scan::Scanner;

/// A scanned head whose lines go on behind spaces: as many as it takes for all places to stay the same.
pub(super) fn unfolded<'a>(bytes: &'a [u8], scanner: &Scanner) -> Cow<'a, [u8]> {
    if scanner.fold().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut lines = bytes.to_vec();
    for at in 0..lines.len() {
        if let Some([cr @ b'\r', lf @ b'\n', b' ' | b'\t']) = lines.get_mut(at..at.saturating_add(3)) {
            (*cr, *lf) = (b' ', b' ');
        }
    }
    Cow::Owned(lines)
}
