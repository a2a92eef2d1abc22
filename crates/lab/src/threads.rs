//! The number of threads is fixed: how many requests can they answer, and how long does one wait?
//!
//! Three questions, each predicted and measured:
//!
//! | question | predicted by | measured |
//! |---|---|---|
//! | how many requests can k threads answer? | k ÷ service time | by a pool behind the whole stack, frame by frame |
//! | how long does a request wait, the nearer the load is to that? | M/M/k and M/D/k | by the same dispatcher without frames, for there have to be many |
//! | what do clients that keep their connection do to each model? | threads ÷ time that one is held | likewise |

use std::time::Duration;

use framewise_server::dispatch::{Config, ConfigError, Model};
use framewise_server::simulate::{Load, Setup, Time, Work, simulate, simulate_watched};

use crate::interval::Interval;
use crate::over_frames::{Answered, LabError, over_frames};
use crate::theory;

/// Clients for each thread: enough that no thread ever waits for one.
const CLIENTS: usize = 3;
/// Service times that throughput is measured for.
const ROUNDS: u32 = 40;
/// Nobody is to be refused where waiting is measured.
const ENDLESS: usize = 1_000_000;

/// How many requests so many threads answer.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// The threads, k.
    pub threads: usize,
    /// Requests in a second: k ÷ service time.
    pub predicted: f64,
    /// The same as it was.
    pub measured: f64,
    /// Requests in the queue, the mean over time.
    pub queue: f64,
    /// Frames that carried them.
    pub frames: u64,
}

/// Throughput of so many threads, in simulated time, over frames.
pub fn throughput(threads: usize, service: Duration, seed: u64) -> Result<Throughput, LabError> {
    let clients = threads * CLIENTS;
    let pool = pool(Model::Threads, threads, clients)?;
    let answered: Answered = over_frames(pool, clients, service, service * ROUNDS, seed)?;
    Ok(Throughput {
        threads,
        predicted: theory::capacity(threads, service.as_secs_f64()),
        measured: answered.throughput(),
        queue: answered.mean_queue,
        frames: answered.frames,
    })
}

/// How long work takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Random (exponential): M/M/k.
    Random,
    /// Always the same: M/D/k.
    Constant,
}

impl Service {
    /// Both.
    pub const BOTH: [Service; 2] = [Service::Random, Service::Constant];

    /// Kendall's name for the queue.
    pub const fn name(self) -> &'static str {
        match self {
            Service::Random => "M/M/k",
            Service::Constant => "M/D/k",
        }
    }

    /// The mean wait in seconds that theory has for it; `None`: it grows without end.
    pub fn predicted(self, rate: f64, service: f64, threads: usize) -> Option<f64> {
        match self {
            Service::Random => theory::wait_mmk(rate, service, threads),
            Service::Constant => theory::wait_mdk(rate, service, threads),
        }
    }

    /// How long each takes.
    pub fn time(self, mean: Duration) -> Time {
        match self {
            Service::Random => Time::Exponential(mean),
            Service::Constant => Time::Constant(mean),
        }
    }
}

/// How long requests wait at one load.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Random or constant work.
    pub service: Service,
    /// The threads, k.
    pub threads: usize,
    /// The part of their capacity that is asked for.
    pub load: f64,
    /// The mean wait, in seconds, as theory has it.
    pub predicted: f64,
    /// As it was, in seconds.
    pub measured: Interval,
    /// Requests in the queue, the mean over time.
    pub queue: f64,
}

/// Loads from which on more requests are needed to know the mean as well.
const BUSY: f64 = 0.8;

