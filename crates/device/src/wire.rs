//! A link segment in simulated time, with any number of ports.
//!
//! ```text
//!   send ─► complete ─► queue ─► clock out ─► impair ─► delay ─► cable or switch ─► poll
//!           (offload)  (bounded)  (rate)     (per port)
//! ```
//!
//! Everything happens in the order of its time, and at the same time in the order in which it was sent: the same
//! calls give the same frames, whoever polls.

use std::collections::VecDeque;
use std::time::Duration;

use framewise_core::buf::{InterfaceId, Label};
use framewise_core::seams::frame::Frame;
use framewise_core::{Instant, Rng};

use crate::impair::{Deed, Impairment, ImpairmentConfig, ImpairmentCounts, Intervention};
use crate::offload::complete;
use crate::switch::{Forward, Moved, PortId, Switch, SwitchConfig};
use crate::{DeviceCounters, HEADER, VLAN_TAG};

/// What frames cost on a wire beside their bytes: preamble, frame check sequence and the gap between frames
/// (IEEE 802.3-2018 sections 3.1.1 and 4.4.2).
const OVERHEAD: usize = 8 + 4 + 12;
/// A shorter frame takes as long as this many bytes (without the frame check sequence).
const SHORTEST: usize = 60;
/// Frames under way at a time on a whole wire.
const IN_FLIGHT: usize = 65_536;
/// Events that wait to be asked for; of more, the oldest are forgotten (they stay counted).
const EVENTS: usize = 4_096;

/// What a wire is like.
#[derive(Clone, Debug, PartialEq)]
pub struct WireConfig {
    /// Bits per second that each port sends; `None`: a frame takes no time to be sent.
    pub rate: Option<u64>,
    /// How long a frame is under way to any other port.
    pub delay: Duration,
    /// Frames that wait at a port to be sent; further ones are dropped.
    pub queue: usize,
    /// Bytes of the largest IP packet in a frame; longer frames are dropped.
    pub mtu: usize,
    /// What happens to frames that leave something to the device.
    pub offload: OffloadPolicy,
    /// What goes wrong with what each port sends. [`Wire::set_impairment`] changes it for one port.
    pub impairment: ImpairmentConfig,
    /// The switch between more than two ports.
    pub switch: SwitchConfig,
}

impl Default for WireConfig {
    /// A healthy Ethernet of 1 Gbit/s, 1 ms one way.
    fn default() -> Self {
        WireConfig {
            rate: Some(1_000_000_000),
            delay: Duration::from_millis(1),
            queue: 1_000,
            mtu: 1_500,
            offload: OffloadPolicy::Complete,
            impairment: ImpairmentConfig::default(),
            switch: SwitchConfig::default(),
        }
    }
}

/// What a wire does with offload facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OffloadPolicy {
    /// Carries them out at the sender, as an interface would: only whole frames are on the wire.
    #[default]
    Complete,
    /// Hands them to the receiver as they are, as a loopback does: fast, and nothing to look at. The MTU limits
    /// only frames that are not to be cut.
    PassThrough,
}

/// Something worth telling that happened on a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireEvent {
    /// A frame was dropped, and not by an impairment.
    Dropped {
        /// When.
        now: Instant,
        /// At which port: that of the sender, or of the receiver where its link is down.
        port: PortId,
        /// Why, as a short fixed phrase.
        reason: &'static str,
    },
    /// An impairment did something to a frame.
    Impaired {
        /// Which port sent the frame. The deed's number counts the frames of this port.
        port: PortId,
        /// What was done.
        deed: Deed,
    },
    /// The switch saw a station at another port than before.
    Moved(Moved),
}

/// A link segment: see the [module](self).
#[derive(Debug)]
pub struct Wire {
    config: WireConfig,
    rng: Rng,
    ports: Vec<Port>,
    switch: Switch,
    /// By arrival and, at one time, by the order of sending.
    in_flight: VecDeque<InFlight>,
    /// Copies of a flooded frame that wait to be polled.
    arrived: VecDeque<(PortId, Frame)>,
    events: VecDeque<WireEvent>,
}

#[derive(Debug)]
struct InFlight {
    arrival: Instant,
    from: PortId,
    frame: Frame,
}

#[derive(Debug)]
struct Port {
    up: bool,
    impairment: Impairment,
    /// When the frames that wait or are being sent will have left.
    departures: VecDeque<Instant>,
    counters: DeviceCounters,
}

