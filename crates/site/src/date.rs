//! The `Date` of answers (RFC 9110, section 6.6.1), by a clock that is handed in.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use framewise_http::{
    Answer, AnswerSink, BodyLength, ConnInfo, Gone, Handler, Intake, Pieces, RefusedRequest, Request,
    ResponseHead, Watcher,
};

/// Tells the time of day. Simulated runs hand in one that always says the same.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A handler whose answers carry `Date`.
pub struct Dated<H> {
    handler: H,
    clock: Clock,
}

impl<H: Handler> Dated<H> {
    /// Writes `Date` into what `handler` answers.
    pub fn new(handler: H, clock: Clock) -> Self {
        Dated { handler, clock }
    }
}

impl<H: Handler> Handler for Dated<H> {
    fn handle(&self, request: Request, answer: Answer) {
        let clock = self.clock.clone();
        let answer = answer.through(|sink| Box::new(DatedSink { sink, clock }));
        self.handler.handle(request, answer);
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.handler.wants_body(request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        self.handler.refused(refused);
    }

    fn left(&self, connection: &ConnInfo) {
        self.handler.left(connection);
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        self.handler.intake(request)
    }
}

struct DatedSink {
    sink: Box<dyn AnswerSink + Send>,
    clock: Clock,
}

impl AnswerSink for DatedSink {
    fn head(&mut self, mut head: ResponseHead, length: BodyLength) {
        if !head.headers.contains("Date") {
            head.headers.push("Date", httpdate::fmt_http_date((self.clock)()));
        }
        self.sink.head(head, length);
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        self.sink.body(data)
    }

    fn stream(&mut self, pieces: Pieces) {
        self.sink.stream(pieces);
    }

    fn end(&mut self) {
        self.sink.end();
    }

    fn abort(&mut self) {
        self.sink.abort();
    }

    fn keep(&mut self) {
        self.sink.keep();
    }

    fn watch(&mut self, watcher: Arc<dyn Watcher>) -> bool {
        self.sink.watch(watcher)
    }

    fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        self.sink.note(topic, text);
    }
}
