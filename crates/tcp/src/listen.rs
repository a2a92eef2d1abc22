//! Listeners, each with its backlog: the connections whose handshake is not done.
//!
//! Read RFC 4987 section 3 (SYN floods, and the defences in an end host) before changing this file. Ours is a bounded backlog,
//! and a [cookie](crate::cookie) for whoever comes when it is full.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use framewise_core::id::ConnId;
use framewise_core::seams::stream::{Endpoint, ListenError};

/// All listeners.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Half-open connections by listener, the oldest first.
    by_endpoint: BTreeMap<Endpoint, VecDeque<ConnId>>,
    limit: usize,
    backlog: usize,
}

impl Listeners {
    pub(crate) fn new(limit: usize, backlog: usize) -> Self {
        Listeners { by_endpoint: BTreeMap::new(), limit, backlog: backlog.max(1) }
    }

    pub(crate) fn listen(&mut self, endpoint: Endpoint) -> Result<(), ListenError> {
        if endpoint.port == 0 || self.by_endpoint.contains_key(&endpoint) {
            return Err(ListenError::InUse { port: endpoint.port });
        }
        if self.by_endpoint.len() >= self.limit {
            return Err(ListenError::TooMany { limit: self.limit });
        }
        self.by_endpoint.insert(endpoint, VecDeque::new());
        Ok(())
    }

    /// Ends a listener, and gives its half-open connections.
    pub(crate) fn unlisten(&mut self, endpoint: Endpoint) -> VecDeque<ConnId> {
        self.by_endpoint.remove(&endpoint).unwrap_or_default()
    }

    /// Who listens for connections to `local`: the listener for just this address before that for all.
    pub(crate) fn find(&self, local: SocketAddr) -> Option<Endpoint> {
        [Some(local.ip()), None]
            .into_iter()
            .map(|address| Endpoint { address, port: local.port() })
            .find(|endpoint| self.by_endpoint.contains_key(endpoint))
    }

    /// Whether there is room for one more half-open connection.
    pub(crate) fn has_room(&self, endpoint: Endpoint) -> bool {
        self.by_endpoint.get(&endpoint).is_some_and(|half_open| half_open.len() < self.backlog)
    }

    /// A connection began.
    pub(crate) fn enter(&mut self, endpoint: Endpoint, key: ConnId) {
        if let Some(half_open) = self.by_endpoint.get_mut(&endpoint) {
            half_open.push_back(key);
        }
    }

    /// A connection is open, or gone.
    pub(crate) fn leave(&mut self, endpoint: Endpoint, key: ConnId) {
        if let Some(half_open) = self.by_endpoint.get_mut(&endpoint)
            && let Some(place) = half_open.iter().position(|other| *other == key)
        {
            half_open.remove(place);
        }
    }
}
