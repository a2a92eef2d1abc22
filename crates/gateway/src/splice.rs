//! The layer: which connection's other half a message is for, and what it means there.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use framewise_core::id::{ConnId, Connection, Opener, Slab};
use framewise_core::seams::exchange::{ExchangeDown, ExchangeError, ExchangeUp};
use framewise_core::seams::stream::{CloseReason, ConnInfo, ListenError, Security, StreamDown, StreamUp};
use framewise_core::seams::{Exchanges, Streams};
use framewise_core::{Both, Cx, Either, Instant, Layer};

use crate::config::Config;
use crate::leaving::Leaving;
use crate::pair::{OURS, PEERS, Pair, Stage};

/// The name of this layer in counters and traces.
const NAME: &str = "gateway";

/// One of the two sides of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Our TCP's, on a wire: the left branch below.
    Inside,
    /// That of everybody else: the right branch.
    Outside,
}

impl Side {
    /// The one opposite.
    pub fn other(self) -> Side {
        match self {
            Side::Inside => Side::Outside,
            Side::Outside => Side::Inside,
        }
    }
}

/// Joins the connections of two providers of streams, two and two. See the [crate's page](crate).
///
/// It stands where a host has HTTP. Whoever asks it for pages is told that a gateway has none.
#[derive(Debug)]
pub struct Splice {
    config: Config,
    /// By the name of the connection that we opened.
    pairs: Slab<Connection, Pair>,
    /// The pairs of connections that peers opened.
    accepted: BTreeMap<(Side, ConnId), ConnId>,
    leaving: Leaving,
    /// What a call makes us say is said before the next: each says a few words at most.
    down: VecDeque<Either<StreamDown, StreamDown>>,
    up: VecDeque<ExchangeUp>,
}

impl Splice {
    /// A gateway that leads where `config` says.
    pub fn new(config: Config) -> Self {
        Splice {
            pairs: Slab::new(Opener::Upper, config.max_connections),
            accepted: BTreeMap::new(),
            leaving: Leaving::default(),
            down: VecDeque::new(),
            up: VecDeque::new(),
            config,
        }
    }

    /// Pairs of connections that there are.
    pub fn connections(&self) -> usize {
        self.pairs.len()
    }

    fn say(&mut self, side: Side, message: StreamDown) {
        self.down.push_back(match side {
            Side::Inside => Either::Left(message),
            Side::Outside => Either::Right(message),
        });
    }

    /// Says something about one end of a pair, to whoever has that connection.
    fn tell(&mut self, key: ConnId, end: usize, message: impl FnOnce(ConnId) -> StreamDown) {
        if let Some(pair) = self.pairs.get(key) {
            let (side, conn) = pair.place(end, key);
            self.say(side, message(conn));
        }
    }

    /// The pair to which this connection belongs, and which of its ends it is.
    fn find(&self, side: Side, conn: ConnId) -> Option<(ConnId, usize)> {
        match conn.opener() {
            Opener::Lower => self.accepted.get(&(side, conn)).map(|key| (*key, PEERS)),
            Opener::Upper => {
                let is_here = self.pairs.get(conn).is_some_and(|pair| pair.origin != side);
                is_here.then_some((conn, OURS))
            }
        }
    }

    fn hear(&mut self, side: Side, message: StreamUp, cx: &mut Cx) {
        match message {
            StreamUp::Asked { conn, info } => self.begin(side, conn, &info, Stage::Asked, cx),
            StreamUp::Opened { conn, info } => match self.find(side, conn) {
                Some((key, end)) => self.opened(key, end, cx),
                None => self.begin(side, conn, &info, Stage::Open, cx),
            },
            StreamUp::Data { conn, data } => {
                let to = self.find(side, conn).map(|(key, end)| (key, opposite(end)));
                self.pass_data(to, data, cx);
            }
            StreamUp::Writable { conn, bytes } => {
                if let Some((key, end)) = self.find(side, conn) {
                    self.there_is_room(key, end, bytes, cx.now);
                }
            }
            StreamUp::PeerClosed { conn, .. } => {
                if let Some((key, end)) = self.find(side, conn) {
                    self.peer_closed(key, opposite(end));
                }
            }
            StreamUp::Closed { conn, reason } => {
                if let Some((key, end)) = self.find(side, conn) {
                    self.closed(key, end, reason, cx);
                }
            }
            StreamUp::Listening { .. } => {}
        }
    }

