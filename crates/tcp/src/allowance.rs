//! How much a connection may have under way: little at first, more as its peer takes it, and all of them together no more
//! than their budget.
//!
//! A send buffer of half a megabyte is what a fast path needs, and what somebody with a thousand connections and no wish to
//! read would like to see filled a thousand times. What is handed down is held by reference until it is acknowledged, so what
//! bounds it is the credit given upward.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a connection may always have under way: enough for most pages, and for its first round trips.
const FIRST: usize = 64 * 1_024;

/// Bytes that all connections of a layer may have under way beyond the first of each.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes up to `wanted` bytes; how many.
    fn take(&self, wanted: usize) -> usize {
        let less = |left: usize| Some(left - wanted.min(left));
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or(0);
        wanted.min(left)
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What one connection may have under way.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// What of it is the budget's.
    extra: usize,
    budget: Budget,
}

impl Allowance {
    pub(crate) fn new(budget: &Budget) -> Self {
        Allowance { extra: 0, budget: budget.clone() }
    }

    pub(crate) fn bytes(&self) -> usize {
        FIRST + self.extra
    }

    /// The peer has taken so many bytes: as many more may be under way, up to `most`.
    pub(crate) fn grow(&mut self, taken: usize, most: usize) {
        let missing = most.saturating_sub(self.bytes());
        if missing > 0 && taken > 0 {
            self.extra += self.budget.take(taken.min(missing));
        }
    }

    /// Begins anew.
    pub(crate) fn shrink(&mut self) {
        self.budget.give_back(std::mem::take(&mut self.extra));
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        self.shrink();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_stay_within_the_budget() {
        let budget = Budget::new(100_000);
        let mut first = Allowance::new(&budget);
        first.grow(70_000, 1 << 20);
        assert_eq!(first.bytes(), FIRST + 70_000);
        let mut second = Allowance::new(&budget);
        second.grow(70_000, 1 << 20);
        assert_eq!(second.bytes(), FIRST + 30_000, "that is what is left");
        drop(first);
        second.grow(1 << 20, 120_000);
        assert_eq!(second.bytes(), 120_000, "no more than its own buffer holds");
        second.shrink();
        assert_eq!(second.bytes(), FIRST);
        assert_eq!(budget.take(usize::MAX), 100_000, "all of it is back");
    }
}
