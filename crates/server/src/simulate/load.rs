//! What a simulated pool is given to do: how requests come, and what each is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use framewise_core::Rng;

/// A length of time that is drawn anew for each request.
#[derive(Clone)]
pub enum Time {
    /// Always the same: the D of M/D/k.
    Constant(Duration),
    /// Exponentially distributed with this mean: the M of M/M/k.
    Exponential(Duration),
    /// Anything between the two alike.
    Uniform(Duration, Duration),
    /// Whatever this draws.
    Drawn(Arc<dyn Fn(&mut Rng) -> Duration + Send + Sync>),
}

impl Time {
    /// The next one.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        match self {
            Time::Constant(time) => *time,
            Time::Exponential(mean) => times(*mean, -unit(rng).ln()),
            Time::Uniform(from, to) => from.saturating_add(times(to.saturating_sub(*from), unit(rng))),
            Time::Drawn(draw) => draw(rng),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Time::Constant(time) => write!(f, "Constant({time:?})"),
            Time::Exponential(mean) => write!(f, "Exponential({mean:?})"),
            Time::Uniform(from, to) => write!(f, "Uniform({from:?}, {to:?})"),
            Time::Drawn(_) => f.write_str("Drawn(..)"),
        }
    }
}

/// So many times as long; at most the longest time that there is.
fn times(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(factor * time.as_secs_f64()).unwrap_or(Duration::MAX)
}

/// A number above 0 and at most 1.
fn unit(rng: &mut Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// How requests come.
#[derive(Clone, Debug)]
pub enum Load {
    /// On their own, so many a second on average, at random moments (Poisson), each on a connection of its own.
    Random {
        /// Requests in a second. With 0, none ever come.
        rate: f64,
    },
    /// So many clients. Each asks, waits for the answer, and asks again on the same connection.
    Clients {
        /// How many.
        count: usize,
        /// How long each waits between an answer and its next request; after a refusal no less than that says.
        think: Time,
        /// Requests on one connection; the next is on a new one.
        requests_per_connection: u32,
    },
}

/// A part of the work on one request, in the order of a [`Setup`](super::Setup).
#[derive(Clone, Debug)]
pub enum Work {
    /// The thread executes.
    Executes(Time),
    /// The database works, once one of its connections is free; until then, the thread stands in line.
    Database(Time),
    /// The thread processes what has come.
    Processes(Time),
    /// The thread returns the answer.
    Returns(Time),
}
