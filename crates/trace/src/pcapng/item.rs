//! What a capture holds.

use std::time::Duration;

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
    /// What somebody wrote about it.
    pub comment: Option<&'r str>,
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
