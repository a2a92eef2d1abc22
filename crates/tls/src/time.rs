//! Wall-clock time, handed in: certificates are valid from one date to another.

use std::fmt;

use framewise_core::Instant;

/// What the wall clock showed when the run began; everything after follows from [`Cx::now`](framewise_core::Cx::now).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSource {
    unix_seconds_at_zero: u64,
}

impl TimeSource {
    /// The run's [`Instant::ZERO`] was that many seconds after 1970-01-01 00:00 UTC.
    pub const fn starting_at(unix_seconds: u64) -> Self {
        TimeSource { unix_seconds_at_zero: unix_seconds }
    }

    /// Seconds since 1970-01-01 00:00 UTC at `now`.
    pub const fn unix_seconds(self, now: Instant) -> u64 {
        self.unix_seconds_at_zero.saturating_add(now.as_nanos() / 1_000_000_000)
    }
}

/// Seconds in a day; Unix time knows no leap seconds.
pub(crate) const DAY: u64 = 86_400;

/// A day as people write it, from seconds since 1970.
pub(crate) struct Date(pub(crate) u64);

impl fmt::Display for Date {
    /// Counts from 0000-03-01, so that a leap day is the last of its year; eras of 400 years repeat exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / DAY + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Seconds since 1970 of a date as certificates write it (RFC 5280, section 4.1.2.5): `260101000000Z`, a year of two
/// digits being one from 1950 to 2049, or `20260101000000Z`.
pub(crate) fn from_asn1(tag: u8, text: &[u8]) -> Option<u64> {
    const UTC_TIME: u8 = 0x17;
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = digits.split_at_checked(if tag == UTC_TIME { 2 } else { 4 })?;
    let part = |at: usize| rest.get(2 * at..2 * at + 2)?.parse::<u64>().ok();
    let year = match (tag, year.parse::<u64>().ok()?) {
        (UTC_TIME, year @ 0..50) => 2_000 + year,
        (UTC_TIME, year) => 1_900 + year,
        (_, year) => year,
    };
    let days = days_since_1970(year, part(0)?, part(1)?)?;
    Some(days * DAY + part(2)? * 3_600 + part(3)? * 60 + part(4)?)
}

/// Counts as [`Date`] does, the other way round.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let month_from_march = (month + 9) % 12;
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_305_599, "2026-11-21"),
            (4_102_444_800, "2100-01-01"),
        ] {
            assert_eq!(Date(seconds).to_string(), date);
        }
    }

    #[test]
    fn dates_of_certificates_are_read() {
        for (tag, text, seconds) in [
            (0x17, "700101000000Z", Some(0)),
            (0x17, "261121235959Z", Some(1_795_305_599)),
            (0x18, "20000229000000Z", Some(951_782_400)),
            (0x18, "21000101000000Z", Some(4_102_444_800)),
            (0x17, "500101000000Z", None),
            (0x17, "2611", None),
            (0x18, "", None),
        ] {
            assert_eq!(from_asn1(tag, text.as_bytes()), seconds, "{text}");
        }
    }
}
