//! Which neighbours are being asked for their MAC address: RFC 4861 section 7.2.
//!
//! Ethernet keeps the answers and the packets that wait for them; it asks again when an answer has grown old.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::buf::InterfaceId;

/// How long an answer may take (RFC 4861, section 10: RETRANS_TIMER).
pub(crate) const RETRANSMIT: Duration = Duration::from_secs(1);
/// How often a neighbour is asked (MAX_MULTICAST_SOLICIT).
const MOST_SOLICITATIONS: u8 = 3;

/// One neighbour on one link.
pub(crate) type Neighbour = (InterfaceId, Ipv6Addr);

#[derive(Debug)]
pub(crate) struct Resolver {
    asked: BTreeMap<Neighbour, Asked>,
    /// How many were ever begun to be asked for.
    begun: u64,
    limit: usize,
}

#[derive(Debug)]
struct Asked {
    /// Which it was of all that were ever begun.
    number: u64,
    times: u8,
    again: Instant,
    /// No more questions. Until `again` other answers are taken: which of them is true, Ethernet judges.
    answered: bool,
}

/// What is due for a neighbour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Ask(Neighbour),
    GiveUp(Neighbour),
}

impl Resolver {
    pub(crate) fn new(limit: usize) -> Self {
        Resolver { asked: BTreeMap::new(), begun: 0, limit: limit.max(1) }
    }

    /// Begins to ask. One that is being asked for already is left to its timer. Where as many as may be are being
    /// asked for, the one that has been for longest is given up, so that hosts that don't exist keep nobody out.
    pub(crate) fn begin(&mut self, neighbour: Neighbour, now: Instant) -> Option<Neighbour> {
        self.asked.retain(|_, asked| !asked.answered || now < asked.again);
        if self.asked.get(&neighbour).is_some_and(|asked| !asked.answered) {
            return None;
        }
        self.asked.remove(&neighbour);
        let given_up = (self.asked.len() >= self.limit).then(|| self.give_up_oldest()).flatten();
        self.begun += 1;
        self.asked.insert(neighbour, Asked { number: self.begun, times: 0, again: now, answered: false });
        given_up
    }

    fn give_up_oldest(&mut self) -> Option<Neighbour> {
        let oldest = self.asked.iter().min_by_key(|(_, asked)| (!asked.answered, asked.number));
        let oldest = oldest.map(|(neighbour, _)| *neighbour)?;
        let asked = self.asked.remove(&oldest)?;
        (!asked.answered).then_some(oldest)
    }

    /// It answered; `false` if nobody asked. Whoever answers first need not be the one who was asked for: a forger's
    /// answer must not close the ear to the other.
    pub(crate) fn answered(&mut self, neighbour: Neighbour, now: Instant) -> bool {
        let open = self.asked.get_mut(&neighbour).filter(|asked| !asked.answered || now < asked.again);
        open.map(|asked| asked.answered = true).is_some()
    }

    /// The next thing that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        let is_due = |asked: &Asked| !asked.answered && asked.again <= now;
        let (neighbour, asked) = self.asked.iter_mut().find(|(_, asked)| is_due(asked))?;
        let neighbour = *neighbour;
        if asked.times >= MOST_SOLICITATIONS {
            self.asked.remove(&neighbour);
            return Some(Due::GiveUp(neighbour));
        }
        asked.times += 1;
        asked.again = now + RETRANSMIT;
        Some(Due::Ask(neighbour))
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.asked.values().filter(|asked| !asked.answered).map(|asked| asked.again).min()
    }
}
