//! The layer: which messages are about TLS connections, and which pass through.
//!
//! Upward and downward a connection has the same name. Whether an accepted one is plain or TLS follows from the
//! listener at the port that it came to; the layer below only ever hears of plain ones. A connection stays in the table
//! from the first message about it until the layer below has said its end, so that nothing meant to be
//! sealed can slip by as plaintext.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use framewise_core::id::{ConnId, IdMap, Opener};
use framewise_core::seams::Streams;
use framewise_core::seams::stream::{
    CloseReason, ConnInfo, Endpoint, ListenError, Security, StreamDown, StreamUp, TlsError,
};
use framewise_core::{Cx, Instant, Layer};
use rustls_pki_types::ServerName;

use crate::config::{Config, ConfigError, Limits};
use crate::connection::{Connection, Mail};
use crate::engine::Engine;
use crate::errors;

/// TLS for those connections of a host that ask for it. See the [crate] for the picture.
pub struct Tls {
    engine: Engine,
    connections: IdMap<framewise_core::id::Connection, Box<Connection>>,
    /// Accepted connections that are closed below and not yet above, by place.
    draining: BTreeMap<usize, ConnId>,
    /// Accepted connections that were aborted before anybody above heard of them.
    turned_away: BTreeSet<ConnId>,
    listeners: BTreeMap<Endpoint, Listener>,
    timers: BTreeSet<(Instant, ConnId)>,
    mail: Mail,
    limits: Limits,
    verify: bool,
}

#[derive(Clone, Copy)]
struct Listener {
    tls: bool,
    /// Whether the layer below has agreed.
    listening: bool,
}

/// Names have places in a table; no neighbour has more than this.
const PLACES: usize = 1 << 22;
/// The smallest window in which any record fits with room to spare.
const SMALLEST_WINDOW: usize = 32 * 1024;

impl Tls {
    /// A layer for one host. [`ConfigError`] says what of the configuration can't be used; the roots of the system
    /// are read here, if they are wanted, and nothing is read afterwards.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let mut limits = config.limits;
        limits.window = limits.window.max(SMALLEST_WINDOW);
        Ok(Tls {
            engine: Engine::new(&config)?,
            connections: IdMap::new(PLACES),
            draining: BTreeMap::new(),
            turned_away: BTreeSet::new(),
            listeners: BTreeMap::new(),
            timers: BTreeSet::new(),
            mail: Mail::default(),
            limits,
            verify: config.client.verify,
        })
    }

    /// How many TLS connections there are, those in the handshake included.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    fn listen(&mut self, endpoint: Endpoint, security: &Security) {
        let refusal = if self.listeners.contains_key(&endpoint) {
            Some(ListenError::InUse { port: endpoint.port })
        } else if security.is_tls() && !self.engine.is_server() {
            Some(ListenError::NoCertificate { port: endpoint.port })
        } else {
            None
        };
        if let Some(error) = refusal {
            let result = Err(error);
            self.mail.up.push_back(StreamUp::Listening { endpoint, result });
            return;
        }
        let listener = Listener { tls: security.is_tls(), listening: false };
        self.listeners.insert(endpoint, listener);
        let security = Security::Plain;
        self.mail.down.push_back(StreamDown::Listen { endpoint, security });
    }

    fn listening(&mut self, endpoint: Endpoint, result: Result<(), ListenError>) {
        if let Some(listener) = self.listeners.get_mut(&endpoint) {
            listener.listening |= result.is_ok();
            if !listener.listening {
                self.listeners.remove(&endpoint);
            }
        }
        self.mail.up.push_back(StreamUp::Listening { endpoint, result });
    }

    /// The listener that a connection to this address of ours came to: the one for just that address first.
    fn listener(&self, local: SocketAddr) -> Option<Listener> {
        let at = |address| {
            let port = local.port();
            self.listeners.get(&Endpoint { address, port }).copied()
        };
        at(Some(local.ip())).or_else(|| at(None))
    }

    fn connect(&mut self, conn: ConnId, remote: SocketAddr, name: Option<Arc<str>>, cx: &mut Cx) {
        let result = match self.connections.len() < self.limits.connections {
            true => self.begin_connecting(conn, remote, name, cx),
            false => Err(CloseReason::TooMany(self.limits.connections)),
        };
        match result {
            Ok(()) => {
                let security = Security::Plain;
                let connect = StreamDown::Connect { conn, remote, security };
                self.mail.down.push_back(connect);
            }
            Err(reason) => self.mail.up.push_back(StreamUp::Closed { conn, reason }),
        }
    }

    /// Without a name the certificate must be for the address.
    fn begin_connecting(
        &mut self,
        conn: ConnId,
        remote: SocketAddr,
        name: Option<Arc<str>>,
        cx: &mut Cx,
    ) -> Result<(), CloseReason> {
        let name = match name {
            None => ServerName::from(remote.ip().to_canonical()),
            Some(name) => parse_name(&name).map_err(CloseReason::Tls)?,
        };
        let session = self.engine.connect(name, cx);
        let session = session.ok_or_else(|| CloseReason::Tls(errors::no_roots()))?;
        let session = session.map_err(|error| CloseReason::Tls(errors::unstarted(&error)))?;
        let connection = Connection::connecting(session, self.verify, self.limits);
        self.connections
            .insert(conn, Box::new(connection))
            .map_err(|_| CloseReason::Misuse("connected under a name that is taken"))
    }

    fn opened(&mut self, conn: ConnId, info: Box<ConnInfo>, cx: &mut Cx) {
        if conn.opener() == Opener::Lower {
            match self.listener(info.local) {
                Some(Listener { tls: false, .. }) => {}
                Some(Listener { tls: true, .. }) => return self.accept(conn, info, cx),
                // Who stopped listening meanwhile; never to be taken for plain.
                None => return self.turn_away(conn, "nobody listens on that port any more", cx),
            }
        }
        match self.connections.get(conn) {
            Some(_) => self.touch(conn, cx, |connection, cx| connection.on_opened(info, cx.now)),
            None => self.mail.up.push_back(StreamUp::Opened { conn, info }),
        }
    }

    fn accept(&mut self, conn: ConnId, info: Box<ConnInfo>, cx: &mut Cx) {
        self.evict_predecessor(conn);
        if self.connections.len() >= self.limits.connections {
            return self.turn_away(conn, "more connections than the limit", cx);
        }
        let Some(Ok(session)) = self.engine.accept(cx) else {
            return self.turn_away(conn, "a session could not be started", cx);
        };
        let connection = Box::new(Connection::accepted(session, self.limits));
        match self.connections.insert(conn, connection) {
            Ok(()) => self.touch(conn, cx, |connection, cx| connection.on_opened(info, cx.now)),
            Err(_) => self.turn_away(conn, "its name is taken", cx),
        }
    }

    /// The layer below gives a place to a new connection as soon as the one before is closed there, while plaintext of
    /// that one may still wait for a slow reader above. It must go, and is told so.
    fn evict_predecessor(&mut self, conn: ConnId) {
        let Some(predecessor) = self.draining.remove(&conn.index()) else {
            return;
        };
        if let Some(mut connection) = self.connections.remove(predecessor) {
            connection.evict(predecessor, &mut self.mail);
        }
    }

    fn turn_away(&mut self, conn: ConnId, reason: &'static str, cx: &mut Cx) {
        cx.dropped("tls", reason);
        self.turned_away.insert(conn);
        self.mail.down.push_back(StreamDown::Abort { conn });
    }

    /// Does something with a TLS connection, moves what can then move, and keeps its timer.
    fn touch(&mut self, conn: ConnId, cx: &mut Cx, act: impl FnOnce(&mut Connection, &mut Cx)) {
        let Some(connection) = self.connections.get_mut(conn) else {
            return;
        };
        let (before, mail) = (connection.deadline(), &mut self.mail);
        act(connection, cx);
        let local = connection.local();
        self.engine.call(local, cx, |board, cx| connection.pump(conn, board, mail, cx));
        let after = connection.deadline().filter(|_| !connection.is_gone());
        if connection.is_draining() && conn.opener() == Opener::Lower {
            self.draining.insert(conn.index(), conn);
        }
        if connection.is_gone() {
            self.connections.remove(conn);
            if self.draining.get(&conn.index()) == Some(&conn) {
                self.draining.remove(&conn.index());
            }
        }
        if before != after {
            before.map(|time| self.timers.remove(&(time, conn)));
            after.map(|time| self.timers.insert((time, conn)));
        }
    }

    /// Whether this is a word about a connection that was aborted before anybody above heard of it.
    fn is_turned_away(&self, message: &StreamUp) -> bool {
        match message {
            StreamUp::Data { conn, .. }
            | StreamUp::Writable { conn, .. }
            | StreamUp::PeerClosed { conn, .. } => self.turned_away.contains(conn),
            _ => false,
        }
    }

    fn is_tls(&self, conn: ConnId) -> bool {
        self.connections.get(conn).is_some()
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    // A name may be written with the dot of the root, a certificate's never is.
    let relative = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(relative.to_owned()).map_err(|_| errors::bad_name(name))
}

