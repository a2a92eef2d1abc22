//! Two things done in turn, and timed by the processor time of this thread.

use std::time::Duration;

/// The times of both in each round.
pub(crate) struct Times(pub(crate) Vec<(Duration, Duration)>);

impl Times {
    /// The median of the rounds' ratios: what else the machine does meets both alike.
    pub(crate) fn ratio(&self) -> f64 {
        let ratios =
            self.0.iter().map(|(first, second)| first.as_secs_f64() / second.as_secs_f64().max(1e-9));
        median(ratios.collect())
    }

    /// The medians of both, in seconds.
    pub(crate) fn medians(&self) -> (f64, f64) {
        let first = self.0.iter().map(|times| times.0.as_secs_f64());
        let second = self.0.iter().map(|times| times.1.as_secs_f64());
        (median(first.collect()), median(second.collect()))
    }
}

/// Times both in turn, the one that begins changing from round to round.
pub(crate) fn compare(rounds: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> Times {
    first();
    second();
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        times.push(if round % 2 == 0 {
            let time = timed(&mut first);
            (time, timed(&mut second))
        } else {
            let time = timed(&mut second);
            (timed(&mut first), time)
        });
    }
    Times(times)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let began = processor_time();
    work();
    processor_time() - began
}

/// How long this thread has run: without what others took meanwhile.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Where it is not told, the time that has passed.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}
