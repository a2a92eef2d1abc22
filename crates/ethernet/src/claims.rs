//! Our own IPv4 addresses: tried out, announced, used and defended.
//!
//! Read first: RFC 5227 section 2.1 (probing), 2.3 (announcing), 2.4 (conflicts; ours is way (c), since whether
//! to give an address up is for IP to say), and section 1.1 for the constants. Who can't wait uses an address while it is
//! tried out, and stops when somebody objects: what RFC 4429 allows for IPv6, for IPv4, too.

use std::net::Ipv4Addr;
use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::time::earliest;
use framewise_core::{Instant, Rng};

use crate::arp::ArpPacket;

const PROBE_WAIT: Duration = Duration::from_secs(1);
const PROBE_NUM: u32 = 3;
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(2);
const ANNOUNCE_WAIT: Duration = Duration::from_secs(2);
const ANNOUNCE_NUM: u32 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
/// Also the shortest time between two events about one conflict.
pub(crate) const DEFEND_INTERVAL: Duration = Duration::from_secs(10);

/// How many addresses can be ours.
const LIMIT: usize = 256;

/// The addresses that IP claimed, in the order of the claims.
#[derive(Debug)]
pub(crate) struct Claims {
    announce: bool,
    optimistic: bool,
    rng: Rng,
    claims: Vec<Claim>,
}

#[derive(Debug)]
struct Claim {
    interface: InterfaceId,
    address: Ipv4Addr,
    stage: Stage,
    /// Whether it is used while it is probed.
    optimistic: bool,
    /// When the stage goes on by itself.
    due: Option<Instant>,
    last_told: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Probes sent so far; only an optimistic claim is used already.
    Probing(u32),
    /// Announcements sent so far; the address is used.
    Announcing(u32),
    /// Used.
    Held,
    /// Somebody else has it: not used until it is claimed anew.
    Lost,
}

impl Claim {
    fn is_used(&self) -> bool {
        self.is_settled() || (self.optimistic && matches!(self.stage, Stage::Probing(_)))
    }

    /// Whether nobody objected while there was time to.
    fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Announcing(_) | Stage::Held)
    }
}

/// Who asks, when an address of ours has to be written as the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// This address of ours, or the unspecified one where there is none.
    Ready(Ipv4Addr),
    /// None can be used before this time.
    NotBefore(Instant),
}

/// What is to be done about another station with an address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// Tell IP: it was not told of this lately.
    pub(crate) tell: bool,
    /// Announce the address once more.
    pub(crate) defend: bool,
    /// It was the other's before: it is not used here any more.
    pub(crate) lost: bool,
}

/// An ARP packet that a claim wants sent to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Probe(InterfaceId, Ipv4Addr),
    /// The flag says that this is the first, so that the address is used from now on.
    Announce(InterfaceId, Ipv4Addr, bool),
}

impl Claims {
    pub(crate) fn new(announce: bool, optimistic: bool, rng: Rng) -> Self {
        Claims { announce, optimistic, rng, claims: Vec::new() }
    }

    /// Takes up an address; `false` if there are too many.
    pub(crate) fn claim(&mut self, interface: InterfaceId, address: Ipv4Addr, now: Instant) -> bool {
        let (stage, due) = self.first_stage(now);
        if let Some(claim) = self.find(interface, address) {
            if claim.stage == Stage::Lost {
                (claim.stage, claim.due) = (stage, due);
            }
            return true;
        }
        if self.claims.len() >= LIMIT {
            return false;
        }
        let optimistic = self.optimistic;
        self.claims.push(Claim { interface, address, stage, optimistic, due, last_told: None });
        true
    }

    fn first_stage(&mut self, now: Instant) -> (Stage, Option<Instant>) {
        if self.announce {
            // What is used already is asked for already.
            let wait =
                if self.optimistic { Duration::ZERO } else { self.between(Duration::ZERO, PROBE_WAIT) };
            (Stage::Probing(0), Some(now + wait))
        } else {
            (Stage::Held, None)
        }
    }

