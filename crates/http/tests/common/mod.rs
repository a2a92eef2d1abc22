//! A layer with a hand on each of its seams: what the tests play their scripts on.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // each test file uses its part

use bytes::Bytes;
use framewise_core::id::{ConnId, ExchangeId, Opener};
use framewise_core::observe::Counters;
use framewise_core::seams::exchange::*;
use framewise_core::seams::stream::*;
use framewise_core::{Cx, Instant, Layer};
use framewise_http::{Config, Http, Method, StatusCode};

pub const LOCAL: &str = "192.0.2.10:49152";
pub const REMOTE: &str = "203.0.113.80:80";

pub struct Bench {
    pub http: Http,
    pub counters: Counters,
    pub now: Instant,
    /// What was said upward since it was last looked at.
    pub up: Vec<ExchangeUp>,
    /// What was said downward, but for `Send` and `Grant`.
    pub down: Vec<StreamDown>,
    /// The pieces of every `Send`.
    pub sends: Vec<Bytes>,
    /// Bytes granted to the peer and not used by it.
    pub granted: usize,
}

pub fn accepted(index: u32) -> ConnId {
    ConnId::new(Opener::Lower, index, 0)
}

pub fn asked(index: u32) -> ExchangeId {
    ExchangeId::new(Opener::Upper, index, 0)
}

pub fn info() -> Box<ConnInfo> {
    Box::new(ConnInfo { local: LOCAL.parse().unwrap(), remote: REMOTE.parse().unwrap(), tls: None })
}

impl Bench {
    pub fn new(config: Config) -> Self {
        Bench {
            http: Http::new(config),
            counters: Counters::default(),
            now: Instant::ZERO,
            up: Vec::new(),
            down: Vec::new(),
            sends: Vec::new(),
            granted: 0,
        }
    }

    /// A server to which one client has connected, with room for all it will say.
    pub fn server() -> Self {
        let mut bench = Bench::new(Config::default());
        bench.accept(accepted(0));
        bench
    }

    pub fn accept(&mut self, conn: ConnId) {
        self.inbound(StreamUp::Opened { conn, info: info() });
        self.inbound(StreamUp::Writable { conn, bytes: 1 << 24 });
    }

    pub fn outbound(&mut self, message: ExchangeDown) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.http.handle_outbound(message, &mut cx);
        self.drain();
    }

    pub fn inbound(&mut self, message: StreamUp) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.http.handle_inbound(message, &mut cx);
        self.drain();
    }

    /// Lets the clock reach `now`.
    pub fn at(&mut self, now: Instant) {
        self.now = now;
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.http.handle_timeout(&mut cx);
        let next = self.http.poll_timeout();
        assert!(next.is_none_or(|next| next > now), "law 6: {next:?} is not after {now:?}");
        self.drain();
    }

    fn drain(&mut self) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        while let Some(down) = self.http.poll_outbound(&mut cx) {
            match down {
                StreamDown::Send { data, .. } => self.sends.push(data),
                StreamDown::Grant { bytes, .. } => self.granted += bytes,
                other => self.down.push(other),
            }
        }
        while let Some(up) = self.http.poll_inbound(&mut cx) {
            self.up.push(up);
        }
    }

    /// The peer sends, as far as it was granted.
    pub fn feed(&mut self, conn: ConnId, bytes: &[u8]) {
        let mut bytes = Bytes::copy_from_slice(bytes);
        while !bytes.is_empty() && self.granted > 0 {
            let data = bytes.split_to(bytes.len().min(self.granted));
            self.granted -= data.len();
            self.inbound(StreamUp::Data { conn, data });
        }
    }

    /// Everything sent since the last look, as text.
    pub fn sent(&mut self) -> String {
        let sends = std::mem::take(&mut self.sends);
        String::from_utf8_lossy(&sends.concat()).into_owned()
    }

    pub fn ups(&mut self) -> Vec<ExchangeUp> {
        std::mem::take(&mut self.up)
    }

    /// The requests that came since the last look.
    pub fn requests(&mut self) -> Vec<ServerRequest> {
        let ups = self.ups().into_iter();
        ups.filter_map(|up| match up {
            ExchangeUp::Request(request) => Some(*request),
            _ => None,
        })
        .collect()
    }

    /// Answers with a body in one piece.
    pub fn answer(&mut self, exchange: ExchangeId, status: u16, body: &str) {
        let length = BodyLength::Known(body.len() as u64);
        self.respond(exchange, status, length);
        if !body.is_empty() {
            let data = Bytes::copy_from_slice(body.as_bytes());
            self.outbound(ExchangeDown::Body { exchange, data });
        }
        self.outbound(ExchangeDown::End { exchange });
    }

    pub fn respond(&mut self, exchange: ExchangeId, status: u16, body: BodyLength) {
        let head = Box::new(ResponseHead {
            version: Version::Http11,
            status: StatusCode::from_u16(status).unwrap(),
            reason: String::new(),
            headers: [("Content-Type", "text/html")].into_iter().collect(),
        });
        self.outbound(ExchangeDown::Respond { exchange, head, body });
    }

    /// Asks for `/`, and ends the request if it has no body.
    pub fn ask(&mut self, exchange: ExchangeId, method: Method, body: BodyLength) {
        self.outbound(ExchangeDown::Request(Box::new(ClientRequest {
            exchange,
            remote: REMOTE.parse().unwrap(),
            security: Security::Plain,
            head: RequestHead {
                method,
                target: "/".into(),
                version: Version::Http11,
                headers: [("Host", "shop.test")].into_iter().collect(),
            },
            body,
        })));
        if body == BodyLength::None {
            self.outbound(ExchangeDown::End { exchange });
        }
        self.outbound(ExchangeDown::Grant { exchange, bytes: 1 << 20 });
    }

    /// The connection that was last asked for.
    pub fn connecting(&self) -> ConnId {
        let connect = self.down.iter().rev().find_map(|down| match down {
            StreamDown::Connect { conn, .. } => Some(*conn),
            _ => None,
        });
        connect.expect("the layer should have asked for a connection")
    }

    /// A client that has sent GET / and waits.
    pub fn client() -> (Self, ConnId) {
        let mut bench = Bench::new(Config::default());
        bench.ask(asked(0), Method::GET, BodyLength::None);
        let conn = bench.open();
        (bench, conn)
    }

    /// Opens the connection that was asked for.
    pub fn open(&mut self) -> ConnId {
        let conn = self.connecting();
        self.inbound(StreamUp::Opened { conn, info: info() });
        self.inbound(StreamUp::Writable { conn, bytes: 1 << 24 });
        conn
    }

    /// How the only exchange since the last look ended, and the body that came.
    pub fn outcome(&mut self) -> (Vec<u8>, Option<Result<(), ExchangeError>>) {
        let mut body = Vec::new();
        let mut closed = None;
        for up in self.ups() {
            match up {
                ExchangeUp::Body { data, .. } => body.extend_from_slice(&data),
                ExchangeUp::Closed { result, .. } => {
                    assert!(closed.is_none(), "Closed is said once");
                    closed = Some(result);
                }
                _ => {}
            }
        }
        (body, closed)
    }

    pub fn has_closed(&self) -> bool {
        self.down.iter().any(|down| matches!(down, StreamDown::Close { .. } | StreamDown::Abort { .. }))
    }
}
