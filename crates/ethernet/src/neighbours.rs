//! The neighbour table: who is at which MAC address, how sure that is, and when to ask again.
//!
//! Read first: RFC 826 "Packet Reception" (what is learned), RFC 1122 section 2.3.2.1 (what is forgotten, and by which
//! questions), RFC 4861 section 7.3.2 (the states, whose names serve here for ARP as well).
//!
//! ```text
//!            heard                 60 s                  a packet goes there
//!  Incomplete ───► Reachable ───────────────► Stale ────────────────────────► Probe
//!      │              ▲                         │ 600 s unused                  │ │
//!      │ 3 questions  └─────────────────────────┼───────────── heard ───────────┘ │ 3 questions
//!      ▼                                        ▼                                 ▼
//!    Failed ── 3 s ─────────────────────────► gone ◄──────────────────────────────┘
//! ```
//!
//! The table (in `table`) is bounded. Room is made by forgetting a neighbour to whom nothing was sent lately: whoever
//! floods the link with bindings pushes out other idle ones, never a peer in use. Where there is none, the one that has
//! been asked for longest without an answer gives way to the next that is to be asked for: hosts that don't exist, however
//! many, keep none that does from being asked for.

use std::net::IpAddr;
use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::{Instant, MacAddr};

use crate::config::NeighbourConfig;
use crate::table::{Slot, Spare, Table};

/// What is known about one neighbour, for views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// On which interface it is.
    pub interface: InterfaceId,
    /// Its IP address.
    pub address: IpAddr,
    /// Its MAC address, where one is known.
    pub mac: Option<MacAddr>,
    /// How sure that is.
    pub state: NeighbourState,
}

/// How sure a neighbour's MAC address is (RFC 4861 section 7.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourState {
    /// It was asked for and has not answered yet; its packets wait.
    Incomplete,
    /// It was heard of lately.
    Reachable,
    /// It was not heard of for a while, and nothing was sent there since.
    Stale,
    /// It is being asked again, while its packets go on as before.
    Probe,
    /// It did not answer; its packets go back at once.
    Failed,
}

/// Names a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) interface: InterfaceId,
    pub(crate) address: IpAddr,
}

/// What is to be done with a packet for a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Send it there.
    Send(MacAddr),
    /// Send it there, and ask that station whether the neighbour is still there.
    SendAndAsk(MacAddr),
    /// Let it wait: the question is already out.
    Wait,
    /// Let it wait, and ask. The packets for `displaced` go back: that neighbour had to make room.
    WaitAndAsk { displaced: Option<Key> },
    /// Give it back: the neighbour did not answer a moment ago.
    Failed,
    /// Give it back: every place in the table is in use.
    Full,
}

/// In which way a binding became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The neighbour wrote to us: worth remembering, since an answer will probably follow (RFC 826).
    ToUs,
    /// It was overheard: it can refresh what is known, and no more.
    InPassing,
    /// NDP found it out, and says whether it may replace another binding (RFC 4861 section 4.4). It does so only where
    /// that is in doubt: anyone on the link can forge the messages that RFC 4861 section 7.2.5 would follow at once.
    ByNdp { replace: bool },
}

/// What a binding that was heard changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// Nothing: nobody here knows that neighbour.
    Nothing,
    /// Nothing, since every place in the table is in use.
    Full,
    /// A neighbour that wrote to us first is remembered.
    Noticed,
    /// Now the neighbour's address is known: its packets can go.
    Resolved,
    /// It is still where it was.
    Confirmed,
    /// It is no longer where it was; its packets can go to the new address.
    Moved { from: MacAddr },
    /// Another station than the one in use claims the address; `ask` whether the old one is still there.
    Conflict { with: MacAddr, ask: bool },
}

/// What time, or NDP's patience, has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Ask again.
    Ask(Key),
    /// The neighbour did not answer: its packets go back.
    Failed(Key),
    /// The neighbour no longer answers where it was, and is forgotten.
    Lost(Key, MacAddr),
}

/// What is known about neighbours, and what follows from it.
#[derive(Debug)]
pub(crate) struct Neighbours {
    config: NeighbourConfig,
    table: Table,
}

impl Neighbours {
    pub(crate) fn new(config: NeighbourConfig) -> Self {
        Neighbours { config, table: Table::new(config.entries) }
    }

