//! Watching a run: crossings, notes, drops, and the counters that are always on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem;

use crate::message::Message;
use crate::time::Instant;

/// Which way a message goes: down towards the wire, or up from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Down, towards the wire.
    Outbound,
    /// Up, from the wire.
    Inbound,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
        })
    }
}

/// Someone who watches a host: a recorder, a test, a live view.
///
/// Everything is borrowed for the length of the call; whoever wants to keep it copies it.
pub trait Observer {
    /// What follows happens on this host.
    fn host(&mut self, _name: &str) {}
    /// A message crosses a seam.
    fn crossed(&mut self, _crossing: &Crossing<'_>) {}
    /// Something happened inside a layer.
    fn noted(&mut self, _note: &Note) {}
    /// A layer dropped something.
    fn dropped(&mut self, _dropped: &Dropped) {}
    /// A layer dropped what was not for this host: nothing is wrong.
    fn ignored(&mut self, _dropped: &Dropped) {}
    /// A TLS secret, as a line of the `SSLKEYLOGFILE` format. Said only by layers built to export them.
    fn secret(&mut self, _now: Instant, _line: &str) {}
}

/// A message on its way across a seam.
pub struct Crossing<'m> {
    /// When.
    pub now: Instant,
    /// The seam's name.
    pub seam: &'static str,
    /// The layer above the seam. The outermost seams have `app` above and `device` below.
    pub upper: &'static str,
    /// The layer below the seam.
    pub lower: &'static str,
    /// Which way.
    pub direction: Direction,
    /// What.
    pub message: &'m dyn Message,
}

/// Something that happened inside a layer, as a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub now: Instant,
    /// In which layer.
    pub layer: &'static str,
    /// A fixed word by which a view finds this note.
    pub topic: &'static str,
    /// The sentence.
    pub text: String,
}

/// Something that a layer dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// When.
    pub now: Instant,
    /// Which layer dropped it.
    pub layer: &'static str,
    /// Why, as a short fixed phrase.
    pub reason: &'static str,
}

/// How often each layer dropped something, by reason. What was not for this host counts like any other drop, and is
/// told apart by [`ignored`](Self::ignored).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    drops: BTreeMap<(&'static str, &'static str), u64>,
    /// The reasons that speak of what was for others.
    ignored: BTreeSet<(&'static str, &'static str)>,
    warnings: Vec<Note>,
}

/// Warnings that are kept until somebody takes them; more than that say nothing new.
const MOST_WARNINGS: usize = 16;

impl Counters {
    /// Counts one drop.
    pub fn count(&mut self, layer: &'static str, reason: &'static str) {
        let drops = self.drops.entry((layer, reason)).or_default();
        *drops = drops.saturating_add(1);
    }

    /// Counts one drop of what was not for this host.
    pub fn count_ignored(&mut self, layer: &'static str, reason: &'static str) {
        self.ignored.insert((layer, reason));
        self.count(layer, reason);
    }

    /// How many of all drops were of what was not for this host.
    pub fn ignored(&self) -> u64 {
        self.ignored.iter().filter_map(|reason| self.drops.get(reason)).sum()
    }

    /// Whether this reason speaks of what was not for this host.
    pub fn is_ignored(&self, layer: &'static str, reason: &'static str) -> bool {
        self.ignored.contains(&(layer, reason))
    }

    /// Keeps what a person must hear, whether or not anyone watches.
    pub fn warn(&mut self, warning: Note) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(warning);
        }
    }

    /// What a person must hear, once.
    pub fn take_warnings(&mut self) -> Vec<Note> {
        mem::take(&mut self.warnings)
    }

    /// How often `layer` dropped something because of `reason`.
    pub fn drops(&self, layer: &str, reason: &str) -> u64 {
        self.iter().filter(|(l, r, _)| *l == layer && *r == reason).map(|(_, _, n)| n).sum()
    }

    /// All drops of all layers together.
    pub fn total(&self) -> u64 {
        self.drops.values().sum()
    }

    /// Layer, reason and number, sorted by layer and reason.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        self.drops.iter().map(|(&(layer, reason), &n)| (layer, reason, n))
    }
}
