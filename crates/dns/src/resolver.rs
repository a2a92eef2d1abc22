//! The stub resolver: asks servers for addresses, believes only what answers its questions, remembers it.
//!
//! Read first: RFC 1035 section 7 (resolvers); RFC 5452 section 9 (unpredictable ids and ports, one question at a
//! time); RFC 6761 section 6.3 (localhost); RFC 8305 section 3 (A and AAAA at once).
//!
//! A *lookup* is a name that somebody waits for. It needs one or more *questions*, two at a time; lookups that need the
//! same question share it, so that a forger never has two equal ones to guess at. All that a question leaves
//! is an entry in the *cache*.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use framewise_core::seams::datagram::{Datagram, DatagramDown};
use framewise_core::seams::resolve::{Addresses, NameUp, ResolveError};
use framewise_core::seams::segment::ErrorKind;
use framewise_core::time::earliest;
use framewise_core::{Cx, Instant, Rng};

use crate::cache::{Cache, Key, Known};
use crate::config::{Config, Family};
use crate::layer::NAME;
use crate::lookup::Lookup;
use crate::message::Message;
use crate::name::Name;
use crate::question::{PORT, Question, Stage};
use crate::reply;

/// The lowest port that a question is asked from (RFC 6056 section 3.2).
const FIRST_PORT: u16 = 1_024;
/// No configuration may have more lookups: each takes two ports, and finding a free one must stay easy.
const MAX_LOOKUPS: usize = 8_192;

/// The asking half of a DNS layer.
#[derive(Debug)]
pub(crate) struct Resolver {
    config: Config,
    rng: Rng,
    cache: Cache,
    /// By the number that the asker gave.
    lookups: BTreeMap<u64, Lookup>,
    /// By the port that each is asked from.
    questions: BTreeMap<u16, Question>,
    /// How many questions were put on their way.
    asked: u64,
    /// Ports to be given back.
    closing: VecDeque<u16>,
    answers: VecDeque<NameUp>,
}

impl Resolver {
    pub(crate) fn new(mut config: Config, rng: Rng) -> Self {
        config.limits.lookups = config.limits.lookups.min(MAX_LOOKUPS);
        Resolver {
            cache: Cache::new(config.limits.cached),
            config,
            rng,
            lookups: BTreeMap::new(),
            questions: BTreeMap::new(),
            asked: 0,
            closing: VecDeque::new(),
            answers: VecDeque::new(),
        }
    }

    /// Somebody asks for the addresses of a name.
    pub(crate) fn resolve(&mut self, query: u64, text: String, cx: &mut Cx) {
        if self.lookups.contains_key(&query) {
            return cx.dropped(NAME, "question number in use");
        }
        if let Some(result) = self.without_asking(&text) {
            return self.answer(query, result, cx);
        }
        let name = match text.parse::<Name>() {
            Ok(name) => name,
            Err(error) => {
                let why = error.to_string();
                return self.answer(query, Err(ResolveError::BadName { name: text, why }), cx);
            }
        };
        if self.config.servers.is_empty() || self.config.timeouts.is_empty() {
            return self.answer(query, Err(ResolveError::NoServer { name: text }), cx);
        }
        // Answers that nobody has fetched count too: whoever is given a place is sure to be answered.
        if self.lookups.len() + self.answers.len() >= self.config.limits.lookups {
            return self.answer(query, Err(ResolveError::Busy), cx);
        }
        self.lookups.insert(query, Lookup::new(text, name));
        self.advance(query, cx);
    }

    /// The asker has lost interest.
    pub(crate) fn cancel(&mut self, query: u64) {
        self.lookups.remove(&query);
        self.answers.retain(|NameUp::Resolved { query: q, .. }| *q != query);
        self.abandon_unwanted();
    }

