//! HTTP/1.1 as a layer: requests and responses above, the bytes of connections below.
//!
//! ```text
//!    Request, Respond, Body, End, Grant │  ▲ Request, Response, Body, End, Writable, Closed   (exchange)
//!                                       ▼  │
//!    ┌──────────────────────────────────────────────────────────────┐
//!    │ Http   client and server: heads, framing, limits, keep-alive │
//!    └──────────────────────────────────────────────────────────────┘
//!                Connect, Send, Grant   │  ▲ Opened, Data, Writable, PeerClosed, Closed        (stream)
//!                                       ▼  │
//! ```
//!
//! [`Http`] is a pure state machine. Heads are split by `httparse`; what is allowed, where a body ends and when a
//! connection may be used again is decided here, strictly by RFC 9112: what two readers could understand
//! differently is refused, with a page that names the [`Rule`].
//!
//! # The layer alone
//!
//! ```
//! use framewise_core::id::{ConnId, ExchangeId, Opener};
//! use framewise_core::seams::exchange::*;
//! use framewise_core::seams::stream::*;
//! use framewise_core::{Cx, Instant, Layer};
//! use framewise_http::{Config, Http};
//!
//! let mut counters = Default::default();
//! let mut cx = Cx::new(Instant::ZERO, &mut counters);
//! let mut http = Http::new(Config::default());
//!
//! // The application asks for a page…
//! let remote = "203.0.113.80:80".parse().unwrap();
//! http.handle_outbound(
//!     ExchangeDown::Request(Box::new(ClientRequest {
//!         exchange: ExchangeId::new(Opener::Upper, 0, 0),
//!         remote,
//!         security: Security::Plain,
//!         head: RequestHead {
//!             method: http::Method::GET,
//!             target: "/".into(),
//!             version: Version::Http11,
//!             headers: [("Host", "shop.test")].into_iter().collect(),
//!         },
//!         body: BodyLength::None,
//!     })),
//!     &mut cx,
//! );
//! // … so the layer asks for a connection, …
//! let Some(StreamDown::Connect { conn, .. }) = http.poll_outbound(&mut cx) else { panic!() };
//! let info = ConnInfo { local: "192.0.2.10:49152".parse().unwrap(), remote, tls: None };
//! http.handle_inbound(StreamUp::Opened { conn, info: Box::new(info) }, &mut cx);
//! http.handle_inbound(StreamUp::Writable { conn, bytes: 1000 }, &mut cx);
//! // … and sends the request once there is room for it.
//! let sent = std::iter::from_fn(|| http.poll_outbound(&mut cx)).find_map(|down| match down {
//!     StreamDown::Send { data, .. } => Some(data),
//!     _ => None,
//! });
//! assert_eq!(&sent.unwrap()[..], b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
//! ```
//!
//! # Where to look
//!
//! | to learn | read |
//! |---|---|
//! | which messages are refused, and with what status | [`Rule`] |
//! | where a body ends | [`body`] |
//! | what can be set | [`Config`] |
//! | the parts of a URL | [`anatomy()`] |
//! | which messages are in bytes that others sent | [`passive`] |
//! | how a program answers requests | [`handler`] |

#![forbid(unsafe_code)]

pub mod accept;
mod anatomy;
pub mod body;
mod client;
mod config;
mod crowd;
mod describe;
pub mod drops;
pub mod handler;
mod head;
mod layer;
mod message;
mod page;
pub mod passive;
mod pool;
mod rule;
mod server;
mod timers;
mod transfer;
mod url;
mod wire;

pub use anatomy::{Anatomy, anatomy};
pub use config::{Config, Limits};
pub use describe::{describe, describe_app, describe_cut, describe_part};
pub use framewise_core::seams::exchange::{
    BodyLength, Headers, RefusedRequest, RequestHead, ResponseHead, Version,
};
pub use framewise_core::seams::stream::{ConnInfo, TlsInfo};
pub use handler::{Answer, AnswerBody, AnswerSink, Gone, Handler, Intake, Watcher};
pub use head::{read_request, read_response, response_framing};
pub use http::{Method, StatusCode};
pub use layer::Http;
pub use message::{Body, Params, Pieces, Request, Response};
pub use page::{Problem, escape, page};
pub use rule::{Refusal, Rule};
pub use url::{Url, UrlError, complete};
