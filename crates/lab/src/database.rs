//! Threads share nothing but the database: where does it stop them?

use std::time::Duration;

use framewise_server::dispatch::{ConfigError, Model};
use framewise_server::simulate::{Load, Setup, Time, Work, simulate};

use crate::theory;
use crate::threads::pool;

/// What each request needs.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Time of a thread before it asks the database, and after.
    pub executes: Duration,
    /// Time of one of the database's connections, during which the thread waits.
    pub database: Duration,
    /// Connections of the database; 1 for a single writer.
    pub connections: usize,
    /// Clients that ask all the time: no more requests than that are ever under way.
    pub clients: usize,
}

impl Needs {
    /// Seconds for which a request needs a thread, if it need not stand in line.
    pub fn service(&self) -> f64 {
        (self.executes + self.database).as_secs_f64()
    }

    /// Requests in a second that so many threads can answer: whoever is scarcer decides, they, the database, or clients.
    pub fn predicted(&self, threads: usize) -> f64 {
        let at_work = threads.min(self.clients);
        theory::capacity_with_database(at_work, self.service(), self.connections, self.database.as_secs_f64())
    }

    /// Threads beyond which more of them change nothing.
    pub fn knee(&self) -> f64 {
        self.service() / self.database.as_secs_f64() * self.connections as f64
    }
}

/// What so many threads make of it.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// The threads, k.
    pub threads: usize,
    /// Requests in a second, as whoever is scarcer decides: threads, the database, or clients.
    pub predicted: f64,
    /// As it was.
    pub measured: f64,
    /// Threads that stood in line for the database, the mean over time.
    pub in_line: f64,
    /// Threads that had nothing to do, the mean over time.
    pub free: f64,
    /// Connections of the database that were busy, the mean over time.
    pub database_busy: f64,
}

/// Throughput of so many threads over one database, in simulated time.
///
/// # Errors
/// There can be no such pool.
pub fn shared(threads: usize, needs: &Needs, seed: u64) -> Result<Shared, ConfigError> {
    let work = vec![
        Work::Executes(Time::Constant(needs.executes / 2)),
        Work::Database(Time::Exponential(needs.database)),
        Work::Processes(Time::Constant(needs.executes / 2)),
    ];
    let load = Load::Clients {
        count: needs.clients,
        think: Time::Constant(Duration::ZERO),
        requests_per_connection: 100,
    };
    let mut setup = Setup::new(pool(Model::Threads, threads, needs.clients)?, load, work);
    setup.database = needs.connections;
    let outcome = simulate(&setup, seed);
    Ok(Shared {
        threads,
        predicted: needs.predicted(threads),
        measured: outcome.throughput(),
        in_line: outcome.mean_database_line,
        free: (threads as f64 - outcome.mean_busy).max(0.0),
        database_busy: outcome.mean_database_busy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_knee_threads_are_free_and_nothing_is_faster() {
        let ms = Duration::from_millis;
        let needs = Needs { executes: ms(10), database: ms(10), connections: 4, clients: 32 };
        assert_eq!(needs.knee(), 8.0);
        let few = shared(2, &needs, 1).expect("a pool");
        assert!((few.measured / few.predicted - 1.0).abs() < 0.05, "{few:?}");
        let (many, more) = (shared(32, &needs, 1).expect("a pool"), shared(64, &needs, 1).expect("a pool"));
        assert!((many.measured / 400.0 - 1.0).abs() < 0.02, "{many:?}");
        assert!((more.measured / many.measured - 1.0).abs() < 0.01, "{more:?}");
        assert!((more.free - 32.0).abs() < 0.5, "32 clients leave 32 of 64 threads free: {more:?}");
        assert!(many.in_line > 20.0 && many.database_busy > 3.99, "{many:?}");
    }
}
