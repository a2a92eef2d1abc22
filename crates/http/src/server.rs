//! One connection that a client opened: requests in, one after the other, and the answers out.
//!
//! ```text
//!   Head ──► Exchange ──► Head ──► … ──► Ending ──► (Closed by the layer below)
//!     └── a broken rule: its status, a page that names it ──►┘
//! ```
//!
//! Read RFC 9112 sections 9.3 (persistence, pipelining), 9.6 (closing) and 2.2, RFC 9110 section 10.1.1 first.
//! Pipelined requests wait unread in the inbox, which the credit bounds, until the one before is answered.

use framewise_core::Instant;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{
    BodyLength, ExchangeError, ExchangeUp, RequestHead, ResponseHead, ServerRequest, Version,
};
use framewise_core::seams::stream::{CloseReason, ConnInfo};
use framewise_core::time::earliest;
use framewise_core::{Cx, id::ConnId};
use http::{Method, StatusCode};

use bytes::Bytes;

use crate::body::{Decoder, Encoder, Framing};
use crate::head::scan::Part;
use crate::head::write::{Added, FramingField};
use crate::head::{HeadReader, parse_request, rules, write};
use crate::layer::Shared;
use crate::rule::{Refusal, Rule};
use crate::transfer::{Pace, Receiving, Sending, length_of};
use crate::wire::Wire;

