//! What runs under callgrind: one way through the stack, so often. `cargo xtask bench --instructions` counts it.
//!
//! `counted request 100`: a hundred requests of the small page over a connection that is open. `packets`, `super`: so
//! many large pages, in packets of 1,500 bytes or in super-segments.

use crate::common::Segments::{Packets, Super};
use crate::common::hosts::Hosts;
use crate::common::stacks::Composition::Static;

mod common;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let path = arguments.next().unwrap_or_else(|| "request".to_owned());
    let rounds = arguments.next().map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let segments = if path == "super" { Super } else { Packets };
    let mut hosts = Hosts::new(Static, segments);
    match path.as_str() {
        "request" => hosts.exchanges(rounds),
        "packets" | "super" => (0..rounds).for_each(|_| hosts.fetch_bulk()),
        other => panic!("{other:?} is none of request, packets, super"),
    }
}
