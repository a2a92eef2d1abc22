//! Bodies of requests that are never in memory as a whole: made as they are sent, taken as they come.

use std::io;

use bytes::Bytes;
use framewise::http::{Answer, Handler, Intake, Method, Request, Response, StatusCode};
use framewise::{Fetch, FetchError, Page, World};

/// Adds up what comes, and answers with the sum.
struct Adding {
    /// Panics at the piece of this number, if any.
    fails_at: Option<usize>,
}

#[derive(Default)]
struct Sum {
    bytes: usize,
    sum: u64,
    pieces: usize,
    fails_at: Option<usize>,
}

impl Handler for Adding {
    fn handle(&self, request: Request, answer: Answer) {
        answer.respond(Response::bytes("text/plain", request.body));
    }
    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        assert!(request.body.is_empty(), "only the head is there");
        Some(Box::new(Sum { fails_at: self.fails_at, ..Sum::default() }))
    }
}

impl Intake for Sum {
    fn piece(&mut self, data: &Bytes) {
        self.pieces += 1;
        assert!(self.fails_at != Some(self.pieces), "on purpose");
        self.bytes += data.len();
        self.sum += data.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
    fn finish(self: Box<Self>) -> Bytes {
        format!("{} bytes in several pieces: {}, their sum {}", self.bytes, self.pieces > 1, self.sum).into()
    }
}

/// A world whose server adds up, but collects no more than 1,000 bytes.
fn world(fails_at: Option<usize>) -> World {
    let mut world = World::new(12).expect("a world in memory");
    let mut server = world.runner.host(world.server);
    server.return_page(80, Adding { fails_at }).expect("port 80 is free");
    let length = |request: Request| Response::text(request.body.len().to_string());
    server.return_page(8080, length).expect("port 8080 is free");
    server.collect_at_most(1_000);
    world
}

/// As many pieces of 10,000 bytes, each a 1.
fn pieces(count: usize) -> Box<dyn Iterator<Item = io::Result<Bytes>> + Send> {
    Box::new((0..count).map(|_| Ok(Bytes::from_static(&[1; 10_000]))))
}

fn put(world: &mut World, length: Option<u64>, count: usize) -> Result<Page, FetchError> {
    let fetch = Fetch::new(Method::PUT, "http://shop.test/").body_stream(length, pieces(count));
    world.runner.host(world.me).fetch(fetch)
}

#[test]
fn a_body_is_made_as_it_is_sent_and_taken_as_it_comes() {
    let mut world = world(None);
    for length in [Some(2_000_000), None] {
        let page = put(&mut world, length, 200).unwrap();
        assert_eq!(page.text(), "2000000 bytes in several pieces: true, their sum 2000000", "{length:?}");
    }
    let nothing = put(&mut world, None, 0).unwrap();
    assert_eq!(nothing.text(), "0 bytes in several pieces: false, their sum 0");
}

#[test]
fn a_length_that_proves_wrong_is_an_error() {
    let mut world = world(None);
    for (length, what) in
        [(1_999_999, "it is longer than was said"), (2_000_001, "it is shorter than was said")]
    {
        let error = put(&mut world, Some(length), 200).unwrap_err();
        assert_eq!(error, FetchError::Source(what.to_owned()));
    }
}

#[test]
fn a_body_that_cannot_be_made_fails_its_fetch_alone() {
    let mut world = world(None);
    let breaks = pieces(30).chain(std::iter::once(Err(io::Error::other("the disk is gone"))));
    let fetch = Fetch::new(Method::PUT, "http://shop.test/").body_stream(None, Box::new(breaks));
    let error = world.runner.host(world.me).fetch(fetch).unwrap_err();
    assert_eq!(error, FetchError::Source("the disk is gone".to_owned()));
    assert!(put(&mut world, None, 1).is_ok());
}

#[test]
fn a_body_is_begun_only_where_there_is_a_connection() {
    let mut world = world(None);
    // The first address refuses; the stream could not be begun again for the second.
    world.runner.host(world.me).know(framewise::KnownAddress {
        host: "two.test".to_owned(),
        port: None,
        addresses: vec!["203.0.113.1".parse().unwrap(), "203.0.113.80".parse().unwrap()],
    });
    let fetch = Fetch::new(Method::PUT, "http://two.test/").body_stream(Some(20_000), pieces(2));
    let page = world.runner.host(world.me).fetch(fetch).unwrap();
    assert_eq!(page.text(), "20000 bytes in several pieces: true, their sum 20000");
}

#[test]
fn what_is_collected_has_a_limit_of_its_own() {
    let mut world = world(None);
    let status = |world: &mut World, length: Option<u64>, bytes: usize| {
        let body = std::iter::once(Ok(Bytes::from(vec![0; bytes])));
        let fetch = Fetch::new(Method::POST, "http://shop.test:8080/").body_stream(length, Box::new(body));
        world.runner.host(world.me).fetch(fetch).unwrap().head.status
    };
    for length in [Some(1_001), None] {
        assert_eq!(status(&mut world, length, 1_001), StatusCode::PAYLOAD_TOO_LARGE, "{length:?}");
    }
    for length in [Some(1_000), None] {
        assert_eq!(status(&mut world, length, 1_000), StatusCode::OK, "{length:?}");
    }
}

#[test]
fn who_panics_over_a_body_has_answered_500() {
    let mut world = world(Some(1));
    let page = put(&mut world, Some(10_000), 1).unwrap();
    assert_eq!(page.head.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(put(&mut world, None, 0).unwrap().head.status, StatusCode::OK);
}
