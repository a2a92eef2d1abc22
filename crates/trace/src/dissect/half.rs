//! What one side of a connection sends, put together from its segments by whoever watches.
//!
//! Read first: RFC 9293 sections 3.4 (sequence numbers) and 3.10.7.4 (what of a segment is new).
//!
//! ```text
//!   segments     [0──────10)      [10───20)   [5────15)        [30──40)
//!   first        0────────10      10─────20                    30───40     disjoint, in order: the stream
//!   again                                     5─────15                     whole segments that brought nothing new, or little
//!   gaps                                             20────────30          never joined over
//! ```
//!
//! No byte is copied: a piece says in which frame its bytes are.

use std::collections::BTreeMap;
use std::ops::Range;

use framewise_tcp::SeqNumber;

use super::space::{DatagramId, Space, common, overlap};

/// A part of a stream, and where its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub(super) at: u64,
    pub(super) length: u32,
    pub(super) frame: u32,
    /// The datagram that the segment was in, if it came in fragments.
    pub(super) datagram: Option<DatagramId>,
    /// Where in the frame, or in that datagram.
    pub(super) offset: u32,
    /// Whether it was damaged or refused.
    pub(super) doubtful: bool,
    /// Whether its bytes differ from those that came first.
    pub(super) differs: bool,
}

impl Piece {
    /// Which bytes of the stream.
    pub fn range(&self) -> Range<u64> {
        self.at..self.at + u64::from(self.length)
    }

    /// The number of the frame that brought it; of a packet in fragments, the last one.
    pub fn frame(&self) -> usize {
        self.frame as usize
    }

    /// Where its first byte is.
    pub fn origin(&self) -> (Space, u64) {
        let space = self.datagram.map_or(Space::Frame(self.frame()), Space::Datagram);
        (space, u64::from(self.offset))
    }

    /// Whether its checksum was wrong, or a layer refused its frame, and neither something better came nor an acknowledgment.
    /// Then no receiver took it; or the capture was made where checksums are not written yet.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Whether it came once more, but not as before.
    pub fn differs(&self) -> bool {
        self.differs
    }

    /// The part of it that is in this range, and not empty.
    pub(super) fn within(&self, range: &Range<u64>) -> Option<Piece> {
        let part = common(&self.range(), range);
        let skipped = u32::try_from(part.start.checked_sub(self.at)?).ok()?;
        let length = u32::try_from(part.end - part.start).ok().filter(|length| *length > 0)?;
        Some(Piece { at: part.start, length, offset: self.offset + skipped, ..*self })
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was not seen to end.
    Open,
    /// Its sender said that it has sent all.
    Finished {
        /// In which frame.
        frame: usize,
    },
    /// The connection was broken off, by either side.
    Reset {
        /// In which frame.
        frame: usize,
    },
}

/// The payload of a segment can't be longer: packets have lengths of 16 bits.
const LONGEST_PAYLOAD: u64 = 65_535;

/// One side's stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Half {
    /// The number of the stream's first byte.
    base: Option<SeqNumber>,
    /// Whether that is only the first number that was seen.
    pub(super) inferred: bool,
    /// The number of its first SYN whose sum is wrong.
    pub(super) doubtful_syn: Option<SeqNumber>,
    /// What came first, by its place: disjoint.
    first: BTreeMap<u64, Piece>,
    /// What came again; in the order of the stream, and of frames, when nothing comes any more.
    pub(super) again: Vec<Piece>,
    /// What was damaged or refused, until it is known whether something better comes.
    doubtful: Vec<Piece>,
    /// Where the last byte that is known ends.
    end: u64,
    /// How many bytes are known.
    known: u64,
    pub(super) finished: Option<(u64, u32)>,
    pub(super) reset: Option<u32>,
    /// Up to where the other side has acknowledged it, the FIN included.
    acknowledged: u64,
    /// Segments with places that are no part of the stream as it was seen.
    pub(super) outside: u64,
}

/// A window can't be larger (RFC 7323, section 2.3); what is further ahead belongs to something else.
const WIDEST_WINDOW: i64 = 1 << 30;

impl Half {
    /// Begins the stream behind a SYN of this number, unless it has begun.
    pub(super) fn begin(&mut self, syn: SeqNumber) {
        let base = *self.base.get_or_insert(syn.plus(1));
        self.inferred &= base != syn.plus(1);
    }

    /// Whether it has begun with a SYN of another number, or somewhere else.
    pub(super) fn begins_elsewhere(&self, syn: SeqNumber) -> bool {
        self.base.is_some_and(|base| base != syn.plus(1))
    }

    /// Whether it has begun with a SYN of another number, if such as have wrong sums count, and no better one came.
    pub(super) fn seems_to_begin_elsewhere(&self, syn: SeqNumber) -> bool {
        let has_begun = self.base.is_some() && !self.inferred;
        !has_begun && self.doubtful_syn.is_some_and(|first| first != syn)
    }

