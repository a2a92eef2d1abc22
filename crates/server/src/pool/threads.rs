//! Threads of this process: each waits at a mailbox of its own, and calls the handler.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use framewise_http::{Answer, AnswerSink, BodyLength, Gone, Handler, Pieces, Request, ResponseHead};

use super::core::{Alarm, Crew, Shared};
use super::duty::Duty;
use crate::dispatch::{Config, ProcessId, RequestId, ThreadId};
use crate::state::{self, State};

/// Where a thread gets its requests. There is one at most in it: the dispatcher sees to that.
pub(crate) struct Mailbox(Sender<Job>);

struct Job {
    id: RequestId,
    request: Request,
    duty: Arc<Duty>,
}

impl Mailbox {
    pub(super) fn give(&self, id: RequestId, request: Request, duty: Arc<Duty>) {
        // Its thread lives as long as the mailbox.
        let _ = self.0.send(Job { id, request, duty });
    }
}

/// The only process there is.
const HERE: ProcessId = ProcessId(0);

/// Starts the threads, and the one that looks at the time.
pub(super) fn start(config: Config, handler: Arc<dyn Handler>) -> io::Result<(Arc<Shared>, JoinHandle<()>)> {
    let (mailboxes, receivers): (Vec<_>, Vec<_>) = (0..config.threads).map(|_| channel()).unzip();
    let crew = Crew::Threads(mailboxes.into_iter().map(Mailbox).collect());
    let shared = Arc::new(Shared::new(config, crew, Alarm::Thread(OnceLock::new())));
    for (index, jobs) in receivers.into_iter().enumerate() {
        let me = ThreadId { process: HERE, thread: index as u16 };
        let (shared, handler) = (Arc::downgrade(&shared), handler.clone());
        let thread = thread::Builder::new().name(format!("worker {}", index + 1));
        thread.spawn(move || work(&shared, me, &jobs, &*handler))?;
    }
    let keeps = shared.clone();
    let keeper = thread::Builder::new().name("keeper".to_owned()).spawn(move || keep(&keeps))?;
    shared.alarm.wakes(keeper.thread().clone());
    shared.with(|_, _| ());
    Ok((shared, keeper))
}

/// Looks at the time, until the pool is over.
fn keep(shared: &Shared) {
    loop {
        let pause = {
            let mut core = shared.lock();
            if core.is_over {
                // The mailboxes go, and with them the threads, each when it has finished.
                core.crew = Crew::Threads(Vec::new());
                return;
            }
            let now = shared.now();
            core.dispatcher.handle_timeout(now);
            core.obey(now);
            core.keeper_sleeps_until = core.dispatcher.poll_timeout();
            core.keeper_sleeps_until.map(|until| until - now)
        };
        match pause {
            Some(pause) => thread::park_timeout(pause),
            None => thread::park(),
        }
    }
}

/// One thread's life.
fn work(shared: &Weak<Shared>, me: ThreadId, jobs: &Receiver<Job>, handler: &dyn Handler) {
    let reports = shared.clone();
    state::report_to(Box::new(move |state| {
        if let Some(shared) = reports.upgrade().filter(|_| state != State::Waits) {
            shared.with(|core, now| core.dispatcher.handle_state(me, state, now));
        }
    }));
    while let Ok(Job { id, request, duty }) = jobs.recv() {
        state::set(State::Executes);
        let method = request.head.method.clone();
        let sink = Sink { shared: shared.clone(), me, id, duty, is_done: false };
        let answer = Answer::new(Box::new(sink), &method);
        // A panic drops the answer, which sends a 500; the next request finds the thread as it was.
        let _ = catch_unwind(AssertUnwindSafe(|| handler.handle(taken_in(request, handler), answer)));
        state::set(State::Waits);
    }
}

/// The request with what the handler's intake makes of its body, where it has one. All of the body is there: it is one piece.
fn taken_in(mut request: Request, handler: &dyn Handler) -> Request {
    let body = std::mem::take(&mut request.body);
    if body.is_empty() {
        return request;
    }
    request.body = match handler.intake(&request) {
        Some(mut intake) => {
            intake.piece(&body);
            intake.finish()
        }
        None => body,
    };
    request
}

/// Where a thread's answer goes.
struct Sink {
    shared: Weak<Shared>,
    me: ThreadId,
    id: RequestId,
    duty: Arc<Duty>,
    is_done: bool,
}

impl Sink {
    /// The thread is free from here on: said before the last word, so that whoever hears that finds it free.
    fn done(&mut self) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.with(|core, now| {
                if let Some(work) = core.dispatcher.handle_done(self.me, now) {
                    core.tell_what_was_done(self.id, self.me, &work);
                }
                core.under_way.remove(&self.id);
            });
        }
    }
}

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        if head.status.is_informational() {
            return;
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.with(|core, now| core.dispatcher.handle_begun(self.me, now));
        }
        // What was given up meanwhile is heard of by the body.
        let _ = self.duty.begin(head, length);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        state::set(State::Returns);
        self.duty.send(data)
    }

    fn stream(&mut self, pieces: Pieces) {
        super::pour(self, pieces);
    }

    fn end(&mut self) {
        self.done();
        self.duty.finish();
    }

    fn abort(&mut self) {
        self.done();
        self.duty.abort();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.is_done {
            self.abort();
        }
    }
}
