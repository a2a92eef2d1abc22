//! Two who watch the same run.

use std::cell::RefCell;
use std::rc::Rc;

use framewise::core::observe::{Crossing, Dropped, Note};
use framewise::core::{Instant, Observer};

/// The first hears of everything before the second.
pub(crate) struct Both<A, B>(pub(crate) Rc<RefCell<A>>, pub(crate) Rc<RefCell<B>>);

impl<A: Observer, B: Observer> Observer for Both<A, B> {
    fn host(&mut self, name: &str) {
        self.0.borrow_mut().host(name);
        self.1.borrow_mut().host(name);
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        self.0.borrow_mut().crossed(crossing);
        self.1.borrow_mut().crossed(crossing);
    }

    fn noted(&mut self, note: &Note) {
        self.0.borrow_mut().noted(note);
        self.1.borrow_mut().noted(note);
    }

    fn dropped(&mut self, dropped: &Dropped) {
        self.0.borrow_mut().dropped(dropped);
        self.1.borrow_mut().dropped(dropped);
    }

    fn ignored(&mut self, dropped: &Dropped) {
        self.0.borrow_mut().ignored(dropped);
        self.1.borrow_mut().ignored(dropped);
    }

    fn secret(&mut self, now: Instant, line: &str) {
        self.0.borrow_mut().secret(now, line);
        self.1.borrow_mut().secret(now, line);
    }
}
