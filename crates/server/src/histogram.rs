//! How long things took, in bounded memory: each length is known to 1.6 %, the mean and the longest exactly.

use std::time::Duration;

/// Buckets for each doubling.
const PART: u64 = 1 << PART_BITS;
const PART_BITS: u32 = 6;
/// Lengths are told in microseconds, up to 2⁴⁰ of them (13 days).
const DOUBLINGS: u32 = 40 - PART_BITS;
const BUCKETS: usize = ((DOUBLINGS + 1) as usize) << PART_BITS;

/// A histogram of durations, 18 KB once something is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    /// In nanoseconds.
    sum: u128,
    longest: Duration,
}

impl Histogram {
    /// Adds one.
    pub fn record(&mut self, length: Duration) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; BUCKETS];
        }
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.sum += length.as_nanos();
        self.longest = self.longest.max(length);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; zero if there are none.
    pub fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.count)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The length that this part of them (0 to 1) does not exceed; zero if there are none.
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = (part.clamp(0.0, 1.0) * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper_end(index)).min(self.longest);
            }
        }
        self.longest
    }
}

/// Lengths below 64 µs each have a bucket of their own; from there on, 64 share a doubling.
fn bucket(micros: u64) -> usize {
    let doubling = (micros / PART).checked_ilog2().map_or(0, |doubling| doubling + 1);
    if doubling == 0 {
        return micros as usize;
    }
    let within = (micros >> (doubling - 1)) - PART;
    (((u64::from(doubling) << PART_BITS) + within) as usize).min(BUCKETS - 1)
}

/// The longest that is in a bucket.
fn upper_end(bucket: usize) -> u64 {
    let (doubling, within) = (bucket as u64 >> PART_BITS, bucket as u64 % PART);
    if doubling == 0 { within } else { ((PART + within + 1) << (doubling - 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_one_answers_zero() {
        let histogram = Histogram::default();
        assert_eq!((histogram.mean(), histogram.quantile(0.5)), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn quantiles_are_those_of_what_came() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|millis| histogram.record(Duration::from_millis(millis)));
        let within = |part: f64, millis: f64| {
            let found = histogram.quantile(part).as_secs_f64() * 1_000.0;
            assert!((found / millis - 1.0).abs() < 0.016, "{part}: {found} and not {millis}");
        };
        within(0.5, 500.0);
        within(0.95, 950.0);
        within(0.99, 990.0);
        assert_eq!(histogram.quantile(1.0), Duration::from_secs(1));
        assert_eq!(histogram.mean(), Duration::from_micros(500_500));
    }

    proptest! {
        #[test]
        fn every_length_is_in_a_bucket_that_is_close(micros in 0u64..1 << 40) {
            let end = upper_end(bucket(micros));
            prop_assert!(end >= micros && (end - micros) * 64 <= micros.max(64), "{micros} in {end}");
        }
    }
}
