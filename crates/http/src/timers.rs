//! Who wants to be called when.
//!
//! A deadline that moves on, as most do with each message, or that is off while the next step is somebody else's, leaves
//! its timer where it is: that rings early, which does no harm, and is set anew then. To move it each time would cost
//! a search among those of all connections.

use std::collections::BTreeSet;

use framewise_core::Instant;
use framewise_core::id::{ConnId, Connection, IdMap};

/// At most one timer for each connection.
#[derive(Debug)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, ConnId)>,
    set: IdMap<Connection, Instant>,
}

impl Timers {
    /// For names whose place is below `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Timers { due: BTreeSet::new(), set: IdMap::new(limit) }
    }

    /// Makes sure that `conn` is called at its deadline, if it has one, or before.
    pub(crate) fn set(&mut self, conn: ConnId, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.set.get(conn).is_some_and(|&before| before <= deadline) {
            return;
        }
        self.remove(conn);
        // A name beyond the table's limit was refused before it could have a deadline.
        if self.set.insert(conn, deadline).is_ok() {
            self.due.insert((deadline, conn));
        }
    }

    /// Forgets a connection that is over.
    pub(crate) fn remove(&mut self, conn: ConnId) {
        if let Some(before) = self.set.remove(conn) {
            self.due.remove(&(before, conn));
        }
    }

    /// When the next one rings.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(when, _)| *when)
    }

    /// Takes out whoever is to be called by now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<ConnId> {
        let due = self.due.iter().take_while(|(when, _)| *when <= now);
        let due: Vec<ConnId> = due.map(|(_, conn)| *conn).collect();
        due.iter().for_each(|&conn| self.remove(conn));
        due
    }
}
