//! The duty to answer one request, shared by whoever works on it and whoever must answer in its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use framewise_http::{
    Answer, AnswerBody, BodyLength, Gone, Problem, Request, Response, ResponseHead, StatusCode, Watcher,
};

use crate::dispatch::Refusal;

/// One answer that is to be given, once.
pub(crate) struct Duty {
    state: Mutex<State>,
    /// What the client likes to read, for pages about what went wrong.
    accept: Option<String>,
}

struct State {
    part: Part,
    /// The connection shall end with this answer.
    is_last: bool,
}

enum Part {
    Nothing(Answer),
    Head(AnswerBody),
    /// Somebody sends a piece, and may wait for room.
    Sending,
    All,
}

impl Duty {
    pub(crate) fn new(request: &Request, answer: Answer) -> Self {
        let state = State { part: Part::Nothing(answer), is_last: false };
        Duty { state: Mutex::new(state), accept: request.header("accept").map(str::to_owned) }
    }

    /// The connection shall end with this answer.
    pub(crate) fn is_last(&self) {
        self.lock().is_last = true;
    }

    /// Asks to be told what becomes of the body.
    pub(crate) fn watch(&self, watcher: Arc<dyn Watcher>) {
        if let Part::Nothing(answer) = &mut self.lock().part {
            answer.watch(watcher);
        }
    }

    /// Tells whoever watches what becomes of the request.
    pub(crate) fn note(&self, topic: &'static str, text: &dyn Fn() -> String) {
        match &mut self.lock().part {
            Part::Nothing(answer) => answer.note(topic, text),
            Part::Head(body) => body.note(topic, text),
            Part::Sending | Part::All => {}
        }
    }

    /// Begins the answer, unless another has been given.
    pub(crate) fn begin(&self, mut head: ResponseHead, length: BodyLength) -> Result<(), Gone> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.part, Part::All) {
            Part::Nothing(answer) => {
                if state.is_last {
                    head.headers.set("Connection", "close");
                }
                state.part = Part::Head(answer.begin(head, length));
                Ok(())
            }
            other => {
                state.part = other;
                Err(Gone)
            }
        }
    }

    /// Sends a piece; it may wait for room. Meanwhile others may give it up.
    pub(crate) fn send(&self, data: Bytes) -> Result<(), Gone> {
        let part = std::mem::replace(&mut self.lock().part, Part::Sending);
        let Part::Head(mut body) = part else {
            self.lock().part = part;
            return Err(Gone);
        };
        let sent = body.send(data);
        let mut state = self.lock();
        if matches!(state.part, Part::Sending) {
            state.part = Part::Head(body);
            return sent;
        }
        drop(state);
        // Dropped, it is broken off.
        Err(Gone)
    }

    /// That was all.
    pub(crate) fn finish(&self) {
        if let Part::Head(body) = self.take() {
            body.finish();
        }
    }

    /// It can't be completed: what was not begun is answered 500, what was is broken off.
    pub(crate) fn abort(&self) {
        drop(self.take());
    }

    /// The pool has no room: 503.
    pub(crate) fn refuse(&self, why: Refusal, retry_after: Duration) {
        let wrong = match why {
            Refusal::Full => "No thread is free, and as many requests wait as may.",
            Refusal::WaitedTooLong => "No thread became free for as long as a request may wait.",
            Refusal::NobodyReady => "No process is ready to work on requests.",
        };
        let right = format!("Try again in {} s.", retry_after.as_secs());
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, wrong, right).by("RFC 9110 §15.6.4");
        let page = self.page(problem).header("Retry-After", &retry_after.as_secs().to_string());
        self.answer_instead(page);
    }

    /// The pool has ended: 503.
    pub(crate) fn stop(&self) {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This server ends.",
            "Try again later, when it is there again.",
        );
        self.answer_instead(self.page(problem.by("RFC 9110 §15.6.4")));
    }

    /// The process that worked on it has died: 502.
    pub(crate) fn fail(&self) {
        let wrong = "The process that worked on this request has died.";
        let right = "Another has taken its place. What asks only for a page can be asked again; of what changes \
                     something, nobody knows whether it was done.";
        self.answer_instead(
            self.page(Problem::new(StatusCode::BAD_GATEWAY, wrong, right).by("RFC 9110 §15.6.3")),
        );
    }

    /// The thread took too long: 504.
    pub(crate) fn expire(&self) {
        let wrong = "The thread that works on this request took longer than it may.";
        let right = "Try again later, or ask for less.";
        let problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, wrong, right).by("RFC 9110 §15.6.5");
        self.answer_instead(self.page(problem));
    }

    fn page(&self, problem: Problem) -> Response {
        problem.page(self.accept.as_deref())
    }

    /// Answers so if nothing was answered yet; else what was begun is broken off.
    fn answer_instead(&self, page: Response) {
        if let Part::Nothing(answer) = self.take() {
            answer.respond(page);
        }
    }

    fn take(&self) -> Part {
        std::mem::replace(&mut self.lock().part, Part::All)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
