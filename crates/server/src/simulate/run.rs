//! One simulated run: events in the order of their time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use framewise_core::{Instant, Rng};

use super::{Load, Outcome, Served, Setup, Time, Work};
use crate::dispatch::{Config, ConnKey, Dispatcher, Order, ProcessId, RequestId, ThreadId};
use crate::state::State;

/// How long a simulated process takes to begin.
const BEGINS: Duration = Duration::from_millis(50);

/// What happens at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A process is ready.
    Ready(ProcessId),
    /// A request of nobody in particular comes.
    Comes,
    /// A client sends its next request.
    Asks(usize),
    /// The server ends a connection, if it has been silent since then.
    Silent(ConnKey, Instant),
    /// A thread has finished a part of its work, unless it was taken from it meanwhile.
    Finished(RequestId, Turn),
    /// A process is killed.
    Kill,
    /// Something of the dispatcher's is due.
    Due,
}

/// Which try of a request it is, and which part of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Turn {
    tried: u32,
    part: usize,
}

/// A request under way.
struct Job {
    came: Instant,
    client: Option<usize>,
    conn: ConnKey,
    /// Where it is worked on, and since when.
    at: Option<(ThreadId, Instant)>,
    turn: Turn,
    in_database: bool,
    is_last: bool,
}

/// One of the clients.
#[derive(Default)]
struct Client {
    conn: Option<ConnKey>,
    asked: u32,
}

pub(super) struct Run<'a> {
    setup: &'a Setup,
    served: &'a mut dyn FnMut(Served),
    arrivals: Rng,
    work: Rng,
    now: Instant,
    end: Instant,
    is_measuring: bool,
    dispatcher: Dispatcher,
    events: BTreeSet<(Instant, u64, Event)>,
    count: u64,
    jobs: BTreeMap<RequestId, Job>,
    clients: Vec<Client>,
    next_conn: u64,
    /// Since when each silent connection is.
    silent: BTreeMap<ConnKey, (Instant, usize)>,
    processes: VecDeque<ProcessId>,
    database: Database,
    /// When the dispatcher is called next, because something of its own is due.
    due: Option<Instant>,
}

/// The database, and who stands in line for it.
#[derive(Default)]
struct Database {
    busy: usize,
    line: VecDeque<RequestId>,
    busy_area: f64,
    line_area: f64,
    last: Instant,
}

