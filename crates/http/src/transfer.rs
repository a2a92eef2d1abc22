//! One body on its way through the layer: in at one seam, out at the other, under the credit of both.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use framewise_core::Instant;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ExchangeUp};

use crate::body::{Decoded, Decoder, Encoder, Framing};
use crate::config::Config;
use crate::rule::Refusal;
use crate::wire::{LITTLE, Wire};

/// A body that comes up.
#[derive(Debug)]
pub(crate) struct Receiving {
    exchange: ExchangeId,
    decoder: Decoder,
    credit: usize,
    ended: bool,
}

impl Receiving {
    pub(crate) fn new(exchange: ExchangeId, decoder: Decoder, credit: usize) -> Self {
        Receiving { exchange, decoder, credit, ended: false }
    }

    pub(crate) fn grant(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes);
    }

    /// How much of it the application wants.
    pub(crate) fn credit(&self) -> usize {
        if self.ended { 0 } else { self.credit }
    }

    /// Whether `End` was said.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Brings up what may come up; whether anything moved.
    pub(crate) fn advance(
        &mut self,
        wire: &mut Wire,
        up: &mut VecDeque<ExchangeUp>,
    ) -> Result<bool, Refusal> {
        if self.ended {
            return Ok(false);
        }
        let exchange = self.exchange;
        let mut moved = false;
        loop {
            let mut piece = wire.inbox.pop().unwrap_or_default();
            let before = piece.len();
            let decoded = self.decoder.decode(&mut piece, self.credit);
            let stuck = piece.len() == before;
            wire.inbox.put_back(piece);
            match decoded? {
                Decoded::Data(data) => {
                    self.credit = self.credit.saturating_sub(data.len());
                    up.push_back(ExchangeUp::Body { exchange, data });
                }
                Decoded::Complete => {
                    self.end(up);
                    return Ok(true);
                }
                Decoded::More if stuck => return Ok(moved),
                Decoded::More => {}
            }
            moved = true;
        }
    }

    /// The body is complete.
    pub(crate) fn end(&mut self, up: &mut VecDeque<ExchangeUp>) {
        self.ended = true;
        up.push_back(ExchangeUp::End { exchange: self.exchange });
    }
}

/// What a body's framing tells the application.
pub(crate) fn length_of(framing: Framing) -> BodyLength {
    match framing {
        Framing::Length(0) => BodyLength::None,
        Framing::Length(length) => BodyLength::Known(length),
        Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
    }
}

/// A body that goes down.
#[derive(Debug)]
pub(crate) struct Sending {
    exchange: ExchangeId,
    /// `None`: it is thrown away, for there is no place for it (HEAD, 204, 304).
    encoder: Option<Encoder>,
    credit: usize,
    touched: bool,
    ended: bool,
}

impl Sending {
    pub(crate) fn new(exchange: ExchangeId, encoder: Option<Encoder>) -> Self {
        Sending { exchange, encoder, credit: 0, touched: false, ended: false }
    }

    /// Whether the application has ended it.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether any of it was taken.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Tells the application how much more may come.
    pub(crate) fn offer(&mut self, wire: &Wire, config: &Config, up: &mut VecDeque<ExchangeUp>) {
        let window = config.body_window.max(LITTLE);
        let left = match &self.encoder {
            _ if self.ended => 0,
            Some(encoder) => usize::try_from(encoder.left().unwrap_or(u64::MAX)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let room = if self.encoder.is_some() { wire.body_room(window) } else { window };
        let more = room.min(left).saturating_sub(self.credit);
        // Not for every few bytes: for the rest of the body, or a good part of what fits.
        let worth = if self.credit == 0 { LITTLE / 2 } else { window / 4 };
        if more > 0 && more >= worth.min(left.saturating_sub(self.credit)) {
            self.credit = self.credit.saturating_add(more);
            let exchange = self.exchange;
            up.push_back(ExchangeUp::Writable { exchange, bytes: more });
        }
    }

    /// Takes a piece from the application.
    pub(crate) fn body(&mut self, data: Bytes, wire: &mut Wire) -> Result<(), &'static str> {
        if self.ended {
            return Err("a body went on after its end");
        }
        self.credit = self.credit.checked_sub(data.len()).ok_or("more body than the credit allowed")?;
        self.touched |= !data.is_empty();
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        encoder.data(data, |piece| wire.send(piece))?;
        if encoder.left() == Some(0) {
            wire.release();
        }
        Ok(())
    }

    /// Takes the end of the body from the application.
    pub(crate) fn end(&mut self, wire: &mut Wire) -> Result<(), &'static str> {
        if self.ended {
            return Err("a body ended twice");
        }
        self.ended = true;
        wire.release();
        self.write_end(wire)
    }

    /// Writes the end once more, if the application has said it: the connection it was written to came to nothing.
    pub(crate) fn end_again(&mut self, wire: &mut Wire) {
        if self.ended {
            // What could be wrong with it was said the first time.
            let _ = self.write_end(wire);
        }
    }

    fn write_end(&mut self, wire: &mut Wire) -> Result<(), &'static str> {
        match &mut self.encoder {
            Some(encoder) => encoder.end(|piece| wire.send(piece)),
            None => Ok(()),
        }
    }
}

/// How fast the peer is, measured over one period after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    since: Instant,
    count: u64,
    period: Duration,
}

impl Pace {
    /// Begins to measure. A rate by the second is measured over a second at least; a period of nothing would be over as soon as
    /// it began.
    pub(crate) fn begin(now: Instant, count: u64, period: Duration) -> Self {
        Pace { since: now, count, period: period.max(Duration::from_secs(1)) }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.since + self.period
    }

    /// Whether the peer, having moved `count` bytes so far, was too slow in the period that is over.
    pub(crate) fn is_too_slow(&mut self, now: Instant, count: u64, config: &Config) -> bool {
        if now < self.deadline() {
            return false;
        }
        let moved = count.saturating_sub(self.count);
        let least = config.minimum_rate.saturating_mul(self.period.as_secs());
        *self = Pace { since: now, count, ..*self };
        moved < least
    }
}
