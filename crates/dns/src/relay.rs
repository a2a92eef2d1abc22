//! A name server that knows nothing itself: it asks whoever stands above it, and passes the answer on.
//!
//! Read first: RFC 1035 section 4.1 (messages); RFC 5358 (not to be used for reflection): it is for hosts on links of our own.
//!
//! It never answers a response, never says more than 512 bytes, and remembers nothing: whoever stands above does, or doesn't.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use bytes::Bytes;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::lookup::{LookupDown, LookupError, LookupUp};
use framewise_core::seams::{Datagrams, Lookups};
use framewise_core::{Cx, Layer};

use crate::layer::NAME;
use crate::message::Message;
use crate::question::PORT;
use crate::record::{Data, INTERNET, Kind, Question, Record, ResponseCode};

/// For how many seconds an answer may be remembered. Whoever stands above says nothing about that.
const TTL: u32 = 30;

/// A name server between the lookup seam and the datagram seam, on port 53.
#[derive(Debug)]
pub struct Relay {
    /// Questions that wait for an answer, and answers that wait to leave: so many of each at most.
    limit: usize,
    is_bound: bool,
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    asked: VecDeque<LookupUp>,
    responses: VecDeque<Datagram>,
}

/// A query, and where its response goes.
#[derive(Debug)]
struct Waiting {
    query: Message,
    question: Question,
    /// The query's datagram without its bytes.
    envelope: Datagram,
}

impl Relay {
    /// A name server that has at most `limit` questions under way.
    pub fn new(limit: usize) -> Self {
        Relay {
            limit,
            is_bound: false,
            next: 0,
            waiting: BTreeMap::new(),
            asked: VecDeque::new(),
            responses: VecDeque::new(),
        }
    }

    /// A datagram came to our port.
    fn receive(&mut self, datagram: Datagram, cx: &mut Cx) {
        if datagram.remote.port() == 0 {
            return cx.dropped(NAME, "query from port 0");
        }
        let Ok(query) = Message::parse(&datagram.data) else {
            return cx.dropped(NAME, "malformed message");
        };
        if query.response {
            return cx.dropped(NAME, "response to a server");
        }
        if self.waiting.len() >= self.limit || self.responses.len() >= self.limit {
            return cx.dropped(NAME, "too many questions wait");
        }
        let envelope = Datagram { data: Bytes::new(), ..datagram };
        match to_ask(&query) {
            Ok(question) => self.ask(Waiting { query, question, envelope }),
            Err(code) => self.respond(Message::response_to(&query, code), envelope, cx),
        }
    }

    fn ask(&mut self, waiting: Waiting) {
        let (question, name) = (self.next, waiting.question.name.to_string());
        self.next += 1;
        self.waiting.insert(question, waiting);
        self.asked.push_back(LookupUp::Asked { question, name });
    }

    fn answered(&mut self, question: u64, result: Result<Vec<IpAddr>, LookupError>, cx: &mut Cx) {
        let Some(Waiting { query, question, envelope }) = self.waiting.remove(&question) else {
            return cx.dropped(NAME, "answer to no question");
        };
        let code = match result {
            Ok(_) => ResponseCode::NoError,
            Err(LookupError::NoSuchName) => ResponseCode::NameError,
            Err(LookupError::Failed) => ResponseCode::ServerFailure,
        };
        let mut response = Message::response_to(&query, code);
        response.recursion_available = true;
        let records = result.unwrap_or_default().into_iter().map(Data::from);
        response.answers = records
            .filter(|data| question.kind == data.kind())
            .map(|data| Record { name: question.name.clone(), class: INTERNET, ttl: TTL, data })
            .collect();
        self.respond(response, envelope, cx);
    }

    fn respond(&mut self, response: Message, envelope: Datagram, cx: &mut Cx) {
        match response.emit() {
            Ok(bytes) => self.responses.push_back(Datagram { data: bytes.into(), ..envelope }),
            Err(_) => cx.dropped(NAME, "response can't be written"),
        }
    }
}

/// The one question of a query, if it is one that addresses answer; else what is wrong with it, which is nothing where there is
/// just no such record.
fn to_ask(query: &Message) -> Result<Question, ResponseCode> {
    if query.edns.is_some_and(|version| version > 0) {
        return Err(ResponseCode::BAD_VERSION);
    }
    if query.opcode != 0 {
        return Err(ResponseCode::NotImplemented);
    }
    let [question] = &query.questions[..] else {
        return Err(ResponseCode::FormatError);
    };
    match question.kind {
        _ if question.class != INTERNET => Err(ResponseCode::Refused),
        Kind::A | Kind::Aaaa => Ok(question.clone()),
        _ => Err(ResponseCode::NoError),
    }
}

impl Layer for Relay {
    type Upper = Lookups;
    type Lower = Datagrams;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: LookupDown, cx: &mut Cx) {
        let LookupDown::Answer { question, result } = message;
        self.answered(question, result, cx);
    }

    fn handle_inbound(&mut self, message: DatagramUp, cx: &mut Cx) {
        match message {
            DatagramUp::Datagram(datagram) => self.receive(datagram, cx),
            DatagramUp::Unreachable { .. } => cx.dropped(NAME, "response did not arrive"),
            DatagramUp::BindFailed { .. } => cx.dropped(NAME, "port 53 is taken: nobody is answered"),
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<DatagramDown> {
        if !self.is_bound {
            self.is_bound = true;
            return Some(DatagramDown::Bind { port: PORT });
        }
        self.responses.pop_front().map(DatagramDown::Send)
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<LookupUp> {
        self.asked.pop_front()
    }
}
