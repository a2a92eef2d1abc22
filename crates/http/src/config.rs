//! What can be set: limits, names, patience.

use std::time::Duration;

/// The bounds of a message head. What is longer is refused, never half read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, from its first line to its empty line, and of a trailer section. Beyond: 431.
    pub head_bytes: usize,
    /// Bytes of a request target. Beyond: 414.
    pub target_bytes: usize,
    /// Fields of a head. Beyond: 431.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { head_bytes: 16 * 1024, target_bytes: 8 * 1024, fields: 100 }
    }
}

impl Limits {
    /// Those of whoever only watches: what another server takes, a capture shows. 256 KiB, and 1,000 fields.
    pub const fn watching() -> Self {
        Limits { head_bytes: 256 * 1024, target_bytes: 256 * 1024, fields: 1_000 }
    }
}

/// How an [`Http`](crate::Http) layer behaves, as a client and as a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The bounds of heads.
    pub limits: Limits,
    /// Bytes of a request's body that a server takes. Beyond: 413.
    pub request_body_bytes: u64,
    /// Connections at a time, for each role.
    pub connections: usize,
    /// Connections at a time that a server takes from one client: one IPv4 address, or one network of 64 bits of IPv6.
    pub connections_per_client: usize,
    /// Exchanges at a time, for each role. A server answers 503 beyond.
    pub exchanges: usize,
    /// Bytes of body that wait in this layer for room below, for each exchange.
    pub body_window: usize,
    /// Whether a server is told of connections that bring no more requests, for threads that belong to connections.
    pub tells_who_left: bool,
    /// How long a head may wait for the beginning of its body, so that both leave in one piece.
    pub gather: Duration,
    /// Informational responses (1xx) that a client takes before the real one.
    pub informational_responses: u8,
    /// Whether connections are used again. `false`: each message says `Connection: close`.
    pub keep_alive: bool,
    /// Connections that a client keeps open for later requests. With 0 each is closed after its response,
    /// without a word about it in the request.
    pub idle_connections: usize,
    /// How many of these may lead to the same server.
    pub idle_per_server: usize,
    /// How long a connection may stay open between two exchanges.
    pub idle_timeout: Duration,
    /// How long a client may take over a head, counted from its first byte (or from the connection's beginning). Beyond: 408.
    pub head_timeout: Duration,
    /// The period over which a server measures how fast a peer sends a body, a second at least: somewhat longer than an honest
    /// one may stop altogether. Too slow: 408.
    pub pace_period: Duration,
    /// The same for a peer that reads an answer, which takes longer to be seen: TCP asks ever less often whether a closed window
    /// has opened. Too slow: the end.
    pub reader_period: Duration,
    /// Bytes per second that a peer must send or read at least, over each period.
    pub minimum_rate: u64,
    /// How long a closed connection waits, after the last sign of progress, for the peer's own end before it is
    /// cut (RFC 9112, section 9.6).
    pub linger: Duration,
    /// `User-Agent` of requests that don't give one; `None`: not written.
    pub user_agent: Option<String>,
    /// What time it was when this layer's clock stood at zero, since 1970: then a server dates its responses (RFC 9110,
    /// section 6.6.1). `None`: it has no such clock, and writes none.
    pub epoch: Option<Duration>,
    /// `Server` of responses that don't give one; `None`: not written.
    pub server: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            limits: Limits::default(),
            request_body_bytes: 64 * 1024 * 1024,
            connections: 65_536,
            connections_per_client: usize::MAX,
            exchanges: 65_536,
            body_window: 512 * 1024,
            tells_who_left: false,
            gather: Duration::from_millis(1),
            informational_responses: 8,
            keep_alive: true,
            idle_connections: 64,
            idle_per_server: 8,
            idle_timeout: Duration::from_secs(60),
            head_timeout: Duration::from_secs(30),
            pace_period: Duration::from_secs(35),
            reader_period: Duration::from_secs(60),
            minimum_rate: 64,
            linger: Duration::from_secs(120),
            user_agent: None,
            epoch: None,
            server: None,
        }
    }
}