    /// What to do with a packet for this neighbour. Where that means asking, the question counts as asked.
    pub(crate) fn route(&mut self, key: Key, now: Instant) -> Route {
        let Some((slot, entry)) = self.table.find_next_hop(key) else {
            return self.begin(key, now);
        };
        entry.last_used = Some(now);
        let route = match (entry.state, entry.mac) {
            (NeighbourState::Reachable | NeighbourState::Probe, Some(mac)) => Route::Send(mac),
            (NeighbourState::Stale, Some(mac)) => Route::SendAndAsk(mac),
            (NeighbourState::Failed, _) => return Route::Failed,
            _ => Route::Wait,
        };
        if entry.is_idle() {
            self.table.keep(slot);
        }
        if let Route::SendAndAsk(_) = route {
            self.ask(slot, NeighbourState::Probe, now);
        }
        route
    }

    /// Takes up a neighbour to whom the first packet goes.
    fn begin(&mut self, key: Key, now: Instant) -> Route {
        let gone = self.table.make_room(Spare::Unresolved);
        let displaced = gone.filter(|entry| entry.state == NeighbourState::Incomplete).map(|entry| entry.key);
        let Some(slot) = self.table.insert(key) else {
            return Route::Full;
        };
        self.table.with(slot, |entry| entry.last_used = Some(now));
        self.table.make_spare(slot, Spare::Unresolved);
        self.ask(slot, NeighbourState::Incomplete, now);
        Route::WaitAndAsk { displaced }
    }

    /// Takes in that `key` is said to be at `mac`.
    pub(crate) fn hear(&mut self, key: Key, mac: MacAddr, heard: Heard, now: Instant) -> Learned {
        let Some(slot) = self.table.find(key) else {
            return self.hear_of_new(key, mac, heard, now);
        };
        let Some((state, known, asked)) =
            self.table.with(slot, |entry| (entry.state, entry.mac, entry.asked))
        else {
            return Learned::Nothing;
        };
        let Some(known) = known else {
            if state == NeighbourState::Incomplete {
                self.table.keep(slot);
            }
            self.reach(slot, mac, now);
            return Learned::Resolved;
        };
        if known == mac {
            self.reach(slot, mac, now);
            return Learned::Confirmed;
        }
        let may_replace = match (heard, state) {
            (Heard::ByNdp { replace }, NeighbourState::Stale) => replace,
            // The old station was asked alone first, and has had its chance to answer. NDP asks all at once: there
            // the old one is followed until it has let all questions pass.
            (_, NeighbourState::Probe) => asked > 1,
            _ => false,
        };
        if may_replace {
            self.reach(slot, mac, now);
            return Learned::Moved { from: known };
        }
        Learned::Conflict { with: known, ask: self.doubt(slot, now) }
    }

    fn hear_of_new(&mut self, key: Key, mac: MacAddr, heard: Heard, now: Instant) -> Learned {
        if heard == Heard::InPassing {
            return Learned::Nothing;
        }
        // Nobody asked: an idle neighbour may make room for this one, but none that somebody waits for.
        self.table.make_room(Spare::Idle);
        let Some(slot) = self.table.insert(key) else {
            return Learned::Full;
        };
        self.reach(slot, mac, now);
        self.table.make_spare(slot, Spare::Idle);
        Learned::Noticed
    }

    /// Asks the old station after someone else claimed its address, at most as often as any question.
    fn doubt(&mut self, slot: Slot, now: Instant) -> bool {
        let every = self.config.ask_every;
        let ask = self.table.with(slot, |entry| {
            let rested = entry.last_asked.is_none_or(|asked| asked + every <= now);
            matches!(entry.state, NeighbourState::Reachable | NeighbourState::Stale) && rested
        });
        if ask == Some(true) {
            self.ask(slot, NeighbourState::Probe, now);
        }
        ask == Some(true)
    }

    /// NDP says that the neighbour does not answer, which is nothing to one that was heard of meanwhile.
    pub(crate) fn fail(&mut self, key: Key, now: Instant) -> Option<Due> {
        let slot = self.table.find(key)?;
        match self.table.with(slot, |entry| entry.state)? {
            NeighbourState::Incomplete => Some(self.give_up(slot, key, now)),
            NeighbourState::Probe => self.lose(slot),
            NeighbourState::Reachable | NeighbourState::Stale | NeighbourState::Failed => None,
        }
    }

