//! One process of a pool, and its threads.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use framewise_core::Instant;

use super::{ConnKey, RequestId, Work};
use crate::state::State;

/// A process by its number, which is never used again: who dies is not mixed up with who takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A thread of a process, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId {
    /// Of which process.
    pub process: ProcessId,
    /// Which of its threads.
    pub thread: u16,
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process, self.thread + 1)
    }
}

/// Where a process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It was started, and has not said yet that it is ready.
    Starting,
    /// It works.
    Ready,
    /// It finishes what it has, and gets no more.
    Retiring,
}

/// One thread.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) state: State,
    pub(crate) since: Instant,
    /// How long it was in each state, before this one; the last is the waiting for a connection that it holds.
    pub(crate) times: [Duration; 8],
    pub(crate) holds: Option<ConnKey>,
    pub(crate) job: Option<RequestId>,
    pub(crate) began: Instant,
    /// How long it had been in each state when it began its request.
    pub(crate) times_then: [Duration; 8],
    /// When something of it was last seen to go on: it began, it began to answer, the client has taken some.
    pub(crate) progress: Instant,
    pub(crate) served: u64,
    /// What it worked on has been given up, and it has not come back.
    pub(crate) is_stuck: bool,
}

/// Where the time is put that a thread waits for a connection which it holds.
pub(crate) const HELD: usize = 7;

impl Thread {
    fn new(now: Instant) -> Self {
        Thread {
            state: State::Waits,
            since: now,
            times: [Duration::ZERO; 8],
            holds: None,
            job: None,
            began: now,
            times_then: [Duration::ZERO; 8],
            progress: now,
            served: 0,
            is_stuck: false,
        }
    }

    /// Where the time is put that passes now.
    fn place(&self) -> usize {
        match self.state {
            State::Waits if self.holds.is_some() => HELD,
            state => usize::from(state.number() - 1),
        }
    }

    /// From now on it is in this state, and holds this connection.
    pub(crate) fn becomes(&mut self, state: State, holds: Option<ConnKey>, now: Instant) {
        self.times[self.place()] += now - self.since;
        (self.state, self.holds, self.since) = (state, holds, self.since.max(now));
    }

    /// How long it was in each state, until now.
    pub(crate) fn times_until(&self, now: Instant) -> [Duration; 8] {
        let mut times = self.times;
        times[self.place()] += now - self.since;
        times
    }

    /// What it did since it began its request.
    pub(crate) fn work(&self, now: Instant) -> Work {
        let after = State::Passes.number() as usize - 1;
        let states = std::array::from_fn(|index| self.times[index + after] - self.times_then[index + after]);
        Work { took: now - self.began, states }
    }

    pub(crate) fn is_at_work(&self) -> bool {
        self.job.is_some() || self.is_stuck
    }
}

/// One process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) phase: Phase,
    /// Which restart it belongs to.
    pub(crate) generation: u32,
    pub(crate) since: Instant,
    pub(crate) threads: Vec<Thread>,
    /// Threads that hold nothing, while the process is ready.
    pub(crate) free: BTreeSet<u16>,
    /// It was ordered to be killed.
    pub(crate) is_condemned: bool,
}

impl Process {
    pub(crate) fn new(threads: usize, generation: u32, now: Instant) -> Self {
        Process {
            phase: Phase::Starting,
            generation,
            since: now,
            threads: (0..threads).map(|_| Thread::new(now)).collect(),
            free: BTreeSet::new(),
            is_condemned: false,
        }
    }

    /// It can take requests from now on.
    pub(crate) fn is_ready(&mut self, now: Instant) {
        (self.phase, self.since) = (Phase::Ready, now);
        let count = self.threads.len();
        self.threads = (0..count).map(|_| Thread::new(now)).collect();
        self.free = (0..count as u16).collect();
    }

    pub(crate) fn at_work(&self) -> usize {
        self.threads.iter().filter(|thread| thread.is_at_work()).count()
    }
}
