//! A pool behind the whole stack, in memory: clients fetch pages by frames, the dispatcher gives each request to a thread, and
//! the thread's time passes in the same simulated time as that of the frames.
//!
//! ```text
//!   me ── near ── router ── far ── shop.test ──► Inbox ──► Dispatcher ──► a thread, for the service time ──► the answer
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use framewise::core::Instant;
use framewise::core::seams::exchange::{BodyLength, ResponseHead};
use framewise::device::switch::PortId;
use framewise::http::{Answer, Handler, Request, Response};
use framewise::world::WorldError;
use framewise::{BodySink, Fetch, FetchError, FetchId, ServeError, World, WorldConfig};
use framewise_server::Dispatcher;
use framewise_server::dispatch::{Config, ConfigError, ConnKey, Order, RequestId, ThreadId};

/// Where the page is, by address: names are not what is measured.
const URL: &str = "http://203.0.113.80/";
/// Two to the router and two to the server in the world: none of it is work of a thread.
const NEAR: Duration = Duration::from_millis(1);

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answered {
    /// Requests that were answered.
    pub count: u64,
    /// How long was measured.
    pub time: Duration,
    /// Requests in the queue, the mean over time.
    pub mean_queue: f64,
    /// Frames that carried all that, on my wire.
    pub frames: u64,
}

