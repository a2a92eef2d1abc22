//! Who answers requests, now or later, here or on another thread.
//!
//! ```
//! use framewise_http::{Handler, Request, Response};
//!
//! fn is_handler(_: impl Handler) {}
//! is_handler(|request: Request| Response::text(format!("you asked for {}", request.path())));
//! ```

use std::sync::Arc;

use bytes::Bytes;
use framewise_core::seams::exchange::{BodyLength, Headers, RefusedRequest, ResponseHead, Version};
use framewise_core::seams::stream::ConnInfo;
use http::{Method, StatusCode};

use crate::message::{Body, Pieces, Request, Response};
use crate::page::Problem;

/// Answers requests.
pub trait Handler: Send + Sync {
    /// Takes a request, and the duty to answer it. `answer` may be kept, or given to another thread.
    fn handle(&self, request: Request, answer: Answer);

    /// Whether the answer to this request depends on its body, which has not come yet. If not, [`handle`](Self::handle) is
    /// called at once and without it, so that a client that waits for `100 Continue` hears of a refusal before it sends
    /// anything (RFC 9110, section 10.1.1). A handler around another passes the question on.
    fn wants_body(&self, _request: &Request) -> bool {
        true
    }

    /// Something was answered in this handler's place, for it was no request, or there was no room for it: a word for
    /// whoever keeps a log. A handler around another passes it on.
    fn refused(&self, _refused: &RefusedRequest) {}

    /// This connection has brought requests, and brings no more. Said only where HTTP was told to
    /// ([`Config::tells_who_left`](crate::Config::tells_who_left)). A handler around another passes it on.
    fn left(&self, _connection: &ConnInfo) {}

    /// Who takes the body of this request, which has not come yet, piece by piece. `None`, as it is unless said otherwise:
    /// the body is collected, and [`handle`](Self::handle) gets all of it. A handler around another passes the question on.
    fn intake(&self, _request: &Request) -> Option<Box<dyn Intake>> {
        None
    }
}

/// Takes a body piece by piece, so that it need not be in memory as a whole.
pub trait Intake: Send {
    /// The next piece came.
    fn piece(&mut self, data: &Bytes);

    /// The body is complete. [`Handler::handle`] gets what this returns in its place.
    fn finish(self: Box<Self>) -> Bytes;
}

