//! Requests and responses as an application holds them: whole, or with a body that is still to be made.

use std::borrow::Cow;
use std::fmt;
use std::io;

use bytes::Bytes;
use framewise_core::seams::exchange::{BodyLength, Headers, RequestHead, ResponseHead, Version};
use framewise_core::seams::stream::ConnInfo;
use http::StatusCode;

/// A request with its whole body.
#[derive(Debug, Clone)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// Between whom, and whether by TLS.
    pub connection: ConnInfo,
    /// What the path's pattern named; a router fills it.
    pub params: Params,
    /// The body, or what an [`Intake`](crate::Intake) has made of it.
    pub body: Bytes,
}

/// The named parts of a path: of `/items/7` by the pattern `/items/{id}`, `id` is `7`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Adds one, decoded.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl Request {
    /// The path of the target as it was written: `/items/7`. `*` for a request about the server as a whole.
    pub fn path(&self) -> &str {
        let target = path_and_query(&self.head.target);
        match target.split('?').next().unwrap_or(target) {
            // Of a URL without a path (RFC 9110, section 4.2.3).
            "" => "/",
            path => path,
        }
    }

    /// What stands after the `?`, as it was written.
    pub fn query(&self) -> Option<&str> {
        path_and_query(&self.head.target).split_once('?').map(|(_, query)| query)
    }

    /// The first value of this name in the query, decoded.
    pub fn query_param(&self, name: &str) -> Option<String> {
        let query = self.query()?.as_bytes();
        find(::url::form_urlencoded::parse(query), name)
    }

    /// The value of the first field of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.text(name)
    }

    /// The members of a list, whatever fields of this name they came in (RFC 9110, section 5.3); `None` if there is no field.
    pub fn list(&self, name: &str) -> Option<Cow<'_, str>> {
        let named = self.head.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        let mut values = named.map(|(_, value)| String::from_utf8_lossy(value));
        let first = values.next()?;
        Some(values.fold(first, |list, more| Cow::Owned(format!("{list},{more}"))))
    }

    /// The pairs of a form that came as `application/x-www-form-urlencoded`, decoded; `None` if none came.
    pub fn form(&self) -> Option<Vec<(String, String)>> {
        Some(self.form_pairs()?.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The same, one pair after the other: for who takes no more than so many. A body holds far more pairs than it looks like.
    pub fn form_pairs(&self) -> Option<impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)>> {
        let kind = self.header("content-type")?.split(';').next()?.trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        Some(::url::form_urlencoded::parse(&self.body))
    }
}

/// A target without the scheme and the authority that its absolute form has (RFC 9112, section 3.2.2).
fn path_and_query(target: &str) -> &str {
    if target.starts_with('/') {
        return target;
    }
    match target.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        None => target,
    }
}

fn find<'a>(mut pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>, name: &str) -> Option<String> {
    pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The head.
    pub head: ResponseHead,
    /// The body.
    pub body: Body,
}

/// The body of a response.
pub enum Body {
    /// None.
    Empty,
    /// All of it.
    Bytes(Bytes),
    /// What will be made as there is room for it, so that it is never in memory as a whole.
    Stream {
        /// How long it is, if that is known. Whoever sends it cuts the connection if this proves wrong.
        length: Option<u64>,
        /// The pieces.
        pieces: Pieces,
    },
}

/// The pieces of a body. An error ends the connection: the client must not take what came for the whole.
pub type Pieces = Box<dyn Iterator<Item = io::Result<Bytes>> + Send>;

impl Body {
    /// How long it is.
    pub fn length(&self) -> BodyLength {
        match self {
            Body::Empty => BodyLength::None,
            Body::Bytes(bytes) => BodyLength::Known(bytes.len() as u64),
            Body::Stream { length, .. } => length.map_or(BodyLength::Unknown, BodyLength::Known),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Body::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

impl Response {
    /// A response with this status, no fields and no body.
    pub fn status(status: StatusCode) -> Self {
        Response {
            head: ResponseHead {
                version: Version::Http11,
                status,
                reason: String::new(),
                headers: Headers::new(),
            },
            body: Body::Empty,
        }
    }

    /// A page: 200, `text/html`. With letters beyond ASCII its charset is said, too.
    pub fn html(page: impl Into<String>) -> Self {
        Response::of_text("text/html", page.into())
    }

    /// Text: 200, `text/plain`.
    pub fn text(text: impl Into<String>) -> Self {
        Response::of_text("text/plain", text.into())
    }

    /// Bytes of this type: 200.
    pub fn bytes(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Response::status(StatusCode::OK)
            .header("Content-Type", content_type)
            .with_body(Body::Bytes(bytes.into()))
    }

    fn of_text(kind: &str, text: String) -> Self {
        let charset = if text.is_ascii() { "" } else { "; charset=utf-8" };
        Response::bytes(&format!("{kind}{charset}"), text)
    }

    /// The same with another status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.head.status = status;
        self
    }

    /// The same with another body.
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The same with one field more.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.headers.push(name, value);
        self
    }
}
