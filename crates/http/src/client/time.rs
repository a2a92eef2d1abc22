//! How long a connection is kept: between two requests, and for its end.

use framewise_core::Instant;

use super::{ClientConn, Phase};
use crate::layer::Shared;

impl ClientConn {
    pub(crate) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        if self.gone.is_some() {
            return None;
        }
        match &self.phase {
            Phase::Busy(_) => self.wire.held_until(),
            Phase::Idle => Some(self.since + shared.config.idle_timeout),
            Phase::Ending => Some(self.since + shared.config.linger),
            Phase::Connecting(_) | Phase::Aborted => None,
        }
    }

    pub(crate) fn timeout(&mut self, shared: &mut Shared, now: Instant) {
        match &self.phase {
            Phase::Idle if now >= self.since + shared.config.idle_timeout => self.finish(now),
            Phase::Ending if now >= self.since + shared.config.linger => {
                self.wire.abort(&mut shared.down);
                self.phase = Phase::Aborted;
            }
            _ => {}
        }
    }
}
