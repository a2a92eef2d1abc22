//! Fetches 1 MB while more and more frames are lost, and shows what TCP does about it.
//!
//! The time is simulated, so the experiment is quick and gives the same table every time.
//!
//! Run it: `cargo run --release -p framewise-examples --example loss_experiment`

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::{Direction, Observer, observe::Crossing};
use framewise::device::ImpairmentConfig;
use framewise::http::{Request, Response};
use framewise::tcp::analysis::{Flow, Order};
use framewise::{World, WorldConfig};

/// Watches the server's segments on their way down, and counts those that it had sent before.
#[derive(Default)]
struct Counting {
    at_server: bool,
    flow: Flow,
    segments: u64,
    again: u64,
}

impl Observer for Counting {
    fn host(&mut self, name: &str) {
        self.at_server = name == framewise::world::SERVER;
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        let goes_down =
            crossing.upper == "tcp" && crossing.lower == "ip" && crossing.direction == Direction::Outbound;
        let bytes = crossing.message.bytes();
        let Ok(header) = framewise::tcp::Header::parse(bytes) else { return };
        if !self.at_server || !goes_down {
            return;
        }
        let end = |port| SocketAddr::new([0, 0, 0, 0].into(), port);
        let payload = bytes.len() - header.length;
        let facts =
            self.flow.observe(end(header.source_port), end(header.destination_port), &header, payload);
        self.segments += 1;
        self.again += u64::from(matches!(facts.order, Order::Again | Order::Overlap | Order::Filling));
    }
}

fn fetch(loss: f64) -> Result<(Duration, u64, u64), Box<dyn Error>> {
    let impairment = ImpairmentConfig { loss, ..ImpairmentConfig::default() };
    let mut world = World::with(&WorldConfig { seed: 3, impairment, ..WorldConfig::default() })?;
    let page = vec![b'x'; 1_000_000];
    world
        .runner
        .host(world.server)
        .return_page(80, move |_: Request| Response::bytes("text/plain", page.clone()))?;
    let counting = Rc::new(RefCell::new(Counting::default()));
    world.runner.observe(counting.clone());
    let page = world.runner.host(world.me).fetch_page("http://shop.test/")?;
    let counting = counting.borrow();
    Ok((page.timings.complete - page.timings.started, counting.segments, counting.again))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("lost    time of 1 MB   segments   again");
    for percent in [0, 1, 2, 5, 10] {
        let (time, segments, again) = fetch(f64::from(percent) / 100.0)?;
        let bar = "#".repeat((time.as_secs_f64() * 2.0).ceil() as usize);
        println!("{percent:>3} %  {:>11.2} s {segments:>10} {again:>7}   {bar}", time.as_secs_f64());
    }
    Ok(())
}