    /// Where the byte of this number is; the first number that is asked for begins a stream whose beginning was not seen.
    pub(super) fn place(&mut self, number: SeqNumber) -> Option<u64> {
        let base = *self.base.get_or_insert_with(|| {
            self.inferred = true;
            number
        });
        let ahead = i64::from(number.since(base.plus(self.end as u32 as usize)));
        if ahead > WIDEST_WINDOW {
            return None;
        }
        self.end.checked_add_signed(ahead)
    }

    /// Notes that the other side has all before this number.
    pub(super) fn acknowledge(&mut self, number: SeqNumber) {
        if let Some(place) = self.place(number) {
            self.acknowledged = self.acknowledged.max(place);
        }
    }

    /// Takes the payload of a segment. `same` tells whether two pieces of one length have the same bytes.
    pub(super) fn take(&mut self, piece: Piece, same: impl Fn(&Piece, &Piece) -> bool) {
        if piece.length == 0 {
            return;
        }
        if piece.doubtful {
            self.doubtful.push(piece);
            return;
        }
        self.insert(piece, same);
    }

    /// Nothing comes any more: what is doubtful fills the places for which nothing better came.
    pub(super) fn close(&mut self) {
        for piece in std::mem::take(&mut self.doubtful) {
            self.insert(piece, |_, _| true);
        }
        self.again.shrink_to_fit();
        self.again.sort_by_key(|piece| (piece.at, piece.frame));
    }

    fn insert(&mut self, piece: Piece, same: impl Fn(&Piece, &Piece) -> bool) {
        let range = piece.range();
        if range.start >= self.end {
            self.end = range.end;
            self.known += u64::from(piece.length);
            self.first.insert(piece.at, piece);
            return;
        }
        let mut missing = Vec::new();
        let mut differs = false;
        let mut at = range.start;
        for known in self.first_in(&range) {
            missing.extend(piece.within(&(at..known.at)));
            let part = common(&known.range(), &range);
            let both = known.within(&part).zip(piece.within(&part));
            differs |= both.is_some_and(|(known, piece)| !same(&known, &piece));
            at = known.range().end;
        }
        missing.extend(piece.within(&(at.min(range.end)..range.end)));
        let new: u64 = missing.iter().map(|piece| u64::from(piece.length)).sum();
        if new < u64::from(piece.length) {
            self.again.push(Piece { differs, ..piece });
        }
        self.known += new;
        for piece in missing {
            self.first.insert(piece.at, piece);
        }
        self.end = self.end.max(range.end);
    }

