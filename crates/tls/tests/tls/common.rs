//! Two TLS layers joined back to back by a pair of streams that splits, merges and starves as it is told.
//!
//! The pair plays TCP: it keeps the credits of the stream seam in both directions, and fails the test when a layer
//! breaks them. An [`App`] sits above each layer, sends what it is given and takes what comes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use framewise_core::id::{ConnId, Opener};
use framewise_core::observe::Note;
use framewise_core::seams::stream::{
    CloseReason, ConnInfo, Endpoint, Security, StreamDown, StreamUp, TlsErrorKind,
};
use framewise_core::{Counters, Cx, Instant, Layer, Observer, Rng};
use framewise_tls::{Authority, Config, Crypto, Roots, Server, SimulatedCrypto, TimeSource, Tls};

/// 2026-11-22, the day on which the tests' world begins.
pub(crate) const NOW: u64 = 1_795_305_600;
pub(crate) const TIME: TimeSource = TimeSource::starting_at(NOW);

pub(crate) fn authority(seed: u64) -> Authority {
    Authority::simulated_never_on_a_real_device(&Rng::from_seed(seed), TIME).expect("an authority")
}

pub(crate) fn simulated(seed: u64, who: &str) -> Crypto {
    Crypto::Simulated(SimulatedCrypto::never_on_a_real_device(Rng::from_seed(seed).fork(who)))
}

pub(crate) fn client_config(seed: u64) -> Config {
    let mut config = Config::new(TIME, simulated(seed, "client/tls"));
    config.client.roots = vec![Roots::Lab(authority(seed).certificate().clone())];
    config
}

pub(crate) fn server_config(seed: u64) -> Config {
    let mut config = Config::new(TIME, simulated(seed, "server/tls"));
    config.server = Some(Server::Authority(authority(seed)));
    config
}

/// Which way bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

/// What the pair does to the bytes.
pub(crate) struct Wire {
    /// Credit given to each sender at first; given again as bytes are delivered.
    pub(crate) window: usize,
    /// Bytes delivered at once: at most so many, by chance.
    pub(crate) most: usize,
    pub(crate) rng: Rng,
    /// Flips a bit of the byte with this number on this way.
    pub(crate) flip: Option<(Way, usize)>,
}

impl Default for Wire {
    fn default() -> Self {
        Wire { window: 64 * 1024, most: usize::MAX, rng: Rng::from_seed(0), flip: None }
    }
}

/// What sits above a layer, for one connection.
#[derive(Default)]
pub(crate) struct App {
    pub(crate) to_send: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) credit: usize,
    pub(crate) received: Vec<u8>,
    /// Granted at the beginning and again as bytes come.
    pub(crate) window: usize,
    /// Sent at once at most; 0: all that may be.
    pub(crate) piece: usize,
    pub(crate) close_when_sent: bool,
    pub(crate) closing: bool,
    pub(crate) info: Option<ConnInfo>,
    pub(crate) peer_closed: Option<bool>,
    pub(crate) closed: Option<CloseReason>,
}

impl App {
    pub(crate) fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        App { to_send: bytes.into(), window: 64 * 1024, close_when_sent: true, ..App::default() }
    }

    pub(crate) fn error_kind(&self) -> Option<TlsErrorKind> {
        match &self.closed {
            Some(CloseReason::Tls(error)) => Some(error.kind),
            _ => None,
        }
    }

    pub(crate) fn detail(&self) -> String {
        self.closed.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

#[derive(Default)]
pub(crate) struct Watcher {
    pub(crate) notes: Vec<(&'static str, String)>,
    pub(crate) secrets: Vec<String>,
}

impl Observer for Watcher {
    fn noted(&mut self, note: &Note) {
        self.notes.push((note.topic, note.text.clone()));
    }

    fn secret(&mut self, _now: Instant, line: &str) {
        self.secrets.push(line.to_owned());
    }
}

/// One host: a layer, the apps above it, and the watcher beside it.
pub(crate) struct End {
    pub(crate) tls: Tls,
    pub(crate) apps: BTreeMap<usize, App>,
    pub(crate) counters: Counters,
    pub(crate) watcher: Watcher,
    pub(crate) listening: Vec<StreamUp>,
    /// What apps of connections that come get.
    pub(crate) template: fn() -> App,
}

impl End {
    fn new(config: Config) -> Self {
        End {
            tls: Tls::new(config).expect("a layer"),
            apps: BTreeMap::new(),
            counters: Counters::default(),
            watcher: Watcher::default(),
            listening: Vec::new(),
            template: || App::sending(*b"answer"),
        }
    }

    fn with<T>(&mut self, now: Instant, act: impl FnOnce(&mut Tls, &mut Cx) -> T) -> T {
        let mut cx = Cx::observed(now, &mut self.counters, &mut self.watcher);
        act(&mut self.tls, &mut cx)
    }

    pub(crate) fn down(&mut self, now: Instant, message: StreamDown) {
        self.with(now, |tls, cx| tls.handle_outbound(message, cx));
    }

    pub(crate) fn up(&mut self, now: Instant, message: StreamUp) {
        self.with(now, |tls, cx| tls.handle_inbound(message, cx));
    }
}

/// One way of one connection between the layers.
#[derive(Default)]
struct Lane {
    flying: Vec<u8>,
    /// What the sender may still send, and what the receiver granted.
    credit: usize,
    granted: usize,
    passed: usize,
    fin: bool,
    fin_told: bool,
    /// Everything that was ever sent, and each Send by its length.
    log: Vec<u8>,
    sends: Vec<usize>,
}

#[derive(Default)]
struct Link {
    to_server: Lane,
    to_client: Lane,
    over: bool,
}

/// Both hosts and what joins them.
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) wire: Wire,
    pub(crate) now: Instant,
    links: BTreeMap<usize, Link>,
    port: u16,
}

