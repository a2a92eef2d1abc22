//! The application half that fetches: from a URL to a page, step by step.
//!
//! ```text
//!   start ─► Naming ─► Connecting ─► Waiting ─► Receiving ─► done
//!              │ no name   │ next address, or failed
//!              ▼           ▼
//! ```
//!
//! It only ever answers events with commands for the stack; the Runner carries both.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use framewise_core::id::{ExchangeId, Opener, Slab};
use framewise_core::seams::exchange::{ExchangeDown, ExchangeError, ExchangeUp};
use framewise_core::seams::resolve::{Addresses, NameDown, NameUp, ResolveError};
use framewise_core::{Either, Instant};
use framewise_http::Url;

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
}

/// A name that was asked for, and who waits for it.
struct Naming {
    query: u64,
    fetches: BTreeSet<u64>,
}

impl Client {
    pub(crate) fn new() -> Self {
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
        }
    }

    /// Begins a fetch.
    pub(crate) fn start(&mut self, fetch: Fetch, now: Instant) -> Result<FetchId, FetchError> {
        let url = Url::parse(&fetch.url)?;
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

    /// Asks DNS for a name.
    pub(crate) fn ask(&mut self, name: &str) -> u64 {
        let query = self.next;
        self.next += 1;
        self.asked.insert(query);
        self.say_of_names(NameDown::Resolve { query, name: name.to_owned() });
        query
    }

    /// Whether DNS has answered this question.
    pub(crate) fn is_answered(&self, query: u64) -> bool {
        self.answers.contains_key(&query)
    }

    /// What DNS answered; once. Where it has not answered yet, it need not any more.
    pub(crate) fn answer(&mut self, query: u64) -> Option<Result<Addresses, ResolveError>> {
        if self.asked.remove(&query) {
            self.say_of_names(NameDown::Cancel { query });
        }
        self.answers.remove(&query)
    }

    /// When a deadline is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// Ends the fetches whose time is over.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.deadlines.first().filter(|&&(at, _)| at <= now) {
            self.deadlines.remove(&(at, id));
            let Some(running) = self.fetches.get(&id) else { continue };
            if let Some(error) = running.overdue(at) {
                self.finish(id, Err(error));
            }
        }
    }

    /// Takes what DNS says.
    pub(crate) fn handle_name(&mut self, event: NameUp, now: Instant) {
        let NameUp::Resolved { query, result } = event;
        if self.asked.remove(&query) {
            self.answers.insert(query, result);
            return;
        }
        let asked = self.naming.iter().find(|(_, naming)| naming.query == query);
        let Some(name) = asked.map(|(name, _)| name.clone()) else { return };
        let waiting = self.naming.remove(&name).map(|naming| naming.fetches);
        for id in waiting.into_iter().flatten() {
            self.named(id, result.clone(), now);
        }
    }

    /// The name of this fetch has these addresses, or none.
    fn named(&mut self, id: u64, result: Result<Addresses, ResolveError>, now: Instant) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        match result {
            Ok(found) => {
                running.found(found.addresses.iter().copied(), now);
                running.name = Some(found);
                self.try_next_address(id);
            }
            Err(error) => self.finish(id, Err(error.into())),
        }
    }

    /// Takes what HTTP says about an exchange of ours.
    pub(crate) fn handle_exchange(&mut self, event: ExchangeUp, now: Instant) {
        let Some((exchange, id)) = event.exchange().and_then(|e| Some((e, *self.exchanges.get(e)?))) else {
            return;
        };
        let Some(running) = self.fetches.get_mut(&id) else {
            // It was given up; only its end still counts.
            if matches!(event, ExchangeUp::Closed { .. }) {
                self.exchanges.remove(exchange);
            }
            return;
        };
        match event {
            ExchangeUp::Connected { connection, reused, .. } => {
                running.connected = now;
                running.connection = Some((*connection, reused));
                running.upload.connected();
                self.send_body(id, exchange);
            }
            ExchangeUp::Writable { bytes, .. } => {
                running.upload.writable(bytes);
                self.send_body(id, exchange);
            }
            ExchangeUp::Response { head, body, .. } => {
                if let Err(error) = running.take_head(*head, body, now) {
                    self.finish(id, Err(error));
                }
            }
            ExchangeUp::Body { data, .. } => match running.take_piece(&data) {
                Ok(()) => {
                    if let Some(bytes) = running.window.take(data.len()) {
                        self.say(ExchangeDown::Grant { exchange, bytes });
                    }
                }
                Err(error) => self.finish(id, Err(error)),
            },
            ExchangeUp::End { .. } => running.ended = true,
            ExchangeUp::Closed { result, .. } => self.closed(id, exchange, result, now),
            ExchangeUp::Request(_) | ExchangeUp::Refused(_) | ExchangeUp::Listening { .. } => {}
        }
    }

    /// Where to connect to: an address in the URL, a known one, or one that DNS finds.
    fn find_addresses(&mut self, id: u64, now: Instant) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let name = running.url.host().to_owned();
        let port = running.url.port();
        let is_known = |known: &&KnownAddress| known.host == name && known.port.is_none_or(|p| p == port);
        // What is known comes first: an address, too, may stand for another.
        if let Some(known) = self.known.iter().find(is_known) {
            running.found(known.addresses.iter().copied(), now);
        } else if let Some(address) = running.url.address() {
            running.found([address].into_iter(), now);
        } else {
            return self.ask_for(id, name);
        }
        self.try_next_address(id);
    }

    /// Asks DNS for the name of a fetch, or waits with others that asked for the same name already.
    fn ask_for(&mut self, id: u64, name: String) {
        if let Some(naming) = self.naming.get_mut(&name) {
            naming.fetches.insert(id);
            return;
        }
        self.naming.insert(name.clone(), Naming { query: id, fetches: BTreeSet::from([id]) });
        self.say_of_names(NameDown::Resolve { query: id, name });
    }

    /// A fetch waits for its name no more; the last one takes the question back.
    fn stop_asking(&mut self, id: u64, name: &str) {
        let Some(naming) = self.naming.get_mut(name) else { return };
        naming.fetches.remove(&id);
        if naming.fetches.is_empty() {
            let query = naming.query;
            self.naming.remove(name);
            self.say_of_names(NameDown::Cancel { query });
        }
    }

    /// Sends the request to the next address that was not tried.
    fn try_next_address(&mut self, id: u64) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let Some(remote) = running.untried.pop_front() else { return };
        let Ok(exchange) = self.exchanges.insert(id) else {
            return self.finish(id, Err(ExchangeError::TooMany(LIMIT).into()));
        };
        running.stage = Stage::Exchanging { exchange, remote };
        running.window = Window::default();
        running.upload.begin();
        let request = running.request(exchange, remote);
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

    /// The exchange is over: with a page, with an error, or with another address to try.
    fn closed(&mut self, id: u64, exchange: ExchangeId, result: Result<(), ExchangeError>, now: Instant) {
        self.exchanges.remove(exchange);
        let Some(running) = self.fetches.get_mut(&id) else { return };
        let Stage::Exchanging { remote, .. } = running.stage else { return };
        match result {
            _ if running.ended && running.head.is_some() => {
                let page = running.page(remote, now);
                self.finish(id, page.ok_or(ExchangeError::Misuse("a response without a connection").into()));
            }
            Err(ExchangeError::Connection(reason)) if running.connection.is_none() => {
                // The first address is the one that the name stands for most; its failure is the one to tell.
                let first = running.refused.take().unwrap_or((remote, reason));
                if running.untried.is_empty() {
                    let (remote, reason) = first;
                    return self.finish(id, Err(FetchError::Connect { remote, reason }));
                }
                running.refused = Some(first);
                self.try_next_address(id);
            }
            Err(error) => self.finish(id, Err(error.into())),
            Ok(()) => self.finish(id, Err(ExchangeError::NoAnswer.into())),
        }
    }

    /// Records the outcome, and cancels what may still be under way for it.
    fn finish(&mut self, id: u64, outcome: Result<Page, FetchError>) {
        let Some(running) = self.fetches.remove(&id) else { return };
        for deadline in running.deadlines() {
            self.deadlines.remove(&(deadline, id));
        }
        match running.stage {
            Stage::Naming => self.stop_asking(id, running.url.host()),
            Stage::Exchanging { exchange, .. } if self.exchanges.get(exchange).is_some() => {
                self.say(ExchangeDown::Cancel { exchange });
            }
            Stage::Exchanging { .. } => {}
        }
        self.finished.insert(id, outcome);
    }

    fn say(&mut self, command: ExchangeDown) {
        self.commands.push_back(Either::Left(command));
    }

    fn say_of_names(&mut self, command: NameDown) {
        self.commands.push_back(Either::Right(command));
    }
}
