//! Processes begin, die, are replaced, and take over from each other; and what is overdue.

use std::time::Duration;

use framewise_core::Instant;
use framewise_core::time::earliest;

use super::process::{Phase, Process, ProcessId, ThreadId};
use super::{Dispatcher, Model, Order, Place, Refusal, RequestId};

/// Processes to be started, and how eagerly.
#[derive(Clone, Debug, Default)]
pub(super) struct Starts {
    next: u32,
    /// Counts restarts: those of before retire when as many of this one are ready.
    generation: u32,
    /// How many in a row died before they were ready.
    failures: u32,
    /// Not before this.
    not_before: Option<Instant>,
}

/// How long after a death before it was ready the next is started: the first at once.
fn patience(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => Duration::from_millis(100 << (more - 2).min(6)),
    }
}

impl Dispatcher {
    /// This process is ready, and its threads wait.
    pub fn handle_ready(&mut self, id: ProcessId, now: Instant) {
        self.passes(now);
        let Some(process) = self.processes.get_mut(&id).filter(|process| process.phase == Phase::Starting)
        else {
            return;
        };
        process.is_ready(now);
        self.measures.counts.started += 1;
        (self.starts.failures, self.starts.not_before) = (0, None);
        self.take_over(now);
        self.start_missing(now);
        self.pull(now);
    }

    /// This process has died. What it worked on is given to another where that is safe, and else lost.
    pub fn handle_died(&mut self, id: ProcessId, now: Instant) {
        self.passes(now);
        let Some(process) = self.processes.remove(&id) else { return };
        self.measures.counts.died += 1;
        // One from before the last restart was not wanted any more, and says nothing of those that begin now.
        if process.phase == Phase::Starting && process.generation == self.starts.generation {
            self.starts.failures += 1;
            self.starts.not_before = Some(now + patience(self.starts.failures));
        }
        self.held.retain(|_, hold| hold.thread.process != id);
        for thread in process.threads {
            if let Some(request) = thread.job {
                self.busy -= 1;
                self.repeat_or_fail(request);
            }
        }
        self.start_missing(now);
        self.pull(now);
    }

    fn repeat_or_fail(&mut self, id: RequestId) {
        let Some(job) = self.requests.get_mut(&id) else { return };
        if job.is_left {
            self.fail(id);
            self.measures.counts.left += 1;
        } else if job.can_be_repeated && !job.has_begun && job.tries < self.config.tries {
            job.place = Place::Queued;
            // By its number it stands before all that came later. The queue may be longer than its bound by these.
            self.queue.insert(id);
            self.measures.counts.again += 1;
        } else {
            self.fail(id);
            self.measures.counts.failed += 1;
        }
    }

    /// Also where its client has left: whoever drives this holds the request until it hears what became of it.
    fn fail(&mut self, id: RequestId) {
        self.forget(id);
        self.orders.push_back(Order::Fail { request: id });
    }

    /// Starts a new process for each, which take over one by one as they are ready; the old ones finish what they have.
    /// Without child processes there is nothing to be replaced.
    pub fn handle_restart(&mut self, now: Instant) {
        if self.config.model == Model::Threads {
            return;
        }
        self.passes(now);
        self.starts.generation += 1;
        (self.starts.failures, self.starts.not_before) = (0, None);
        // What has not begun yet may never do: it is not asked to end, it is ended.
        for id in self.of_before(|process| process.phase == Phase::Starting) {
            if let Some(process) = self.processes.get_mut(&id)
                && !std::mem::replace(&mut process.is_condemned, true)
            {
                self.orders.push_back(Order::Kill(id));
            }
        }
        self.start_missing(now);
    }

