//! A queue that refuses what it has no room for.

use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: VecDeque<T>,
    limit: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Queue { items: VecDeque::new(), limit }
    }

    /// Puts `item` at the end; `false` if there is no room for it.
    #[must_use]
    pub(crate) fn push(&mut self, item: T) -> bool {
        let room = self.items.len() < self.limit;
        if room {
            self.items.push_back(item);
        }
        room
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.items.pop_front()
    }
}
