//! The operating system's resolver behind our own name server: files such as `/etc/hosts`, search rules and all.
//!
//! It may take its time, and can't be interrupted: each question has a thread of its own, which wakes the Runner. What it has
//! found out is to the Runner like a timer that is due.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use framewise_core::seams::lookup::{LookupDown, LookupError, LookupUp};
use framewise_core::seams::resolve::{Addresses, NameDown, NameUp, ResolveError};
use framewise_core::seams::{Lookups, Names};
use framewise_core::{Cx, Instant, Layer};

use super::complaints::Complaints;
use super::this_computer;
use crate::wake::Waker;

/// The name of this layer in counters and traces.
const NAME: &str = "os";
/// Names that are asked for at a time.
const LIMIT: usize = 32;
/// Addresses of each IP version that are told of a name: a response has room for no more.
const ADDRESSES: usize = 8;
/// The longest a name's addresses are believed: the operating system does not say.
const TTL: Duration = Duration::from_secs(30);

/// The operating system's resolver, for the host itself and for whoever asks its name server.
pub(super) struct OsNames {
    /// Who waits for which name.
    waiting: BTreeMap<String, Vec<Asker>>,
    found: Arc<Mutex<VecDeque<Answer>>>,
    waker: Waker,
    complaints: Complaints,
    up: VecDeque<NameUp>,
    down: VecDeque<LookupDown>,
}

/// Who asked.
enum Asker {
    /// The application above, under this number.
    Above(u64),
    /// A client of the name server below, under this number.
    Below(u64),
}

/// What the operating system found out about a name.
struct Answer {
    name: String,
    result: Result<Vec<IpAddr>, (LookupError, String)>,
}

impl OsNames {
    pub(super) fn new(complaints: Complaints, waker: Waker) -> Self {
        OsNames {
            waiting: BTreeMap::new(),
            found: Arc::default(),
            waker,
            complaints,
            up: VecDeque::new(),
            down: VecDeque::new(),
        }
    }

    fn ask(&mut self, name: &str, asker: Asker) {
        let name = name.to_ascii_lowercase();
        if let Some(askers) = self.waiting.get_mut(&name) {
            return askers.push(asker);
        }
        let begun =
            if self.waiting.len() < LIMIT { self.begin(&name) } else { Err(io::Error::other("busy")) };
        match begun {
            Ok(()) => drop(self.waiting.insert(name, vec![asker])),
            Err(_) => self.tell(&name, asker, &Err(LookupError::Failed)),
        }
    }

    /// Has the operating system asked, on a thread of its own.
    fn begin(&self, name: &str) -> io::Result<()> {
        let (name, found, waker) = (name.to_owned(), self.found.clone(), self.waker.clone());
        let work = move || {
            let result = look_up(&name);
            found.lock().unwrap_or_else(PoisonError::into_inner).push_back(Answer { name, result });
            waker.wake();
        };
        thread::Builder::new().name("framewise-names".to_owned()).spawn(work).map(drop)
    }

    /// Takes what threads have found out.
    fn collect(&mut self, cx: &mut Cx) {
        let found = std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner));
        for Answer { name, result } in found {
            let result = result.map_err(|(error, said)| {
                cx.note(NAME, "unresolved", || format!("the operating system says of {name}: {said}"));
                self.complaints.add(format!("{name}: {said}"));
                error
            });
            for asker in self.waiting.remove(&name).into_iter().flatten() {
                self.tell(&name, asker, &result);
            }
        }
    }

    fn tell(&mut self, name: &str, asker: Asker, result: &Result<Vec<IpAddr>, LookupError>) {
        match asker {
            Asker::Below(question) => {
                self.down.push_back(LookupDown::Answer { question, result: result.clone() });
            }
            Asker::Above(query) => {
                let result = for_above(name, result);
                self.up.push_back(NameUp::Resolved { query, result });
            }
        }
    }
}

/// The answer in the words of the name seam.
fn for_above(name: &str, result: &Result<Vec<IpAddr>, LookupError>) -> Result<Addresses, ResolveError> {
    let (name, server) = (name.to_owned(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    match result {
        Ok(found) if found.is_empty() => Err(ResolveError::NoAddress { name, server }),
        Ok(found) => Ok(Addresses { addresses: found.clone(), server: None, ttl: TTL }),
        Err(LookupError::NoSuchName) => Err(ResolveError::NoSuchName { name, server }),
        Err(LookupError::Failed) => {
            Err(ResolveError::Refused { name, server, code: LookupError::Failed.to_string() })
        }
    }
}

/// Asks the operating system, and keeps those addresses that it has a way to.
fn look_up(name: &str) -> Result<Vec<IpAddr>, (LookupError, String)> {
    let found = (name, 0).to_socket_addrs().map_err(|error| (kind_of(&error), error.to_string()))?;
    let mut all: Vec<IpAddr> = Vec::new();
    for address in found.map(|found| found.ip()) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    let reachable: Vec<IpAddr> = all.iter().copied().filter(|address| has_way_to(*address)).collect();
    // Where there is none at all, connecting shall say why.
    let chosen = if reachable.is_empty() { all } else { reachable };
    let of = |v4: bool| chosen.iter().filter(move |address| address.is_ipv4() == v4).take(ADDRESSES);
    Ok(of(true).chain(of(false)).map(|address| this_computer::on_the_wire(*address)).collect())
}

/// The operating system has one error for a name that is not there and one for a resolver that does not answer, and the
/// standard library passes only their words on.
fn kind_of(error: &io::Error) -> LookupError {
    let words = error.to_string().to_ascii_lowercase();
    let is_passing = ["temporary", "try again", "timed out"].iter().any(|word| words.contains(word));
    if is_passing { LookupError::Failed } else { LookupError::NoSuchName }
}

/// Whether the operating system has a route to an address: a UDP socket that is connected asks for one, and sends nothing.
fn has_way_to(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((address, 53))).is_ok()
}

impl Layer for OsNames {
    type Upper = Names;
    type Lower = Lookups;

    fn name(&self) -> &'static str {
        NAME
    }

    fn handle_outbound(&mut self, message: NameDown, _cx: &mut Cx) {
        match message {
            NameDown::Resolve { query, name } => self.ask(&name, Asker::Above(query)),
            NameDown::Cancel { query } => {
                for askers in self.waiting.values_mut() {
                    askers.retain(|asker| !matches!(asker, Asker::Above(other) if *other == query));
                }
            }
        }
    }

    fn handle_inbound(&mut self, message: LookupUp, _cx: &mut Cx) {
        let LookupUp::Asked { question, name } = message;
        self.ask(&name, Asker::Below(question));
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<LookupDown> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<NameUp> {
        self.up.pop_front()
    }

    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.collect(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let has_found = !self.found.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        has_found.then_some(Instant::ZERO)
    }
}
