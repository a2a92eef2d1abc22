//! The parts of a URL, each with its place, its value and its meaning.
//!
//! ```text
//!   https://ann:pw@shop.test:8443/items?id=3#top
//!   scheme  userinfo  host   port  path query fragment
//! ```
//!
//! Read RFC 3986 section 3 (the picture and the names) and the WHATWG URL standard (what browsers do) first.

mod other;

use std::ops::Range;

use framewise_core::Field;

use crate::url::{Url, UrlError, complete, parsed};

/// A URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anatomy {
    /// The text, completed: what the fields' byte ranges count in.
    pub text: String,
    /// Whether `http://` was put in front.
    pub completed: bool,
    /// The URL as it is used: host in ASCII and small letters, default port left out; `None`: it is of no page, and not
    /// fetched here.
    pub url: Option<Url>,
    /// The parts in order. What is implied, such as a default port, has an empty range where it would stand.
    pub fields: Vec<Field>,
    /// What is worth a word: one sentence each.
    pub remarks: Vec<String>,
}

/// Where the parts stand in a text that has a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) scheme: Range<usize>,
    /// Whether `//` and a place for a host follow the scheme.
    pub(crate) has_authority: bool,
    pub(crate) userinfo: Option<Range<usize>>,
    pub(crate) host: Range<usize>,
    pub(crate) port: Option<Range<usize>>,
    pub(crate) path: Range<usize>,
    pub(crate) query: Option<Range<usize>>,
    pub(crate) fragment: Option<Range<usize>>,
}

/// Takes a URL apart, [completed](complete) if need be.
///
/// ```
/// let anatomy = framewise_http::anatomy("www.google.com/?q=stuff").unwrap();
/// assert_eq!(anatomy.url.unwrap().host(), "www.google.com");
/// assert!(anatomy.remarks.iter().any(|r| r.contains("www is part of the host, not the protocol")));
/// ```
///
/// # Errors
/// It breaks the rules of URLs. One of another scheme than a page's does not: its parts are told all the same.
pub fn anatomy(typed: &str) -> Result<Anatomy, UrlError> {
    let text = complete(typed);
    let completed = text.len() != typed.trim().len();
    let parts = split(&text);
    let url = match Url::parse(typed) {
        Ok(url) => url,
        Err(UrlError::Scheme { .. }) => {
            let url = parsed(&text)?;
            let (fields, remarks) = (other::fields(&text, &parts, &url), other::remarks(&parts, &url));
            return Ok(Anatomy { text, completed, url: None, fields, remarks });
        }
        Err(error) => return Err(error),
    };
    let fields = fields(&text, &parts, &url, completed);
    let remarks = remarks(&text, &parts, &url, completed);
    Ok(Anatomy { text, completed, url: Some(url), fields, remarks })
}

/// Finds the parts as RFC 3986, appendix B does; a backslash counts as a slash, as in browsers.
pub(crate) fn split(text: &str) -> Parts {
    let scheme = 0..text.find(':').unwrap_or(0);
    let has_authority = text.get(scheme.end..).is_some_and(|rest| rest.starts_with("://"));
    let begin = (scheme.end + if has_authority { 3 } else { 1 }).min(text.len());
    let find = |from: usize, to: usize, chars: &[char]| -> usize {
        let within = text.get(from..to).unwrap_or_default();
        within.find(chars).map_or(to, |at| from + at)
    };
    let before_fragment = find(begin, text.len(), &['#']);
    let before_query = find(begin, before_fragment, &['?']);
    let authority_end = if has_authority { find(begin, before_query, &['/', '\\']) } else { begin };
    let authority = text.get(begin..authority_end).unwrap_or_default();
    let at = authority.rfind('@').map(|at| begin + at);
    let host_start = at.map_or(begin, |at| at + 1);
    let host_text = text.get(host_start..authority_end).unwrap_or_default();
    // The colons of an IPv6 address stand in brackets.
    let after_address = host_text.rfind(']').map_or(0, |at| at + 1);
    let colon = host_text
        .get(after_address..)
        .and_then(|rest| rest.find(':'))
        .map(|at| host_start + after_address + at);
    let rest = |from: usize, to: usize| (from < to).then(|| from + 1..to);
    Parts {
        scheme,
        has_authority,
        userinfo: at.map(|at| begin..at),
        host: host_start..colon.unwrap_or(authority_end),
        port: colon.map(|colon| colon + 1..authority_end).filter(|port| !port.is_empty()),
        path: authority_end..before_query,
        query: rest(before_query, before_fragment),
        fragment: rest(before_fragment, text.len()),
    }
}

