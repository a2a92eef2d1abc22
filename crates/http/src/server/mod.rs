//! One connection that a client opened: requests in, one after the other, and the answers out.
//!
//! ```text
//!   Head ──► Exchange ──► Head ──► … ──► Ending ──► (Closed by the layer below)
//!     └── a broken rule: its status, a page that names it ──►┘
//! ```
//!
//! Read RFC 9112 sections 9.3 (persistence, pipelining), 9.6 (closing) and 2.2, RFC 9110 section 10.1.1 first.
//! Pipelined requests wait unread in the inbox, which the credit bounds, until the one before is answered.
//!
//! | to learn | read |
//! |---|---|
//! | what follows from what came | `advance.rs` |
//! | how an answer is framed | `answer.rs` |
//! | who is too slow | `time.rs` |

mod advance;
mod answer;
mod time;

use std::net::IpAddr;

use bytes::Bytes;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ExchangeError, ExchangeUp, ResponseHead, Version};
use framewise_core::seams::stream::{CloseReason, ConnInfo};
use framewise_core::{Cx, Instant, id::ConnId};
use http::Method;

use crate::head::scan::Part;
use crate::head::{HeadReader, rules};
use crate::layer::Shared;
use crate::transfer::{Pace, Receiving, Sending};
use crate::wire::Wire;
use answer::{answer, inform};

/// One accepted connection.
#[derive(Debug)]
pub(crate) struct ServerConn {
    wire: Wire,
    info: ConnInfo,
    phase: Phase,
    /// When the phase, or the head in it, began.
    since: Instant,
    answered: u64,
    draining: bool,
    writing: Option<Pace>,
    discarded: usize,
    /// It has brought a request, and the application has not heard that there will be no more.
    is_known: bool,
}

#[derive(Debug)]
enum Phase {
    Head(HeadReader),
    Exchange(Box<Exchange>),
    Ending,
    Aborted,
}

/// The request that is being answered.
#[derive(Debug)]
struct Exchange {
    id: ExchangeId,
    method: Method,
    version: Version,
    receiving: Receiving,
    sending: Option<Sending>,
    persists: bool,
    /// The client waits for `100 Continue` before it sends the body.
    awaits_continue: bool,
    reading: Option<Pace>,
}

impl ServerConn {
    pub(crate) fn new(conn: ConnId, info: ConnInfo, shared: &Shared, now: Instant) -> Self {
        ServerConn {
            wire: Wire::new(conn),
            info,
            phase: Phase::Head(HeadReader::new(Part::Request, shared.config.limits)),
            since: now,
            answered: 0,
            draining: false,
            writing: None,
            discarded: 0,
            is_known: false,
        }
    }

    /// The port that the client came to.
    pub(crate) fn port(&self) -> u16 {
        self.info.local.port()
    }

    /// Who it is from.
    pub(crate) fn client(&self) -> IpAddr {
        self.info.remote.ip()
    }

    // What the layer below says.

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

    /// The connection is over; the last call.
    pub(crate) fn closed(&mut self, reason: CloseReason, shared: &mut Shared) {
        self.close_exchange(Err(ExchangeError::Connection(reason)), shared);
        self.phase = Phase::Aborted;
    }

    // What the application says.

    pub(crate) fn respond(
        &mut self,
        head: &ResponseHead,
        body: BodyLength,
        shared: &mut Shared,
        cx: &mut Cx,
    ) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        if exchange.sending.is_some() {
            return self.misuse("a request is answered once", shared);
        }
        let result = if head.status.is_informational() {
            inform(exchange, head, &mut self.wire)
        } else {
            exchange.persists &= shared.config.keep_alive
                && !self.draining
                && exchange.receiving.has_ended()
                && !rules::has_option(&head.headers, "close");
            answer(exchange, head, body, &mut self.wire, shared, cx.now)
        };
        if let Err(what) = result {
            return self.misuse(what, shared);
        }
        cx.note("http", "response", || format!("I answer {}", head.status));
    }

    pub(crate) fn body(&mut self, data: Bytes, shared: &mut Shared) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        let result = match &mut exchange.sending {
            Some(sending) => sending.body(data, &mut self.wire),
            None => Err("a body came before its head"),
        };
        if let Err(what) = result {
            self.misuse(what, shared);
        }
    }

    pub(crate) fn end(&mut self, shared: &mut Shared) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        let result = match &mut exchange.sending {
            Some(sending) => sending.end(&mut self.wire),
            None => Err("a body ended before its head"),
        };
        if let Err(what) = result {
            self.misuse(what, shared);
        }
    }

    pub(crate) fn grant(&mut self, bytes: usize) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        exchange.receiving.grant(bytes);
        if std::mem::take(&mut exchange.awaits_continue)
            && exchange.sending.is_none()
            && self.wire.inbox.is_empty()
        {
            self.wire.send(Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n"));
        }
    }

    pub(crate) fn cancel(&mut self, shared: &mut Shared) {
        self.abort(ExchangeError::Cancelled, shared);
    }

    /// Whether bytes of an answer wait for room below.
    pub(crate) fn is_sending(&self) -> bool {
        self.wire.is_sending()
    }

    /// Says that no more requests will come, where somebody wants to know and there were some.
    pub(crate) fn tell_who_left(&mut self, shared: &mut Shared) {
        if matches!(self.phase, Phase::Ending | Phase::Aborted)
            && std::mem::take(&mut self.is_known)
            && shared.config.tells_who_left
        {
            shared.up.push_back(ExchangeUp::Left(Box::new(self.info.clone())));
        }
    }

    /// Finishes what was begun, and takes no more requests.
    pub(crate) fn drain(&mut self, cx: &mut Cx) {
        self.draining = true;
        if matches!(&self.phase, Phase::Head(reader) if !reader.has_begun()) {
            self.finish_connection(cx.now);
        }
    }
}
