//! Which bytes of a file a request wants, and whether it wants it at all.
//!
//! Read RFC 9110 sections 13 (conditions, their order in 13.2.2) and 14.1.2, 14.2 (byte ranges) first.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use framewise_http::Request;

/// What to send of a file of a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// Bytes that it has not: 416.
    Nowhere,
    /// Nothing, for the client has it: 304.
    Unchanged,
    /// Nothing, for it is not what the client thinks it is: 412.
    Different,
}

/// The names of a file's version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) etag: String,
    pub(crate) modified: Option<SystemTime>,
}

impl Version {
    /// The version of a file with this length and time of change.
    pub(crate) fn new(length: u64, modified: Option<SystemTime>) -> Self {
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let nanos = since.map_or(0, |since| since.as_nanos());
        let etag = format!("\"{length:x}-{nanos:x}\"");
        // Dates of HTTP have whole seconds.
        let modified = since.map(|since| SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()));
        Version { etag, modified }
    }

    /// The same version in this content coding: another representation has another tag (RFC 9110, section 8.8.3.3).
    pub(crate) fn coded(mut self, coding: &str) -> Self {
        self.etag = format!("\"{}-{coding}\"", self.etag.trim_matches('"'));
        self
    }

    fn is_among(&self, etags: &str) -> bool {
        let weakly = |etag: &str| etag.trim().trim_start_matches("W/") == self.etag;
        etags.trim() == "*" || etags.split(',').any(weakly)
    }

    fn unmodified_since(&self, date: &str) -> Option<bool> {
        let date = httpdate::parse_http_date(date).ok()?;
        Some(self.modified? <= date)
    }
}

/// What `request` wants of a file with this version and length.
pub(crate) fn wanted(request: &Request, version: &Version, length: u64) -> Wanted {
    let header = |name: &str| request.header(name);
    let stale = match header("if-match") {
        Some(etags) => !version.is_among(etags),
        None => header("if-unmodified-since").and_then(|date| version.unmodified_since(date)) == Some(false),
    };
    if stale {
        return Wanted::Different;
    }
    let fresh = match header("if-none-match") {
        Some(etags) => version.is_among(etags),
        None => header("if-modified-since").and_then(|date| version.unmodified_since(date)) == Some(true),
    };
    if fresh {
        return Wanted::Unchanged;
    }
    let same = header("if-range").is_none_or(|etag| {
        let dated = version.modified.map(httpdate::fmt_http_date);
        etag.trim() == version.etag || dated.as_deref() == Some(etag.trim())
    });
    match header("range").filter(|_| same) {
        Some(range) => byte_range(range, length),
        None => Wanted::Whole,
    }
}

/// A single byte range; what is no byte range, or several, is ignored, as a server may.
fn byte_range(range: &str, length: u64) -> Wanted {
    let Some(spec) = range.trim().strip_prefix("bytes=") else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Wanted::Whole;
    };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(suffix)) if first.trim().is_empty() => length.saturating_sub(suffix)..length,
        _ => return Wanted::Whole,
    };
    if part.start < part.end { Wanted::Part(part) } else { Wanted::Nowhere }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
