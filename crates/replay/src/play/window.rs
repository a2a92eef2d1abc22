//! When something may happen that a line expects.

use std::time::Duration;

use super::Player;
use crate::script::{Timing, When};

/// The times that a line names, and what is allowed around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    first: Duration,
    last: Duration,
    slack: Duration,
    is_free: bool,
}

impl Window {
    /// Up to when it may happen.
    pub(super) fn until(&self) -> Duration {
        self.last + self.slack
    }

    /// Where this is too early or too late: when it should have been, as the line says.
    pub(super) fn missed(&self, at: Duration) -> Option<Duration> {
        let is_early = at + self.slack < self.first;
        let due = if is_early { self.first } else { self.last };
        (!self.is_free && (is_early || at > self.until())).then_some(due)
    }
}

impl Player<'_> {
    /// When something may happen that is expected.
    pub(super) fn window(&self, when: When) -> Window {
        let at = |time| (time, time, self.slack());
        let (first, last, slack) = match when {
            When::Now | When::Then => (Duration::ZERO, self.base, self.slack()),
            When::At(time) => at(time),
            When::After(time) => at(self.base + time),
            When::Between(from, to) => (self.base + from, self.base + to, Duration::ZERO),
        };
        Window { first, last, slack, is_free: self.script.timing == Some(Timing::Free) }
    }
}
