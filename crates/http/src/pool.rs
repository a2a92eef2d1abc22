//! Connections that wait for their next request: few in all, and few for each server.
//!
//! Finding one, keeping one and forgetting one costs the same however many wait.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use framewise_core::id::{ConnId, Connection, IdMap};
use framewise_core::seams::stream::Security;

/// Idle connections. Each has the number of its turn, so that the least number has waited longest.
///
/// Whoever leaves the pool leaves its turn in the queues, where it is passed over: to look for it there would cost more the
/// more connections wait. When such turns have become the most, they are swept out.
#[derive(Debug)]
pub(crate) struct Pool {
    next_turn: u64,
    turns: IdMap<Connection, Idle>,
    /// All that wait.
    queue: Queue,
    servers: BTreeMap<Server, Queue>,
}

#[derive(Debug)]
struct Idle {
    turn: u64,
    server: Server,
}

/// Turns in their order, those of connections that have left among them.
#[derive(Debug, Default)]
struct Queue {
    turns: VecDeque<(u64, ConnId)>,
    /// How many count.
    waiting: usize,
}

/// Turns beyond twice those that count and this many are swept out.
const SWEEP_ABOVE: usize = 16;

/// Where requests go, and as whose: a name that TLS was asked to verify makes another server of the same address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    remote: SocketAddr,
    tls: Option<Option<Arc<str>>>,
}

impl Server {
    fn new(remote: SocketAddr, security: &Security) -> Self {
        let tls = match security {
            Security::Plain => None,
            Security::Tls(name) => Some(name.clone()),
        };
        Server { remote, tls }
    }
}

impl Queue {
    fn push(&mut self, turn: u64, conn: ConnId) {
        self.turns.push_back((turn, conn));
        self.waiting += 1;
    }

    /// One has left.
    fn leave(&mut self, counts: impl Fn(u64, ConnId) -> bool) {
        self.waiting -= 1;
        if self.turns.len() > 2 * self.waiting + SWEEP_ABOVE {
            self.turns.retain(|&(turn, conn)| counts(turn, conn));
        }
    }

    /// Who has waited shortest.
    fn latest(&mut self, counts: impl Fn(u64, ConnId) -> bool) -> Option<ConnId> {
        while let Some(&(turn, conn)) = self.turns.back() {
            if counts(turn, conn) {
                return Some(conn);
            }
            self.turns.pop_back();
        }
        None
    }

    /// Who has waited longest.
    fn longest(&mut self, counts: impl Fn(u64, ConnId) -> bool) -> Option<ConnId> {
        while let Some(&(turn, conn)) = self.turns.front() {
            if counts(turn, conn) {
                return Some(conn);
            }
            self.turns.pop_front();
        }
        None
    }
}

impl Pool {
    /// For connections whose place is below `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Pool { next_turn: 0, turns: IdMap::new(limit), queue: Queue::default(), servers: BTreeMap::new() }
    }

    /// The connection to this server that waits shortest: the likeliest to live.
    pub(crate) fn take(&mut self, remote: SocketAddr, security: &Security) -> Option<ConnId> {
        let alike = self.servers.get_mut(&Server::new(remote, security))?;
        let conn = alike.latest(counts(&self.turns))?;
        self.remove(conn);
        Some(conn)
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, conn: ConnId) {
        let Some(Idle { server, .. }) = self.turns.remove(conn) else { return };
        self.queue.leave(counts(&self.turns));
        if let Some(alike) = self.servers.get_mut(&server) {
            alike.leave(counts(&self.turns));
            if alike.waiting == 0 {
                self.servers.remove(&server);
            }
        }
    }

    /// Keeps a connection, and gives back one that there is no room for.
    pub(crate) fn keep(
        &mut self,
        conn: ConnId,
        remote: SocketAddr,
        security: &Security,
        in_all: usize,
        per_server: usize,
    ) -> Option<ConnId> {
        if in_all == 0 || per_server == 0 {
            return Some(conn);
        }
        let server = Server::new(remote, security);
        let out = match self.servers.get_mut(&server) {
            Some(alike) if alike.waiting >= per_server => alike.longest(counts(&self.turns)),
            _ if self.queue.waiting >= in_all => self.queue.longest(counts(&self.turns)),
            _ => None,
        };
        if let Some(out) = out {
            self.remove(out);
        }
        self.insert(conn, server);
        out
    }

    fn insert(&mut self, conn: ConnId, server: Server) {
        self.remove(conn);
        let turn = self.next_turn;
        self.next_turn += 1;
        // A name beyond the table's limit was refused before it could be idle.
        if self.turns.insert(conn, Idle { turn, server: server.clone() }).is_ok() {
            self.queue.push(turn, conn);
            self.servers.entry(server).or_default().push(turn, conn);
        }
    }
}

/// Whether a turn in a queue is still that of its connection.
fn counts(turns: &IdMap<Connection, Idle>) -> impl Fn(u64, ConnId) -> bool {
    |turn, conn| turns.get(conn).is_some_and(|idle| idle.turn == turn)
}
