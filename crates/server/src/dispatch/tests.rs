//! The dispatcher told step by step what happens, and what it orders.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A dispatcher, the time, and what it has ordered.
struct Script {
    dispatcher: Dispatcher,
    now: Instant,
}

fn config(model: Model, processes: usize, threads: usize, queue: usize) -> Config {
    Config::new(model, processes, threads, queue).expect("a pool")
}

impl Script {
    /// A pool whose processes are ready.
    fn new(config: Config) -> Self {
        let mut script = Script { dispatcher: Dispatcher::new(config, Instant::ZERO), now: Instant::ZERO };
        for order in script.orders() {
            let Order::Start(process) = order else { panic!("{order:?} before any is ready") };
            script.dispatcher.handle_ready(process, script.now);
        }
        script
    }

    fn orders(&mut self) -> Vec<Order> {
        std::iter::from_fn(|| self.dispatcher.poll()).collect()
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.dispatcher.handle_timeout(self.now);
    }

    fn ask(&mut self, conn: u64) -> RequestId {
        self.dispatcher.handle_request(ConnKey(conn), true, self.now)
    }

    /// Asks, and sees it given to a thread at once.
    fn runs(&mut self, conn: u64) -> (RequestId, ThreadId) {
        let id = self.ask(conn);
        match self.orders()[..] {
            [Order::Run { request, thread, .. }] if request == id => (id, thread),
            ref other => panic!("{id:?} was to run, and not {other:?}"),
        }
    }

    fn done(&mut self, thread: ThreadId) -> Vec<Order> {
        self.dispatcher.handle_done(thread, self.now);
        self.orders()
    }

    fn dies(&mut self, process: ProcessId) -> Vec<Order> {
        self.dispatcher.handle_died(process, self.now);
        self.orders()
    }
}

fn refuse(request: RequestId, why: Refusal, seconds: u64) -> Order {
    Order::Refuse { request, why, retry_after: Duration::from_secs(seconds) }
}

fn run(request: RequestId, thread: ThreadId) -> Order {
    Order::Run { request, thread, is_last: false }
}

#[test]
fn what_finds_no_thread_waits_in_the_order_of_coming_and_then_is_refused() {
    let mut script = Script::new(config(Model::Threads, 1, 2, 2));
    let (_, first) = script.runs(1);
    let (_, second) = script.runs(2);
    assert_ne!(first, second);
    let (third, fourth, fifth) = (script.ask(3), script.ask(4), script.ask(5));
    assert_eq!(script.orders(), [refuse(fifth, Refusal::Full, 1)]);
    assert_eq!(script.done(second), [run(third, second)]);
    assert_eq!(script.done(first), [run(fourth, first)]);
    script.done(first);
    script.done(second);
    let counts = *script.dispatcher.counts();
    assert_eq!((counts.came, counts.answered, counts.refused), (5, 4, 1));
    assert_eq!(script.dispatcher.under_way(), 0);
}

#[test]
fn retry_after_is_the_time_until_the_queue_is_worked_off() {
    let mut script = Script::new(config(Model::Threads, 1, 1, 3));
    let (_, thread) = script.runs(1);
    script.wait(Duration::from_secs(2));
    script.done(thread);
    let _ = script.runs(1);
    for conn in 2..=4 {
        script.ask(conn);
    }
    let last = script.ask(5);
    // Three that wait and the one at work, 2 s each.
    assert_eq!(script.orders(), [refuse(last, Refusal::Full, 8)]);
}

#[test]
fn processes_share_the_work() {
    let mut script = Script::new(config(Model::Event, 3, 2, 0));
    let at: Vec<_> = (0..6).map(|conn| script.runs(conn).1).map(|at| (at.process.0, at.thread)).collect();
    assert_eq!(at, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]);
}

#[test]
fn a_silent_connection_holds_the_thread_of_prefork_and_worker_until_it_ends() {
    for model in [Model::Prefork, Model::Worker] {
        let mut script = Script::new(config(model, 1, 1, 5));
        let (_, thread) = script.runs(1);
        assert_eq!(script.done(thread), []);
        let other = script.ask(2);
        assert_eq!(script.orders(), [], "{model}: the thread is held");
        let own = script.ask(1);
        assert_eq!(script.orders(), [run(own, thread)], "{model}: its connection is served before the other");
        script.done(thread);
        script.dispatcher.handle_closed(ConnKey(1), script.now);
        assert_eq!(script.orders(), [run(other, thread)], "{model}: free at last");
    }
}

