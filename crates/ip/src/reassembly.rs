//! Putting fragments together again: RFC 791 section 3.2, RFC 8200 section 4.5; RFC 5722 (overlaps),
//! RFC 1858 and RFC 3128 (tiny fragments).
//!
//! The memory is fixed. When it is used up, the source that holds most of it loses its oldest datagram, so that
//! a flood from one source leaves the others alone. When there are too many datagrams, one of which nothing is taken
//! any more goes first, then the oldest of the source with the most, so that a flood from many sources of one datagram
//! each pushes out its own before one that came in between.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use framewise_core::buf::Offload;
use framewise_core::seams::segment::TCP;
use framewise_core::{Buf, Instant};

use crate::config::Limits;

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// Of IPv4; 0 for IPv6, whose key has none.
    pub(crate) protocol: u8,
    pub(crate) identification: u32,
}

/// One fragment. Its buffer begins at its payload; the headers are in the headroom.
pub(crate) struct Fragment {
    pub(crate) buf: Buf,
    /// Where its payload begins in the whole.
    pub(crate) offset: usize,
    pub(crate) more_fragments: bool,
    /// How many bytes of headers are in front of the payload.
    pub(crate) headers: usize,
    /// How many of these the whole packet keeps.
    pub(crate) kept_headers: usize,
    /// What the whole begins with; only the first fragment's counts.
    pub(crate) protocol: u8,
}

/// What became of a fragment.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It waits for the others.
    Kept,
    /// It was the last that was missing: the headers that are kept, and the whole payload.
    Whole { packet: Buf, protocol: u8 },
    /// It is dropped, and with it what was there of its datagram if it contradicts that.
    Dropped(&'static str),
}

pub(crate) struct Reassembly {
    datagrams: BTreeMap<Key, Partial>,
    /// How many datagrams were ever begun.
    begun: u64,
    /// Bytes of buffers held.
    held: usize,
    /// Datagrams that made room for others since [`take_evicted`](Reassembly::take_evicted) was last asked.
    evicted: usize,
    limits: Limits,
}

struct Partial {
    pieces: BTreeMap<usize, Fragment>,
    /// Bytes of payload that are there.
    received: usize,
    /// Bytes of payload in all, once the last fragment is there.
    total: Option<usize>,
    /// Which it was of all that were begun: many begin at the same time.
    number: u64,
    expires: Instant,
    held: usize,
    /// Something contradicted itself: nothing of this datagram is taken any more (RFC 5722, section 4).
    poisoned: bool,
}

/// TCP's ports, sequence numbers and flags are in the first fragment or nowhere (RFC 1858, section 3).
const TINY: usize = 16;
/// The total length of IPv4, which counts the header, and the payload length of IPv6, which does not, have 16 bits.
const LARGEST: usize = 65_535;

impl Reassembly {
    pub(crate) fn new(limits: Limits) -> Self {
        Reassembly { datagrams: BTreeMap::new(), begun: 0, held: 0, evicted: 0, limits }
    }

    /// Takes a fragment.
    pub(crate) fn add(&mut self, key: Key, fragment: Fragment, now: Instant) -> Outcome {
        if let Err(reason) = plausible(&key, &fragment) {
            self.poison(key, now);
            return Outcome::Dropped(reason);
        }
        self.make_room(room(&fragment.buf));
        let fragments_limit = self.limits.reassembly_fragments;
        let partial = self.find_or_begin(key, now);
        let before = partial.held;
        let added = partial.add(fragment, fragments_limit);
        let (after, whole) = (partial.held, partial.is_whole());
        self.held = (self.held + after).saturating_sub(before);
        if let Err(reason) = added {
            return Outcome::Dropped(reason);
        }
        if !whole {
            return Outcome::Kept;
        }
        let whole = self.forget(key).and_then(Partial::assemble);
        whole.unwrap_or(Outcome::Dropped("fragments without a first one"))
    }

