//! What follows from what came: heads and bodies are read, rules judged, exchanges and connections ended.

use framewise_core::seams::exchange::{
    ExchangeError, ExchangeUp, RefusedRequest, RequestHead, ServerRequest, Version,
};
use framewise_core::seams::stream::ConnInfo;
use framewise_core::{Cx, Instant};
use http::Method;

use super::answer::refusal_page;
use super::{Exchange, Phase, ServerConn};
use crate::body::{Decoder, Framing};
use crate::head::host::check_connection;
use crate::head::scan::Part;
use crate::head::{HeadReader, parse_request, rules};
use crate::layer::Shared;
use crate::rule::{Refusal, Rule};
use crate::transfer::{Receiving, Sending, length_of};

/// Bytes of an unwanted body that are thrown away after the answer, so that the client can read it.
const DISCARD: usize = 256 * 1024;

/// The request whose head came by this connection, if it may.
fn request_of(bytes: &[u8], fields: usize, by: &ConnInfo) -> Result<RequestHead, Refusal> {
    let head = parse_request(bytes, fields)?;
    check_connection(&head, by.tls.as_ref()).map_err(|rule| rules::locate(rule, bytes))?;
    Ok(head)
}

impl ServerConn {
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
        self.measure(cx.now, &shared.config);
    }

    fn read_head(&mut self, shared: &mut Shared, cx: &mut Cx) -> bool {
        let Phase::Head(reader) = &mut self.phase else {
            return false;
        };
        let begun = reader.has_begun();
        let head = match reader.read(&mut self.wire.inbox) {
            Ok(Some(bytes)) => {
                let length = bytes.len();
                request_of(&bytes, reader.fields(), &self.info).map(|head| (head, length))
            }
            Ok(None) => {
                if !begun && reader.has_begun() {
                    self.since = cx.now;
                }
                return self.wire.peer_closed.is_some() && self.peer_left(cx);
            }
            Err(refusal) => Err(refusal),
        };
        match head {
            Ok((head, length)) => self.begin(head, length, shared, cx),
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

    /// Begins the exchange that a head of so many bytes asks for.
    fn begin(&mut self, head: RequestHead, length: usize, shared: &mut Shared, cx: &mut Cx) {
        let framing = rules::request_framing(&head).unwrap_or(Framing::Length(0));
        let longest = shared.config.request_body_bytes;
        if matches!(framing, Framing::Length(length) if length > longest) {
            return self.refuse(Refusal::new(Rule::BodyTooLong, 0), shared, cx);
        }
        let Ok(id) = shared.exchanges.insert(self.wire.conn) else {
            return self.refuse(Refusal::new(Rule::TooManyExchanges, 0), shared, cx);
        };
        let decoder = Decoder::new(framing, longest, shared.config.limits).behind(length);
        let expects = head.version == Version::Http11 && rules::expectations(&head.headers).next().is_some();
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
        self.is_known = true;
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
                let error = refusal.into_error(&shared.config.limits);
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
        let error = ExchangeError::Truncated {
            received: decoder.received(),
            expected: decoder.expected(),
            unsaid: false,
        };
        self.fail(Refusal::new(Rule::BodyCutShort, 0), error, shared, cx);
    }

    /// A rule was broken within an exchange: answers that, if nothing was answered yet.
    pub(super) fn fail(&mut self, refusal: Refusal, error: ExchangeError, shared: &mut Shared, cx: &mut Cx) {
        let answered = matches!(&self.phase, Phase::Exchange(exchange) if exchange.sending.is_some());
        if answered {
            cx.dropped("http", refusal.rule.name());
            return self.abort(error, shared);
        }
        let method = self.method();
        self.close_exchange(Err(error), shared);
        self.say_refusal(refusal, method, shared, cx);
    }

    /// Answers a head that broke a rule, or came to a server that takes no more.
    pub(super) fn refuse(&mut self, refusal: Refusal, shared: &mut Shared, cx: &mut Cx) {
        let method = self.method();
        self.say_refusal(refusal, method, shared, cx);
    }

    /// What the request under way asks for, as far as that is to be known: HEAD, or anything else.
    fn method(&self) -> Method {
        match &self.phase {
            Phase::Head(reader) if reader.asks_for_head_alone() => Method::HEAD,
            Phase::Exchange(exchange) => exchange.method.clone(),
            _ => Method::GET,
        }
    }

    /// Answers with the status of the broken rule and a page that says it, then closes (RFC 9112, section 9.6).
    fn say_refusal(&mut self, refusal: Refusal, method: Method, shared: &mut Shared, cx: &mut Cx) {
        let rule = refusal.rule;
        cx.dropped("http", rule.name());
        let [head, mut page] = refusal_page(refusal, &shared.config, cx.now);
        // An answer to HEAD is a head, whatever it says (RFC 9110, section 9.3.2).
        if method == Method::HEAD {
            page.clear();
        }
        shared.up.push_back(ExchangeUp::Refused(Box::new(RefusedRequest {
            connection: self.info.clone(),
            line: None,
            status: rule.status(),
            reason: rule.name(),
            answered: page.len() as u64,
        })));
        self.wire.send(head);
        self.wire.send(page);
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

    pub(super) fn finish_connection(&mut self, now: Instant) {
        self.wire.close();
        self.since = now;
        self.phase = Phase::Ending;
    }

    /// Says the last word about the exchange, if there is one.
    pub(super) fn close_exchange(&mut self, result: Result<(), ExchangeError>, shared: &mut Shared) {
        if let Phase::Exchange(exchange) = &self.phase {
            let exchange = exchange.id;
            shared.exchanges.remove(exchange);
            shared.up.push_back(ExchangeUp::Closed { exchange, result });
            self.phase = Phase::Ending;
        }
    }

    pub(super) fn misuse(&mut self, what: &'static str, shared: &mut Shared) {
        self.abort(ExchangeError::Misuse(what), shared);
    }

    pub(super) fn abort(&mut self, error: ExchangeError, shared: &mut Shared) {
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
}
