//! The layer: whom each message is for, and when each connection wants to be called.

use std::collections::VecDeque;

use framewise_core::id::{ConnId, Connection, Exchange as Exchanged, ExchangeId, IdMap, Opener, Slab};
use framewise_core::seams::exchange::{ClientRequest, ExchangeDown, ExchangeError, ExchangeUp, Exchanges};
use framewise_core::seams::stream::{CloseReason, ConnInfo, Endpoint, StreamDown, StreamUp, Streams};
use framewise_core::{Cx, Instant, Layer};

use crate::client::{ClientConn, Exchange};
use crate::config::Config;
use crate::crowd::Crowd;
use crate::pool::Pool;
use crate::server::ServerConn;
use crate::timers::Timers;

/// HTTP/1.1 between an application and the bytes of connections, client and server in one.
///
/// It asks for a connection where none waits for the next request, answers broken requests by itself, and says
/// exactly one `Closed` for each exchange. A request that finds its kept connection ended is sent once more on a
/// fresh one, if that can do no harm; the application then hears `Connected` a second time.
#[derive(Debug)]
pub struct Http {
    shared: Shared,
    accepted: IdMap<Connection, ServerConn>,
    crowd: Crowd,
    opened: Slab<Connection, ClientConn>,
    pool: Pool,
    timers: Timers,
}

/// What every connection of the layer uses.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) down: VecDeque<StreamDown>,
    pub(crate) up: VecDeque<ExchangeUp>,
    /// Exchanges that clients of ours asked for, and where they are.
    pub(crate) asked: IdMap<Exchanged, ConnId>,
    /// Exchanges that came to our server, and where they are.
    pub(crate) exchanges: Slab<Exchanged, ConnId>,
}

impl Http {
    /// A layer without connections.
    pub fn new(config: Config) -> Self {
        let shared = Shared {
            down: VecDeque::new(),
            up: VecDeque::new(),
            asked: IdMap::new(config.exchanges),
            exchanges: Slab::new(Opener::Lower, config.exchanges),
            config,
        };
        Http {
            accepted: IdMap::new(shared.config.connections),
            crowd: Crowd::default(),
            opened: Slab::new(Opener::Upper, shared.config.connections),
            pool: Pool::new(shared.config.connections),
            timers: Timers::new(shared.config.connections),
            shared,
        }
    }

    /// Connections that are open, or opening, in both roles.
    pub fn connections(&self) -> usize {
        self.accepted.len() + self.opened.len()
    }

    /// Exchanges under way, in both roles.
    pub fn exchanges(&self) -> usize {
        self.shared.asked.len() + self.shared.exchanges.len()
    }

    // The client's side.

    fn request(&mut self, request: Box<ClientRequest>, cx: &mut Cx) {
        let id = request.exchange;
        if self.shared.asked.get(id).is_some() {
            return cx.dropped("http", "name of the exchange is in use");
        }
        let exchange = match Exchange::new(request, &self.shared.config) {
            Ok(exchange) => Box::new(exchange),
            Err(what) => return self.refuse(id, ExchangeError::Misuse(what)),
        };
        let to = &exchange.request;
        match self.pool.take(to.remote, &to.security) {
            Some(conn) if self.shared.asked.insert(id, conn).is_ok() => {
                self.with_client(conn, cx, |client, shared, cx| {
                    client.ask(exchange, shared, cx);
                });
            }
            Some(conn) => {
                self.refuse(id, ExchangeError::TooMany(self.shared.config.exchanges));
                self.with_client(conn, cx, |_, _, _| {});
            }
            None => self.connect(exchange, cx),
        }
    }

    /// Opens a connection for this request.
    fn connect(&mut self, exchange: Box<Exchange>, cx: &mut Cx) {
        let id = exchange.request.exchange;
        let remote = exchange.request.remote;
        let security = exchange.request.security.clone();
        let unnamed = ConnId::new(Opener::Upper, 0, 0);
        let Ok(conn) =
            self.opened.insert(ClientConn::new(unnamed, exchange, remote, security.clone(), cx.now))
        else {
            self.shared.asked.remove(id);
            return self.refuse(id, ExchangeError::TooMany(self.shared.config.connections));
        };
        self.shared.asked.remove(id);
        if self.shared.asked.insert(id, conn).is_err() {
            self.opened.remove(conn);
            return self.refuse(id, ExchangeError::TooMany(self.shared.config.exchanges));
        }
        if let Some(client) = self.opened.get_mut(conn) {
            client.name(conn);
        }
        self.shared.down.push_back(StreamDown::Connect { conn, remote, security });
    }

