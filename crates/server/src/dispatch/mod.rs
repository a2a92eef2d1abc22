//! Who works on which request: a pure machine, which real threads and simulated time drive alike.
//!
//! ```text
//!   handle_request ──► a thread is free ───────────────────────────► Run ──► handle_done
//!                      └─ else the queue has room ──► waits ──► Run
//!                         └─ else ──► Refuse (503, Retry-After)
//! ```
//!
//! Whoever drives it says what happened (`handle_*`, with the time), and does what [`poll`](Dispatcher::poll) orders. Each
//! request has one outcome: it is answered, refused (503), lost with the process that worked on it (502), given up (504), or
//! its client has left. Requests are given to threads in the order in which they came, also those that come back from a
//! process that died.
//!
//! | to learn | read |
//! |---|---|
//! | what a pool is made of | `config.rs` |
//! | processes that begin, die, are replaced | `life.rs` |
//! | what is measured | `measure.rs`, `snapshot.rs` |

mod config;
mod life;
mod measure;
mod process;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use framewise_core::Instant;

pub use config::{Config, ConfigError, MOST_THREADS, Model};
pub use measure::Counts;
pub use process::{Phase, ProcessId, ThreadId};
pub use snapshot::{ProcessView, Quantiles, QueueView, Snapshot, ThreadView, TimesView};

use crate::state::State;
use life::Starts;
use measure::Measures;
use process::{Process, Thread};

/// A request by its number, in the order of coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A client's connection, by a number of the driver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u64);

/// What whoever drives the machine has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Give this request to this thread.
    Run {
        /// Which.
        request: RequestId,
        /// To whom.
        thread: ThreadId,
        /// The connection shall end with the answer: it held the thread long enough.
        is_last: bool,
    },
    /// Answer 503.
    Refuse {
        /// Which.
        request: RequestId,
        /// Why.
        why: Refusal,
        /// When it may be worth trying again.
        retry_after: Duration,
    },
    /// Answer 502: the process that worked on it has died. Where something was answered already, break it off; where its client
    /// has left, the answer goes nowhere.
    Fail {
        /// Which.
        request: RequestId,
    },
    /// Answer 504: the thread took too long. Where something was answered already, break it off.
    Expire {
        /// Which.
        request: RequestId,
    },
    /// Tell this thread that nobody wants the answer any more.
    Cancel {
        /// Which.
        request: RequestId,
        /// Whom.
        thread: ThreadId,
    },
    /// Start a process by this number.
    Start(ProcessId),
    /// Tell this process that nothing will come any more, so that it ends by itself. It is forgotten.
    End(ProcessId),
    /// Kill this process, and say so when it has died.
    Kill(ProcessId),
}

/// Why a request gets no thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No thread was free, and the queue was full.
    Full,
    /// No thread became free for as long as a request may wait.
    WaitedTooLong,
    /// No process is ready to take requests.
    NobodyReady,
}

/// What a thread did for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// How long it took.
    pub took: Duration,
    /// How long of that in each of the states 2 to 7.
    pub states: [Duration; 6],
}

/// A request that has no outcome yet.
#[derive(Clone, Debug)]
struct Job {
    conn: ConnKey,
    can_be_repeated: bool,
    came: Instant,
    tries: u32,
    /// Something of the answer has been sent.
    has_begun: bool,
    /// Its client has left.
    is_left: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Queued,
    At(ThreadId),
}

/// A connection that holds a thread.
#[derive(Clone, Copy, Debug)]
struct Hold {
    thread: ThreadId,
    requests: u32,
}

/// The machine. See the [module](self).
#[derive(Clone, Debug)]
pub struct Dispatcher {
    config: Config,
    processes: BTreeMap<ProcessId, Process>,
    starts: Starts,
    requests: BTreeMap<RequestId, Job>,
    next_request: u64,
    queue: BTreeSet<RequestId>,
    busy: usize,
    held: BTreeMap<ConnKey, Hold>,
    orders: VecDeque<Order>,
    measures: Measures,
}

impl Dispatcher {
    /// A pool whose processes are still to be started: that is the first it orders.
    pub fn new(config: Config, now: Instant) -> Self {
        let mut dispatcher = Dispatcher {
            config,
            processes: BTreeMap::new(),
            starts: Starts::default(),
            requests: BTreeMap::new(),
            next_request: 0,
            queue: BTreeSet::new(),
            busy: 0,
            held: BTreeMap::new(),
            orders: VecDeque::new(),
            measures: Measures::new(now),
        };
        dispatcher.start_missing(now);
        dispatcher
    }

