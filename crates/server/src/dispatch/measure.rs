//! What is counted and measured of a pool, in bounded memory.

use std::time::Duration;

use framewise_core::Instant;
use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// What became of requests, and of processes. Each request is in `came` once, and in one of the outcomes once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that came.
    pub came: u64,
    /// A thread has answered.
    pub answered: u64,
    /// 503: the queue was full, or they had waited too long.
    pub refused: u64,
    /// 502: the process that worked on them died.
    pub failed: u64,
    /// 504: a thread took too long.
    pub expired: u64,
    /// Their clients left before.
    pub left: u64,
    /// Given to another thread, for the process of the first had died. No outcome: each has one besides.
    pub again: u64,
    /// Processes that began to work.
    pub started: u64,
    /// Processes that died of themselves, or had to be killed.
    pub died: u64,
}

impl Counts {
    /// Requests whose outcome is known.
    pub fn outcomes(&self) -> u64 {
        self.answered + self.refused + self.failed + self.expired + self.left
    }
}

/// Seconds over which rates are told.
const SECONDS: usize = 10;

/// What came and was answered in each of the last seconds.
#[derive(Clone, Debug, Default)]
struct Rates {
    /// The second that the last bucket stands for.
    second: u64,
    came: [u64; SECONDS + 1],
    answered: [u64; SECONDS + 1],
}

impl Rates {
    fn turn(&mut self, now: Instant) {
        let second = now.as_millis() / 1_000;
        let passed = second.saturating_sub(self.second).min(SECONDS as u64 + 1);
        for _ in 0..passed {
            for ring in [&mut self.came, &mut self.answered] {
                ring.rotate_left(1);
                ring[SECONDS] = 0;
            }
        }
        self.second = self.second.max(second);
    }

    /// A second's worth over the last whole seconds, of which there may be fewer than ten since `began`: the one in which that
    /// was is not whole.
    fn of(ring: &[u64; SECONDS + 1], began: Instant, now: Instant) -> f64 {
        let first = began.as_millis().div_ceil(1_000);
        let whole = (now.as_millis() / 1_000).saturating_sub(first).min(SECONDS as u64);
        if whole == 0 {
            return ring[SECONDS] as f64;
        }
        let counted = &ring[SECONDS - whole as usize..SECONDS];
        counted.iter().sum::<u64>() as f64 / whole as f64
    }
}

/// Everything that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    pub(crate) began: Instant,
    last: Instant,
    /// Requests times seconds, in the queue and at work.
    queued_area: f64,
    busy_area: f64,
    pub(crate) most_queued: usize,
    pub(crate) waiting: Histogram,
    pub(crate) service: Histogram,
    pub(crate) response: Histogram,
    pub(crate) counts: Counts,
    rates: Rates,
}

impl Measures {
    pub(crate) fn new(now: Instant) -> Self {
        let rates = Rates { second: now.as_millis() / 1_000, ..Rates::default() };
        Measures {
            began: now,
            last: now,
            queued_area: 0.0,
            busy_area: 0.0,
            most_queued: 0,
            waiting: Histogram::default(),
            service: Histogram::default(),
            response: Histogram::default(),
            counts: Counts::default(),
            rates,
        }
    }

    /// Time has passed with so many in the queue, and so many at work.
    pub(crate) fn passes(&mut self, now: Instant, queued: usize, busy: usize) {
        let seconds = (now - self.last).as_secs_f64();
        self.queued_area += seconds * queued as f64;
        self.busy_area += seconds * busy as f64;
        self.last = self.last.max(now);
    }

    pub(crate) fn came(&mut self, now: Instant) {
        self.counts.came += 1;
        self.rates.turn(now);
        self.rates.came[SECONDS] += 1;
    }

    pub(crate) fn answered(&mut self, now: Instant) {
        self.counts.answered += 1;
        self.rates.turn(now);
        self.rates.answered[SECONDS] += 1;
    }

    /// What came and what was answered in a second, over the last ten.
    pub(crate) fn rates(&mut self, now: Instant) -> [f64; 2] {
        self.rates.turn(now);
        [&self.rates.came, &self.rates.answered].map(|ring| Rates::of(ring, self.began, now))
    }

    /// The means over time, of the queue's length and of threads at work.
    pub(crate) fn means(&self) -> [f64; 2] {
        let seconds = (self.last - self.began).as_secs_f64();
        [self.queued_area, self.busy_area].map(|area| if seconds > 0.0 { area / seconds } else { 0.0 })
    }

    /// How long it will take until so many that wait have been worked on by so many threads, by what is known.
    pub(crate) fn expected(&self, waiting: usize, threads: usize) -> Duration {
        let each = self.service.mean().as_secs_f64();
        Duration::from_secs_f64((each * waiting as f64 / threads.max(1) as f64).min(1e6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_in_which_measuring_began_is_not_counted_as_a_whole_one() {
        let at = |millis| Instant::ZERO + Duration::from_millis(millis);
        for began in [0, 1, 500, 999, 1_000] {
            let mut measures = Measures::new(at(began));
            (began..3_000).step_by(10).for_each(|millis| measures.came(at(millis)));
            let [came, _] = measures.rates(at(3_000));
            assert_eq!(came, 100.0, "from {began} ms on, a request comes every 10 ms");
        }
    }
}
