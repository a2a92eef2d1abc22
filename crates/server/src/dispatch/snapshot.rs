//! A pool at one moment, for whoever looks on: plain data, as JSON has it too.

use std::time::Duration;

use framewise_core::Instant;
use serde::{Deserialize, Serialize};

use super::measure::Counts;
use super::process::{HELD, Phase, Process, ProcessId, Thread};
use super::{Dispatcher, RequestId};
use crate::histogram::Histogram;

/// A pool at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Milliseconds since the pool began, or since measuring began anew.
    pub since_ms: u64,
    /// The model's name.
    pub model: String,
    /// Processes that the pool is made of; there are more while some retire, fewer while some are replaced.
    pub processes_wanted: usize,
    /// Each process.
    pub processes: Vec<ProcessView>,
    /// What waits.
    pub queue: QueueView,
    /// Requests that came in a second, over the last ten.
    pub came_per_second: f64,
    /// Requests that were answered in a second, over the last ten.
    pub answered_per_second: f64,
    /// Threads at work, and their mean over time.
    pub busy: usize,
    /// The mean over time.
    pub mean_busy: f64,
    /// What a request waits for a thread.
    pub waiting: Quantiles,
    /// What a thread works on a request.
    pub service: Quantiles,
    /// Both together.
    pub response: Quantiles,
    /// What became of requests and processes.
    pub counts: Counts,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Its number in the pool.
    pub number: u32,
    /// The operating system's number for it, where it has one of its own.
    pub pid: Option<u32>,
    /// `starting`, `ready` or `retiring`.
    pub phase: String,
    /// Its threads.
    pub threads: Vec<ThreadView>,
}

/// One thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadView {
    /// What it does, 1 to 7.
    pub state: u8,
    /// Whether the connection that it waits for is one that it holds.
    pub holds: bool,
    /// Whether what it works on was given up.
    pub stuck: bool,
    /// For how long it has been doing that, in microseconds.
    pub for_us: u64,
    /// Requests that it has worked on.
    pub served: u64,
    /// How long it was in each state.
    pub times: TimesView,
    /// What it works on, such as `GET /items/1`.
    pub request: Option<String>,
}

/// How long a thread was in each state, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimesView {
    /// States 1 to 7; of the first, the time in which it was free.
    pub states_us: [u64; 7],
    /// The time in which it waited for a connection that it held.
    pub held_us: u64,
}

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueView {
    /// Requests that wait.
    pub length: usize,
    /// How many may.
    pub limit: usize,
    /// The most that did.
    pub most: usize,
    /// The mean over time.
    pub mean: f64,
}

/// Lengths of time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Their mean.
    pub mean_us: u64,
    /// Half are no longer than this.
    pub p50_us: u64,
    /// 95 in 100 are no longer than this.
    pub p95_us: u64,
    /// 99 in 100 are no longer than this.
    pub p99_us: u64,
    /// The longest.
    pub longest_us: u64,
}

impl From<&Histogram> for Quantiles {
    fn from(histogram: &Histogram) -> Self {
        let at = |part| micros(histogram.quantile(part));
        Quantiles {
            count: histogram.count(),
            mean_us: micros(histogram.mean()),
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            longest_us: micros(histogram.longest()),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Dispatcher {
    /// The pool now. `pid` and `request` tell what only the driver knows.
    pub fn snapshot(
        &mut self,
        now: Instant,
        pid: impl Fn(ProcessId) -> Option<u32>,
        request: impl Fn(RequestId) -> Option<String>,
    ) -> Snapshot {
        self.passes(now);
        let [came, answered] = self.measures.rates(now);
        let [mean_queue, mean_busy] = self.measures.means();
        let view = |(id, process): (&ProcessId, &Process)| ProcessView {
            number: id.0,
            pid: pid(*id),
            phase: phase(process.phase).to_owned(),
            threads: process.threads.iter().map(|its| thread(its, now, &request)).collect(),
        };
        Snapshot {
            since_ms: (now - self.measures.began).as_millis() as u64,
            model: self.config.model.name().to_owned(),
            processes_wanted: self.config.processes,
            processes: self.processes.iter().map(view).collect(),
            queue: QueueView {
                length: self.queue.len(),
                limit: self.config.queue,
                most: self.measures.most_queued,
                mean: mean_queue,
            },
            came_per_second: came,
            answered_per_second: answered,
            busy: self.busy,
            mean_busy,
            waiting: (&self.measures.waiting).into(),
            service: (&self.measures.service).into(),
            response: (&self.measures.response).into(),
            counts: self.measures.counts,
        }
    }

    /// What requests have waited for a thread, since measuring began.
    pub fn waiting(&self) -> &Histogram {
        &self.measures.waiting
    }

    /// What threads have worked on requests.
    pub fn service(&self) -> &Histogram {
        &self.measures.service
    }

    /// Both together.
    pub fn response(&self) -> &Histogram {
        &self.measures.response
    }

    /// What became of requests and processes.
    pub fn counts(&self) -> &Counts {
        &self.measures.counts
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Ready => "ready",
        Phase::Retiring => "retiring",
    }
}

fn thread(thread: &Thread, now: Instant, request: impl Fn(RequestId) -> Option<String>) -> ThreadView {
    let times = thread.times_until(now).map(micros);
    let mut states_us = [0; 7];
    states_us.copy_from_slice(&times[..HELD]);
    ThreadView {
        state: thread.state.number(),
        holds: thread.holds.is_some(),
        stuck: thread.is_stuck,
        for_us: micros(now - thread.since),
        served: thread.served,
        times: TimesView { states_us, held_us: times[HELD] },
        request: thread.job.and_then(request),
    }
}
