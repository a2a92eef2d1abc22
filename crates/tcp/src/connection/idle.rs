//! What a connection gives back while nothing happens on it.

use std::time::Duration;

use framewise_core::Instant;

use super::{Connection, Life};
use crate::sequence::SeqNumber;

/// For how long nothing must have come before memory is given back: longer than a peer that means to go on
/// takes for its next word, so that nobody busy pays for it.
const IDLE: Duration = Duration::from_secs(1);

impl Connection {
    /// Notes that bytes come or go.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    /// Notes how far a segment reached: where it came out of order it waits in the ring, though the engine does not tell.
    pub(super) fn note_reach(&mut self, end: SeqNumber) {
        // By how much each is ahead: the numbers are a circle, on which a far one counts as behind.
        let next = self.guard.next();
        let ends = [self.gap_until, Some(end)].into_iter().flatten();
        self.gap_until = ends.filter(|end| next.is_before(*end)).max_by_key(|end| end.since(next));
    }

    /// When memory can be given back, if nothing happens until then.
    pub(super) fn idle_at(&self) -> Option<Instant> {
        let is_empty = self.gap_until.is_none()
            && matches!(self.life, Life::Open)
            && self.engine.recv_queue() == 0
            && self.engine.send_queue() == 0;
        (self.touched && is_empty).then(|| self.last_heard + IDLE)
    }

    /// Gives back the memory of the ring and the queue, if the connection has been idle for long enough.
    pub(super) fn give_back_memory(&mut self, now: Instant) {
        if self.idle_at().is_some_and(|at| at <= now) {
            self.engine.give_back_memory();
            self.queue.shrink();
            self.allowance.shrink();
            self.touched = false;
        }
    }
}
