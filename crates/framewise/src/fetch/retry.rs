//! Trying again: after what kind of failure, for which requests, and how long to wait before.
//!
//! Read RFC 9110 sections 9.2.2 (what may be done twice), 10.2.3 (Retry-After) and 15.6.4 first.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use framewise_core::Instant;
use framewise_core::seams::exchange::{ExchangeError, Headers};
use framewise_core::seams::resolve::ResolveError;
use framewise_core::seams::stream::CloseReason;
use http::StatusCode;

use crate::error::FetchError;

/// How a fetch that failed for a passing reason is tried again.
///
/// Passing are: no connection, a name server that does not answer, and the statuses 408, 429, 500, 502, 503 and 504. What
/// may have been done already is not done twice: a request that is not idempotent (POST) is tried again only if nothing of it
/// was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often, at most.
    pub times: u32,
    /// How long to wait before each; where it is not given, one second, and twice as long each time. What a server asks for
    /// (`Retry-After`) is waited for if it is longer.
    pub delay: Option<Duration>,
    /// At which second since 1970 the run's clock began, as for [`CookieJar::starting_at`](super::CookieJar::starting_at): a date
    /// in `Retry-After` is counted from it where the response has no `Date`. `None` leaves such a date unheard.
    pub epoch: Option<u64>,
}

/// The first wait, and the longest. A server that asks for more is not tried again: its answer is the page.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

impl Retry {
    /// How long to wait before the next try, after `done` of them; `None` if there shall be none.
    pub(crate) fn wait(&self, done: u32, asked: Option<Duration>) -> Option<Duration> {
        if done >= self.times {
            return None;
        }
        let backoff = FIRST.saturating_mul(1_u32.checked_shl(done).unwrap_or(u32::MAX)).min(LONGEST);
        let wait = self.delay.unwrap_or(backoff);
        match asked {
            Some(asked) if asked > LONGEST => None,
            Some(asked) => Some(wait.max(asked)),
            None => Some(wait),
        }
    }

    /// What time it is by the run's clock, if that is known.
    pub(crate) fn time_at(&self, now: Instant) -> Option<SystemTime> {
        let epoch = Duration::from_secs(self.epoch?);
        UNIX_EPOCH.checked_add(epoch.saturating_add(now.saturating_since(Instant::ZERO)))
    }
}

/// Whether the same request may well get another answer later.
pub(crate) fn is_passing_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Whether the same may well succeed later.
pub(crate) fn is_passing(error: &FetchError) -> bool {
    match error {
        FetchError::Connect { reason, .. } | FetchError::Exchange(ExchangeError::Connection(reason)) => {
            matches!(
                reason,
                CloseReason::Refused
                    | CloseReason::Reset
                    | CloseReason::TimedOut
                    | CloseReason::NoRoute
                    | CloseReason::Unreachable(_)
            )
        }
        FetchError::ConnectTimedOut { .. } => true,
        FetchError::Name(error) => matches!(error, ResolveError::TimedOut { .. }),
        FetchError::Exchange(error) => matches!(
            error,
            ExchangeError::NoAnswer
                | ExchangeError::HeadCutShort { .. }
                | ExchangeError::OnlyInformational { .. }
                | ExchangeError::TimedOut(_)
                | ExchangeError::Truncated { .. }
        ),
        _ => false,
    }
}

/// How long the server asks to wait: in seconds, or until a date. How far off that is, its own `Date` says, or else the time at
/// which its response was `received` (RFC 9110, section 6.6.1).
pub(crate) fn asked_to_wait(headers: &Headers, received: Option<SystemTime>) -> Option<Duration> {
    let text = headers.text("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = |text: &str| httpdate::parse_http_date(text.trim()).ok();
    let (then, now) = (date(text)?, headers.text("date").and_then(date).or(received)?);
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_have_a_bound() {
        let retry = Retry { times: 40, delay: None, epoch: None };
        let waits = [0, 1, 2, 5, 9, 10, 32, 39].map(|done| retry.wait(done, None).map(|wait| wait.as_secs()));
        assert_eq!(waits, [1, 2, 4, 32, 512, 600, 600, 600].map(Some));
        assert_eq!(retry.wait(40, None), None);
    }

    #[test]
    fn what_the_server_asks_for_counts_if_it_is_longer() {
        let seconds = Duration::from_secs;
        let retry = Retry { times: 3, delay: Some(seconds(5)), epoch: None };
        assert_eq!(retry.wait(0, Some(seconds(2))), Some(seconds(5)));
        assert_eq!(retry.wait(1, Some(seconds(60))), Some(seconds(60)));
        assert_eq!(retry.wait(0, Some(seconds(86_400))), None, "a day is not waited for");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |fields: &[(&str, &str)]| {
            let retry = Retry { times: 1, delay: None, epoch: Some(1_767_225_600) };
            let received = retry.time_at(Instant::ZERO + Duration::from_secs(30));
            let headers = fields.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            [asked_to_wait(&headers, received), asked_to_wait(&headers, None)]
        };
        let same = |wait| [Some(wait); 2];
        let date = ("Date", "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(asked(&[("Retry-After", "120")]), same(Duration::from_secs(120)));
        let later = ("Retry-After", "Thu, 01 Jan 2026 00:01:30 GMT");
        assert_eq!(asked(&[later, date]), same(Duration::from_secs(90)), "by its own clock");
        assert_eq!(asked(&[later]), [Some(Duration::from_secs(60)), None], "by ours, if we have one");
        assert_eq!(asked(&[later, ("Date", "now")]), asked(&[later]), "that is no date");
        let before = ("Retry-After", "Wed, 31 Dec 2025 00:00:00 GMT");
        assert_eq!(asked(&[before, date]), same(Duration::ZERO));
        for nonsense in ["", "-1", "1.5", "soon"] {
            assert_eq!(asked(&[("Retry-After", nonsense), date]), [None; 2], "{nonsense:?}");
        }
    }
}