#[test]
fn a_connection_holds_one_thread_even_if_it_should_bring_two_requests() {
    let mut script = Script::new(config(Model::Worker, 1, 2, 5));
    let (_, first) = script.runs(1);
    let (_, second) = script.runs(1);
    assert_ne!(first, second);
    let waits = script.ask(2);
    assert_eq!(script.done(first), [run(waits, first)], "the hold has moved on");
    script.done(second);
    let held = script.ask(3);
    assert_eq!(script.orders(), []);
    script.dispatcher.handle_closed(ConnKey(1), script.now);
    assert_eq!(script.orders(), [run(held, second)]);
}

#[test]
fn a_silent_connection_holds_no_thread_of_event_and_threads() {
    for model in [Model::Event, Model::Threads] {
        let mut script = Script::new(config(model, 1, 1, 5));
        let (_, thread) = script.runs(1);
        script.done(thread);
        assert_eq!(script.runs(2).1, thread, "{model}");
    }
}

#[test]
fn a_connection_that_holds_a_thread_is_ended_after_so_many_requests() {
    let mut script = Script::new(Config { requests_per_connection: 2, ..config(Model::Worker, 1, 1, 5) });
    let (_, thread) = script.runs(1);
    script.done(thread);
    let request = script.ask(1);
    assert_eq!(script.orders(), [Order::Run { request, thread, is_last: true }]);
}

#[test]
fn what_a_dead_process_had_is_tried_again_where_that_is_safe() {
    let mut script = Script::new(config(Model::Event, 2, 2, 5));
    let (safe, first) = script.runs(1);
    let (_, other) = script.runs(2);
    let begun = script.runs(3);
    assert_eq!(begun.1.process, first.process);
    script.dispatcher.handle_begun(begun.1, script.now);
    let orders = script.dies(first.process);
    let [Order::Fail { request }, Order::Start(new), Order::Run { request: again, thread, .. }] = orders[..]
    else {
        panic!("{orders:?}")
    };
    assert_eq!((request, again, thread.process), (begun.0, safe, other.process));
    script.dispatcher.handle_ready(new, script.now);
    // It dies again: enough.
    let unsafe_one = script.dispatcher.handle_request(ConnKey(9), false, script.now);
    script.orders();
    let orders = script.dies(other.process);
    let fails: Vec<_> = orders.iter().filter(|order| matches!(order, Order::Fail { .. })).collect();
    assert!(fails.contains(&&Order::Fail { request: safe }), "{orders:?}");
    let at = script.dispatcher.requests.get(&unsafe_one).map(|job| job.place);
    assert!(matches!(at, Some(Place::At(thread)) if thread.process == new), "{at:?}");
}

#[test]
fn what_a_dead_process_had_for_a_client_that_has_left_is_given_up() {
    let mut script = Script::new(config(Model::Event, 1, 1, 5));
    let (request, thread) = script.runs(1);
    script.dispatcher.handle_left(request, script.now);
    assert_eq!(script.orders(), [Order::Cancel { request, thread }]);
    // Whoever holds the request hears that it can be freed.
    assert_eq!(script.dies(thread.process)[0], Order::Fail { request });
    let counts = *script.dispatcher.counts();
    assert_eq!((counts.left, counts.failed, script.dispatcher.under_way()), (1, 0, 0));
}

#[test]
fn who_comes_back_from_a_dead_process_is_before_those_who_came_later() {
    let mut script = Script::new(config(Model::Prefork, 1, 1, 5));
    let (first, thread) = script.runs(1);
    let second = script.ask(2);
    let orders = script.dies(thread.process);
    let [Order::Start(new)] = orders[..] else { panic!("{orders:?}") };
    script.dispatcher.handle_ready(new, script.now);
    let thread = ThreadId { process: new, thread: 0 };
    assert_eq!(script.orders(), [run(first, thread)]);
    script.done(thread);
    script.dispatcher.handle_closed(ConnKey(1), script.now);
    assert_eq!(script.orders(), [run(second, thread)]);
}