/// Waiting of so many threads at this load, in simulated time, over so many requests; over more at loads beyond 0.8, where the
/// queue takes longer to forget what it was.
///
/// # Errors
/// There can be no such pool.
pub fn waiting(
    service: Service,
    threads: usize,
    mean: Duration,
    load: f64,
    requests: u64,
    seed: u64,
) -> Result<Waiting, ConfigError> {
    let seconds = mean.as_secs_f64();
    let rate = load * theory::capacity(threads, seconds);
    let longer = ((1.0 - BUSY) / (1.0 - load)).powi(2).clamp(1.0, 20.0);
    let requests = requests as f64 * longer;
    let work = vec![Work::Executes(service.time(mean))];
    let mut setup = Setup::new(pool(Model::Threads, threads, ENDLESS)?, Load::Random { rate }, work);
    setup.pool.most_wait = None;
    // The queue has to come to its usual length before it counts.
    setup.warm_up = Duration::from_secs_f64(requests / rate / 10.0);
    setup.length = Duration::from_secs_f64(requests / rate);
    let mut waits = Vec::new();
    let outcome = simulate_watched(&setup, seed, &mut |served| waits.push(served.waited.as_secs_f64()));
    Ok(Waiting {
        service,
        threads,
        load,
        predicted: service.predicted(rate, seconds, threads).unwrap_or(f64::INFINITY),
        measured: Interval::of(&waits),
        queue: outcome.mean_queue,
    })
}

/// What a model makes of clients that keep their connections.
#[derive(Clone, Copy, Debug)]
pub struct KeptAlive {
    /// Which.
    pub model: Model,
    /// Clients, each of whom thinks between an answer and its next request.
    pub clients: usize,
    /// Requests in a second, by who is scarcer: clients, or threads for the time that one is held.
    pub predicted: f64,
    /// As it was.
    pub measured: f64,
    /// The mean wait, in seconds.
    pub waited: f64,
    /// Requests that were refused.
    pub refused: u64,
}

/// So many clients that think for so long, before so many threads of this model.
///
/// # Errors
/// There can be no such pool.
pub fn kept_alive(
    model: Model,
    threads: usize,
    clients: usize,
    service: Duration,
    think: Duration,
    seed: u64,
) -> Result<KeptAlive, ConfigError> {
    let load =
        Load::Clients { count: clients, think: Time::Exponential(think), requests_per_connection: 100 };
    let work = vec![Work::Executes(Time::Constant(service))];
    let outcome = simulate(&Setup::new(pool(model, threads, ENDLESS)?, load, work), seed);
    let (service, think) = (service.as_secs_f64(), think.as_secs_f64());
    let held = if model.holds() { service + think } else { service };
    Ok(KeptAlive {
        model,
        clients,
        predicted: (clients as f64 / (service + think)).min(theory::capacity(threads, held)),
        measured: outcome.throughput(),
        waited: outcome.waiting.mean().as_secs_f64(),
        refused: outcome.counts.refused,
    })
}

/// So many threads, divided as the model divides them: one a process, all in one, or sixteen a process.
pub fn pool(model: Model, threads: usize, queue: usize) -> Result<Config, ConfigError> {
    const EACH: usize = 16;
    let (processes, each) = match model {
        Model::Threads => (1, threads),
        Model::Prefork => (threads, 1),
        Model::Worker | Model::Event if threads.is_multiple_of(EACH) => (threads / EACH, EACH),
        Model::Worker | Model::Event => (1, threads),
    };
    Config::new(model, processes, each, queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS_20: Duration = Duration::from_millis(20);

    #[test]
    fn the_prediction_lies_in_the_measured_interval() {
        let mut holds = 0;
        let loads = [0.5, 0.8, 0.95];
        for service in Service::BOTH {
            for load in loads {
                let waiting = waiting(service, 16, MS_20, load, 50_000, 1).expect("a pool");
                let near = (waiting.measured.mean / waiting.predicted - 1.0).abs();
                assert!(near < 0.15, "{waiting:?}");
                holds += usize::from(waiting.measured.holds(waiting.predicted));
            }
        }
        // Each of the six with a confidence of 95 %.
        assert!(holds >= 5, "{holds} of 6");
    }

    #[test]
    fn clients_that_think_hold_the_threads_of_worker_and_prefork() {
        let second = Duration::from_secs(1);
        let of = |model| kept_alive(model, 32, 200, MS_20, second, 1).expect("a pool");
        let (event, worker, prefork) = (of(Model::Event), of(Model::Worker), of(Model::Prefork));
        assert!((event.measured / event.predicted - 1.0).abs() < 0.05, "{event:?}");
        assert!((worker.measured / worker.predicted - 1.0).abs() < 0.1, "{worker:?}");
        assert!(event.measured > 4.0 * worker.measured, "{event:?} {worker:?}");
        assert!((prefork.measured / worker.measured - 1.0).abs() < 0.05, "{prefork:?} {worker:?}");
    }
}
