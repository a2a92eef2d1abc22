//! A layer in the place of a client's HTTP that says over which of its connections a request goes: our own takes the one
//! that was used last, which is warm in the cache.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use framewise::core::id::{ConnId, ExchangeId, Opener};
use framewise::core::seams::exchange::{
    BodyLength, ClientRequest, ExchangeDown, ExchangeUp, Headers, ResponseHead, Version,
};
use framewise::core::seams::stream::{ConnInfo, StreamDown, StreamUp};
use framewise::core::seams::{Exchanges, Streams};
use framewise::core::{Cx, Layer};
use framewise::http::StatusCode;

/// Each number that a request asks for, as in `/17`, is a connection of its own, opened by its first request. Answers are
/// counted and thrown away: they come in one piece.
#[derive(Default)]
pub(crate) struct Flows {
    numbers: HashMap<u32, Flow>,
    conns: HashMap<ConnId, u32>,
    down: VecDeque<StreamDown>,
    up: VecDeque<ExchangeUp>,
}

struct Flow {
    conn: ConnId,
    info: Option<Box<ConnInfo>>,
    exchange: Option<ExchangeId>,
}

impl Flows {
    fn request(&mut self, request: &ClientRequest) {
        let number = request.head.target.trim_start_matches('/').parse().expect("the number of a flow");
        let conn = ConnId::new(Opener::Upper, number, 0);
        let flow = self.numbers.entry(number).or_insert_with(|| {
            self.conns.insert(conn, number);
            let (remote, security) = (request.remote, request.security.clone());
            self.down.push_back(StreamDown::Connect { conn, remote, security });
            Flow { conn, info: None, exchange: None }
        });
        flow.exchange = Some(request.exchange);
        if let Some(info) = flow.info.clone() {
            self.ask(request.exchange, conn, info);
        }
    }

    fn ask(&mut self, exchange: ExchangeId, conn: ConnId, connection: Box<ConnInfo>) {
        self.up.push_back(ExchangeUp::Connected { exchange, connection, reused: true });
        let data = Bytes::from_static(b"GET / HTTP/1.1\r\nHost: 192.0.2.2\r\n\r\n");
        self.down.push_back(StreamDown::Send { conn, data });
    }

    fn answered(&mut self, conn: ConnId, bytes: usize) {
        self.down.push_back(StreamDown::Grant { conn, bytes });
        let flow = self.numbers.get_mut(&self.conns[&conn]).expect("a flow of ours");
        let exchange = flow.exchange.take().expect("an answer to a request");
        let (status, version) = (StatusCode::OK, Version::Http11);
        let head = ResponseHead { status, reason: "OK".to_owned(), version, headers: Headers::new() };
        self.up.push_back(ExchangeUp::Response { exchange, head: Box::new(head), body: BodyLength::None });
        self.up.push_back(ExchangeUp::End { exchange });
        self.up.push_back(ExchangeUp::Closed { exchange, result: Ok(()) });
    }
}

impl Layer for Flows {
    type Upper = Exchanges;
    type Lower = Streams;

    fn name(&self) -> &'static str {
        "flows"
    }

    fn handle_outbound(&mut self, message: ExchangeDown, _cx: &mut Cx) {
        if let ExchangeDown::Request(request) = message {
            self.request(&request);
        }
    }

    fn handle_inbound(&mut self, message: StreamUp, _cx: &mut Cx) {
        match message {
            StreamUp::Opened { conn, info } => {
                self.down.push_back(StreamDown::Grant { conn, bytes: 64 << 10 });
                let flow = self.numbers.get_mut(&self.conns[&conn]).expect("a flow of ours");
                flow.info = Some(info.clone());
                let (exchange, conn) = (flow.exchange.expect("opened for a request"), flow.conn);
                self.ask(exchange, conn, info);
            }
            StreamUp::Data { conn, data } => self.answered(conn, data.len()),
            StreamUp::Closed { reason, .. } => panic!("a flow ended: {reason}"),
            _ => {}
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<StreamDown> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<ExchangeUp> {
        self.up.pop_front()
    }
}
