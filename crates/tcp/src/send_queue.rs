//! What is to be sent, until the peer has it.
//!
//! The engine decides when which bytes go, again if need be, and for that it needs to know how many there are, not what
//! they say. So they are kept here, as they came from above, and copied once, into the segment that carries them. The
//! ring that the engine believes to send from is never written to, and takes no memory.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::sequence::SeqNumber;

/// A piece smaller than this is joined with what waits before it: many small ones would take more to be found than to be
/// copied, and each may keep something larger in memory of which it is a part.
const SMALL: usize = 4 << 10;

/// The bytes of one connection that are not acknowledged yet.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// The sequence number of the stream's first byte.
    origin: SeqNumber,
    /// How many bytes of the stream the peer has.
    acknowledged: u64,
    pieces: VecDeque<Piece>,
}

#[derive(Debug)]
struct Piece {
    /// Its place in the stream.
    begin: u64,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// As it came from above.
    Whole(Bytes),
    /// Small ones, put together.
    Joined(Vec<u8>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Whole(bytes) => bytes,
            Data::Joined(bytes) => bytes,
        }
    }

    fn end(&self) -> u64 {
        self.begin + self.bytes().len() as u64
    }
}

impl SendQueue {
    /// The stream's first byte has this number.
    pub(crate) fn begin_at(&mut self, origin: SeqNumber) {
        self.origin = origin;
    }

    /// Adds to the end of the stream.
    pub(crate) fn push(&mut self, data: Bytes) {
        let begin = self.pieces.back().map_or(self.acknowledged, Piece::end);
        if data.len() >= SMALL || self.pieces.is_empty() {
            return self.pieces.push_back(Piece { begin, data: Data::Whole(data) });
        }
        if let Some(Piece { data: Data::Joined(last), .. }) = self.pieces.back_mut()
            && last.len() + data.len() <= SMALL
        {
            return last.extend_from_slice(&data);
        }
        self.pieces.push_back(Piece { begin, data: Data::Joined(data.to_vec()) });
    }

    /// The peer has this many more bytes: what holds nothing else is let go.
    pub(crate) fn acknowledge(&mut self, bytes: usize) {
        self.acknowledged += bytes as u64;
        while self.pieces.front().is_some_and(|piece| piece.end() <= self.acknowledged) {
            self.pieces.pop_front();
        }
    }

    /// Puts into `room` what the stream holds from this number on. What lies before the queue, the byte of a keep-alive,
    /// was acknowledged long ago, and nobody looks at it.
    pub(crate) fn copy_to(&self, from: SeqNumber, mut room: &mut [u8]) {
        let ahead = from.since(self.origin.plus(self.acknowledged as usize));
        let Ok(ahead) = u64::try_from(ahead) else { return };
        let mut at = self.acknowledged + ahead;
        let after = self.pieces.partition_point(|piece| piece.begin <= at);
        for piece in self.pieces.range(after.saturating_sub(1)..) {
            let skipped = at.saturating_sub(piece.begin) as usize;
            let bytes = piece.bytes().get(skipped..).unwrap_or_default();
            let (now, later) = room.split_at_mut(bytes.len().min(room.len()));
            now.copy_from_slice(&bytes[..now.len()]);
            if later.is_empty() {
                return;
            }
            at = piece.end();
            room = later;
        }
        debug_assert!(room.is_empty(), "the engine sends what was never given to it");
    }

    /// Gives back what an empty one does not need.
    pub(crate) fn shrink(&mut self) {
        self.pieces.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queue(origin: SeqNumber) -> SendQueue {
        SendQueue { origin, ..SendQueue::default() }
    }

    fn read(queue: &SendQueue, from: SeqNumber, length: usize) -> Vec<u8> {
        let mut room = vec![0; length];
        queue.copy_to(from, &mut room);
        room
    }

    #[test]
    fn a_large_piece_is_kept_as_it_is() {
        let mut queue = queue(SeqNumber(1));
        let (small, large) = (Bytes::from_static(b"head"), Bytes::from(vec![7; SMALL]));
        queue.push(small);
        queue.push(large.clone());
        let Some(Piece { data: Data::Whole(kept), .. }) = queue.pieces.back() else { panic!("{queue:?}") };
        assert_eq!(kept.as_ptr(), large.as_ptr());
    }

    #[test]
    fn small_pieces_are_few() {
        let mut queue = queue(SeqNumber(1));
        (0..SMALL).for_each(|_| queue.push(Bytes::from_static(b"x")));
        assert_eq!(queue.pieces.len(), 2, "the first, and all that came while it waited");
    }

    #[test]
    fn the_byte_of_a_keep_alive_is_nobodys() {
        let mut queue = queue(SeqNumber(1));
        queue.push(Bytes::from_static(b"abc"));
        queue.acknowledge(3);
        assert_eq!(read(&queue, SeqNumber(3), 1), [0]);
    }

    proptest! {
        /// Whatever was given in whatever pieces, any part that is not acknowledged reads as it was given, across the
        /// end of the numbers, too.
        #[test]
        fn what_is_read_is_what_was_given(
            origin in prop_oneof![any::<u32>(), (u32::MAX - 20_000)..=u32::MAX],
            lengths in prop::collection::vec(prop_oneof![1_usize..40, 1_usize..9_000], 1..30),
            acknowledged in prop::collection::vec(0_usize..9_000, 1..30),
            part in (0_usize..9_000, 1_usize..9_000),
        ) {
            let mut queue = queue(SeqNumber(origin));
            let (mut given, mut gone) = (Vec::new(), 0);
            for (length, acknowledge) in lengths.into_iter().zip(acknowledged) {
                let piece: Vec<u8> = (given.len()..given.len() + length).map(|at| (at % 251) as u8).collect();
                given.extend_from_slice(&piece);
                queue.push(Bytes::from(piece));
                let more = acknowledge.min(given.len() - gone);
                queue.acknowledge(more);
                gone += more;
                let from = (gone + part.0).min(given.len());
                let length = part.1.min(given.len() - from);
                let number = SeqNumber(origin).plus(from);
                prop_assert_eq!(&read(&queue, number, length), &given[from..from + length]);
            }
            queue.acknowledge(given.len() - gone);
            prop_assert!(queue.pieces.is_empty(), "what is acknowledged is let go");
        }
    }
}
