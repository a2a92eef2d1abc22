//! Worlds in memory for tests: a site to fetch from, and a recording of what happened.

use std::cell::RefCell;
use std::rc::Rc;

use framewise::http::{Request, Response};
use framewise::{HostId, World, WorldConfig};
use framewise_trace::{CaptureOptions, Recorder, Trace, write_capture};

use crate::peers::body_of;

/// Bytes of the page at `/large`.
pub const LARGE: usize = 1_000_000;
/// What the page at `/` says.
pub const GREETING: &str = "a page travels";

/// A world as `config` says, whose server serves `/` and `/large` over http and https, and says where it stands
/// (`/anything`) for all else.
///
/// # Panics
///
/// Where it can't be built.
pub fn world(config: &WorldConfig) -> World {
    let mut world = World::with(config).expect("a world can be built");
    let server = world.server;
    serve(&mut world, server);
    world
}

/// A healthy world of this seed.
///
/// # Panics
///
/// Where it can't be built.
pub fn healthy(seed: u64) -> World {
    world(&WorldConfig { seed, ..WorldConfig::default() })
}

/// Serves the site of the tests on a host, over http, and over https where the host has a certificate.
///
/// # Panics
///
/// Where a port is taken.
pub fn serve(world: &mut World, host: HostId) {
    let mut server = world.runner.host(host);
    server.return_page(80, site).expect("port 80 is free");
    server.return_page_secure(443, site).expect("port 443 is free");
}

/// The site of the tests: `/`, `/large` and an echo of any other path.
pub fn site(request: Request) -> Response {
    match request.path() {
        "/" => Response::text(GREETING),
        "/large" => Response::bytes("application/octet-stream", body_of(LARGE)),
        path => Response::text(path.to_owned()),
    }
}

/// Watches a world from now on.
pub fn record(world: &mut World) -> Rc<RefCell<Recorder>> {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    world.runner.observe(recorder.clone());
    recorder
}

/// The capture of one host, with the secrets of its TLS inside, as a file's bytes.
///
/// # Panics
///
/// Where the recording had to stop before its end.
pub fn capture(trace: &Trace, host: &str) -> Vec<u8> {
    assert_eq!(trace.stopped(), None, "the recording holds the whole run");
    let mut file = Vec::new();
    let options = CaptureOptions { secrets: true, ..CaptureOptions::default() };
    write_capture(trace, host, &mut file, &options).expect("memory can be written to");
    file
}
