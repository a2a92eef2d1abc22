//! Between TCP and TLS, and between TLS and HTTP: the bytes of connections.
//!
//! The same words on both seams, so that TLS can be left out, or put in, without either neighbour noticing.
//!
//! # Credit
//!
//! Both directions begin at zero. The lower side says [`Writable`](StreamUp::Writable) for as many bytes as
//! it has room for: what the upper side may [`Send`](StreamDown::Send). The upper side
//! [grants](StreamDown::Grant) as many bytes as it has room for: what the lower side may bring up as
//! [`Data`](StreamUp::Data). Credit adds up. Sending more than the credit ends the connection as a misuse.
//!
//! # The life of a connection
//!
//! ```text
//!   Connect ─► (handshake) ─► Opened ─┬─► Data* ─► PeerClosed ─┐
//!   Listen ──► (a peer comes) ─► Opened ┘  Send* ─► Close ───────┴─► Closed(Finished)
//!   at any time: Abort ─► Closed(Aborted); a reset, a timeout, an alert ─► Closed(its reason)
//! ```
//!
//! `Closed` is the last word about a connection, said exactly once for every one that was named by `Connect`, `Asked` or
//! `Opened`.
//!
//! # Who decides about a peer's connection
//!
//! A listener does, once and for all. Only a lower side that was set up so [asks](StreamUp::Asked) about each connection
//! before it answers the peer: a gateway learns from elsewhere whether there is anybody to talk to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use super::segment::ErrorKind;
use crate::id::ConnId;
use crate::message::{Message, Subject};
use crate::seam::Seam;

/// The stream seam.
#[derive(Debug, Clone, Copy)]
pub enum Streams {}

impl Seam for Streams {
    const NAME: &'static str = "stream";
    const CREDITED: bool = true;
    type Down = StreamDown;
    type Up = StreamUp;
}

/// Where a server waits for connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// One of our addresses, or `None` for all of both IP versions.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Whether a connection goes through TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Bytes as they are.
    Plain,
    /// TLS; a client says which name the server's certificate must be for. A listener says `None`.
    Tls(Option<Arc<str>>),
}

impl Security {
    /// Whether this is TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self, Security::Tls(_))
    }
}

/// What the upper side says.
#[derive(Debug)]
pub enum StreamDown {
    /// Accept connections here from now on. Answered by [`StreamUp::Listening`].
    Listen {
        /// Where.
        endpoint: Endpoint,
        /// Plain or TLS.
        security: Security,
    },
    /// Accept no more here. Connections that were accepted go on.
    Unlisten {
        /// Where.
        endpoint: Endpoint,
    },
    /// Connect to `remote`, under the name `conn` (of the upper side).
    Connect {
        /// The new connection's name.
        conn: ConnId,
        /// The peer.
        remote: SocketAddr,
        /// Plain or TLS.
        security: Security,
    },
    /// Take the connection that was [asked](StreamUp::Asked) about. `Opened` follows when the peer is there.
    Accept {
        /// Which connection.
        conn: ConnId,
    },
    /// Don't take the connection that was [asked](StreamUp::Asked) about, and tell the peer why.
    Refuse {
        /// Which connection.
        conn: ConnId,
        /// Why not.
        reason: CloseReason,
    },
    /// Send these bytes, which were within the credit.
    Send {
        /// On which connection.
        conn: ConnId,
        /// What.
        data: Bytes,
    },
    /// This many bytes more may come up.
    Grant {
        /// On which connection.
        conn: ConnId,
        /// How many.
        bytes: usize,
    },
    /// Nothing more will be sent: send what is left, then FIN (with TLS, `close_notify` first). Receiving goes on.
    Close {
        /// Which connection.
        conn: ConnId,
    },
    /// End it now and forget it: RST.
    Abort {
        /// Which connection.
        conn: ConnId,
    },
}

