//! Between HTTP and the application: requests, responses and their bodies, piece by piece.
//!
//! # Credit
//!
//! As on the [stream](super::stream) seam: what goes down is limited by [`Writable`](ExchangeUp::Writable), what comes up
//! by [`Grant`](ExchangeDown::Grant), each in bytes of body, beginning at zero. Heads need no credit.
//!
//! # The life of an exchange
//!
//! ```text
//!   client  Request ─► Body* ─► End        Response ◄─ Body* ◄─ End ◄─ Closed(Ok)
//!   server  Request ◄─ Body* ◄─ End        Respond  ─► Body* ─► End ─► Closed(Ok)
//! ```
//!
//! `Closed` is the last word about an exchange, said exactly once. A server may respond before the request's `End`.

mod head;

use std::net::SocketAddr;

use bytes::Bytes;
use http::StatusCode;

pub use head::{BodyLength, Headers, RequestHead, ResponseHead, Version};

use super::stream::{CloseReason, ConnInfo, Endpoint, ListenError, Security};
use crate::id::ExchangeId;
use crate::message::{Message, Subject};
use crate::seam::Seam;

/// The exchange seam.
#[derive(Debug, Clone, Copy)]
pub enum Exchanges {}

impl Seam for Exchanges {
    const NAME: &'static str = "exchange";
    const CREDITED: bool = true;
    type Down = ExchangeDown;
    type Up = ExchangeUp;
}

/// A request to be sent.
#[derive(Debug)]
pub struct ClientRequest {
    /// The new exchange's name (of the upper side).
    pub exchange: ExchangeId,
    /// The server.
    pub remote: SocketAddr,
    /// Plain or TLS with the server's name.
    pub security: Security,
    /// The head.
    pub head: RequestHead,
    /// What will follow.
    pub body: BodyLength,
}

/// A request that came.
#[derive(Debug)]
pub struct ServerRequest {
    /// The exchange's name (of the lower side).
    pub exchange: ExchangeId,
    /// Between whom, and whether by TLS.
    pub connection: ConnInfo,
    /// The head.
    pub head: RequestHead,
    /// What will follow.
    pub body: BodyLength,
}

/// What came where a request was expected, and was answered in the application's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRequest {
    /// Between whom, and whether by TLS.
    pub connection: ConnInfo,
    /// Its request line (RFC 9112, section 3); `None` where HTTP itself refused it, which keeps none.
    pub line: Option<String>,
    /// What was answered.
    pub status: StatusCode,
    /// Why, in a few fixed words.
    pub reason: &'static str,
    /// Bytes of the body that was answered, the page that says why.
    pub answered: u64,
}

/// What the application says.
#[derive(Debug)]
pub enum ExchangeDown {
    /// Serve here from now on. Answered by [`ExchangeUp::Listening`].
    Listen {
        /// Where.
        endpoint: Endpoint,
        /// Plain or TLS.
        security: Security,
    },
    /// Serve here no more. What was begun is finished.
    Unlisten {
        /// Where.
        endpoint: Endpoint,
    },
    /// Send this request.
    Request(Box<ClientRequest>),
    /// Answer this request. An informational status (1xx) may come before, and is followed by another `Respond`.
    Respond {
        /// Which.
        exchange: ExchangeId,
        /// With what head.
        head: Box<ResponseHead>,
        /// What will follow. For HEAD, 204 and 304 the layer sends no body whatever this says.
        body: BodyLength,
    },
    /// The next piece of the body, within the credit.
    Body {
        /// Of which exchange.
        exchange: ExchangeId,
        /// What.
        data: Bytes,
    },
    /// The body is complete.
    End {
        /// Of which exchange.
        exchange: ExchangeId,
    },
    /// This many bytes of body may come up.
    Grant {
        /// In which exchange.
        exchange: ExchangeId,
        /// How many.
        bytes: usize,
    },
    /// The exchange is no longer wanted: end its connection if it can't be saved.
    Cancel {
        /// Which.
        exchange: ExchangeId,
    },
}

