//! Blocks with the lines of a trace.
//!
//! Their type is one of those that are kept for local use (draft-ietf-opsawg-pcapng, section 11.1): who does not know it passes
//! over the block. A custom block would need a private enterprise number, which framewise has not, and Wireshark counts custom
//! blocks as packets. What ours begin with no other program writes.

/// The type of such a block: the bit of local use, and "FW".
pub(crate) const BLOCK: u32 = 0x8000_4657;
/// What they begin with.
const MARK: &[u8; 20] = b"framewise-trace/2\0\0\0";

/// The value of a block with these lines.
pub(crate) fn value(lines: &str) -> Vec<u8> {
    let length = lines.len() as u32;
    let mut value = [&MARK[..], &length.to_le_bytes(), lines.as_bytes()].concat();
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

/// The lines in a block with this value.
pub(super) fn lines(value: &[u8], big_endian: bool) -> Option<&str> {
    let (length, rest) = value.strip_prefix(MARK)?.split_first_chunk::<4>()?;
    let length = if big_endian { u32::from_be_bytes(*length) } else { u32::from_le_bytes(*length) };
    std::str::from_utf8(rest.get(..length as usize)?).ok()
}
