//! What a capture holds.

use std::time::Duration;

use framewise_core::Direction;
use framewise_core::read::array_at;

/// An interface on which packets were captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, if it is told.
    pub name: Option<String>,
    /// What the packets are: 1 is Ethernet (the registry of LINKTYPE values).
    pub link_type: u32,
    /// Bytes of a packet that were kept at most; 0: all.
    pub snap_length: u32,
    /// What timestamps count, per second.
    pub(super) units_per_second: u128,
    /// What is added to them, in seconds.
    pub(super) offset_seconds: i64,
}

/// What a capture holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'r> {
    /// A packet; of an Ethernet, that is a frame.
    Packet(Packet<'r>),
    /// TLS secrets, in the `SSLKEYLOGFILE` format, for the packets that follow.
    KeyLog(&'r str),
}

/// A captured packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Packet<'r> {
    /// Where it stands in the file, in bytes.
    pub offset: u64,
    /// Where it was captured.
    pub interface: &'r Interface,
    /// When, since 1970; `None` where the file doesn't say.
    pub time: Option<Duration>,
    /// The bytes that were kept.
    pub bytes: &'r [u8],
    /// How long it was on the wire.
    pub original_length: u32,
    /// What somebody wrote about it, the first comment if there are several.
    pub comment: Option<&'r str>,
    /// What the file says of it beside.
    pub(super) options: Options<'r>,
}

impl<'r> Packet<'r> {
    /// What was written about it, all comments in order.
    pub fn comments(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.options.comments()
    }

    /// Which way it went, seen from where it was captured, if the file says (the option epb_flags).
    pub fn direction(&self) -> Option<Direction> {
        self.options.direction()
    }
}

/// The options behind a packet in a pcapng block (draft-ietf-opsawg-pcapng, sections 3.5 and 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options<'r> {
    pub(super) bytes: &'r [u8],
    pub(super) big_endian: bool,
}

const END: u16 = 0;
const COMMENT: u16 = 1;
const FLAGS: u16 = 2;

impl<'r> Options<'r> {
    /// Code and value of each, up to the end or the first whose length can't be.
    fn iter(self) -> impl Iterator<Item = (u16, &'r [u8])> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (code, length) = (self.short(rest, 0)?, usize::from(self.short(rest, 2)?));
            let value = rest.get(4..4 + length)?;
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
            (code != END).then_some((code, value))
        })
    }

    fn short(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = array_at(bytes, at)?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    pub(super) fn comments(self) -> impl Iterator<Item = &'r str> + use<'r> {
        let comments = self.iter().filter(|(code, _)| *code == COMMENT);
        comments.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The two lowest bits of the flags: 1 came, 2 left.
    fn direction(self) -> Option<Direction> {
        let (_, value) = self.iter().find(|(code, _)| *code == FLAGS)?;
        let bytes = array_at(value, 0)?;
        let flags = if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        match flags & 3 {
            1 => Some(Direction::Inbound),
            2 => Some(Direction::Outbound),
            _ => None,
        }
    }
}

impl Interface {
    /// When a timestamp is, since 1970.
    pub(super) fn time(&self, units: u64) -> Option<Duration> {
        let units = u128::from(units);
        let seconds = i128::try_from(units / self.units_per_second).ok()? + i128::from(self.offset_seconds);
        let rest = units % self.units_per_second;
        let nanos = rest.checked_mul(1_000_000_000)? / self.units_per_second;
        Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?))
    }
}

/// What the option if_tsresol says: a power of 10, or of 2 where the highest bit is set. What would not fit 64 bits
/// is no resolution that a clock has: the timestamps then count as microseconds.
pub(super) fn units_per_second(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    let units = match resolution & 0x80 {
        0 => 10u128.checked_pow(exponent),
        _ => 2u128.checked_pow(exponent),
    };
    units.filter(|&units| units <= u128::from(u64::MAX)).unwrap_or(1_000_000)
}