impl<F: Fn(Request) -> Response + Send + Sync> Handler for F {
    fn handle(&self, request: Request, answer: Answer) {
        answer.respond(self(request));
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn handle(&self, request: Request, answer: Answer) {
        (**self).handle(request, answer);
    }

    fn wants_body(&self, request: &Request) -> bool {
        (**self).wants_body(request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        (**self).refused(refused);
    }

    fn left(&self, connection: &ConnInfo) {
        (**self).left(connection);
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        (**self).intake(request)
    }
}

/// The one who asked is gone: nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct Gone;

/// Where an answer goes: what whoever runs the layers implements.
///
/// Called in this order: `head`, then any number of `body`, then one of `end`, `stream` and `abort`. A call after
/// the client is gone does nothing.
pub trait AnswerSink {
    /// The head, and how long the body will be.
    fn head(&mut self, head: ResponseHead, length: BodyLength);

    /// A piece of the body. On a thread of its own it may wait for room.
    fn body(&mut self, data: Bytes) -> Result<(), Gone>;

    /// All the rest of the body, and its end: `pieces` is asked for more whenever there is room. After an error of
    /// it the exchange is cancelled.
    fn stream(&mut self, pieces: Pieces);

    /// The end of the body.
    fn end(&mut self);

    /// The body can't be completed: cancel the exchange.
    fn abort(&mut self);

    /// Nobody works on this answer for now. A sink around another passes it on.
    fn keep(&mut self) {}

    /// Asks to be told what becomes of the body, so that whoever must not wait for room knows when there is some. A sink
    /// around another passes it on, where it passes on the bytes as they are. `false`: nothing will be told.
    fn watch(&mut self, _watcher: Arc<dyn Watcher>) -> bool {
        false
    }

    /// Tells whoever watches the layers what became of the request, in a sentence; made only if somebody does. `topic` is a
    /// fixed word by which a view finds it. A sink around another passes it on.
    fn note(&mut self, _topic: &'static str, _text: &dyn Fn() -> String) {}
}

/// Hears what becomes of a body that is being sent. Called by whoever runs the layers, which it must not hold up.
pub trait Watcher: Send + Sync {
    /// The network has taken so many bytes more.
    fn taken(&self, bytes: usize);

    /// The client is gone.
    fn gone(&self);
}

/// The duty to answer one request. Dropped without an answer (by a panic, say), it answers 500.
pub struct Answer {
    sink: Option<Box<dyn AnswerSink + Send>>,
    head_only: bool,
}

impl Answer {
    /// The duty to answer a request of this method through `sink`.
    pub fn new(sink: Box<dyn AnswerSink + Send>, method: &Method) -> Self {
        Answer { sink: Some(sink), head_only: method == Method::HEAD }
    }

    /// The same duty through another sink around this one's, such as one that adds a field to every head.
    pub fn through(
        mut self,
        wrap: impl FnOnce(Box<dyn AnswerSink + Send>) -> Box<dyn AnswerSink + Send>,
    ) -> Answer {
        Answer { sink: self.sink.take().map(wrap), head_only: self.head_only }
    }

    /// Says that from now on nobody works on this answer: it is kept until the network brings something, such as another
    /// request. Simulated time, which stands still while handlers work, goes on without it.
    pub fn keep(&mut self) {
        if let Some(sink) = &mut self.sink {
            sink.keep();
        }
    }

    /// Asks to be told what becomes of the body. `false`: nothing will be told.
    pub fn watch(&mut self, watcher: Arc<dyn Watcher>) -> bool {
        self.sink.as_mut().is_some_and(|sink| sink.watch(watcher))
    }

    /// Tells whoever watches the layers what becomes of the request; see [`AnswerSink::note`].
    pub fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        if let Some(sink) = &mut self.sink {
            sink.note(topic, text);
        }
    }

    /// Answers in one go.
    pub fn respond(mut self, response: Response) {
        if let Some(sink) = self.sink.take() {
            respond(sink, response, self.head_only);
        }
    }

    /// Begins an answer whose body follows piece by piece.
    pub fn begin(mut self, head: ResponseHead, length: BodyLength) -> AnswerBody {
        let mut sink = self.sink.take();
        if let Some(sink) = &mut sink {
            sink.head(head, length);
        }
        AnswerBody { sink, head_only: self.head_only }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.take() {
            let wrong = "The handler gave no answer.";
            let right = "The fault is on this side: try again, or tell who runs this server.";
            let problem =
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, wrong, right).by("RFC 9110 §15.6.1");
            respond(sink, problem.page(None), self.head_only);
        }
    }
}

fn respond(mut sink: Box<dyn AnswerSink + Send>, response: Response, head_only: bool) {
    sink.head(response.head, response.body.length());
    match response.body {
        Body::Bytes(bytes) if !head_only && !bytes.is_empty() => {
            if sink.body(bytes).is_ok() {
                sink.end();
            }
        }
        Body::Stream { pieces, .. } if !head_only => sink.stream(pieces),
        _ => sink.end(),
    }
}

/// A body that is being sent. Dropped before [`finish`](Self::finish), it cancels the exchange: the client must not take what came for the
/// whole.
pub struct AnswerBody {
    sink: Option<Box<dyn AnswerSink + Send>>,
    head_only: bool,
}

impl AnswerBody {
    /// Sends a piece. It may wait for room, as whoever runs the layers decides.
    pub fn send(&mut self, data: Bytes) -> Result<(), Gone> {
        match &mut self.sink {
            Some(_) if self.head_only => Ok(()),
            Some(sink) => sink.body(data),
            None => Err(Gone),
        }
    }

    /// Tells whoever watches the layers what becomes of the request; see [`AnswerSink::note`].
    pub fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        if let Some(sink) = &mut self.sink {
            sink.note(topic, text);
        }
    }

    /// Ends the body.
    pub fn finish(mut self) {
        if let Some(mut sink) = self.sink.take() {
            sink.end();
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(mut sink) = self.sink.take() {
            sink.abort();
        }
    }
}

/// A head of HTTP/1.1 with this status and these fields, for [`Answer::begin`].
pub fn response_head(status: StatusCode, headers: Headers) -> ResponseHead {
    ResponseHead { version: Version::Http11, status, reason: String::new(), headers }
}
