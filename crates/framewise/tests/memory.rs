//! Pages in memory: what a user of the crate does first.

use std::time::Duration;

use bytes::Bytes;
use framewise::core::seams::segment::{SegmentDown, SegmentUp};
use framewise::core::seams::stream::{CloseReason, StreamDown, StreamUp, TlsErrorKind};
use framewise::core::seams::{Segments, Streams};
use framewise::core::{Cx, Instant, Layer};
use framewise::http::handler::{Answer, Handler};
use framewise::http::{Body, Request, Response, StatusCode, UrlError};
use framewise::{Fetch, FetchError, World, WorldConfig};

/// A world whose server answers every path with the path, over http and https.
fn world(seed: u64) -> World {
    world_with(&WorldConfig { seed, ..WorldConfig::default() })
}

fn world_with(config: &WorldConfig) -> World {
    let mut world = World::with(config).expect("a world can be built");
    let mut server = world.runner.host(world.server);
    server.return_page(80, answer).expect("port 80 is free");
    server.return_page_secure(443, answer).expect("port 443 is free");
    world
}

fn answer(request: Request) -> Response {
    match request.path() {
        "/large" => Response::bytes("application/octet-stream", large()),
        "/echo" => Response::bytes("application/octet-stream", request.body),
        path => Response::text(format!("page {path}")),
    }
}

