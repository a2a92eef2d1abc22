//! Patience with a client: for its heads, its bodies, its reading, and its end of the connection.

use framewise_core::seams::exchange::ExchangeError;
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant};

use super::{Phase, ServerConn};
use crate::config::Config;
use crate::layer::Shared;
use crate::rule::{Refusal, Rule};
use crate::transfer::Pace;

impl ServerConn {
    /// Begins or ends the measuring of a peer that we wait for.
    pub(super) fn measure(&mut self, now: Instant, config: &Config) {
        let stuck = !self.wire.is_flushed() && self.wire.held_until().is_none();
        self.writing =
            stuck.then(|| self.writing.unwrap_or(Pace::begin(now, self.wire.sent, config.reader_period)));
        if let Phase::Exchange(exchange) = &mut self.phase {
            let waits = exchange.receiving.credit() > 0;
            let begun = exchange.reading.unwrap_or(Pace::begin(now, self.wire.came, config.pace_period));
            exchange.reading = waits.then_some(begun);
        }
    }

    pub(crate) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let config = &shared.config;
        let writing = self.writing.map(|pace| pace.deadline());
        match &self.phase {
            Phase::Head(reader) if reader.has_begun() || self.answered == 0 => {
                Some(self.since + config.head_timeout)
            }
            Phase::Head(_) => Some(self.since + config.idle_timeout),
            Phase::Exchange(exchange) => {
                let reading = exchange.reading.map(|pace| pace.deadline());
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
                    let error = refusal.into_error(&shared.config.limits);
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
    fn head_too_late(&mut self, begun: bool, shared: &mut Shared, cx: &mut Cx) {
        if begun {
            self.refuse(Refusal::new(Rule::HeadTooSlow, 0), shared, cx);
        } else {
            self.finish_connection(cx.now);
        }
    }
}
