//! A pool in simulated time: the same [`Dispatcher`](crate::Dispatcher) that real threads are driven by, with clients, work
//! and a database that are drawn from a seed. A second of a busy pool takes some milliseconds, and the same seed is the same
//! run.
//!
//! ```
//! use std::time::Duration;
//! use framewise_server::dispatch::{Config, Model};
//! use framewise_server::simulate::{Load, Setup, Time, Work, simulate};
//!
//! let pool = Config::new(Model::Threads, 1, 4, 1_000)?;
//! let work = vec![Work::Executes(Time::Constant(Duration::from_millis(20)))];
//! let mut setup = Setup::new(pool, Load::Random { rate: 150.0 }, work);
//! setup.length = Duration::from_secs(60);
//! let outcome = simulate(&setup, 1);
//! // 4 threads of 20 ms can answer 200 requests in a second: the 150 that come are all answered.
//! assert!((outcome.throughput() - 150.0).abs() < 10.0);
//! assert_eq!(outcome.counts.refused, 0);
//! # Ok::<(), framewise_server::dispatch::ConfigError>(())
//! ```

mod load;
mod run;

use std::time::Duration;

use framewise_core::Instant;

pub use load::{Load, Time, Work};

use crate::dispatch::{Config, Counts, Snapshot};
use crate::histogram::Histogram;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The pool.
    pub pool: Config,
    /// How requests come.
    pub load: Load,
    /// What each is, part by part.
    pub work: Vec<Work>,
    /// Requests that the database works on at a time: its connections, or 1 for a single writer. Others stand in line.
    pub database: usize,
    /// How long a silent connection is kept open by the server.
    pub keep_alive: Duration,
    /// How long it goes before anything counts.
    pub warm_up: Duration,
    /// How long it goes then.
    pub length: Duration,
    /// One process is killed so often, each in its turn.
    pub kill_every: Option<Duration>,
}

impl Setup {
    /// Such a pool with such a load for 100 seconds, after 10 to warm up; a database without a bound, and connections that
    /// are kept for 5 seconds, as Apache does.
    pub fn new(pool: Config, load: Load, work: Vec<Work>) -> Self {
        Setup {
            pool,
            load,
            work,
            database: usize::MAX,
            keep_alive: Duration::from_secs(5),
            warm_up: Duration::from_secs(10),
            length: Duration::from_secs(100),
            kill_every: None,
        }
    }
}

/// One request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// When it came.
    pub came: Instant,
    /// How long it waited for a thread.
    pub waited: Duration,
    /// How long a thread worked on it.
    pub worked: Duration,
}

/// What came of it. Only what was measured after the warm-up counts.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How long was measured.
    pub measured: Duration,
    /// What became of requests and processes.
    pub counts: Counts,
    /// What requests have waited for a thread.
    pub waiting: Histogram,
    /// What threads have worked on requests.
    pub service: Histogram,
    /// Both together.
    pub response: Histogram,
    /// The queue's length, the mean over time.
    pub mean_queue: f64,
    /// Threads at work, the mean over time.
    pub mean_busy: f64,
    /// Connections of the database that were busy, the mean over time.
    pub mean_database_busy: f64,
    /// Threads that stood in line for the database, the mean over time.
    pub mean_database_line: f64,
    /// The pool in its last moment.
    pub last: Snapshot,
}

impl Outcome {
    /// Requests answered in a second.
    pub fn throughput(&self) -> f64 {
        let seconds = self.measured.as_secs_f64();
        if seconds > 0.0 { self.counts.answered as f64 / seconds } else { 0.0 }
    }
}

/// Simulates it. The same seed is the same run. No work takes too long here: the pool's `most_service` does not count.
pub fn simulate(setup: &Setup, seed: u64) -> Outcome {
    simulate_watched(setup, seed, &mut |_| {})
}

/// The same, each answered request being told, in the order of the answers.
pub fn simulate_watched(setup: &Setup, seed: u64, served: &mut dyn FnMut(Served)) -> Outcome {
    run::Run::new(setup, seed, served).finish()
}

#[cfg(test)]
mod tests;
