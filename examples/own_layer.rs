//! A layer of one's own in the place of ours: "TLS" that turns each letter by 13 places, on both hosts.
//!
//! The page still arrives, because everybody else sees only the seams. It protects nothing: whoever sees the wire reads
//! it after turning the letters once more. That is what the example shows.
//!
//! Run it: `cargo run -p framewise-examples --example own_layer`

use std::collections::VecDeque;
use std::error::Error;
use std::{cell::RefCell, rc::Rc};

use framewise::core::seams::Streams;
use framewise::core::seams::stream::{Security, StreamDown, StreamUp};
use framewise::core::{Cx, Direction, Layer, Observer, observe::Crossing};
use framewise::http::{Request, Response};
use framewise::{World, WorldConfig};

/// Streams above, streams below. What waits in the queues is bounded by the credit that both neighbours give.
#[derive(Default)]
struct Rot13 {
    down: VecDeque<StreamDown>,
    up: VecDeque<StreamUp>,
}

impl Layer for Rot13 {
    type Upper = Streams;
    type Lower = Streams;

    fn name(&self) -> &'static str {
        "rot13"
    }

    fn handle_outbound(&mut self, mut message: StreamDown, _cx: &mut Cx) {
        match &mut message {
            // Below, every connection is plain, as it is below the real TLS.
            StreamDown::Connect { security, .. } | StreamDown::Listen { security, .. } => {
                *security = Security::Plain
            }
            StreamDown::Send { data, .. } => *data = data.iter().map(rot13).collect(),
            _ => {}
        }
        self.down.push_back(message);
    }

    fn handle_inbound(&mut self, mut message: StreamUp, _cx: &mut Cx) {
        if let StreamUp::Data { data, .. } = &mut message {
            *data = data.iter().map(rot13).collect();
        }
        self.up.push_back(message);
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<StreamDown> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<StreamUp> {
        self.up.pop_front()
    }
}

fn rot13(byte: &u8) -> u8 {
    let turned = |first: u8| (byte - first + 13) % 26 + first;
    match byte {
        b'a'..=b'z' => turned(b'a'),
        b'A'..=b'Z' => turned(b'A'),
        _ => *byte,
    }
}

/// Prints what HTTP hands down, and what TCP is given instead.
struct Eavesdropper;

impl Observer for Eavesdropper {
    fn crossed(&mut self, crossing: &Crossing<'_>) {
        let is_stream = crossing.seam == "stream" && crossing.direction == Direction::Outbound;
        for line in String::from_utf8_lossy(crossing.message.bytes()).lines().filter(|_| is_stream) {
            println!("{:>5} to {:<5} | {line}", crossing.upper, crossing.lower);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::build(&WorldConfig::default(), &mut |host, randomness| {
        let mut layers = host.layers(randomness)?;
        layers.tls = Box::new(Rot13::default());
        Ok(layers.stacked())
    })?;
    let shop = |_: Request| Response::html("<h1>shop</h1>\n");
    world.runner.host(world.server).return_page_secure(443, shop)?;
    world.runner.observe(Rc::new(RefCell::new(Eavesdropper)));
    let page = world.runner.host(world.me).fetch_page("https://shop.test/")?;
    print!("\nThe page that came:\n{}", page.text());
    Ok(())
}