#[test]
fn processes_that_die_before_they_are_ready_are_started_ever_more_slowly() {
    let mut dispatcher = Dispatcher::new(config(Model::Event, 1, 1, 5), Instant::ZERO);
    let mut now = Instant::ZERO;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let Some(Order::Start(process)) = dispatcher.poll() else { panic!("none is started") };
        dispatcher.handle_died(process, now);
        let before = now;
        if let Some(due) = dispatcher.poll_timeout().filter(|due| *due > now)
            && dispatcher.orders.is_empty()
        {
            now = due;
            dispatcher.handle_timeout(now);
        }
        waits.push((now - before).as_millis());
    }
    assert_eq!(waits, [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 6_400, 6_400, 6_400, 6_400]);
}

#[test]
fn a_restart_replaces_one_by_one_and_the_old_finish_what_they_have() {
    let mut script = Script::new(config(Model::Worker, 2, 1, 5));
    let (_, busy) = script.runs(1);
    script.dispatcher.handle_restart(script.now);
    let orders = script.orders();
    let [Order::Start(one), Order::Start(two)] = orders[..] else { panic!("{orders:?}") };
    script.dispatcher.handle_ready(one, script.now);
    assert_eq!(script.orders(), [], "the busy one is the first, and not idle yet");
    script.dispatcher.handle_ready(two, script.now);
    assert_eq!(script.orders(), [Order::End(ProcessId(1))]);
    assert_eq!(script.runs(2).1.process, one);
    assert_eq!(script.done(busy), [Order::End(busy.process)]);
    assert_eq!(script.dispatcher.processes.len(), 2);
    // The connection that the old one held goes on at a new one.
    assert_eq!(script.runs(1).1.process, two);
}

#[test]
fn a_restart_during_a_restart_leaves_none_of_the_old() {
    let mut script = Script::new(config(Model::Event, 2, 1, 5));
    script.dispatcher.handle_restart(script.now);
    let half: Vec<_> = script.orders();
    let Order::Start(first) = half[0] else { panic!("{half:?}") };
    script.dispatcher.handle_ready(first, script.now);
    script.dispatcher.handle_restart(script.now);
    for order in script.orders() {
        if let Order::Start(process) = order {
            script.dispatcher.handle_ready(process, script.now);
        }
    }
    let left: Vec<u32> = script.dispatcher.processes.keys().map(|process| process.0).collect();
    assert_eq!(left, [4, 5]);
}

#[test]
fn a_hung_thread_costs_its_request_and_its_process() {
    let most = Some(Duration::from_secs(3));
    let mut script = Script::new(Config { most_service: most, ..config(Model::Event, 1, 2, 5) });
    let (hung, thread) = script.runs(1);
    script.wait(Duration::from_secs(2));
    let (fine, other) = script.runs(2);
    assert_eq!(script.dispatcher.poll_timeout(), Some(Instant::from_secs(3)));
    script.wait(Duration::from_secs(1));
    let orders = script.orders();
    let [Order::Expire { request }, Order::Start(new)] = orders[..] else { panic!("{orders:?}") };
    assert_eq!(request, hung);
    assert_eq!(
        script.done(other),
        [Order::Kill(thread.process)],
        "nothing but the hung one is left: {fine:?}"
    );
    script.dispatcher.handle_ready(new, script.now);
    assert_eq!(script.dies(thread.process), []);
    assert_eq!(script.runs(3).1.process, new);
}

#[test]
fn a_client_that_reads_slowly_is_not_a_thread_that_hangs() {
    let most = Some(Duration::from_secs(3));
    let mut script = Script::new(Config { most_service: most, ..config(Model::Event, 1, 1, 5) });
    let (request, thread) = script.runs(1);
    script.wait(Duration::from_secs(2));
    script.dispatcher.handle_begun(thread, script.now);
    for _ in 0..10 {
        script.wait(Duration::from_secs(2));
        assert_eq!(script.orders(), [], "its client has taken some of it two seconds ago");
        script.dispatcher.handle_progress(thread, script.now);
    }
    assert_eq!(script.dispatcher.poll_timeout(), Some(script.now + Duration::from_secs(3)));
    script.wait(Duration::from_secs(3));
    assert_eq!(script.orders().first(), Some(&Order::Expire { request }), "now nothing goes on");
}

