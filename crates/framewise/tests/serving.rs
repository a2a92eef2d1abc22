//! Which handler answers, and what a server does when it can't.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use framewise::core::seams::segment::{SegmentDown, SegmentUp};
use framewise::core::seams::stream::{ConnInfo, Endpoint, ListenError, Security, StreamDown, StreamUp};
use framewise::core::seams::{Segments, Streams};
use framewise::core::{Cx, Instant, Layer};
use framewise::http::{Answer, Body, Handler, Method, Request, Response, StatusCode};
use framewise::{Fetch, HostMut, ServeError, World, WorldConfig};

fn world() -> World {
    World::new(12).expect("a world in memory")
}

fn server(world: &mut World) -> HostMut<'_> {
    world.runner.host(world.server)
}

fn text(world: &mut World, url: &str) -> String {
    world.runner.host(world.me).fetch_page(url).unwrap_or_else(|error| panic!("{url}: {error}")).text().into()
}

fn says(text: &'static str) -> impl Fn(Request) -> Response + Send + Sync {
    move |_| Response::text(text)
}

#[test]
fn a_port_that_is_taken_keeps_its_handler() {
    let mut world = world();
    server(&mut world).return_page(80, says("first")).unwrap();
    let error = server(&mut world).return_page(80, says("second")).unwrap_err();
    assert!(matches!(error, ServeError::Listen(ListenError::InUse { port: 80 })), "{error:?}");
    assert_eq!(text(&mut world, "http://shop.test/"), "first");
}

#[test]
fn the_handler_of_just_this_address_comes_first_whatever_the_order() {
    let here: IpAddr = "203.0.113.80".parse().unwrap();
    for mut addresses in [[None, Some(here)], [Some(here), None]] {
        let mut world = world();
        for address in &mut addresses {
            let handler = says(if address.is_some() { "here" } else { "anywhere" });
            let endpoint = Endpoint { address: *address, port: 80 };
            server(&mut world).serve(endpoint, Security::Plain, Arc::new(handler)).unwrap();
        }
        assert_eq!(text(&mut world, "http://203.0.113.80/"), "here");
        assert_eq!(text(&mut world, "http://[2001:db8:2::80]/"), "anywhere");
    }
}

/// Counts the connections that bring no more requests.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Handler for Counts {
    fn handle(&self, _request: Request, answer: Answer) {
        answer.respond(Response::text("here"));
    }

    fn left(&self, _connection: &ConnInfo) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn whoever_stops_serving_still_hears_of_connections_that_end() {
    let mut world = World::build(&WorldConfig::default(), &mut |host, randomness| {
        let mut host = host.clone();
        host.http.tells_who_left = true;
        host.stack(randomness)
    })
    .expect("a world in memory");
    let handler = Arc::new(Counts::default());
    let endpoint = Endpoint { address: None, port: 80 };
    server(&mut world).serve(endpoint, Security::Plain, handler.clone()).unwrap();
    assert_eq!(text(&mut world, "http://shop.test/"), "here");
    assert_eq!(handler.0.load(Ordering::Relaxed), 0, "the connection is kept");
    server(&mut world).stop_serving(endpoint);
    world.runner.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(handler.0.load(Ordering::Relaxed), 1, "it was ended, for nobody serves there any more");
}

#[test]
fn whoever_stops_serving_has_the_handler_back() {
    let mut world = world();
    let shared = Arc::new(());
    let handler = {
        let shared = shared.clone();
        move |_: Request| Response::text(format!("{} of us", Arc::strong_count(&shared)))
    };
    server(&mut world).return_page(80, handler).unwrap();
    assert_eq!(text(&mut world, "http://shop.test/"), "2 of us");
    server(&mut world).stop_serving(Endpoint { address: None, port: 80 });
    world.runner.run_until(|_| false).unwrap();
    assert_eq!(Arc::strong_count(&shared), 1, "the handler is gone");
    server(&mut world).return_page(80, says("another")).unwrap();
    assert_eq!(text(&mut world, "http://shop.test/"), "another");
}

/// A TCP that says nothing about listening: a mistake that a student's layer may have.
struct Mute(framewise::tcp::Tcp);

impl Layer for Mute {
    type Upper = Streams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        "mute"
    }
    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        if !matches!(message, StreamDown::Listen { .. }) {
            self.0.handle_outbound(message, cx);
        }
    }
    fn handle_inbound(&mut self, message: SegmentUp, cx: &mut Cx) {
        self.0.handle_inbound(message, cx);
    }
    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<SegmentDown> {
        self.0.poll_outbound(cx)
    }
    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<StreamUp> {
        self.0.poll_inbound(cx)
    }
    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }
    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.0.handle_timeout(cx);
    }
    fn accepts(&self, message: &SegmentUp) -> bool {
        self.0.accepts(message)
    }
}