    /// A peer wants, or already has, a connection: it gets another one to where that leads.
    fn begin(&mut self, side: Side, conn: ConnId, info: &ConnInfo, stage: Stage, cx: &mut Cx) {
        let destination = match side {
            Side::Inside => Some(self.config.outside(info.local)),
            Side::Outside => self.config.inside(info.local),
        };
        let Some(remote) = destination else {
            return self.turn_away(side, conn, stage, CloseReason::Refused);
        };
        let Ok(key) = self.pairs.insert(Pair::new(side, conn, stage)) else {
            let reason = CloseReason::TooMany(self.config.max_connections);
            cx.dropped(NAME, "too many connections");
            return self.turn_away(side, conn, stage, reason);
        };
        cx.note(NAME, "asked", || on_the_way(side, info, remote));
        self.accepted.insert((side, conn), key);
        self.tell(key, OURS, |conn| StreamDown::Connect { conn, remote, security: Security::Plain });
    }

    /// Refuses a connection that is part of no pair.
    fn turn_away(&mut self, side: Side, conn: ConnId, stage: Stage, reason: CloseReason) {
        self.say(
            side,
            match stage {
                Stage::Asked => StreamDown::Refuse { conn, reason },
                _ => StreamDown::Abort { conn },
            },
        );
    }

    /// Sends one end of a pair what came to the other.
    fn pass_data(&mut self, to: Option<(ConnId, usize)>, data: Bytes, cx: &mut Cx) {
        if let Some((key, end)) = to
            && let Some(pair) = self.pairs.get_mut(key)
            && pair.ends[end].is_usable()
        {
            pair.ends[end].is_sent(data.len());
            return self.tell(key, end, |conn| StreamDown::Send { conn, data });
        }
        // That end was told to end, and so will the other be.
        cx.dropped(NAME, "the other side of its connection is over");
    }

    /// One of two connections is there: what it and the other have waited for can be said.
    fn opened(&mut self, key: ConnId, end: usize, cx: &mut Cx) {
        let Some(pair) = self.pairs.get_mut(key) else { return };
        pair.ends[end].stage = Stage::Open;
        let other = &mut pair.ends[opposite(end)];
        if other.stage == Stage::Asked && !other.is_ending {
            other.stage = Stage::Opening;
            self.tell(key, opposite(end), |conn| StreamDown::Accept { conn });
        }
        cx.note(NAME, "opened", || "the connection beyond this gateway is there".to_owned());
        for end in [end, opposite(end)] {
            self.there_is_room(key, end, 0, cx.now);
            self.pass_close(key, end);
        }
    }

    /// Room for `bytes` more at `end` is credit for as many at the other, as soon as both are open.
    fn there_is_room(&mut self, key: ConnId, end: usize, bytes: usize, now: Instant) {
        let Some(pair) = self.pairs.get_mut(key) else { return };
        let state = &mut pair.ends[end];
        state.has_room(bytes);
        if state.is_ending && bytes > 0 {
            self.leaving.goes_on(key, now);
        }
        if state.is_ending && state.stage == Stage::Open && state.is_drained() {
            self.leaving.is_over(key);
            return self.tell(key, end, |conn| StreamDown::Abort { conn });
        }
        let room = pair.ends[end].room;
        if room > 0 && pair.ends.iter().all(|end| end.is_usable()) {
            pair.ends[end].room = 0;
            self.tell(key, opposite(end), |conn| StreamDown::Grant { conn, bytes: room });
        }
    }

