//! Custom blocks with the lines of a trace (draft-ietf-opsawg-pcapng, section 4.8).
//!
//! framewise has no private enterprise number of its own, so its blocks use the one that is kept for examples (RFC 5612), and
//! begin with words that no other program writes.

/// A custom block that may be copied into other files.
pub(crate) const BLOCK: u32 = 0x0000_0bad;
/// The private enterprise number that is kept for examples (RFC 5612).
const ENTERPRISE: u32 = 32_473;
/// What our blocks begin with, behind that number. The number at its end is that of this encoding.
const MARK: &[u8; 20] = b"framewise-trace/2\0\0\0";

/// The value of a block with these lines.
pub(crate) fn value(lines: &str) -> Vec<u8> {
    let length = lines.len() as u32;
    let mut value = [&ENTERPRISE.to_le_bytes()[..], MARK, &length.to_le_bytes(), lines.as_bytes()].concat();
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

/// The lines in a block whose private enterprise number and data these are.
pub(super) fn lines(enterprise: u32, data: &[u8], big_endian: bool) -> Option<&str> {
    let rest = data.strip_prefix(MARK).filter(|_| enterprise == ENTERPRISE)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = if big_endian { u32::from_be_bytes(*length) } else { u32::from_le_bytes(*length) };
    std::str::from_utf8(rest.get(..length as usize)?).ok()
}