impl Wire {
    /// A wire without ports. Each port draws its accidents from a stream of its own of `rng`.
    pub fn new(config: WireConfig, rng: Rng) -> Self {
        Wire {
            switch: Switch::new(config.switch.clone()),
            config,
            rng,
            ports: Vec::new(),
            in_flight: VecDeque::new(),
            arrived: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Plugs one more station in. Two ports are a cable; from the third on there is a switch between them.
    pub fn attach(&mut self) -> PortId {
        let port = PortId(self.ports.len());
        let rng = self.rng.fork(&format!("port {}", port.0));
        self.ports.push(Port {
            up: true,
            impairment: Impairment::new(self.config.impairment.clone(), rng),
            departures: VecDeque::new(),
            counters: DeviceCounters::default(),
        });
        port
    }

    /// Bytes of the largest IP packet in a frame.
    pub fn mtu(&self) -> usize {
        self.config.mtu
    }

    /// Whether a frame that this port sends now finds room in its queue.
    pub fn has_room(&mut self, port: PortId, now: Instant) -> bool {
        let limit = self.config.queue;
        self.port_mut(port).is_some_and(|port| port.waiting(now) < limit)
    }

    /// Sends a frame by a port. What can't be sent is dropped, counted and told by [`poll_event`](Self::poll_event).
    pub fn send(&mut self, port: PortId, frame: Frame, now: Instant) {
        if !self.is_up(port) {
            return self.dropped(port, now, "link down");
        }
        if self.config.offload == OffloadPolicy::PassThrough {
            return self.send_one(port, frame, now);
        }
        match complete(frame) {
            Ok(frames) => {
                for frame in frames {
                    self.send_one(port, frame, now);
                }
            }
            Err(_) => self.dropped(port, now, "offload facts don't fit the frame"),
        }
    }

    /// The next frame that has arrived by `now`, and at which port.
    pub fn poll(&mut self, now: Instant) -> Option<(PortId, Frame)> {
        loop {
            if let Some((port, frame)) = self.arrived.pop_front() {
                if let Some(frame) = self.deliver(port, frame, now) {
                    return Some((port, frame));
                }
                continue;
            }
            if self.in_flight.front()?.arrival > now {
                return None;
            }
            let InFlight { arrival, from, frame } = self.in_flight.pop_front()?;
            self.distribute(from, frame, arrival);
        }
    }

    /// When [`poll`](Self::poll) will have something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.arrived.is_empty() {
            return Some(Instant::ZERO);
        }
        self.in_flight.front().map(|first| first.arrival)
    }

    /// The next thing worth telling that was not asked for yet.
    pub fn poll_event(&mut self) -> Option<WireEvent> {
        self.events.pop_front()
    }

    /// What was done to frames that this port has sent, and was not told yet; other events stay where they are.
    pub fn take_deeds(&mut self, sender: PortId) -> Vec<Deed> {
        let mut deeds = Vec::new();
        self.events.retain(|event| match event {
            WireEvent::Impaired { port, deed } if *port == sender => {
                deeds.push(*deed);
                false
            }
            _ => true,
        });
        deeds
    }

    /// Plugs a station in or out. What is under way to it, or waits at its port, is lost while it is out.
    pub fn set_link(&mut self, port: PortId, up: bool) {
        if let Some(port) = self.port_mut(port) {
            port.up = up;
        }
        if !up {
            self.switch.forget(port);
        }
    }

    /// From now on, this goes wrong with what `port` sends.
    pub fn set_impairment(&mut self, port: PortId, config: ImpairmentConfig) {
        if let Some(port) = self.port_mut(port) {
            port.impairment.set_config(config);
        }
    }

    /// Orders something to be done to the frame of this number among those that `port` sends, counted from 1.
    pub fn script(&mut self, port: PortId, number: u64, intervention: Intervention) {
        if let Some(port) = self.port_mut(port) {
            port.impairment.script(number, intervention);
        }
    }

    /// What went through a port; empty for a port that isn't there.
    pub fn counters(&self, port: PortId) -> DeviceCounters {
        self.ports.get(port.0).map(|port| port.counters.clone()).unwrap_or_default()
    }

    /// What was done to the frames that a port sent.
    pub fn impairment_counts(&self, port: PortId) -> ImpairmentCounts {
        self.ports.get(port.0).map(|port| port.impairment.counts()).unwrap_or_default()
    }

