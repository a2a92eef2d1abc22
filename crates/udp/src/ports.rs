//! The ports that are bound, and what waits for whoever bound them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use framewise_core::seams::datagram::{Datagram, DatagramUp};

/// How many peers a port remembers to have written to.
const PEERS: usize = 16;

/// Bound ports and everything on its way up from them, in the order in which it came.
#[derive(Debug)]
pub(crate) struct Ports {
    bound: BTreeMap<u16, Port>,
    limit: usize,
    queue_limit: usize,
    inbound: VecDeque<DatagramUp>,
    events: usize,
}

#[derive(Debug, Default)]
struct Port {
    /// How many of its datagrams wait.
    queued: usize,
    /// Whom it wrote to lately, the latest last.
    peers: VecDeque<SocketAddr>,
}

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It waits to be fetched.
    Queued,
    /// Nobody has bound the port.
    Closed,
    /// Too many wait already.
    Full,
}

impl Ports {
    pub(crate) fn new(limit: usize, queue_limit: usize) -> Self {
        Ports { bound: BTreeMap::new(), limit, queue_limit, inbound: VecDeque::new(), events: 0 }
    }

    /// Binds a port, unless it is 0, taken, or one too many.
    pub(crate) fn bind(&mut self, port: u16) -> bool {
        let possible = port != 0 && !self.is_bound(port) && self.bound.len() < self.limit;
        if possible {
            self.bound.insert(port, Port::default());
        }
        possible
    }

    /// Gives a port back, and tells how many of its datagrams nobody will fetch now; `None` if it was not bound.
    pub(crate) fn unbind(&mut self, port: u16) -> Option<usize> {
        let closed = self.bound.remove(&port)?;
        if closed.queued > 0 {
            self.inbound.retain(|up| !matches!(up, DatagramUp::Datagram(datagram) if datagram.port == port));
        }
        Some(closed.queued)
    }

    pub(crate) fn is_bound(&self, port: u16) -> bool {
        self.bound.contains_key(&port)
    }

    /// Whether a datagram for `port` would be queued.
    pub(crate) fn room(&self, port: u16) -> Arrival {
        match self.bound.get(&port) {
            None => Arrival::Closed,
            Some(bound) if bound.queued >= self.queue_limit => Arrival::Full,
            Some(_) => Arrival::Queued,
        }
    }

    /// Queues a datagram for which there is [room](Self::room).
    pub(crate) fn arrive(&mut self, datagram: Datagram) {
        if let Some(bound) = self.bound.get_mut(&datagram.port) {
            bound.queued += 1;
            self.inbound.push_back(DatagramUp::Datagram(datagram));
        }
    }

    /// Queues an event; `false` if too many wait already.
    pub(crate) fn event(&mut self, event: DatagramUp) -> bool {
        let room = self.events < self.limit.max(self.queue_limit);
        if room {
            self.events += 1;
            self.inbound.push_back(event);
        }
        room
    }

    /// What came first.
    pub(crate) fn next(&mut self) -> Option<DatagramUp> {
        let up = self.inbound.pop_front()?;
        match &up {
            DatagramUp::Datagram(datagram) => {
                if let Some(bound) = self.bound.get_mut(&datagram.port) {
                    bound.queued = bound.queued.saturating_sub(1);
                }
            }
            _ => self.events = self.events.saturating_sub(1),
        }
        Some(up)
    }

    /// Remembers that `port` wrote to `peer`.
    pub(crate) fn wrote(&mut self, port: u16, peer: SocketAddr) {
        let Some(bound) = self.bound.get_mut(&port) else {
            return;
        };
        bound.peers.retain(|known| *known != peer);
        if bound.peers.len() == PEERS {
            bound.peers.pop_front();
        }
        bound.peers.push_back(peer);
    }

    /// Whether `port` is bound and wrote to `peer` lately.
    pub(crate) fn has_written(&self, port: u16, peer: SocketAddr) -> bool {
        self.bound.get(&port).is_some_and(|bound| bound.peers.contains(&peer))
    }
}
