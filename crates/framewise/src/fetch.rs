//! What to fetch, and what came of it.

pub(crate) mod coding;
pub(crate) mod cookies;
pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod redirect;
pub(crate) mod retry;
pub(crate) mod source;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::Rng;
use framewise_core::seams::exchange::{BodyLength, Headers, ResponseHead};
use framewise_core::seams::resolve::Addresses;
use framewise_core::seams::stream::ConnInfo;
use framewise_http::{Pieces, Url};
use http::Method;

pub use self::coding::{CodingError, Decoding};
pub use self::cookies::{Cookie, CookieFileError, CookieJar, SharedJar};
pub use self::fields::FieldError;
pub use self::form::{Form, Part};
pub use self::redirect::{Redirect, RedirectError};
pub use self::retry::Retry;
pub use self::source::Maker;
use self::source::Source;
use crate::error::FetchError;

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
    pub(crate) body: Source,
    form: Option<Form>,
    user: Option<(String, String)>,
    /// The value of `Authorization` that shows the user.
    pub(crate) credentials: Option<String>,
    /// How many redirects are followed, if they are.
    pub(crate) redirects: Option<usize>,
    pub(crate) decoding: Option<Decoding>,
    pub(crate) retry: Option<Retry>,
    pub(crate) cookies: Option<SharedJar>,
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
            body: Source::Empty,
            form: None,
            user: None,
            credentials: None,
            redirects: None,
            decoding: None,
            retry: None,
            cookies: None,
            connect_timeout: None,
            max_time: None,
            max_body: None,
            sink: None,
        }
    }

    /// Adds a header field. `Host` is written first and by itself unless it is given here; what says how long the body is, is
    /// never given. `Host`, `Authorization` and `Cookie` go to the URL's own origin alone, wherever redirects lead.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// What to send as the request's body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Source::bytes(body.into());
        self
    }

    /// What to send as the request's body, made as there is room for it, so that it is never in memory as a whole. Without
    /// a length it is sent in chunks. An error of `pieces`, or a length that proves wrong, fails the fetch; so does a redirect
    /// that would have it sent again.
    pub fn body_stream(mut self, length: Option<u64>, pieces: Pieces) -> Self {
        self.body = Source::Once { length, pieces: Some(pieces) };
        self
    }

    /// The same, made anew each time that the body is sent: after a redirect that keeps it, or on another try.
    pub fn body_maker(mut self, length: Option<u64>, make: Maker) -> Self {
        self.body = Source::Each { length, make };
        self
    }

    /// Sends this form as the request's body, as `multipart/form-data` unless the content type is given.
    pub fn form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// Shows this user and password to the URL's own origin (RFC 7617), to no other. A user in the URL counts unless one is
    /// given here, or an `Authorization`.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Goes where redirects lead (RFC 9110, section 15.4), at most so many one after the other; unless set, a redirect's own
    /// page is what is fetched.
    pub fn follow_redirects(mut self, most: usize) -> Self {
        self.redirects = Some(most);
        self
    }

    /// Asks for a page that was made shorter for the way (`Accept-Encoding`), and decodes what comes (RFC 9110, section 8.4),
    /// within these limits.
    pub fn decode(mut self, limits: Decoding) -> Self {
        self.decoding = Some(limits);
        self
    }

    /// Tries again after what may pass.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sends the cookies of this jar to whom they are for, and keeps in it what servers set.
    pub fn cookies(mut self, jar: SharedJar) -> Self {
        self.cookies = Some(jar);
        self
    }

    /// How long name, TCP and TLS may take together; for each request by itself, if there are several.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How long all of it may take, redirects and further tries included.
    pub fn max_time(mut self, limit: Duration) -> Self {
        self.max_time = Some(limit);
        self
    }

    /// How many bytes of page are taken before the fetch fails as too large. Unless set, 256 MiB are collected, and a sink is
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

    /// What can't be sent so is refused; what is to be sent is made ready.
    pub(crate) fn prepare(&mut self, url: &Url, rng: &mut Rng) -> Result<(), FetchError> {
        fields::check(&self.headers)?;
        let in_url =
            url.user().map(|(name, password)| (decoded(name), decoded(password.unwrap_or_default())));
        if let Some((name, password)) = self.user.take().or(in_url) {
            self.credentials = Some(fields::basic(&name, &password)?);
        }
        if let Some(form) = self.form.take() {
            let (content_type, source) = form.into_source(rng);
            self.body = source;
            if !self.headers.contains("Content-Type") {
                self.headers.push("Content-Type", content_type);
            }
        }
        Ok(())
    }

    /// Gives the page to `sink` as it comes, instead of collecting it; [`Page::body`] stays empty then.
    pub fn to_sink(mut self, sink: impl BodySink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }
}

/// A part of a URL without its percent-encoding.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
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
    /// The URL, complete, without a user: of the page itself, wherever redirects have led.
    pub url: String,
    /// The redirects that led to it, in their order.
    pub redirects: Vec<Redirect>,
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
    /// Bytes of the page, where it came in a content coding that was undone.
    pub decoded: Option<u64>,
    /// When what happened.
    pub timings: Timings,
}

impl Page {
    /// The body as text, what is no UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// When the steps of a fetch were done, on the run's clock; of the last request, where there were several.
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