/// What the lower side says.
#[derive(Debug)]
pub enum StreamUp {
    /// The answer to [`StreamDown::Listen`].
    Listening {
        /// Where.
        endpoint: Endpoint,
        /// Whether it listens now, or why not.
        result: Result<(), ListenError>,
    },
    /// A peer wants this connection, and hears nothing before [`StreamDown::Accept`] or [`StreamDown::Refuse`]. Said only
    /// where the lower side was set up to leave that to the upper; to say neither leaves the peer waiting.
    Asked {
        /// Its name.
        conn: ConnId,
        /// Between whom it would be.
        info: Box<ConnInfo>,
    },
    /// The connection is there: both handshakes are done. The first word about an accepted one, unless it was asked about.
    Opened {
        /// Its name.
        conn: ConnId,
        /// Between whom.
        info: Box<ConnInfo>,
    },
    /// These bytes came, in order, within the credit granted.
    Data {
        /// On which connection.
        conn: ConnId,
        /// What.
        data: Bytes,
    },
    /// This many bytes more may be sent.
    Writable {
        /// On which connection.
        conn: ConnId,
        /// How many.
        bytes: usize,
    },
    /// The peer will send no more; all it sent was delivered.
    PeerClosed {
        /// Which connection.
        conn: ConnId,
        /// Whether the peer said so itself (a FIN on a plain connection, `close_notify` on TLS). `false`: the
        /// connection below ended without it, so the end may be an attacker's (RFC 8446, section 6.1).
        clean: bool,
    },
    /// The connection is over; its name means nothing any more.
    Closed {
        /// Which connection.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
}

/// Between whom a connection is, and how it is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnInfo {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
    /// What TLS agreed on; `None` for a plain connection.
    pub tls: Option<TlsInfo>,
}

/// What a TLS handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The cipher suite, in the words of its RFC: `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The protocol chosen by ALPN (RFC 7301), if any: `http/1.1`.
    pub alpn: Option<String>,
    /// The name that the client asked for (SNI, RFC 6066 section 3).
    pub server_name: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whether the peer's certificate was checked; `false` on servers and for clients told not to.
    pub verified: bool,
}

/// Why listening is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// Someone of ours listens there already.
    #[error("port {port} is taken on this host")]
    InUse {
        /// The port.
        port: u16,
    },
    /// No certificate to show.
    #[error("no certificate is set up for TLS on port {port}")]
    NoCertificate {
        /// The port.
        port: u16,
    },
    /// There are as many listeners as there may be.
    #[error("there are {limit} listeners already, which is the limit")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Both sides had sent everything.
    #[error("finished")]
    Finished,
    /// Our own side ended it.
    #[error("given up on this side")]
    Aborted,
    /// The peer answered the SYN with RST: nobody listens there.
    #[error("refused: nobody listens on that port")]
    Refused,
    /// The peer sent RST.
    #[error("reset by the peer")]
    Reset,
    /// No answer, however often it was sent.
    #[error("no answer in time")]
    TimedOut,
    /// There is no route; nor is there one, for a connection, to the broadcast address of a link.
    #[error("no route to that address")]
    NoRoute,
    /// The address is a group's, everybody's or nobody's (RFC 9293, section 3.9.2.3).
    #[error("that is the address of no single host, and a connection has two ends")]
    NoSingleHost,
    /// The network says that the peer can't be reached.
    #[error("unreachable: {}", .0.as_str())]
    Unreachable(ErrorKind),
    /// As many connections as there may be are open.
    #[error("there are {0} connections already, which is the limit")]
    TooMany(usize),
    /// The upper layer broke the rules of this seam.
    #[error("misuse of the stream seam: {0}")]
    Misuse(&'static str),
    /// TLS failed.
    #[error(transparent)]
    Tls(TlsError),
}

/// What TLS failed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// Its kind, for programs.
    pub kind: TlsErrorKind,
    /// What exactly, for people: one sentence without a full stop.
    pub detail: String,
}

/// The kinds of TLS failures that a user can do different things about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsErrorKind {
    /// The certificate's time is over.
    CertificateExpired,
    /// The certificate's time has not begun.
    CertificateNotYetValid,
    /// The certificate is for another name.
    CertificateWrongName,
    /// The certificate signs itself.
    CertificateSelfSigned,
    /// None of our roots vouches for the certificate.
    CertificateUnknownIssuer,
    /// The certificate was revoked.
    CertificateRevoked,
    /// The certificate is an authority's, made to sign others, and not a server's own.
    CertificateOfAuthority,
    /// The certificate is not made for this use.
    CertificateWrongUse,
    /// The certificate or its chain is malformed, weak or wrongly signed.
    CertificateBad,
    /// The peer refused by an alert.
    Alert,
    /// No version, suite or protocol in common.
    NothingInCommon,
    /// The peer speaks plain HTTP, where TLS was wanted.
    PlainHttp,
    /// The peer does not speak TLS, or breaks its rules.
    Protocol,
    /// Something sealed did not open: it was altered on the way.
    Altered,
    /// This side is not set up for TLS.
    NotConfigured,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for TlsError {}