#[test]
fn what_hangs_at_its_beginning_is_ended_by_a_restart() {
    let mut dispatcher = Dispatcher::new(config(Model::Event, 1, 1, 5), Instant::ZERO);
    let Some(Order::Start(hangs)) = dispatcher.poll() else { panic!("a process is to be started") };
    dispatcher.handle_restart(Instant::from_secs(1));
    let mut script = Script { dispatcher, now: Instant::from_secs(1) };
    let orders = script.orders();
    let [Order::Kill(killed), Order::Start(new)] = orders[..] else { panic!("{orders:?}") };
    assert_eq!(killed, hangs);
    assert_eq!(script.dies(hangs), [], "that is no failure of the new one, which needs no patience");
    script.dispatcher.handle_ready(new, script.now);
    assert_eq!(script.runs(1).1.process, new);
}

#[test]
fn a_hung_thread_of_the_main_process_is_free_when_it_comes_back() {
    let most = Some(Duration::from_secs(3));
    let mut script = Script::new(Config { most_service: most, ..config(Model::Threads, 1, 1, 5) });
    let (hung, thread) = script.runs(1);
    script.wait(Duration::from_secs(3));
    assert_eq!(script.orders(), [Order::Expire { request: hung }]);
    let waits = script.ask(2);
    assert_eq!(script.orders(), []);
    assert_eq!(script.done(thread), [run(waits, thread)]);
}

#[test]
fn who_waits_too_long_is_refused() {
    let most = Some(Duration::from_secs(5));
    let mut script =
        Script::new(Config { most_wait: most, most_service: None, ..config(Model::Threads, 1, 1, 5) });
    script.runs(1);
    let waits = script.ask(2);
    script.wait(Duration::from_secs(5));
    assert_eq!(script.orders(), [refuse(waits, Refusal::WaitedTooLong, 1)]);
}

#[test]
fn where_no_process_is_ready_that_is_the_reason() {
    let most_wait = Some(Duration::from_secs(5));
    let config = Config { most_wait, ..config(Model::Event, 1, 1, 1) };
    let mut script = Script { dispatcher: Dispatcher::new(config, Instant::ZERO), now: Instant::ZERO };
    let [Order::Start(_)] = script.orders()[..] else { panic!("a process is to be started") };
    let (waits, too_many) = (script.ask(1), script.ask(2));
    assert_eq!(script.orders(), [refuse(too_many, Refusal::NobodyReady, 1)]);
    script.wait(Duration::from_secs(5));
    assert_eq!(script.orders(), [refuse(waits, Refusal::NobodyReady, 1)]);
}

#[test]
fn a_client_that_leaves_is_taken_out_of_the_queue_and_its_thread_is_told() {
    let mut script = Script::new(config(Model::Threads, 1, 1, 1));
    let (first, thread) = script.runs(1);
    let second = script.ask(2);
    script.dispatcher.handle_left(second, script.now);
    assert_eq!(script.dispatcher.queued(), 0);
    script.dispatcher.handle_left(first, script.now);
    script.dispatcher.handle_left(first, script.now);
    assert_eq!(script.orders(), [Order::Cancel { request: first, thread }]);
    script.done(thread);
    assert_eq!(script.dispatcher.counts().left, 2);
    assert_eq!(script.dispatcher.counts().outcomes(), 2);
}

#[test]
fn the_time_in_each_state_is_kept() {
    let mut script = Script::new(config(Model::Worker, 1, 1, 1));
    let second = Duration::from_secs(1);
    script.wait(second);
    let (_, thread) = script.runs(1);
    for state in [State::Executes, State::Database, State::WaitsForOthers, State::Processes] {
        script.wait(second);
        script.dispatcher.handle_state(thread, state, script.now);
    }
    script.wait(second);
    script.dispatcher.handle_begun(thread, script.now);
    script.wait(second);
    script.done(thread);
    script.wait(second);
    let snapshot = script.dispatcher.snapshot(script.now, |_| Some(77), |_| None);
    let view = &snapshot.processes[0];
    assert_eq!((view.pid, view.phase.as_str()), (Some(77), "ready"));
    assert_eq!(view.threads[0].times, TimesView { states_us: [1_000_000; 7], held_us: 1_000_000 });
    assert!(view.threads[0].holds && view.threads[0].state == 1);
    assert_eq!(snapshot.service.mean_us, 6_000_000);
}

