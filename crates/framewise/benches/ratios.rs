//! What the layers cost, as ratios of two things done in turn in one run: `cargo bench -p framewise --bench ratios`.
//!
//! Both are timed by the processor time of this thread, in many short rounds that alternate, and the ratio is the
//! median over the rounds: what else the machine does meets both alike. The last column says what the ratio is to be;
//! a line without one is for comparison.
//!
//! With names of rows only these are measured; `--quick` measures less, and `--json` prints every round, for
//! `cargo xtask bench`.

use std::cell::RefCell;
use std::rc::Rc;

use framewise::core::{Observer, Rng};
use framewise_trace::Recorder;

use crate::common::Segments::{Packets, Super};
use crate::common::bare::Bare;
use crate::common::compare::{Times, compare};
use crate::common::hosts::{Hosts, Setup};
use crate::common::resident::growth;
use crate::common::stacks::Composition::{Boxed, Static, Unwatched};
use crate::common::tcp_pair::TcpPair;
use crate::common::{BULK, Segments};

mod common;

/// Exchanges of a small page in one round.
const EXCHANGES: usize = 200;

/// How much is measured.
struct Effort {
    /// Rounds of what is short, and of what is long.
    rounds: usize,
    long_rounds: usize,
    /// Connections that are open beside the one that is used.
    others: usize,
}

impl Effort {
    const FULL: Effort = Effort { rounds: 61, long_rounds: 9, others: 100_000 };
    const QUICK: Effort = Effort { rounds: 11, long_rounds: 3, others: 10_000 };
    /// `cargo test --benches` wants to know that it runs, not how fast.
    const TRIAL: Effort = Effort { rounds: 1, long_rounds: 1, others: 64 };
}

/// What a row gives: two sides of a ratio as figures of each round, or one figure by itself.
enum Figures {
    Ratio { ours: Vec<f64>, theirs: Vec<f64> },
    One(f64),
}

