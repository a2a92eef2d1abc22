//! When which connection wants to be called: a heap in which outdated entries are left lying, to be skipped.
//!
//! Each connection has at most one entry that counts, its *alarm*. A later wish leaves the alarm as it is (it
//! rings early, which does no harm); only an earlier one puts in a new entry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use framewise_core::Instant;
use framewise_core::id::ConnId;

/// The heap.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, ConnId)>>,
}

/// Outdated entries beyond twice the connections and this many are swept out.
const SWEEP_ABOVE: usize = 64;

impl Timers {
    /// Makes sure that `key` is called at `wanted` or before. `alarm` is its entry that counts.
    pub(crate) fn set(&mut self, key: ConnId, alarm: &mut Option<Instant>, wanted: Instant) {
        if alarm.is_some_and(|alarm| alarm <= wanted) {
            return;
        }
        *alarm = Some(wanted);
        self.heap.push(Reverse((wanted, key)));
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out the next entry that is due: the connection and the time it was put in for.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, ConnId)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Sweeps out entries that `counts` says are outdated, when they have become the most: constant work per entry
    /// put in, taken over time.
    pub(crate) fn sweep(&mut self, connections: usize, counts: impl Fn(Instant, ConnId) -> bool) {
        if self.heap.len() > 2 * connections + SWEEP_ABOVE {
            self.heap.retain(|Reverse((at, key))| counts(*at, *key));
        }
    }
}
