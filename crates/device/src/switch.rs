//! A learning switch: which station is behind which port.
//!
//! Read first: IEEE 802.1Q-2018 sections 8.6 (forwarding), 8.7 (learning) and 8.8.3 (ageing).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use framewise_core::read::array_at;
use framewise_core::{Instant, MacAddr};

/// A port of a wire or a switch, counted from 0 in the order in which they were attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub usize);

/// How much a switch remembers, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchConfig {
    /// Stations in the table. Further ones are not learnt, so frames to them go to every port.
    pub capacity: usize,
    /// How long a station that sends nothing stays in the table.
    pub ageing: Duration,
}

impl Default for SwitchConfig {
    /// 1,024 stations and 300 s, the ageing time that IEEE 802.1Q-2018 table 8-6 recommends.
    fn default() -> Self {
        SwitchConfig { capacity: 1_024, ageing: Duration::from_secs(300) }
    }
}

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// To this port: the station is known to be there.
    To(PortId),
    /// To every port but the one it came from: to a group, or to a station not known.
    Flood,
    /// Nowhere, because of this.
    Filter(&'static str),
}

/// A station was seen at another port than before: it was moved, or two share one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// When.
    pub now: Instant,
    /// Whose address.
    pub mac: MacAddr,
    /// Where it was.
    pub from: PortId,
    /// Where it is now.
    pub to: PortId,
}

/// Moves that wait to be asked for; of more, the oldest are forgotten.
const MOVES: usize = 256;

/// The table of a learning switch, usable without a [`Wire`](crate::Wire).
///
/// ```
/// use framewise_core::Instant;
/// use framewise_device::{Forward, PortId, Switch, SwitchConfig};
/// let mut switch = Switch::new(SwitchConfig::default());
/// let frame = |to: u8, from: u8| [[2, 0, 0, 0, 0, to], [2, 0, 0, 0, 0, from]].concat();
/// assert_eq!(switch.forward(PortId(0), &frame(2, 1), Instant::ZERO), Forward::Flood);
/// assert_eq!(switch.forward(PortId(1), &frame(1, 2), Instant::ZERO), Forward::To(PortId(0)));
/// ```
#[derive(Debug, Clone)]
pub struct Switch {
    config: SwitchConfig,
    table: BTreeMap<MacAddr, Station>,
    next_sweep: Instant,
    moves: VecDeque<Moved>,
}

#[derive(Debug, Clone, Copy)]
struct Station {
    port: PortId,
    seen: Instant,
}

impl Switch {
    /// A switch that knows nobody.
    pub fn new(config: SwitchConfig) -> Self {
        Switch {
            next_sweep: Instant::ZERO + config.ageing,
            config,
            table: BTreeMap::new(),
            moves: VecDeque::new(),
        }
    }

    /// Learns from a frame that came by `ingress`, and says where it goes.
    pub fn forward(&mut self, ingress: PortId, frame: &[u8], now: Instant) -> Forward {
        let address = |at| array_at::<6>(frame, at).map(MacAddr::new);
        let (Some(destination), Some(source)) = (address(0), address(6)) else {
            return Forward::Filter("too short for its addresses");
        };
        self.learn(source, ingress, now);
        if destination.is_multicast() {
            return Forward::Flood;
        }
        match self.port_of(destination, now) {
            Some(port) if port == ingress => Forward::Filter("its receiver is behind the port it came from"),
            Some(port) => Forward::To(port),
            None => Forward::Flood,
        }
    }

    /// The port behind which a station was last seen, if it isn't forgotten.
    pub fn port_of(&self, mac: MacAddr, now: Instant) -> Option<PortId> {
        let station = self.table.get(&mac)?;
        self.is_fresh(station, now).then_some(station.port)
    }

    /// The stations known at `now` with their ports, sorted by address.
    pub fn stations(&self, now: Instant) -> impl Iterator<Item = (MacAddr, PortId)> + '_ {
        self.table
            .iter()
            .filter(move |(_, station)| self.is_fresh(station, now))
            .map(|(&mac, station)| (mac, station.port))
    }

    /// The next move of a station that was seen.
    pub fn poll_moved(&mut self) -> Option<Moved> {
        self.moves.pop_front()
    }

    /// Forgets all stations behind a port, as when its link goes down.
    pub fn forget(&mut self, port: PortId) {
        self.table.retain(|_, station| station.port != port);
    }

    fn learn(&mut self, mac: MacAddr, port: PortId, now: Instant) {
        // No station may send from a group's address (IEEE 802.3-2018 section 3.2.3).
        if !mac.is_unicast() {
            return;
        }
        self.sweep(now);
        let fresh = Station { port, seen: now };
        let full = self.table.len() >= self.config.capacity;
        let Some(known) = self.table.get_mut(&mac) else {
            if !full {
                self.table.insert(mac, fresh);
            }
            return;
        };
        let from = std::mem::replace(known, fresh).port;
        if from != port {
            if self.moves.len() == MOVES {
                self.moves.pop_front();
            }
            self.moves.push_back(Moved { now, mac, from, to: port });
        }
    }

    /// Takes out who was silent for too long: at most once per quarter of the ageing time, so that a flood of new
    /// addresses costs no walk of the table each.
    fn sweep(&mut self, now: Instant) {
        if now < self.next_sweep {
            return;
        }
        let ageing = self.config.ageing;
        self.table.retain(|_, station| now < station.seen + ageing);
        self.next_sweep = now + ageing / 4;
    }

    fn is_fresh(&self, station: &Station, now: Instant) -> bool {
        now < station.seen + self.config.ageing
    }
}
