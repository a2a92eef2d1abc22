//! Cookies: what servers want to be told again, kept by whoever wants to.
//!
//! Read RFC 6265 section 5 first; of its revision (draft-ietf-httpbis-rfc6265bis) it takes that plain http neither sets nor
//! replaces what is for https alone, and the prefixes of names. The crate `cookie` splits the field.

mod file;
mod scope;

use std::cell::RefCell;
use std::rc::Rc;

use ::cookie::Cookie as Parsed;
use framewise_core::Instant;
use framewise_core::seams::exchange::Headers;
use framewise_http::Url;

pub use self::file::CookieFileError;
use self::scope::{default_path, domain_matches, domain_of, path_matches};

/// A jar that several fetches use.
pub type SharedJar = Rc<RefCell<CookieJar>>;

/// Cookies of one host name, and in all; the oldest makes room.
const PER_HOST: usize = 50;
const IN_ALL: usize = 3_000;
/// The end of the year 9999, since 1970: nobody who reads the file knows a later time, and curl leaves out a line with one that
/// does not fit 63 bits.
const LAST_EXPIRY: u64 = 253_402_300_799;
/// Bytes of a cookie's name and value together.
const LONGEST: usize = 4_096;

/// Cookies, and when they are to be forgotten.
///
/// ```
/// use framewise::{CookieJar, Fetch};
/// // The run's clock began at this second since 1970; a world in memory says it as `world::EPOCH`.
/// let jar = CookieJar::starting_at(1_767_225_600).shared();
/// let fetch = Fetch::get("https://shop.test/").cookies(jar.clone());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    epoch: u64,
    /// In the order in which they came.
    cookies: Vec<Cookie>,
}

/// One cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host that it is for.
    pub domain: String,
    /// Whether it is for that host alone, and not for those below it.
    pub is_host_only: bool,
    /// The path at and below which it is sent.
    pub path: String,
    /// Whether it is sent over TLS alone.
    pub is_secure: bool,
    /// Whether a page's own programs shall not see it; it is kept for those who read the file.
    pub is_http_only: bool,
    /// When it is to be forgotten, in seconds since 1970; `None` for the end of the session.
    pub expires: Option<u64>,
}

impl Cookie {
    /// Whether it is the same one, of perhaps another value (RFC 6265, section 5.3, step 11).
    fn is_the_same(&self, other: &Cookie) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
            && self.is_host_only == other.is_host_only
    }

    fn is_over(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it is sent with a request for this URL (RFC 6265, section 5.4, step 1).
    fn is_for(&self, url: &Url) -> bool {
        let host = match self.is_host_only {
            true => url.host() == self.domain,
            false => domain_matches(url.host(), &self.domain),
        };
        host && path_matches(url.path(), &self.path) && (url.is_https() || !self.is_secure)
    }
}

impl CookieJar {
    /// An empty jar for a run whose clock began at this second since 1970.
    pub fn starting_at(unix_seconds: u64) -> Self {
        CookieJar { epoch: unix_seconds, cookies: Vec::new() }
    }

    /// The same, to be given to fetches.
    pub fn shared(self) -> SharedJar {
        Rc::new(RefCell::new(self))
    }

