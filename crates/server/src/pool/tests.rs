//! Pools of real threads and processes, asked without a network. Children are this test program, run again.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use framewise_http::handler::response_head;
use framewise_http::{
    AnswerSink, Body, BodyLength, Gone, Headers, Intake, Method, Params, Pieces, RequestHead, Response,
    ResponseHead, StatusCode, Version, Watcher,
};

use super::*;
use crate::dispatch::{Model, ProcessId};
use crate::state::{self, State};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);
/// Tells the program that it is to be a child.
const MARKER: &str = "FRAMEWISE_SERVER_TESTS_CHILD";

/// What a client gets.
#[derive(Debug, PartialEq)]
enum Got {
    Head(u16, Option<String>),
    Body(usize),
    End,
    Abort,
    Note(&'static str, String),
}

/// A client that takes every byte at once; or none, until it is told to.
struct Client {
    got: Sender<Got>,
    watcher: Option<Arc<dyn Watcher>>,
    takes: bool,
    is_watched: bool,
}

impl AnswerSink for Client {
    fn head(&mut self, head: ResponseHead, _length: BodyLength) {
        let retry = head.headers.text("retry-after").map(str::to_owned);
        let _ = self.got.send(Got::Head(head.status.as_u16(), retry));
    }

    fn body(&mut self, data: Bytes) -> Result<(), Gone> {
        let _ = self.got.send(Got::Body(data.len()));
        if let Some(watcher) = self.watcher.clone().filter(|_| self.takes) {
            // As the Runner does it: from elsewhere.
            std::thread::spawn(move || watcher.taken(data.len()));
        }
        Ok(())
    }

    fn stream(&mut self, pieces: Pieces) {
        for piece in pieces.flatten() {
            let _ = self.body(piece);
        }
        self.end();
    }

    fn end(&mut self) {
        let _ = self.got.send(Got::End);
    }

    fn abort(&mut self) {
        let _ = self.got.send(Got::Abort);
    }

    fn watch(&mut self, watcher: Arc<dyn Watcher>) -> bool {
        self.watcher = Some(watcher);
        true
    }

    fn note(&mut self, topic: &'static str, text: &dyn Fn() -> String) {
        if self.is_watched {
            let _ = self.got.send(Got::Note(topic, text()));
        }
    }
}

fn ask_by(pool: &Pool, method: Method, target: &str, body: &'static [u8], takes: bool) -> Receiver<Got> {
    let (got, answer) = channel();
    ask_for(pool, method, target, body, Client { got, watcher: None, takes, is_watched: false });
    answer
}

fn ask_for(pool: &Pool, method: Method, target: &str, body: &'static [u8], client: Client) {
    let end = "192.0.2.1:80".parse().expect("an address");
    let head = RequestHead {
        method: method.clone(),
        target: target.into(),
        version: Version::Http11,
        headers: Headers::new(),
    };
    let connection = ConnInfo { local: end, remote: end, tls: None };
    let request = Request { head, connection, params: Params::default(), body: Bytes::from_static(body) };
    pool.handle(request, Answer::new(Box::new(client), &method));
}

fn ask(pool: &Pool, target: &str) -> Receiver<Got> {
    ask_by(pool, Method::GET, target, b"", true)
}

/// All that a client gets, bodies added up.
fn all(answer: &Receiver<Got>) -> (u16, usize, Got) {
    let (mut status, mut bytes) = (0, 0);
    loop {
        match answer.recv_timeout(SOON).expect("an answer") {
            Got::Head(code, _) => status = code,
            Got::Body(length) => bytes += length,
            Got::Note(..) => {}
            end => return (status, bytes, end),
        }
    }
}

/// Answers by what the target says.
fn handler() -> Arc<dyn Handler> {
    Arc::new(Tricks)
}

struct Tricks;

impl Handler for Tricks {
    fn handle(&self, request: Request, answer: Answer) {
        match request.path() {
            "/panic" => panic!("as the test wants it"),
            "/die" => std::process::abort(),
            "/die-late" => {
                let mut body =
                    answer.begin(response_head(StatusCode::OK, Headers::new()), BodyLength::Unknown);
                let _ = body.send(Bytes::from_static(b"begun"));
                std::process::abort();
            }
            "/sleep" => {
                state::during(State::Database, || std::thread::sleep(Duration::from_secs(2)));
                answer.respond(Response::text("slept"));
            }
            "/hang" => loop {
                std::thread::sleep(SOON);
            },
            "/long" => {
                let pieces = (0..100).map(|_| Ok(Bytes::from(vec![7; 20_000])));
                let body = Body::Stream { length: Some(2_000_000), pieces: Box::new(pieces) };
                answer.respond(Response::status(StatusCode::OK).with_body(body));
            }
            "/intake" => answer.respond(Response::bytes("text/plain", request.body)),
            _ => answer.respond(Response::text(format!("{} bytes", request.body.len()))),
        }
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        (request.path() == "/intake").then(|| Box::new(Counts(0)) as Box<dyn Intake>)
    }
}

/// Makes of a body its length.
struct Counts(usize);

impl Intake for Counts {
    fn piece(&mut self, data: &Bytes) {
        self.0 += data.len();
    }