#[test]
fn no_answer_is_no_success() {
    let mut world = World::build(&WorldConfig::default(), &mut |host, randomness| {
        let mut layers = host.layers(randomness)?;
        layers.tcp = Box::new(Mute(framewise::tcp::Tcp::new(host.tcp.clone(), randomness.fork("mute"))));
        Ok(layers.stacked())
    })
    .unwrap();
    let error = server(&mut world).return_page(80, says("never")).unwrap_err();
    assert!(error.to_string().contains("no layer says if it listens on port 80"), "{error}");
}

fn post(bytes: usize) -> Fetch {
    Fetch::post("http://shop.test/", "application/octet-stream", vec![0x5a; bytes])
}

#[test]
fn bodies_beyond_what_a_host_holds_are_refused() {
    let mut world = world();
    let length = |request: Request| Response::text(request.body.len().to_string());
    server(&mut world).return_page(80, length).unwrap();
    server(&mut world).hold_at_most(100_000);
    let status = |world: &mut World, bytes| {
        let page = world.runner.host(world.me).fetch(post(bytes)).unwrap();
        (page.head.status.as_u16(), page.head.headers.contains("Retry-After"))
    };
    let both = [(); 2].map(|()| world.runner.host(world.me).start(post(60_000)).unwrap());
    let mut statuses = both.map(|id| world.runner.host(world.me).finish(id).unwrap().head.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503], "there is room for one of the two");
    assert_eq!(status(&mut world, 100_001), (503, true), "one byte too many");
    assert_eq!(status(&mut world, 100_000), (200, false), "what was refused is not held");
    assert_eq!(status(&mut world, 100_000), (200, false), "what was answered is not held");
}

#[test]
fn a_stream_that_panics_ends_its_own_answer_only() {
    let mut world = world();
    let stream = |request: Request| {
        let is_bad = request.path() == "/bad";
        let pieces = (0..4).map(move |n| {
            assert!(!(is_bad && n == 2), "on purpose");
            Ok(Bytes::from_static(&[0x5a; 1_000]))
        });
        let body = Body::Stream { length: Some(4_000), pieces: Box::new(pieces) };
        Response::status(StatusCode::OK).with_body(body)
    };
    server(&mut world).return_page(80, stream).unwrap();
    let bad = world.runner.host(world.me).fetch_page("http://shop.test/bad");
    assert!(bad.is_err(), "a part is never taken for the page");
    let good = world.runner.host(world.me).fetch_page("http://shop.test/good").unwrap();
    assert_eq!(good.body.len(), 4_000);
}

/// Takes what is sent to `/here`, and says so of anything else without having looked at it.
struct Choosy;

impl Handler for Choosy {
    fn handle(&self, request: Request, answer: Answer) {
        let status = if self.wants_body(&request) { StatusCode::OK } else { StatusCode::NOT_FOUND };
        answer.respond(Response::text(request.body.len().to_string()).with_status(status));
    }

    fn wants_body(&self, request: &Request) -> bool {
        assert!(request.path() != "/panic", "on purpose");
        request.path() == "/here"
    }
}

#[test]
fn a_body_that_nobody_wants_is_refused_before_it_is_sent() {
    let mut world = world();
    server(&mut world).return_page(80, Choosy).unwrap();
    server(&mut world).collect_at_most(1_000_000);
    let mut put = |path: &str, bytes: usize, expects: bool| {
        let put = Fetch::new(Method::PUT, format!("http://shop.test{path}")).body(vec![0x5a; bytes]);
        let put = if expects { put.header("Expect", "100-continue") } else { put };
        let page = world.runner.host(world.me).fetch(put).unwrap();
        (page.head.status.as_u16(), page.text().into_owned())
    };
    // RFC 9110, section 10.1.1: whoever asks first is answered at once.
    assert_eq!(put("/there", 10, true), (404, "0".to_owned()));
    assert_eq!(put("/here", 10, true), (200, "10".to_owned()));
    assert_eq!(put("/here", 1_000_001, true).0, 413);
    // Of others a little is taken, so that the connection can go on.
    assert_eq!(put("/there", 10, false), (404, "10".to_owned()));
    assert_eq!(put("/there", 900_000, false), (404, "0".to_owned()));
    assert_eq!(put("/here", 900_000, false), (200, "900000".to_owned()));
    // A handler that can't say is asked for the answer.
    assert_eq!(put("/panic", 900_000, false).0, 500);
    assert_eq!(put("/here", 10, false), (200, "10".to_owned()));
}