impl Answered {
    /// Requests in a second.
    pub fn throughput(&self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// Why an experiment ended early.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The world can't be built.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Nothing can be served in it.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A client's fetch failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There can be no such pool.
    #[error(transparent)]
    Pool(#[from] ConfigError),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// `clients` each ask, wait for the answer, and ask again on the same connection, for `time`; each request takes a thread of
/// `pool` for `service`. What happens before all clients have their connections is not measured.
pub fn over_frames(
    pool: Config,
    clients: usize,
    service: Duration,
    time: Duration,
    seed: u64,
) -> Result<Answered, LabError> {
    let mut lab = Lab::new(pool, clients, service, seed)?;
    lab.run_for(service * 2 + Duration::from_millis(200))?;
    lab.dispatcher.measure_anew(lab.now());
    let frames = lab.frames();
    lab.run_for(time)?;
    let last = lab.dispatcher.snapshot(lab.now(), |_| None, |_| None);
    Ok(Answered {
        count: last.counts.answered,
        time,
        mean_queue: last.queue.mean,
        frames: lab.frames() - frames,
    })
}

/// What has come and nobody has looked at yet.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<VecDeque<Answer>>>);

impl Inbox {
    fn take(&self) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Handler for Inbox {
    fn handle(&self, _request: Request, mut answer: Answer) {
        // Simulated time goes on while a simulated thread works.
        answer.keep();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
    }
}

/// Hears that a client has its page.
struct Arrived {
    client: usize,
    arrived: Rc<RefCell<Vec<usize>>>,
}

impl BodySink for Arrived {
    fn head(&mut self, _head: &ResponseHead, _length: BodyLength) -> io::Result<()> {
        Ok(())
    }

    fn piece(&mut self, _data: &Bytes) -> io::Result<()> {
        self.arrived.borrow_mut().push(self.client);
        Ok(())
    }
}

struct Lab {
    world: World,
    service: Duration,
    inbox: Inbox,
    dispatcher: Dispatcher,
    answers: BTreeMap<RequestId, Answer>,
    /// When each thread has finished.
    at_work: BTreeSet<(Instant, RequestId, ThreadId)>,
    fetches: Vec<Option<FetchId>>,
    arrived: Rc<RefCell<Vec<usize>>>,
}

impl Lab {
    fn new(pool: Config, clients: usize, service: Duration, seed: u64) -> Result<Self, LabError> {
        let config =
            WorldConfig { seed, near_delay: NEAR, far_delay: NEAR, rate: None, ..WorldConfig::default() };
        let mut world = World::build(&config, &mut |host, randomness| {
            // Each client keeps its connection, and none is refused one.
            let mut host = host.clone();
            host.http.idle_connections = clients;
            host.http.idle_per_server = clients;
            host.tcp.backlog = host.tcp.backlog.max(clients);
            host.stack(randomness)
        })?;
        let inbox = Inbox::default();
        world.runner.host(world.server).return_page(80, inbox.clone())?;
        let dispatcher = Dispatcher::new(pool, world.runner.now());
        let mut lab = Lab {
            world,
            service,
            inbox,
            dispatcher,
            answers: BTreeMap::new(),
            at_work: BTreeSet::new(),
            fetches: vec![None; clients],
            arrived: Rc::default(),
        };
        lab.obey();
        lab.ask(0)?;
        // The first asks for MAC addresses. As many packets would not wait for them as there are clients.
        lab.run_for(service + Duration::from_millis(50))?;
        for client in 1..clients {
            lab.ask(client)?;
        }
        Ok(lab)
    }

    fn now(&self) -> Instant {
        self.world.runner.now()
    }

    fn frames(&mut self) -> u64 {
        let wire = self.world.runner.wire_mut(self.world.near);
        [PortId(0), PortId(1)].into_iter().map(|port| wire.counters(port).sent).sum()
    }

    fn run_for(&mut self, time: Duration) -> Result<(), LabError> {
        let end = self.now() + time;
        while self.now() < end {
            let finished = self.at_work.first().map_or(end, |(at, ..)| *at);
            let (inbox, arrived) = (self.inbox.clone(), self.arrived.clone());
            let something = |_: &mut _| !inbox.is_empty() || !arrived.borrow().is_empty();
            self.world.runner.run(Some(finished.min(end)), something)?;
            self.take_what_came();
            self.finish_work();
            self.ask_again()?;
        }
        Ok(())
    }

    fn take_what_came(&mut self) {
        while let Some(answer) = self.inbox.take() {
            let now = self.now();
            let request = self.dispatcher.handle_request(ConnKey(0), true, now);
            self.answers.insert(request, answer);
            self.obey();
        }
    }

    fn finish_work(&mut self) {
        let now = self.now();
        while let Some(&(at, request, thread)) = self.at_work.first()
            && at <= now
        {
            self.at_work.pop_first();
            if let Some(answer) = self.answers.remove(&request) {
                answer.respond(Response::text("done\n"));
            }
            self.dispatcher.handle_done(thread, now);
            self.obey();
        }
    }

    fn obey(&mut self) {
        while let Some(order) = self.dispatcher.poll() {
            let now = self.now();
            match order {
                Order::Start(process) => self.dispatcher.handle_ready(process, now),
                Order::Run { request, thread, .. } => {
                    self.at_work.insert((now + self.service, request, thread));
                }
                Order::Refuse { request, .. } | Order::Fail { request } | Order::Expire { request } => {
                    // Unanswered, it says 500 by itself.
                    self.answers.remove(&request);
                }
                Order::Cancel { .. } | Order::End(_) | Order::Kill(_) => {}
            }
        }
    }

    fn ask_again(&mut self) -> Result<(), LabError> {
        let arrived = std::mem::take(&mut *self.arrived.borrow_mut());
        for client in arrived {
            if let Some(fetch) = self.fetches[client].take() {
                self.world.runner.host(self.world.me).finish(fetch)?;
            }
            self.ask(client)?;
        }
        Ok(())
    }

    fn ask(&mut self, client: usize) -> Result<(), LabError> {
        let sink = Arrived { client, arrived: self.arrived.clone() };
        let fetch = self.world.runner.host(self.world.me).start(Fetch::get(URL).to_sink(sink))?;
        self.fetches[client] = Some(fetch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framewise_server::Model;

    const MS_20: Duration = Duration::from_millis(20);

    fn pool(threads: usize, queue: usize) -> Config {
        Config::new(Model::Threads, 1, threads, queue).expect("a pool")
    }

    #[test]
    fn k_threads_behind_frames_answer_k_divided_by_the_service_time() {
        for threads in [1, 4, 16] {
            let answered =
                over_frames(pool(threads, 1_000), 4 * threads, MS_20, MS_20 * 50, 1).expect("a run");
            assert_eq!(answered.count, threads as u64 * 50, "{threads} threads: {answered:?}");
            assert!(answered.frames > answered.count * 2, "by frames: {answered:?}");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_run() {
        let run = || over_frames(pool(3, 100), 10, MS_20, MS_20 * 20, 7).expect("a run");
        assert_eq!(run(), run());
    }

    #[test]
    fn fewer_clients_than_threads_wait_for_frames_alone() {
        // One client, 20 ms of work and 4 ms of way.
        let answered = over_frames(pool(8, 10), 1, MS_20, MS_20 * 60, 1).expect("a run");
        assert!((answered.throughput() - 1.0 / 0.024).abs() < 1.0, "{answered:?}");
        assert_eq!(answered.mean_queue, 0.0);
    }
}
