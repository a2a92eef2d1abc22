//! Which connection a segment belongs to: four-tuple to place, at the same cost however many there are.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use framewise_core::Rng;
use framewise_core::id::ConnId;
use siphasher::sip::SipHasher13;

use crate::time_wait::Remains;

/// A connection's two ends as we see them (RFC 9293, section 3.3.1), in fewer bytes than two socket addresses: scope and
/// flow label of IPv6 are no part of the four-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlowKey {
    local: IpAddr,
    remote: IpAddr,
    local_port: u16,
    remote_port: u16,
}

impl FlowKey {
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        let (local_port, remote_port) = (local.port(), remote.port());
        FlowKey { local: local.ip(), remote: remote.ip(), local_port, remote_port }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        SocketAddr::new(self.local, self.local_port)
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        SocketAddr::new(self.remote, self.remote_port)
    }
}

impl Hash for FlowKey {
    /// The addresses and, in one word, the ports: a few words to hash where the derived way makes a dozen pieces.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in [self.local, self.remote] {
            match address {
                IpAddr::V4(address) => state.write_u32(address.to_bits()),
                IpAddr::V6(address) => state.write_u128(address.to_bits()),
            }
        }
        state.write_u32(u32::from(self.local_port) << 16 | u32::from(self.remote_port));
    }
}

/// Who takes the segments of a flow.
#[derive(Debug)]
pub(crate) enum Place {
    /// A connection.
    Connection(ConnId),
    /// What is left of one in TIME-WAIT; elsewhere, so that places of connections are small.
    TimeWait(Box<Remains>),
}

/// All flows. The hash is keyed, so that a peer can't choose ports that collide; it is never iterated, so
/// that the key shows in nothing but speed.
#[derive(Debug)]
pub(crate) struct Flows {
    places: HashMap<FlowKey, Place, Keyed>,
}

impl Flows {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let keyed = Keyed(rng.next_u64(), rng.next_u64());
        Flows { places: HashMap::with_hasher(keyed) }
    }

    pub(crate) fn get(&self, flow: &FlowKey) -> Option<&Place> {
        self.places.get(flow)
    }

    pub(crate) fn get_mut(&mut self, flow: &FlowKey) -> Option<&mut Place> {
        self.places.get_mut(flow)
    }

    pub(crate) fn contains(&self, flow: &FlowKey) -> bool {
        self.places.contains_key(flow)
    }

    pub(crate) fn insert(&mut self, flow: FlowKey, place: Place) {
        self.places.insert(flow, place);
    }

    pub(crate) fn remove(&mut self, flow: &FlowKey) -> Option<Place> {
        self.places.remove(flow)
    }
}

#[derive(Clone, Debug)]
struct Keyed(u64, u64);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}