/// Bytes of an unwanted body that are thrown away after the answer, so that the client can read it.
const DISCARD: usize = 256 * 1024;

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
        }
    }

    /// The port that the client came to.
    pub(crate) fn port(&self) -> u16 {
        self.info.local.port()
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

    /// Finishes what was begun, and takes no more requests.
    /// Whether bytes of an answer wait for room below.
    pub(crate) fn is_sending(&self) -> bool {
        self.wire.is_sending()
    }

    pub(crate) fn drain(&mut self, cx: &mut Cx) {
        self.draining = true;
        if matches!(&self.phase, Phase::Head(reader) if !reader.has_begun()) {
            self.finish_connection(cx.now);
        }
    }

    // What follows from it.

    /// Does all that can be done now.
    pub(crate) fn advance(&mut self, shared: &mut Shared, cx: &mut Cx) {
        loop {
            let read = match &self.phase {
                Phase::Head(_) => self.read_head(shared, cx),
                Phase::Exchange(_) => self.read_body(shared, cx),
                Phase::Ending => self.discard(),
                Phase::Aborted => return,
            };
            let sent = self.wire.flush(cx.now, &mut shared.down);
            let finished = self.finish_exchange(shared, cx.now);
            if !(read || sent || finished) {
                break;
            }
        }
        self.exchange_credit(shared);
        self.measure(cx.now);
    }

    fn read_head(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let Phase::Head(reader) = &mut self.phase else {
            return false;
        };
        let begun = reader.has_begun();
        let head = match reader.read(&mut self.wire.inbox) {
            Ok(Some(bytes)) => parse_request(&bytes, reader.fields()),
            Ok(None) => {
                if !begun && reader.has_begun() {
                    self.since = cx.now;
                }
                return self.wire.peer_closed.is_some() && self.peer_left(cx);
            }
            Err(refusal) => Err(refusal),
        };
        match head {
            Ok(head) => self.begin(head, shared, cx),
            Err(refusal) => self.refuse(refusal, shared, cx),
        }
        true
    }

    /// The client closed between two requests, or within a head.
    fn peer_left(&mut self, cx: &mut Cx) -> bool {
        if matches!(&self.phase, Phase::Head(reader) if reader.has_begun()) {
            cx.dropped("http", "head cut short");
        }
        self.finish_connection(cx.now);
        true
    }

    fn begin(&mut self, head: RequestHead, shared: &mut Shared, cx: &mut Cx) {
        let framing = rules::request_framing(&head).unwrap_or(Framing::Length(0));
        let longest = shared.config.request_body_bytes;
        if matches!(framing, Framing::Length(length) if length > longest) {
            return self.refuse(Refusal::new(Rule::BodyTooLong, 0), shared, cx);
        }
        let Ok(id) = shared.exchanges.insert(self.wire.conn) else {
            return self.refuse(Refusal::new(Rule::TooManyExchanges, 0), shared, cx);
        };
        let decoder = Decoder::new(framing, longest, shared.config.limits);
        let expects = head.version == Version::Http11 && head.headers.contains("expect");
        self.phase = Phase::Exchange(Box::new(Exchange {
            id,
            method: head.method.clone(),
            version: head.version,
            awaits_continue: expects && !decoder.is_complete(),
            receiving: Receiving::new(id, decoder, 0),
            sending: None,
            persists: rules::persists(head.version, &head.headers),
            reading: None,
        }));
        cx.note("http", "request", || format!("I am asked: {} {}", head.method, head.target));
        shared.up.push_back(ExchangeUp::Request(Box::new(ServerRequest {
            exchange: id,
            connection: self.info.clone(),
            head,
            body: length_of(framing),
        })));
    }

    fn read_body(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return false;
        };
        let receiving = &mut exchange.receiving;
        match receiving.advance(&mut self.wire, &mut shared.up) {
            Err(refusal) => {
                let error = refusal.into_error(shared.config.limits.head_bytes);
                self.fail(refusal, error, shared, cx);
                true
            }
            Ok(false) if self.is_cut_short() => {
                self.body_cut_short(shared, cx);
                true
            }
            Ok(moved) => moved,
        }
    }

    /// Whether the client has left before its body was complete.
    fn is_cut_short(&self) -> bool {
        let Phase::Exchange(exchange) = &self.phase else {
            return false;
        };
        let over = self.wire.peer_closed.is_some() && self.wire.inbox.is_empty();
        over && !exchange.receiving.has_ended()
    }

    fn body_cut_short(&mut self, shared: &mut Shared, cx: &mut Cx) {
        let Phase::Exchange(exchange) = &self.phase else {
            return;
        };
        let decoder = exchange.receiving.decoder();
        let error = ExchangeError::Truncated { received: decoder.received(), expected: decoder.expected() };
        self.fail(Refusal::new(Rule::BodyCutShort, 0), error, shared, cx);
    }

    /// A rule was broken within an exchange: answers that, if nothing was answered yet.
    fn fail(&mut self, refusal: Refusal, error: ExchangeError, shared: &mut Shared, cx: &mut Cx) {
        let answered = matches!(&self.phase, Phase::Exchange(exchange) if exchange.sending.is_some());
        if answered {
            cx.dropped("http", refusal.rule.name());
            return self.abort(error, shared);
        }
        self.close_exchange(Err(error), shared);
        self.refuse(refusal, shared, cx);
    }

    /// Answers with the status of the broken rule and a page that says it, then closes (RFC 9112, section 9.6).
    fn refuse(&mut self, refusal: Refusal, shared: &Shared, cx: &mut Cx) {
        cx.dropped("http", refusal.rule.name());
        for piece in refusal_page(refusal, shared.config.server.as_deref()) {
            self.wire.send(piece);
        }
        self.finish_connection(cx.now);
    }

    fn finish_exchange(&mut self, shared: &mut Shared, now: Instant) -> bool {
        let Phase::Exchange(exchange) = &self.phase else {
            return false;
        };
        let sent = exchange.sending.as_ref().is_some_and(Sending::has_ended);
        if !sent || !self.wire.is_flushed() {
            return false;
        }
        let persists = exchange.persists && !self.draining;
        self.close_exchange(Ok(()), shared);
        self.answered = self.answered.saturating_add(1);
        self.since = now;
        if persists {
            self.phase = Phase::Head(HeadReader::new(Part::Request, shared.config.limits));
        } else {
            self.finish_connection(now);
        }
        true
    }

    fn finish_connection(&mut self, now: Instant) {
        self.wire.close();
        self.since = now;
        self.phase = Phase::Ending;
    }

    /// Says the last word about the exchange, if there is one.
    fn close_exchange(&mut self, result: Result<(), ExchangeError>, shared: &mut Shared) {
        if let Phase::Exchange(exchange) = &self.phase {
            let exchange = exchange.id;
            shared.exchanges.remove(exchange);
            shared.up.push_back(ExchangeUp::Closed { exchange, result });
            self.phase = Phase::Ending;
        }
    }

    fn misuse(&mut self, what: &'static str, shared: &mut Shared) {
        self.abort(ExchangeError::Misuse(what), shared);
    }

    fn abort(&mut self, error: ExchangeError, shared: &mut Shared) {
        self.close_exchange(Err(error), shared);
        self.wire.abort(&mut shared.down);
        self.phase = Phase::Aborted;
    }

    /// Throws away what comes after the last answer.
    fn discard(&mut self) -> bool {
        let mut moved = false;
        while let Some(piece) = self.wire.inbox.pop() {
            self.discarded = self.discarded.saturating_add(piece.len());
            moved = true;
        }
        moved
    }

    /// Tells both neighbours how much more may come.
    fn exchange_credit(&mut self, shared: &mut Shared) {
        let window = shared.config.limits.head_bytes;
        let wanted = match &mut self.phase {
            Phase::Head(_) => window,
            Phase::Exchange(exchange) => {
                if let Some(sending) = &mut exchange.sending {
                    sending.offer(&self.wire, &shared.config, &mut shared.up);
                }
                window.saturating_add(exchange.receiving.credit())
            }
            Phase::Ending if self.discarded < DISCARD => window,
            Phase::Ending | Phase::Aborted => 0,
        };
        if self.wire.peer_closed.is_none() {
            self.wire.grant(wanted, &mut shared.down);
        }
    }

    // Time.

    /// Begins or ends the measuring of a peer that we wait for.
    fn measure(&mut self, now: Instant) {
        let stuck = !self.wire.is_flushed() && self.wire.held_until().is_none();
        self.writing = stuck.then(|| self.writing.unwrap_or(Pace::begin(now, self.wire.sent)));
        if let Phase::Exchange(exchange) = &mut self.phase {
            let waits = exchange.receiving.credit() > 0;
            let begun = exchange.reading.unwrap_or(Pace::begin(now, self.wire.came));
            exchange.reading = waits.then_some(begun);
        }
    }

    pub(crate) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let config = &shared.config;
        let writing = self.writing.map(|pace| pace.deadline(config));
        match &self.phase {
            Phase::Head(reader) if reader.has_begun() || self.answered == 0 => {
                Some(self.since + config.head_timeout)
            }
            Phase::Head(_) => Some(self.since + config.idle_timeout),
            Phase::Exchange(exchange) => {
                let reading = exchange.reading.map(|pace| pace.deadline(config));
                earliest(self.wire.held_until(), earliest(reading, writing))
            }
            Phase::Ending if self.wire.is_closed() => Some(self.since + config.linger),
            Phase::Ending => writing,
            Phase::Aborted => None,
        }
    }

    pub(crate) fn timeout(&mut self, shared: &mut Shared, cx: &mut Cx) {
        let now = cx.now;
        let sent = self.wire.sent;
        if self.writing.as_mut().is_some_and(|pace| pace.is_too_slow(now, sent, &shared.config)) {
            cx.dropped("http", "reader too slow");
            return self.abort(ExchangeError::TimedOut("sending the answer"), shared);
        }
        let came = self.wire.came;
        match &mut self.phase {
            Phase::Head(reader) => {
                let begun = reader.has_begun();
                if self.deadline(shared).is_some_and(|deadline| deadline <= now) {
                    self.head_too_late(begun, shared, cx);
                }
            }
            Phase::Exchange(exchange) => {
                let slow = |pace: &mut Pace| pace.is_too_slow(now, came, &shared.config);
                if exchange.reading.as_mut().is_some_and(slow) {
                    let refusal = Refusal::new(Rule::BodyTooSlow, 0);
                    let error = refusal.into_error(shared.config.limits.head_bytes);
                    self.fail(refusal, error, shared, cx);
                }
            }
            Phase::Ending => {
                if self.wire.is_closed() && now >= self.since + shared.config.linger {
                    self.abort(ExchangeError::TimedOut("closing"), shared);
                }
            }
            Phase::Aborted => {}
        }
    }

    /// No head in time: said to a client that began one; an idle connection is just closed.
    fn head_too_late(&mut self, begun: bool, shared: &Shared, cx: &mut Cx) {
        if begun {
            self.refuse(Refusal::new(Rule::HeadTooSlow, 0), shared, cx);
        } else {
            self.finish_connection(cx.now);
        }
    }
}

