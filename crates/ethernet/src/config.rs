//! What an Ethernet layer is built with.

use std::time::Duration;

use framewise_core::MacAddr;

/// How an [`Ethernet`](crate::Ethernet) layer is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The interfaces; the first is `InterfaceId(0)`.
    pub interfaces: Vec<InterfaceConfig>,
    /// Limits and timers of the neighbour table.
    pub neighbours: NeighbourConfig,
    /// Whether an address is probed and announced when it is claimed (RFC 5227), which takes some seconds before it
    /// can be used. `false` claims silently, as fits a link where addresses are known not to collide.
    pub announce: bool,
    /// Whether an address is used while it is probed, and given up when somebody objects. Without
    /// [`announce`](Self::announce) it means nothing.
    pub optimistic: bool,
    /// Whether frames are padded to the 60 bytes that a cable needs. A TAP and a wire in memory don't.
    pub pad: bool,
}

impl Config {
    /// One interface with this MAC address and an MTU of 1,500 bytes; all else by default.
    pub fn one(mac: MacAddr) -> Self {
        Config { interfaces: vec![InterfaceConfig::new(mac)], ..Config::default() }
    }
}

/// One interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// Its address: one station's, neither a group's nor all zeros.
    pub mac: MacAddr,
    /// The longest IP packet in one frame, in bytes.
    pub mtu: usize,
}

impl InterfaceConfig {
    /// An interface with this address and an MTU of 1,500 bytes (RFC 894).
    pub fn new(mac: MacAddr) -> Self {
        InterfaceConfig { mac, mtu: 1_500 }
    }
}

/// Limits and timers of the neighbour table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourConfig {
    /// How many neighbours are remembered, on all interfaces together.
    pub entries: usize,
    /// How many packets wait for one neighbour. When one more comes, the oldest goes back to IP.
    pub waiting_each: usize,
    /// How many packets wait for all neighbours together.
    pub waiting_total: usize,
    /// How often a neighbour is asked before it counts as unreachable.
    pub asks: u32,
    /// The time between two questions (RFC 1122 section 2.3.2.1: at most one per second and destination).
    pub ask_every: Duration,
    /// How long an answer is trusted. Then the neighbour is asked again, while its packets go on as before.
    pub reachable_for: Duration,
    /// How long a neighbour that nobody writes to is remembered beyond that.
    pub stale_for: Duration,
    /// How long it is remembered that a neighbour did not answer: until then senders are told at once.
    pub failed_for: Duration,
}

impl Default for NeighbourConfig {
    fn default() -> Self {
        NeighbourConfig {
            entries: 1_024,
            waiting_each: 16,
            waiting_total: 256,
            asks: 3,
            ask_every: Duration::from_secs(1),
            reachable_for: Duration::from_secs(60),
            stale_for: Duration::from_secs(600),
            failed_for: Duration::from_secs(3),
        }
    }
}
