//! What to fetch, and what came of it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::seams::exchange::{BodyLength, Headers, ResponseHead};
use framewise_core::seams::resolve::Addresses;
use framewise_core::seams::stream::ConnInfo;
use framewise_http::{Body, Pieces};
use http::Method;

/// A page to be fetched, and how.
///
/// ```
/// use std::time::Duration;
/// let fetch = framewise::Fetch::get("https://shop.test/items/3")
///     .header("Accept", "text/html")
///     .max_time(Duration::from_secs(10));
/// ```
pub struct Fetch {
    pub(crate) url: String,
    pub(crate) method: Method,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) max_time: Option<Duration>,
    pub(crate) max_body: Option<u64>,
    pub(crate) sink: Option<Box<dyn BodySink>>,
}

/// Bytes of a page that are collected in memory unless [`Fetch::max_body`] says otherwise.
const MAX_BODY: u64 = 256 << 20;

impl Fetch {
    /// GET this URL. What lacks `://` is completed with `http://`.
    pub fn get(url: impl Into<String>) -> Self {
        Fetch::new(Method::GET, url)
    }

    /// POST this body to this URL.
    pub fn post(url: impl Into<String>, content_type: &str, body: impl Into<Bytes>) -> Self {
        Fetch::new(Method::POST, url).header("Content-Type", content_type).body(body)
    }

    /// Any method.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Fetch {
            url: url.into(),
            method,
            headers: Headers::new(),
            body: Body::Empty,
            connect_timeout: None,
            max_time: None,
            max_body: None,
            sink: None,
        }
    }

    /// Adds a header field. `Host` is written first and by itself unless it is given here.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// What to send as the request's body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let bytes = body.into();
        self.body = if bytes.is_empty() { Body::Empty } else { Body::Bytes(bytes) };
        self
    }

    /// What to send as the request's body, made as there is room for it, so that it is never in memory as a whole. Without
    /// a length it is sent in chunks. An error of `pieces`, or a length that proves wrong, fails the fetch.
    pub fn body_stream(mut self, length: Option<u64>, pieces: Pieces) -> Self {
        self.body = Body::Stream { length, pieces };
        self
    }

    /// How long name, TCP and TLS may take together.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How long all of it may take.
    pub fn max_time(mut self, limit: Duration) -> Self {
        self.max_time = Some(limit);
        self
    }

    /// How many bytes of body are taken before the fetch fails as too large. Unless set, 256 MiB are collected, and a sink is
    /// given any number.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// How many bytes of body are taken.
    pub(crate) fn body_limit(&self) -> u64 {
        let unlimited = if self.sink.is_some() { u64::MAX } else { MAX_BODY };
        self.max_body.unwrap_or(unlimited)
    }

    /// Gives the page to `sink` as it comes, instead of collecting it; [`Page::body`] stays empty then.
    pub fn to_sink(mut self, sink: impl BodySink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// Takes a page piece by piece.
pub trait BodySink {
    /// The final head came.
    fn head(&mut self, head: &ResponseHead, length: BodyLength) -> io::Result<()>;
    /// The next piece of the body came.
    fn piece(&mut self, data: &Bytes) -> io::Result<()>;
}

/// Names a fetch that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub(crate) u64);

/// A page that was fetched.
#[derive(Clone, Debug)]
pub struct Page {
    /// The URL, complete.
    pub url: String,
    /// Who answered.
    pub remote: SocketAddr,
    /// How the name was turned into addresses; `None` where the URL had an address, or one was given.
    pub name: Option<Addresses>,
    /// Between whom the connection was, and what TLS agreed on.
    pub connection: ConnInfo,
    /// Whether an earlier exchange had opened the connection.
    pub reused: bool,
    /// The head of the response.
    pub head: ResponseHead,
    /// The body; empty where a sink took it.
    pub body: Bytes,
    /// Bytes of body that came.
    pub received: u64,
    /// When what happened.
    pub timings: Timings,
}

impl Page {
    /// The body as text, what is no UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// When the steps of a fetch were done, on the run's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// It was asked for.
    pub started: Instant,
    /// The address was known.
    pub resolved: Instant,
    /// The connection was there, TLS included.
    pub connected: Instant,
    /// The head of the response was there.
    pub head: Instant,
    /// The body was complete.
    pub complete: Instant,
}

/// An address given for a name and port, as `--resolve` does: it is used instead of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAddress {
    /// The name in lower case, or an address as it stands in a URL: an IPv6 one in brackets.
    pub host: String,
    /// The port, or `None` for all.
    pub port: Option<u16>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}