impl Database {
    fn passes(&mut self, now: Instant) {
        let seconds = (now - self.last).as_secs_f64();
        self.busy_area += seconds * self.busy as f64;
        self.line_area += seconds * self.line.len() as f64;
        self.last = now;
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(setup: &'a Setup, seed: u64, served: &'a mut dyn FnMut(Served)) -> Self {
        let rng = Rng::from_seed(seed);
        let pool = Config { most_service: None, ..setup.pool };
        let mut run = Run {
            setup,
            served,
            arrivals: rng.fork("arrivals"),
            work: rng.fork("work"),
            now: Instant::ZERO,
            end: Instant::ZERO + setup.warm_up + setup.length,
            is_measuring: false,
            dispatcher: Dispatcher::new(pool, Instant::ZERO),
            events: BTreeSet::new(),
            count: 0,
            jobs: BTreeMap::new(),
            clients: Vec::new(),
            next_conn: 0,
            silent: BTreeMap::new(),
            processes: VecDeque::new(),
            database: Database::default(),
            due: None,
        };
        run.obey();
        match &setup.load {
            Load::Random { .. } => run.next_comes(),
            Load::Clients { count, think, .. } => {
                for client in 0..*count {
                    run.clients.push(Client::default());
                    // Not all at once.
                    let after = think.draw(&mut run.arrivals);
                    run.after(after, Event::Asks(client));
                }
            }
        }
        if let Some(every) = setup.kill_every {
            run.after(every, Event::Kill);
        }
        run
    }

    pub(super) fn finish(mut self) -> Outcome {
        while let Some((time, _, event)) = self.events.pop_first() {
            if time >= self.end {
                break;
            }
            self.measure_from(time);
            self.now = time;
            self.happens(event);
            self.obey();
        }
        self.measure_from(self.end);
        self.now = self.end;
        self.outcome()
    }

    /// Forgets the warm-up, once it is over at `time`.
    fn measure_from(&mut self, time: Instant) {
        let begin = Instant::ZERO + self.setup.warm_up;
        if !self.is_measuring && time >= begin {
            self.is_measuring = true;
            self.dispatcher.measure_anew(begin);
            self.database.passes(begin);
            (self.database.busy_area, self.database.line_area) = (0.0, 0.0);
        }
    }

    fn outcome(mut self) -> Outcome {
        self.database.passes(self.now);
        let last = self.dispatcher.snapshot(self.now, |_| None, |_| None);
        let seconds = self.setup.length.as_secs_f64().max(f64::MIN_POSITIVE);
        Outcome {
            measured: self.setup.length,
            counts: last.counts,
            waiting: self.dispatcher.waiting().clone(),
            service: self.dispatcher.service().clone(),
            response: self.dispatcher.response().clone(),
            mean_queue: last.queue.mean,
            mean_busy: last.mean_busy,
            mean_database_busy: self.database.busy_area / seconds,
            mean_database_line: self.database.line_area / seconds,
            last,
        }
    }

    fn after(&mut self, time: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + time, self.count, event));
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Ready(process) => {
                self.processes.push_back(process);
                self.dispatcher.handle_ready(process, self.now);
            }
            Event::Comes => {
                self.next_comes();
                let conn = self.connect();
                self.ask(conn, None);
            }
            Event::Asks(client) => self.client_asks(client),
            Event::Silent(conn, since) => self.end_silent(conn, since),
            Event::Finished(request, turn) => self.finished(request, turn),
            Event::Kill => self.kill(),
            Event::Due => {
                self.due = None;
                self.dispatcher.handle_timeout(self.now);
            }
        }
    }

    /// Does what the dispatcher orders.
    fn obey(&mut self) {
        while let Some(order) = self.dispatcher.poll() {
            match order {
                Order::Start(process) => {
                    let begins = if self.setup.pool.model.has_children() { BEGINS } else { Duration::ZERO };
                    self.after(begins, Event::Ready(process));
                }
                Order::Run { request, thread, is_last } => self.begin(request, thread, is_last),
                Order::Refuse { request, retry_after, .. } => self.ends(request, retry_after),
                Order::Fail { request } | Order::Expire { request } => self.ends(request, Duration::ZERO),
                Order::Kill(process) => self.dies(process),
                Order::End(process) => self.processes.retain(|other| *other != process),
                Order::Cancel { .. } => {}
            }
        }
        let due = self.dispatcher.poll_timeout();
        if let Some(due) = due.filter(|due| self.due.is_none_or(|before| before > *due)) {
            self.due = Some(due);
            self.after(due - self.now, Event::Due);
        }
    }

    // Clients.

    fn next_comes(&mut self) {
        if let Load::Random { rate } = &self.setup.load {
            let mean = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
            let after = Time::Exponential(mean).draw(&mut self.arrivals);
            self.after(after, Event::Comes);
        }
    }

    fn connect(&mut self) -> ConnKey {
        self.next_conn += 1;
        ConnKey(self.next_conn)
    }

    fn ask(&mut self, conn: ConnKey, client: Option<usize>) {
        let request = self.dispatcher.handle_request(conn, true, self.now);
        let (came, turn) = (self.now, Turn::default());
        let job = Job { came, client, conn, at: None, turn, in_database: false, is_last: false };
        self.jobs.insert(request, job);
    }

    fn client_asks(&mut self, client: usize) {
        let conn = match self.clients[client].conn {
            Some(conn) => conn,
            None => self.connect(),
        };
        self.silent.remove(&conn);
        let its = &mut self.clients[client];
        (its.conn, its.asked) = (Some(conn), its.asked + 1);
        self.ask(conn, Some(client));
    }

    /// The exchange is over for its client, by whatever answer. It asks again no sooner than it was told to.
    fn ends(&mut self, request: RequestId, retry_after: Duration) {
        self.leave_database(request);
        let Some(job) = self.jobs.remove(&request) else { return };
        let (Some(client), Load::Clients { think, requests_per_connection, .. }) =
            (job.client, &self.setup.load)
        else {
            return self.dispatcher.handle_closed(job.conn, self.now);
        };
        if job.is_last || self.clients[client].asked >= *requests_per_connection {
            self.close(client, job.conn);
        } else {
            self.silent.insert(job.conn, (self.now, client));
            self.after(self.setup.keep_alive, Event::Silent(job.conn, self.now));
        }
        let after = think.draw(&mut self.arrivals).max(retry_after);
        self.after(after, Event::Asks(client));
    }

    fn end_silent(&mut self, conn: ConnKey, since: Instant) {
        if let Some((_, client)) = self.silent.get(&conn).copied().filter(|(at, _)| *at == since) {
            self.silent.remove(&conn);
            self.close(client, conn);
        }
    }

    fn close(&mut self, client: usize, conn: ConnKey) {
        self.clients[client] = Client::default();
        self.dispatcher.handle_closed(conn, self.now);
    }

    // Threads and the database.

    fn begin(&mut self, request: RequestId, thread: ThreadId, is_last: bool) {
        // A thread that died in the middle of it left the database.
        self.leave_database(request);
        let Some(job) = self.jobs.get_mut(&request) else { return };
        job.at = Some((thread, self.now));
        job.is_last = is_last;
        job.turn = Turn { tried: job.turn.tried + 1, part: 0 };
        self.go_on(request);
    }

    fn finished(&mut self, request: RequestId, turn: Turn) {
        if self.jobs.get(&request).is_none_or(|job| job.turn != turn) {
            return;
        }
        self.leave_database(request);
        if let Some(job) = self.jobs.get_mut(&request) {
            job.turn.part += 1;
        }
        self.go_on(request);
    }

    /// Begins the part of the work that comes next, or ends it.
    fn go_on(&mut self, request: RequestId) {
        let Some(job) = self.jobs.get(&request) else { return };
        let Some((thread, began)) = job.at else { return };
        let (state, time) = match self.setup.work.get(job.turn.part) {
            None => {
                let (came, now) = (job.came, self.now);
                self.dispatcher.handle_done(thread, now);
                if self.is_measuring {
                    (self.served)(Served { came, waited: began - came, worked: now - began });
                }
                return self.ends(request, Duration::ZERO);
            }
            Some(Work::Database(_)) => return self.ask_database(request, thread),
            Some(Work::Executes(time)) => (State::Executes, time),
            Some(Work::Processes(time)) => (State::Processes, time),
            Some(Work::Returns(time)) => (State::Returns, time),
        };
        let (turn, takes) = (job.turn, time.draw(&mut self.work));
        match state {
            State::Returns => self.dispatcher.handle_begun(thread, self.now),
            state => self.dispatcher.handle_state(thread, state, self.now),
        }
        self.after(takes, Event::Finished(request, turn));
    }

    fn ask_database(&mut self, request: RequestId, thread: ThreadId) {
        self.database.passes(self.now);
        if self.database.busy >= self.setup.database {
            self.database.line.push_back(request);
            return self.dispatcher.handle_state(thread, State::WaitsForOthers, self.now);
        }
        let Some(job) = self.jobs.get_mut(&request) else { return };
        let Some(Work::Database(time)) = self.setup.work.get(job.turn.part) else { return };
        self.database.busy += 1;
        job.in_database = true;
        let (turn, takes) = (job.turn, time.draw(&mut self.work));
        self.dispatcher.handle_state(thread, State::Database, self.now);
        self.after(takes, Event::Finished(request, turn));
    }

    /// Leaves it, or its line; whoever stands first in line is next.
    fn leave_database(&mut self, request: RequestId) {
        self.database.passes(self.now);
        self.database.line.retain(|other| *other != request);
        let Some(job) = self.jobs.get_mut(&request) else { return };
        if !std::mem::take(&mut job.in_database) {
            return;
        }
        self.database.busy -= 1;
        if let Some(next) = self.database.line.pop_front()
            && let Some((thread, _)) = self.jobs.get(&next).and_then(|job| job.at)
        {
            self.ask_database(next, thread);
        }
    }

    // Processes.

    fn kill(&mut self) {
        if let Some(every) = self.setup.kill_every {
            self.after(every, Event::Kill);
        }
        if let Some(process) = self.processes.front().copied() {
            self.dies(process);
        }
    }

    fn dies(&mut self, process: ProcessId) {
        self.processes.retain(|other| *other != process);
        let lost: Vec<RequestId> =
            self.jobs.iter().filter(|(_, job)| job.is_at(process)).map(|(id, _)| *id).collect();
        for request in lost {
            self.leave_database(request);
            if let Some(job) = self.jobs.get_mut(&request) {
                job.at = None;
                job.turn.tried += 1;
            }
        }
        self.dispatcher.handle_died(process, self.now);
    }
}

impl Job {
    fn is_at(&self, process: ProcessId) -> bool {
        self.at.is_some_and(|(thread, _)| thread.process == process)
    }
}
