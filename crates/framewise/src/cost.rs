//! What each layer costs: a layer around each layer, which counts and times the calls into it.
//!
//! No layer calls another: [`Over`](framewise_core::Over) moves every message between them. So the time inside a layer's
//! calls is that layer's own, and what is left of a run is the Runner's, the wire's and the application's. The run itself
//! is the same, frame by frame, with and without.
//!
//! The clock is handed in, like everything else that is not computed: nothing here reads one.
//!
//! ```
//! use std::rc::Rc;
//! use std::time::Instant;
//! use framewise::cost::Meter;
//! use framewise::{World, WorldConfig};
//! # use framewise::http::{Request, Response};
//!
//! let began = Instant::now();
//! let meter = Meter::new(Rc::new(move || began.elapsed()));
//! let mut world = World::build(&WorldConfig::default(), &mut |host, randomness| {
//!     Ok(meter.timed(&host.name, host.layers(randomness)?).stacked())
//! })?;
//! # world.runner.host(world.server).return_page(80, |_: Request| Response::text("hello"))?;
//! meter.reset();
//! world.runner.host(world.me).fetch_page("http://shop.test/")?;
//! for cost in meter.costs() {
//!     println!("{:<10} {:<9} {:>6} calls {:>12?}", cost.host, cost.layer, cost.calls, cost.time);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use framewise_core::{Cx, Instant, Layer, Message, Seam};

use crate::stack::Layers;

/// A clock, whatever it counts from.
pub type Clock = Rc<dyn Fn() -> Duration>;

/// Pairs of looks at the clock by which it is found out what one pair takes.
const LOOKS: usize = 1_001;

/// Times layers, and keeps what they cost.
pub struct Meter {
    clock: Clock,
    timer: Duration,
    tallies: RefCell<Vec<Rc<Tally>>>,
}

/// What one layer of one host has cost so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerCost {
    /// The host.
    pub host: String,
    /// The layer, as it names itself.
    pub layer: &'static str,
    /// Calls of any kind, those that found nothing to do included.
    pub calls: u64,
    /// The time inside them, less what the timer takes of it.
    pub time: Duration,
    /// Messages that came up from the layer below, and their bytes.
    pub inbound: Traffic,
    /// Messages that were given down to it, and their bytes.
    pub outbound: Traffic,
}

/// Messages across a layer's lower seam, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many.
    pub messages: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

impl Meter {
    /// A meter by this clock. It begins by timing nothing, often, to know what its own two looks at the clock take.
    pub fn new(clock: Clock) -> Self {
        let mut looks: Vec<Duration> = (0..LOOKS)
            .map(|_| {
                let began = clock();
                clock().saturating_sub(began)
            })
            .collect();
        looks.sort_unstable();
        Meter { clock, timer: looks[LOOKS / 2], tallies: RefCell::default() }
    }

    /// What timing nothing takes: it is taken off each call.
    pub fn timer(&self) -> Duration {
        self.timer
    }

    /// The same layers, each of them timed under its own name.
    pub fn timed(&self, host: &str, layers: Layers) -> Layers {
        Layers {
            http: Box::new(self.around(host, layers.http)),
            tls: Box::new(self.around(host, layers.tls)),
            tcp: Box::new(self.around(host, layers.tcp)),
            dns: Box::new(self.around(host, layers.dns)),
            udp: Box::new(self.around(host, layers.udp)),
            ip: Box::new(self.around(host, layers.ip)),
            ethernet: Box::new(self.around(host, layers.ethernet)),
        }
    }

    fn around<L: Layer>(&self, host: &str, layer: L) -> Timed<L> {
        let (host, name) = (host.to_owned(), layer.name());
        let tally = Rc::new(Tally { host, layer: name, ..Tally::default() });
        self.tallies.borrow_mut().push(tally.clone());
        Timed { layer, clock: self.clock.clone(), tally }
    }

    /// Forgets what was before: what is built and warmed up is no part of a run.
    pub fn reset(&self) {
        for tally in self.tallies.borrow().iter() {
            tally.reset();
        }
    }

    /// What every layer has cost, hosts and layers in the order in which they were given.
    pub fn costs(&self) -> Vec<LayerCost> {
        self.tallies.borrow().iter().map(|tally| tally.cost(self.timer)).collect()
    }
}

/// A layer, and the time inside it.
struct Timed<L> {
    layer: L,
    clock: Clock,
    tally: Rc<Tally>,
}

/// What is counted of one layer. Some calls are made through shared references.
#[derive(Debug, Default)]
struct Tally {
    host: String,
    layer: &'static str,
    calls: Cell<u64>,
    time: Cell<Duration>,
    inbound: Cell<Traffic>,
    outbound: Cell<Traffic>,
}

impl Tally {
    fn reset(&self) {
        self.calls.take();
        self.time.take();
        self.inbound.take();
        self.outbound.take();
    }

    fn cost(&self, timer: Duration) -> LayerCost {
        let calls = self.calls.get();
        let own = timer.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
        LayerCost {
            host: self.host.clone(),
            layer: self.layer,
            calls,
            time: self.time.get().saturating_sub(own),
            inbound: self.inbound.get(),
            outbound: self.outbound.get(),
        }
    }

