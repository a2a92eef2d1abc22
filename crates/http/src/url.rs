//! URLs of pages: parsed by the rules of the WHATWG, as browsers do.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ::url::Host;
use framewise_core::seams::stream::Security;

use crate::head::host::is_host;
use crate::head::rules::NOT_IN_TARGETS;

/// The URL of a page: `http` or `https`, with a host.
///
/// ```
/// use framewise_http::Url;
/// let url = Url::parse("shop.test/items?id=3").unwrap();
/// assert_eq!(url.to_string(), "http://shop.test/items?id=3");
/// assert_eq!((url.host(), url.port(), url.target()), ("shop.test", 80, "/items?id=3"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url(::url::Url);

/// Why a text is not the URL of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The rules of URLs are broken.
    #[error("{text:?} is not a URL: {problem} (at character {at})")]
    Invalid {
        /// The text, completed.
        text: String,
        /// What is wrong.
        problem: String,
        /// Where, in characters of the text, the first being 1.
        at: usize,
    },
    /// It is a URL, but not of a page.
    #[error("{scheme}{} is not fetched here; http:// and https:// are", if has_host(scheme) { "://" } else { ":" })]
    Scheme {
        /// Its scheme.
        scheme: String,
    },
}

/// Schemes that are written without `//`, and that nobody means as the name of a host with a port (IANA, Uniform Resource
/// Identifier Schemes).
const WITHOUT_HOST: [&str; 17] = [
    "about",
    "acct",
    "blob",
    "cid",
    "data",
    "file",
    "geo",
    "javascript",
    "magnet",
    "mailto",
    "mid",
    "sip",
    "sips",
    "sms",
    "tel",
    "urn",
    "xmpp",
];

fn has_host(scheme: &str) -> bool {
    !WITHOUT_HOST.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// What lacks `://` is completed with `http://`, so that `localhost:8080/x` is a host and a port; but not where the scheme is
/// one that has no host, such as `mailto:`.
pub fn complete(text: &str) -> String {
    let text = text.trim();
    // What is relative to a page's scheme alone.
    if text.starts_with("//") {
        return format!("http:{text}");
    }
    let scheme = text.split(':').next().filter(|scheme| scheme.len() < text.len()).unwrap_or_default();
    if !has_host(scheme) {
        return text.to_owned();
    }
    // A `://` within a query or a path is no scheme's.
    let begin = text.split(['/', '?', '#']).next().unwrap_or_default();
    let has_scheme =
        begin.ends_with(':') && text.get(begin.len()..).is_some_and(|rest| rest.starts_with("//"));
    if has_scheme { text.to_owned() } else { format!("http://{text}") }
}

impl Url {
    /// Parses what a person types, [completed](complete).
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        // Browsers would take the first part of a path for the host.
        if text.trim_start().starts_with('/') && !text.trim_start().starts_with("//") {
            let problem = "it begins with a path, and the scheme and the host before it are missing";
            return Err(UrlError::Invalid { at: 1, problem: problem.to_owned(), text: text.to_owned() });
        }
        Url::of_page(parsed(&complete(text))?)
    }

    /// The URL that a link or a redirect `reference` on this page leads to.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        match self.0.join(reference).and_then(as_requests_say_it) {
            Ok(url) => Url::of_page(url),
            Err(problem) => Err(UrlError::Invalid {
                at: 1,
                problem: explain(problem).to_owned(),
                text: reference.to_owned(),
            }),
        }
    }

    /// The URL that a redirect from this page leads to: [joined](Self::join), with this page's fragment where it has none of
    /// its own (RFC 9110, section 10.2.2), and without a user: whoever redirects does not choose as whom we come.
    pub fn redirected(&self, location: &str) -> Result<Self, UrlError> {
        let mut to = self.join(location)?.without_user();
        if to.fragment().is_none() {
            to.0.set_fragment(self.fragment());
        }
        Ok(to)
    }

    /// The same without the user name and password before the host, which are never sent as a part of it.
    pub fn without_user(mut self) -> Self {
        // Only a URL without a host refuses that, and a page's has one.
        let _ = self.0.set_username("");
        let _ = self.0.set_password(None);
        self
    }

    /// Whether both pages have one origin: scheme, host and port alike (RFC 9110, section 4.3.1).
    pub fn is_of_the_same_origin(&self, other: &Url) -> bool {
        self.0.origin() == other.0.origin()
    }

    fn of_page(url: ::url::Url) -> Result<Self, UrlError> {
        match url.scheme() {
            "http" | "https" => Ok(Url(url)),
            scheme => Err(UrlError::Scheme { scheme: scheme.to_owned() }),
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }

    /// Whether the connection goes through TLS.
    pub fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    /// The host in ASCII: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The host's address, where it is written as one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// The port, given or default: 80 for http, 443 for https.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// Whether the port is one that the scheme does not imply.
    pub fn has_own_port(&self) -> bool {
        self.0.port().is_some()
    }

    /// The path, `/` at least.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The query, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// The fragment, without `#`; it is never sent.
    pub fn fragment(&self) -> Option<&str> {
        self.0.fragment()
    }

    /// The user name and password that stand before the host, if any.
    pub fn user(&self) -> Option<(&str, Option<&str>)> {
        let given = !self.0.username().is_empty() || self.0.password().is_some();
        given.then(|| (self.0.username(), self.0.password()))
    }

    /// What a request asks for: path and query (RFC 9112, section 3.2.1).
    pub fn target(&self) -> &str {
        &self.0[::url::Position::BeforePath..::url::Position::AfterQuery]
    }

    /// The value of the `Host` field: the host, and the port where it is not the scheme's own.
    pub fn host_header(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Plain, or TLS with the host's name.
    pub fn security(&self) -> Security {
        if !self.is_https() {
            return Security::Plain;
        }
        let name = self.host().trim_start_matches('[').trim_end_matches(']');
        Security::Tls(Some(Arc::from(name)))
    }
}

/// A completed text as a URL of any scheme.
pub(crate) fn parsed(text: &str) -> Result<::url::Url, UrlError> {
    ::url::Url::parse(text).and_then(as_requests_say_it).map_err(|problem| UrlError::Invalid {
        at: place_of(problem, text),
        problem: explain(problem).to_owned(),
        text: text.to_owned(),
    })
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Url::parse(text)
    }
}

