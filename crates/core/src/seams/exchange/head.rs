//! What a request and a response begin with: their lines and their fields.

use std::fmt;

use http::{Method, StatusCode};

/// The fields of a head, in order and in the case in which they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Headers::default()
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts this field in the place of all with its name, or at the end.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let name = name.into();
        self.remove(&name);
        self.push(name, value);
    }

    /// Removes all fields of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The value of the first field of this name, as bytes.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The value of the first field of this name, if it is text in UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The values of all fields of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.bytes(name).is_some()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Headers(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The version of HTTP/1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        })
    }
}

/// What a request begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// What is asked for.
    pub method: Method,
    /// The request target (RFC 9112, section 3.2), usually a path and a query: `/item?id=3`.
    pub target: String,
    /// The version written or read.
    pub version: Version,
    /// The fields. The layer writes `Host` only as given here; framing fields it writes itself.
    pub headers: Headers,
}

impl RequestHead {
    /// The request line without its end (RFC 9112, section 3): `GET /item?id=3 HTTP/1.1`.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.version)
    }
}

/// What a response begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version read; a server's own is always HTTP/1.1.
    pub version: Version,
    /// The status.
    pub status: StatusCode,
    /// The reason phrase as it was read; empty on the way down for the usual one.
    pub reason: String,
    /// The fields. Framing fields the layer writes itself.
    pub headers: Headers,
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none, and none will be sent: no `Body`, but `End` all the same.
    None,
    /// As many bytes as this.
    Known(u64),
    /// As many as come until `End`: chunked.
    Unknown,
}
