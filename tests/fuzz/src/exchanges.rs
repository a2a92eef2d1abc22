//! The HTTP layer with a stream cut anywhere, as a server and as a client: the same is said however it is cut, nobody gets
//! more than was granted, and each exchange comes to one end.

use std::time::Duration;

use bytes::Bytes;
use framewise::core::id::{ConnId, ExchangeId, Opener};
use framewise::core::seams::exchange::{
    BodyLength, ClientRequest, ExchangeDown, ExchangeUp, RequestHead, ResponseHead, Version,
};
use framewise::core::seams::stream::{CloseReason, ConnInfo, Security, StreamDown, StreamUp};
use framewise::core::{Counters, Cx, Instant, Layer};
use framewise::http::{Config, Http, Method, StatusCode};
use framewise_conformance::Ledger;

use crate::input::Input;

/// Runs the target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let how = input.byte();
    let play = if how & 1 == 0 { Play::as_server } else { Play::as_client };
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
    let method = &methods[usize::from(how >> 1) % methods.len()];
    let ends_clean = how & 8 != 0;
    let appetite = if how & 16 != 0 { 1 + input.below(64) } else { 1 << 20 };
    let cuts = input;
    let stream = input.rest();
    let whole = play(&[stream], method, ends_clean, 1 << 20);
    let cut = play(&{ cuts }.cut(stream), method, ends_clean, appetite);
    assert_eq!(cut, whole, "the same bytes, cut elsewhere");
}

const CONN: u32 = 0;
/// Most bytes of heads that may wait, of a peer that sends them without end.
const MOST_SENT: usize = 1 << 20;

/// One connection, with a hand on each side of the layer.
struct Play {
    http: Http,
    counters: Counters,
    now: Instant,
    ledger: Ledger,
    conn: ConnId,
    /// Bytes that the peer may still send.
    granted: usize,
    /// Bytes of body that the application lets come up at a time.
    appetite: usize,
    over: bool,
    said: Vec<Said>,
    sent: Vec<u8>,
}

/// What was said upward, bodies joined.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Head(String),
    Body(Vec<u8>),
    End,
    Closed(String),
}

