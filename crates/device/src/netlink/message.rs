//! Netlink's messages: a header, a fixed part, and attributes, each padded to four bytes.
//!
//! Read first: netlink(7), rtnetlink(7). Numbers are as the machine writes them.

use std::io;

use framewise_core::read::array_at;

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEADER: usize = 16;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEADER: usize = 4;

/// A request under construction.
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(((flags | libc::NLM_F_REQUEST) as u16).to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(fixed);
        Request(bytes)
    }

    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = (ATTRIBUTE_HEADER + value.len()) as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Whether the kernel says when it has answered: at the end of a list, or because it was asked to.
    pub(super) fn has_an_end(&self) -> bool {
        let flags = i32::from(u16_at(&self.0, 6).unwrap_or_default());
        flags & (libc::NLM_F_DUMP | libc::NLM_F_ACK) != 0
    }

    /// Writes what is known last: the length and the sequence number.
    pub(super) fn finish(&mut self, sequence: u32) -> &[u8] {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        &self.0
    }
}

/// One attribute by itself, to be put inside another.
pub(super) fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut inside = Request(Vec::new());
    inside.attribute(kind, value);
    inside.0
}

/// The first message's type, what follows its header, and what follows it.
pub(super) fn split(bytes: &[u8]) -> Option<(i32, &[u8], &[u8])> {
    let length = u32_at(bytes, 0)? as usize;
    let kind = u16_at(bytes, 4)?;
    let message = bytes.get(HEADER..length)?;
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((i32::from(kind), message, after))
}

/// An error message with the number 0 says that all went well.
pub(super) fn acknowledgement(message: &[u8]) -> io::Result<()> {
    match u32_at(message, 0).map(|n| n as i32) {
        Some(0) => Ok(()),
        Some(errno) => Err(io::Error::from_raw_os_error(errno.saturating_neg())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The value of the first attribute of this type.
pub(super) fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(bytes, 0)?);
        let value = bytes.get(ATTRIBUTE_HEADER..length)?;
        if u16_at(bytes, 2)? == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}