    /// The question could not be asked yet: it does not count, and is due at `until`.
    pub(crate) fn postpone(&mut self, key: Key, until: Instant) {
        if let Some(slot) = self.table.find(key) {
            self.table.with(slot, |entry| entry.asked = entry.asked.saturating_sub(1));
            self.table.arm(slot, until);
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.table.first_timer().map(|(due, _)| due)
    }

    /// Does what is due, until something comes that others must do.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Due> {
        loop {
            let (due, slot) = self.table.first_timer()?;
            if due > now {
                return None;
            }
            if let Some(due) = self.expire_one(slot, now) {
                return Some(due);
            }
        }
    }

    fn expire_one(&mut self, slot: Slot, now: Instant) -> Option<Due> {
        let (key, state, asked, idle) =
            self.table.with(slot, |entry| (entry.key, entry.state, entry.asked, entry.is_idle()))?;
        match state {
            NeighbourState::Incomplete | NeighbourState::Probe if asked < self.asks(key) => {
                self.ask(slot, state, now);
                Some(Due::Ask(key))
            }
            NeighbourState::Incomplete => Some(self.give_up(slot, key, now)),
            NeighbourState::Probe => self.lose(slot),
            NeighbourState::Reachable => {
                self.grow_stale(slot, now);
                None
            }
            NeighbourState::Stale if !idle => {
                self.table.make_spare(slot, Spare::Idle);
                self.table.arm(slot, now + self.config.stale_for);
                None
            }
            NeighbourState::Stale | NeighbourState::Failed => {
                self.table.remove(slot);
                None
            }
        }
    }

    /// The answer is no longer trusted. Whoever was written to lately keeps the place a while longer.
    fn grow_stale(&mut self, slot: Slot, now: Instant) {
        let recent = self.config.reachable_for;
        let used = self.table.with(slot, |entry| {
            entry.state = NeighbourState::Stale;
            entry.last_used.is_some_and(|used| used + recent > now)
        });
        if used == Some(true) {
            self.table.arm(slot, now + recent);
        } else {
            self.table.make_spare(slot, Spare::Idle);
            self.table.arm(slot, now + self.config.stale_for);
        }
    }

    /// All neighbours, by interface and address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Neighbour> + '_ {
        self.table.iter().map(|entry| Neighbour {
            interface: entry.key.interface,
            address: entry.key.address,
            mac: entry.mac,
            state: entry.state,
        })
    }

    /// How many questions this layer asks: NDP counts its own, and is asked once.
    fn asks(&self, key: Key) -> u32 {
        match key.address {
            IpAddr::V4(_) => self.config.asks,
            IpAddr::V6(_) => 1,
        }
    }

    /// How long an answer may take. NDP says itself when it gives up; twice its time covers one that says nothing.
    fn patience(&self, key: Key) -> Duration {
        match key.address {
            IpAddr::V4(_) => self.config.ask_every,
            IpAddr::V6(_) => self.config.ask_every.saturating_mul(self.config.asks).saturating_mul(2),
        }
    }

    fn ask(&mut self, slot: Slot, state: NeighbourState, now: Instant) {
        let key = self.table.with(slot, |entry| {
            // The count begins with the first question of a state and ends with the answer.
            entry.asked = if entry.state == state { entry.asked.saturating_add(1) } else { 1 };
            entry.state = state;
            entry.last_asked = Some(now);
            entry.key
        });
        if let Some(key) = key {
            self.table.arm(slot, now + self.patience(key));
        }
    }

    fn reach(&mut self, slot: Slot, mac: MacAddr, now: Instant) {
        self.table.with(slot, |entry| {
            entry.state = NeighbourState::Reachable;
            entry.mac = Some(mac);
            entry.asked = 0;
        });
        self.table.arm(slot, now + self.config.reachable_for);
    }

    /// It never answered: for a while nobody is asked again.
    fn give_up(&mut self, slot: Slot, key: Key, now: Instant) -> Due {
        self.table.with(slot, |entry| {
            entry.state = NeighbourState::Failed;
            entry.mac = None;
        });
        self.table.make_spare(slot, Spare::Idle);
        self.table.arm(slot, now + self.config.failed_for);
        Due::Failed(key)
    }

    /// It answers no longer: the next packet asks all where it is now.
    fn lose(&mut self, slot: Slot) -> Option<Due> {
        let entry = self.table.remove(slot)?;
        Some(Due::Lost(entry.key, entry.mac?))
    }
}