    /// An address is its own answer, and localhost is this host, whatever a server would say (RFC 6761 section 6.3).
    fn without_asking(&self, text: &str) -> Option<Result<Addresses, ResolveError>> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let mut addresses: Vec<IpAddr> = bare.unwrap_or(text).parse().into_iter().collect();
        if addresses.is_empty() && is_localhost(text) {
            addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            addresses.sort_by_key(|address| address.is_ipv4() != (self.config.prefer == Family::Ipv4));
        }
        let ttl = self.config.limits.ttl;
        (!addresses.is_empty()).then_some(Ok(Addresses { addresses, server: None, ttl }))
    }

    /// A datagram came to a port that is not the server's.
    pub(crate) fn receive(&mut self, datagram: &Datagram, cx: &mut Cx) {
        let Some(question) = self.questions.get(&datagram.port) else {
            return cx.dropped(NAME, "reply to no question");
        };
        let server = question.server(&self.config.servers);
        let Some(server) = server.filter(|server| SocketAddr::new(*server, PORT) == datagram.remote) else {
            return cx.dropped(NAME, "reply from a server not asked");
        };
        let Ok(message) = Message::parse(&datagram.data) else {
            return cx.dropped(NAME, "malformed message");
        };
        if let Some(reason) = question.mismatch(&message) {
            return cx.dropped(NAME, reason);
        }
        match reply::outcome(&message, &question.key, &self.config.limits) {
            Ok((outcome, ttl)) => {
                let known = Known { outcome, server, ttl };
                self.answered(datagram.port, known, cx);
            }
            Err(why) => self.refused(datagram.port, why, cx),
        }
    }

    /// What was sent from `port` to `remote` did not arrive. Where that may pass, the server is asked again in its
    /// time (RFC 1122 section 4.1.3.3 leaves it to us); else it won't answer.
    pub(crate) fn unreachable(
        &mut self,
        port: u16,
        remote: SocketAddr,
        kind: Option<ErrorKind>,
        cx: &mut Cx,
    ) {
        let servers = &self.config.servers;
        let is_asked =
            |q: &&mut Question| q.server(servers).is_some_and(|s| SocketAddr::new(s, PORT) == remote);
        let Some(question) = self.questions.get_mut(&port).filter(is_asked) else {
            return cx.dropped(NAME, "error about no question");
        };
        let why = kind.map_or("there is no route to it", ErrorKind::as_str).to_owned();
        match kind {
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimeExceeded) => {
                question.last_error = Some(why);
            }
            _ => self.refused(port, why, cx),
        }
    }

    /// A port that we chose was taken.
    pub(crate) fn bind_failed(&mut self, port: u16, cx: &mut Cx) {
        let Some(mut question) = self.questions.remove(&port) else {
            return;
        };
        let id = self.fresh_id();
        if question.rebind(id) {
            self.put(question);
        } else {
            self.failed(&question.key, |_| ResolveError::Busy, cx);
        }
    }

    /// A question has its answer.
    fn answered(&mut self, port: u16, known: Known, cx: &mut Cx) {
        let Some(question) = self.remove(port) else { return };
        let max_aliases = self.config.limits.aliases;
        for query in self.waiting_for(&question.key) {
            if let Some(lookup) = self.lookups.get_mut(&query) {
                lookup.learn(&question.key, &known, Some(known.server), max_aliases);
            }
            self.advance(query, cx);
        }
        self.cache.insert(question.key, known, cx.now);
    }

    fn refused(&mut self, port: u16, why: String, cx: &mut Cx) {
        if let Some(question) = self.questions.get_mut(&port) {
            question.refused(why);
        }
        self.next_turn(port, cx);
    }

    /// Asks the next server, or gives up.
    fn next_turn(&mut self, port: u16, cx: &mut Cx) {
        let Some(mut question) = self.remove(port) else {
            return;
        };
        let id = self.fresh_id();
        if question.next_turn(id, &self.config.timeouts, cx.now) {
            cx.note(NAME, "asked again", || {
                let server = question.server(&self.config.servers);
                let server = server.map_or_else(String::new, |server| server.to_string());
                format!("no answer for {} yet; asking {server}", question.key.name)
            });
            self.put(question);
        } else {
            let servers = self.config.servers.clone();
            self.failed(&question.key, |name| question.failure(name, &servers), cx);
        }
    }

    fn failed(&mut self, key: &Key, error: impl Fn(&str) -> ResolveError, cx: &mut Cx) {
        for query in self.waiting_for(key) {
            if let Some(lookup) = self.lookups.get_mut(&query) {
                let error = error(&lookup.text);
                lookup.fail(key, error);
            }
            self.advance(query, cx);
        }
    }

    fn waiting_for(&self, key: &Key) -> Vec<u64> {
        let waits = |lookup: &Lookup| lookup.open().any(|open| open == key);
        self.lookups.iter().filter(|(_, lookup)| waits(lookup)).map(|(query, _)| *query).collect()
    }

    /// Takes a lookup as far as it goes: by what is known, by asking for what is not, to its answer.
    fn advance(&mut self, query: u64, cx: &mut Cx) {
        while let Some((key, known)) = self.next_known(query, cx.now) {
            if let Some(lookup) = self.lookups.get_mut(&query) {
                lookup.learn(&key, &known, None, self.config.limits.aliases);
            }
        }
        let Some(lookup) = self.lookups.get_mut(&query) else {
            return;
        };
        if lookup.is_usable() && lookup.patience.is_none() {
            lookup.patience = Some(cx.now + self.config.other_family);
        }
        if lookup.is_over(cx.now) {
            return self.conclude(query, cx);
        }
        let open: Vec<Key> = lookup.open().cloned().collect();
        for key in open {
            self.ask(key, cx.now);
        }
    }

    /// Something that a lookup needs and the cache has.
    fn next_known(&self, query: u64, now: Instant) -> Option<(Key, Known)> {
        let lookup = self.lookups.get(&query)?;
        lookup.open().find_map(|key| Some((key.clone(), self.cache.get(key, now)?)))
    }

    /// Puts a question on its way, unless it is already.
    fn ask(&mut self, key: Key, now: Instant) {
        if self.questions.values().any(|question| question.key == key) {
            return;
        }
        let Some(&timeout) = self.config.timeouts.first() else {
            return;
        };
        let id = self.fresh_id();
        self.put(Question::new(key, id, self.config.servers.len(), now + timeout));
    }

    /// Gives a question a port and its place behind the others.
    fn put(&mut self, mut question: Question) {
        question.order = self.asked;
        self.asked += 1;
        let port = self.fresh_port();
        self.questions.insert(port, question);
    }

    /// A lookup has its answer.
    fn conclude(&mut self, query: u64, cx: &mut Cx) {
        let Some(lookup) = self.lookups.remove(&query) else {
            return;
        };
        let result = lookup.result(self.config.prefer);
        match &result {
            Ok(found) => cx.note(NAME, "resolved", || sentence(&lookup.text, found)),
            Err(error) => cx.note(NAME, "unresolved", || error.to_string()),
        }
        self.answers.push_back(NameUp::Resolved { query, result });
        self.abandon_unwanted();
    }

    /// An answer that no lookup was needed for. Twice as many wait as there may be lookups.
    fn answer(&mut self, query: u64, result: Result<Addresses, ResolveError>, cx: &mut Cx) {
        if self.answers.len() >= self.config.limits.lookups.saturating_mul(2) {
            return cx.dropped(NAME, "too many answers wait");
        }
        self.answers.push_back(NameUp::Resolved { query, result });
    }

    /// Gives up the questions that nobody waits for any more.
    fn abandon_unwanted(&mut self) {
        let wanted: Vec<&Key> = self.lookups.values().flat_map(Lookup::open).collect();
        let unwanted: Vec<u16> = self
            .questions
            .iter()
            .filter(|(_, question)| !wanted.contains(&&question.key))
            .map(|(port, _)| *port)
            .collect();
        for port in unwanted {
            self.remove(port);
        }
    }

    /// Takes a question out and gives its port back.
    fn remove(&mut self, port: u16) -> Option<Question> {
        let question = self.questions.remove(&port)?;
        if question.stage != Stage::Bind {
            self.closing.push_back(port);
        }
        Some(question)
    }

    fn fresh_id(&mut self) -> u16 {
        self.rng.next_u32() as u16
    }

    /// A random port that no question of ours has. There are far more ports than questions.
    fn fresh_port(&mut self) -> u16 {
        let ports = u64::from(u16::MAX - FIRST_PORT) + 1;
        loop {
            let port = FIRST_PORT + self.rng.below(ports) as u16;
            if !self.questions.contains_key(&port) && !self.closing.contains(&port) {
                return port;
            }
        }
    }

    pub(crate) fn poll_outbound(&mut self) -> Option<DatagramDown> {
        if let Some(port) = self.closing.pop_front() {
            return Some(DatagramDown::Unbind { port });
        }
        let servers = &self.config.servers;
        let unsent = self.questions.iter_mut().filter(|(_, question)| question.stage != Stage::Wait);
        let (port, question) = unsent.min_by_key(|(_, question)| question.order)?;
        question.next(*port, servers)
    }

    pub(crate) fn poll_inbound(&mut self) -> Option<NameUp> {
        self.answers.pop_front()
    }

    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx) {
        let now = cx.now;
        let late = self.questions.iter().filter(|(_, question)| question.deadline <= now);
        let late: Vec<u16> = late.map(|(port, _)| *port).collect();
        for port in late {
            self.next_turn(port, cx);
        }
        let over = self.lookups.iter().filter(|(_, lookup)| lookup.is_over(now));
        let over: Vec<u64> = over.map(|(query, _)| *query).collect();
        for query in over {
            self.conclude(query, cx);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.questions.values().map(|question| question.deadline).min();
        let patience = self.lookups.values().filter_map(|lookup| lookup.patience).min();
        earliest(deadline, patience)
    }
}

fn is_localhost(text: &str) -> bool {
    let parse = |text: &str| text.parse::<Name>().ok();
    match (parse(text), parse("localhost")) {
        (Some(name), Some(localhost)) => name.is_within(&localhost),
        _ => false,
    }
}

/// What was found, for a person.
fn sentence(name: &str, found: &Addresses) -> String {
    let first = found.addresses.first().map(IpAddr::to_string).unwrap_or_default();
    let more = match found.addresses.len() {
        0 | 1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    let known = if found.server.is_none() { ", as I still know" } else { "" };
    format!("{name} is {first}{more}{known}")
}