/// What a test does next, whatever it hits.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Ask { conn: u64, can_be_repeated: bool },
    Done(usize),
    Begun(usize),
    Left(usize),
    Closed(u64),
    Dies(usize),
    Ready,
    Restart,
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0u64..12, any::<bool>()).prop_map(|(conn, can_be_repeated)| Deed::Ask { conn, can_be_repeated }),
        6 => any::<usize>().prop_map(Deed::Done),
        2 => any::<usize>().prop_map(Deed::Begun),
        1 => any::<usize>().prop_map(Deed::Left),
        2 => (0u64..12).prop_map(Deed::Closed),
        1 => any::<usize>().prop_map(Deed::Dies),
        3 => Just(Deed::Ready),
        1 => Just(Deed::Restart),
        2 => (0u64..20_000).prop_map(Deed::Wait),
    ]
}

/// Keeps the books of what a dispatcher orders.
struct Books {
    script: Script,
    starting: Vec<ProcessId>,
    alive: Vec<ProcessId>,
    running: BTreeMap<ThreadId, RequestId>,
    open: BTreeMap<RequestId, u64>,
    asked: u64,
    outcomes: u64,
    /// The last request that ran for the first time, where connections hold no threads.
    last_run: Option<RequestId>,
    ran: std::collections::BTreeSet<RequestId>,
    stuck: std::collections::BTreeSet<ThreadId>,
}

impl Books {
    fn new(config: Config) -> Self {
        let script = Script { dispatcher: Dispatcher::new(config, Instant::ZERO), now: Instant::ZERO };
        Books {
            script,
            starting: Vec::new(),
            alive: Vec::new(),
            running: BTreeMap::new(),
            open: BTreeMap::new(),
            asked: 0,
            outcomes: 0,
            last_run: None,
            ran: Default::default(),
            stuck: Default::default(),
        }
    }

    fn does(&mut self, deed: Deed) {
        let now = self.script.now;
        let dispatcher = &mut self.script.dispatcher;
        let of = |running: &BTreeMap<ThreadId, RequestId>, n: usize| {
            let count = running.len();
            (count > 0).then(|| running.iter().nth(n % count).map(|(t, r)| (*t, *r))).flatten()
        };
        match deed {
            // A connection has one request at a time.
            Deed::Ask { conn, .. } if self.open.values().any(|other| *other == conn) => {}
            Deed::Ask { conn, can_be_repeated } => {
                let id = dispatcher.handle_request(ConnKey(conn), can_be_repeated, now);
                self.open.insert(id, conn);
                self.asked += 1;
            }
            Deed::Done(n) => {
                if let Some((thread, request)) = of(&self.running, n) {
                    dispatcher.handle_done(thread, now);
                    self.running.remove(&thread);
                    self.open.remove(&request);
                    self.outcomes += 1;
                } else if let Some(thread) = self.stuck.pop_first() {
                    dispatcher.handle_done(thread, now);
                }
            }
            Deed::Begun(n) => {
                if let Some((thread, _)) = of(&self.running, n) {
                    dispatcher.handle_begun(thread, now);
                }
            }
            Deed::Left(n) => {
                let count = self.open.len().max(1);
                if let Some(id) = self.open.keys().nth(n % count).copied() {
                    dispatcher.handle_left(id, now);
                    if !self.running.values().any(|running| *running == id) {
                        self.open.remove(&id);
                        self.outcomes += 1;
                    }
                }
            }
            Deed::Closed(conn) => {
                if !self.open.values().any(|other| *other == conn) {
                    dispatcher.handle_closed(ConnKey(conn), now);
                }
            }
            Deed::Dies(n) => {
                let all: Vec<_> = self.alive.iter().chain(&self.starting).copied().collect();
                if !all.is_empty() && dispatcher.config.model.has_children() {
                    self.dies(all[n % all.len()]);
                }
            }
            Deed::Ready => {
                if let Some(process) = self.starting.pop() {
                    self.alive.push(process);
                    dispatcher.handle_ready(process, now);
                }
            }
            Deed::Restart => dispatcher.handle_restart(now),
            Deed::Wait(millis) => self.script.wait(Duration::from_millis(millis)),
        }
        self.obeys();
    }

