//! What follows from what came: heads and bodies are read, rules judged, exchanges and connections ended.

use framewise_core::Cx;
use framewise_core::seams::exchange::{BodyLength, ExchangeError, ExchangeUp, ResponseHead};
use http::{Method, StatusCode};

use super::exchange::Answer;
use super::{ClientConn, Phase, exchange_of};
use crate::body::{Decoder, Framing};
use crate::head::scan::Part;
use crate::head::{HeadReader, parse_response, rules};
use crate::layer::Shared;
use crate::rule::{Refusal, Rule};
use crate::transfer::{Receiving, length_of};

impl ClientConn {
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
        let read = reader.read(&mut self.wire.inbox);
        let fields = reader.fields();
        let taken = match read {
            Ok(Some(lines)) => {
                parse_response(&lines, fields).and_then(|head| self.answered(head, &lines, shared, cx))
            }
            Ok(None) => return self.ended_without_answer(shared, cx),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = taken {
            self.refuse(refusal, shared, cx);
        }
        true
    }

    /// Takes a complete head, which was read of these lines.
    fn answered(
        &mut self,
        head: ResponseHead,
        lines: &[u8],
        shared: &mut Shared,
        cx: &mut Cx,
    ) -> Result<(), Refusal> {
        let Phase::Busy(exchange) = &mut self.phase else {
            return Ok(());
        };
        let id = exchange.id();
        let framing = rules::response_framing(&head, &exchange.request.head.method);
        let framing = framing.map_err(|rule| rules::locate(rule, lines))?;
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
            let decoder = Decoder::new(framing, u64::MAX, shared.config.limits).behind(lines.len());
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
            _ => exchange.unanswered(),
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
        let truncated = ExchangeError::Truncated {
            received: decoder.received(),
            expected: decoder.expected(),
            unsaid: decoder.is_until_close() && self.wire.peer_closed == Some(false),
        };
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
        let error = match (refusal.rule, &self.phase) {
            (Rule::NotHttp, Phase::Busy(exchange)) => ExchangeError::NotHttp { begins: exchange.begins() },
            _ => refusal.into_error(&shared.config.limits),
        };
        self.fail(error, shared);
    }

    pub(super) fn fail(&mut self, error: ExchangeError, shared: &mut Shared) {
        self.close_exchange(Err(error), shared);
        self.wire.abort(&mut shared.down);
        self.phase = Phase::Aborted;
    }

    pub(super) fn close_exchange(&mut self, result: Result<(), ExchangeError>, shared: &mut Shared) {
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
}

/// What the application is told to expect: of HEAD no body, whatever its fields say.
fn announced(framing: Framing, head: &ResponseHead, method: &Method) -> BodyLength {
    if method == Method::HEAD || rules::is_bodyless(head.status) {
        BodyLength::None
    } else {
        length_of(framing)
    }
}
