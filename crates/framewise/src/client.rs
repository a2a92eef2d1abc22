//! The application half that fetches: from a URL to a page, step by step.
//!
//! ```text
//!   start ─► Naming ─► Connecting ─► Waiting ─► Receiving ─► done
//!              │ no name   │ next address, or failed      │ a redirect, or a retry
//!              ▼           ▼                              └─► Naming
//! ```
//!
//! A response may lead on, to another URL or to another try: then it begins anew, as the same fetch.
//!
//! It only ever answers events with commands for the stack; the Runner carries both.

mod names;
mod onward;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use framewise_core::id::{ExchangeId, Opener, Slab};
use framewise_core::seams::exchange::{ExchangeDown, ExchangeError, ExchangeUp};
use framewise_core::seams::resolve::{Addresses, NameDown, ResolveError};
use framewise_core::{Cx, Either, Instant, Rng};
use framewise_http::Url;

use self::names::Naming;
use crate::error::FetchError;
use crate::fetch::{Fetch, FetchId, KnownAddress, Page};
use crate::running::{Running, Stage};
use crate::upload::Next;
use crate::window::Window;

/// Fetches that one host may have at a time: under way, or done and not taken.
const LIMIT: usize = 65_536;

/// What the application says to the stack.
pub(crate) type Command = Either<ExchangeDown, NameDown>;

/// All fetches of one host.
pub(crate) struct Client {
    fetches: BTreeMap<u64, Running>,
    exchanges: Slab<framewise_core::id::Exchange, u64>,
    deadlines: BTreeSet<(Instant, u64)>,
    finished: BTreeMap<u64, Result<Page, FetchError>>,
    next: u64,
    /// Names that fetches wait for.
    naming: BTreeMap<String, Naming>,
    /// Questions that no fetch asked, and their answers.
    asked: BTreeSet<u64>,
    answers: BTreeMap<u64, Result<Addresses, ResolveError>>,
    /// Addresses that need not be asked for.
    pub(crate) known: Vec<KnownAddress>,
    /// What is to be said to the stack.
    pub(crate) commands: VecDeque<Command>,
    rng: Rng,
}

impl Client {
    /// A host's fetches; what has to be unpredictable is drawn from `rng`.
    pub(crate) fn new(rng: Rng) -> Self {
        Client {
            fetches: BTreeMap::new(),
            exchanges: Slab::new(Opener::Upper, LIMIT),
            deadlines: BTreeSet::new(),
            finished: BTreeMap::new(),
            next: 0,
            naming: BTreeMap::new(),
            asked: BTreeSet::new(),
            answers: BTreeMap::new(),
            known: Vec::new(),
            commands: VecDeque::new(),
            rng,
        }
    }

    /// Begins a fetch.
    pub(crate) fn start(&mut self, mut fetch: Fetch, now: Instant) -> Result<FetchId, FetchError> {
        let url = Url::parse(&fetch.url)?;
        fetch.prepare(&url, &mut self.rng)?;
        if self.fetches.len() + self.finished.len() >= LIMIT {
            return Err(ExchangeError::TooMany(LIMIT).into());
        }
        let id = self.next;
        self.next += 1;
        let running = Running::new(fetch, url, now);
        for deadline in running.deadlines() {
            self.deadlines.insert((deadline, id));
        }
        self.fetches.insert(id, running);
        self.find_addresses(id, now);
        Ok(FetchId(id))
    }

    /// The outcome of a fetch, once, when there is one.
    pub(crate) fn take(&mut self, id: FetchId) -> Option<Result<Page, FetchError>> {
        self.finished.remove(&id.0)
    }

    /// Whether this fetch is under way.
    pub(crate) fn is_running(&self, id: FetchId) -> bool {
        self.fetches.contains_key(&id.0)
    }

    /// Gives a fetch up for this reason.
    pub(crate) fn give_up(&mut self, id: FetchId, reason: FetchError) {
        self.finish(id.0, Err(reason));
    }