    fn finish(self: Box<Self>) -> Bytes {
        self.0.to_string().into()
    }
}

/// Not a test of its own: what a child does.
#[cfg(unix)]
#[test]
fn is_a_child() {
    use std::os::fd::AsFd;
    if let Ok(threads) = std::env::var(MARKER) {
        let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("a socket");
        work(socket.into(), threads.parse().expect("a number"), handler()).expect("it works");
        std::process::exit(0);
    }
}

/// Children of this kind, which tell what happens to them.
#[cfg(unix)]
struct Family {
    command: fn(usize) -> Command,
    threads: usize,
    told: Sender<String>,
}

#[cfg(unix)]
impl Children for Family {
    fn command(&self, _process: ProcessId) -> Command {
        let mut command = (self.command)(self.threads);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn tell(&self, sentence: &str) {
        let _ = self.told.send(sentence.to_owned());
    }
}

#[cfg(unix)]
fn children(config: Config) -> Pool {
    let command = |threads: usize| {
        let mut command = Command::new(std::env::current_exe().expect("a program"));
        command.args(["--exact", "pool::tests::is_a_child", "--nocapture"]).env(MARKER, threads.to_string());
        command
    };
    let family = Family { command, threads: config.threads, told: channel().0 };
    Pool::processes(config, family).expect("a pool")
}

fn config(model: Model, processes: usize, threads: usize) -> Config {
    Config::new(model, processes, threads, 10).expect("a pool")
}

/// A pool of each kind, with so many threads in one process.
fn each_kind(threads: usize) -> Vec<Pool> {
    let here = Pool::threads(config(Model::Threads, 1, threads), handler()).expect("a pool");
    #[cfg(unix)]
    return vec![here, children(config(Model::Event, 1, threads))];
    #[cfg(not(unix))]
    vec![here]
}

/// Waits until the pool is so.
fn until(pool: &Pool, what: &str, so: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let began = std::time::Instant::now();
    loop {
        let now = pool.snapshot();
        if so(&now) {
            return now;
        }
        assert!(began.elapsed() < SOON, "waited in vain until {what}: {now:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn requests_are_answered_with_their_bodies() {
    for pool in each_kind(2) {
        assert_eq!(all(&ask(&pool, "/")), (200, 7, Got::End));
        static BODY: [u8; 1_000_000] = [1; 1_000_000];
        let posted = ask_by(&pool, Method::POST, "/", &BODY, true);
        assert_eq!(all(&posted), (200, "1000000 bytes".len(), Got::End));
        let taken_in = ask_by(&pool, Method::POST, "/intake", &BODY, true);
        assert_eq!(all(&taken_in), (200, "1000000".len(), Got::End), "the handler's intake has taken it");
        assert_eq!(all(&ask(&pool, "/intake")), (200, 0, Got::End), "and nothing where there is none");
        assert_eq!(all(&ask(&pool, "/long")), (200, 2_000_000, Got::End));
        let counts = until(&pool, "all are counted", |now| now.counts.answered == 5).counts;
        assert_eq!((counts.came, counts.outcomes()), (5, 5));
    }
}

#[test]
fn a_panic_is_one_500_and_its_thread_goes_on() {
    for pool in each_kind(1) {
        assert_eq!(all(&ask(&pool, "/panic")).0, 500);
        assert_eq!(all(&ask(&pool, "/")).0, 200);
    }
}

#[test]
fn what_a_thread_does_is_in_the_snapshot() {
    for pool in each_kind(1) {
        let answer = ask(&pool, "/sleep");
        let now =
            until(&pool, "it asks the database", |now| now.processes[0].threads.iter().any(|t| t.state == 4));
        assert_eq!(now.processes[0].threads[0].request.as_deref(), Some("GET /sleep"));
        assert_eq!(now.busy, 1);
        assert_eq!(all(&answer).0, 200);
        let now = until(&pool, "it waits", |now| now.busy == 0);
        let thread = &now.processes[0].threads[0];
        assert!(thread.times.states_us[3] > 1_000_000, "{thread:?}");
        assert_eq!((thread.state, thread.served), (1, 1));
    }
}

/// What whoever watches hears of a request, by topic.
fn told(answer: &Receiver<Got>) -> Vec<(&'static str, String)> {
    let all = std::iter::from_fn(|| answer.recv_timeout(SOON).ok());
    let until_end = all.take_while(|got| !matches!(got, Got::End | Got::Abort));
    until_end
        .filter_map(|got| if let Got::Note(topic, text) = got { Some((topic, text)) } else { None })
        .collect()
}

#[test]
fn whoever_watches_hears_who_worked_on_a_request_and_what_it_waited_for() {
    for pool in each_kind(1) {
        let ask = |target| {
            let (got, answer) = channel();
            let client = Client { got, watcher: None, takes: true, is_watched: true };
            ask_for(&pool, Method::GET, target, b"", client);
            answer
        };
        let slept = ask("/sleep");
        until(&pool, "it works", |now| now.busy == 1);
        let waited = ask("/waits");
        let slept = told(&slept);
        let [("given", given), ("done", done)] = &slept[..] else { panic!("{slept:?}") };
        assert!(given.starts_with("GET /sleep goes to thread 1 of process 0 (pid "), "{given}");
        assert!(given.ends_with(" ms in the queue (1 of 1 threads at work, 0 in the queue)"), "{given}");
        assert!(done.starts_with("thread 1 of process 0 is done with GET /sleep after "), "{done}");
        assert!(done.contains(", database "), "{done}");
        let waited = told(&waited);
        let [("waits", waits), ("given", given), ("done", _)] = &waited[..] else { panic!("{waited:?}") };
        assert_eq!(waits, "GET /waits waits in the queue, 0 before it (1 of 1 threads at work)");
        assert!(!given.contains(" after 0.00 ms in the queue"), "{given}");
    }
}

#[test]
fn a_thread_that_hangs_is_answered_for() {
    let most_service = Some(Duration::from_millis(200));
    let here = Config { most_service, ..config(Model::Threads, 1, 2) };
    let pool = Pool::threads(here, handler()).expect("a pool");
    assert_eq!(all(&ask(&pool, "/hang")).0, 504);
    assert_eq!(all(&ask(&pool, "/")).0, 200);
    assert!(pool.snapshot().processes[0].threads.iter().any(|thread| thread.stuck));
    #[cfg(unix)]
    {
        let pool = children(Config { most_service, ..config(Model::Event, 1, 1) });
        until(&pool, "it is ready", |now| now.processes[0].phase == "ready");
        assert_eq!(all(&ask(&pool, "/hang")).0, 504);
        assert_eq!(all(&ask(&pool, "/")).0, 200, "by another process");
        until(&pool, "the hung one is gone", |now| now.processes.len() == 1 && now.counts.died == 1);
    }
}

#[cfg(unix)]
#[test]
fn what_kills_its_process_is_tried_once_more_and_then_fails() {
    let pool = children(config(Model::Event, 2, 2));
    assert_eq!(all(&ask(&pool, "/die")).0, 502);
    assert_eq!(all(&ask_by(&pool, Method::POST, "/die", b"", true)).0, 502);
    let late = ask(&pool, "/die-late");
    assert_eq!(all(&late), (200, 5, Got::Abort), "what was begun is broken off");
    assert_eq!(all(&ask(&pool, "/")).0, 200);
    let counts = until(&pool, "all are replaced", |now| now.counts.died == 4).counts;
    assert_eq!((counts.again, counts.failed, counts.answered), (1, 3, 1), "{counts:?}");
}

#[cfg(unix)]
#[test]
fn a_child_sends_no_more_than_the_network_takes() {
    let pool = children(config(Model::Event, 1, 2));
    let slow = ask_by(&pool, Method::GET, "/long", b"", false);
    // The other thread of the same child is not held up.
    assert_eq!(all(&ask(&pool, "/long")), (200, 2_000_000, Got::End));
    let came: usize = slow.try_iter().map(|got| if let Got::Body(length) = got { length } else { 0 }).sum();
    assert!(came <= frame::WINDOW, "{came}");
    assert_eq!(pool.snapshot().busy, 1);
}

#[cfg(unix)]
#[test]
fn a_program_that_is_no_child_is_started_ever_more_slowly_and_nobody_waits_for_ever() {
    let wait = Some(Duration::from_millis(300));
    let config = Config { most_wait: wait, ..config(Model::Event, 1, 1) };
    let (tell, told) = channel();
    let family = Family { command: |_| Command::new("true"), threads: 1, told: tell };
    let pool = Pool::processes(config, family).expect("a pool");
    assert_eq!(all(&ask(&pool, "/")).0, 503);
    let first = told.recv_timeout(SOON).expect("a word about it");
    assert!(first.contains("ended with exit code 0"), "{first}");
    drop(pool);
    assert!(told.iter().count() < 8);
}

#[test]
fn a_pool_that_ends_breaks_off_what_is_under_way() {
    for pool in each_kind(1) {
        let (works, waits) = (ask(&pool, "/hang"), ask(&pool, "/"));
        until(&pool, "it works", |now| now.busy == 1);
        pool.end();
        assert_eq!(all(&waits).0, 503);
        assert_eq!(all(&works).0, 503);
        assert_eq!(all(&ask(&pool, "/")).0, 503, "and takes nothing more");
    }
}