/// What HTTP says.
#[derive(Debug)]
pub enum ExchangeUp {
    /// The answer to [`ExchangeDown::Listen`].
    Listening {
        /// Where.
        endpoint: Endpoint,
        /// Whether it serves now, or why not.
        result: Result<(), ListenError>,
    },
    /// A request came.
    Request(Box<ServerRequest>),
    /// Something came that is no request, or none that is taken, and has been answered: for whoever keeps a log.
    Refused(Box<RefusedRequest>),
    /// A connection that brought requests brings no more: for a server whose threads belong to connections. Said only where HTTP
    /// was told to.
    Left(Box<ConnInfo>),
    /// The connection for our request is there; said before its head leaves.
    Connected {
        /// Of which exchange.
        exchange: ExchangeId,
        /// Between whom, and whether by TLS.
        connection: Box<ConnInfo>,
        /// Whether an earlier exchange used it before.
        reused: bool,
    },
    /// The head of the response came. One with status 1xx is followed by another.
    Response {
        /// Of which exchange.
        exchange: ExchangeId,
        /// The head.
        head: Box<ResponseHead>,
        /// What will follow.
        body: BodyLength,
    },
    /// The next piece of the body.
    Body {
        /// Of which exchange.
        exchange: ExchangeId,
        /// What.
        data: Bytes,
    },
    /// The body is complete, by its own framing.
    End {
        /// Of which exchange.
        exchange: ExchangeId,
    },
    /// This many bytes of body more may be sent.
    Writable {
        /// In which exchange.
        exchange: ExchangeId,
        /// How many.
        bytes: usize,
    },
    /// The exchange is over; its name means nothing any more.
    Closed {
        /// Which.
        exchange: ExchangeId,
        /// `Ok`: both messages are complete. Else what went wrong.
        result: Result<(), ExchangeError>,
    },
}

fn how_much_is_missing(expected: Option<u64>, unsaid: bool) -> String {
    match (expected, unsaid) {
        (Some(expected), _) => format!(" of {expected}"),
        (None, true) => {
            ", and the connection ended without close_notify, by which TLS says that this is all".to_owned()
        }
        (None, false) => String::new(),
    }
}

/// Why an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The connection ended, or never came about.
    #[error("the connection ended: {0}")]
    Connection(#[source] CloseReason),
    /// The peer closed before the message was complete.
    #[error("the body was cut short: {received} bytes came{}", how_much_is_missing(*expected, *unsaid))]
    Truncated {
        /// Bytes of body that came.
        received: u64,
        /// Bytes that should have come, where the message said.
        expected: Option<u64>,
        /// Whether the end of the connection was to be the end of the body, and TLS did not say that it was the peer's: it
        /// may be an attacker's (RFC 8446, section 6.1).
        unsaid: bool,
    },
    /// The peer closed before anything of an answer came.
    #[error("the peer closed the connection without an answer")]
    NoAnswer,
    /// The peer closed before a head was complete.
    #[error("the answer's head was cut short: {received} bytes of it came")]
    HeadCutShort {
        /// Bytes of head that came.
        received: usize,
    },
    /// The peer closed after responses that only announce another (RFC 9110, section 15.2).
    #[error("the answer never came: the peer closed the connection after {count} informational {}", if *count == 1 { "response" } else { "responses" })]
    OnlyInformational {
        /// How many of them came.
        count: u8,
    },
    /// What came is not the beginning of any response.
    #[error("what came is no HTTP, which begins with HTTP/1.1 or HTTP/1.0: it begins with \"{begins}\"")]
    NotHttp {
        /// The first bytes, as far as they are needed to recognize it by; what is not visible ASCII is escaped.
        begins: String,
    },
    /// What came is not HTTP, or breaks a rule of it.
    #[error("{rule} (at byte {offset} of the message)")]
    Malformed {
        /// The rule, in one sentence without a full stop, RFC and section included.
        rule: String,
        /// Where, counted from the beginning of the message.
        offset: u64,
    },
    /// The answer to plain HTTP is a record of TLS.
    #[error("the server speaks TLS on that port, and was asked in plain http")]
    SpeaksTls,
    /// Something was longer than we take.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// What we take.
        limit: usize,
    },
    /// The other side was too slow.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// This side gave it up.
    #[error("given up on this side")]
    Cancelled,
    /// The application broke the rules of this seam.
    #[error("misuse of the exchange seam: {0}")]
    Misuse(&'static str),
    /// As many exchanges as there may be are under way.
    #[error("there are {0} exchanges already, which is the limit")]
    TooMany(usize),
}