    /// Datagrams whose time is over. Of each whose first fragment came, that fragment with its headers, to tell
    /// its source (RFC 792 page 6, RFC 8200 section 4.5); of the others nothing.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Option<Buf>> {
        let due = |partial: &Partial| partial.expires <= now;
        let keys: Vec<Key> =
            self.datagrams.iter().filter(|(_, partial)| due(partial)).map(|(key, _)| *key).collect();
        let expired = keys.into_iter().filter_map(|key| self.forget(key));
        expired.filter(|partial| !partial.poisoned).map(Partial::first_packet).collect()
    }

    /// How many datagrams have made room for others since this was last asked. Those of which nothing was taken any more
    /// are none: their fragments were dropped before.
    pub(crate) fn take_evicted(&mut self) -> usize {
        std::mem::take(&mut self.evicted)
    }

    /// When the next datagram's time is over.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.datagrams.values().map(|partial| partial.expires).min()
    }

    /// Bytes of buffers that fragments hold.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    fn forget(&mut self, key: Key) -> Option<Partial> {
        let partial = self.datagrams.remove(&key)?;
        self.held = self.held.saturating_sub(partial.held);
        Some(partial)
    }

    /// From now on nothing of this datagram is taken, until its time is over.
    fn poison(&mut self, key: Key, now: Instant) {
        let partial = self.find_or_begin(key, now);
        let before = partial.held;
        partial.poison();
        self.held = self.held.saturating_sub(before);
    }

    fn find_or_begin(&mut self, key: Key, now: Instant) -> &mut Partial {
        if !self.datagrams.contains_key(&key) {
            self.make_place();
            self.begun += 1;
        }
        let (number, expires) = (self.begun, now + self.limits.reassembly_timeout);
        self.datagrams.entry(key).or_insert_with(|| Partial::new(number, expires))
    }

    /// Makes a place for one more datagram.
    fn make_place(&mut self) {
        while self.datagrams.len() >= self.limits.reassembly_datagrams {
            let victim = self.oldest_poisoned().or_else(|| self.oldest_of_greediest(|_| 1));
            if !self.evict(victim) {
                return;
            }
        }
    }

    /// Makes room for as many bytes more.
    fn make_room(&mut self, bytes: usize) {
        while self.held + bytes > self.limits.reassembly_bytes {
            let victim = self.oldest_of_greediest(|partial| partial.held);
            if !self.evict(victim) {
                return;
            }
        }
    }

    /// Takes a datagram out before its time, if there is one.
    fn evict(&mut self, victim: Option<Key>) -> bool {
        let Some(partial) = victim.and_then(|victim| self.forget(victim)) else {
            return false;
        };
        self.evicted += usize::from(!partial.poisoned);
        true
    }

    fn oldest_poisoned(&self) -> Option<Key> {
        let poisoned = self.datagrams.iter().filter(|(_, partial)| partial.poisoned);
        poisoned.min_by_key(|(_, partial)| partial.number).map(|(key, _)| *key)
    }

    /// Of the source whose datagrams cost most together, the oldest that costs anything. Of equal sources, that with
    /// the oldest one.
    fn oldest_of_greediest(&self, cost: impl Fn(&Partial) -> usize) -> Option<Key> {
        let mut sources: BTreeMap<IpAddr, (usize, (Reverse<u64>, Key))> = BTreeMap::new();
        for (key, partial) in self.datagrams.iter().filter(|(_, partial)| cost(partial) > 0) {
            let this = (Reverse(partial.number), *key);
            let (sum, oldest) = sources.entry(key.source).or_insert((0, this));
            *sum += cost(partial);
            *oldest = (*oldest).max(this);
        }
        sources.into_values().max().map(|(_, (_, oldest))| oldest)
    }
}

/// Whether a fragment can be part of any datagram.
fn plausible(key: &Key, fragment: &Fragment) -> Result<(), &'static str> {
    let length = fragment.buf.len();
    let end = fragment.offset + length;
    let counted = if key.source.is_ipv4() { fragment.kept_headers } else { 0 };
    if counted + end > LARGEST {
        return Err("fragments over 65,535 bytes");
    }
    if length == 0 || (fragment.more_fragments && !length.is_multiple_of(8)) {
        return Err("fragment length not of eights");
    }
    let tcp = fragment.protocol == TCP;
    if tcp && ((fragment.offset == 0 && length < TINY) || fragment.offset == 8) {
        return Err("tiny fragment");
    }
    Ok(())
}

/// What a buffer costs: its room, not its payload, or a flood of small fragments would cost more than it seems.
fn room(buf: &Buf) -> usize {
    buf.headroom() + buf.len() + buf.tailroom()
}

impl Partial {
    fn new(number: u64, expires: Instant) -> Self {
        Partial {
            pieces: BTreeMap::new(),
            received: 0,
            total: None,
            number,
            expires,
            held: 0,
            poisoned: false,
        }
    }

    fn poison(&mut self) {
        self.pieces.clear();
        self.held = 0;
        self.received = 0;
        self.poisoned = true;
    }

    fn add(&mut self, fragment: Fragment, limit: usize) -> Result<(), &'static str> {
        if self.poisoned {
            return Err("fragment of a discarded datagram");
        }
        if self.is_duplicate(&fragment) {
            return Err("duplicate fragment");
        }
        if self.contradicts(&fragment) {
            self.poison();
            return Err("overlapping fragment");
        }
        if self.pieces.len() >= limit {
            self.poison();
            return Err("too many fragments");
        }
        if !fragment.more_fragments {
            self.total = Some(fragment.offset + fragment.buf.len());
        }
        self.received += fragment.buf.len();
        self.held += room(&fragment.buf);
        self.pieces.insert(fragment.offset, fragment);
        Ok(())
    }

    /// The same piece once more (RFC 8200, section 4.5 lets it be ignored).
    fn is_duplicate(&self, fragment: &Fragment) -> bool {
        self.pieces
            .get(&fragment.offset)
            .is_some_and(|known| known.buf == fragment.buf && known.more_fragments == fragment.more_fragments)
    }

    /// Whether it overlaps another piece, or the end that is known.
    fn contradicts(&self, fragment: &Fragment) -> bool {
        let end = fragment.offset + fragment.buf.len();
        let before = self.pieces.range(..end).next_back();
        if before.is_some_and(|(at, known)| at + known.buf.len() > fragment.offset) {
            return true;
        }
        match self.total {
            Some(total) => end > total || !fragment.more_fragments,
            None => !fragment.more_fragments && self.pieces.range(fragment.offset..).next().is_some(),
        }
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.received)
    }

    fn assemble(mut self) -> Option<Outcome> {
        let first = self.pieces.get_mut(&0)?;
        let (protocol, kept) = (first.protocol, first.kept_headers);
        let mut packet = Buf::with_capacity(kept + self.received);
        *packet.label_mut() = first.buf.label().clone();
        packet.label_mut().offload = Offload::default();
        first.buf.prepend(first.headers);
        let headers = first.buf.get(..kept)?;
        packet.append(kept).copy_from_slice(headers);
        first.buf.advance(first.headers);
        for piece in self.pieces.values() {
            packet.append(piece.buf.len()).copy_from_slice(&piece.buf);
        }
        Some(Outcome::Whole { packet, protocol })
    }

    fn first_packet(mut self) -> Option<Buf> {
        let mut first = self.pieces.remove(&0)?;
        first.buf.prepend(first.headers);
        Some(first.buf)
    }
}