/// A row's name, what it is, what is wanted, and how it is measured.
type Row = (&'static str, &'static str, &'static str, fn(&Effort) -> Figures);

const ROWS: [Row; 16] = [
    // These first: what others have taken and given back would be taken again, and nothing seem to grow.
    (
        "memory-tcp",
        "resident bytes of an idle connection, windows of 64 KiB, TCP",
        "at most 1536",
        memory_tcp,
    ),
    ("memory-http", "resident bytes of an idle connection, all layers", "at most 4096", memory_http),
    ("idle-hot", "µs of a request, 100,000 others idle / 1, the same flow again", "at most 1.1", idle_hot),
    ("idle-random", "the same, another flow each time", "at most 4", idle_random),
    (
        "idle-stock",
        "the same, 10,000 others, for smoltcp as it comes, its sockets in one set",
        "",
        idle_stock,
    ),
    (
        "bulk-super",
        "Gbit/s of all layers / two bare smoltcp interfaces, super-segments",
        "at least 0.7, goal 0.9",
        bulk_super,
    ),
    (
        "bulk-packets",
        "the same in packets of 1,500 bytes, sums computed and verified by both",
        "",
        bulk_packets,
    ),
    ("unwatched-small", "µs of a request, nobody watches / can't be watched", "under 1.02", unwatched_small),
    (
        "unwatched-large",
        "ms of a large page, nobody watches / can't be watched",
        "under 1.02",
        unwatched_large,
    ),
    ("watched", "Gbit/s, someone counts crossings / nobody watches", "", watched),
    ("recorded", "Gbit/s, a recorder keeps every byte / nobody watches", "", recorded),
    ("boxed", "requests/s, each layer in a box / composed at compile time", "", boxed),
    ("boxed-large", "Gbit/s, each layer in a box / composed at compile time", "", boxed_large),
    ("without-super", "Gbit/s, packets of 1,500 bytes / super-segments", "", without_super),
    ("without-window", "Gbit/s, windows of 64 KiB / 512 KiB", "", without_window),
    (
        "without-delay",
        "Gbit/s, every segment acknowledged at once / delayed acknowledgments",
        "",
        without_delay,
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let effort = match (has("--bench"), has("--quick")) {
        (false, _) => Effort::TRIAL,
        (true, true) => Effort::QUICK,
        (true, false) => Effort::FULL,
    };
    let is_wanted = |name: &str| arguments.iter().all(|argument| argument.starts_with("--")) || has(name);
    for (name, title, wanted, measure) in ROWS.into_iter().filter(|row| is_wanted(row.0)) {
        let figures = measure(&effort);
        println!("{}", if has("--json") { figures.json() } else { figures.text(name, title, wanted) });
    }
}

impl Figures {
    /// Times of a round of `work` exchanges, as microseconds of one.
    fn micros(times: &Times, work: usize) -> Self {
        Figures::of(times, |seconds| seconds * 1e6 / work as f64)
    }

    /// Times of a large page, as its speed.
    fn speeds(times: &Times) -> Self {
        Figures::of(times, |seconds| BULK as f64 * 8.0 / seconds.max(1e-9) / 1e9)
    }

    fn of(times: &Times, figure: impl Fn(f64) -> f64) -> Self {
        let ours = times.0.iter().map(|(ours, _)| figure(ours.as_secs_f64())).collect();
        let theirs = times.0.iter().map(|(_, theirs)| figure(theirs.as_secs_f64())).collect();
        Figures::Ratio { ours, theirs }
    }

    fn text(&self, name: &str, title: &str, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { String::new() } else { format!(" ({wanted})") };
        match self {
            Figures::One(figure) => format!("{name:<16} {figure:>9.0}{wanted}  {title}"),
            Figures::Ratio { ours, theirs } => {
                let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
                let ratio = common::compare::median(ratios);
                let [ours, theirs] = [ours, theirs].map(|side| common::compare::median(side.clone()));
                format!("{name:<16} {ratio:>9.3}{wanted}  {title}: {ours:.2} / {theirs:.2}")
            }
        }
    }

    /// As `cargo xtask bench` reads it: a figure and no processor time for each round.
    fn json(&self) -> String {
        let side = |figures: &[f64]| {
            let pairs: Vec<String> = figures.iter().map(|figure| format!("[{figure},null]")).collect();
            pairs.join(",")
        };
        match self {
            Figures::One(figure) => format!(r#"{{"ours":[[{figure},null]],"theirs":[]}}"#),
            Figures::Ratio { ours, theirs } => {
                format!(r#"{{"ours":[{}],"theirs":[{}]}}"#, side(ours), side(theirs))
            }
        }
    }
}

/// What a request costs with many connections open beside its own: always the same one.
fn idle_hot(effort: &Effort) -> Figures {
    let (mut many, mut few) = (Hosts::with_connections(1 + effort.others), Hosts::with_connections(2));
    let times = compare(effort.rounds, || many.exchanges(EXCHANGES), || few.exchanges(EXCHANGES));
    Figures::micros(&times, EXCHANGES)
}

/// The same over any of them, so that nothing of it is in the cache.
fn idle_random(effort: &Effort) -> Figures {
    let (mut many, mut few) = (Hosts::with_flows(1 + effort.others), Hosts::with_flows(2));
    let mut rng = Rng::from_seed(1);
    let mut any = || (rng.next_u64() % (1 + effort.others as u64)) as usize;
    let times = compare(
        effort.rounds,
        || (0..EXCHANGES).for_each(|_| many.exchange(any())),
        || (0..EXCHANGES).for_each(|_| few.exchange(1)),
    );
    Figures::micros(&times, EXCHANGES)
}

fn idle_stock(effort: &Effort) -> Figures {
    let others = effort.others.min(10_000);
    let (mut many, mut few) = (Bare::with_connections(1 + others), Bare::with_connections(2));
    // A set of sockets is searched one by one: a few exchanges take long enough.
    let times = compare(effort.rounds.min(5), || many.exchanges(4), || few.exchanges(4));
    Figures::micros(&times, 4)
}

/// Connections before the first that counts: what grows once has grown by then.
const WARM: usize = 320;

/// Half of what both ends of a connection take.
fn memory_tcp(effort: &Effort) -> Figures {
    let more = effort.others / 5;
    let mut pair = TcpPair::new();
    pair.open(WARM);
    Figures::One(growth(2 * more, || pair.open(WARM + more)).unwrap_or(f64::NAN))
}

/// The same with all layers, after a request on each.
fn memory_http(effort: &Effort) -> Figures {
    let more = effort.others / 5;
    let mut hosts = Hosts::with_usual_windows();
    let mut open = |connections| {
        hosts.open(connections);
        hosts.idle();
    };
    open(WARM);
    Figures::One(growth(2 * more, || open(WARM + more)).unwrap_or(f64::NAN))
}

/// All layers beside smoltcp alone: both hosts on this thread.
fn bulk(effort: &Effort, segments: Segments) -> Figures {
    let mut ours = Hosts::new(Static, segments);
    let mut bare = Bare::new(segments);
    Figures::speeds(&compare(effort.rounds, || ours.fetch_bulk(), || bare.transfer_bulk()))
}

fn bulk_super(effort: &Effort) -> Figures {
    bulk(effort, Super)
}

fn bulk_packets(effort: &Effort) -> Figures {
    bulk(effort, Packets)
}

/// What it costs that somebody could watch, though nobody does.
fn unwatched_small(effort: &Effort) -> Figures {
    let (mut with, mut without) = (Hosts::new(Static, Packets), Hosts::new(Unwatched, Packets));
    let times = compare(effort.rounds, || with.exchanges(EXCHANGES), || without.exchanges(EXCHANGES));
    Figures::micros(&times, EXCHANGES)
}

fn unwatched_large(effort: &Effort) -> Figures {
    let (mut with, mut without) = (Hosts::new(Static, Packets), Hosts::new(Unwatched, Packets));
    let times = compare(effort.rounds, || with.fetch_bulk(), || without.fetch_bulk());
    Figures::of(&times, |seconds| seconds * 1e3)
}

/// What watching costs when somebody does.
fn watched(effort: &Effort) -> Figures {
    let (mut with, mut without) = (Hosts::new(Static, Packets), Hosts::new(Static, Packets));
    with.observe(Rc::new(RefCell::new(Facts::default())));
    Figures::speeds(&compare(effort.rounds, || with.fetch_bulk(), || without.fetch_bulk()))
}

fn recorded(effort: &Effort) -> Figures {
    let (mut with, mut without) = (Hosts::new(Static, Packets), Hosts::new(Static, Packets));
    let mut record = || {
        with.observe(Rc::new(RefCell::new(Recorder::new())));
        with.fetch_bulk();
    };
    Figures::speeds(&compare(effort.long_rounds, &mut record, || without.fetch_bulk()))
}

/// What it costs that each layer can be replaced at run time.
fn boxed(effort: &Effort) -> Figures {
    let (mut boxed, mut fixed) = (Hosts::new(Boxed, Packets), Hosts::new(Static, Packets));
    let times = compare(effort.rounds, || boxed.exchanges(EXCHANGES), || fixed.exchanges(EXCHANGES));
    Figures::of(&times, |seconds| EXCHANGES as f64 / seconds)
}

fn boxed_large(effort: &Effort) -> Figures {
    let (mut boxed, mut fixed) = (Hosts::new(Boxed, Packets), Hosts::new(Static, Packets));
    Figures::speeds(&compare(effort.rounds, || boxed.fetch_bulk(), || fixed.fetch_bulk()))
}

/// What a means gives: the large page without it and with it.
fn means(effort: &Effort, without: Setup, with: Setup) -> Figures {
    let (mut without, mut with) = (Hosts::with(without), Hosts::with(with));
    Figures::speeds(&compare(effort.rounds, || without.fetch_bulk(), || with.fetch_bulk()))
}

fn without_super(effort: &Effort) -> Figures {
    means(effort, Setup::new(Static, Packets), Setup::new(Static, Super))
}

fn without_window(effort: &Effort) -> Figures {
    let with = Setup::new(Static, Packets);
    means(effort, Setup { window: 65_535, ..with }, with)
}

fn without_delay(effort: &Effort) -> Figures {
    let with = Setup::new(Static, Packets);
    means(effort, Setup { delayed_ack: false, ..with }, with)
}

/// Counts what it is told, and looks at nothing.
#[derive(Default)]
struct Facts(u64);

impl Observer for Facts {
    fn crossed(&mut self, _crossing: &framewise::core::observe::Crossing<'_>) {
        self.0 += 1;
    }
}