    fn dies(&mut self, process: ProcessId) {
        self.alive.retain(|other| *other != process);
        self.starting.retain(|other| *other != process);
        // Whatever it worked on is given to another, or fails.
        self.running.retain(|thread, _| thread.process != process);
        self.stuck.retain(|thread| thread.process != process);
        self.script.dispatcher.handle_died(process, self.script.now);
    }

    fn obeys(&mut self) {
        while let Some(order) = self.script.dispatcher.poll() {
            match order {
                Order::Run { request, thread, .. } => {
                    assert!(self.open.contains_key(&request), "{request:?} has its outcome already");
                    assert!(self.alive.contains(&thread.process), "{thread} is not alive");
                    assert!(usize::from(thread.thread) < self.script.dispatcher.config.threads);
                    let before = self.running.insert(thread, request);
                    assert_eq!(before, None, "{thread} has one already");
                    assert!(!self.stuck.contains(&thread), "{thread} is stuck");
                    if !self.script.dispatcher.config.model.holds() && self.ran.insert(request) {
                        assert!(self.last_run < Some(request), "{request:?} ran after {:?}", self.last_run);
                        self.last_run = Some(request);
                    }
                }
                Order::Refuse { request, retry_after, .. } => {
                    assert!((1..=120).contains(&retry_after.as_secs()));
                    self.has_ended(request);
                }
                Order::Fail { request } => self.has_ended(request),
                Order::Expire { request } => {
                    let thread = self.running.iter().find(|(_, other)| **other == request).map(|(t, _)| *t);
                    let thread = thread.expect("it was at work");
                    self.running.remove(&thread);
                    self.stuck.insert(thread);
                    self.has_ended(request);
                }
                Order::Cancel { request, thread } => assert_eq!(self.running.get(&thread), Some(&request)),
                Order::Start(process) => self.starting.push(process),
                Order::End(process) => {
                    assert!(self.running.keys().all(|thread| thread.process != process), "it works still");
                    self.alive.retain(|other| *other != process);
                    self.starting.retain(|other| *other != process);
                }
                Order::Kill(process) => self.dies(process),
            }
        }
        let (limit, all) = (self.script.dispatcher.config.queue, self.script.dispatcher.config.all_threads());
        assert!(self.script.dispatcher.queued() <= limit + 3 * all, "the queue is bounded");
        assert_eq!(self.script.dispatcher.busy(), self.running.len());
    }

    fn has_ended(&mut self, request: RequestId) {
        assert!(self.open.remove(&request).is_some(), "{request:?} has two outcomes");
        self.outcomes += 1;
    }
}

proptest! {
    #[test]
    fn each_request_has_one_outcome_whatever_happens(
        model in prop::sample::select(Model::ALL.to_vec()),
        (processes, threads, queue) in (1usize..4, 1usize..4, 0usize..6),
        deeds in prop::collection::vec(deed(), 0..200),
    ) {
        let processes = if model == Model::Threads { 1 } else { processes };
        let threads = if model == Model::Prefork { 1 } else { threads };
        let mut books = Books::new(config(model, processes, threads, queue));
        books.obeys();
        deeds.into_iter().for_each(|deed| books.does(deed));
        // Let it come to an end: all that is started becomes ready, all that runs is done, all that is silent ends.
        for round in 0..10_000 {
            if books.open.is_empty() {
                break;
            }
            books.does(Deed::Ready);
            books.does(Deed::Done(round));
            books.does(Deed::Closed(round as u64 % 12));
            books.does(Deed::Wait(100));
        }
        let counts = *books.script.dispatcher.counts();
        prop_assert_eq!(books.open.len(), 0);
        prop_assert_eq!(books.script.dispatcher.under_way(), 0);
        prop_assert_eq!((counts.came, counts.outcomes()), (books.asked, books.outcomes));
        prop_assert_eq!(books.asked, books.outcomes);
    }
}
