//! One connection that this side opened: a request out, its response in, and perhaps the next.
//!
//! ```text
//!   Connecting ──► Busy ──► Idle ──► Busy ──► … ──► Ending ──► (Closed by the layer below)
//! ```
//!
//! Read RFC 9112 sections 6.3, 8 (incomplete messages), 9.3 and 9.5 first. One request at a time is under way: a
//! response belongs to the only request there is, and bytes that belong to none end the connection.
//!
//! | to learn | read |
//! |---|---|
//! | what a request under way consists of | `exchange.rs` |
//! | what follows from what came | `advance.rs` |
//! | how long a connection is kept | `time.rs` |

mod advance;
mod exchange;
mod time;

use std::net::SocketAddr;

use bytes::Bytes;
use framewise_core::id::ConnId;
use framewise_core::seams::exchange::{BodyLength, ExchangeError, ExchangeUp};
use framewise_core::seams::stream::{CloseReason, ConnInfo, Security};
use framewise_core::{Cx, Instant};

use crate::layer::Shared;
use crate::wire::Wire;
pub(crate) use exchange::Exchange;

/// One connection to a server.
#[derive(Debug)]
pub(crate) struct ClientConn {
    wire: Wire,
    remote: SocketAddr,
    security: Security,
    info: Option<Box<ConnInfo>>,
    phase: Phase,
    since: Instant,
    /// A request to be made anew: the kept connection had ended before it came.
    orphan: Option<Box<Exchange>>,
    gone: Option<CloseReason>,
}

#[derive(Debug)]
enum Phase {
    Connecting(Box<Exchange>),
    Busy(Box<Exchange>),
    Idle,
    Ending,
    Aborted,
}

impl ClientConn {
    pub(crate) fn new(
        conn: ConnId,
        mut exchange: Box<Exchange>,
        remote: SocketAddr,
        security: Security,
        now: Instant,
    ) -> Self {
        let mut wire = Wire::new(conn);
        exchange.begin(&mut wire);
        ClientConn {
            wire,
            remote,
            security,
            info: None,
            phase: Phase::Connecting(exchange),
            since: now,
            orphan: None,
            gone: None,
        }
    }

    /// Names the connection, once there is a name.
    pub(crate) fn name(&mut self, conn: ConnId) {
        self.wire.conn = conn;
    }

    /// Where it leads.
    pub(crate) fn server(&self) -> (SocketAddr, Security) {
        (self.remote, self.security.clone())
    }

    // What the layer below says.

    pub(crate) fn opened(&mut self, info: Box<ConnInfo>, shared: &mut Shared, cx: &mut Cx) {
        self.info = Some(info);
        if let Phase::Connecting(exchange) = std::mem::replace(&mut self.phase, Phase::Idle) {
            self.asked(exchange, false, shared, cx);
        }
    }

    pub(crate) fn data(&mut self, data: Bytes) {
        self.wire.received(data);
    }

    pub(crate) fn writable(&mut self, bytes: usize, now: Instant) {
        self.wire.writable(bytes);
        if matches!(self.phase, Phase::Ending) {
            self.since = now;
        }
    }

    pub(crate) fn peer_closed(&mut self, clean: bool) {
        self.wire.peer_closed = Some(clean);
    }

    /// The connection is over. What came before may still be on its way to the application.
    pub(crate) fn closed(&mut self, reason: CloseReason, shared: &mut Shared) {
        self.wire.disconnect();
        if matches!(self.phase, Phase::Connecting(_)) {
            self.close_exchange(Err(ExchangeError::Connection(reason.clone())), shared);
        }
        self.gone = Some(reason);
    }

    /// Whether nothing is left to be done with it.
    pub(crate) fn is_over(&self) -> bool {
        self.gone.is_some() && !matches!(self.phase, Phase::Busy(_))
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.gone.is_none()
    }

    pub(crate) fn take_orphan(&mut self) -> Option<Box<Exchange>> {
        self.orphan.take()
    }

    // What the application says.

    /// Sends a request on the open connection, which has served another before.
    pub(crate) fn ask(&mut self, mut exchange: Box<Exchange>, shared: &mut Shared, cx: &mut Cx) {
        exchange.begin(&mut self.wire);
        self.asked(exchange, true, shared, cx);
    }

    /// The connection is open and the request on its way.
    fn asked(&mut self, mut exchange: Box<Exchange>, reused: bool, shared: &mut Shared, cx: &mut Cx) {
        exchange.reused = reused;
        if let Some(info) = &self.info {
            shared.up.push_back(ExchangeUp::Connected {
                exchange: exchange.id(),
                connection: info.clone(),
                reused,
            });
        }
        let head = &exchange.request.head;
        cx.note("http", "request", || {
            let host = head.headers.text("host").unwrap_or("the server");
            format!("I ask {host}: {} {}", head.method, head.target)
        });
        if exchange.request.body != BodyLength::None && !exchange.sending.has_ended() {
            self.wire.hold_until(cx.now + shared.config.gather);
        }
        self.phase = Phase::Busy(exchange);
    }

    pub(crate) fn body(&mut self, data: Bytes, shared: &mut Shared) {
        if let Some(exchange) = exchange_of(&mut self.phase)
            && let Err(what) = exchange.sending.body(data, &mut self.wire)
        {
            self.fail(ExchangeError::Misuse(what), shared);
        }
    }

    pub(crate) fn end(&mut self, shared: &mut Shared) {
        if let Some(exchange) = exchange_of(&mut self.phase)
            && let Err(what) = exchange.sending.end(&mut self.wire)
        {
            self.fail(ExchangeError::Misuse(what), shared);
        }
    }

    pub(crate) fn grant(&mut self, bytes: usize) {
        if let Some(exchange) = exchange_of(&mut self.phase) {
            exchange.grant(bytes);
        }
    }

    pub(crate) fn cancel(&mut self, shared: &mut Shared) {
        self.fail(ExchangeError::Cancelled, shared);
    }

    /// Closes a connection that is not needed any more.
    pub(crate) fn finish(&mut self, now: Instant) {
        self.wire.close();
        self.since = now;
        self.phase = Phase::Ending;
    }
}

fn exchange_of(phase: &mut Phase) -> Option<&mut Exchange> {
    match phase {
        Phase::Connecting(exchange) | Phase::Busy(exchange) => Some(exchange),
        Phase::Idle | Phase::Ending | Phase::Aborted => None,
    }
}