pub(crate) fn at_client(index: usize) -> ConnId {
    ConnId::new(Opener::Upper, index as u32, 0)
}

pub(crate) fn at_server(index: usize) -> ConnId {
    ConnId::new(Opener::Lower, index as u32, 0)
}

impl Pair {
    pub(crate) fn new(client: Config, server: Config) -> Self {
        Pair::over(client, server, Security::Tls(None), Wire::default())
    }

    /// A server that listens at port 443, plain or by TLS.
    pub(crate) fn over(client: Config, server: Config, security: Security, wire: Wire) -> Self {
        let mut pair = Pair {
            client: End::new(client),
            server: End::new(server),
            wire,
            now: Instant::ZERO,
            links: BTreeMap::new(),
            port: 443,
        };
        let endpoint = Endpoint { address: None, port: pair.port };
        pair.server.down(pair.now, StreamDown::Listen { endpoint, security });
        pair.run();
        pair
    }

    /// Opens connection number `index` to `name` and runs until nothing moves.
    pub(crate) fn connect(&mut self, index: usize, name: &str, app: App) {
        self.connect_as(index, Security::Tls(Some(name.into())), app);
    }

    pub(crate) fn connect_as(&mut self, index: usize, security: Security, app: App) {
        let (conn, remote) = (at_client(index), "203.0.113.80:443".parse().expect("an address"));
        let bytes = app.window;
        self.client.apps.insert(index, app);
        self.client.down(self.now, StreamDown::Connect { conn, remote, security });
        self.client.down(self.now, StreamDown::Grant { conn, bytes });
        self.run();
    }

    /// What was sent on this way of a connection, and how it was cut.
    pub(crate) fn log(&self, index: usize, way: Way) -> (&[u8], &[usize]) {
        let lane = self.lane(index, way);
        (&lane.log, &lane.sends)
    }

    fn lane(&self, index: usize, way: Way) -> &Lane {
        match way {
            Way::ToServer => &self.links[&index].to_server,
            Way::ToClient => &self.links[&index].to_client,
        }
    }

    fn lane_mut(&mut self, index: usize, way: Way) -> &mut Lane {
        let link = self.links.get_mut(&index).expect("a link");
        match way {
            Way::ToServer => &mut link.to_server,
            Way::ToClient => &mut link.to_client,
        }
    }

    pub(crate) fn client_app(&self, index: usize) -> &App {
        &self.client.apps[&index]
    }

    pub(crate) fn server_app(&self, index: usize) -> &App {
        &self.server.apps[&index]
    }

    /// Puts bytes on a way that no layer sent.
    pub(crate) fn inject(&mut self, index: usize, way: Way, bytes: &[u8]) {
        self.lane_mut(index, way).flying.extend_from_slice(bytes);
        self.run();
    }

    /// A FIN that no layer sent.
    pub(crate) fn cut(&mut self, index: usize, way: Way) {
        self.lane_mut(index, way).fin = true;
        self.run();
    }

