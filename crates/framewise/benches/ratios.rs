//! What the layers cost, as ratios of two things done in turn in one run: `cargo bench -p framewise --bench ratios`.
//!
//! Both are timed by the processor time of this thread, in many short rounds that alternate, and the ratio is the
//! median over the rounds: what else the machine does meets both alike. The last column says what the ratio is to be;
//! a line without one is for comparison.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::Observer;
use framewise_trace::Recorder;

use crate::common::Segments::{Packets, Super};
use crate::common::bare::Bare;
use crate::common::hosts::Hosts;
use crate::common::stacks::Composition;
use crate::common::{BULK, Segments};

mod common;

/// Exchanges of a small page in one round, and the rounds.
const EXCHANGES: usize = 200;
const ROUNDS: usize = 61;
/// Connections that are open beside the one that is used.
const OTHERS: usize = 10_000;

fn main() {
    // `cargo test --benches` wants to know that it runs, not how fast.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    connections(rounds);
    observation(rounds);
    composition(rounds);
    bulk(rounds);
}

/// What a request costs with many connections open beside its own.
fn connections(rounds: usize) {
    println!("\na request over a connection that is open, 10,000 others open / 1 other");
    let (mut many, mut few) = (Hosts::with_connections(1 + OTHERS), Hosts::with_connections(2));
    let ratio = compare(rounds, || many.exchanges(EXCHANGES), || few.exchanges(EXCHANGES));
    ratio.print("all layers", "at most 1.1");
    let (mut many, mut few) = (Bare::with_connections(1 + OTHERS), Bare::with_connections(2));
    // A set of sockets is searched one by one: a few exchanges take long enough.
    let ratio = compare(rounds.min(5), || many.exchanges(4), || few.exchanges(4));
    ratio.print("smoltcp as it comes, its sockets in one set", "");
}

/// What watching costs when nobody does, and when somebody does.
fn observation(rounds: usize) {
    println!("\nwatched / by a composition that can't be watched");
    let hosts = |composition| Hosts::new(composition, Packets);
    let mut without = hosts(Composition::Unwatched);
    let mut with = hosts(Composition::Static);
    let ratio = compare(rounds, || with.exchanges(EXCHANGES), || without.exchanges(EXCHANGES));
    ratio.print("nobody watches, small pages", "under 1.02");
    let ratio = compare(rounds, || with.fetch_bulk(), || without.fetch_bulk());
    ratio.print("nobody watches, a large page", "under 1.02");

    let mut with = hosts(Composition::Static);
    with.observe(Rc::new(RefCell::new(Facts::default())));
    let ratio = compare(rounds, || with.fetch_bulk(), || without.fetch_bulk());
    ratio.print("who counts crossings, a large page", "");
    let record = |with: &mut Hosts| with.observe(Rc::new(RefCell::new(Recorder::new())));
    let ratio = compare(rounds.min(9), || recorded(&mut with, record), || without.fetch_bulk());
    ratio.print("a recorder, a large page", "");
}

fn recorded(hosts: &mut Hosts, record: impl Fn(&mut Hosts)) {
    record(hosts);
    hosts.fetch_bulk();
}

/// What it costs that each layer can be replaced at run time.
fn composition(rounds: usize) {
    println!("\neach layer in a box / composed at compile time");
    let hosts = |composition| Hosts::new(composition, Packets);
    let (mut boxed, mut fixed) = (hosts(Composition::Boxed), hosts(Composition::Static));
    let ratio = compare(rounds, || boxed.exchanges(EXCHANGES), || fixed.exchanges(EXCHANGES));
    ratio.print("small pages", "");
    let ratio = compare(rounds, || boxed.fetch_bulk(), || fixed.fetch_bulk());
    ratio.print("a large page", "");
}

/// How fast a large page goes through all layers, beside smoltcp alone.
fn bulk(rounds: usize) {
    println!("\nbytes per second of all layers / of two interfaces of smoltcp's, joined by a queue");
    let against = |segments: Segments, what: &str| {
        let mut bare = Bare::new(segments);
        let mut ours = Hosts::new(Composition::Static, segments);
        // Speed is the inverse of time.
        let ratio = compare(rounds, || bare.transfer_bulk(), || ours.fetch_bulk());
        ratio.print(what, "at least 0.7, goal 0.9");
        println!("    {} against {}", speed(ratio.second), speed(ratio.first));
    };
    against(Packets, "packets of 1,500 bytes, sums computed and verified by both");
    against(Super, "super-segments, sums left to the device by both");
}

fn speed(time: Duration) -> String {
    format!("{:.2} Gbit/s", BULK as f64 * 8.0 / time.as_secs_f64() / 1e9)
}

/// Counts what it is told, and looks at nothing.
#[derive(Default)]
struct Facts(u64);

impl Observer for Facts {
    fn crossed(&mut self, _crossing: &framewise::core::observe::Crossing<'_>) {
        self.0 += 1;
    }
}

/// What [`compare`] found.
struct Ratio {
    /// The medians of both times.
    first: Duration,
    second: Duration,
    /// The median of their ratios.
    ratio: f64,
}

impl Ratio {
    fn print(&self, what: &str, wanted: &str) {
        let wanted = if wanted.is_empty() { String::new() } else { format!(" ({wanted})") };
        println!("  {what}: {:.3}{wanted}", self.ratio);
    }
}

/// Times both in turn, the one that begins changing from round to round.
fn compare(rounds: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> Ratio {
    first();
    second();
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        times.push(if round % 2 == 0 {
            let time = timed(&mut first);
            (time, timed(&mut second))
        } else {
            let time = timed(&mut second);
            (timed(&mut first), time)
        });
    }
    let ratios = times.iter().map(|(first, second)| first.as_secs_f64() / second.as_secs_f64().max(1e-9));
    let ratio = median(ratios.collect(), f64::total_cmp);
    let first = median(times.iter().map(|times| times.0).collect(), Ord::cmp);
    let second = median(times.iter().map(|times| times.1).collect(), Ord::cmp);
    Ratio { first, second, ratio }
}

fn median<T: Copy>(mut values: Vec<T>, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> T {
    values.sort_by(order);
    values[values.len() / 2]
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let began = processor_time();
    work();
    processor_time() - began
}

/// How long this thread has run: without what others took meanwhile.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Where it is not told, the time that has passed.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}
