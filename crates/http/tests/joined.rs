//! A client's layer and a server's, joined back to back with little room: a megabyte arrives exactly, both ways.
#![allow(clippy::unwrap_used)] // a failed step fails its test

use std::collections::VecDeque;

use bytes::Bytes;
use framewise_core::id::{ConnId, ExchangeId, Opener};
use framewise_core::observe::Counters;
use framewise_core::seams::exchange::*;
use framewise_core::seams::stream::*;
use framewise_core::{Cx, Instant, Layer};
use framewise_http::{Config, Http, Method, StatusCode};

/// How much goes each way, and how little of it at a time.
#[derive(Clone, Copy)]
struct Scale {
    /// Bytes of each body.
    bytes: usize,
    /// Bytes that one direction of the joint holds.
    room: usize,
    /// Bytes of body that each application takes at a time.
    grant: usize,
    /// How the bodies are announced.
    length: BodyLength,
}

/// One end of the joint: what it may bring up, and what it holds.
#[derive(Default)]
struct End {
    granted: usize,
    held: VecDeque<Bytes>,
    closed: bool,
}

struct Joint {
    sides: [Http; 2],
    ends: [End; 2],
    conn: [ConnId; 2],
    counters: Counters,
    up: [VecDeque<ExchangeUp>; 2],
    room: usize,
}

impl Joint {
    fn new(room: usize) -> Self {
        let opener = [Opener::Upper, Opener::Lower];
        Joint {
            sides: [Http::new(Config::default()), Http::new(Config::default())],
            ends: Default::default(),
            conn: opener.map(|opener| ConnId::new(opener, 0, 0)),
            counters: Counters::default(),
            up: Default::default(),
            room,
        }
    }

    fn say(&mut self, side: usize, message: ExchangeDown) {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.sides[side].handle_outbound(message, &mut cx);
        self.settle();
    }

    fn inbound(&mut self, side: usize, message: StreamUp) {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.sides[side].handle_inbound(message, &mut cx);
    }

    /// Carries everything until nothing moves.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for side in [0, 1] {
                let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
                if let Some(up) = self.sides[side].poll_inbound(&mut cx) {
                    self.up[side].push_back(up);
                    moved = true;
                }
                if let Some(down) = self.sides[side].poll_outbound(&mut cx) {
                    self.carry(side, down);
                    moved = true;
                }
                moved |= self.deliver(side);
            }
            if !moved {
                return;
            }
        }
    }

    fn carry(&mut self, side: usize, down: StreamDown) {
        match down {
            StreamDown::Connect { remote, .. } => {
                for side in [0, 1] {
                    let local = "192.0.2.10:49152".parse().unwrap();
                    let info = Box::new(ConnInfo { local, remote, tls: None });
                    let conn = self.conn[side];
                    self.inbound(side, StreamUp::Opened { conn, info });
                    self.inbound(side, StreamUp::Writable { conn, bytes: self.room });
                }
            }
            StreamDown::Send { data, .. } => {
                let held: usize = self.ends[side].held.iter().map(Bytes::len).sum();
                assert!(held + data.len() <= self.room, "sent beyond the credit");
                self.ends[side].held.push_back(data);
            }
            StreamDown::Grant { bytes, .. } => self.ends[1 - side].granted += bytes,
            StreamDown::Close { .. } => self.ends[side].closed = true,
            other => panic!("{other:?} should not be needed"),
        }
    }

    /// Brings what `side` sent to the other.
    fn deliver(&mut self, side: usize) -> bool {
        let end = &mut self.ends[side];
        if end.granted == 0 || end.held.is_empty() {
            return false;
        }
        // As TCP does: what waits travels together, however it was handed over.
        let mut data: Bytes = std::mem::take(&mut end.held).into_iter().flatten().collect();
        let fits = data.len().min(end.granted);
        let rest = data.split_off(fits);
        if !rest.is_empty() {
            end.held.push_front(rest);
        }
        if data.is_empty() {
            return false;
        }
        end.granted -= fits;
        let (from, to) = (self.conn[side], self.conn[1 - side]);
        self.inbound(1 - side, StreamUp::Data { conn: to, data });
        self.inbound(side, StreamUp::Writable { conn: from, bytes: fits });
        true
    }
}

fn byte(index: usize) -> u8 {
    (index.wrapping_mul(31) >> 3) as u8
}

