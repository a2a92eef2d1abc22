//! How an answer reaches the Runner: from the handler itself, or later from another thread.
//!
//! What is said on the Runner's own thread is taken at once. What other threads say is [released](Answers::release) by
//! the Runner when it suits the clock: in simulated time when all of them have spoken, in the order of the exchanges,
//! so that it makes no difference which thread was the quicker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ResponseHead};
use framewise_http::Pieces;
use framewise_http::handler::{AnswerSink, Gone, Watcher};

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
    /// For whoever watches: a topic, and a sentence.
    Note(&'static str, String),
}

/// Where all handlers of a host put their answers, and the Runner takes them.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Shared>);

struct Shared {
    runner: ThreadId,
    waker: Waker,
    /// Whether somebody watches, who wants notes.
    is_observed: AtomicBool,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// To be taken.
    parts: VecDeque<(ExchangeId, Part)>,
    /// Said by other threads, and not released yet.
    held: Vec<(ExchangeId, Part)>,
    /// Answers whose turn is the handler's.
    working: usize,
}

/// The network's side of one answer. Locked only by whoever holds the lock of all answers, so that no change of it
/// can fall between a thread's look and its wait.
#[derive(Clone, Default)]
pub(crate) struct Flow(Arc<Mutex<FlowState>>);

#[derive(Default)]
struct FlowState {
    watcher: Option<Arc<dyn Watcher>>,
    ahead: usize,
    gone: bool,
    turn: Turn,
}

/// On whom the next word of an answer depends.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Turn {
    /// On nobody in particular: it is complete, unwanted, or kept for later.
    #[default]
    Nobody,
    /// On a handler: simulated time stands still meanwhile.
    Handler,
    /// On the network, which has to make room.
    Network,
}

impl State {
    fn pass(&mut self, flow: &mut FlowState, turn: Turn) {
        self.working -= usize::from(flow.turn == Turn::Handler);
        self.working += usize::from(turn == Turn::Handler);
        flow.turn = turn;
    }
}

impl FlowState {
    fn has_room(&self) -> bool {
        self.gone || self.ahead < AHEAD
    }
}

impl Answers {
    /// For the Runner of this thread.
    pub(crate) fn new(waker: Waker) -> Self {
        let runner = thread::current().id();
        Answers(Arc::new(Shared {
            runner,
            waker,
            is_observed: AtomicBool::new(false),
            state: Mutex::default(),
            moved: Condvar::new(),
        }))
    }

    /// Where the handler of this exchange puts its answer.
    pub(crate) fn sink(&self, exchange: ExchangeId, flow: Flow) -> Box<dyn AnswerSink + Send> {
        self.lock().pass(&mut flow.lock(), Turn::Handler);
        Box::new(Sink { answers: self.clone(), exchange, flow, is_done: false })
    }

    /// The next part of any answer.
    pub(crate) fn take(&self) -> Option<(ExchangeId, Part)> {
        self.lock().parts.pop_front()
    }

    /// Says whether somebody watches.
    pub(crate) fn observe(&self, is_observed: bool) {
        self.0.is_observed.store(is_observed, Ordering::Relaxed);
    }

    /// Whether there is a part to take.
    pub(crate) fn are_there(&self) -> bool {
        !self.lock().parts.is_empty()
    }

    /// Lets what other threads have said be taken, exchange by exchange.
    pub(crate) fn release(&self) {
        let mut state = self.lock();
        let mut held = std::mem::take(&mut state.held);
        // Stable: what was said about one exchange keeps its order.
        held.sort_by_key(|(exchange, _)| *exchange);
        state.parts.extend(held);
    }

    /// Whether a handler works on an answer.
    pub(crate) fn is_working(&self) -> bool {
        self.lock().working > 0
    }

    /// The network has taken `bytes` of this answer.
    pub(crate) fn sent(&self, flow: &Flow, bytes: usize) {
        let mut state = self.lock();
        let mut flow = flow.lock();
        let was_full = !flow.has_room();
        let watcher = flow.watcher.clone().filter(|_| bytes > 0);
        flow.ahead = flow.ahead.saturating_sub(bytes);
        if was_full && flow.has_room() {
            // Here and not by the thread when it runs: time must not pass before that.
            if flow.turn == Turn::Network {
                state.pass(&mut flow, Turn::Handler);
            }
            self.0.moved.notify_all();
        }
        drop((flow, state));
        // Without the locks: it may have locks of its own, which others hold while they answer.
        if let Some(watcher) = watcher {
            watcher.taken(bytes);
        }
    }

    /// Nobody wants this answer any more.
    pub(crate) fn gone(&self, flow: &Flow) {
        let mut state = self.lock();
        let mut flow = flow.lock();
        let was_full = !flow.has_room();
        flow.gone = true;
        let watcher = flow.watcher.take();
        state.pass(&mut flow, Turn::Nobody);
        // Only who found no room waits.
        if was_full {
            self.0.moved.notify_all();
        }
        drop((flow, state));
        if let Some(watcher) = watcher {
            watcher.gone();
        }
    }

    /// Time need not stand still for this answer.
    pub(crate) fn keep(&self, flow: &Flow) {
        let mut state = self.lock();
        let mut flow = flow.lock();
        if flow.turn == Turn::Handler {
            state.pass(&mut flow, Turn::Nobody);
        }
    }

    /// Whether this is the Runner's own thread.
    fn is_own_thread(&self) -> bool {
        thread::current().id() == self.0.runner
    }

    /// On its own thread the Runner is at work, and looks before it waits.
    fn wake_runner(&self) {
        if !self.is_own_thread() {
            self.0.waker.wake();
        }
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
        if self.answers.is_own_thread() {
            state.parts.push_back((self.exchange, part));
        } else {
            state.held.push((self.exchange, part));
        }
        if is_last {
            self.is_done = true;
            state.pass(&mut self.flow.lock(), Turn::Nobody);
        }
        drop(state);
        self.answers.wake_runner();
    }

    /// Takes room for `bytes`, after waiting until the network has caught up. The Runner's own thread never waits: it
    /// is the network.
    fn take_room(&self, bytes: usize) -> Result<(), Gone> {
        let mut state = self.answers.lock();
        if !self.answers.is_own_thread() && !self.flow.lock().has_room() {
            state = self.wait_for_room(state);
        }
        let mut flow = self.flow.lock();
        if flow.gone {
            return Err(Gone);
        }
        flow.ahead += bytes;
        drop(state);
        Ok(())
    }

    fn wait_for_room<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let kept = self.flow.lock().turn == Turn::Nobody;
        if !kept {
            state.pass(&mut self.flow.lock(), Turn::Network);
            // It may have waited for just this thread.
            self.answers.wake_runner();
        }
        let moved = &self.answers.0.moved;
        while !self.flow.lock().has_room() {
            state = moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

impl AnswerSink for Sink {
    fn head(&mut self, head: ResponseHead, length: BodyLength) {
        self.put(Part::Head(head, length));
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.take_room(data.len())?;
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

    fn watch(&mut self, watcher: Arc<dyn Watcher>) -> bool {
        let _all = self.answers.lock();
        let mut flow = self.flow.lock();
        let is_there = !flow.gone;
        flow.watcher = is_there.then_some(watcher);
        is_there
    }

    fn keep(&mut self) {
        self.answers.keep(&self.flow);
        self.answers.wake_runner();
    }

    fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        if self.answers.0.is_observed.load(Ordering::Relaxed) {
            self.put(Part::Note(topic, text()));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.is_done {
            self.put(Part::Abort);
        }
    }
}

#[cfg(test)]
mod tests;
