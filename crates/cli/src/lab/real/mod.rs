//! The same experiment in real time: real threads behind our stack on a TAP, and clients of the kernel's.
//!
//! ```text
//!   clients ── the kernel's TCP ── TAP ── our stack ── Pool ── a thread that sleeps for the service time
//!   (one thread of ours)               (this thread)       (k threads)
//! ```

mod clients;
#[cfg(feature = "shop")]
mod sqlite;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use framewise::core::Rng;
use framewise::core::seams::stream::{Endpoint, Security};
use framewise::http::{Answer, Handler, Request, Response};
use framewise_lab::threads::{Service, Throughput, Waiting, pool};
use framewise_lab::{Interval, theory};
use framewise_server::dispatch::Snapshot;
use framewise_server::simulate::Time;
use framewise_server::state::{State, during};
use framewise_server::{Model, Pool};

use self::clients::{Asks, PAGE, ask};
use crate::args::TapHost;
use crate::exit::{Failure, Kind};
use crate::live::{self, Live};
use crate::real;

const PORT: u16 = 80;
/// Clients for each thread.
const CLIENTS: usize = 3;
/// How long it goes before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);
/// Parts of a measurement whose means tell how well the whole is known.
const BATCHES: u32 = 20;
/// The part of what was predicted below which something else than threads is scarce.
const SHORT: f64 = 0.95;
/// The part of the processors' time above which it is they.
const BUSY: f64 = 0.85;

/// A host of ours on the TAP, whose pool is changed from figure to figure.
pub(super) struct Stage {
    live: Live,
    address: SocketAddr,
    current: Current,
    seed: u64,
}

/// Who answers now.
#[derive(Clone, Default)]
struct Current(Arc<Mutex<Option<Arc<Pool>>>>);

impl Current {
    fn set(&self, pool: Option<Arc<Pool>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = pool;
    }
}

impl Handler for Current {
    fn handle(&self, request: Request, answer: Answer) {
        let pool = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match pool {
            Some(pool) => pool.handle(request, answer),
            // Between two figures; its client is gone.
            None => answer.respond(Response::text(PAGE)),
        }
    }
}

/// Works on each request by sleeping: a thread is what is scarce here, not a processor.
struct Works {
    time: Time,
    rng: Mutex<Rng>,
}

impl Handler for Works {
    fn handle(&self, _request: Request, answer: Answer) {
        let time = self.time.draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner));
        during(State::Executes, || thread::sleep(time));
        answer.respond(Response::text(PAGE));
    }
}

/// What was measured in some seconds.
struct Measured {
    /// The pool at the end of each part; each part is measured anew.
    parts: Vec<Snapshot>,
    each: Duration,
    /// The part of the processors' time that this process took.
    busy: f64,
}

impl Measured {
    fn throughput(&self) -> f64 {
        let answered: u64 = self.parts.iter().map(|part| part.counts.answered).sum();
        answered as f64 / self.seconds()
    }

    fn came(&self) -> f64 {
        self.parts.iter().map(|part| part.counts.came).sum::<u64>() as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        self.each.as_secs_f64() * self.parts.len() as f64
    }

    fn queue(&self) -> f64 {
        self.parts.iter().map(|part| part.queue.mean).sum::<f64>() / self.parts.len() as f64
    }

    /// The mean time of work, in seconds, as the threads took it.
    fn service(&self) -> f64 {
        let worked: f64 =
            self.parts.iter().map(|part| part.service.mean_us as f64 * part.service.count as f64).sum();
        worked / 1e6 / self.parts.iter().map(|part| part.service.count as f64).sum::<f64>().max(1.0)
    }

    /// Threads in this state, the mean of what was seen at the end of each part.
    #[cfg(feature = "shop")]
    fn in_state(&self, state: State) -> f64 {
        let count = |part: &Snapshot| {
            let threads = part.processes.iter().flat_map(|process| &process.threads);
            threads.filter(|thread| thread.state == state.number()).count() as f64
        };
        self.parts.iter().map(count).sum::<f64>() / self.parts.len() as f64
    }

    /// The mean wait of each part, in seconds.
    fn waits(&self) -> Vec<f64> {
        self.parts.iter().map(|part| part.waiting.mean_us as f64 / 1e6).collect()
    }
}

impl Stage {
    pub(super) fn open(tap: &TapHost, seed: u64) -> Result<Self, Failure> {
        let Some(device) = tap.device() else {
            return Err(Failure::new(Kind::Usage, "on which TAP device?").next("the same with --tap fw0"));
        };
        let Some(address) = tap.address.first().map(|cidr| cidr.address) else {
            return Err(Failure::new(Kind::Usage, "which address shall our host have there?")
                .next("the same with --address 192.0.2.10/24, in the network of the TAP's own address"));
        };
        live::check_host(device, tap)?;
        let opened = live::open(device, tap.offload)?;
        let mut config = live::host_config("server", &opened, tap, real::tls_config());
        // As many connections as there are clients, all of this computer.
        config.http.connections_per_client = usize::MAX;
        config.http.exchanges = config.http.exchanges.max(MOST_REQUESTS);
        config.tcp.backlog = config.tcp.backlog.max(MOST_REQUESTS);
        let mut live = live::start(opened, &config, None)?;
        live.runner.set_spin(tap.spin());
        let current = Current::default();
        let endpoint = Endpoint { address: None, port: PORT };
        let served = live.runner.host(live.host).serve(endpoint, Security::Plain, Arc::new(current.clone()));
        served.map_err(|error| Failure::of_serve(&error))?;
        let address = SocketAddr::new(address, PORT);
        Ok(Stage { live, address, current, seed })
    }