fn large() -> Vec<u8> {
    (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn fetch(world: &mut World, url: &str) -> Result<framewise::Page, FetchError> {
    world.runner.host(world.me).fetch_page(url)
}

#[test]
fn a_page_travels_over_http_and_https() {
    let mut world = world(1);
    for url in
        ["http://shop.test/a", "https://shop.test/a", "http://203.0.113.80/a", "http://[2001:db8:2::80]/a"]
    {
        let page = fetch(&mut world, url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(page.text(), "page /a", "{url}");
        assert_eq!(page.head.status, 200, "{url}");
        assert_eq!(page.connection.tls.is_some(), url.starts_with("https"), "{url}");
    }
    for host in [world.me, world.router, world.server] {
        let drops: Vec<_> = world.runner.counters(host).iter().collect();
        assert!(drops.is_empty(), "{} dropped {drops:?}", world.runner.name(host));
    }
}

#[test]
fn a_large_page_is_whole_and_a_large_form_arrives_whole() {
    let mut world = world(2);
    for scheme in ["http", "https"] {
        let page = fetch(&mut world, &format!("{scheme}://shop.test/large")).unwrap();
        assert_eq!(page.body, large(), "{scheme}");
        let form = Fetch::post(format!("{scheme}://shop.test/echo"), "application/octet-stream", large());
        let page = world.runner.host(world.me).fetch(form).unwrap();
        assert_eq!(page.body, large(), "{scheme}");
    }
}

#[test]
fn a_streamed_page_leaves_its_connection_to_the_next() {
    let mut world = world(2);
    let stream = |_: Request| {
        let pieces = (0..16).map(|_| Ok(Bytes::from_static(&[0x5a; 4_096])));
        let body = Body::Stream { length: Some(16 * 4_096), pieces: Box::new(pieces) };
        Response::status(StatusCode::OK).with_body(body)
    };
    world.runner.host(world.server).return_page(8080, stream).unwrap();
    for (n, reused) in [(1, false), (2, true), (3, true)] {
        let page =
            fetch(&mut world, "http://shop.test:8080/").unwrap_or_else(|error| panic!("page {n}: {error}"));
        assert_eq!((page.body.len(), page.reused), (16 * 4_096, reused), "page {n}");
    }
}

#[test]
fn many_fetches_are_under_way_at_once() {
    let mut world = world(3);
    let ids: Vec<_> = (0..200)
        .map(|i| {
            let scheme = if i % 2 == 0 { "http" } else { "https" };
            let fetch = Fetch::get(format!("{scheme}://shop.test/{i}"));
            (i, world.runner.host(world.me).start(fetch).unwrap())
        })
        .collect();
    for (i, id) in ids {
        let page = world.runner.host(world.me).finish(id).unwrap_or_else(|error| panic!("{i}: {error}"));
        assert_eq!(page.text(), format!("page /{i}"));
    }
}

#[test]
fn failures_are_named() {
    let mut world = world(4);
    let fails = |world: &mut World, url: &str| fetch(world, url).expect_err(url);
    assert!(matches!(fails(&mut world, "http://nowhere.test/"), FetchError::Name(_)));
    assert!(matches!(fails(&mut world, "ftp://shop.test/"), FetchError::Url(UrlError::Scheme { .. })));
    let refused = fails(&mut world, "http://shop.test:81/");
    assert!(matches!(refused, FetchError::Connect { reason: CloseReason::Refused, .. }), "{refused:?}");
    let absent = fails(&mut world, "http://203.0.113.99/");
    assert!(matches!(absent, FetchError::Connect { reason: CloseReason::Unreachable(_), .. }), "{absent:?}");
    let plain = fails(&mut world, "https://shop.test:80/");
    assert!(
        matches!(&plain, FetchError::Connect { reason: CloseReason::Tls(e), .. } if e.kind == TlsErrorKind::PlainHttp),
        "{plain:?}"
    );
}

#[test]
fn deadlines_hold_in_simulated_time() {
    let mut world = world(5);
    let near = world.near;
    let cut = |world: &mut World| {
        let port = framewise::device::switch::PortId(0);
        world.runner.wire_mut(near).set_link(port, false);
    };
    cut(&mut world);
    let began = world.runner.now();
    let fetch = Fetch::get("http://203.0.113.80/").connect_timeout(Duration::from_millis(700));
    let error = world.runner.host(world.me).fetch(fetch).unwrap_err();
    assert!(matches!(error, FetchError::ConnectTimedOut { .. }), "{error:?}");
    assert_eq!(world.runner.now() - began, Duration::from_millis(700));
}

#[test]
fn a_handler_may_answer_later_from_another_thread() {
    let mut world = World::new(6).unwrap();
    world.runner.host(world.server).return_page(80, Later).unwrap();
    let page = fetch(&mut world, "http://shop.test/thread").unwrap();
    assert_eq!(page.text(), "later: /thread");
}

struct Later;

impl Handler for Later {
    fn handle(&self, request: Request, answer: Answer) {
        std::thread::spawn(move || answer.respond(Response::text(format!("later: {}", request.path()))));
    }
}

#[test]
fn a_handler_that_panics_is_one_500() {
    let mut world = World::new(7).unwrap();
    let handler = |request: Request| match request.path() {
        "/bad" => panic!("on purpose"),
        _ => Response::text("fine"),
    };
    world.runner.host(world.server).return_page(80, handler).unwrap();
    assert_eq!(fetch(&mut world, "http://shop.test/bad").unwrap().head.status, 500);
    assert_eq!(fetch(&mut world, "http://shop.test/good").unwrap().text(), "fine");
}

/// A TCP whose timer is always due: a mistake that a student's layer may have.
struct Restless(framewise::tcp::Tcp);

impl Layer for Restless {
    type Upper = Streams;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        "restless"
    }
    fn handle_outbound(&mut self, message: StreamDown, cx: &mut Cx) {
        self.0.handle_outbound(message, cx);
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
        Some(Instant::ZERO)
    }
    fn accepts(&self, message: &SegmentUp) -> bool {
        self.0.accepts(message)
    }
}

#[test]
fn a_timer_that_stays_due_is_an_error_and_no_hang() {
    let built = World::build(&WorldConfig::default(), &mut |host, randomness| {
        let mut layers = host.layers(randomness)?;
        if host.name == "me" {
            layers.tcp =
                Box::new(Restless(framewise::tcp::Tcp::new(host.tcp.clone(), randomness.fork("restless"))));
        }
        Ok(layers.stacked())
    });
    let error = built.err().expect("time can't pass in this world");
    assert!(error.to_string().contains("a timer of me stays due"), "{error}");
}