    /// Lets time pass, timers included.
    pub(crate) fn wait(&mut self, until: Instant) {
        loop {
            let timers = [self.client.tls.poll_timeout(), self.server.tls.poll_timeout()];
            let Some(next) = timers.into_iter().flatten().min().filter(|next| *next <= until) else {
                break;
            };
            self.now = next;
            self.client.with(next, |tls, cx| tls.handle_timeout(cx));
            self.server.with(next, |tls, cx| tls.handle_timeout(cx));
            self.run();
        }
        self.now = until;
    }

    /// Moves everything until nothing moves.
    pub(crate) fn run(&mut self) {
        for _ in 0..4_000_000 {
            let mut moved = self.drain(Way::ToServer) | self.drain(Way::ToClient);
            for index in self.links.keys().copied().collect::<Vec<_>>() {
                moved |= self.deliver(index, Way::ToServer) | self.deliver(index, Way::ToClient);
                self.finish(index);
            }
            if !moved {
                return;
            }
        }
        panic!("the pair never comes to rest");
    }

    fn end(&mut self, sender_of: Way) -> &mut End {
        match sender_of {
            Way::ToServer => &mut self.client,
            Way::ToClient => &mut self.server,
        }
    }

    fn drain(&mut self, way: Way) -> bool {
        let (now, mut moved) = (self.now, false);
        loop {
            if let Some(message) = self.end(way).with(now, |tls, cx| tls.poll_inbound(cx)) {
                self.app(way, message);
            } else if let Some(message) = self.end(way).with(now, |tls, cx| tls.poll_outbound(cx)) {
                self.carry(way, message);
            } else {
                return moved;
            }
            moved = true;
        }
    }

    /// The pair as the layer below.
    fn carry(&mut self, way: Way, message: StreamDown) {
        let back = if way == Way::ToServer { Way::ToClient } else { Way::ToServer };
        let now = self.now;
        match message {
            StreamDown::Listen { endpoint, security } => {
                assert_eq!(security, Security::Plain, "below TLS everything is plain");
                self.end(way).up(now, StreamUp::Listening { endpoint, result: Ok(()) });
            }
            StreamDown::Connect { conn, security, .. } => {
                assert_eq!(security, Security::Plain, "below TLS everything is plain");
                self.establish(conn.index());
            }
            StreamDown::Send { conn, data } if self.is_up(conn) => {
                let lane = self.lane_mut(conn.index(), way);
                assert!(!lane.fin, "sent after Close");
                lane.credit = lane.credit.checked_sub(data.len()).expect("sent within the credit");
                lane.flying.extend_from_slice(&data);
                lane.log.extend_from_slice(&data);
                lane.sends.push(data.len());
            }
            StreamDown::Grant { conn, bytes } if self.is_up(conn) => {
                self.lane_mut(conn.index(), back).granted += bytes;
            }
            StreamDown::Close { conn } if self.is_up(conn) => self.lane_mut(conn.index(), way).fin = true,
            StreamDown::Abort { conn } if self.is_up(conn) => {
                let index = conn.index();
                self.links.get_mut(&index).expect("a link").over = true;
                let peer = if way == Way::ToServer { at_server(index) } else { at_client(index) };
                self.end(way).up(now, StreamUp::Closed { conn, reason: CloseReason::Aborted });
                self.end(back).up(now, StreamUp::Closed { conn: peer, reason: CloseReason::Reset });
            }
            _ => {}
        }
    }

    fn is_up(&self, conn: ConnId) -> bool {
        self.links.get(&conn.index()).is_some_and(|link| !link.over)
    }

    fn establish(&mut self, index: usize) {
        let here = SocketAddr::from(([192, 0, 2, 10], 49_152));
        let there = SocketAddr::from(([203, 0, 113, 80], self.port));
        let (now, window) = (self.now, self.wire.window);
        let mut link = Link::default();
        (link.to_server.credit, link.to_client.credit) = (window, window);
        self.links.insert(index, link);
        for (way, conn, local, remote) in
            [(Way::ToServer, at_client(index), here, there), (Way::ToClient, at_server(index), there, here)]
        {
            let info = Box::new(ConnInfo { local, remote, tls: None });
            self.end(way).up(now, StreamUp::Opened { conn, info });
            self.end(way).up(now, StreamUp::Writable { conn, bytes: window });
        }
    }