    /// Throughput of so many threads.
    pub(super) fn throughput(
        &mut self,
        threads: usize,
        service: Duration,
        time: Duration,
    ) -> Result<(Throughput, Option<String>), Failure> {
        let clients = threads * CLIENTS;
        let works = self.works(Time::Constant(service));
        let found = self.measure(threads, works, Asks::Always(clients), time)?;
        let predicted = theory::capacity(threads, service.as_secs_f64());
        let measured = found.throughput();
        let limit =
            (measured < SHORT * predicted).then(|| limit(threads, measured / predicted, &found, service));
        Ok((Throughput { threads, predicted, measured, queue: found.queue(), frames: 0 }, limit))
    }

    /// Waiting of so many threads at this load. The prediction is for the requests that came and for the time that threads
    /// took, which is a little more than they were told to sleep.
    pub(super) fn waiting(
        &mut self,
        service: Service,
        threads: usize,
        mean: Duration,
        load: f64,
        time: Duration,
    ) -> Result<Waiting, Failure> {
        let rate = load * theory::capacity(threads, mean.as_secs_f64());
        let works = self.works(service.time(mean));
        let found = self.measure(threads, works, Asks::Random(rate), time)?;
        let predicted = service.predicted(found.came(), found.service(), threads);
        let mut measured = Interval::of(&found.waits());
        measured.count = found.parts.iter().map(|part| part.waiting.count as usize).sum();
        let predicted = predicted.unwrap_or(f64::INFINITY);
        Ok(Waiting { service, threads, load, predicted, measured, queue: found.queue() })
    }

    fn works(&self, time: Time) -> Arc<dyn Handler> {
        Arc::new(Works { time, rng: Mutex::new(Rng::from_seed(self.seed).fork("work")) })
    }

    /// So many threads of `works`, and clients, for some time.
    fn measure(
        &mut self,
        threads: usize,
        works: Arc<dyn Handler>,
        asks: Asks,
        time: Duration,
    ) -> Result<Measured, Failure> {
        let config =
            pool(Model::Threads, threads, MOST_REQUESTS).map_err(|error| Failure::new(Kind::Usage, error))?;
        let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
        let pool = Arc::new(Pool::threads(config, works).map_err(failed)?);
        self.current.set(Some(pool.clone()));
        let stop = AtomicBool::new(false);
        let (address, seed) = (self.address, self.seed);
        let measured = thread::scope(|scope| {
            let asking = scope.spawn(|| ask(address, asks, seed, &stop));
            let measured = self.watch(&pool, time, &|| asking.is_finished());
            stop.store(true, Ordering::Relaxed);
            match (measured, asking.join()) {
                (Ok(measured), Ok(Ok(0))) => Ok(measured),
                (_, Ok(Ok(refused))) => {
                    Err(std::io::Error::other(format!("{refused} requests were refused")))
                }
                (_, Ok(Err(error))) => Err(error),
                (_, Err(_)) => Err(std::io::Error::other("the clients broke off")),
            }
        });
        self.current.set(None);
        pool.end();
        measured.map_err(|error| {
            Failure::new(Kind::Connection, format!("the clients could not go on asking {address}: {error}"))
                .next(format!("framewise doctor --tap NAME --address {}/24", address.ip()))
        })
    }

    /// Drives the stack, and looks at the pool after each part.
    fn watch(
        &mut self,
        pool: &Pool,
        time: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> std::io::Result<Measured> {
        self.live.runner.run_for(WARM_UP)?;
        let each = time / BATCHES;
        let (began, mut parts) = (used(), Vec::new());
        for _ in 0..BATCHES {
            pool.measure_anew();
            let end = self.live.runner.now() + each;
            self.live.runner.run(Some(end), |_| is_over())?;
            parts.push(pool.snapshot());
        }
        let processors = thread::available_parallelism().map_or(1, usize::from) as f64;
        Ok(Measured { parts, each, busy: (used() - began) / time.as_secs_f64() / processors })
    }
}

/// Requests that may be under way.
const MOST_REQUESTS: usize = 8_192;

/// Why fewer were answered than threads could have.
fn limit(threads: usize, ratio: f64, found: &Measured, service: Duration) -> String {
    let with = format!(
        "With {threads} {}, {ratio:.2} of the prediction:",
        if threads == 1 { "thread" } else { "threads" }
    );
    let (took, told) = (found.service() * 1_000.0, service.as_secs_f64() * 1_000.0);
    if found.busy >= BUSY {
        format!(
            "{with} this process kept the processors busy for {:.0} % of the time, so there they are the limit, and not \
             threads.",
            found.busy * 100.0
        )
    } else if told / took < SHORT {
        format!(
            "{with} a thread took {took:.1} ms and not {told:.1}, for it was woken late: other programs had the \
             processors, of whose time this one took {:.0} %.",
            found.busy * 100.0
        )
    } else {
        format!(
            "{with} neither threads nor this process, which took {:.0} % of the processors' time, were the limit: the \
             clients' half is the kernel's.",
            found.busy * 100.0
        )
    }
}

/// Seconds of processor time that this process has used.
fn used() -> f64 {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    clock.tv_sec as f64 + clock.tv_nsec as f64 / 1e9
}
