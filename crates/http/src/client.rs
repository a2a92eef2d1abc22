//! One connection that this side opened: a request out, its response in, and perhaps the next.
//!
//! ```text
//!   Connecting ──► Busy ──► Idle ──► Busy ──► … ──► Ending ──► (Closed by the layer below)
//! ```
//!
//! Read RFC 9112 sections 6.3, 8 (incomplete messages), 9.3 and 9.5 first. One request at a time is under way: a
//! response belongs to the only request there is, and bytes that belong to none end the connection.

use std::net::SocketAddr;

use framewise_core::Cx;
use framewise_core::Instant;
use framewise_core::id::{ConnId, ExchangeId};
use framewise_core::seams::exchange::{
    BodyLength, ClientRequest, ExchangeError, ExchangeUp, RequestHead, ResponseHead, Version,
};
use framewise_core::seams::stream::{CloseReason, ConnInfo, Security};
use http::{Method, StatusCode};

use bytes::Bytes;

use crate::body::{Decoder, Encoder, Framing};
use crate::config::Config;
use crate::head::scan::Part;
use crate::head::write::{Added, FramingField};
use crate::head::{HeadReader, parse_response, rules, write};
use crate::layer::Shared;
use crate::rule::{Refusal, Rule};
use crate::transfer::{Receiving, Sending, length_of};
use crate::wire::Wire;

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

/// A request under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Box<ClientRequest>,
    head: Bytes,
    sending: Sending,
    /// Bytes of body that the application wants before the response is there.
    credit: usize,
    answer: Answer,
    informational: u8,
    /// The connection had served another request before.
    reused: bool,
    again: bool,
    persists: bool,
}

#[derive(Debug)]
enum Answer {
    Head(HeadReader),
    Body(Receiving),
}

impl Exchange {
    /// Writes the request's head; refused if it can't be a request.
    pub(crate) fn new(request: Box<ClientRequest>, config: &Config) -> Result<Self, &'static str> {
        let (field, encoding) = request_framing(&request.head, request.body)?;
        let persists = config.keep_alive && rules::persists(request.head.version, &request.head.headers);
        let added = Added {
            framing: field,
            product: config.user_agent.as_deref().map(|name| ("User-Agent", name)),
            connection: (!config.keep_alive).then_some("close"),
        };
        let head = write::request(&request.head, &added)?;
        let sending = Sending::new(request.exchange, Some(Encoder::new(encoding)));
        Ok(Exchange {
            request,
            head,
            sending,
            credit: 0,
            answer: Answer::Head(HeadReader::new(Part::Response, config.limits)),
            informational: 0,
            reused: false,
            again: false,
            persists,
        })
    }

    fn id(&self) -> ExchangeId {
        self.request.exchange
    }

    /// Puts the head first on a connection, before the application says more, and after it what a connection that
    /// failed was told already: the end of a body of which nothing was sent.
    fn begin(&mut self, wire: &mut Wire) {
        wire.send(self.head.clone());
        self.sending.end_again(wire);
    }

    /// Whether nothing is lost, and nothing done twice, by asking once more (RFC 9110, section 9.2.2).
    fn may_repeat(&self) -> bool {
        const IDEMPOTENT: [Method; 5] =
            [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS];
        let unanswered = matches!(&self.answer, Answer::Head(reader) if !reader.has_begun());
        self.reused
            && !self.again
            && unanswered
            && self.informational == 0
            && !self.sending.is_touched()
            && IDEMPOTENT.contains(&self.request.head.method)
    }

    fn grant(&mut self, bytes: usize) {
        match &mut self.answer {
            Answer::Head(_) => self.credit = self.credit.saturating_add(bytes),
            Answer::Body(receiving) => receiving.grant(bytes),
        }
    }

    fn credit(&self) -> usize {
        match &self.answer {
            Answer::Head(_) => self.credit,
            Answer::Body(receiving) => receiving.credit(),
        }
    }
}