/// Writes an informational response; a client of HTTP/1.0 knows none.
fn inform(exchange: &mut Exchange, head: &ResponseHead, wire: &mut Wire) -> Result<(), &'static str> {
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err("protocols are not switched here");
    }
    exchange.awaits_continue &= head.status != StatusCode::CONTINUE;
    let added = Added { framing: FramingField::Omitted, product: None, connection: None };
    let bytes = write::response(head, &added)?;
    if exchange.version == Version::Http11 {
        wire.send(bytes);
    }
    Ok(())
}

/// Writes the head of the answer and prepares for its body.
fn answer(
    exchange: &mut Exchange,
    head: &ResponseHead,
    body: BodyLength,
    wire: &mut Wire,
    shared: &Shared,
    now: Instant,
) -> Result<(), &'static str> {
    let (field, encoding) = answer_framing(exchange, head.status, body);
    exchange.persists &= encoding != Some(Framing::UntilClose);
    let connection = match (exchange.persists, exchange.version) {
        (false, _) => Some("close"),
        (true, Version::Http10) => Some("keep-alive"),
        (true, Version::Http11) => None,
    };
    let added = Added {
        framing: field,
        product: shared.config.server.as_deref().map(|name| ("Server", name)),
        connection,
    };
    wire.send(write::response(head, &added)?);
    exchange.awaits_continue = false;
    exchange.sending = Some(Sending::new(exchange.id, encoding.map(Encoder::new)));
    if encoding.is_some_and(|encoding| encoding != Framing::Length(0)) {
        wire.hold_until(now + shared.config.gather);
    }
    Ok(())
}

