//! Both hosts in one program, and several fetches at once: http and https, IPv4 and IPv6, all answered by one
//! handler that counts.
//!
//! Run it: `cargo run -p framewise-examples --example both_hosts`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use framewise::core::seams::stream::{Endpoint, Security};
use framewise::http::{Answer, Handler, Request, Response};
use framewise::{Fetch, World};

/// A handler of one's own: it may answer at once, or keep `answer` and do so later, from another thread.
struct Guestbook {
    visits: AtomicUsize,
}

impl Handler for Guestbook {
    fn handle(&self, request: Request, answer: Answer) {
        let visit = self.visits.fetch_add(1, Ordering::Relaxed) + 1;
        let by = if request.connection.tls.is_some() { "https" } else { "http" };
        let text = format!("visit {visit}, by {by}, from {}", request.connection.remote);
        answer.respond(Response::text(text));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(7)?;
    let guestbook = Arc::new(Guestbook { visits: AtomicUsize::new(0) });
    for (port, security) in [(80, Security::Plain), (443, Security::Tls(None))] {
        let endpoint = Endpoint { address: None, port };
        world.runner.host(world.server).serve(endpoint, security, guestbook.clone())?;
    }

    // All are begun before any is finished.
    let urls =
        ["http://shop.test/", "https://shop.test/", "http://203.0.113.80/", "http://[2001:db8:2::80]/"];
    let mut me = world.runner.host(world.me);
    let begun: Vec<_> = urls.iter().map(|url| me.start(Fetch::get(*url))).collect::<Result<_, _>>()?;
    for (url, fetch) in urls.iter().zip(begun) {
        let page = me.finish(fetch)?;
        let took = (page.timings.complete - page.timings.started).as_millis();
        println!("{url:<25} {took:>3} ms   {}", page.text());
    }

    for host in [world.me, world.router, world.server] {
        println!("{:<10} dropped {}", world.runner.name(host), world.runner.counters(host).total());
    }
    println!("visits     {}", guestbook.visits.load(Ordering::Relaxed));
    Ok(())
}
