//! How a pool is made up, and what it does when that can't be.

use std::fmt;
use std::time::Duration;

/// Who works on requests, and what holds a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// No child processes: all threads are in the main process, and silent connections hold none.
    Threads,
    /// One thread in each child process. It is held by its connection, silent or not, until that ends.
    Prefork,
    /// Many threads in each child process, each held by its connection.
    Worker,
    /// Many threads in each child process, and a silent connection holds none.
    Event,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 4] = [Model::Threads, Model::Prefork, Model::Worker, Model::Event];

    /// Its name on the command line, which is Apache's where Apache has it.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Threads => "threads",
            Model::Prefork => "prefork",
            Model::Worker => "worker",
            Model::Event => "event",
        }
    }

    /// Whether there are child processes.
    pub const fn has_children(self) -> bool {
        !matches!(self, Model::Threads)
    }

    /// Whether a connection holds its thread while it is silent between two requests.
    pub const fn holds(self) -> bool {
        matches!(self, Model::Prefork | Model::Worker)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Threads that a pool may have.
pub const MOST_THREADS: usize = 4_096;

/// How a pool is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What holds a thread.
    pub model: Model,
    /// Child processes; 1 (the main process itself) where there are none.
    pub processes: usize,
    /// Threads in each process.
    pub threads: usize,
    /// Requests that may wait for a thread. Beyond: 503.
    pub queue: usize,
    /// After so many requests a connection that holds a thread is ended, so that others get one.
    pub requests_per_connection: u32,
    /// How long a request may wait for a thread. Beyond: 503.
    pub most_wait: Option<Duration>,
    /// How long a thread may work on a request until it begins to answer, and then between two pieces that its client takes.
    /// Beyond: 504, and its process is replaced.
    pub most_service: Option<Duration>,
    /// How long a process may take to begin. Beyond, it is replaced.
    pub start_within: Duration,
    /// How often a request that can be tried again is given to a thread at most.
    pub tries: u32,
}

impl Config {
    /// A pool of so many processes and threads in each, with a queue for so many requests, and the bounds of time that
    /// Apache has: 100 requests a connection, 60 seconds of work.
    pub fn new(model: Model, processes: usize, threads: usize, queue: usize) -> Result<Self, ConfigError> {
        if processes == 0 || threads == 0 {
            return Err(ConfigError::Nobody);
        }
        if model == Model::Threads && processes > 1 {
            return Err(ConfigError::NoChildren { processes });
        }
        if model == Model::Prefork && threads > 1 {
            return Err(ConfigError::OneThreadEach { threads });
        }
        let all = processes.saturating_mul(threads);
        if all > MOST_THREADS {
            return Err(ConfigError::TooMany { threads: all });
        }
        Ok(Config {
            model,
            processes,
            threads,
            queue,
            requests_per_connection: 100,
            most_wait: Some(Duration::from_secs(60)),
            most_service: Some(Duration::from_secs(60)),
            start_within: Duration::from_secs(30),
            tries: 2,
        })
    }

    /// Threads in all processes.
    pub fn all_threads(&self) -> usize {
        self.processes * self.threads
    }
}

/// Why there can be no such pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody would work.
    #[error("a pool without threads answers nobody: it needs one process and one thread at least")]
    Nobody,
    /// The model has no child processes.
    #[error("the model threads has no child processes, and {processes} were asked for")]
    NoChildren {
        /// How many were asked for.
        processes: usize,
    },
    /// The model has one thread in each process.
    #[error("the model prefork has one thread in each process, and {threads} were asked for")]
    OneThreadEach {
        /// How many were asked for.
        threads: usize,
    },
    /// More threads than there may be.
    #[error("{threads} threads are more than a pool may have, which is {MOST_THREADS}")]
    TooMany {
        /// How many were asked for.
        threads: usize,
    },
}