/// The framing field of an answer, and how its body is encoded, if it may have one (RFC 9112, section 6.3).
fn answer_framing(
    exchange: &Exchange,
    status: StatusCode,
    body: BodyLength,
) -> (FramingField, Option<Framing>) {
    let old = exchange.version == Version::Http10;
    let (field, encoding) = match body {
        BodyLength::None => (FramingField::Length(0), Framing::Length(0)),
        BodyLength::Known(length) => (FramingField::Length(length), Framing::Length(length)),
        BodyLength::Unknown if old => (FramingField::Omitted, Framing::UntilClose),
        BodyLength::Unknown => (FramingField::Chunked, Framing::Chunked),
    };
    if rules::is_bodyless(status) {
        return (FramingField::Omitted, None);
    }
    match (exchange.method == Method::HEAD, body) {
        (false, _) => (field, Some(encoding)),
        (true, BodyLength::None) => (FramingField::Given, None),
        (true, _) => (field, None),
    }
}

/// A short page that says which rule was broken.
fn refusal_page(refusal: Refusal, server: Option<&str>) -> [Bytes; 2] {
    let Refusal { rule, offset } = refusal;
    let status = rule.status();
    let text = format!("{status}\n\n{}: {rule}.\nSeen at byte {offset}.\n", rule.name());
    let mut head = ResponseHead {
        version: Version::Http11,
        status,
        reason: String::new(),
        headers: [("Content-Type", "text/plain; charset=utf-8")].into_iter().collect(),
    };
    if rule == Rule::TooManyExchanges {
        head.headers.push("Retry-After", "1");
    }
    let added = Added {
        framing: FramingField::Length(text.len() as u64),
        product: server.map(|name| ("Server", name)),
        connection: Some("close"),
    };
    // Only a product's name that is no field value could stand in the way: then the page goes without it.
    let written = write::response(&head, &added).or_else(|_| {
        let nameless = Added { product: None, ..added };
        write::response(&head, &nameless)
    });
    [written.unwrap_or_default(), Bytes::from(text)]
}
