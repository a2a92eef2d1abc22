//! What all drivers share: the dispatcher, the requests that it speaks of, and how its orders are obeyed.
//!
//! # Locks
//!
//! One lock guards it all. It is taken before that of the Runner's answers, never after. What a child says is passed on under
//! it, so sinks run under it, too, such as one that writes a log: none of them may ask the pool anything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use framewise_core::Instant;
use framewise_http::{Answer, ConnInfo, Method, Request, Watcher};

use super::duty::Duty;
use super::threads::Mailbox;
use super::told::line;
use crate::dispatch::{Config, ConnKey, Dispatcher, Order, ProcessId, RequestId, Snapshot, ThreadId};

/// What the threads of a pool share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    began: std::time::Instant,
    holds: bool,
    /// The least time after which something that begins now may be overdue.
    least: Option<Duration>,
    pub(crate) alarm: Alarm,
}

/// Behind the lock.
pub(crate) struct Core {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) under_way: BTreeMap<RequestId, Item>,
    conns: BTreeMap<(SocketAddr, SocketAddr), ConnKey>,
    next_conn: u64,
    pub(crate) crew: Crew,
    /// What is left for the keeper to do.
    pub(crate) chores: Vec<Chore>,
    /// Until when the keeper sleeps, if nobody wakes it.
    pub(crate) keeper_sleeps_until: Option<Instant>,
    pub(crate) is_over: bool,
}

/// A request without an outcome.
pub(crate) struct Item {
    pub(crate) request: Request,
    pub(crate) duty: Arc<Duty>,
    pub(crate) at: Option<ThreadId>,
    /// Bytes of the answer that the network has taken, and its thread has not been told of.
    pub(crate) taken: usize,
}

/// Who works.
pub(crate) enum Crew {
    /// Threads of this process.
    Threads(Vec<Mailbox>),
    /// Child processes.
    #[cfg(unix)]
    Children(BTreeMap<ProcessId, super::children::Child>),
}

/// What only the keeper does, for it takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    Start(ProcessId),
    End(ProcessId),
    Kill(ProcessId),
}

/// Wakes the keeper.
pub(crate) enum Alarm {
    /// By waking its thread.
    Thread(std::sync::OnceLock<std::thread::Thread>),
    /// By a byte in the pipe that it waits for.
    #[cfg(unix)]
    Pipe(std::os::fd::OwnedFd),
}

impl Alarm {
    /// It is this thread that it wakes, if it wakes one.
    pub(crate) fn wakes(&self, keeper: std::thread::Thread) {
        match self {
            // Said once.
            Alarm::Thread(place) => drop(place.set(keeper)),
            #[cfg(unix)]
            Alarm::Pipe(_) => {}
        }
    }

    pub(crate) fn ring(&self) {
        match self {
            Alarm::Thread(keeper) => {
                if let Some(keeper) = keeper.get() {
                    keeper.unpark();
                }
            }
            // Full, it is being woken already.
            #[cfg(unix)]
            Alarm::Pipe(pipe) => drop(rustix::io::write(pipe, &[1])),
        }
    }
}

impl Shared {
    pub(crate) fn new(config: Config, crew: Crew, alarm: Alarm) -> Self {
        let core = Core {
            dispatcher: Dispatcher::new(config, Instant::ZERO),
            under_way: BTreeMap::new(),
            conns: BTreeMap::new(),
            next_conn: 0,
            crew,
            chores: Vec::new(),
            keeper_sleeps_until: None,
            is_over: false,
        };
        let least = [config.most_wait, config.most_service].into_iter().flatten().min();
        let began = std::time::Instant::now();
        Shared { core: Mutex::new(core), began, holds: config.model.holds(), least, alarm }
    }

    /// The time since the pool began.
    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // Handlers, which may panic, are never called under it.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the dispatcher something, and obeys what it orders.
    pub(crate) fn with<R>(&self, tell: impl FnOnce(&mut Core, Instant) -> R) -> R {
        let mut core = self.lock();
        let now = self.now();
        let result = tell(&mut core, now);
        if core.obey(now) {
            self.alarm.ring();
        }
        result
    }

    /// A request came.
    pub(crate) fn take(self: &Arc<Self>, request: Request, answer: Answer) {
        let duty = Arc::new(Duty::new(&request, answer));
        self.with(|core, now| {
            if core.is_over {
                return duty.stop();
            }
            let conn = core.conn(&request.connection, self.holds);
            let id = core.dispatcher.handle_request(conn, can_be_repeated(&request.head.method), now);
            duty.watch(Arc::new(Follower { shared: Arc::downgrade(self), request: id }));
            core.under_way.insert(id, Item { request, duty, at: None, taken: 0 });
            core.tell_if_it_waits(id);
            let due = self.least.map(|least| now + least);
            if due.is_some_and(|due| core.keeper_sleeps_until.is_none_or(|until| until > due)) {
                core.keeper_sleeps_until = due;
                self.alarm.ring();
            }
        });
    }

    /// This connection brings no more requests.
    pub(crate) fn left(&self, connection: &ConnInfo) {
        self.with(|core, now| {
            if let Some(conn) = core.conns.remove(&(connection.local, connection.remote)) {
                core.dispatcher.handle_closed(conn, now);
            }
        });
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut core = self.lock();
        let now = self.now();
        let Core { dispatcher, under_way, crew, .. } = &mut *core;
        let shown = |id: RequestId| Some(line(&under_way.get(&id)?.request));
        dispatcher.snapshot(now, |process| crew.pid(process), shown)
    }

