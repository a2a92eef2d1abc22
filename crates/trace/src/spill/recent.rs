//! A map of bounded size: for one more, what was not used for longest is forgotten.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    kept: BTreeMap<K, Kept<V>>,
    /// The keys, in the order in which they are forgotten.
    order: BTreeMap<Use, K>,
    uses: u64,
}

#[derive(Debug)]
struct Kept<V> {
    used: Use,
    value: V,
}

/// Whether it is still needed, and when it was used last, counted in uses.
type Use = (bool, u64);

impl<K: Ord + Copy, V> Recent<K, V> {
    /// Keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Recent { most, kept: BTreeMap::new(), order: BTreeMap::new(), uses: 0 }
    }

    /// What is kept under this key, without using it.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.kept.get(key).map(|kept| &kept.value)
    }

    /// What is kept under this key, made if it is not there.
    pub(super) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if self.kept.len() >= self.most
            && !self.kept.contains_key(&key)
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.kept.remove(&oldest);
        }
        self.uses += 1;
        let used = (true, self.uses);
        let kept = self.kept.entry(key).or_insert_with(|| Kept { used, value: make() });
        self.order.remove(&kept.used);
        self.order.insert(used, key);
        kept.used = used;
        &mut kept.value
    }

    /// Unless it is used again, this is forgotten before all that is still needed.
    pub(super) fn retire(&mut self, key: K) {
        if let Some(kept) = self.kept.get_mut(&key) {
            self.order.remove(&kept.used);
            kept.used.0 = false;
            self.order.insert(kept.used, key);
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(kept) = self.kept.remove(key) {
            self.order.remove(&kept.used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_goes_first_and_then_what_was_not_used_for_longest() {
        let mut recent = Recent::new(3);
        for key in [1, 2, 3] {
            *recent.entry(key, || key * 10) += 1;
        }
        assert_eq!(*recent.entry(1, || 0), 11, "it is there, and was used just now");
        recent.entry(4, || 40);
        assert_eq!([1, 2, 3, 4].map(|key| recent.peek(&key).is_some()), [true, false, true, true]);
        recent.retire(4);
        recent.entry(5, || 50);
        assert_eq!([1, 3, 4, 5].map(|key| recent.peek(&key).is_some()), [true, true, false, true]);
        recent.retire(3);
        recent.entry(3, || 0);
        recent.remove(&1);
        recent.entry(6, || 60);
        recent.entry(7, || 70);
        assert_eq!([3, 5, 6, 7].map(|key| recent.peek(&key).is_some()), [true, false, true, true]);
        assert_eq!(recent.order.len(), recent.kept.len());
    }
}