    /// Gives an address up.
    pub(crate) fn release(&mut self, interface: InterfaceId, address: Ipv4Addr) {
        self.claims.retain(|claim| (claim.interface, claim.address) != (interface, address));
    }

    /// Whether requests for this address are ours to answer.
    pub(crate) fn is_used(&self, interface: InterfaceId, address: Ipv4Addr) -> bool {
        self.claims
            .iter()
            .any(|claim| claim.is_used() && (claim.interface, claim.address) == (interface, address))
    }

    /// The address to ask for `target` with: the one most like it, which is the one on its network.
    pub(crate) fn asker(&self, interface: InterfaceId, target: Ipv4Addr) -> Asker {
        let here = || self.claims.iter().filter(|claim| claim.interface == interface);
        let unlike = |claim: &&Claim| claim.address.to_bits() ^ target.to_bits();
        if let Some(claim) = here().filter(|claim| claim.is_used()).min_by_key(unlike) {
            return Asker::Ready(claim.address);
        }
        let probing = here().filter_map(|claim| claim.due).min();
        probing.map_or(Asker::Ready(Ipv4Addr::UNSPECIFIED), Asker::NotBefore)
    }

    /// Looks for a conflict in an ARP packet that another station sent (RFC 5227 sections 2.1.1 and 2.4).
    pub(crate) fn examine(
        &mut self,
        interface: InterfaceId,
        packet: &ArpPacket,
        now: Instant,
    ) -> Option<Conflict> {
        if let Some(claim) = self.find(interface, packet.sender_address) {
            return claim.contested(now);
        }
        // Two stations that try out the same address at the same time. Who uses it already answers, and that settles it.
        let rival = self.find(interface, packet.target_address)?;
        let probing = matches!(rival.stage, Stage::Probing(_)) && !rival.optimistic;
        (packet.is_probe() && probing).then(|| rival.contested(now))?
    }

    /// When [`next`](Self::next) has something to say.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.claims.iter().fold(None, |soonest, claim| earliest(soonest, claim.due))
    }

    /// The next packet that is due.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Say> {
        let is_due = |claim: &Claim| claim.due.is_some_and(|due| due <= now);
        let place = self.claims.iter().position(is_due)?;
        let spacing = self.between(PROBE_MIN, PROBE_MAX);
        Some(self.claims.get_mut(place)?.advance(spacing, now))
    }

    fn find(&mut self, interface: InterfaceId, address: Ipv4Addr) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|claim| (claim.interface, claim.address) == (interface, address))
    }

    /// A time from `least` to `most`.
    fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = most.saturating_sub(least).as_nanos();
        least + Duration::from_nanos(self.rng.below(u64::try_from(span).unwrap_or(u64::MAX)))
    }
}

impl Claim {
    /// Says what is due and sets when the next is.
    fn advance(&mut self, spacing: Duration, now: Instant) -> Say {
        if let Stage::Probing(sent) = self.stage
            && sent < PROBE_NUM
        {
            let last = sent + 1 == PROBE_NUM;
            self.stage = Stage::Probing(sent + 1);
            self.due = Some(now + if last { ANNOUNCE_WAIT } else { spacing });
            return Say::Probe(self.interface, self.address);
        }
        let sent = match self.stage {
            Stage::Announcing(sent) => sent + 1,
            _ => 1,
        };
        let more = sent < ANNOUNCE_NUM;
        self.stage = if more { Stage::Announcing(sent) } else { Stage::Held };
        self.due = more.then(|| now + ANNOUNCE_INTERVAL);
        Say::Announce(self.interface, self.address, sent == 1)
    }

    /// Another station has this address, or tries to.
    fn contested(&mut self, now: Instant) -> Option<Conflict> {
        let lost = !self.is_settled();
        if self.stage == Stage::Lost {
            return None;
        }
        if lost {
            (self.stage, self.due) = (Stage::Lost, None);
        }
        let rested = self.last_told.is_none_or(|told| told + DEFEND_INTERVAL <= now);
        if rested {
            self.last_told = Some(now);
        }
        Some(Conflict { tell: rested || lost, defend: rested && !lost, lost })
    }
}
