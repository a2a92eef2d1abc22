//! Which bytes of a file a request wants, and whether it wants it at all.
//!
//! Read RFC 9110 sections 13 (conditions, their order in 13.2.2) and 14.1.2, 14.2 (byte ranges) first.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use framewise_http::{Method, Request};

use super::Coding;

/// Ranges of one request that are looked at. Whoever asks for more gets all of it (RFC 9110, section 14.2).
const RANGES: usize = 16;
/// The first second of the year 10000, since 1970: dates of HTTP end before it.
const NO_DATE: Duration = Duration::from_secs(253_402_300_800);
/// What a date of HTTP can't tell apart.
const A_SECOND: Duration = Duration::from_secs(1);

/// What to send of a file of a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// These, apart from each other, in order: 206 with several parts.
    Parts(Vec<Range<u64>>),
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
    /// The entity tag, a strong one: it changes with every byte as far as the file's time does.
    pub(crate) etag: String,
    pub(crate) modified: Option<SystemTime>,
    /// Whether its second is over, so that by now no other version can get the same date (RFC 9110, section 8.8.2.2).
    is_dated_strongly: bool,
}

impl Version {
    /// The version of a file with this length and time of change. As a date, one in the future is now (RFC 9110, section 8.8.2.1).
    pub(crate) fn new(length: u64, modified: Option<SystemTime>, now: SystemTime) -> Self {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let nanos = modified.and_then(since).map_or(0, |since| since.as_nanos());
        let etag = format!("\"{length:x}-{nanos:x}\"");
        // Dates of HTTP have whole seconds.
        let modified = modified
            .and_then(|time| since(time.min(now)))
            .filter(|since| *since < NO_DATE)
            .map(|since| SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()));
        let is_dated_strongly = modified.is_some_and(|time| time + A_SECOND <= now);
        Version { etag, modified, is_dated_strongly }
    }

    /// The same version in this content coding: another representation has another tag (RFC 9110, section 8.8.3.3).
    pub(super) fn coded(mut self, coding: Option<Coding>) -> Self {
        if let Some(coding) = coding {
            self.etag = format!("\"{}-{}\"", self.etag.trim_matches('"'), coding.name());
        }
        self
    }

    /// What stands between several parts of it.
    pub(crate) fn boundary(&self) -> String {
        format!("part-{}", self.etag.trim_matches('"'))
    }

    /// By the weak comparison of RFC 9110, section 8.8.3.2.
    fn is_weakly_among(&self, etags: &str) -> bool {
        let weakly = |etag: &str| etag.trim().trim_start_matches("W/") == self.etag;
        etags.trim() == "*" || etags.split(',').any(weakly)
    }

    /// By the strong one: what says itself to be weak is never the same.
    fn is_strongly_among(&self, etags: &str) -> bool {
        etags.trim() == "*" || etags.split(',').any(|etag| etag.trim() == self.etag)
    }

    /// Whether an If-Range names it and can name no other (RFC 9110, section 13.1.5).
    fn is_exactly(&self, validator: &str) -> bool {
        let date = self.modified.filter(|_| self.is_dated_strongly).map(httpdate::fmt_http_date);
        validator == self.etag || date.as_deref() == Some(validator)
    }

    fn unmodified_since(&self, date: &str) -> Option<bool> {
        let date = httpdate::parse_http_date(date).ok()?;
        Some(self.modified? <= date)
    }
}

/// What `request` wants of a file with this version and length.
pub(crate) fn wanted(request: &Request, version: &Version, length: u64) -> Wanted {
    let header = |name: &str| request.header(name);
    let stale = match request.list("if-match") {
        Some(etags) => !version.is_strongly_among(&etags),
        None => header("if-unmodified-since").and_then(|date| version.unmodified_since(date)) == Some(false),
    };
    if stale {
        return Wanted::Different;
    }
    let fresh = match request.list("if-none-match") {
        Some(etags) => version.is_weakly_among(&etags),
        None => header("if-modified-since").and_then(|date| version.unmodified_since(date)) == Some(true),
    };
    if fresh {
        return Wanted::Unchanged;
    }
    // Ranges are for GET alone (RFC 9110, section 14.2).
    let range = header("range").filter(|_| request.head.method == Method::GET);
    let same = header("if-range").is_none_or(|validator| version.is_exactly(validator.trim()));
    // No byte of nothing can be named (RFC 9110, section 14.4).
    range.filter(|_| same && length > 0).and_then(|range| byte_ranges(range, length)).unwrap_or(Wanted::Whole)
}

/// Byte ranges in order, those that overlap or touch joined; what is no byte range, or too many, is ignored, as a server may.
fn byte_ranges(range: &str, length: u64) -> Option<Wanted> {
    let (unit, specs) = range.trim().split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") || specs.split(',').count() > RANGES {
        return None;
    }
    let specs = specs.split(',').map(str::trim).filter(|spec| !spec.is_empty());
    let parts: Vec<Range<u64>> = specs.map(|spec| byte_range(spec, length)).collect::<Option<_>>()?;
    if parts.is_empty() {
        return None;
    }
    let mut parts = joined(parts);
    Some(match parts.len() {
        0 => Wanted::Nowhere,
        1 => Wanted::Part(parts.remove(0)),
        _ => Wanted::Parts(parts),
    })
}

fn byte_range(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(length)),
        (Some(first), None) if last.trim().is_empty() => Some(first..length),
        (None, Some(suffix)) if first.trim().is_empty() => Some(length.saturating_sub(suffix)..length),
        _ => None,
    }
}

/// In order, without those that hold nothing.
fn joined(mut parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    parts.retain(|part| part.start < part.end);
    parts.sort_by_key(|part| part.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for part in parts {
        match joined.last_mut().filter(|last| part.start <= last.end) {
            Some(last) => last.end = last.end.max(part.end),
            None => joined.push(part),
        }
    }
    joined
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
