//! Connections that wait for their next request: few in all, and few for each server.

use std::collections::VecDeque;
use std::net::SocketAddr;

use framewise_core::id::ConnId;
use framewise_core::seams::stream::Security;

/// Idle connections, the one that waits longest first.
#[derive(Debug, Default)]
pub(crate) struct Pool(VecDeque<Idle>);

#[derive(Debug)]
struct Idle {
    conn: ConnId,
    remote: SocketAddr,
    security: Security,
}

impl Pool {
    /// The connection to this server that waits shortest: the likeliest to live.
    pub(crate) fn take(&mut self, remote: SocketAddr, security: &Security) -> Option<ConnId> {
        let fits = |idle: &Idle| idle.remote == remote && idle.security == *security;
        let place = self.0.iter().rposition(fits)?;
        self.0.remove(place).map(|idle| idle.conn)
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, conn: ConnId) {
        self.0.retain(|idle| idle.conn != conn);
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
        let same = |idle: &&Idle| idle.remote == remote && idle.security == security;
        let alike = self.0.iter().filter(same).count();
        let out = if alike >= per_server {
            self.0.iter().find(same).map(|idle| idle.conn).or(Some(conn))
        } else if self.0.len() >= in_all {
            self.0.front().map(|idle| idle.conn).or(Some(conn))
        } else {
            None
        };
        if let Some(out) = out {
            self.remove(out);
        }
        if out != Some(conn) {
            self.0.push_back(Idle { conn, remote, security });
        }
        out
    }
}