fn fields(text: &str, parts: &Parts, url: &Url, completed: bool) -> Vec<Field> {
    let mut fields = vec![scheme_field(parts, url, completed)];
    if let Some(place) = &parts.userinfo {
        fields.push(userinfo_field(place, url.user()));
    }
    fields.push(host_field(text, parts, url));
    fields.push(port_field(parts, url));
    let path = if parts.path.is_empty() {
        "No path is given, so it is /: the server's first page."
    } else {
        "Which page of that server: it determines which of its functions runs."
    };
    fields.push(Field::new("path", parts.path.clone(), url.path(), path, "RFC 3986 §3.3"));
    if let Some(place) = &parts.query {
        let meaning = "Arguments for the function that the path determines.";
        fields.extend(query_fields(text, place, url.query().unwrap_or_default(), meaning));
    }
    if let Some(place) = &parts.fragment {
        let value = url.fragment().unwrap_or_default();
        let meaning = "Which part of the page; it stays in the browser and is never sent.";
        fields.push(Field::new("fragment", place.clone(), value, meaning, "RFC 3986 §3.5"));
    }
    fields
}

/// A password is not shown.
fn userinfo_field(place: &Range<usize>, user: Option<(&str, Option<&str>)>) -> Field {
    let meaning =
        "Who asks: a name, and perhaps a password. It is not part of the host, and easily mistaken for it.";
    let shown = user.map(|(name, password)| match password {
        Some(_) => format!("{name}:…"),
        None => name.to_owned(),
    });
    Field::new("userinfo", place.clone(), shown.unwrap_or_default(), meaning, "RFC 3986 §3.2.1")
}

fn scheme_field(parts: &Parts, url: &Url, completed: bool) -> Field {
    let meaning = match (url.is_https(), completed) {
        (true, _) => "The protocol: HTTP, protected by TLS.",
        (false, true) => "The protocol: HTTP. It was not given; what lacks :// is completed with http://.",
        (false, false) => "The protocol: HTTP, which anyone on the way can read.",
    };
    Field::new("scheme", parts.scheme.clone(), url.scheme(), meaning, "RFC 3986 §3.1")
}

fn host_field(text: &str, parts: &Parts, url: &Url) -> Field {
    let typed = text.get(parts.host.clone()).unwrap_or_default();
    let meaning = match url.address() {
        Some(address) if address.is_ipv6() => {
            "Which machine: an IPv6 address, in brackets because of its colons.".to_owned()
        }
        Some(_) => "Which machine: an IPv4 address, so nobody needs to be asked for it.".to_owned(),
        None if !typed.is_ascii() => {
            format!("Which machine: a name with letters beyond ASCII. DNS is asked for {}.", url.host())
        }
        None => "Which machine: a name. DNS says which address it has.".to_owned(),
    };
    Field::new("host", parts.host.clone(), url.host(), meaning, "RFC 3986 §3.2.2")
}

fn port_field(parts: &Parts, url: &Url) -> Field {
    let port = url.port();
    let (place, meaning) = match &parts.port {
        Some(place) if url.has_own_port() => (place.clone(), "Which program of that machine.".to_owned()),
        Some(place) => {
            (place.clone(), format!("Which program of that machine. {} implies it.", url.scheme()))
        }
        None => (
            parts.host.end..parts.host.end,
            format!("Which program of that machine. It is not given, and {} implies {port}.", url.scheme()),
        ),
    };
    Field::new("port", place, port.to_string(), meaning, "RFC 3986 §3.2.3")
}

/// The query as a whole, as it is sent, then each of its pairs, decoded.
fn query_fields(text: &str, place: &Range<usize>, sent: &str, meaning: &str) -> Vec<Field> {
    let query = text.get(place.clone()).unwrap_or_default();
    let mut fields = vec![Field::new("query", place.clone(), sent, meaning, "RFC 3986 §3.4")];
    let mut start = place.start;
    for pair in query.split('&') {
        let end = start + pair.len();
        if let Some((name, value)) = ::url::form_urlencoded::parse(pair.as_bytes()).next() {
            let meaning = format!("The argument {name:?} is {value:?}.");
            let shown = format!("{name} = {value}");
            fields.push(Field::new("argument", start..end, shown, meaning, "WHATWG URL §5.1"));
        }
        start = end + 1;
    }
    fields
}

fn remarks(text: &str, parts: &Parts, url: &Url, completed: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    let typed = text.get(parts.host.clone()).unwrap_or_default();
    if completed {
        remarks.push("Without :// there is no protocol in it, so http:// was put in front.".to_owned());
    }
    if let Some(rest) = url.host().strip_prefix("www.") {
        remarks.push(format!(
            "www is part of the host, not the protocol: {} and {rest} may be two machines.",
            url.host()
        ));
    }
    if completed && parts.port.is_some() && url.address().is_none() {
        remarks.push(format!(
            "{typed} is the host and {} its port; a strict reader would take {typed}: for a scheme.",
            url.port()
        ));
    }
    if !typed.is_ascii() {
        remarks.push(format!(
            "On the network {typed} is written in ASCII (punycode, RFC 3492): {}.",
            url.host()
        ));
    } else if typed.chars().any(|c| c.is_ascii_uppercase()) {
        remarks.push("Case does not count in a host; it counts in a path.".to_owned());
    }
    if let Some((name, _)) = url.user() {
        remarks.push(format!(
            "What stands before the @ ({name}) is not where the request goes: {} is.",
            url.host()
        ));
    }
    if url.fragment().is_some() {
        remarks.push("What stands after the # is never sent to the server.".to_owned());
    }
    remarks
}
