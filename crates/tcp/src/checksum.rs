//! What a segment's checksum turns out to be.
//!
//! Read RFC 9293 section 3.1 (checksum) before changing this file.

use std::net::IpAddr;

use framewise_core::checksum::Sum;
use framewise_core::read::u16_at;
use framewise_core::seams::segment::TCP;

use crate::segment::sum;

/// What a segment's checksum turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// It fits.
    Right,
    /// It does not fit.
    Wrong,
    /// Only the pseudo-header's sum stands there: the device does the rest.
    Left,
    /// Not all of the segment is there.
    Unknown,
}

impl Checksum {
    /// That of the segment of this length from `source` to `destination` of which `bytes` is what is there.
    pub fn of(bytes: &[u8], length: usize, source: IpAddr, destination: IpAddr) -> Self {
        if bytes.len() < length {
            return Checksum::Unknown;
        }
        if sum(bytes, source, destination).is_valid() {
            return Checksum::Right;
        }
        let is_left = |length| {
            let mut pseudo = Sum::default();
            pseudo.add_pseudo_header(source, destination, TCP, length);
            u16_at(bytes, 16) == Some(pseudo.folded())
        };
        // A device that cuts a segment into many wants the sum without a length, for it adds that of each.
        match is_left(bytes.len()) || is_left(0) {
            true => Checksum::Left,
            false => Checksum::Wrong,
        }
    }
}
