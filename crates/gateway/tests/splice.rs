//! The gateway between two providers of streams that do what they like, in any order, within the rules of the seam.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::stream::{CloseReason, ConnInfo, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Either, Instant, Layer};
use framewise_gateway::{Config, Side, Splice};
use proptest::prelude::*;

const WANTED: &str = "198.51.100.7:443";
const LISTENER: &str = "127.0.0.1:8080";
const SERVER: &str = "192.0.2.10:80";

/// What a provider knows of one of its connections; it keeps the books of the seam.
#[derive(Debug, Default)]
struct Conn {
    remote: Option<SocketAddr>,
    asked: bool,
    open: bool,
    /// Bytes that the gateway may send here, and that it lets come up.
    writable: usize,
    granted: usize,
    received: Vec<u8>,
    sent: Vec<u8>,
    peer_closed: bool,
    told_close: bool,
    refused: Option<CloseReason>,
    closed: Option<CloseReason>,
}

/// One provider, driven by the test.
#[derive(Default)]
struct Provider {
    conns: BTreeMap<ConnId, Conn>,
    /// What it will say when it is its turn: ends that it was told.
    owes: VecDeque<StreamUp>,
}

struct Rig {
    splice: Splice,
    counters: Counters,
    now: Instant,
    providers: [Provider; 2],
}

const INSIDE: usize = 0;
const OUTSIDE: usize = 1;

impl Rig {
    fn new(limit: usize) -> Self {
        let config = Config {
            max_connections: limit,
            aliases: BTreeMap::from([(at("192.0.2.2:1").ip(), at("127.0.0.1:1").ip())]),
            forwards: BTreeMap::from([(at(LISTENER), at(SERVER))]),
        };
        let providers = [Provider::default(), Provider::default()];
        Rig { splice: Splice::new(config), counters: Counters::default(), now: Instant::ZERO, providers }
    }

    /// The provider on one side says something; whatever the gateway then says is noted.
    fn up(&mut self, side: usize, message: StreamUp) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        let message = if side == INSIDE { Either::Left(message) } else { Either::Right(message) };
        self.splice.handle_inbound(message, &mut cx);
        self.drain();
    }

    /// The clock moves on to when the gateway wants to be called. How long that took.
    fn waits(&mut self) -> Option<Duration> {
        let begun = self.now;
        self.now = self.splice.poll_timeout()?;
        self.splice.handle_timeout(&mut Cx::new(self.now, &mut self.counters));
        assert!(self.splice.poll_timeout().is_none_or(|next| next > self.now), "law 6");
        self.drain();
        Some(self.now - begun)
    }

    fn drain(&mut self) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        while let Some(message) = self.splice.poll_outbound(&mut cx) {
            match message {
                Either::Left(message) => self.providers[INSIDE].hear(message),
                Either::Right(message) => self.providers[OUTSIDE].hear(message),
            }
        }
        assert!(self.splice.poll_inbound(&mut cx).is_none(), "nobody above has asked for anything");
    }

    /// A peer comes to a side, and waits for the gateway's word if `asks`.
    fn comes(&mut self, side: usize, index: u32, local: &str, asks: bool) -> ConnId {
        let conn = ConnId::new(Opener::Lower, index, 0);
        let info = Box::new(ConnInfo { local: at(local), remote: at("192.0.2.77:40000"), tls: None });
        self.providers[side].conns.insert(conn, Conn { asked: asks, open: !asks, ..Conn::default() });
        self.up(side, if asks { StreamUp::Asked { conn, info } } else { StreamUp::Opened { conn, info } });
        conn
    }

    /// The connection of ours on this side opens.
    fn opens(&mut self, side: usize, conn: ConnId) {
        self.providers[side].conn(conn).open = true;
        let info = Box::new(ConnInfo { local: at("192.0.2.1:1"), remote: at(WANTED), tls: None });
        self.up(side, StreamUp::Opened { conn, info });
    }

    fn has_room(&mut self, side: usize, conn: ConnId, bytes: usize) {
        self.providers[side].conn(conn).writable += bytes;
        self.up(side, StreamUp::Writable { conn, bytes });
    }

    fn sends(&mut self, side: usize, conn: ConnId, data: &[u8]) {
        let state = self.providers[side].conn(conn);
        state.granted -= data.len();
        state.sent.extend_from_slice(data);
        self.up(side, StreamUp::Data { conn, data: Bytes::copy_from_slice(data) });
    }

    fn ends(&mut self, side: usize, conn: ConnId, reason: CloseReason) {
        self.providers[side].conn(conn).closed = Some(reason.clone());
        self.up(side, StreamUp::Closed { conn, reason });
    }

    /// Says every end that the gateway asked for.
    fn settle(&mut self) {
        for side in [INSIDE, OUTSIDE, INSIDE, OUTSIDE] {
            while let Some(StreamUp::Closed { conn, reason }) = self.providers[side].owes.pop_front() {
                if self.providers[side].conn(conn).closed.is_none() {
                    self.ends(side, conn, reason);
                }
            }
        }
    }

    /// The connection that the gateway opened on a side, the only one.
    fn ours(&self, side: usize) -> ConnId {
        *self.providers[side]
            .conns
            .keys()
            .find(|conn| conn.opener() == Opener::Upper)
            .expect("one was opened")
    }
}

