//! The application half that returns pages: it collects a request, calls its handler, and sends the answer as there is
//! room for it.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use framewise_core::Either;
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ExchangeDown, ExchangeUp, ResponseHead, ServerRequest};
use framewise_core::seams::stream::{Endpoint, ListenError};
use framewise_http::handler::{Answer, Handler};
use framewise_http::{Params, Pieces, Request};

use crate::answers::{Answers, Flow, Part};
use crate::client::Command;
use crate::wake::Waker;
use crate::window::Window;

/// All that one host serves.
pub(crate) struct Server {
    sites: Vec<(Endpoint, Arc<dyn Handler>)>,
    listening: BTreeMap<Endpoint, Result<(), ListenError>>,
    serving: BTreeMap<ExchangeId, Serving>,
    answers: Answers,
    /// What is to be said to the stack.
    pub(crate) commands: VecDeque<Command>,
}

/// One exchange under way.
struct Serving {
    /// The request, until its handler has it.
    request: Option<Request>,
    body: BytesMut,
    window: Window,
    credit: usize,
    unsent: VecDeque<Bytes>,
    stream: Option<Pieces>,
    is_complete: bool,
    has_ended: bool,
    flow: Flow,
}

impl Server {
    pub(crate) fn new(waker: Waker) -> Self {
        Server {
            sites: Vec::new(),
            listening: BTreeMap::new(),
            serving: BTreeMap::new(),
            answers: Answers::new(waker),
            commands: VecDeque::new(),
        }
    }

    /// Requests that come to `endpoint` are for `handler`.
    pub(crate) fn add(&mut self, endpoint: Endpoint, handler: Arc<dyn Handler>) {
        self.listening.remove(&endpoint);
        self.sites.retain(|(at, _)| *at != endpoint);
        self.sites.push((endpoint, handler));
    }

    /// Whether the stack has said if it listens there.
    pub(crate) fn is_answered(&self, endpoint: Endpoint) -> bool {
        self.listening.contains_key(&endpoint)
    }

    /// What the stack has said about listening there; once.
    pub(crate) fn listening(&mut self, endpoint: Endpoint) -> Option<Result<(), ListenError>> {
        self.listening.remove(&endpoint)
    }

    /// Exchanges under way.
    pub(crate) fn under_way(&self) -> usize {
        self.serving.len()
    }

    /// Whether a handler works on an answer.
    pub(crate) fn is_working(&self) -> bool {
        self.answers.is_working()
    }

    /// Takes what HTTP says about an exchange that a client opened.
    pub(crate) fn handle_exchange(&mut self, event: ExchangeUp) {
        match event {
            ExchangeUp::Listening { endpoint, result } => {
                self.listening.insert(endpoint, result);
            }
            ExchangeUp::Request(request) => self.begin(*request),
            ExchangeUp::Body { exchange, data } => {
                if let Some(serving) = self.serving.get_mut(&exchange) {
                    serving.body.extend_from_slice(&data);
                    if let Some(bytes) = serving.window.take(data.len()) {
                        self.say(ExchangeDown::Grant { exchange, bytes });
                    }
                }
            }
            ExchangeUp::End { exchange } => self.call_handler(exchange),
            ExchangeUp::Writable { exchange, bytes } => {
                if let Some(serving) = self.serving.get_mut(&exchange) {
                    serving.credit += bytes;
                    self.send(exchange);
                }
            }
            ExchangeUp::Closed { exchange, .. } => {
                if let Some(serving) = self.serving.remove(&exchange) {
                    self.answers.gone(&serving.flow);
                }
            }
            ExchangeUp::Connected { .. } | ExchangeUp::Response { .. } => {}
        }
    }

