//! What a Runner's observer hears.
#![allow(clippy::unwrap_used)] // a failed step fails its test

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use framewise::core::observe::{Dropped, Note, Observer};
use framewise::http::{Answer, Handler, Request, Response};
use framewise::tls::{Config, Crypto, SimulatedCrypto, TimeSource};
use framewise::world::EPOCH;
use framewise::{HostConfig, Interface, Plug, World};

#[derive(Default)]
struct Ignored {
    host: String,
    heard: Vec<(String, &'static str)>,
}

impl Observer for Ignored {
    fn host(&mut self, name: &str) {
        name.clone_into(&mut self.host);
    }

    fn ignored(&mut self, dropped: &Dropped) {
        self.heard.push((self.host.clone(), dropped.reason));
    }
}

#[test]
fn what_is_for_others_is_told_too() {
    let mut world = World::new(7).unwrap();
    world.runner.host(world.server).return_page(80, |_: Request| Response::text("page")).unwrap();
    let rng = world.runner.randomness("bystander");
    let crypto = SimulatedCrypto::never_on_a_real_device(rng.fork("tls"));
    let tls = Config::new(TimeSource::starting_at(EPOCH), Crypto::Simulated(crypto));
    let interface = Interface::new("02:00:00:00:00:99".parse().unwrap(), ["192.0.2.99/24".parse().unwrap()]);
    let config = HostConfig::new("bystander", vec![interface], tls);
    let stack = config.stack(&rng).unwrap();
    let bystander = world.runner.add_host("bystander", stack, vec![Plug::Wire(world.near)]);

    let ignored = Rc::new(RefCell::new(Ignored::default()));
    world.runner.observe(ignored.clone());
    world.runner.host(world.me).fetch_page("http://shop.test/").unwrap();

    let told = ("bystander".to_owned(), "ARP for another station");
    assert!(ignored.borrow().heard.contains(&told), "{:?}", ignored.borrow().heard);
    let counters = world.runner.all_counters().find(|(name, _)| *name == "bystander").unwrap().1;
    assert_eq!(counters, world.runner.counters(bystander));
    assert!(counters.is_ignored("ethernet", "ARP for another station"));
}

/// Says who answers, from another thread, and counts how often that was made into a sentence.
struct Talks {
    made: Arc<AtomicUsize>,
}

impl Handler for Talks {
    fn handle(&self, _request: Request, mut answer: Answer) {
        let made = self.made.clone();
        std::thread::spawn(move || {
            answer.note("given", &|| {
                made.fetch_add(1, Ordering::Relaxed);
                "a thread answers".to_owned()
            });
            answer.respond(Response::text("page"));
        });
    }
}

#[derive(Default)]
struct Notes(Vec<(&'static str, &'static str, String)>);

impl Observer for Notes {
    fn noted(&mut self, note: &Note) {
        self.0.push((note.layer, note.topic, note.text.clone()));
    }
}

#[test]
fn what_a_handler_notes_is_told_and_made_only_if_somebody_watches() {
    let mut world = World::new(7).unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    world.runner.host(world.server).return_page(80, Talks { made: made.clone() }).unwrap();
    world.runner.host(world.me).fetch_page("http://shop.test/").unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 0, "nobody watches");

    let notes = Rc::new(RefCell::new(Notes::default()));
    world.runner.observe(notes.clone());
    world.runner.host(world.me).fetch_page("http://shop.test/").unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert!(notes.borrow().0.contains(&("app", "given", "a thread answers".to_owned())));
}
