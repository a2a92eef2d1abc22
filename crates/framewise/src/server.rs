//! The application half that returns pages: it collects a request, calls its handler, and sends the answer as there is
//! room for it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use framewise_core::id::ExchangeId;
use framewise_core::seams::exchange::{BodyLength, ExchangeDown, ExchangeUp, ResponseHead, ServerRequest};
use framewise_core::seams::stream::{Endpoint, ListenError, Security};
use framewise_core::{Cx, Either};
use framewise_http::handler::{Answer, Handler};
use framewise_http::{Params, Pieces, RefusedRequest, Request};

use crate::answers::{Answers, Flow, Part};
use crate::client::Command;
use crate::taken::{Refused, Taken};
use crate::wake::Waker;
use crate::window::Window;

/// Bytes of requests' bodies that one host holds at a time, unless [`HostMut::hold_at_most`] says otherwise.
///
/// [`HostMut::hold_at_most`]: crate::HostMut::hold_at_most
const REQUEST_BODIES: usize = 256 << 20;

/// Bytes of one request's body that are collected, unless [`HostMut::collect_at_most`] says otherwise.
///
/// [`HostMut::collect_at_most`]: crate::HostMut::collect_at_most
const REQUEST_BODY: u64 = 64 << 20;

/// A body of up to so many bytes is taken though nobody wants it: else its connection would have to end.
const SHORT_BODY: u64 = 64 << 10;

/// All that one host serves.
pub(crate) struct Server {
    sites: BTreeMap<Endpoint, Arc<dyn Handler>>,
    /// Who served at endpoints where nobody does any more: as long as they are there, they hear what becomes of their
    /// connections.
    former: BTreeMap<Endpoint, Weak<dyn Handler>>,
    /// Handlers of endpoints about which the stack has not answered yet.
    asked: BTreeMap<Endpoint, Arc<dyn Handler>>,
    listening: BTreeMap<Endpoint, Result<(), ListenError>>,
    serving: BTreeMap<ExchangeId, Serving>,
    /// Bytes of body collected for exchanges under way, and how many there may be.
    held: usize,
    pub(crate) most_held: usize,
    /// How many there may be of one.
    pub(crate) most_collected: u64,
    answers: Answers,
    /// What is to be said to the stack.
    pub(crate) commands: VecDeque<Command>,
}

