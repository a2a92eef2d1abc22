//! Cookies as text: the file format of Netscape's browser, which curl, wget and others read and write.
//!
//! ```text
//!   # Netscape HTTP Cookie File
//!   shop.test  FALSE  /  TRUE  1798761600  session  4711
//!   host  its subdomains, too  path  TLS alone  expires (0: with the session)  name  value
//! ```

use framewise_core::Instant;
use thiserror::Error;

use super::{Cookie, CookieJar, LAST_EXPIRY};

const TITLE: &str = "# Netscape HTTP Cookie File\n";

/// Says of a line, as browsers do, that programs in pages may not see its cookie.
const HTTP_ONLY: &str = "#HttpOnly_";

/// Why a text is no cookie file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} of the cookie file is no cookie: seven fields with tabs between them are")]
pub struct CookieFileError {
    /// The line, the first being 1.
    pub line: usize,
}

impl CookieJar {
    /// Puts in what such a file holds, but for what is over.
    ///
    /// # Errors
    /// A line is neither empty, nor a comment, nor a cookie; those before it are in the jar.
    pub fn read(&mut self, text: &str, now: Instant) -> Result<(), CookieFileError> {
        let now = self.unix_seconds(now);
        for (index, line) in text.lines().enumerate() {
            let (line, is_http_only) =
                line.strip_prefix(HTTP_ONLY).map_or((line, false), |line| (line, true));
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let cookie = cookie(line, is_http_only).ok_or(CookieFileError { line: index + 1 })?;
            // Whoever has written the file may set what is for TLS alone.
            self.put(cookie, true, now);
        }
        Ok(())
    }

    /// All that is not over, as such a file.
    pub fn written(&self, now: Instant) -> String {
        let now = self.unix_seconds(now);
        let mut text = TITLE.to_owned();
        for cookie in self.iter().filter(|cookie| !cookie.is_over(now)) {
            let is = |it: bool| if it { "TRUE" } else { "FALSE" };
            let mark = if cookie.is_http_only { HTTP_ONLY } else { "" };
            let dot = if cookie.is_host_only { "" } else { "." };
            text.push_str(&format!(
                "{mark}{dot}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                cookie.domain,
                is(!cookie.is_host_only),
                cookie.path,
                is(cookie.is_secure),
                cookie.expires.unwrap_or(0),
                cookie.name,
                cookie.value,
            ));
        }
        text
    }
}

fn cookie(line: &str, is_http_only: bool) -> Option<Cookie> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [domain, below, path, secure, expires, name, value] = fields[..] else { return None };
    let is_harmless = |text: &str| !text.chars().any(char::is_control);
    let is = |text: &str| match text {
        "TRUE" => Some(true),
        "FALSE" => Some(false),
        _ => None,
    };
    let expires: u64 = expires.parse().ok()?;
    [domain, path, name, value].into_iter().all(is_harmless).then_some(())?;
    Some(Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: domain.trim_start_matches('.').to_ascii_lowercase(),
        is_host_only: !is(below)?,
        path: path.to_owned(),
        is_secure: is(secure)?,
        is_http_only,
        expires: (expires != 0).then_some(expires.min(LAST_EXPIRY)),
    })
}