/// The application on one side: sends its megabyte under credit, and takes the other's in small grants.
struct App {
    exchange: Option<ExchangeId>,
    sent: usize,
    came: usize,
    /// Bytes that came and were not granted again.
    taken: usize,
    ended: bool,
    closed: Option<Result<(), ExchangeError>>,
    scale: Scale,
}

impl App {
    fn new(exchange: Option<ExchangeId>, scale: Scale) -> Self {
        App { exchange, sent: 0, came: 0, taken: 0, ended: false, closed: None, scale }
    }

    fn hear(&mut self, joint: &mut Joint, side: usize, up: ExchangeUp) {
        match up {
            ExchangeUp::Request(request) => {
                let exchange = request.exchange;
                self.exchange = Some(exchange);
                let bytes = self.scale.grant;
                joint.say(side, ExchangeDown::Grant { exchange, bytes });
            }
            ExchangeUp::Body { exchange, data } => {
                for (index, found) in data.iter().enumerate() {
                    assert_eq!(*found, byte(self.came + index), "byte {}", self.came + index);
                }
                self.came += data.len();
                self.taken += data.len();
                // In good parts: exact repayment would cut the body finer with every piece.
                if self.taken * 2 >= self.scale.grant {
                    let bytes = std::mem::take(&mut self.taken);
                    joint.say(side, ExchangeDown::Grant { exchange, bytes });
                }
            }
            ExchangeUp::End { exchange } => {
                self.ended = true;
                if side == 1 {
                    let head =
                        Box::new(framewise_http::handler::response_head(StatusCode::OK, Headers::new()));
                    let body = self.scale.length;
                    joint.say(side, ExchangeDown::Respond { exchange, head, body });
                }
            }
            ExchangeUp::Writable { exchange, bytes } if self.sent < self.scale.bytes => {
                let to = (self.sent + bytes).min(self.scale.bytes);
                let data: Bytes = (self.sent..to).map(byte).collect();
                self.sent = to;
                joint.say(side, ExchangeDown::Body { exchange, data });
                if to == self.scale.bytes {
                    joint.say(side, ExchangeDown::End { exchange });
                }
            }
            ExchangeUp::Closed { result, .. } => self.closed = Some(result),
            _ => {}
        }
    }
}

fn both_ways(scale: Scale) {
    let mut joint = Joint::new(scale.room);
    let exchange = ExchangeId::new(Opener::Upper, 0, 0);
    let mut apps = [App::new(Some(exchange), scale), App::new(None, scale)];
    joint.say(
        0,
        ExchangeDown::Request(Box::new(ClientRequest {
            exchange,
            remote: "203.0.113.80:80".parse().unwrap(),
            security: Security::Plain,
            head: RequestHead {
                method: Method::POST,
                target: "/".into(),
                version: Version::Http11,
                headers: [("Host", "shop.test")].into_iter().collect(),
            },
            body: scale.length,
        })),
    );
    joint.say(0, ExchangeDown::Grant { exchange, bytes: scale.grant });
    while let Some(side) = [0, 1].into_iter().find(|side| !joint.up[*side].is_empty()) {
        let up = joint.up[side].pop_front().unwrap();
        apps[side].hear(&mut joint, side, up);
        if joint.up.iter().all(VecDeque::is_empty) {
            // The head that waits for its body: nothing else is due at this moment.
            joint.flush_held();
        }
    }
    for app in &apps {
        assert_eq!((app.came, app.sent, app.ended), (scale.bytes, scale.bytes, true));
        assert_eq!(app.closed, Some(Ok(())));
    }
    assert_eq!(joint.counters.total(), 0, "{:?}", joint.counters);
}

impl Joint {
    fn flush_held(&mut self) {
        let mut cx = Cx::new(Instant::from_millis(2), &mut self.counters);
        for side in &mut self.sides {
            side.handle_timeout(&mut cx);
        }
        self.settle();
    }
}

#[test]
fn a_megabyte_of_known_length() {
    both_ways(Scale { bytes: 1_000_000, room: 4_001, grant: 997, length: BodyLength::Known(1_000_000) });
}

#[test]
fn a_megabyte_in_chunks() {
    both_ways(Scale { bytes: 1_000_000, room: 4_001, grant: 997, length: BodyLength::Unknown });
}

#[test]
fn a_byte_at_a_time() {
    for length in [BodyLength::Known(2_000), BodyLength::Unknown] {
        both_ways(Scale { bytes: 2_000, room: 1, grant: 1, length });
    }
}
