//! When something may happen that a line expects.

use std::time::Duration;

use super::Player;
use crate::script::{Timing, When};

/// The times that a line names, and what is allowed around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    first: Duration,
    last: Duration,
    /// How much sooner or later it may be; `None`: at any time.
    slack: Option<Duration>,
}

impl Window {
    /// Up to when it may happen.
    pub(super) fn until(&self) -> Duration {
        self.last + self.slack.unwrap_or(Timing::PATIENCE)
    }

    /// Where this is too early or too late: when it should have been, as the line says.
    pub(super) fn missed(&self, at: Duration) -> Option<Duration> {
        let is_early = at + self.slack? < self.first;
        let due = if is_early { self.first } else { self.last };
        (is_early || at > self.until()).then_some(due)
    }
}

impl Player<'_> {
    /// When something may happen that is expected.
    pub(super) fn window(&self, when: When) -> Window {
        let (first, last) = match when {
            When::Now | When::Then => (Duration::ZERO, self.base),
            When::At(time) => (time, time),
            When::After(time) => (self.base + time, self.base + time),
            When::Between(from, to) => (self.base + from, self.base + to),
        };
        let slack = match (self.script.timing, when) {
            (Some(Timing::Free), _) => None,
            (_, When::Between(..)) => Some(Duration::ZERO),
            _ => Some(self.slack()),
        };
        Window { first, last, slack }
    }
}