    /// Turns what handlers have said into commands.
    pub(crate) fn collect_answers(&mut self) {
        while let Some((exchange, part)) = self.answers.take() {
            let Some(serving) = self.serving.get_mut(&exchange) else { continue };
            match part {
                Part::Head(head, body) => self.respond(exchange, head, body),
                Part::Body(data) => serving.unsent.push_back(data),
                Part::Stream(pieces) => serving.stream = Some(pieces),
                Part::End => serving.is_complete = true,
                Part::Abort => self.say(ExchangeDown::Cancel { exchange }),
            }
            self.send(exchange);
        }
    }

    fn begin(&mut self, request: ServerRequest) {
        let exchange = request.exchange;
        let request = Request {
            head: request.head,
            connection: request.connection,
            params: Params::default(),
            body: Bytes::new(),
        };
        self.serving.insert(exchange, Serving::new(request));
        self.say(ExchangeDown::Grant { exchange, bytes: Window::BYTES });
    }

    /// The request is complete: the endpoint and the URL determine which function runs.
    fn call_handler(&mut self, exchange: ExchangeId) {
        let Some(serving) = self.serving.get_mut(&exchange) else { return };
        let Some(mut request) = serving.request.take() else { return };
        request.body = std::mem::take(&mut serving.body).freeze();
        let sink = self.answers.sink(exchange, serving.flow.clone());
        let answer = Answer::new(sink, &request.head.method);
        let local = request.connection.local;
        let is_here = |at: &Endpoint| at.port == local.port() && at.address.is_none_or(|a| a == local.ip());
        if let Some((_, handler)) = self.sites.iter().find(|(at, _)| is_here(at)) {
            // A panic drops the answer, which sends a 500; the next request finds the handler as it was.
            let _ = catch_unwind(AssertUnwindSafe(|| handler.handle(request, answer)));
        }
    }

    fn respond(&mut self, exchange: ExchangeId, head: ResponseHead, body: BodyLength) {
        self.say(ExchangeDown::Respond { exchange, head: Box::new(head), body });
    }

    /// Sends what there is room for.
    fn send(&mut self, exchange: ExchangeId) {
        let Some(serving) = self.serving.get_mut(&exchange) else { return };
        while let Some(next) = serving.next(&self.answers) {
            let command = match next {
                Next::Piece(data) => ExchangeDown::Body { exchange, data },
                Next::End => ExchangeDown::End { exchange },
                Next::Broken => ExchangeDown::Cancel { exchange },
            };
            self.commands.push_back(Either::Left(command));
        }
    }

    fn say(&mut self, command: ExchangeDown) {
        self.commands.push_back(Either::Left(command));
    }
}

/// What an answer sends next.
enum Next {
    Piece(Bytes),
    End,
    Broken,
}

impl Serving {
    fn new(request: Request) -> Self {
        Serving {
            request: Some(request),
            body: BytesMut::new(),
            window: Window::default(),
            credit: 0,
            unsent: VecDeque::new(),
            stream: None,
            is_complete: false,
            has_ended: false,
            flow: Flow::default(),
        }
    }

    fn next(&mut self, answers: &Answers) -> Option<Next> {
        loop {
            if let Some(data) = self.unsent.front_mut() {
                let size = data.len().min(self.credit);
                if size == 0 && !data.is_empty() {
                    return None;
                }
                let piece = data.split_to(size);
                if data.is_empty() {
                    self.unsent.pop_front();
                }
                self.credit -= size;
                answers.sent(&self.flow, size);
                if size > 0 {
                    return Some(Next::Piece(piece));
                }
            } else if let Some(stream) = &mut self.stream {
                // Without credit, too: after the last byte there may never be any, and the end is still to be said.
                match stream.next() {
                    Some(Ok(data)) => self.unsent.push_back(data),
                    Some(Err(_)) => {
                        self.stream = None;
                        return Some(Next::Broken);
                    }
                    None => {
                        self.stream = None;
                        self.is_complete = true;
                    }
                }
            } else {
                let ends = self.is_complete && self.stream.is_none() && !self.has_ended;
                self.has_ended |= ends;
                return ends.then_some(Next::End);
            }
        }
    }
}