impl Message for StreamDown {
    fn summary(&self) -> String {
        match self {
            StreamDown::Listen { endpoint, security } => {
                format!("accept {} on port {}", kind(security), endpoint.port)
            }
            StreamDown::Unlisten { endpoint } => format!("accept no more on port {}", endpoint.port),
            StreamDown::Connect { conn, remote, security } => {
                format!("{conn}: connect to {remote}, {}", kind(security))
            }
            StreamDown::Accept { conn } => format!("{conn}: take it"),
            StreamDown::Refuse { conn, reason } => format!("{conn}: don't take it, {reason}"),
            StreamDown::Send { conn, data } => format!("{conn}: send {} bytes", data.len()),
            StreamDown::Grant { conn, bytes } => format!("{conn}: {bytes} bytes more may come"),
            StreamDown::Close { conn } => format!("{conn}: nothing more to send"),
            StreamDown::Abort { conn } => format!("{conn}: give up"),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            StreamDown::Listen { .. } => "listen",
            StreamDown::Unlisten { .. } => "unlisten",
            StreamDown::Connect { .. } => "connect",
            StreamDown::Accept { .. } => "accept",
            StreamDown::Refuse { .. } => "refuse",
            StreamDown::Send { .. } => "send",
            StreamDown::Grant { .. } => "grant",
            StreamDown::Close { .. } => "close",
            StreamDown::Abort { .. } => "abort",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            StreamDown::Send { data, .. } => data,
            _ => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            StreamDown::Listen { .. } | StreamDown::Unlisten { .. } => Subject::None,
            StreamDown::Connect { conn, .. }
            | StreamDown::Accept { conn }
            | StreamDown::Refuse { conn, .. }
            | StreamDown::Send { conn, .. }
            | StreamDown::Grant { conn, .. }
            | StreamDown::Close { conn }
            | StreamDown::Abort { conn } => Subject::Connection(*conn),
        }
    }
}

fn kind(security: &Security) -> &'static str {
    if security.is_tls() { "TLS" } else { "plain" }
}

impl Message for StreamUp {
    fn summary(&self) -> String {
        match self {
            StreamUp::Listening { endpoint, result: Ok(()) } => {
                format!("listening on port {}", endpoint.port)
            }
            StreamUp::Listening { result: Err(error), .. } => error.to_string(),
            StreamUp::Asked { conn, info } => format!("{conn}: {} asks for {}", info.remote, info.local),
            StreamUp::Opened { conn, info } => format!("{conn}: open, {} to {}", info.local, info.remote),
            StreamUp::Data { conn, data } => format!("{conn}: {} bytes came", data.len()),
            StreamUp::Writable { conn, bytes } => format!("{conn}: room to send {bytes} bytes more"),
            StreamUp::PeerClosed { conn, clean: true } => format!("{conn}: the peer has sent all"),
            StreamUp::PeerClosed { conn, clean: false } => {
                format!("{conn}: the peer stopped without saying so")
            }
            StreamUp::Closed { conn, reason } => format!("{conn}: closed, {reason}"),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            StreamUp::Listening { .. } => "listening",
            StreamUp::Asked { .. } => "asked",
            StreamUp::Opened { .. } => "opened",
            StreamUp::Data { .. } => "data",
            StreamUp::Writable { .. } => "writable",
            StreamUp::PeerClosed { .. } => "peer closed",
            StreamUp::Closed { .. } => "closed",
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            StreamUp::Data { data, .. } => data,
            _ => &[],
        }
    }

    fn subject(&self) -> Subject {
        match self {
            StreamUp::Listening { .. } => Subject::None,
            StreamUp::Asked { conn, .. }
            | StreamUp::Opened { conn, .. }
            | StreamUp::Data { conn, .. }
            | StreamUp::Writable { conn, .. }
            | StreamUp::PeerClosed { conn, .. }
            | StreamUp::Closed { conn, .. } => Subject::Connection(*conn),
        }
    }
}