    /// Brings some bytes to whom they are for, and the credit for them back.
    fn deliver(&mut self, index: usize, way: Way) -> bool {
        let (now, most, flip) = (self.now, self.wire.most, self.wire.flip);
        if self.links[&index].over {
            return false;
        }
        let (sender, receiver, from) = match way {
            Way::ToServer => (at_client(index), at_server(index), Way::ToServer),
            Way::ToClient => (at_server(index), at_client(index), Way::ToClient),
        };
        let to = if from == Way::ToServer { Way::ToClient } else { Way::ToServer };
        let piece = if most == usize::MAX { most } else { 1 + self.wire.rng.below(most as u64) as usize };
        let lane = self.lane_mut(index, way);
        let count = lane.flying.len().min(lane.granted).min(piece);
        if count > 0 {
            let mut data: Vec<u8> = lane.flying.drain(..count).collect();
            if let Some((flipped, at)) = flip
                && flipped == way
                && let Some(byte) = at.checked_sub(lane.passed).and_then(|at| data.get_mut(at))
            {
                *byte ^= 0x10;
            }
            (lane.granted, lane.passed, lane.credit) =
                (lane.granted - count, lane.passed + count, lane.credit + count);
            self.end(to).up(now, StreamUp::Data { conn: receiver, data: data.into() });
            self.end(from).up(now, StreamUp::Writable { conn: sender, bytes: count });
            return true;
        }
        if lane.flying.is_empty() && lane.fin && !lane.fin_told {
            lane.fin_told = true;
            self.end(to).up(now, StreamUp::PeerClosed { conn: receiver, clean: true });
            return true;
        }
        false
    }

    fn finish(&mut self, index: usize) {
        let now = self.now;
        let link = self.links.get_mut(&index).expect("a link");
        if link.to_server.fin_told && link.to_client.fin_told && !link.over {
            link.over = true;
            let reason = CloseReason::Finished;
            self.client.up(now, StreamUp::Closed { conn: at_client(index), reason: reason.clone() });
            self.server.up(now, StreamUp::Closed { conn: at_server(index), reason });
        }
    }

    /// The app as the layer above.
    fn app(&mut self, way: Way, message: StreamUp) {
        let now = self.now;
        let end = self.end(way);
        let conn = match &message {
            StreamUp::Listening { .. } => {
                end.listening.push(message);
                return;
            }
            StreamUp::Asked { conn, .. }
            | StreamUp::Opened { conn, .. }
            | StreamUp::Data { conn, .. }
            | StreamUp::Writable { conn, .. }
            | StreamUp::PeerClosed { conn, .. }
            | StreamUp::Closed { conn, .. } => *conn,
        };
        let template = end.template;
        let is_new = !end.apps.contains_key(&conn.index());
        assert!(!is_new || matches!(message, StreamUp::Opened { .. }), "{message:?} before Opened");
        let app = end.apps.entry(conn.index()).or_insert_with(template);
        assert_eq!(app.closed, None, "{message:?} after the last word");
        let mut grant = if is_new { app.window } else { 0 };
        match message {
            StreamUp::Opened { info, .. } => {
                assert!(app.info.replace(*info).is_none(), "opened twice");
            }
            StreamUp::Data { data, .. } => {
                app.received.extend_from_slice(&data);
                grant = data.len();
            }
            StreamUp::Writable { bytes, .. } => app.credit += bytes,
            StreamUp::PeerClosed { clean, .. } => {
                assert!(app.peer_closed.replace(clean).is_none(), "the peer closed twice");
            }
            StreamUp::Closed { reason, .. } => app.closed = Some(reason),
            StreamUp::Listening { .. } => unreachable!("handled above"),
            StreamUp::Asked { .. } => unreachable!("nobody below leaves that to others"),
        }
        let words = app.words(conn);
        if grant > 0 {
            end.down(now, StreamDown::Grant { conn, bytes: grant });
        }
        for word in words {
            end.down(now, word);
        }
    }
}

impl App {
    /// Sends what may be sent, and closes when all is.
    fn words(&mut self, conn: ConnId) -> Vec<StreamDown> {
        let mut words = Vec::new();
        while self.credit > 0 && self.sent < self.to_send.len() {
            let piece = if self.piece == 0 { usize::MAX } else { self.piece };
            let count = self.credit.min(self.to_send.len() - self.sent).min(piece);
            let data = self.to_send[self.sent..self.sent + count].to_vec().into();
            (self.sent, self.credit) = (self.sent + count, self.credit - count);
            words.push(StreamDown::Send { conn, data });
        }
        let all_sent = self.sent == self.to_send.len();
        if self.info.is_some() && self.close_when_sent && all_sent && !self.closing && self.closed.is_none() {
            self.closing = true;
            words.push(StreamDown::Close { conn });
        }
        words
    }
}