    /// Does what is due. Call it at [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Instant) {
        self.passes(now);
        if self.starts.not_before.is_some_and(|time| time <= now) {
            self.starts.not_before = None;
            self.start_missing(now);
        }
        self.condemn_slow_starters(now);
        self.expire_slow_threads(now);
        self.refuse_long_waiters(now);
    }

    /// When something is due by itself.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiter = self.config.most_wait.and_then(|most| {
            let first = self.queue.first().and_then(|id| self.requests.get(id))?;
            Some(first.came + most)
        });
        let starting = self.processes.values().filter(|p| p.phase == Phase::Starting && !p.is_condemned);
        let starter = starting.map(|process| process.since + self.config.start_within).min();
        let at_work = self.processes.values().flat_map(|process| &process.threads);
        let service = self.config.most_service.and_then(|most| {
            let last = at_work.filter(|thread| thread.job.is_some()).map(|thread| thread.progress).min()?;
            Some(last + most)
        });
        earliest(earliest(waiter, starter), earliest(service, self.starts.not_before))
    }

    /// Starts as many as are missing, unless it is too early.
    pub(super) fn start_missing(&mut self, now: Instant) {
        if self.starts.not_before.is_some_and(|time| time > now) {
            return;
        }
        self.starts.not_before = None;
        let generation = self.starts.generation;
        let counts =
            |process: &&Process| process.phase != Phase::Retiring && process.generation == generation;
        let there = self.processes.values().filter(counts).count();
        for _ in there..self.config.processes {
            let id = ProcessId(self.starts.next);
            self.starts.next += 1;
            self.processes.insert(id, Process::new(self.config.threads, generation, now));
            self.orders.push_back(Order::Start(id));
        }
    }

    /// One that is ready lets one of before retire, and the last of them all that are left.
    fn take_over(&mut self, now: Instant) {
        let generation = self.starts.generation;
        let is_new = |process: &&Process| process.generation == generation && process.phase == Phase::Ready;
        let are_all = self.processes.values().filter(is_new).count() >= self.config.processes;
        let old = self.of_before(|process| process.phase != Phase::Retiring);
        for id in old.into_iter().take(if are_all { usize::MAX } else { 1 }) {
            self.retire(id, now);
        }
    }

    /// Processes from before the last restart.
    fn of_before(&self, which: impl Fn(&Process) -> bool) -> Vec<ProcessId> {
        let generation = self.starts.generation;
        let old = self.processes.iter().filter(|(_, process)| process.generation != generation);
        old.filter(|(_, process)| which(process)).map(|(id, _)| *id).collect()
    }

    /// It gets nothing more; connections that hold its threads let them go when they are silent.
    fn retire(&mut self, id: ProcessId, now: Instant) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.phase = Phase::Retiring;
        process.free.clear();
        for thread in &mut process.threads {
            thread.becomes(thread.state, None, now);
        }
        self.held.retain(|_, hold| hold.thread.process != id);
        self.end_when_idle(id, now);
    }

    /// A retiring process ends when it has finished. When nothing is left but threads that do not come back, it is killed.
    pub(super) fn end_when_idle(&mut self, id: ProcessId, now: Instant) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        if process.at_work() == 0 {
            self.processes.remove(&id);
            self.orders.push_back(Order::End(id));
            self.start_missing(now);
        } else if process.threads.iter().all(|thread| thread.job.is_none())
            && !std::mem::replace(&mut process.is_condemned, true)
        {
            self.orders.push_back(Order::Kill(id));
        }
    }

    fn condemn_slow_starters(&mut self, now: Instant) {
        let within = self.config.start_within;
        for (id, process) in &mut self.processes {
            let is_late = process.phase == Phase::Starting && process.since + within <= now;
            if is_late && !std::mem::replace(&mut process.is_condemned, true) {
                self.orders.push_back(Order::Kill(*id));
            }
        }
    }

    fn expire_slow_threads(&mut self, now: Instant) {
        let Some(most) = self.config.most_service else { return };
        let mut slow: Vec<(ThreadId, RequestId)> = Vec::new();
        for (&process, its) in &self.processes {
            let threads = its.threads.iter().enumerate();
            slow.extend(threads.filter(|(_, thread)| thread.progress + most <= now).filter_map(
                |(index, thread)| Some((ThreadId { process, thread: index as u16 }, thread.job?)),
            ));
        }
        for (thread, request) in slow {
            self.expire(thread, request, now);
        }
    }

    /// Gives a request up. Its thread is stuck until it comes back; a child process it is in is replaced meanwhile.
    fn expire(&mut self, id: ThreadId, request: RequestId, now: Instant) {
        if let Some(thread) = self.thread_mut(id) {
            thread.job = None;
            thread.is_stuck = true;
        }
        self.busy -= 1;
        self.forget(request);
        self.measures.counts.expired += 1;
        self.orders.push_back(Order::Expire { request });
        if self.config.model == Model::Threads {
            return;
        }
        match self.processes.get(&id.process).map(|process| process.phase) {
            Some(Phase::Retiring) => self.end_when_idle(id.process, now),
            _ => self.retire(id.process, now),
        }
        self.start_missing(now);
        self.pull(now);
    }

    fn refuse_long_waiters(&mut self, now: Instant) {
        let Some(most) = self.config.most_wait else { return };
        while let Some(&id) = self.queue.first()
            && self.requests.get(&id).is_none_or(|job| job.came + most <= now)
        {
            self.queue.remove(&id);
            self.refuse(id, Refusal::WaitedTooLong);
        }
    }
}