    /// The pieces with something of this range, in order.
    pub(super) fn first_in(&self, range: &Range<u64>) -> impl Iterator<Item = &Piece> + use<'_> {
        let before = self.first.range(..=range.start).next_back().map(|(_, piece)| piece);
        let start =
            before.filter(|piece| piece.range().end > range.start).map_or(range.start, |piece| piece.at);
        self.first.range(start..range.end.max(start)).map(|(_, piece)| piece)
    }

    /// The pieces that came again with something of this range, in the order of the stream.
    pub(super) fn again_in(&self, range: Range<u64>) -> impl Iterator<Item = &Piece> {
        let from = range.start.saturating_sub(LONGEST_PAYLOAD);
        let begin = self.again.partition_point(|piece| piece.at < from);
        let candidates = self.again.get(begin..).unwrap_or_default().iter();
        let end = range.end;
        candidates
            .take_while(move |piece| piece.at < end)
            .filter(move |piece| overlap(&piece.range(), &range))
    }

    /// All that came first, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.first.values()
    }

    /// How long the stream is, as far as anybody told: bytes, acknowledgments, the FIN.
    pub(super) fn length(&self) -> u64 {
        // The number of the FIN is beyond the last byte, and may be acknowledged before it is seen.
        let told = self.finished.map_or(self.acknowledged, |(end, _)| end);
        self.end.max(told)
    }

    /// How many bytes of it are known.
    pub(super) fn known(&self) -> u64 {
        self.known
    }

    /// The ranges that are missing, in order.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Range<u64>> {
        let mut at = 0;
        let after = std::iter::once(self.length()..self.length());
        self.pieces().map(Piece::range).chain(after).filter_map(move |known| {
            let gap = at..known.start;
            at = known.end;
            (!gap.is_empty()).then_some(gap)
        })
    }

    /// Where what is known without a gap from `at` on ends, looking at most `length` bytes ahead.
    pub(super) fn contiguous_within(&self, at: u64, length: u64) -> u64 {
        let (mut end, most) = (at, at.saturating_add(length));
        for piece in self.first_in(&(at..most)) {
            if piece.at > end {
                break;
            }
            end = piece.range().end;
        }
        end.min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(at: u64, length: u32, frame: u32) -> Piece {
        Piece { at, length, frame, datagram: None, offset: 100, doubtful: false, differs: false }
    }

    fn ranges(half: &Half) -> Vec<Range<u64>> {
        half.pieces().map(Piece::range).collect()
    }

    #[test]
    fn the_picture_of_this_file_is_true() {
        let mut half = Half::default();
        for (frame, (at, length)) in (1..).zip([(0, 10), (10, 10), (5, 10), (30, 10)]) {
            half.take(piece(at, length, frame), |_, _| true);
        }
        assert_eq!(ranges(&half), [0..10, 10..20, 30..40]);
        assert!(half.again.iter().map(Piece::range).eq(std::iter::once(5..15)));
        assert!(half.gaps().eq(std::iter::once(20..30)));
        assert_eq!(half.contiguous_within(3, 100), 20);
        half.take(piece(15, 20, 5), |_, _| true);
        assert_eq!(half.gaps().count(), 0);
        assert_eq!(
            half.first_in(&(20..30)).map(|piece| (piece.frame, piece.offset)).collect::<Vec<_>>(),
            [(5, 105)]
        );
    }

    #[test]
    fn doubtful_pieces_fill_only_what_nothing_else_does() {
        let mut half = Half::default();
        half.take(Piece { doubtful: true, ..piece(0, 10, 1) }, |_, _| true);
        half.take(Piece { doubtful: true, ..piece(10, 10, 2) }, |_, _| true);
        half.take(piece(0, 10, 3), |_, _| true);
        half.close();
        assert_eq!(
            half.pieces().map(|piece| (piece.frame, piece.doubtful)).collect::<Vec<_>>(),
            [(3, false), (2, true)]
        );
    }

    #[test]
    fn the_number_of_a_fin_is_no_byte_whichever_of_it_and_its_acknowledgment_comes_first() {
        for is_late in [false, true] {
            let mut half = Half::default();
            half.begin(SeqNumber(0));
            half.take(piece(0, 10, 1), |_, _| true);
            if is_late {
                half.acknowledge(SeqNumber(12));
            }
            half.finished = Some((10, 2));
            half.acknowledge(SeqNumber(12));
            assert_eq!((half.length(), half.gaps().count()), (10, 0));
        }
    }

    #[test]
    fn numbers_wrap_and_streams_are_longer() {
        let mut half = Half::default();
        half.begin(SeqNumber(u32::MAX - 4));
        assert_eq!(half.place(SeqNumber(u32::MAX - 3)), Some(0));
        assert_eq!(half.place(SeqNumber(2)), Some(6));
        assert_eq!(half.place(SeqNumber(1 << 31)), None, "further ahead than any window");
        half.end = (1 << 32) + 100;
        assert_eq!(half.place(SeqNumber(u32::MAX - 3).plus(100)), Some((1 << 32) + 100));
        assert_eq!(half.place(SeqNumber(u32::MAX - 3).plus(50)), Some((1 << 32) + 50));
    }

    #[test]
    fn what_came_again_is_found_by_its_place() {
        let mut half = Half::default();
        let all = [(0, 60_000), (100, 50), (59_000, 900), (10, 20), (100, 1)];
        for (frame, (at, length)) in (1..).zip(all) {
            half.take(piece(at, length, frame), |_, _| true);
        }
        half.close();
        let frames = |range| half.again_in(range).map(|piece| piece.frame).collect::<Vec<_>>();
        assert_eq!(frames(100..101), [2, 5]);
        assert_eq!(frames(29..30), [4]);
        assert_eq!(frames(0..60_000), [4, 2, 5, 3]);
        assert!(frames(30..100).is_empty());
    }

    proptest! {
        #[test]
        fn any_segments_give_disjoint_pieces_that_cover_all(
            segments in proptest::collection::vec((0_u64..200, 1_u32..40), 1..60),
        ) {
            let mut half = Half::default();
            let mut first = [None; 300];
            for (frame, (at, length)) in (1..).zip(&segments) {
                half.take(piece(*at, *length, frame), |_, _| true);
                for byte in *at..*at + u64::from(*length) {
                    first[byte as usize].get_or_insert(frame);
                }
            }
            for (byte, frame) in (0..).zip(first) {
                let range = byte..byte + 1;
                let found: Vec<_> = half.first_in(&range).filter_map(|piece| piece.within(&range)).collect();
                prop_assert_eq!(found.iter().map(|piece| piece.frame).collect::<Vec<_>>(), Vec::from_iter(frame));
                for piece in found {
                    let (at, _) = segments[piece.frame as usize - 1];
                    prop_assert_eq!(u64::from(piece.offset), 100 + byte - at, "its place in the frame moves along");
                }
            }
            prop_assert!(ranges(&half).is_sorted_by(|a, b| a.end <= b.start));
            let missing: u64 = half.gaps().map(|gap| gap.end - gap.start).sum();
            let known: u64 = ranges(&half).iter().map(|range| range.end - range.start).sum();
            prop_assert_eq!(known, half.known());
            prop_assert_eq!(missing + known, half.length());
        }
    }
}
