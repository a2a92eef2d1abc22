//! How long things take: a small page, a large one, through all layers and through smoltcp alone.
//!
//! The ratios that must hold are in `ratios.rs`, which measures both sides of each in turn.

use std::cell::RefCell;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use framewise_trace::Recorder;

use crate::common::bare::Bare;
use crate::common::hosts::Hosts;
use crate::common::stacks::Composition;
use crate::common::{BULK, Segments};

mod common;

const COMPOSITIONS: [(&str, Composition); 3] =
    [("static", Composition::Static), ("boxed", Composition::Boxed), ("unwatched", Composition::Unwatched)];

/// A request and its answer over a connection that is open, beside others.
fn connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    for others in [1, 100, 10_000] {
        let mut hosts = Hosts::with_connections(1 + others);
        group.bench_function(format!("all layers/{others} others"), |b| b.iter(|| hosts.exchanges(1)));
        let mut bare = Bare::with_connections(1 + others);
        group.bench_function(format!("smoltcp/{others} others"), |b| b.iter(|| bare.exchanges(1)));
    }
}

fn small(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("small page");
    for (name, composition) in COMPOSITIONS {
        let mut hosts = Hosts::new(composition, Segments::Packets);
        group.bench_function(name, |b| b.iter(|| hosts.exchanges(1)));
    }
}

fn large(criterion: &mut Criterion) {
    for (name, segments) in [("packets", Segments::Packets), ("super-segments", Segments::Super)] {
        let mut group = criterion.benchmark_group(format!("large page, {name}"));
        group.throughput(Throughput::Bytes(BULK as u64)).sample_size(20);
        for (name, composition) in COMPOSITIONS {
            let mut hosts = Hosts::new(composition, segments);
            group.bench_function(name, |b| b.iter(|| hosts.fetch_bulk()));
        }
        let mut hosts = Hosts::new(Composition::Static, segments);
        group.bench_function("recorded", |b| {
            b.iter(|| {
                hosts.observe(Rc::new(RefCell::new(Recorder::new())));
                hosts.fetch_bulk();
            })
        });
        let mut bare = Bare::new(segments);
        group.bench_function("smoltcp", |b| b.iter(|| bare.transfer_bulk()));
    }
}

criterion_group!(benches, connections, small, large);
criterion_main!(benches);
