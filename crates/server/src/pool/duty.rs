//! The duty to answer one request, shared by whoever works on it and whoever must answer in its place.

use std::borrow::Cow;
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
    /// Somebody begins it, or sends a piece, and may have to wait: without the lock.
    Out,
    All,
}

impl Duty {
    pub(crate) fn new(request: &Request, answer: Answer) -> Self {
        let state = State { part: Part::Nothing(answer), is_last: false };
        Duty { state: Mutex::new(state), accept: request.list("accept").map(Cow::into_owned) }
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
            Part::Out | Part::All => {}
        }
    }

    /// Begins the answer, unless another has been given. Meanwhile others may give it up.
    pub(crate) fn begin(&self, mut head: ResponseHead, length: BodyLength) -> Result<(), Gone> {
        let mut state = self.lock();
        let answer = match std::mem::replace(&mut state.part, Part::Out) {
            Part::Nothing(answer) => answer,
            other => {
                state.part = other;
                return Err(Gone);
            }
        };
        if state.is_last {
            head.headers.set("Connection", "close");
        }
        drop(state);
        self.put_back(answer.begin(head, length))
    }

    /// Sends a piece; it may wait for room. Meanwhile others may give it up.
    pub(crate) fn send(&self, data: Bytes) -> Result<(), Gone> {
        let part = std::mem::replace(&mut self.lock().part, Part::Out);
        let Part::Head(mut body) = part else {
            self.lock().part = part;
            return Err(Gone);
        };
        let sent = body.send(data);
        self.put_back(body)?;
        sent
    }

    /// Puts back what somebody had out. Given up meanwhile, it is broken off.
    fn put_back(&self, body: AnswerBody) -> Result<(), Gone> {
        let mut state = self.lock();
        if matches!(state.part, Part::Out) {
            state.part = Part::Head(body);
            return Ok(());
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
        // Under it others are handed notes and watchers, and no more: what may take long is done without it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use framewise_http::handler::response_head;
    use framewise_http::{AnswerSink, Headers, Method, Pieces};

    use super::*;

    /// Takes its time over a head: until another thread has given the answer up.
    struct Slow(Receiver<()>);

    impl AnswerSink for Slow {
        fn head(&mut self, _: ResponseHead, _: BodyLength) {
            self.0.recv_timeout(Duration::from_secs(5)).expect("nobody waits for this head");
        }

        fn body(&mut self, _: Bytes) -> Result<(), Gone> {
            Ok(())
        }

        fn stream(&mut self, _: Pieces) {}
        fn end(&mut self) {}
        fn abort(&mut self) {}
    }

    #[test]
    fn nobody_waits_for_who_begins_an_answer() {
        let (given_up, told) = channel();
        let answer = Answer::new(Box::new(Slow(told)), &Method::GET);
        let state = State { part: Part::Nothing(answer), is_last: false };
        let duty = Duty { state: Mutex::new(state), accept: None };
        thread::scope(|scope| {
            let begun =
                scope.spawn(|| duty.begin(response_head(StatusCode::OK, Headers::new()), BodyLength::None));
            while matches!(duty.lock().part, Part::Nothing(_)) {
                thread::yield_now();
            }
            duty.abort();
            given_up.send(()).expect("it listens");
            assert_eq!(begun.join().expect("it begins"), Err(Gone), "given up meanwhile");
        });
    }
}
