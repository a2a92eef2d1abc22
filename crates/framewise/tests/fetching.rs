//! What a fetch leaves behind, what it takes, and who may look on.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use framewise::core::seams::datagram::{DatagramDown, DatagramUp};
use framewise::core::seams::exchange::{BodyLength, ExchangeError, ResponseHead};
use framewise::core::seams::resolve::{NameDown, NameUp};
use framewise::core::seams::{Datagrams, Names};
use framewise::core::{Cx, Layer};
use framewise::http::{Request, Response};
use framewise::{BodySink, Fetch, FetchError, HostMut, World, WorldConfig};
use framewise_trace::Recorder;

/// A DNS that never answers, and what it was told.
struct Silent(Rc<RefCell<Vec<NameDown>>>);

impl Layer for Silent {
    type Upper = Names;
    type Lower = Datagrams;

    fn name(&self) -> &'static str {
        "silent"
    }
    fn handle_outbound(&mut self, message: NameDown, _: &mut Cx) {
        self.0.borrow_mut().push(message);
    }
    fn handle_inbound(&mut self, _: DatagramUp, _: &mut Cx) {}
    fn poll_outbound(&mut self, _: &mut Cx) -> Option<DatagramDown> {
        None
    }
    fn poll_inbound(&mut self, _: &mut Cx) -> Option<NameUp> {
        None
    }
}

/// A world in which my DNS is silent, and what it hears.
fn silent_world() -> (World, Rc<RefCell<Vec<NameDown>>>) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let world = World::build(&WorldConfig::default(), &mut |host, randomness| {
        let mut layers = host.layers(randomness)?;
        if host.name == "me" {
            layers.dns = Box::new(Silent(heard.clone()));
        }
        Ok(layers.stacked())
    });
    (world.expect("a world in memory"), heard)
}

fn me(world: &mut World) -> HostMut<'_> {
    world.runner.host(world.me)
}

#[test]
fn the_last_who_waits_for_a_name_takes_the_question_back() {
    let (mut world, heard) = silent_world();
    let fetches = [(); 2].map(|()| me(&mut world).start(Fetch::get("http://shop.test/")).unwrap());
    let told = |world: &mut World| {
        world.runner.run_until(|_| false).unwrap();
        heard.borrow_mut().drain(..).collect::<Vec<_>>()
    };
    let [NameDown::Resolve { query, .. }] = told(&mut world)[..] else { panic!("one question for both") };
    me(&mut world).cancel(fetches[0]);
    assert_eq!(told(&mut world), [], "another fetch still waits");
    me(&mut world).cancel(fetches[1]);
    assert_eq!(told(&mut world), [NameDown::Cancel { query }]);
}

#[test]
fn a_name_looked_up_in_vain_is_asked_for_no_more() {
    let (mut world, heard) = silent_world();
    let error = me(&mut world).look_up("shop.test").unwrap_err();
    assert!(matches!(error, FetchError::Stuck), "{error:?}");
    world.runner.turn().unwrap();
    let heard = heard.borrow();
    let [NameDown::Resolve { query: asked, .. }, NameDown::Cancel { query }] = &heard[..] else {
        panic!("a question, and its end: {heard:?}")
    };
    assert_eq!(asked, query);
}

#[test]
fn nothing_is_left_of_a_cancelled_fetch() {
    let mut world = World::new(13).unwrap();
    let fetch = me(&mut world).start(Fetch::get("http://203.0.113.80/")).unwrap();
    me(&mut world).cancel(fetch);
    assert!(!me(&mut world).is_fetching(fetch));
    assert!(me(&mut world).finished(fetch).is_none());
    assert_eq!(me(&mut world).finish(fetch).unwrap_err(), FetchError::Cancelled);
}

#[test]
fn outcomes_that_nobody_takes_have_a_bound() {
    let mut world = World::new(13).unwrap();
    let start = |world: &mut World| me(world).start(Fetch::get("http://nowhere.test/"));
    let first = start(&mut world).unwrap();
    let mut last = first;
    while let Ok(next) = start(&mut world) {
        last = next;
    }
    world.runner.run_until(|_| false).unwrap();
    assert!(!me(&mut world).is_fetching(last), "all are done");
    let error = start(&mut world).unwrap_err();
    assert!(matches!(error, FetchError::Exchange(ExchangeError::TooMany(_))), "{error:?}");
    assert!(me(&mut world).finished(first).is_some_and(|outcome| outcome.is_err()));
    start(&mut world).expect("there is room for one more");
}

/// Counts what it is given, and looks at a recording meanwhile.
struct Counting {
    taken: Rc<RefCell<usize>>,
    recorder: Rc<RefCell<Recorder>>,
}

impl BodySink for Counting {
    fn head(&mut self, _: &ResponseHead, _: BodyLength) -> io::Result<()> {
        assert!(!self.recorder.borrow().is_empty(), "the request was seen");
        Ok(())
    }
    fn piece(&mut self, data: &Bytes) -> io::Result<()> {
        assert!(!self.recorder.borrow().is_empty(), "the request was seen");
        *self.taken.borrow_mut() += data.len();
        Ok(())
    }
}

/// Fetches a page of 100,000 bytes into a sink, and says how many it was given.
fn fetch_to_sink(change: impl FnOnce(Fetch) -> Fetch) -> (Result<framewise::Page, FetchError>, usize) {
    let mut world = World::new(14).expect("a world in memory");
    let page = |_: Request| Response::bytes("application/octet-stream", vec![0x5a; 100_000]);
    world.runner.host(world.server).return_page(80, page).expect("the port is free");
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    world.runner.observe(recorder.clone());
    let taken = Rc::new(RefCell::new(0));
    let sink = Counting { taken: taken.clone(), recorder };
    let outcome = me(&mut world).fetch(change(Fetch::get("http://shop.test/").to_sink(sink)));
    let taken = *taken.borrow();
    (outcome, taken)
}

#[test]
fn a_sink_may_look_at_the_run_that_feeds_it() {
    let (outcome, taken) = fetch_to_sink(|fetch| fetch);
    assert_eq!((outcome.unwrap().received, taken), (100_000, 100_000));
}

#[test]
fn a_limit_that_was_set_holds_for_a_sink_too() {
    let (outcome, taken) = fetch_to_sink(|fetch| fetch.max_body(50_000));
    assert_eq!(outcome.unwrap_err(), FetchError::TooLarge { limit: 50_000 });
    assert!(taken <= 50_000, "{taken} bytes were given to the sink");
    let (outcome, _) = fetch_to_sink(|fetch| fetch.max_body(100_000));
    assert_eq!(outcome.unwrap().received, 100_000);
}
