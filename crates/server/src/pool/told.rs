//! What a pool tells whoever watches the layers of its host: notes of the layer `app`, which a trace shows at the frames
//! that they belong to. Made only where somebody watches.

use std::time::Duration;

use framewise_http::Request;

use super::core::Core;
use crate::dispatch::{RequestId, ThreadId, Work};
use crate::state::State;

/// Letters of a request's line that are shown.
const SHOWN: usize = 60;

/// A request in short, such as `GET /items/1`.
pub(super) fn line(request: &Request) -> String {
    let head = &request.head;
    format!("{} {}", head.method, head.target).chars().take(SHOWN).collect()
}

impl Core {
    /// A request came: whether it waits.
    pub(super) fn tell_if_it_waits(&self, id: RequestId) {
        let Some(before) = self.dispatcher.waits_behind(id) else { return };
        let Some(item) = self.under_way.get(&id) else { return };
        item.duty.note("waits", &|| {
            let what = line(&item.request);
            format!("{what} waits in the queue, {before} before it ({})", self.occupation())
        });
    }

    /// A request goes to a thread.
    pub(super) fn tell_who_gets_it(&self, id: RequestId, thread: ThreadId) {
        let Some(item) = self.under_way.get(&id) else { return };
        item.duty.note("given", &|| {
            let pid = self.crew.pid(thread.process).map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            let waited = self.dispatcher.waited(id).unwrap_or_default();
            let ThreadId { process, thread } = thread;
            format!(
                "{} goes to thread {} of process {process}{pid} after {} in the queue ({}, {} in the queue)",
                line(&item.request),
                thread + 1,
                milliseconds(waited),
                self.occupation(),
                self.dispatcher.queued(),
            )
        });
    }

    /// A thread is done with a request.
    pub(super) fn tell_what_was_done(&self, id: RequestId, thread: ThreadId, work: &Work) {
        let Some(item) = self.under_way.get(&id) else { return };
        item.duty.note("done", &|| {
            let ThreadId { process, thread } = thread;
            format!(
                "thread {} of process {process} is done with {} after {}: {}",
                thread + 1,
                line(&item.request),
                milliseconds(work.took),
                spent(work)
            )
        });
    }

    /// How many threads are at work.
    fn occupation(&self) -> String {
        format!("{} of {} threads at work", self.dispatcher.busy(), self.dispatcher.working_threads())
    }
}

/// The states that took any time, with their time.
fn spent(work: &Work) -> String {
    let states = State::ALL.iter().skip(1).zip(work.states);
    let spent: Vec<_> = states
        .filter(|(_, time)| !time.is_zero())
        .map(|(state, time)| format!("{} {}", state.word(), milliseconds(time)))
        .collect();
    spent.join(", ")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
