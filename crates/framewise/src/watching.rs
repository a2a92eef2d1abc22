//! Whoever watches a run, between two events of it.

use framewise_core::observe::{Crossing, Dropped, Note};
use framewise_core::{Instant, Observer};

use crate::runner::SharedObserver;

/// Borrows the observer for each event by itself. Between events the user's own code may run, a handler or a sink, and
/// look at what was seen so far.
pub(crate) struct Watching<'a>(pub(crate) &'a SharedObserver);

impl Observer for Watching<'_> {
    fn host(&mut self, name: &str) {
        self.0.borrow_mut().host(name);
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        self.0.borrow_mut().crossed(crossing);
    }

    fn noted(&mut self, note: &Note) {
        self.0.borrow_mut().noted(note);
    }

    fn dropped(&mut self, dropped: &Dropped) {
        self.0.borrow_mut().dropped(dropped);
    }

    fn ignored(&mut self, dropped: &Dropped) {
        self.0.borrow_mut().ignored(dropped);
    }

    fn secret(&mut self, now: Instant, line: &str) {
        self.0.borrow_mut().secret(now, line);
    }
}