/// The framing field of a request, and how its body is encoded (RFC 9110, section 8.6).
fn request_framing(head: &RequestHead, body: BodyLength) -> Result<(FramingField, Framing), &'static str> {
    let expected = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
    match body {
        BodyLength::None if expected => Ok((FramingField::Length(0), Framing::Length(0))),
        BodyLength::None => Ok((FramingField::Omitted, Framing::Length(0))),
        BodyLength::Known(length) => Ok((FramingField::Length(length), Framing::Length(length))),
        BodyLength::Unknown if head.version == Version::Http10 => {
            Err("a request of HTTP/1.0 says how long its body is")
        }
        BodyLength::Unknown => Ok((FramingField::Chunked, Framing::Chunked)),
    }
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

    // What follows from it.

    /// Does all that can be done now.
    pub(crate) fn advance(&mut self, shared: &mut Shared, cx: &mut Cx) {
        loop {
            let moved = match &self.phase {
                Phase::Busy(exchange) => match exchange.answer {
                    Answer::Head(_) => self.read_head(shared, cx),
                    Answer::Body(_) => self.read_body(shared, cx),
                },
                Phase::Idle => self.rest(cx),
                Phase::Ending => self.wire.inbox.pop().is_some(),
                Phase::Connecting(_) => false,
                Phase::Aborted => return,
            };
            let sent = self.wire.flush(cx.now, &mut shared.down);
            if !(moved || sent) {
                break;
            }
        }
        self.exchange_credit(shared);
    }

    /// Between two requests nothing may come but the end.
    fn rest(&mut self, cx: &mut Cx) -> bool {
        let stray = !self.wire.inbox.is_empty();
        if stray {
            cx.dropped("http", "bytes that belong to no request");
        }
        if stray || self.wire.peer_closed.is_some() {
            self.finish(cx.now);
            return true;
        }
        false
    }

    fn read_head(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let Phase::Busy(exchange) = &mut self.phase else {
            return false;
        };
        let Answer::Head(reader) = &mut exchange.answer else {
            return false;
        };
        let head = match reader.read(&mut self.wire.inbox) {
            Ok(Some(bytes)) => parse_response(&bytes, reader.fields()),
            Ok(None) => return self.ended_without_answer(shared, cx),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = head.and_then(|head| self.answered(head, shared, cx)) {
            self.refuse(refusal, shared, cx);
        }
        true
    }

    /// Takes a complete head.
    fn answered(&mut self, head: ResponseHead, shared: &mut Shared, cx: &mut Cx) -> Result<(), Refusal> {
        let Phase::Busy(exchange) = &mut self.phase else {
            return Ok(());
        };
        let id = exchange.id();
        let framing = rules::response_framing(&head, &exchange.request.head.method);
        let framing = framing.map_err(|rule| Refusal::new(rule, 0))?;
        cx.note("http", "response", || format!("the answer is {}", head.status));
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Refusal::new(Rule::SwitchingProtocols, 0));
        }
        if head.status.is_informational() {
            exchange.informational = exchange.informational.saturating_add(1);
            if exchange.informational > shared.config.informational_responses {
                return Err(Refusal::new(Rule::TooManyInformational, 0));
            }
            exchange.answer = Answer::Head(HeadReader::new(Part::Response, shared.config.limits));
        } else {
            exchange.persists &=
                rules::persists(head.version, &head.headers) && framing != Framing::UntilClose;
            let decoder = Decoder::new(framing, u64::MAX, shared.config.limits);
            exchange.answer = Answer::Body(Receiving::new(id, decoder, exchange.credit));
        }
        let body = announced(framing, &head, &exchange.request.head.method);
        shared.up.push_back(ExchangeUp::Response { exchange: id, head: Box::new(head), body });
        Ok(())
    }

    /// The connection may have ended before a head was complete.
    fn ended_without_answer(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        if self.gone.is_none() && self.wire.peer_closed.is_none() {
            return false;
        }
        let Phase::Busy(exchange) = &self.phase else {
            return false;
        };
        if exchange.may_repeat() {
            self.repeat(cx);
            return true;
        }
        let error = match &self.gone {
            Some(reason) if self.wire.peer_closed.is_none() => ExchangeError::Connection(reason.clone()),
            _ => ExchangeError::NoAnswer,
        };
        self.fail(error, shared);
        true
    }

    /// Hands the request back, to be sent on a fresh connection.
    fn repeat(&mut self, cx: &mut Cx) {
        let now = cx.now;
        if let Phase::Busy(mut exchange) = std::mem::replace(&mut self.phase, Phase::Ending) {
            exchange.again = true;
            self.orphan = Some(exchange);
        }
        cx.note("http", "request", || "the kept connection had ended; I ask again on a new one".to_owned());
        self.finish(now);
    }

    fn read_body(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let Phase::Busy(exchange) = &mut self.phase else {
            return false;
        };
        let Answer::Body(receiving) = &mut exchange.answer else {
            return false;
        };
        match receiving.advance(&mut self.wire, &mut shared.up) {
            Err(refusal) => self.refuse(refusal, shared, cx),
            Ok(_) if receiving.has_ended() => self.complete(shared, cx),
            Ok(true) => {}
            Ok(false) => return self.body_ended(shared, cx),
        }
        true
    }

    /// The connection may have ended within the body: its end, or a cut (RFC 9112, section 8).
    fn body_ended(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let over = self.gone.is_some() || self.wire.peer_closed.is_some();
        if !over || !self.wire.inbox.is_empty() {
            return false;
        }
        let Phase::Busy(exchange) = &mut self.phase else {
            return false;
        };
        let Answer::Body(receiving) = &mut exchange.answer else {
            return false;
        };
        let decoder = receiving.decoder();
        if decoder.is_until_close() && self.wire.peer_closed == Some(true) {
            receiving.end(&mut shared.up);
            self.complete(shared, cx);
            return true;
        }
        let truncated =
            ExchangeError::Truncated { received: decoder.received(), expected: decoder.expected() };
        let error = match &self.gone {
            Some(reason) if self.wire.peer_closed.is_none() => ExchangeError::Connection(reason.clone()),
            _ => truncated,
        };
        self.fail(error, shared);
        true
    }

    /// The response is complete.
    fn complete(&mut self, shared: &mut Shared, cx: &mut Cx) {
        let Phase::Busy(exchange) = &self.phase else {
            return;
        };
        let asked = exchange.sending.has_ended() || exchange.request.body == BodyLength::None;
        let asked = asked && self.wire.is_flushed();
        let persists = exchange.persists;
        self.close_exchange(Ok(()), shared);
        self.since = cx.now;
        if !asked {
            // Answered before it was all said: the rest of the request is of no use to anyone.
            self.wire.abort(&mut shared.down);
            self.phase = Phase::Aborted;
        } else if persists && self.gone.is_none() && self.wire.peer_closed.is_none() {
            self.phase = Phase::Idle;
        } else {
            self.finish(cx.now);
        }
    }

    fn refuse(&mut self, refusal: Refusal, shared: &mut Shared, cx: &mut Cx) {
        cx.dropped("http", refusal.rule.name());
        let error = refusal.into_error(shared.config.limits.head_bytes);
        self.fail(error, shared);
    }

    fn fail(&mut self, error: ExchangeError, shared: &mut Shared) {
        self.close_exchange(Err(error), shared);
        self.wire.abort(&mut shared.down);
        self.phase = Phase::Aborted;
    }

    fn close_exchange(&mut self, result: Result<(), ExchangeError>, shared: &mut Shared) {
        if let Some(exchange) = exchange_of(&mut self.phase) {
            let exchange = exchange.id();
            shared.asked.remove(exchange);
            shared.up.push_back(ExchangeUp::Closed { exchange, result });
            self.phase = Phase::Ending;
        }
    }

    fn exchange_credit(&mut self, shared: &mut Shared) {
        let window = shared.config.limits.head_bytes;
        let wanted = match &mut self.phase {
            Phase::Busy(exchange) => {
                exchange.sending.offer(&self.wire, &shared.config, &mut shared.up);
                window.saturating_add(exchange.credit())
            }
            Phase::Idle => window,
            Phase::Connecting(_) | Phase::Ending | Phase::Aborted => 0,
        };
        if self.wire.peer_closed.is_none() {
            self.wire.grant(wanted, &mut shared.down);
        }
    }

    // Time.

    pub(crate) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        if self.gone.is_some() {
            return None;
        }
        match &self.phase {
            Phase::Busy(_) => self.wire.held_until(),
            Phase::Idle => Some(self.since + shared.config.idle_timeout),
            Phase::Ending => Some(self.since + shared.config.linger),
            Phase::Connecting(_) | Phase::Aborted => None,
        }
    }

    pub(crate) fn timeout(&mut self, shared: &mut Shared, now: Instant) {
        match &self.phase {
            Phase::Idle if now >= self.since + shared.config.idle_timeout => self.finish(now),
            Phase::Ending if now >= self.since + shared.config.linger => {
                self.wire.abort(&mut shared.down);
                self.phase = Phase::Aborted;
            }
            _ => {}
        }
    }
}

fn exchange_of(phase: &mut Phase) -> Option<&mut Exchange> {
    match phase {
        Phase::Connecting(exchange) | Phase::Busy(exchange) => Some(exchange),
        Phase::Idle | Phase::Ending | Phase::Aborted => None,
    }
}

/// What the application is told to expect: of HEAD no body, whatever its fields say.
fn announced(framing: Framing, head: &ResponseHead, method: &Method) -> BodyLength {
    if method == Method::HEAD || rules::is_bodyless(head.status) {
        BodyLength::None
    } else {
        length_of(framing)
    }
}
