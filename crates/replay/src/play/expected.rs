//! What a line expects of the host: a frame, none at all, or something that its application hears.

use std::time::Duration;

use framewise::core::Direction;
use framewise_trace::dissect::{Dissection, Frame};

use super::{Player, Stop};
use crate::compare::{Difference, Seen};
use crate::error::PlayError;
use crate::expect;
use crate::outcome::Wrong;
use crate::script::{Expectation, Heard, Step, Timing, When};

impl Player<'_> {
    /// The next frame of the host that nobody has expected yet: its place among all that it sent.
    fn pending(&mut self) -> Option<usize> {
        while self.answered.contains(&self.taken) {
            self.taken += 1;
        }
        (self.taken < self.looked_at).then_some(self.taken)
    }

    pub(super) fn unexpected(&mut self) -> Stop {
        let index = self.pending()?;
        let (at, _) = self.live.sent(index)?;
        let got = self.live.dissection();
        let got = outbound(&got, index).map_or_else(String::new, |frame| frame.summary());
        Some(Wrong::Unexpected { got, at })
    }

    /// Waits for a frame of the host up to then; its place among all that it sent.
    fn wait(&mut self, until: Duration) -> Result<Option<usize>, PlayError> {
        loop {
            if let Some(index) = self.pending() {
                return Ok(Some(index));
            }
            if self.live.now() >= until {
                // Once more: what is due at this very moment may not have been done yet.
                self.live.advance_until_sent(self.live.sent_count(), until)?;
                if self.look()? {
                    continue;
                }
                return Ok(None);
            }
            self.live.advance_until_sent(self.live.sent_count(), until)?;
            self.look()?;
        }
    }

    /// From when up to when something may happen that is expected.
    fn window(&self, when: When) -> (Duration, Duration) {
        let slack = self.slack();
        let around = |time: Duration| (time.saturating_sub(slack), time + slack);
        match when {
            When::Now | When::Then => (Duration::ZERO, self.base + slack),
            When::At(time) => around(time),
            When::After(time) => around(self.base + time),
            When::Between(from, to) => (self.base + from, self.base + to),
        }
    }

    pub(super) fn expect(&mut self, step: &Step, expected: &Expectation) -> Result<Stop, PlayError> {
        let (from, until) = self.window(step.when);
        let Some(index) = self.wait(until)? else {
            let expected = expect::described(step);
            return Ok(Some(Wrong::Missing { expected, until }));
        };
        let at = self.live.sent(index).map_or(self.base, |(at, _)| at);
        let got = self.live.dissection();
        let Some(frame) = outbound(&got, index) else { return Err(PlayError::TooMuch) };
        if let Some(difference) =
            expect::difference(expected, &Seen { dissection: &got, frame }, &expect::described(step))
        {
            return Ok(Some(Wrong::Different(difference)));
        }
        if self.script.timing != Some(Timing::Free) && (at < from || at > until) {
            return Ok(Some(Wrong::Different(Difference::Time { expected: from, got: at })));
        }
        self.note(step, at, Some(Direction::Outbound), frame.summary());
        self.taken = index + 1;
        self.matched += 1;
        self.base = at;
        Ok(None)
    }

    pub(super) fn silence(&mut self, step: &Step) -> Result<Stop, PlayError> {
        let until = self.time_of(step.when);
        self.pass(until)?;
        self.base = until;
        Ok(self.unexpected())
    }

    pub(super) fn hear(&mut self, step: &Step, expected: &Heard) -> Result<Stop, PlayError> {
        let (_, until) = self.window(step.when);
        let mut came = Vec::new();
        loop {
            let Some(heard) = self.live.heard() else {
                if self.live.now() < until {
                    self.live.advance_until_heard(until)?;
                    self.look()?;
                    continue;
                }
                break;
            };
            match (&heard, expected) {
                (Heard::Text(bytes), Heard::Data(_) | Heard::Text(_)) => {
                    came.extend_from_slice(bytes);
                    if expected.is_met_by(&came) {
                        break;
                    }
                }
                _ if expected.is_heard_in(&heard) => {
                    self.base = self.live.now();
                    self.note(step, self.base, None, step.deed.clone());
                    return Ok(None);
                }
                _ => {
                    let got = Some(heard.to_string());
                    return Ok(Some(Wrong::Heard { expected: expected.to_string(), got }));
                }
            }
        }
        if expected.is_met_by(&came) {
            self.base = self.live.now();
            self.note(step, self.base, None, step.deed.clone());
            return Ok(None);
        }
        let got = (!came.is_empty()).then(|| Heard::Text(came).to_string());
        Ok(Some(Wrong::Heard { expected: expected.to_string(), got }))
    }
}

/// The frame of the host at this place among all that it sent.
fn outbound(got: &Dissection, index: usize) -> Option<Frame<'_>> {
    got.frames().filter(|frame| frame.direction() == Some(Direction::Outbound)).nth(index)
}