    /// The cookies, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.cookies.iter()
    }

    /// Seconds since 1970.
    fn unix_seconds(&self, now: Instant) -> u64 {
        self.epoch.saturating_add(now.as_nanos() / 1_000_000_000)
    }

    /// Takes what a response from `url` sets. Says whether anything has changed by that.
    pub fn take(&mut self, url: &Url, headers: &Headers, now: Instant) -> bool {
        let now = self.unix_seconds(now);
        let mut has_changed = false;
        for field in headers.all("set-cookie") {
            let Ok(text) = std::str::from_utf8(field) else { continue };
            let Some(cookie) = cookie_of(text, url, now) else { continue };
            has_changed |= self.put(cookie, url.is_https(), now);
        }
        has_changed
    }

    /// The value of the field `Cookie` in a request for `url`, if it has any (RFC 6265, section 5.4).
    pub fn field_for(&self, url: &Url, now: Instant) -> Option<String> {
        let now = self.unix_seconds(now);
        let mut sent: Vec<_> = self.cookies.iter().filter(|c| c.is_for(url) && !c.is_over(now)).collect();
        // Those of longer paths first; the sorting is stable, so that older ones come before newer ones.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Puts a cookie in; one that is over takes the same one out (RFC 6265, section 5.3).
    fn put(&mut self, cookie: Cookie, came_by_tls: bool, now: u64) -> bool {
        // What was set over TLS is not replaced, nor hidden by one of the same name, by whoever reads and writes plain http.
        let hides = |c: &&Cookie| {
            c.is_secure
                && c.name == cookie.name
                && (domain_matches(&c.domain, &cookie.domain) || domain_matches(&cookie.domain, &c.domain))
                && path_matches(&cookie.path, &c.path)
        };
        if !came_by_tls && self.cookies.iter().any(|c| hides(&c)) {
            return false;
        }
        let place = self.cookies.iter().position(|c| c.is_the_same(&cookie));
        if cookie.is_over(now) {
            place.map(|place| self.cookies.remove(place));
            return place.is_some();
        }
        match place.and_then(|place| self.cookies.get_mut(place)) {
            Some(before) if *before == cookie => return false,
            Some(before) => *before = cookie,
            None => {
                self.make_room(&cookie.domain, now);
                self.cookies.push(cookie);
            }
        }
        true
    }

    fn make_room(&mut self, domain: &str, now: u64) {
        self.cookies.retain(|cookie| !cookie.is_over(now));
        let of_domain = self.cookies.iter().filter(|cookie| cookie.domain == domain).count();
        if of_domain >= PER_HOST
            && let Some(oldest) = self.cookies.iter().position(|cookie| cookie.domain == domain)
        {
            self.cookies.remove(oldest);
        }
        if self.cookies.len() >= IN_ALL {
            self.cookies.remove(0);
        }
    }
}

/// The cookie that a field `Set-Cookie` of a response from `url` sets; `None` if it may not, or is none.
fn cookie_of(text: &str, url: &Url, now: u64) -> Option<Cookie> {
    let parsed = Parsed::parse(text).ok()?;
    let is_harmless = |text: &str| !text.chars().any(|c| c.is_control());
    let (name, value) = (parsed.name(), parsed.value());
    if name.len() + value.len() > LONGEST || !is_harmless(name) || !is_harmless(value) {
        return None;
    }
    let (domain, is_host_only) = domain_of(parsed.domain(), url)?;
    let path = parsed.path().filter(|path| path.starts_with('/') && is_harmless(path));
    let cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain,
        is_host_only,
        path: path.map_or_else(|| default_path(url.path()), str::to_owned),
        is_secure: parsed.secure() == Some(true),
        is_http_only: parsed.http_only() == Some(true),
        expires: expiry(&parsed, now),
    };
    let may_be = url.is_https() || !cookie.is_secure;
    (may_be && has_what_its_name_promises(&cookie)).then_some(cookie)
}

/// `Max-Age` counts before `Expires` (RFC 6265, section 5.3, step 3).
fn expiry(parsed: &Parsed<'_>, now: u64) -> Option<u64> {
    if let Some(age) = parsed.max_age() {
        let expires = now.saturating_add(u64::try_from(age.whole_seconds()).unwrap_or(0));
        return Some(expires.min(LAST_EXPIRY));
    }
    let date = parsed.expires_datetime()?;
    Some(u64::try_from(date.unix_timestamp()).unwrap_or(0))
}

/// The prefixes of names (draft-ietf-httpbis-rfc6265bis, section 4.1.3).
fn has_what_its_name_promises(cookie: &Cookie) -> bool {
    let begins =
        |prefix: &str| cookie.name.get(..prefix.len()).is_some_and(|name| name.eq_ignore_ascii_case(prefix));
    match () {
        () if begins("__Host-") => cookie.is_secure && cookie.is_host_only && cookie.path == "/",
        () if begins("__Secure-") => cookie.is_secure,
        () => true,
    }
}

#[cfg(test)]
mod tests;
