//! Handlers that answer later: from another thread, or when another request comes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use framewise::core::Instant;
use framewise::core::seams::exchange::{BodyLength, Headers};
use framewise::http::handler::{Answer, Handler, response_head};
use framewise::http::{Request, Response, StatusCode};
use framewise::{Ended, Fetch, FetchError, HostMut, World};
use framewise_trace::Recorder;

fn world(handler: impl Handler + 'static) -> World {
    let mut world = World::new(11).expect("a world in memory");
    world.runner.host(world.server).return_page(80, handler).expect("the port is free");
    world
}

fn me(world: &mut World) -> HostMut<'_> {
    world.runner.host(world.me)
}

/// Writes 4 MB from a thread that is slow now and then, at every `slow`th piece.
struct Writer {
    slow: usize,
}

impl Handler for Writer {
    fn handle(&self, _: Request, answer: Answer) {
        let slow = self.slow;
        thread::spawn(move || {
            let mut body = answer.begin(response_head(StatusCode::OK, Headers::new()), BodyLength::Unknown);
            for n in 0..64_usize {
                if n % slow == 0 {
                    (0..1_000).for_each(|_| thread::yield_now());
                }
                if body.send(Bytes::from(vec![n as u8; 65_000])).is_err() {
                    return;
                }
            }
            body.finish();
        });
    }
}

#[test]
fn the_speed_of_a_thread_makes_no_difference_to_a_single_byte() {
    let run = |slow| {
        let mut world = world(Writer { slow });
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        world.runner.observe(recorder.clone());
        let page = me(&mut world).fetch_page("http://shop.test/").unwrap();
        assert_eq!(page.body.len(), 64 * 65_000);
        let trace = recorder.borrow().trace();
        let frames: Vec<_> = trace.frames("me").map(|f| (f.now, trace.bytes(f).to_vec())).collect();
        (page.timings, frames)
    };
    let (timings, frames) = run(100);
    for slow in [1, 2, 7] {
        let (other_timings, other_frames) = run(slow);
        assert_eq!(other_timings, timings, "slow at every piece number {slow}");
        assert!(other_frames == frames, "the same frames, slow at every piece number {slow}");
    }
}

/// Answers `/wait` when `/go` comes.
struct Meeting {
    kept: Mutex<Option<Answer>>,
    says_so: bool,
}

impl Meeting {
    fn new(says_so: bool) -> Self {
        Meeting { kept: Mutex::new(None), says_so }
    }
}

impl Handler for Meeting {
    fn handle(&self, request: Request, mut answer: Answer) {
        let mut kept = self.kept.lock().expect("no handler panics");
        if request.path() == "/wait" {
            if self.says_so {
                answer.keep();
            }
            *kept = Some(answer);
            return;
        }
        if let Some(kept) = kept.take() {
            kept.respond(Response::text("they are here"));
        }
        answer.respond(Response::text("I am here"));
    }
}

#[test]
fn time_goes_on_while_an_answer_is_kept() {
    let mut world = world(Meeting::new(true));
    let waiting = me(&mut world).start(Fetch::get("http://203.0.113.80/wait")).unwrap();
    let began = world.runner.now();
    world.runner.run_for(Duration::from_secs(20)).unwrap();
    assert_eq!(world.runner.now() - began, Duration::from_secs(20));
    assert!(me(&mut world).is_fetching(waiting));
    assert_eq!(me(&mut world).fetch_page("http://203.0.113.80/go").unwrap().text(), "I am here");
    assert_eq!(me(&mut world).finish(waiting).unwrap().text(), "they are here");
}

#[test]
fn an_answer_kept_without_a_word_is_waited_for_with_patience_only() {
    let mut world = world(Meeting::new(false));
    world.runner.set_patience(Duration::ZERO);
    let began = world.runner.now();
    let fetch = Fetch::get("http://203.0.113.80/wait").max_time(Duration::from_secs(3));
    let error = me(&mut world).fetch(fetch).unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { .. }), "{error:?}");
    assert_eq!(world.runner.now() - began, Duration::from_secs(3));
}

#[test]
fn time_goes_on_when_nobody_wants_the_answer() {
    let mut world = world(Meeting::new(false));
    let fetch = me(&mut world).start(Fetch::get("http://203.0.113.80/wait")).unwrap();
    world.runner.turn().unwrap();
    me(&mut world).cancel(fetch);
    let end = Instant::from_secs(100);
    assert_eq!(world.runner.run(Some(end), |_| false).unwrap(), Ended::Deadline);
}

#[test]
fn what_is_begun_while_the_runner_asks_if_it_is_done_is_not_forgotten() {
    let mut world = world(|_: Request| Response::text("yes"));
    world.runner.run_until(|_| false).unwrap();
    let (me, mut fetch) = (world.me, None);
    let ended = world.runner.run(None, |runner| {
        let mut me = runner.host(me);
        let fetch = *fetch.get_or_insert_with(|| me.start(Fetch::get("http://203.0.113.80/")).unwrap());
        !me.is_fetching(fetch)
    });
    assert_eq!(ended.unwrap(), Ended::Done);
}