    fn call(&self, took: Duration) {
        self.calls.set(self.calls.get() + 1);
        self.time.set(self.time.get() + took);
    }
}

fn count(traffic: &Cell<Traffic>, message: &impl Message) {
    let Traffic { messages, bytes } = traffic.get();
    traffic.set(Traffic { messages: messages + 1, bytes: bytes + message.bytes().len() as u64 });
}

impl<L: Layer> Timed<L> {
    fn timed<R>(&mut self, call: impl FnOnce(&mut L) -> R) -> R {
        let began = (self.clock)();
        let result = call(&mut self.layer);
        self.tally.call((self.clock)().saturating_sub(began));
        result
    }

    fn timed_look<R>(&self, call: impl FnOnce(&L) -> R) -> R {
        let began = (self.clock)();
        let result = call(&self.layer);
        self.tally.call((self.clock)().saturating_sub(began));
        result
    }
}

impl<L: Layer> Layer for Timed<L> {
    type Upper = L::Upper;
    type Lower = L::Lower;

    fn name(&self) -> &'static str {
        self.layer.name()
    }

    fn lowest_name(&self) -> &'static str {
        self.layer.lowest_name()
    }

    fn handle_outbound(&mut self, message: <Self::Upper as Seam>::Down, cx: &mut Cx) {
        self.timed(|layer| layer.handle_outbound(message, cx));
    }

    fn handle_inbound(&mut self, message: <Self::Lower as Seam>::Up, cx: &mut Cx) {
        count(&self.tally.inbound, &message);
        self.timed(|layer| layer.handle_inbound(message, cx));
    }

    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<<Self::Lower as Seam>::Down> {
        let message = self.timed(|layer| layer.poll_outbound(cx))?;
        count(&self.tally.outbound, &message);
        Some(message)
    }

    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<<Self::Upper as Seam>::Up> {
        self.timed(|layer| layer.poll_inbound(cx))
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.timed(|layer| layer.handle_timeout(cx));
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timed_look(L::poll_timeout)
    }

    fn is_sending(&self) -> bool {
        self.timed_look(L::is_sending)
    }

    fn step(&mut self, cx: &mut Cx) -> bool {
        self.timed(|layer| layer.step(cx))
    }

    fn step_settle(&mut self, cx: &mut Cx) -> bool {
        self.timed(|layer| layer.step_settle(cx))
    }

    fn step_pull(&mut self, cx: &mut Cx) -> bool {
        self.timed(|layer| layer.step_pull(cx))
    }

    fn accepts(&self, message: &<Self::Lower as Seam>::Up) -> bool {
        self.timed_look(|layer| layer.accepts(message))
    }
}

#[cfg(test)]
mod tests {
    use framewise_core::Counters;
    use framewise_core::buf::{Buf, InterfaceId};
    use framewise_core::seams::Frames;
    use framewise_core::seams::frame::Frame;

    use super::*;

    /// Passes frames on, and takes five ticks over each that comes in.
    struct Slow {
        ticks: Rc<Cell<u64>>,
        frame: Option<Frame>,
    }

    impl Layer for Slow {
        type Upper = Frames;
        type Lower = Frames;

        fn name(&self) -> &'static str {
            "slow"
        }

        fn handle_outbound(&mut self, message: Frame, _cx: &mut Cx) {
            self.frame = Some(message);
        }

        fn handle_inbound(&mut self, _message: Frame, _cx: &mut Cx) {
            self.ticks.set(self.ticks.get() + 5);
        }

        fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Frame> {
            self.frame.take()
        }

        fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<Frame> {
            None
        }
    }

    fn frame(bytes: usize) -> Frame {
        let mut buf = Buf::with_capacity(bytes);
        buf.append(bytes).fill(0);
        Frame::new(buf, InterfaceId::default())
    }

    #[test]
    fn a_layer_s_time_is_its_own_without_the_timer_s() {
        let ticks = Rc::new(Cell::new(0));
        let shown = ticks.clone();
        // Each look at this clock takes three ticks.
        let meter = Meter::new(Rc::new(move || {
            shown.set(shown.get() + 3);
            Duration::from_nanos(shown.get())
        }));
        assert_eq!(meter.timer(), Duration::from_nanos(3));
        let mut layer = meter.around("me", Slow { ticks, frame: None });
        let mut counters = Counters::default();
        let cx = &mut Cx::new(Instant::ZERO, &mut counters);
        layer.handle_inbound(frame(60), cx);
        layer.handle_inbound(frame(40), cx);
        layer.handle_outbound(frame(7), cx);
        assert!(layer.poll_outbound(cx).is_some() && layer.poll_outbound(cx).is_none());
        assert_eq!(layer.poll_timeout(), None);
        let expected = LayerCost {
            host: "me".to_owned(),
            layer: "slow",
            calls: 6,
            time: Duration::from_nanos(10),
            inbound: Traffic { messages: 2, bytes: 100 },
            outbound: Traffic { messages: 1, bytes: 7 },
        };
        assert_eq!(meter.costs(), [expected]);
        meter.reset();
        assert_eq!((meter.costs()[0].calls, meter.costs()[0].time), (0, Duration::ZERO));
    }
}