    fn refuse(&mut self, exchange: ExchangeId, error: ExchangeError) {
        let result = Err(error);
        self.shared.up.push_back(ExchangeUp::Closed { exchange, result });
    }

    /// Calls one of our own connections, and does what follows from it.
    fn with_client(
        &mut self,
        conn: ConnId,
        cx: &mut Cx,
        act: impl FnOnce(&mut ClientConn, &mut Shared, &mut Cx),
    ) {
        let Some(client) = self.opened.get_mut(conn) else {
            return;
        };
        act(client, &mut self.shared, cx);
        client.advance(&mut self.shared, cx);
        let orphan = client.take_orphan();
        self.timers.set(conn, client.deadline(&self.shared));
        if client.is_over() {
            self.opened.remove(conn);
            self.timers.remove(conn);
        }
        self.pool_or_forget(conn, cx);
        if let Some(exchange) = orphan {
            self.connect(exchange, cx);
        }
    }

    /// An idle connection is kept for the next request, if there is room.
    fn pool_or_forget(&mut self, conn: ConnId, cx: &mut Cx) {
        self.pool.remove(conn);
        let Some(client) = self.opened.get(conn).filter(|client| client.is_idle()) else {
            return;
        };
        let (remote, security) = client.server();
        let config = &self.shared.config;
        let (all, each) = (config.idle_connections, config.idle_per_server);
        if let Some(out) = self.pool.keep(conn, remote, &security, all, each) {
            self.with_client(out, cx, |client, _, cx| client.finish(cx.now));
        }
    }

    // The server's side.

    fn accept(&mut self, conn: ConnId, info: ConnInfo, cx: &mut Cx) {
        let client = info.remote.ip();
        if !self.crowd.enter(client, self.shared.config.connections_per_client) {
            cx.dropped("http", "too many connections of one client");
            return self.shared.down.push_back(StreamDown::Abort { conn });
        }
        let server = ServerConn::new(conn, info, &self.shared, cx.now);
        if self.accepted.insert(conn, server).is_err() {
            self.crowd.leave(client);
            cx.dropped("http", "too many connections");
            return self.shared.down.push_back(StreamDown::Abort { conn });
        }
        self.with_server(conn, cx, |_, _, _| {});
    }

    /// Calls an accepted connection, and does what follows from it.
    fn with_server(
        &mut self,
        conn: ConnId,
        cx: &mut Cx,
        act: impl FnOnce(&mut ServerConn, &mut Shared, &mut Cx),
    ) {
        let Some(server) = self.accepted.get_mut(conn) else {
            return;
        };
        act(server, &mut self.shared, cx);
        server.advance(&mut self.shared, cx);
        server.tell_who_left(&mut self.shared);
        self.timers.set(conn, server.deadline(&self.shared));
    }

    fn unlisten(&mut self, endpoint: Endpoint, cx: &mut Cx) {
        self.shared.down.push_back(StreamDown::Unlisten { endpoint });
        let here = |server: &ServerConn| server.port() == endpoint.port;
        let there: Vec<ConnId> =
            self.accepted.iter().filter(|(_, server)| here(server)).map(|(conn, _)| conn).collect();
        for conn in there {
            self.with_server(conn, cx, |server, _, cx| server.drain(cx));
        }
    }

    // Both sides.

    /// Calls whoever has this exchange: the client's or the server's connection.
    fn with_exchange(
        &mut self,
        exchange: ExchangeId,
        cx: &mut Cx,
        client: impl FnOnce(&mut ClientConn, &mut Shared),
        server: impl FnOnce(&mut ServerConn, &mut Shared),
    ) -> bool {
        match exchange.opener() {
            Opener::Upper => {
                let Some(&conn) = self.shared.asked.get(exchange) else {
                    return false;
                };
                self.with_client(conn, cx, |conn, shared, _| client(conn, shared));
            }
            Opener::Lower => {
                let Some(&conn) = self.shared.exchanges.get(exchange) else {
                    return false;
                };
                self.with_server(conn, cx, |conn, shared, _| server(conn, shared));
            }
        }
        true
    }

    /// Calls whoever has this connection.
    fn with_conn(
        &mut self,
        conn: ConnId,
        cx: &mut Cx,
        client: impl FnOnce(&mut ClientConn, &mut Shared, &mut Cx),
        server: impl FnOnce(&mut ServerConn, &mut Shared, &mut Cx),
    ) {
        match conn.opener() {
            Opener::Upper => self.with_client(conn, cx, client),
            Opener::Lower => self.with_server(conn, cx, server),
        }
    }
}

