//! What a line expects of the host: a frame, none at all, or something that its application hears.

use std::time::Duration;

use framewise::core::Direction;
use framewise_trace::dissect::{Dissection, Frame};

use super::{Player, Stop};
use crate::compare::{Difference, Seen};
use crate::error::PlayError;
use crate::expect;
use crate::outcome::Wrong;
use crate::script::{Expectation, Heard, Step};

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

    pub(super) fn expect(&mut self, step: &Step, expected: &Expectation) -> Result<Stop, PlayError> {
        let window = self.window(step.when);
        let Some(index) = self.wait(window.until())? else {
            let expected = expect::described(step);
            return Ok(Some(Wrong::Missing { expected, until: window.until() }));
        };
        let at = self.live.sent(index).map_or(self.base, |(at, _)| at);
        let got = self.live.dissection();
        let Some(frame) = outbound(&got, index) else { return Err(PlayError::TooMuch) };
        if let Some(difference) =
            expect::difference(expected, &Seen { dissection: &got, frame }, &expect::described(step))
        {
            return Ok(Some(Wrong::Different(difference)));
        }
        if let Some(expected) = window.missed(at) {
            return Ok(Some(Wrong::Different(Difference::Time { expected, got: at })));
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
        let window = self.window(step.when);
        let (at, heard) = self.listen(expected, window.until())?;
        let wanted = || expected.to_string();
        let is_right = match &heard {
            Some(Heard::Text(bytes)) => expected.is_met_by(bytes),
            Some(heard) => expected.is_heard_in(heard),
            None => expected.is_met_by(&[]),
        };
        if !is_right {
            let got = heard.map(|heard| heard.to_string());
            return Ok(Some(Wrong::Heard { expected: wanted(), got }));
        }
        if let Some(due) = window.missed(at) {
            return Ok(Some(Wrong::HeardAt { expected: wanted(), due, at }));
        }
        self.note(step, at, None, step.deed.clone());
        self.base = at;
        Ok(None)
    }

    /// What the application hears next, and when; where bytes are expected, all of them up to then.
    fn listen(&mut self, expected: &Heard, until: Duration) -> Result<(Duration, Option<Heard>), PlayError> {
        let (mut came, mut last) = (Vec::new(), None);
        loop {
            match self.live.heard() {
                Some((at, Heard::Text(bytes))) if matches!(expected, Heard::Data(_) | Heard::Text(_)) => {
                    came.extend(bytes);
                    last = Some(at);
                    if expected.is_met_by(&came) {
                        break;
                    }
                }
                Some((at, heard)) => return Ok((at, Some(heard))),
                None if self.live.now() < until => {
                    self.live.advance_until_heard(until)?;
                    self.look()?;
                }
                None => break,
            }
        }
        Ok((last.unwrap_or(self.live.now()), last.map(|_| Heard::Text(came))))
    }
}

/// The frame of the host at this place among all that it sent.
fn outbound(got: &Dissection, index: usize) -> Option<Frame<'_>> {
    got.frames().filter(|frame| frame.direction() == Some(Direction::Outbound)).nth(index)
}