    /// How it is made up.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next thing to do, until there is none. Ask after each `handle_*`.
    pub fn poll(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// Requests that have no outcome yet.
    pub fn under_way(&self) -> usize {
        self.requests.len()
    }

    /// Whether this request has no outcome yet.
    pub fn is_under_way(&self, request: RequestId) -> bool {
        self.requests.contains_key(&request)
    }

    /// Whether this process is one of the pool's: it was not told to end.
    pub fn has(&self, process: ProcessId) -> bool {
        self.processes.contains_key(&process)
    }

    /// How many wait before this request; `None` if it does not stand in the queue.
    pub fn waits_behind(&self, request: RequestId) -> Option<usize> {
        self.queue.contains(&request).then(|| self.queue.range(..request).count())
    }

    /// What this request waited for its thread. `None`: it waits still, or has its outcome.
    pub fn waited(&self, request: RequestId) -> Option<Duration> {
        let job = self.requests.get(&request)?;
        let Place::At(thread) = job.place else { return None };
        Some(self.thread(thread)?.began - job.came)
    }

    /// Requests that wait.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Threads at work.
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// Forgets what was measured: from here on it counts.
    pub fn measure_anew(&mut self, now: Instant) {
        self.measures = Measures::new(now);
    }

    // What happens to requests.

    /// A request came by this connection, which brings one at a time: the next when the one before has its outcome, as HTTP/1.1
    /// has it. `can_be_repeated`: should its process die before anything was answered, it can be given to another one without
    /// harm, and all of it is still there.
    pub fn handle_request(&mut self, conn: ConnKey, can_be_repeated: bool, now: Instant) -> RequestId {
        self.passes(now);
        self.measures.came(now);
        let id = RequestId(self.next_request);
        self.next_request += 1;
        let job = Job {
            conn,
            can_be_repeated,
            came: now,
            tries: 0,
            has_begun: false,
            is_left: false,
            place: Place::Queued,
        };
        self.requests.insert(id, job);
        match self.held.get(&conn).map(|hold| hold.thread) {
            Some(thread) if self.thread(thread).is_some_and(|thread| thread.job.is_none()) => {
                self.run(id, thread, now);
            }
            _ => self.run_or_queue(id, now),
        }
        id
    }

    fn run_or_queue(&mut self, id: RequestId, now: Instant) {
        if let Some(thread) = self.free_thread().filter(|_| self.queue.is_empty()) {
            self.run(id, thread, now);
        } else if self.queue.len() < self.config.queue {
            self.queue.insert(id);
            self.measures.most_queued = self.measures.most_queued.max(self.queue.len());
        } else {
            self.refuse(id, Refusal::Full);
        }
    }

    /// The thread says what it does.
    pub fn handle_state(&mut self, thread: ThreadId, state: State, now: Instant) {
        if let Some(thread) = self.thread_mut(thread).filter(|thread| thread.job.is_some())
            && state != State::Waits
        {
            thread.becomes(state, thread.holds, now);
        }
    }

    /// The thread begins to return its answer: it can't be asked of another one from here on.
    pub fn handle_begun(&mut self, thread: ThreadId, now: Instant) {
        self.handle_state(thread, State::Returns, now);
        self.handle_progress(thread, now);
        if let Some(id) = self.thread(thread).and_then(|thread| thread.job)
            && let Some(job) = self.requests.get_mut(&id)
        {
            job.has_begun = true;
        }
    }

    /// The client has taken some of what the thread returns: however long that takes, it is not the thread that is slow.
    pub fn handle_progress(&mut self, thread: ThreadId, now: Instant) {
        if let Some(thread) = self.thread_mut(thread) {
            thread.progress = now;
        }
    }

    /// The thread has returned its answer, or has come back from what was given up. Tells what it did for the answer.
    pub fn handle_done(&mut self, id: ThreadId, now: Instant) -> Option<Work> {
        self.passes(now);
        let thread = self.thread_mut(id)?;
        let (job, began) = (thread.job.take(), thread.began);
        if job.is_none() && !std::mem::take(&mut thread.is_stuck) {
            return None;
        }
        thread.becomes(State::Waits, thread.holds, now);
        let work = job.map(|_| thread.work(now));
        if let Some(job) = job.and_then(|job| self.requests.remove(&job)) {
            self.busy -= 1;
            if let Some(thread) = self.thread_mut(id) {
                thread.served += 1;
            }
            self.measures.service.record(now - began);
            if job.is_left {
                self.measures.counts.left += 1;
            } else {
                self.measures.answered(now);
                self.measures.response.record(now - job.came);
            }
        }
        self.let_go(id, now);
        work
    }

    /// The client of this request has left: nobody wants the answer.
    pub fn handle_left(&mut self, id: RequestId, now: Instant) {
        self.passes(now);
        let Some(job) = self.requests.get_mut(&id) else { return };
        match job.place {
            Place::At(thread) => {
                if !std::mem::replace(&mut job.is_left, true) {
                    self.orders.push_back(Order::Cancel { request: id, thread });
                }
            }
            Place::Queued => {
                self.forget(id);
                self.measures.counts.left += 1;
            }
        }
    }

    /// This connection brings no more requests.
    pub fn handle_closed(&mut self, conn: ConnKey, now: Instant) {
        self.passes(now);
        let Some(hold) = self.held.remove(&conn) else { return };
        if let Some(thread) = self.thread_mut(hold.thread) {
            thread.becomes(thread.state, None, now);
            self.let_go(hold.thread, now);
        }
    }

    // How requests and threads meet.

    /// A thread that has nothing to do any more is free, unless its connection holds it.
    fn let_go(&mut self, id: ThreadId, now: Instant) {
        let Some(process) = self.processes.get_mut(&id.process) else { return };
        let thread = &process.threads[usize::from(id.thread)];
        let is_free = !thread.is_at_work() && thread.holds.is_none();
        match process.phase {
            Phase::Ready if is_free => {
                process.free.insert(id.thread);
                self.pull(now);
            }
            Phase::Retiring => self.end_when_idle(id.process, now),
            _ => {}
        }
    }

    /// Gives what waits to who is free, in the order of coming.
    fn pull(&mut self, now: Instant) {
        while let Some(&id) = self.queue.first()
            && let Some(thread) = self.free_thread()
        {
            self.queue.pop_first();
            self.run(id, thread, now);
        }
    }

    /// A free thread of the process that has the least to do.
    fn free_thread(&self) -> Option<ThreadId> {
        let ready = self.processes.iter().filter(|(_, process)| process.phase == Phase::Ready);
        let (id, process) = ready
            .filter(|(_, process)| !process.free.is_empty())
            .max_by_key(|(id, process)| (process.free.len(), std::cmp::Reverse(**id)))?;
        Some(ThreadId { process: *id, thread: *process.free.first()? })
    }

    fn run(&mut self, id: RequestId, at: ThreadId, now: Instant) {
        let holds = self.config.model.holds();
        let Some(job) = self.requests.get_mut(&id) else { return };
        job.place = Place::At(at);
        job.tries += 1;
        let (conn, came) = (job.conn, job.came);
        if job.tries == 1 {
            self.measures.waiting.record(now - came);
        }
        // Before a connection lets another thread go, which then gives what waits to whoever is free.
        if let Some(process) = self.processes.get_mut(&at.process) {
            process.free.remove(&at.thread);
        }
        let mut is_last = false;
        if holds {
            self.move_hold(conn, at, now);
            let hold = self.held.entry(conn).or_insert(Hold { thread: at, requests: 0 });
            (hold.thread, hold.requests) = (at, hold.requests + 1);
            is_last = hold.requests >= self.config.requests_per_connection;
        }
        if let Some(thread) = self.thread_mut(at) {
            thread.job = Some(id);
            (thread.began, thread.progress) = (now, now);
            thread.becomes(State::Passes, holds.then_some(conn), now);
            thread.times_then = thread.times;
            self.busy += 1;
        }
        self.orders.push_back(Order::Run { request: id, thread: at, is_last });
    }

    /// A connection holds one thread at most.
    fn move_hold(&mut self, conn: ConnKey, to: ThreadId, now: Instant) {
        let before = self.held.get(&conn).map(|hold| hold.thread).filter(|thread| *thread != to);
        if let Some(before) = before
            && let Some(thread) = self.thread_mut(before)
        {
            thread.becomes(thread.state, None, now);
            self.held.remove(&conn);
            self.let_go(before, now);
        }
    }

    fn refuse(&mut self, id: RequestId, why: Refusal) {
        self.forget(id);
        self.measures.counts.refused += 1;
        // When all that wait now have been worked on, there is room for certain.
        let threads = self.working_threads();
        let why = if threads == 0 { Refusal::NobodyReady } else { why };
        let expected = self.measures.expected(self.queue.len() + 1, threads);
        let retry_after = Duration::from_secs(expected.as_secs_f64().ceil().clamp(1.0, 120.0) as u64);
        self.orders.push_back(Order::Refuse { request: id, why, retry_after });
    }

    /// Takes a request out of everything but a thread's work.
    fn forget(&mut self, id: RequestId) {
        self.requests.remove(&id);
        self.queue.remove(&id);
    }

    /// Time has passed since it was last told of anything.
    fn passes(&mut self, now: Instant) {
        self.measures.passes(now, self.queue.len(), self.busy);
    }

    /// Threads of processes that take requests.
    pub fn working_threads(&self) -> usize {
        let ready = self.processes.values().filter(|process| process.phase == Phase::Ready);
        ready.map(|process| process.threads.len()).sum()
    }

    fn thread(&self, id: ThreadId) -> Option<&Thread> {
        self.processes.get(&id.process)?.threads.get(usize::from(id.thread))
    }

    fn thread_mut(&mut self, id: ThreadId) -> Option<&mut Thread> {
        self.processes.get_mut(&id.process)?.threads.get_mut(usize::from(id.thread))
    }
}

#[cfg(test)]
mod tests;
