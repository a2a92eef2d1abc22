//! Connections that wait for their next request: few in all, and few for each server.
//!
//! Finding one, keeping one and forgetting one costs the same however many wait.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use framewise_core::id::ConnId;
use framewise_core::seams::stream::Security;

/// Idle connections. Each has the number of its turn, so that the least number has waited longest.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    next_turn: u64,
    waiting: BTreeMap<u64, Idle>,
    /// Looked up only, never walked through: its order shows nowhere.
    turns: HashMap<ConnId, u64>,
    servers: BTreeMap<Server, BTreeMap<u64, ConnId>>,
}

#[derive(Debug)]
struct Idle {
    conn: ConnId,
    server: Server,
}

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

impl Pool {
    /// The connection to this server that waits shortest: the likeliest to live.
    pub(crate) fn take(&mut self, remote: SocketAddr, security: &Security) -> Option<ConnId> {
        let alike = self.servers.get(&Server::new(remote, security))?;
        let (_, &conn) = alike.last_key_value()?;
        self.remove(conn);
        Some(conn)
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, conn: ConnId) {
        let Some(turn) = self.turns.remove(&conn) else { return };
        let Some(idle) = self.waiting.remove(&turn) else { return };
        if let Some(alike) = self.servers.get_mut(&idle.server) {
            alike.remove(&turn);
            if alike.is_empty() {
                self.servers.remove(&idle.server);
            }
        }
    }

    /// Keeps a connection, and gives back one that there is no room for.
    pub(crate) fn keep(
        &mut self,
        conn: ConnId,
        remote: SocketAddr,
        security: Security,
        in_all: usize,
        per_server: usize,
    ) -> Option<ConnId> {
        if in_all == 0 || per_server == 0 {
            return Some(conn);
        }
        let server = Server::new(remote, &security);
        let alike = self.servers.get(&server);
        let out = if alike.is_some_and(|alike| alike.len() >= per_server) {
            alike.and_then(BTreeMap::first_key_value).map(|(_, &conn)| conn)
        } else if self.waiting.len() >= in_all {
            self.waiting.first_key_value().map(|(_, idle)| idle.conn)
        } else {
            None
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
        self.turns.insert(conn, turn);
        self.servers.entry(server.clone()).or_default().insert(turn, conn);
        self.waiting.insert(turn, Idle { conn, server });
    }
}