    /// The switch and what it knows; with two ports it is asked nothing and learns nothing.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    fn send_one(&mut self, from: PortId, frame: Frame, now: Instant) {
        let whole = frame.offload().segment_size.is_none();
        if whole && frame.len() > self.config.mtu + HEADER + VLAN_TAG {
            return self.dropped(from, now, "longer than the MTU");
        }
        if self.in_flight.len() >= IN_FLIGHT {
            return self.dropped(from, now, "too many frames under way");
        }
        let (limit, time) = (self.config.queue, self.time_to_send(frame.len()));
        let Some(port) = self.ports.get_mut(from.0) else {
            return;
        };
        if port.waiting(now) >= limit {
            return self.dropped(from, now, "queue full");
        }
        let departure = port.depart(now, time);
        port.counters.count_sent(frame.len());
        for (leaves, frame) in port.impairment.apply(frame, departure) {
            let arrival = leaves + self.config.delay;
            insert(&mut self.in_flight, InFlight { arrival, from, frame });
        }
        while let Some(deed) = self.port_mut(from).and_then(|port| port.impairment.poll_deed()) {
            self.tell(WireEvent::Impaired { port: from, deed });
        }
    }

    fn time_to_send(&self, length: usize) -> Duration {
        let Some(rate) = self.config.rate else {
            return Duration::ZERO;
        };
        let bits = (length.max(SHORTEST) + OVERHEAD) as u128 * 8;
        let nanos = bits * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// A frame has come to the middle of the wire: to whom it goes.
    fn distribute(&mut self, from: PortId, frame: Frame, at: Instant) {
        match self.ports.len() {
            0 | 1 => self.dropped(from, at, "nobody at the other end"),
            2 => self.arrived.push_back((PortId(1 - from.0.min(1)), frame)),
            ports => {
                let forward = self.switch.forward(from, &frame, at);
                while let Some(moved) = self.switch.poll_moved() {
                    self.tell(WireEvent::Moved(moved));
                }
                match forward {
                    Forward::To(port) => self.arrived.push_back((port, frame)),
                    Forward::Filter(reason) => self.dropped(from, at, reason),
                    Forward::Flood => self.flood(ports, from, frame),
                }
            }
        }
    }

    fn flood(&mut self, ports: usize, from: PortId, frame: Frame) {
        let mut others = (0..ports).map(PortId).filter(|&port| port != from);
        let last = others.next_back();
        for port in others {
            self.arrived.push_back((port, frame.clone()));
        }
        if let Some(port) = last {
            self.arrived.push_back((port, frame));
        }
    }

    /// Takes the sender's label off: what the receiver's host knows of a frame is its own.
    fn deliver(&mut self, port: PortId, mut frame: Frame, now: Instant) -> Option<Frame> {
        if !self.is_up(port) {
            self.dropped(port, now, "link down");
            return None;
        }
        let label = frame.label_mut();
        *label = Label { interface: InterfaceId::default(), offload: label.offload, ..Label::default() };
        let length = frame.len();
        if let Some(port) = self.port_mut(port) {
            port.counters.count_received(length);
        }
        Some(frame)
    }

    fn dropped(&mut self, port: PortId, now: Instant, reason: &'static str) {
        if let Some(port) = self.port_mut(port) {
            port.counters.count_drop(reason);
        }
        self.tell(WireEvent::Dropped { now, port, reason });
    }

    fn tell(&mut self, event: WireEvent) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn is_up(&self, port: PortId) -> bool {
        self.ports.get(port.0).is_some_and(|port| port.up)
    }

    fn port_mut(&mut self, port: PortId) -> Option<&mut Port> {
        self.ports.get_mut(port.0)
    }
}

/// Puts a frame behind all that arrive before it or with it: nearly always at the end.
fn insert(in_flight: &mut VecDeque<InFlight>, frame: InFlight) {
    let is_last = in_flight.back().is_none_or(|last| last.arrival <= frame.arrival);
    if is_last {
        return in_flight.push_back(frame);
    }
    let place = in_flight.partition_point(|other| other.arrival <= frame.arrival);
    in_flight.insert(place, frame);
}

impl Port {
    /// Frames that wait or are being sent at `now`.
    fn waiting(&mut self, now: Instant) -> usize {
        while self.departures.front().is_some_and(|&departure| departure <= now) {
            self.departures.pop_front();
        }
        self.departures.len()
    }

    /// Queues a frame that takes `time` to be sent; tells when its last bit leaves.
    fn depart(&mut self, now: Instant, time: Duration) -> Instant {
        let begins = self.departures.back().map_or(now, |&last| last.max(now));
        let departure = begins + time;
        if departure > now {
            self.departures.push_back(departure);
        }
        departure
    }
}
