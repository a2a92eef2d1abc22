//! Fetches one page over https, and says when each part of it was done.
//!
//! My computer, a router and the server are all inside this program, and so is time: it jumps from event to event.
//!
//! Run it: `cargo run -p framewise-examples --example fetch`

use std::error::Error;

use framewise::World;
use framewise::http::{Request, Response};

fn main() -> Result<(), Box<dyn Error>> {
    // Everything random follows from this number: addresses of programs, keys, certificates.
    let mut world = World::new(7)?;
    let shop = |_: Request| Response::html("<h1>shop</h1>\n");
    world.runner.host(world.server).return_page_secure(443, shop)?;

    let page = world.runner.host(world.me).fetch_page("https://shop.test/")?;

    print!("{}", page.text());
    println!();
    println!("status   {}", page.head.status);
    for (name, value) in page.head.headers.iter() {
        println!("header   {name}: {}", String::from_utf8_lossy(value));
    }
    println!("from     {}", page.remote);
    if let Some(tls) = &page.connection.tls {
        println!("sealed   {}, {}", tls.version, tls.cipher_suite);
    }

    let when = page.timings;
    let milliseconds = |to: framewise::core::Instant| (to - when.started).as_secs_f64() * 1_000.0;
    println!();
    println!("{:6.1} ms  the name had an address", milliseconds(when.resolved));
    println!("{:6.1} ms  TCP and TLS had shaken hands", milliseconds(when.connected));
    println!("{:6.1} ms  the head of the answer was here", milliseconds(when.head));
    println!("{:6.1} ms  the page was complete", milliseconds(when.complete));
    Ok(())
}