/// The rules of browsers let a URL hold what no request may (RFC 3986, appendix A; RFC 9110, section 7.2): in a host that
/// is an error, elsewhere it is written in hexadecimal digits.
fn as_requests_say_it(mut url: ::url::Url) -> Result<::url::Url, ::url::ParseError> {
    if !url.host_str().is_none_or(|host| is_host(host.as_bytes())) {
        return Err(::url::ParseError::InvalidDomainCharacter);
    }
    // Reserved (RFC 6335, section 6): nothing can be connected to.
    if url.port() == Some(0) {
        return Err(::url::ParseError::InvalidPort);
    }
    if let Some(path) = encoded(url.path()) {
        url.set_path(&path);
    }
    if let Some(query) = url.query().and_then(encoded) {
        url.set_query(Some(&query));
    }
    Ok(url)
}

/// A part of a target without what none may hold, if it holds any of it.
fn encoded(part: &str) -> Option<String> {
    let is_wrong = |c: char| u8::try_from(c).is_ok_and(|byte| NOT_IN_TARGETS.contains(&byte));
    part.contains(is_wrong).then(|| {
        let encode = |c: char| if is_wrong(c) { format!("%{:02X}", u32::from(c)) } else { c.to_string() };
        part.chars().map(encode).collect()
    })
}

fn explain(problem: ::url::ParseError) -> &'static str {
    use ::url::ParseError as P;
    match problem {
        P::EmptyHost => "the host is missing between // and the next /",
        P::IdnaError => "the host's name can't be written as a domain name",
        P::InvalidPort => "a port is a number from 1 to 65535",
        P::InvalidIpv4Address => "the host looks like an IPv4 address, but is none",
        P::InvalidIpv6Address => "what stands in [brackets] must be an IPv6 address",
        P::InvalidDomainCharacter => "the host holds a character that no domain name may hold",
        P::RelativeUrlWithoutBase => {
            "the scheme before :// is not one (a letter, then letters, digits, + - .)"
        }
        P::Overflow => "it is longer than 4 GB",
        _ => "it breaks the rules of URLs",
    }
}

/// Where the part begins that the problem is about.
fn place_of(problem: ::url::ParseError, text: &str) -> usize {
    use ::url::ParseError as P;
    let parts = crate::anatomy::split(text);
    let byte = match problem {
        P::InvalidPort => parts.port.map_or(parts.host.end, |port| port.start),
        P::RelativeUrlWithoutBase | P::Overflow => 0,
        _ => parts.host.start,
    };
    text.get(..byte).unwrap_or_default().chars().count() + 1
}
