//! Connections that are broken off as soon as their peers have taken what was sent to them before: who takes nothing of it is
//! not waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::id::ConnId;

/// For how long a peer may take nothing of what is left for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long it may take all of that, a little at a time.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(60);

/// The ends that are left to be broken off, by the names of their pairs, each of which has one at most.
#[derive(Debug, Default)]
pub(crate) struct Leaving(BTreeMap<ConnId, Left>);

#[derive(Debug)]
struct Left {
    end: usize,
    since: Instant,
    progress: Instant,
}

impl Left {
    fn deadline(&self) -> Instant {
        (self.progress + PATIENCE).min(self.since + PATIENCE_IN_ALL)
    }
}

impl Leaving {
    /// From now on this end of a pair is waited for.
    pub(crate) fn begin(&mut self, key: ConnId, end: usize, now: Instant) {
        self.0.insert(key, Left { end, since: now, progress: now });
    }

    /// Its peer has taken some.
    pub(crate) fn goes_on(&mut self, key: ConnId, now: Instant) {
        if let Some(left) = self.0.get_mut(&key) {
            left.progress = now;
        }
    }

    /// Nobody waits for it any more.
    pub(crate) fn is_over(&mut self, key: ConnId) {
        self.0.remove(&key);
    }

    /// Until when somebody is waited for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(Left::deadline).min()
    }

    /// A pair whose end was waited for long enough, which is not waited for from now on.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(ConnId, usize)> {
        let due = self.0.iter().find(|(_, left)| left.deadline() <= now);
        let (key, end) = due.map(|(key, left)| (*key, left.end))?;
        self.0.remove(&key);
        Some((key, end))
    }
}
