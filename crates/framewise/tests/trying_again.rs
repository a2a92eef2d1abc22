//! What is tried again, when, and what never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use framewise::core::Instant;
use framewise::http::{Method, Request, Response, StatusCode};
use framewise::{Fetch, FetchError, Page, Retry, World};

/// A world whose server answers `status` so many times, with these fields, before it gives its page; and how often it was asked.
fn world(failures: u32, status: u16, fields: &'static [(&str, &str)]) -> (World, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let mut world = World::new(22).expect("a world in memory");
    let pages = move |request: Request| {
        if count.fetch_add(1, Ordering::Relaxed) >= failures {
            return Response::text(format!(
                "{} {}",
                request.head.method,
                String::from_utf8_lossy(&request.body)
            ));
        }
        let busy = Response::text("busy").with_status(StatusCode::from_u16(status).expect("a status"));
        fields.iter().fold(busy, |busy, (name, value)| busy.header(name, value))
    };
    world.runner.host(world.server).return_page(80, pages).expect("the port is free");
    (world, asked)
}

fn fetch(world: &mut World, fetch: Fetch) -> Result<Page, FetchError> {
    world.runner.host(world.me).fetch(fetch)
}

fn again(times: u32) -> Retry {
    Retry { times, delay: None, epoch: Some(framewise::world::EPOCH) }
}

fn get() -> Fetch {
    Fetch::get("http://shop.test/")
}

/// Whole seconds of simulated time.
fn seconds(from: Instant, to: Instant) -> u64 {
    (to - from).as_secs()
}

#[test]
fn a_busy_server_is_asked_again_later() {
    let (mut world, asked) = world(3, 503, &[]);
    let page = fetch(&mut world, get().retry(again(5))).unwrap();
    assert_eq!((page.text(), asked.load(Ordering::Relaxed)), ("GET ".into(), 4));
    let took = seconds(page.timings.started, page.timings.complete);
    assert_eq!(took, 1 + 2 + 4, "each wait is twice as long");
}

#[test]
fn what_comes_at_last_is_the_page() {
    let (mut world, asked) = world(9, 500, &[]);
    let page = fetch(&mut world, get().retry(again(2))).unwrap();
    assert_eq!((page.head.status.as_u16(), &page.text()[..]), (500, "busy"));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    let page = fetch(&mut world, get()).unwrap();
    assert_eq!(page.head.status.as_u16(), 500, "unless asked for, nothing is tried again");
}

#[test]
fn a_server_may_say_when() {
    let wait = |fields, delay| {
        let (mut world, _) = world(1, 429, fields);
        let page = fetch(&mut world, get().retry(Retry { delay, ..again(1) })).unwrap();
        (page.head.status.as_u16(), seconds(page.timings.started, page.timings.complete))
    };
    assert_eq!(wait(&[("Retry-After", "30")], None), (200, 30));
    assert_eq!(wait(&[("Retry-After", "30")], Some(Duration::from_secs(60))), (200, 60));
    assert_eq!(wait(&[], Some(Duration::from_secs(7))), (200, 7));
    let dates =
        &[("Date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("Retry-After", "Thu, 01 Jan 2026 00:00:45 GMT")];
    assert_eq!(wait(dates, None), (200, 45));
    let (mut world, _) = world(1, 429, &dates[1..]);
    let page = fetch(&mut world, get().retry(again(1))).unwrap();
    assert_eq!(seconds(Instant::ZERO, page.timings.complete), 45, "without a Date, by the run's clock");
    assert_eq!(wait(&[("Retry-After", "86400")], None), (429, 0), "a day is not waited for");
}

#[test]
fn nothing_is_waited_for_that_would_be_too_late() {
    let (mut world, asked) = world(9, 503, &[("Retry-After", "30")]);
    let page = fetch(&mut world, get().retry(again(9)).max_time(Duration::from_secs(70))).unwrap();
    assert_eq!((page.head.status.as_u16(), asked.load(Ordering::Relaxed)), (503, 3));
}

#[test]
fn what_is_not_passing_is_not_tried_again() {
    for status in [400, 401, 404, 501, 505] {
        let (mut world, asked) = world(1, status, &[]);
        let page = fetch(&mut world, get().retry(again(5))).unwrap();
        assert_eq!((page.head.status.as_u16(), asked.load(Ordering::Relaxed)), (status, 1));
    }
    let (mut world, _) = world(0, 200, &[]);
    let before = world.runner.now();
    fetch(&mut world, Fetch::get("http://nowhere.test/").retry(again(5))).unwrap_err();
    fetch(&mut world, Fetch::get("https://203.0.113.80:80/").retry(again(5))).unwrap_err();
    assert!(seconds(before, world.runner.now()) < 1, "neither a name nor TLS comes about by waiting");
}

#[test]
fn nothing_is_done_twice() {
    let (mut world, asked) = world(1, 503, &[]);
    let post = Fetch::post("http://shop.test/", "text/plain", "tea").retry(again(5));
    assert_eq!(fetch(&mut world, post).unwrap().head.status.as_u16(), 503, "POST may have been done");
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let (mut put_world, _) = self::world(1, 503, &[]);
    let put = Fetch::new(Method::PUT, "http://shop.test/").body("tea").retry(again(5));
    assert_eq!(fetch(&mut put_world, put).unwrap().text(), "PUT tea");

    let (mut gone, _) = self::world(1, 503, &[]);
    let pieces = Box::new(std::iter::once(Ok(Bytes::from_static(b"tea"))));
    let put = Fetch::new(Method::PUT, "http://shop.test/").body_stream(Some(3), pieces).retry(again(5));
    assert_eq!(fetch(&mut gone, put).unwrap().head.status.as_u16(), 503, "the body is gone");
}

#[test]
fn a_refused_connection_is_tried_again_for_every_method() {
    let mut world = World::new(23).expect("a world in memory");
    let (me, server) = (world.me, world.server);
    let post = Fetch::post("http://shop.test/", "text/plain", "tea").retry(again(3));
    let id = world.runner.host(me).start(post).unwrap();
    world.runner.run_for(Duration::from_millis(1_500)).unwrap();
    // Refused twice by now; then somebody listens.
    let page = |request: Request| Response::text(String::from_utf8_lossy(&request.body).into_owned());
    world.runner.host(server).return_page(80, page).unwrap();
    let page = world.runner.host(me).finish(id).unwrap();
    assert_eq!(page.text(), "tea");
    assert_eq!(seconds(page.timings.started, page.timings.complete), 3, "after 1 and 2 seconds");
}

#[test]
fn who_never_answers_is_given_up_in_the_end() {
    let (mut world, _) = world(0, 200, &[]);
    let nobody =
        Fetch::get("http://203.0.113.99/").retry(Retry { delay: Some(Duration::from_secs(1)), ..again(2) });
    let before = world.runner.now();
    let error = fetch(&mut world, nobody.connect_timeout(Duration::from_millis(500))).unwrap_err();
    assert!(matches!(error, FetchError::ConnectTimedOut { .. }), "{error}");
    assert_eq!((world.runner.now() - before).as_millis(), 3 * 500 + 2 * 1_000);
}

#[test]
fn a_fetch_that_waits_can_be_cancelled() {
    let (mut world, asked) = world(9, 503, &[]);
    let me = world.me;
    let id = world.runner.host(me).start(get().retry(again(9))).unwrap();
    world.runner.run_for(Duration::from_millis(500)).unwrap();
    world.runner.host(me).cancel(id);
    world.runner.run_for(Duration::from_secs(60)).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