    /// Ends a fetch of which nobody wants to hear any more.
    pub(crate) fn cancel(&mut self, id: FetchId) {
        self.give_up(id, FetchError::Cancelled);
        self.finished.remove(&id.0);
    }

    /// When a deadline is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// Ends the fetches whose time is over, and begins those that have waited.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx) {
        while let Some(&(at, id)) = self.deadlines.first().filter(|&&(at, _)| at <= cx.now) {
            self.deadlines.remove(&(at, id));
            let Some(running) = self.fetches.get(&id) else { continue };
            if let Some(error) = running.overdue(at) {
                self.failed(id, error, cx);
            } else if running.stage == (Stage::Waiting { until: at }) {
                self.ask_again(id, cx);
            }
        }
    }

    /// Takes what HTTP says about an exchange of ours.
    pub(crate) fn handle_exchange(&mut self, event: ExchangeUp, cx: &mut Cx) {
        let Some((exchange, id)) = event.exchange().and_then(|e| Some((e, *self.exchanges.get(e)?))) else {
            return;
        };
        let is_its = |running: &&mut Running| matches!(running.stage, Stage::Exchanging { exchange: its, .. } if its == exchange);
        let Some(running) = self.fetches.get_mut(&id).filter(is_its) else {
            // It was given up; only its end still counts.
            if matches!(event, ExchangeUp::Closed { .. }) {
                self.exchanges.remove(exchange);
            }
            return;
        };
        match event {
            ExchangeUp::Connected { connection, reused, .. } => {
                running.attempt.connected = cx.now;
                running.attempt.connection = Some((*connection, reused));
                running.upload.connected();
                self.send_body(id, exchange);
            }
            ExchangeUp::Writable { bytes, .. } => {
                running.upload.writable(bytes);
                self.send_body(id, exchange);
            }
            ExchangeUp::Response { head, body, .. } => {
                if let Err(error) = running.take_head(*head, body, cx.now) {
                    self.finish(id, Err(error));
                }
            }
            ExchangeUp::Body { data, .. } => self.take_piece(id, exchange, data, cx),
            ExchangeUp::End { .. } => {
                if let Err(error) = running.take_end() {
                    self.finish(id, Err(error));
                }
            }
            ExchangeUp::Closed { result, .. } => self.closed(id, exchange, result, cx),
            ExchangeUp::Request(_)
            | ExchangeUp::Refused(_)
            | ExchangeUp::Left(_)
            | ExchangeUp::Listening { .. } => {}
        }
    }

    fn take_piece(&mut self, id: u64, exchange: ExchangeId, data: Bytes, cx: &mut Cx) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let length = data.len();
        if let Err(error) = running.take_piece(data) {
            return self.finish(id, Err(error));
        }
        if running.has_seen_enough() {
            self.go_on(id, cx);
        } else if let Some(bytes) = running.attempt.window.take(length) {
            self.say(ExchangeDown::Grant { exchange, bytes });
        }
    }

    /// Begins with the next request of a fetch.
    fn begin(&mut self, id: u64, now: Instant) {
        self.change(id, |running| running.begin(now));
        self.find_addresses(id, now);
    }

    /// Changes a fetch, and with it the moments at which it wants to be called.
    fn change(&mut self, id: u64, change: impl FnOnce(&mut Running)) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        for deadline in running.deadlines() {
            self.deadlines.remove(&(deadline, id));
        }
        change(running);
        for deadline in running.deadlines() {
            self.deadlines.insert((deadline, id));
        }
    }

    /// Where to connect to: an address in the URL, a known one, or one that DNS finds.
    fn find_addresses(&mut self, id: u64, now: Instant) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let name = running.route.url().host().to_owned();
        let port = running.route.url().port();
        let is_known = |known: &&KnownAddress| known.host == name && known.port.is_none_or(|p| p == port);
        // What is known comes first: an address, too, may stand for another.
        if let Some(known) = self.known.iter().find(is_known) {
            running.found(known.addresses.iter().copied(), now);
        } else if let Some(address) = running.route.url().address() {
            running.found([address].into_iter(), now);
        } else {
            return self.ask_for(id, name);
        }
        self.try_next_address(id, now);
    }

    /// Sends the request to the next address that was not tried.
    fn try_next_address(&mut self, id: u64, now: Instant) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let Some(remote) = running.attempt.untried.pop_front() else { return };
        let Ok(exchange) = self.exchanges.insert(id) else {
            return self.finish(id, Err(ExchangeError::TooMany(LIMIT).into()));
        };
        running.stage = Stage::Exchanging { exchange, remote };
        running.attempt.window = Window::default();
        running.upload.begin();
        let request = running.request(exchange, remote, now);
        self.say(ExchangeDown::Request(Box::new(request)));
        self.send_body(id, exchange);
        self.say(ExchangeDown::Grant { exchange, bytes: Window::BYTES });
    }

    /// Sends as much of the request's body as there is room for.
    fn send_body(&mut self, id: u64, exchange: ExchangeId) {
        while let Some(next) = self.fetches.get_mut(&id).and_then(|running| running.upload.next()) {
            match next {
                Ok(Next::Piece(data)) => self.say(ExchangeDown::Body { exchange, data }),
                Ok(Next::End) => self.say(ExchangeDown::End { exchange }),
                Err(error) => self.finish(id, Err(FetchError::Source(error.to_string()))),
            }
        }
    }

    /// The exchange is over: with a page, with what leads to one, with an error, or with another address to try.
    fn closed(&mut self, id: u64, exchange: ExchangeId, result: Result<(), ExchangeError>, cx: &mut Cx) {
        self.exchanges.remove(exchange);
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let Stage::Exchanging { remote, .. } = running.stage else { return };
        let attempt = &mut running.attempt;
        match result {
            _ if attempt.ended && attempt.onward.is_some() => self.go_on(id, cx),
            _ if attempt.ended && attempt.head.is_some() => {
                let page = running.page(remote, cx.now);
                self.finish(id, page.ok_or(ExchangeError::Misuse("a response without a connection").into()));
            }
            Err(ExchangeError::Connection(reason)) if attempt.connection.is_none() => {
                // The first address is the one that the name stands for most; its failure is the one to tell.
                let first = attempt.refused.take().unwrap_or((remote, reason));
                if attempt.untried.is_empty() {
                    let (remote, reason) = first;
                    return self.failed(id, FetchError::Connect { remote, reason }, cx);
                }
                attempt.refused = Some(first);
                self.try_next_address(id, cx.now);
            }
            Err(error) => self.failed(id, error.into(), cx),
            Ok(()) => self.failed(id, ExchangeError::NoAnswer.into(), cx),
        }
    }

    /// Records the outcome, and cancels what may still be under way for it.
    fn finish(&mut self, id: u64, outcome: Result<Page, FetchError>) {
        self.leave_stage(id);
        let Some(running) = self.fetches.remove(&id) else { return };
        for deadline in running.deadlines() {
            self.deadlines.remove(&(deadline, id));
        }
        self.finished.insert(id, outcome);
    }

    /// Cancels what is under way for a fetch.
    fn leave_stage(&mut self, id: u64) {
        let Some(running) = self.fetches.get(&id) else { return };
        match running.stage {
            Stage::Naming => {
                let name = running.route.url().host().to_owned();
                self.stop_asking(id, &name);
            }
            Stage::Exchanging { exchange, .. } if self.exchanges.get(exchange).is_some() => {
                self.say(ExchangeDown::Cancel { exchange });
            }
            Stage::Exchanging { .. } | Stage::Waiting { .. } => {}
        }
    }

    fn say(&mut self, command: ExchangeDown) {
        self.commands.push_back(Either::Left(command));
    }

    fn say_of_names(&mut self, command: NameDown) {
        self.commands.push_back(Either::Right(command));
    }
}