impl Layer for Http {
    type Upper = Exchanges;
    type Lower = Streams;

    fn name(&self) -> &'static str {
        "http"
    }

    fn handle_outbound(&mut self, message: ExchangeDown, cx: &mut Cx) {
        match message {
            ExchangeDown::Listen { endpoint, security } => {
                let listen = StreamDown::Listen { endpoint, security };
                self.shared.down.push_back(listen);
            }
            ExchangeDown::Unlisten { endpoint } => self.unlisten(endpoint, cx),
            ExchangeDown::Request(request) => self.request(request, cx),
            ExchangeDown::Respond { exchange, head, body } => {
                if let Some(&conn) = self.shared.exchanges.get(exchange) {
                    self.with_server(conn, cx, |server, shared, cx| {
                        server.respond(&head, body, shared, cx);
                    });
                }
            }
            ExchangeDown::Body { exchange, data } => {
                let other = data.clone();
                let known = self.with_exchange(
                    exchange,
                    cx,
                    |client, shared| client.body(data, shared),
                    |server, shared| server.body(other, shared),
                );
                if !known {
                    cx.dropped("http", "body of an exchange that is over");
                }
            }
            // The exchange may just have ended: what it is told now makes no difference any more.
            ExchangeDown::End { exchange } => {
                self.with_exchange(exchange, cx, ClientConn::end, ServerConn::end);
            }
            ExchangeDown::Grant { exchange, bytes } => {
                self.with_exchange(
                    exchange,
                    cx,
                    |client, _| client.grant(bytes),
                    |server, _| server.grant(bytes),
                );
            }
            ExchangeDown::Cancel { exchange } => {
                self.with_exchange(exchange, cx, ClientConn::cancel, ServerConn::cancel);
            }
        }
    }

    fn handle_inbound(&mut self, message: StreamUp, cx: &mut Cx) {
        match message {
            StreamUp::Listening { endpoint, result } => {
                self.shared.up.push_back(ExchangeUp::Listening { endpoint, result });
            }
            StreamUp::Opened { conn, info } => match conn.opener() {
                Opener::Upper => self.with_client(conn, cx, |client, shared, cx| {
                    client.opened(info, shared, cx);
                }),
                Opener::Lower => self.accept(conn, *info, cx),
            },
            // Whom to serve is said by `Listen`; to decide about each connection is a gateway's affair.
            StreamUp::Asked { conn, .. } => {
                let reason = CloseReason::Refused;
                self.shared.down.push_back(StreamDown::Refuse { conn, reason });
            }
            StreamUp::Data { conn, data } => {
                // Not by `with_conn`: the bytes go to one of the two, uncloned.
                match conn.opener() {
                    Opener::Upper => self.with_client(conn, cx, |client, _, _| client.data(data)),
                    Opener::Lower => self.with_server(conn, cx, |server, _, _| server.data(data)),
                }
            }
            StreamUp::Writable { conn, bytes } => self.with_conn(
                conn,
                cx,
                |client, _, cx| client.writable(bytes, cx.now),
                |server, _, cx| server.writable(bytes, cx.now),
            ),
            StreamUp::PeerClosed { conn, clean } => self.with_conn(
                conn,
                cx,
                |client, _, _| client.peer_closed(clean),
                |server, _, _| server.peer_closed(clean),
            ),
            StreamUp::Closed { conn, reason } => match conn.opener() {
                Opener::Upper => {
                    self.with_client(conn, cx, |client, shared, _| client.closed(reason, shared));
                }
                Opener::Lower => {
                    self.with_server(conn, cx, |server, shared, _| server.closed(reason, shared));
                    if let Some(server) = self.accepted.remove(conn) {
                        self.crowd.leave(server.client());
                    }
                    self.timers.remove(conn);
                }
            },
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<StreamDown> {
        self.shared.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<ExchangeUp> {
        self.shared.up.pop_front()
    }

    fn is_sending(&self) -> bool {
        self.accepted.iter().any(|(_, server)| server.is_sending())
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        for conn in self.timers.take_due(cx.now) {
            self.with_conn(
                conn,
                cx,
                |client, shared, cx| client.timeout(shared, cx.now),
                |server, shared, cx| server.timeout(shared, cx),
            );
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }
}
