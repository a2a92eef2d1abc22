//! The one place where time comes from.

use std::time::Duration;

use framewise_core::Instant;

/// Where a run's time comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    /// Time stands still while anything can happen, then jumps to what comes next.
    Simulated(Instant),
    /// The machine's monotonic clock, counted from when the run began.
    Real(std::time::Instant),
}

impl Clock {
    /// The machine's clock, from now on.
    pub(crate) fn real() -> Self {
        Clock::Real(std::time::Instant::now())
    }

    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        match self {
            Clock::Simulated(now) => *now,
            Clock::Real(began) => Instant::ZERO + began.elapsed(),
        }
    }

    /// Jumps ahead to `to`, where time is simulated.
    pub(crate) fn advance(&mut self, to: Instant) {
        if let Clock::Simulated(now) = self {
            *now = to.max(*now);
        }
    }

    /// How long to sleep until `then`; nothing where time is simulated.
    pub(crate) fn until(&self, then: Option<Instant>) -> Option<Duration> {
        match self {
            Clock::Simulated(_) => Some(Duration::ZERO),
            Clock::Real(_) => then.map(|then| then.saturating_since(self.now())),
        }
    }

    /// Whether time is simulated.
    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self, Clock::Simulated(_))
    }
}
