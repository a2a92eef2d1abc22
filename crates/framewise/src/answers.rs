//! How an answer reaches the Runner: from the handler itself, or later from another thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ResponseHead};
use framewise_http::Pieces;
use framewise_http::handler::{AnswerSink, Gone};

use crate::wake::Waker;

/// Bytes of one answer that another thread may be ahead of the network.
const AHEAD: usize = 256 << 10;

/// One thing that a handler says.
pub(crate) enum Part {
    Head(ResponseHead, BodyLength),
    Body(Bytes),
    Stream(Pieces),
    End,
    Abort,
}

/// Where all handlers of a host put their answers, and the Runner takes them.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Shared>);

struct Shared {
    runner: ThreadId,
    waker: Waker,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    parts: VecDeque<(ExchangeId, Part)>,
    /// Answers that someone works on. One who waits for room does not count: it is the network's turn.
    working: usize,
}

/// The network's side of one answer.
#[derive(Clone, Default)]
pub(crate) struct Flow(Arc<Mutex<FlowState>>);

#[derive(Default)]
struct FlowState {
    ahead: usize,
    gone: bool,
}

impl Answers {
    /// For the Runner of this thread.
    pub(crate) fn new(waker: Waker) -> Self {
        let runner = thread::current().id();
        Answers(Arc::new(Shared { runner, waker, state: Mutex::default(), moved: Condvar::new() }))
    }

    /// Where the handler of this exchange puts its answer.
    pub(crate) fn sink(&self, exchange: ExchangeId, flow: Flow) -> Box<dyn AnswerSink + Send> {
        self.lock().working += 1;
        Box::new(Sink { answers: self.clone(), exchange, flow, is_done: false })
    }

    /// The next part of any answer.
    pub(crate) fn take(&self) -> Option<(ExchangeId, Part)> {
        self.lock().parts.pop_front()
    }

    /// Whether someone works on an answer, or left a part of one.
    pub(crate) fn is_working(&self) -> bool {
        let state = self.lock();
        state.working > 0 || !state.parts.is_empty()
    }

    /// The network has taken `bytes` of this answer.
    pub(crate) fn sent(&self, flow: &Flow, bytes: usize) {
        let mut state = flow.lock();
        state.ahead = state.ahead.saturating_sub(bytes);
        drop(state);
        self.0.moved.notify_all();
    }

    /// Nobody wants this answer any more.
    pub(crate) fn gone(&self, flow: &Flow) {
        flow.lock().gone = true;
        self.0.moved.notify_all();
    }

    /// Whether this is the Runner's own thread.
    fn is_own_thread(&self) -> bool {
        thread::current().id() == self.0.runner
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A handler's panic happens outside of this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    fn lock(&self) -> MutexGuard<'_, FlowState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Sink {
    answers: Answers,
    exchange: ExchangeId,
    flow: Flow,
    is_done: bool,
}

impl Sink {
    fn put(&mut self, part: Part) {
        let is_last = matches!(part, Part::Stream(_) | Part::End | Part::Abort);
        let mut state = self.answers.lock();
        state.parts.push_back((self.exchange, part));
        if is_last && !self.is_done {
            self.is_done = true;
            state.working -= 1;
        }
        drop(state);
        // On its own thread the Runner is at work, and looks before it waits.
        if !self.answers.is_own_thread() {
            self.answers.0.waker.wake();
        }
    }

    /// Waits until the network has caught up. The Runner's own thread never waits: it is the network.
    fn wait_for_room(&self) -> Result<(), Gone> {
        if self.answers.is_own_thread() {
            return if self.flow.lock().gone { Err(Gone) } else { Ok(()) };
        }
        let has_room = |flow: &Flow| {
            let flow = flow.lock();
            flow.gone || flow.ahead < AHEAD
        };
        if !has_room(&self.flow) {
            let mut state = self.answers.lock();
            state.working -= 1;
            while !has_room(&self.flow) {
                state = self.answers.0.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.working += 1;
        }
        if self.flow.lock().gone { Err(Gone) } else { Ok(()) }
    }
}

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        self.put(Part::Head(head, length));
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.wait_for_room()?;
        self.flow.lock().ahead += data.len();
        self.put(Part::Body(data));
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        self.put(Part::Stream(pieces));
    }

    fn end(&mut self) {
        self.put(Part::End);
    }

    fn abort(&mut self) {
        self.put(Part::Abort);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.is_done {
            self.put(Part::Abort);
        }
    }
}