impl Provider {
    fn conn(&mut self, conn: ConnId) -> &mut Conn {
        self.conns.get_mut(&conn).expect("a connection that was named")
    }

    fn hear(&mut self, message: StreamDown) {
        if let StreamDown::Connect { conn, remote, .. } = message {
            let known = self.conns.insert(conn, Conn { remote: Some(remote), ..Conn::default() });
            assert!(known.is_none_or(|known| known.closed.is_some()), "{conn:?} is in use");
            return;
        }
        let conn = match &message {
            StreamDown::Accept { conn }
            | StreamDown::Refuse { conn, .. }
            | StreamDown::Send { conn, .. }
            | StreamDown::Grant { conn, .. }
            | StreamDown::Close { conn }
            | StreamDown::Abort { conn } => *conn,
            other => panic!("a gateway does not say {other:?}"),
        };
        let state = self.conns.get_mut(&conn).expect("only what was named is spoken of");
        assert_eq!(state.closed, None, "nothing is said after Closed, not {message:?}");
        match message {
            StreamDown::Accept { .. } => {
                assert!(state.asked && !state.open, "accepts what was asked");
                state.asked = false;
            }
            StreamDown::Refuse { reason, .. } => {
                assert!(state.asked, "refuses what was asked");
                state.refused = Some(reason);
                self.owes.push_back(StreamUp::Closed { conn, reason: CloseReason::Aborted });
            }
            StreamDown::Send { data, .. } => {
                assert!(!state.told_close, "nothing is sent after Close");
                state.writable = state.writable.checked_sub(data.len()).expect("within the credit");
                state.received.extend_from_slice(&data);
            }
            StreamDown::Grant { bytes, .. } => state.granted += bytes,
            StreamDown::Close { .. } => {
                assert!(state.open, "Close before it is open would abort");
                assert!(!std::mem::replace(&mut state.told_close, true), "Close is said once");
            }
            _ => self.owes.push_back(StreamUp::Closed { conn, reason: CloseReason::Aborted }),
        }
    }
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

#[test]
fn a_peer_inside_is_answered_when_the_outside_is_there() {
    let mut rig = Rig::new(8);
    let asked = rig.comes(INSIDE, 0, WANTED, true);
    let ours = rig.ours(OUTSIDE);
    assert_eq!(rig.providers[OUTSIDE].conns[&ours].remote, Some(at(WANTED)));
    assert!(rig.providers[INSIDE].conns[&asked].asked, "the peer waits");
    rig.opens(OUTSIDE, ours);
    assert!(!rig.providers[INSIDE].conns[&asked].asked, "the peer is accepted");
    rig.has_room(OUTSIDE, ours, 100);
    assert_eq!(rig.providers[INSIDE].conns[&asked].granted, 0, "not before both are there");
    rig.opens(INSIDE, asked);
    assert_eq!(rig.providers[INSIDE].conns[&asked].granted, 100);
    rig.sends(INSIDE, asked, b"through");
    assert_eq!(rig.providers[OUTSIDE].conns[&ours].received, b"through");
}

#[test]
fn why_the_outside_is_not_there_is_passed_on() {
    let mut rig = Rig::new(8);
    let asked = rig.comes(INSIDE, 0, WANTED, true);
    let ours = rig.ours(OUTSIDE);
    rig.ends(OUTSIDE, ours, CloseReason::Refused);
    assert_eq!(rig.providers[INSIDE].conns[&asked].refused, Some(CloseReason::Refused));
    rig.settle();
    assert_eq!(rig.splice.connections(), 0);
}

#[test]
fn an_alias_stands_for_an_address_outside() {
    let mut rig = Rig::new(8);
    rig.comes(INSIDE, 0, "192.0.2.2:8000", true);
    let ours = rig.ours(OUTSIDE);
    assert_eq!(rig.providers[OUTSIDE].conns[&ours].remote, Some(at("127.0.0.1:8000")));
}

#[test]
fn only_a_forward_leads_in() {
    let mut rig = Rig::new(8);
    rig.comes(OUTSIDE, 0, LISTENER, false);
    let ours = rig.ours(INSIDE);
    assert_eq!(rig.providers[INSIDE].conns[&ours].remote, Some(at(SERVER)));
    rig.comes(OUTSIDE, 1, "127.0.0.1:9999", false);
    assert_eq!(rig.providers[INSIDE].conns.len(), 1, "no way leads in from there");
    assert_eq!(rig.providers[OUTSIDE].owes.len(), 1, "and whoever came is sent away");
}

/// To break a connection off takes away what is still under way on it.
#[test]
fn what_was_sent_arrives_before_the_connection_is_broken_off() {
    let mut rig = Rig::new(8);
    let asked = rig.comes(INSIDE, 0, WANTED, true);
    let ours = rig.ours(OUTSIDE);
    rig.opens(OUTSIDE, ours);
    rig.opens(INSIDE, asked);
    rig.has_room(INSIDE, asked, 100);
    rig.sends(OUTSIDE, ours, b"too large");
    rig.ends(OUTSIDE, ours, CloseReason::Reset);
    assert!(rig.providers[INSIDE].owes.is_empty(), "the answer is not acknowledged yet");
    rig.has_room(INSIDE, asked, 5);
    assert!(rig.providers[INSIDE].owes.is_empty(), "nor is all of it now");
    rig.has_room(INSIDE, asked, 4);
    assert_eq!(rig.providers[INSIDE].owes.len(), 1, "now it is broken off");
    rig.settle();
    assert_eq!(rig.splice.connections(), 0);
}

/// One that takes nothing would keep its place, of which there are only so many.
#[test]
fn who_does_not_take_what_is_left_is_broken_off() {
    let begun = || {
        let mut rig = Rig::new(8);
        let came = rig.comes(OUTSIDE, 0, LISTENER, false);
        let ours = rig.ours(INSIDE);
        rig.opens(INSIDE, ours);
        rig.has_room(OUTSIDE, came, 100);
        rig.sends(INSIDE, ours, b"a page that nobody reads");
        assert_eq!(rig.splice.poll_timeout(), None, "as long as both are there, that is between them");
        rig.ends(INSIDE, ours, CloseReason::Reset);
        (rig, came)
    };
    let (mut rig, _) = begun();
    assert_eq!(rig.waits(), Some(Duration::from_secs(5)));
    assert_eq!(rig.providers[OUTSIDE].owes.len(), 1, "it is broken off");
    assert_eq!(rig.counters.total(), 1, "and counted");
    rig.settle();
    assert_eq!((rig.splice.connections(), rig.waits()), (0, None));
    // Who takes some has more time, though not for ever.
    let (mut rig, came) = begun();
    for _ in 0..14 {
        rig.now += Duration::from_secs(4);
        rig.has_room(OUTSIDE, came, 1);
    }
    assert!(rig.providers[OUTSIDE].owes.is_empty());
    assert_eq!(rig.waits(), Some(Duration::from_secs(4)), "60 seconds in all");
    assert_eq!(rig.providers[OUTSIDE].owes.len(), 1);
    // Who takes all is broken off at once.
    let (mut rig, came) = begun();
    rig.has_room(OUTSIDE, came, 24);
    assert_eq!((rig.providers[OUTSIDE].owes.len(), rig.splice.poll_timeout()), (1, None));
}

#[test]
fn an_end_that_comes_early_is_kept_until_the_other_is_open() {
    let mut rig = Rig::new(8);
    let came = rig.comes(OUTSIDE, 0, LISTENER, false);
    let ours = rig.ours(INSIDE);
    rig.providers[OUTSIDE].conn(came).peer_closed = true;
    rig.up(OUTSIDE, StreamUp::PeerClosed { conn: came, clean: true });
    assert!(!rig.providers[INSIDE].conns[&ours].told_close);
    rig.opens(INSIDE, ours);
    assert!(rig.providers[INSIDE].conns[&ours].told_close);
}

#[test]
fn one_more_than_the_limit_is_refused() {
    let mut rig = Rig::new(1);
    rig.comes(INSIDE, 0, WANTED, true);
    let second = rig.comes(INSIDE, 1, WANTED, true);
    assert_eq!(rig.providers[INSIDE].conns[&second].refused, Some(CloseReason::TooMany(1)));
    rig.settle();
    assert_eq!(rig.splice.connections(), 1, "the first goes on");
    assert_eq!(Side::Inside.other(), Side::Outside);
}

/// One thing that may happen, on a side, to one of its connections.
#[derive(Clone, Copy, Debug)]
enum Event {
    Comes,
    Opens,
    Room(usize),
    Data(usize),
    PeerClosed,
    Breaks,
    Settles,
}

fn events() -> impl Strategy<Value = Vec<(usize, usize, Event)>> {
    let event = prop_oneof![
        2 => Just(Event::Comes),
        4 => Just(Event::Opens),
        4 => (1usize..300).prop_map(Event::Room),
        8 => (1usize..300).prop_map(Event::Data),
        2 => Just(Event::PeerClosed),
        1 => Just(Event::Breaks),
        3 => Just(Event::Settles),
    ];
    prop::collection::vec((0usize..2, 0usize..8, event), 1..120)
}

impl Rig {
    /// What can happen to a connection does; what can't, does not.
    fn happens(&mut self, side: usize, pick: usize, event: Event, next: &mut u32, byte: &mut u8) {
        if let Event::Comes = event {
            *next += 1;
            let local = if side == INSIDE { WANTED } else { LISTENER };
            self.comes(side, *next, local, side == INSIDE);
            return;
        }
        if let Event::Settles = event {
            return self.settle();
        }
        let alive = self.providers[side].conns.iter().filter(|(_, conn)| conn.closed.is_none());
        let alive: Vec<ConnId> = alive.map(|(conn, _)| *conn).collect();
        let Some(&conn) = alive.get(pick % alive.len().max(1)) else { return };
        let ending = self.providers[side]
            .owes
            .iter()
            .any(|owed| matches!(owed, StreamUp::Closed { conn: over, .. } if *over == conn));
        let state = &self.providers[side].conns[&conn];
        let (open, granted, peer_closed) = (state.open, state.granted, state.peer_closed);
        let done = peer_closed && state.told_close;
        match event {
            Event::Opens if !open && !state.asked && !ending => self.opens(side, conn),
            Event::Room(bytes) if open && !ending && !state.told_close => self.has_room(side, conn, bytes),
            Event::Data(most) if open && !ending && !peer_closed && granted > 0 => {
                let data: Vec<u8> = (0..most.min(granted))
                    .map(|_| {
                        *byte = byte.wrapping_add(1);
                        *byte
                    })
                    .collect();
                self.sends(side, conn, &data);
            }
            Event::PeerClosed if open && !ending && !peer_closed => {
                self.providers[side].conn(conn).peer_closed = true;
                self.up(side, StreamUp::PeerClosed { conn, clean: true });
            }
            Event::PeerClosed if done && !ending => self.ends(side, conn, CloseReason::Finished),
            Event::Breaks if !done => self.ends(side, conn, CloseReason::Reset),
            _ => {}
        }
    }
}

proptest! {
    /// Whatever happens in whatever order: the seam's rules are kept (`Provider::hear` asserts them), what arrives is what was
    /// sent, and nothing is left when all is over.
    #[test]
    fn any_interleaving_keeps_the_rules(events in events()) {
        let mut rig = Rig::new(4);
        let (mut next, mut byte) = (0, 0);
        for (side, pick, event) in events {
            rig.happens(side, pick, event, &mut next, &mut byte);
            for (here, there) in [(INSIDE, OUTSIDE), (OUTSIDE, INSIDE)] {
                let sent: usize = rig.providers[here].conns.values().map(|conn| conn.sent.len()).sum();
                let arrived: usize = rig.providers[there].conns.values().map(|conn| conn.received.len()).sum();
                let lost = rig.counters.total();
                prop_assert!(arrived == sent || lost > 0, "{arrived} of {sent} bytes arrived");
            }
        }
        for side in [INSIDE, OUTSIDE] {
            rig.settle();
            let left = rig.providers[side].conns.iter().filter(|(_, conn)| conn.closed.is_none());
            let left: Vec<ConnId> = left.map(|(conn, _)| *conn).collect();
            for conn in left {
                if rig.providers[side].conns[&conn].closed.is_none() {
                    rig.ends(side, conn, CloseReason::Reset);
                    rig.settle();
                }
            }
        }
        prop_assert_eq!(rig.splice.connections(), 0);
    }
}
