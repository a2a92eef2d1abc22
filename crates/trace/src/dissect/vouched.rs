//! Segments whose sums are wrong, and that were taken all the same: whose receiver acknowledges them has not thrown them away.
//!
//! Read first: RFC 9293 section 3.8 (what an acknowledgment says). Captures whose addresses were changed have no sum that is
//! right; those made where the device checks sums may have any.
//!
//! That is known only once the acknowledgment has come, so connections are looked at when no more frames come; one with such
//! segments is put together anew.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use framewise_tcp::segment::Flags;
use framewise_tcp::{Flow, Header, SeqNumber};

use super::connections::{Arrival, Record, Segment};
use super::gather::{Gather, Payload};
use super::half::Piece;
use super::outline::Outline;
use super::store::Belongs;

/// Segments of a side that are remembered until they are acknowledged.
const WAITING: usize = 512;

/// A frame that shows that a segment was taken.
type Proof = Option<NonZeroU32>;

/// A segment that has numbers, and whether its sum is wrong.
struct Sent {
    start: SeqNumber,
    end: SeqNumber,
    /// Which of the connection's segments, while nothing says yet what became of it.
    open: Option<usize>,
}

/// What acknowledgments say of the segments with wrong sums.
#[derive(Default)]
struct Proofs {
    sent: [VecDeque<Sent>; 2],
    /// By the number of the segment.
    taken: Vec<Proof>,
    /// The first of them.
    first: Proof,
    /// Whether one was sent again, and right then.
    is_mended: bool,
}

impl Proofs {
    fn observe(&mut self, segment: &Segment, header: &Header) {
        let number = self.taken.len();
        self.taken.push(None);
        if header.has(Flags::ACK) {
            self.acknowledged(segment, header.acknowledgment);
        }
        let (start, length) = (header.sequence, header.sequence_len(segment.length as usize));
        if length == 0 {
            return;
        }
        let end = start.plus(length);
        let sent = &mut self.sent[segment.side.index()];
        if !segment.doubtful {
            let overlaps = |one: &Sent| one.start.is_before(end) && start.is_before(one.end);
            for copy in sent.iter_mut().filter(|sent| sent.open.is_some() && overlaps(sent)) {
                copy.open = None;
                self.is_mended = true;
            }
        }
        if sent.len() >= WAITING {
            sent.pop_front();
        }
        sent.push_back(Sent { start, end, open: segment.doubtful.then_some(number) });
    }

    /// What ends just there, and what comes before it, was taken.
    fn acknowledged(&mut self, by: &Segment, number: SeqNumber) {
        let sent = &mut self.sent[by.side.other().index()];
        if !sent.iter().any(|sent| sent.end == number) {
            return;
        }
        for sent in sent.iter_mut().filter(|sent| !number.is_before(sent.end)) {
            if let Some(taken) = sent.open.take().and_then(|open| self.taken.get_mut(open)) {
                *taken = NonZeroU32::new(by.frame);
                self.first = self.first.or(*taken);
            }
        }
    }
}

impl Gather {
    /// Puts the connections together anew of which segments were taken though their sums are wrong.
    pub(super) fn vouch(&mut self) {
        let mut connections = std::mem::take(&mut self.connections);
        for record in connections.records_mut().filter(|record| record.segments.iter().any(|s| s.doubtful)) {
            let taken = self.taken(record);
            if taken.iter().any(Option::is_some) {
                *record = self.again(record, &taken);
            }
        }
        self.connections = connections;
    }

    fn taken(&self, record: &Record) -> Vec<Proof> {
        let mut proofs = Proofs::default();
        for segment in &record.segments {
            match self.read_again(segment, |_, header, _| *header) {
                Some(header) if !self.is_refused(segment) => proofs.observe(segment, &header),
                _ => proofs.taken.push(None),
            }
        }
        if proofs.is_mended {
            return proofs.taken;
        }
        // What has no numbers nobody acknowledges: where sums tell nothing of others, they tell nothing of it.
        let first = proofs.first;
        for (segment, taken) in record.segments.iter().zip(&mut proofs.taken) {
            let is_empty =
                segment.length == 0 && ![Flags::SYN, Flags::FIN].iter().any(|f| segment.flags.has(*f));
            if segment.doubtful && is_empty && !self.is_refused(segment) {
                *taken = taken.or(first);
            }
        }
        proofs.taken
    }

    /// The connection, with these segments taken.
    fn again(&self, record: &Record, taken: &[Proof]) -> Record {
        let (mut flow, mut again) = (Flow::default(), record.without_segments());
        let same = |a: &Piece, b: &Piece| self.store.piece(a) == self.store.piece(b);
        for (segment, taken) in record.segments.iter().zip(taken) {
            let doubtful = segment.doubtful && taken.is_none();
            let added = self.read_again(segment, |outline, header, payload| {
                let arrival = Arrival { doubtful, ..Arrival::of(segment.frame, outline, header, payload) };
                again.add(&arrival, &mut flow, same);
            });
            match (added, again.segments.last_mut()) {
                (Some(()), Some(added)) => added.taken = *taken,
                // It was read once, and so it can be read again.
                _ => again.segments.push(*segment),
            }
        }
        again
    }

    /// Reads a segment from its frame once more.
    fn read_again<T>(
        &self,
        segment: &Segment,
        with: impl FnOnce(&Outline, &Header, &Payload<'_>) -> T,
    ) -> Option<T> {
        let store = &self.store;
        let record = store.record(segment.frame())?;
        let bytes = store.frame(segment.frame());
        let outline = Outline::of(store.link(record)?, bytes)?;
        let payload = match record.belongs {
            Belongs::LastFragment(id, ..) => Payload::of_datagram(id, self.whole(id, segment.frame())?),
            _ => Payload::of_frame(bytes, &outline)?,
        };
        let header = Header::parse(&payload.bytes).ok()?;
        Some(with(&outline, &header, &payload))
    }

    fn is_refused(&self, segment: &Segment) -> bool {
        segment.doubtful && self.refused.contains_key(&segment.frame)
    }
}

impl Record {
    /// Its two sides, of whom nothing has been seen yet.
    fn without_segments(&self) -> Self {
        Record {
            client: self.client,
            server: self.server,
            beginning: self.beginning,
            segments: Vec::with_capacity(self.segments.len()),
            halves: Default::default(),
        }
    }
}