/// One exchange under way.
struct Serving {
    /// The request and who answers it, until they meet.
    request: Option<(Request, Arc<dyn Handler>)>,
    body: Taken,
    /// Bytes of body that count as held. The handler has them later, and may keep them until the exchange is over.
    held: usize,
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
            sites: BTreeMap::new(),
            former: BTreeMap::new(),
            asked: BTreeMap::new(),
            listening: BTreeMap::new(),
            serving: BTreeMap::new(),
            held: 0,
            most_held: REQUEST_BODIES,
            most_collected: REQUEST_BODY,
            answers: Answers::new(waker),
            commands: VecDeque::new(),
        }
    }

    /// Asks the stack to listen at `endpoint`. If it does, requests that come there are for `handler`.
    pub(crate) fn listen(&mut self, endpoint: Endpoint, security: Security, handler: Arc<dyn Handler>) {
        self.listening.remove(&endpoint);
        self.asked.insert(endpoint, handler);
        self.say(ExchangeDown::Listen { endpoint, security });
    }

    /// Ends that. Requests that have come already keep their handler.
    pub(crate) fn unlisten(&mut self, endpoint: Endpoint) {
        if let Some(handler) = self.sites.remove(&endpoint) {
            self.former.insert(endpoint, Arc::downgrade(&handler));
        }
        self.say(ExchangeDown::Unlisten { endpoint });
    }

    /// Whether the stack has said if it listens there.
    pub(crate) fn is_answered(&self, endpoint: Endpoint) -> bool {
        self.listening.contains_key(&endpoint)
    }

    /// What the stack has said about listening there; once. `None`: it said nothing, and need not any more.
    pub(crate) fn listening(&mut self, endpoint: Endpoint) -> Option<Result<(), ListenError>> {
        self.asked.remove(&endpoint);
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

    /// Whether there is something to say to the stack.
    pub(crate) fn has_commands(&self) -> bool {
        !self.commands.is_empty() || self.answers.are_there()
    }

    /// Lets what other threads have answered be said.
    pub(crate) fn release_answers(&self) {
        self.answers.release();
    }

    /// Takes all answers for kept ones.
    pub(crate) fn keep_all(&self) {
        self.serving.values().for_each(|serving| self.answers.keep(&serving.flow));
    }

    /// Takes what HTTP says about an exchange that a client opened.
    pub(crate) fn handle_exchange(&mut self, event: ExchangeUp) {
        match event {
            ExchangeUp::Listening { endpoint, result } => self.listens(endpoint, result),
            ExchangeUp::Request(request) => self.begin(*request),
            ExchangeUp::Refused(refused) => self.tell(&refused),
            ExchangeUp::Left(connection) => {
                if let Some(handler) = self.audience(connection.local) {
                    let _ = catch_unwind(AssertUnwindSafe(|| handler.left(&connection)));
                }
            }
            ExchangeUp::Body { exchange, data } => self.take(exchange, &data),
            ExchangeUp::End { exchange } => self.call_handler(exchange),
            ExchangeUp::Writable { exchange, bytes } => {
                if let Some(serving) = self.serving.get_mut(&exchange) {
                    serving.credit += bytes;
                    self.send(exchange);
                }
            }
            ExchangeUp::Closed { exchange, .. } => {
                if let Some(serving) = self.serving.remove(&exchange) {
                    self.held -= serving.held;
                    self.answers.gone(&serving.flow);
                }
            }
            ExchangeUp::Connected { .. } | ExchangeUp::Response { .. } => {}
        }
    }

    /// Turns what handlers have said into commands.
    pub(crate) fn collect_answers(&mut self, cx: &mut Cx) {
        self.answers.observe(cx.is_observed());
        while let Some((exchange, part)) = self.answers.take() {
            let Some(serving) = self.serving.get_mut(&exchange) else { continue };
            match part {
                Part::Head(head, body) => self.respond(exchange, head, body),
                Part::Body(data) => serving.unsent.push_back(data),
                Part::Stream(pieces) => serving.stream = Some(pieces),
                Part::End => serving.is_complete = true,
                Part::Abort => self.say(ExchangeDown::Cancel { exchange }),
                Part::Note(topic, text) => cx.note("app", topic, move || text),
            }
            self.send(exchange);
        }
    }

    fn listens(&mut self, endpoint: Endpoint, result: Result<(), ListenError>) {
        if let Some(handler) = self.asked.remove(&endpoint)
            && result.is_ok()
        {
            self.former.remove(&endpoint);
            self.sites.insert(endpoint, handler);
        }
        self.listening.insert(endpoint, result);
    }

    /// Who answers requests that come to `local`: the handler for just this address before that for all.
    fn handler(&self, local: SocketAddr) -> Option<Arc<dyn Handler>> {
        at(&self.sites, local).cloned()
    }

    /// Who hears of connections to `local`: whoever serves there, or has.
    fn audience(&self, local: SocketAddr) -> Option<Arc<dyn Handler>> {
        self.handler(local).or_else(|| at(&self.former, local)?.upgrade())
    }

    /// A request came: the endpoint determines who answers it.
    fn begin(&mut self, request: ServerRequest) {
        let (exchange, length) = (request.exchange, request.body);
        let handler = self.handler(request.connection.local);
        self.serving.insert(exchange, Serving::new());
        let request = Request {
            head: request.head,
            connection: request.connection,
            params: Params::default(),
            body: Bytes::new(),
        };
        // It had begun when we stopped serving there.
        let Some(handler) = handler else {
            return self.refuse(exchange, &request, Refused::Busy);
        };
        let intake = match length {
            BodyLength::None => Ok(None),
            _ => catch_unwind(AssertUnwindSafe(|| handler.intake(&request))),
        };
        let body = match (intake, length) {
            (Ok(Some(intake)), _) => Taken::Given(intake),
            // Said before the client has sent it, where it tells the length.
            (Ok(None), BodyLength::Known(length)) if length > self.most_collected => {
                return self.refuse(exchange, &request, Refused::TooLong);
            }
            (Ok(None), _) => Taken::Collected(BytesMut::new()),
            (Err(_), _) => return self.refuse(exchange, &request, Refused::Broken),
        };
        let is_wanted = !is_worth_asking(&request, length)
            || catch_unwind(AssertUnwindSafe(|| handler.wants_body(&request))).unwrap_or(true);
        if let Some(serving) = self.serving.get_mut(&exchange) {
            serving.request = Some((request, handler));
            serving.body = body;
        }
        if !is_wanted {
            return self.call_handler(exchange);
        }
        self.say(ExchangeDown::Grant { exchange, bytes: Window::BYTES });
    }

    /// A piece of a request's body came.
    fn take(&mut self, exchange: ExchangeId, data: &Bytes) {
        let Some(serving) = self.serving.get_mut(&exchange) else { return };
        let Some((request, _)) = &serving.request else { return };
        let taken = match &mut serving.body {
            Taken::Given(intake) => {
                catch_unwind(AssertUnwindSafe(|| intake.piece(data))).map_err(|_| Refused::Broken)
            }
            Taken::Collected(_) if self.held + data.len() > self.most_held => Err(Refused::Busy),
            Taken::Collected(body) if (body.len() + data.len()) as u64 > self.most_collected => {
                Err(Refused::TooLong)
            }
            Taken::Collected(body) => {
                self.held += data.len();
                serving.held += data.len();
                body.extend_from_slice(data);
                Ok(())
            }
        };
        if let Err(why) = taken {
            let request = request.clone();
            return self.refuse(exchange, &request, why);
        }
        if let Some(bytes) = serving.window.take(data.len()) {
            self.say(ExchangeDown::Grant { exchange, bytes });
        }
    }

    /// Answers in the place of the handler that this request is not taken, and forgets it.
    fn refuse(&mut self, exchange: ExchangeId, request: &Request, why: Refused) {
        let Some(serving) = self.serving.get_mut(&exchange) else { return };
        serving.request = None;
        serving.body = Taken::Collected(BytesMut::new());
        self.held -= std::mem::take(&mut serving.held);
        let answer = Answer::new(self.answers.sink(exchange, serving.flow.clone()), &request.head.method);
        let answered = why.answer(answer, self.most_collected);
        self.tell(&RefusedRequest {
            connection: request.connection.clone(),
            line: Some(request.head.line()),
            status: why.status(),
            reason: why.in_words(),
            answered,
        });
    }

    /// Tells the handler what was answered in its place.
    fn tell(&self, refused: &RefusedRequest) {
        if let Some(handler) = self.audience(refused.connection.local) {
            let _ = catch_unwind(AssertUnwindSafe(|| handler.refused(refused)));
        }
    }

    /// The request is complete: the endpoint and the URL determine which function runs.
    fn call_handler(&mut self, exchange: ExchangeId) {
        let Some(serving) = self.serving.get_mut(&exchange) else { return };
        let Some((mut request, handler)) = serving.request.take() else { return };
        let body = std::mem::replace(&mut serving.body, Taken::Collected(BytesMut::new()));
        let sink = self.answers.sink(exchange, serving.flow.clone());
        let answer = Answer::new(sink, &request.head.method);
        // A panic drops the answer, which sends a 500; the next request finds the handler as it was.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            request.body = match body {
                Taken::Collected(body) => body.freeze(),
                Taken::Given(intake) => intake.finish(),
            };
            handler.handle(request, answer);
        }));
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

/// Whether something is spared where nobody wants the body: the client waits to be told, or much is to come.
fn is_worth_asking(request: &Request, length: BodyLength) -> bool {
    match length {
        BodyLength::None => false,
        BodyLength::Known(length) => length > SHORT_BODY || request.head.headers.contains("expect"),
        BodyLength::Unknown => true,
    }
}

/// What an answer sends next.
enum Next {
    Piece(Bytes),
    End,
    Broken,
}

impl Serving {
    fn new() -> Self {
        Serving {
            request: None,
            body: Taken::Collected(BytesMut::new()),
            held: 0,
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
                // A panic breaks this answer off, and no other.
                match catch_unwind(AssertUnwindSafe(|| stream.next())) {
                    Ok(Some(Ok(data))) => self.unsent.push_back(data),
                    Ok(None) => {
                        self.stream = None;
                        self.is_complete = true;
                    }
                    Ok(Some(Err(_))) | Err(_) => {
                        self.stream = None;
                        return Some(Next::Broken);
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

fn at<T>(sites: &BTreeMap<Endpoint, T>, local: SocketAddr) -> Option<&T> {
    let at = |address| sites.get(&Endpoint { address, port: local.port() });
    at(Some(local.ip())).or_else(|| at(None))
}