impl Layer for Tls {
    type Upper = Streams;
    type Lower = Streams;

    fn name(&self) -> &'static str {
        "tls"
    }

    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        match message {
            StreamDown::Listen { endpoint, security } => self.listen(endpoint, &security),
            StreamDown::Unlisten { endpoint } => {
                self.listeners.remove(&endpoint);
                self.mail.down.push_back(StreamDown::Unlisten { endpoint });
            }
            StreamDown::Connect { conn, remote, security: Security::Tls(name) } => {
                self.connect(conn, remote, name, cx)
            }
            StreamDown::Send { conn, data } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, cx| connection.on_send(data, cx.now));
            }
            StreamDown::Grant { conn, bytes } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, _| connection.on_grant(bytes));
            }
            StreamDown::Close { conn } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, _| connection.on_close());
            }
            StreamDown::Abort { conn } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, cx| connection.on_abort(cx.now));
            }
            plain => self.mail.down.push_back(plain),
        }
    }

    fn handle_inbound(&mut self, message: StreamUp, cx: &mut Cx) {
        match message {
            StreamUp::Listening { endpoint, result } => self.listening(endpoint, result),
            StreamUp::Opened { conn, info } => self.opened(conn, info, cx),
            StreamUp::Data { conn, data } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, cx| connection.on_data(data, cx.now));
            }
            StreamUp::Writable { conn, bytes } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, _| connection.on_writable(bytes));
            }
            StreamUp::PeerClosed { conn, .. } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, _| connection.on_peer_closed());
            }
            StreamUp::Closed { conn, reason } if self.is_tls(conn) => {
                self.touch(conn, cx, |connection, cx| connection.on_closed(reason, cx));
            }
            StreamUp::Closed { conn, .. } if self.turned_away.remove(&conn) => {}
            other if self.is_turned_away(&other) => {}
            plain => self.mail.up.push_back(plain),
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<StreamDown> {
        self.mail.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<StreamUp> {
        self.mail.up.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        while let Some(&(time, conn)) = self.timers.first() {
            if time > cx.now {
                return;
            }
            self.timers.pop_first();
            self.touch(conn, cx, |connection, cx| connection.on_timeout(cx));
        }
    }

    fn is_sending(&self) -> bool {
        self.connections.iter().any(|(_, connection)| connection.is_sending())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(time, _)| *time)
    }
}