impl ExchangeUp {
    /// The exchange that this is about; `None` for a word about listening, or about what became none.
    pub fn exchange(&self) -> Option<ExchangeId> {
        match self {
            ExchangeUp::Listening { .. } | ExchangeUp::Refused(_) | ExchangeUp::Left(_) => None,
            ExchangeUp::Request(request) => Some(request.exchange),
            ExchangeUp::Connected { exchange, .. }
            | ExchangeUp::Response { exchange, .. }
            | ExchangeUp::Body { exchange, .. }
            | ExchangeUp::End { exchange }
            | ExchangeUp::Writable { exchange, .. }
            | ExchangeUp::Closed { exchange, .. } => Some(*exchange),
        }
    }
}

impl Message for ExchangeDown {
    fn summary(&self) -> String {
        match self {
            ExchangeDown::Listen { endpoint, security } => {
                let scheme = if security.is_tls() { "https" } else { "http" };
                format!("serve {scheme} on port {}", endpoint.port)
            }
            ExchangeDown::Unlisten { endpoint } => format!("serve no more on port {}", endpoint.port),
            ExchangeDown::Request(request) => format!("{} {}", request.head.method, request.head.target),
            ExchangeDown::Respond { head, .. } => head.status.to_string(),
            ExchangeDown::Body { data, .. } => format!("{} bytes of body", data.len()),
            ExchangeDown::End { .. } => "that was all".to_owned(),
            ExchangeDown::Grant { bytes, .. } => format!("{bytes} bytes of body may come"),
            ExchangeDown::Cancel { .. } => "no longer wanted".to_owned(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            ExchangeDown::Listen { .. } => "listen",
            ExchangeDown::Unlisten { .. } => "unlisten",
            ExchangeDown::Request(_) => "request",
            ExchangeDown::Respond { .. } => "respond",
            ExchangeDown::Body { .. } => "body",
            ExchangeDown::End { .. } => "end",
            ExchangeDown::Grant { .. } => "grant",
            ExchangeDown::Cancel { .. } => "cancel",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            ExchangeDown::Body { data, .. } => data,
            _ => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            ExchangeDown::Listen { .. } | ExchangeDown::Unlisten { .. } => Subject::None,
            ExchangeDown::Request(request) => Subject::Exchange(request.exchange),
            ExchangeDown::Respond { exchange, .. }
            | ExchangeDown::Body { exchange, .. }
            | ExchangeDown::End { exchange }
            | ExchangeDown::Grant { exchange, .. }
            | ExchangeDown::Cancel { exchange } => Subject::Exchange(*exchange),
        }
    }
}

impl Message for ExchangeUp {
    fn summary(&self) -> String {
        match self {
            ExchangeUp::Listening { endpoint, result: Ok(()) } => {
                format!("serving on port {}", endpoint.port)
            }
            ExchangeUp::Listening { result: Err(error), .. } => error.to_string(),
            ExchangeUp::Request(request) => format!("{} {}", request.head.method, request.head.target),
            ExchangeUp::Refused(refused) => format!("{}: {}", refused.status, refused.reason),
            ExchangeUp::Left(connection) => format!("no more from {}", connection.remote),
            ExchangeUp::Connected { connection, .. } => format!("connected to {}", connection.remote),
            ExchangeUp::Response { head, .. } => head.status.to_string(),
            ExchangeUp::Body { data, .. } => format!("{} bytes of body", data.len()),
            ExchangeUp::End { .. } => "that was all".to_owned(),
            ExchangeUp::Writable { bytes, .. } => format!("room for {bytes} bytes of body more"),
            ExchangeUp::Closed { result: Ok(()), .. } => "complete".to_owned(),
            ExchangeUp::Closed { result: Err(error), .. } => error.to_string(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            ExchangeUp::Listening { .. } => "listening",
            ExchangeUp::Request(_) => "request",
            ExchangeUp::Refused(_) => "refused",
            ExchangeUp::Left(_) => "left",
            ExchangeUp::Connected { .. } => "connected",
            ExchangeUp::Response { .. } => "response",
            ExchangeUp::Body { .. } => "body",
            ExchangeUp::End { .. } => "end",
            ExchangeUp::Writable { .. } => "writable",
            ExchangeUp::Closed { .. } => "closed",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            ExchangeUp::Body { data, .. } => data,
            _ => &[],
        }
    }

    fn subject(&self) -> Subject {
        self.exchange().map_or(Subject::None, Subject::Exchange)
    }
}