    /// The pool is not wanted any more: what is under way is answered 503, or broken off.
    pub(crate) fn ends(&self) {
        let mut core = self.lock();
        core.is_over = true;
        let left = std::mem::take(&mut core.under_way);
        drop(core);
        left.into_values().for_each(|item| item.duty.stop());
        self.alarm.ring();
    }
}

/// RFC 9110, section 9.2.2: done twice, it is as if done once.
fn can_be_repeated(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE].contains(method)
}

impl Core {
    /// The key of a connection. Where none holds a thread, each request has one of its own.
    fn conn(&mut self, connection: &ConnInfo, holds: bool) -> ConnKey {
        self.next_conn += 1;
        let new = ConnKey(self.next_conn);
        if holds { *self.conns.entry((connection.local, connection.remote)).or_insert(new) } else { new }
    }

    /// Does what the dispatcher orders; `true` if there is something for the keeper.
    pub(crate) fn obey(&mut self, now: Instant) -> bool {
        let mut for_keeper = false;
        while let Some(order) = self.dispatcher.poll() {
            match order {
                Order::Run { request, thread, is_last } => {
                    for_keeper |= self.give(request, thread, is_last);
                }
                Order::Refuse { request, why, retry_after } => {
                    self.without(request, |duty| duty.refuse(why, retry_after));
                }
                Order::Fail { request } => self.without(request, Duty::fail),
                Order::Expire { request } => self.without(request, Duty::expire),
                Order::Cancel { request, thread } => for_keeper |= self.crew.cancel(thread, request),
                Order::Start(process) if matches!(self.crew, Crew::Threads(_)) => {
                    self.dispatcher.handle_ready(process, now);
                }
                Order::Start(process) => self.chores.push(Chore::Start(process)),
                Order::End(process) => self.chores.push(Chore::End(process)),
                Order::Kill(process) => self.chores.push(Chore::Kill(process)),
            }
        }
        for_keeper || !self.chores.is_empty()
    }

    fn give(&mut self, request: RequestId, thread: ThreadId, is_last: bool) -> bool {
        let Some(item) = self.under_way.get_mut(&request) else { return false };
        (item.at, item.taken) = (Some(thread), 0);
        if is_last {
            item.duty.is_last();
        }
        let for_keeper = self.crew.give(request, thread, item);
        self.tell_who_gets_it(request, thread);
        for_keeper
    }

    /// Answers a request that no thread answers, and forgets it.
    fn without(&mut self, request: RequestId, answer: impl FnOnce(&Duty)) {
        if let Some(item) = self.under_way.remove(&request) {
            answer(&item.duty);
        }
    }
}

impl Crew {
    /// Gives a request to a thread; `true` if the keeper has to write the rest.
    fn give(&mut self, id: RequestId, thread: ThreadId, item: &Item) -> bool {
        match self {
            Crew::Threads(threads) => {
                if let Some(mailbox) = threads.get(usize::from(thread.thread)) {
                    mailbox.give(id, item.request.clone(), item.duty.clone());
                }
                false
            }
            #[cfg(unix)]
            Crew::Children(children) => {
                let child = children.get_mut(&thread.process);
                child.is_some_and(|child| child.give(id, thread.thread, &item.request))
            }
        }
    }

    /// Tells a thread that nobody wants its answer. A thread of ours hears it when it sends.
    #[cfg_attr(not(unix), allow(unused_variables, reason = "only of child processes"))]
    fn cancel(&mut self, thread: ThreadId, request: RequestId) -> bool {
        match self {
            Crew::Threads(_) => false,
            #[cfg(unix)]
            Crew::Children(children) => {
                let child = children.get_mut(&thread.process);
                child.is_some_and(|child| child.cancel(request, thread.thread))
            }
        }
    }

    #[cfg_attr(not(unix), allow(unused_variables, reason = "only of child processes"))]
    pub(super) fn pid(&self, process: ProcessId) -> Option<u32> {
        match self {
            Crew::Threads(_) => Some(std::process::id()),
            #[cfg(unix)]
            Crew::Children(children) => children.get(&process).map(super::children::Child::pid),
        }
    }
}

/// Follows the body of one answer through the network.
struct Follower {
    shared: Weak<Shared>,
    request: RequestId,
}

impl Watcher for Follower {
    fn taken(&self, bytes: usize) {
        let Some(shared) = self.shared.upgrade() else { return };
        shared.with(|core, now| {
            let Some(item) = core.under_way.get_mut(&self.request) else { return };
            let Some(at) = item.at else { return };
            core.dispatcher.handle_progress(at, now);
            item.taken += bytes;
            #[cfg(unix)]
            if let Crew::Children(children) = &mut core.crew
                && let Some(child) = children.get_mut(&at.process)
                && child.grant(self.request, at.thread, &mut item.taken)
            {
                shared.alarm.ring();
            }
        });
    }

    fn gone(&self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.with(|core, now| {
                core.dispatcher.handle_left(self.request, now);
                // One that waits is forgotten by the dispatcher at once; one at work when its thread is done.
                if !core.dispatcher.is_under_way(self.request) {
                    core.under_way.remove(&self.request);
                }
            });
        }
    }
}