    /// Nothing more will come for `end`.
    fn peer_closed(&mut self, key: ConnId, end: usize) {
        if let Some(pair) = self.pairs.get_mut(key) {
            pair.ends[end].owes_close = true;
            self.pass_close(key, end);
        }
    }

    /// Tells `end` that all was sent, if it is to be told and there to hear it.
    fn pass_close(&mut self, key: ConnId, end: usize) {
        let Some(pair) = self.pairs.get_mut(key) else { return };
        let end_state = &mut pair.ends[end];
        if end_state.owes_close && end_state.is_usable() {
            end_state.owes_close = false;
            self.tell(key, end, |conn| StreamDown::Close { conn });
        }
    }

    /// One of two connections is over. Unless both sides had finished, the other is told that it is: once it has taken what
    /// was sent before, since nothing is left of what is under way when a connection is broken off. It has not for ever for that.
    fn closed(&mut self, key: ConnId, end: usize, reason: CloseReason, cx: &mut Cx) {
        let Some(pair) = self.pairs.get_mut(key) else { return };
        pair.ends[end].stage = Stage::Over;
        let (origin, accepted, is_over) = (pair.origin, pair.accepted, pair.is_over());
        let other = &mut pair.ends[opposite(end)];
        let (stage, is_drained) = (other.stage, other.is_drained());
        if is_over {
            self.leaving.is_over(key);
            self.pairs.remove(key);
        } else if reason != CloseReason::Finished && !std::mem::replace(&mut other.is_ending, true) {
            cx.note(NAME, "ended", || format!("the other side of this connection: {reason}"));
            match stage {
                Stage::Asked => self.tell(key, opposite(end), |conn| StreamDown::Refuse { conn, reason }),
                _ if is_drained => self.tell(key, opposite(end), |conn| StreamDown::Abort { conn }),
                _ => self.leaving.begin(key, opposite(end), cx.now),
            }
        }
        if end == PEERS {
            self.accepted.remove(&(origin, accepted));
        }
    }
}

/// The other end of a pair.
fn opposite(end: usize) -> usize {
    if end == PEERS { OURS } else { PEERS }
}

/// What a gateway does for a peer, for a person.
fn on_the_way(side: Side, info: &ConnInfo, remote: SocketAddr) -> String {
    let peer = info.remote.ip();
    match side {
        Side::Inside => format!("{peer} wants {}: I connect to {remote}, outside", info.local),
        Side::Outside => format!("{peer} came to {} from outside: I connect to {remote}", info.local),
    }
}

impl Layer for Splice {
    type Upper = Exchanges;
    type Lower = Both<Streams, Streams>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: ExchangeDown, _cx: &mut Cx) {
        match message {
            ExchangeDown::Listen { endpoint, .. } => {
                let result = Err(ListenError::TooMany { limit: 0 });
                self.up.push_back(ExchangeUp::Listening { endpoint, result });
            }
            ExchangeDown::Request(request) => {
                let result = Err(ExchangeError::Misuse("a page was asked of a gateway, which has none"));
                self.up.push_back(ExchangeUp::Closed { exchange: request.exchange, result });
            }
            // About an exchange that has met its `Closed` on the way.
            _ => {}
        }
    }

    fn handle_inbound(&mut self, message: Either<StreamUp, StreamUp>, cx: &mut Cx) {
        match message {
            Either::Left(message) => self.hear(Side::Inside, message, cx),
            Either::Right(message) => self.hear(Side::Outside, message, cx),
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Either<StreamDown, StreamDown>> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<ExchangeUp> {
        self.up.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        while let Some((key, end)) = self.leaving.pop_due(cx.now) {
            cx.dropped(NAME, "what was left was not taken");
            self.tell(key, end, |conn| StreamDown::Abort { conn });
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.leaving.deadline()
    }
}
