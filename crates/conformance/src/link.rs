//! A bad link between two TCPs, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use framewise_core::seams::segment::Segment;
use framewise_core::{Instant, Rng};

use crate::pair::Weather;

/// How long a segment takes.
const DELAY: Duration = Duration::from_millis(10);
/// How much longer one takes that is overtaken.
const DETOUR: Duration = Duration::from_millis(15);

pub(crate) struct Link {
    weather: Weather,
    rng: Rng,
    /// By arrival; what arrives at the same time, in the order in which it was sent.
    under_way: BTreeMap<(Instant, u64), Segment>,
    sent: u64,
}

impl Link {
    pub(crate) fn new(weather: Weather, rng: Rng) -> Self {
        Link { weather, rng, under_way: BTreeMap::new(), sent: 0 }
    }

    pub(crate) fn send(&mut self, segment: Segment, now: Instant) {
        let Weather { loss, duplication, reordering, corruption } = self.weather;
        if self.rng.chance(loss) {
            return;
        }
        if self.rng.chance(duplication) {
            self.launch(segment.clone(), now + DELAY);
        }
        let mut segment = segment;
        if self.rng.chance(corruption) {
            let place = self.rng.below(segment.len() as u64) as usize;
            let bit = 1 << self.rng.below(8);
            segment.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bit);
        }
        let detour = if self.rng.chance(reordering) { DETOUR } else { Duration::ZERO };
        self.launch(segment, now + DELAY + detour);
    }

    fn launch(&mut self, segment: Segment, arrival: Instant) {
        self.sent += 1;
        self.under_way.insert((arrival, self.sent), segment);
    }

    /// When the next segment arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((arrival, _), _)| *arrival)
    }

    /// A segment that arrives now.
    pub(crate) fn arrives(&mut self, now: Instant) -> Option<Segment> {
        let first = self.under_way.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}
