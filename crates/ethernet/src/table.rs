//! Where neighbours are kept: a bounded table with a timer for each, and an order in which they make room.
//!
//! The table knows nothing of what an entry means; that is in `neighbours`. A packet costs one comparison when it goes
//! where the last one went, else one search of a tree: no hash that a peer could make collide. A timer costs one search
//! of another tree, and no packet moves one.

use std::collections::{BTreeMap, BTreeSet};

use framewise_core::{Instant, MacAddr};

use crate::neighbours::{Key, NeighbourState};

/// What is known about one neighbour.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) state: NeighbourState,
    pub(crate) mac: Option<MacAddr>,
    /// Questions asked since the last answer.
    pub(crate) asked: u32,
    pub(crate) last_asked: Option<Instant>,
    pub(crate) last_used: Option<Instant>,
    due: Instant,
    /// Its place in the order of those that may be forgotten to make room.
    spare: Option<(Spare, u64)>,
}

/// Why an entry may be forgotten to make room; the first reason's entries go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spare {
    /// Nothing was sent there lately.
    Idle,
    /// It is being asked for the first time.
    Unresolved,
}

impl Entry {
    /// Whether nothing was sent there lately.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.spare, Some((Spare::Idle, _)))
    }
}

/// A place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(usize);

/// The entries.
#[derive(Debug)]
pub(crate) struct Table {
    limit: usize,
    slots: Vec<Option<Entry>>,
    free: Vec<Slot>,
    places: BTreeMap<Key, Slot>,
    timers: BTreeSet<(Instant, Slot)>,
    /// Those that may be forgotten to make room, the first to go first.
    spares: BTreeMap<(Spare, u64), Slot>,
    spare_count: u64,
    /// Where the last packet's neighbour was found.
    latest: Slot,
}

impl Table {
    /// A table for at most `limit` neighbours.
    pub(crate) fn new(limit: usize) -> Self {
        Table {
            limit,
            slots: Vec::new(),
            free: Vec::new(),
            places: BTreeMap::new(),
            timers: BTreeSet::new(),
            spares: BTreeMap::new(),
            spare_count: 0,
            latest: Slot(0),
        }
    }

    /// Where this neighbour is kept.
    pub(crate) fn find(&self, key: Key) -> Option<Slot> {
        self.places.get(&key).copied()
    }

    /// The same for a packet: it probably goes where the last one went.
    pub(crate) fn find_next_hop(&mut self, key: Key) -> Option<(Slot, &mut Entry)> {
        let guess = self.get(self.latest).is_some_and(|entry| entry.key == key);
        if !guess {
            self.latest = self.find(key)?;
        }
        let entry = self.slots.get_mut(self.latest.0)?.as_mut()?;
        Some((self.latest, entry))
    }

    fn get(&self, slot: Slot) -> Option<&Entry> {
        self.slots.get(slot.0)?.as_ref()
    }

    /// Looks at one entry, or changes it.
    pub(crate) fn with<T>(&mut self, slot: Slot, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.slots.get_mut(slot.0)?.as_mut().map(change)
    }

    /// All entries, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.places.values().filter_map(|&slot| self.get(slot))
    }

    /// The timer that is due first.
    pub(crate) fn first_timer(&self) -> Option<(Instant, Slot)> {
        self.timers.first().copied()
    }

    /// Sets an entry's timer.
    pub(crate) fn arm(&mut self, slot: Slot, due: Instant) {
        let before = self.with(slot, |entry| std::mem::replace(&mut entry.due, due));
        if let Some(before) = before {
            self.timers.remove(&(before, slot));
            self.timers.insert((due, slot));
        }
    }

    /// From now on this entry may be forgotten to make room, after all those that already may for the same reason.
    pub(crate) fn make_spare(&mut self, slot: Slot, why: Spare) {
        self.keep(slot);
        self.spare_count += 1;
        let order = (why, self.spare_count);
        self.with(slot, |entry| entry.spare = Some(order));
        self.spares.insert(order, slot);
    }

    /// From now on this entry may not be forgotten to make room.
    pub(crate) fn keep(&mut self, slot: Slot) {
        if let Some(Some(order)) = self.with(slot, |entry| entry.spare.take()) {
            self.spares.remove(&order);
        }
    }

    /// Where every place is taken, forgets the first that may be, for this reason at most.
    pub(crate) fn make_room(&mut self, at_most: Spare) -> Option<Entry> {
        if self.places.len() < self.limit {
            return None;
        }
        let (&(why, _), &slot) = self.spares.first_key_value()?;
        (why <= at_most).then(|| self.remove(slot))?
    }

    /// A place for a new entry; `None` if all are taken. Its timer is yet to be set.
    pub(crate) fn insert(&mut self, key: Key) -> Option<Slot> {
        if self.places.len() >= self.limit {
            return None;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot(self.slots.len() - 1)
        });
        *self.slots.get_mut(slot.0)? = Some(Entry {
            key,
            state: NeighbourState::Incomplete,
            mac: None,
            asked: 0,
            last_asked: None,
            last_used: None,
            due: Instant::FAR_FUTURE,
            spare: None,
        });
        self.places.insert(key, slot);
        Some(slot)
    }

    /// Forgets an entry.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<Entry> {
        self.keep(slot);
        let entry = self.slots.get_mut(slot.0)?.take()?;
        self.timers.remove(&(entry.due, slot));
        self.places.remove(&entry.key);
        self.free.push(slot);
        Some(entry)
    }
}
