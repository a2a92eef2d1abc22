//! Words that are numbers, times, addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use framewise::core::MacAddr;
use framewise::ip::Cidr;

use super::error::TextError;
use super::words::{Word, Words};

/// The longest time that a script may speak of: a year, so that sums of times stay far from their end.
const LONGEST: u128 = 365 * 24 * 3_600 * 1_000_000_000;

/// A time, such as `5ms`: a number, perhaps with a fraction, and `ns`, `us`, `ms`, `s` or `min`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    let nanos_of_one: u128 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !whole.is_empty() && whole.len() <= 20 && fraction.len() <= 12 && !number.ends_with('.');
    if !is_number {
        return None;
    }
    let mut nanos = whole.parse::<u128>().ok()?.checked_mul(nanos_of_one)?;
    if !fraction.is_empty() {
        let parts = fraction.parse::<u128>().ok()?.checked_mul(nanos_of_one)?;
        let scale = 10u128.pow(fraction.len() as u32);
        // Less than a nanosecond is nothing that a run knows.
        if parts % scale != 0 {
            return None;
        }
        nanos += parts / scale;
    }
    (nanos <= LONGEST).then(|| Duration::from_nanos(nanos as u64))
}

fn pinned(text: &str) -> Option<Duration> {
    time(text).filter(|time| *time >= Duration::from_millis(1))
}

impl Words {
    /// A time that a layer waits: with none at all it would do the same thing again and again, in no time.
    pub(super) fn pinned_time(&mut self) -> Result<Duration, TextError> {
        self.take("a time of 1ms at least", |word| unkeyed(word).and_then(pinned))
    }

    /// The same, or `none`.
    pub(super) fn pinned_time_or_none(&mut self) -> Result<Option<Duration>, TextError> {
        self.take("a time of 1ms at least, or none", |word| match unkeyed(word)? {
            "none" => Some(None),
            text => pinned(text).map(Some),
        })
    }

    pub(super) fn number<N: TryFrom<u64>>(&mut self, expected: &'static str) -> Result<N, TextError> {
        self.take(expected, |word| unkeyed(word).and_then(number))
    }

    pub(super) fn word(&mut self, expected: &'static str) -> Result<String, TextError> {
        self.take(expected, |word| unkeyed(word).map(str::to_owned))
    }

    /// One of these names.
    pub(super) fn name(
        &mut self,
        expected: &'static str,
        names: &[&'static str],
    ) -> Result<&'static str, TextError> {
        self.take(expected, |word| {
            let said = unkeyed(word)?;
            names.iter().copied().find(|name| *name == said)
        })
    }

    pub(super) fn yes_or_no(&mut self) -> Result<bool, TextError> {
        self.take("yes or no", |word| unkeyed(word).and_then(yes_or_no))
    }

    /// One of these words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        expected: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, TextError> {
        self.take(expected, |word| {
            let said = unkeyed(word)?;
            choices.iter().find(|(name, _)| *name == said).map(|(_, choice)| *choice)
        })
    }

    pub(super) fn mac(&mut self) -> Result<MacAddr, TextError> {
        self.take("a MAC address such as 02:00:00:00:00:01", |word| unkeyed(word)?.parse().ok())
    }

    pub(super) fn address(&mut self) -> Result<IpAddr, TextError> {
        self.take("an address such as 192.0.2.1", |word| unkeyed(word)?.parse().ok())
    }

    pub(super) fn cidr(&mut self) -> Result<Cidr, TextError> {
        self.take("an address and its network's length, such as 192.0.2.10/24", |word| {
            let cidr: Cidr = unkeyed(word)?.parse().ok()?;
            cidr.of_a_host().ok()
        })
    }

    pub(super) fn endpoint(&mut self) -> Result<SocketAddr, TextError> {
        self.take("an address and a port, such as 192.0.2.20:80 or [2001:db8::1]:80", |word| {
            unkeyed(word)?.parse().ok()
        })
    }
}

pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// What a word says that is neither text nor behind a key.
pub(super) fn unkeyed(word: &Word) -> Option<&str> {
    word.plain().filter(|_| word.key.is_none())
}

/// A number in decimal digits, or in hexadecimal ones behind `0x`.
pub(super) fn number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    let value = match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()?
        }
        Some(_) => return None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    N::try_from(value).ok()
}