impl Play {
    fn new(conn: ConnId, appetite: usize) -> Self {
        Play {
            http: Http::new(Config { gather: Duration::ZERO, ..Config::default() }),
            counters: Counters::default(),
            now: Instant::ZERO,
            ledger: Ledger::default(),
            conn,
            granted: 0,
            appetite,
            over: false,
            said: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A server hears these pieces, and answers each request.
    fn as_server(pieces: &[&[u8]], _: &Method, clean: bool, appetite: usize) -> (Vec<Said>, Vec<u8>) {
        let mut play = Play::new(ConnId::new(Opener::Lower, CONN, 0), appetite);
        play.opened();
        play.plays(pieces, clean)
    }

    /// A client asks, and hears these pieces.
    fn as_client(pieces: &[&[u8]], method: &Method, clean: bool, appetite: usize) -> (Vec<Said>, Vec<u8>) {
        let mut play = Play::new(ConnId::new(Opener::Upper, CONN, 0), appetite);
        let exchange = ExchangeId::new(Opener::Upper, 0, 0);
        play.says(ExchangeDown::Request(Box::new(ClientRequest {
            exchange,
            remote: "203.0.113.80:80".parse().expect("an address"),
            security: Security::Plain,
            head: RequestHead {
                method: method.clone(),
                target: "/".into(),
                version: Version::Http11,
                headers: [("Host", "shop.test")].into_iter().collect(),
            },
            body: BodyLength::None,
        })));
        play.says(ExchangeDown::End { exchange });
        play.says(ExchangeDown::Grant { exchange, bytes: appetite });
        play.opened();
        let (said, sent) = play.plays(pieces, clean);
        let ends = said.iter().filter(|said| matches!(said, Said::Closed(_))).count();
        assert_eq!(ends, 1, "an exchange has one end: {said:?}");
        (said, sent)
    }

    fn opened(&mut self) {
        let ends = ["192.0.2.10:50000", "203.0.113.80:80"].map(|end| end.parse().expect("an address"));
        let info = Box::new(ConnInfo { local: ends[0], remote: ends[1], tls: None });
        let conn = self.conn;
        self.hears(StreamUp::Opened { conn, info });
        self.hears(StreamUp::Writable { conn, bytes: MOST_SENT });
    }

    fn plays(mut self, pieces: &[&[u8]], clean: bool) -> (Vec<Said>, Vec<u8>) {
        let conn = self.conn;
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while !piece.is_empty() && !self.over && self.granted > 0 {
                let data = piece.split_to(piece.len().min(self.granted));
                self.granted -= data.len();
                self.hears(StreamUp::Data { conn, data });
            }
        }
        if !self.over {
            self.hears(StreamUp::PeerClosed { conn, clean });
        }
        if !self.over {
            self.over = true;
            self.hears(StreamUp::Closed { conn, reason: CloseReason::Finished });
        }
        self.now += Duration::from_secs(86_400);
        self.http.handle_timeout(&mut Cx::new(self.now, &mut self.counters));
        self.settle();
        assert_eq!((self.http.connections(), self.http.exchanges()), (0, 0), "nothing is left of it");
        (self.said, self.sent)
    }

    fn says(&mut self, message: ExchangeDown) {
        self.http.handle_outbound(message, &mut Cx::new(self.now, &mut self.counters));
        self.settle();
    }

    fn hears(&mut self, message: StreamUp) {
        self.ledger.comes_up(&message).expect("the play keeps the rules itself");
        self.ledger.heard(&message);
        self.http.handle_inbound(message, &mut Cx::new(self.now, &mut self.counters));
        self.settle();
    }

    /// Lets everything move until nothing does.
    fn settle(&mut self) {
        loop {
            let mut cx = Cx::new(self.now, &mut self.counters);
            if let Some(down) = self.http.poll_outbound(&mut cx) {
                self.goes_down(down);
            } else if let Some(up) = self.http.poll_inbound(&mut cx) {
                self.comes_up(up);
            } else {
                return;
            }
        }
    }

    fn goes_down(&mut self, message: StreamDown) {
        self.ledger.goes_down(&message).expect("a layer keeps within its credit");
        self.ledger.said(&message);
        match message {
            StreamDown::Send { data, .. } => self.sent.extend_from_slice(&data),
            StreamDown::Grant { bytes, .. } => self.granted += bytes,
            StreamDown::Abort { conn } if !self.over => {
                self.over = true;
                self.hears(StreamUp::Closed { conn, reason: CloseReason::Finished });
            }
            _ => {}
        }
    }

    fn comes_up(&mut self, message: ExchangeUp) {
        match message {
            ExchangeUp::Request(request) => {
                self.said.push(Said::Head(format!("{:?} {:?}", request.head, request.body)));
                self.says(ExchangeDown::Grant { exchange: request.exchange, bytes: self.appetite });
            }
            ExchangeUp::Response { head, body, .. } => {
                self.said.push(Said::Head(format!("{head:?} {body:?}")));
            }
            ExchangeUp::Body { exchange, data } => {
                assert!(data.len() <= self.appetite, "no more comes up than was granted");
                match self.said.last_mut() {
                    Some(Said::Body(body)) => body.extend_from_slice(&data),
                    _ => self.said.push(Said::Body(data.to_vec())),
                }
                self.says(ExchangeDown::Grant { exchange, bytes: data.len() });
            }
            ExchangeUp::End { exchange } => {
                self.said.push(Said::End);
                if exchange.opener() == Opener::Lower {
                    self.answer(exchange);
                }
            }
            ExchangeUp::Closed { result, .. } => self.said.push(Said::Closed(format!("{result:?}"))),
            ExchangeUp::Connected { .. }
            | ExchangeUp::Writable { .. }
            | ExchangeUp::Listening { .. }
            | ExchangeUp::Refused(_)
            | ExchangeUp::Left(_) => {}
        }
    }

    fn answer(&mut self, exchange: ExchangeId) {
        let head = Box::new(ResponseHead {
            version: Version::Http11,
            status: StatusCode::OK,
            reason: String::new(),
            headers: [("Content-Type", "text/plain")].into_iter().collect(),
        });
        let body = BodyLength::Known(4);
        self.says(ExchangeDown::Respond { exchange, head, body });
        self.says(ExchangeDown::Body { exchange, data: Bytes::from_static(b"page") });
        self.says(ExchangeDown::End { exchange });
    }
}
