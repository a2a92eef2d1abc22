//! From any byte of a page down to the frames that brought it, and from any byte of a frame up to what it is part of.
//!
//! ```text
//!   below:     Plaintext ─► Record ─► Stream ─► Frame, or Datagram ─► Frame      byte i stands for byte i, all the way
//!   meanings:  the same the other way
//! ```

use std::ops::Range;

use framewise_core::Field;

use super::Dissection;
use super::half::Half;
use super::layers::Layer;
use super::records::Records;
use super::space::{Carrier, DatagramId, Place, Space, StreamId, common};

/// What a byte of a frame is, in one of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The layer.
    pub layer: Layer,
    /// Where the byte is, in the layer's own bytes.
    pub place: Place,
    /// The fields of the layer that it belongs to, the largest first. None: it is what the layer carries.
    pub fields: Vec<Field>,
}

impl Dissection {
    /// Where the bytes of a place lie, one step down; the way on is the same question again. What was sent more than once is
    /// there as often, first what came first. Bytes that are missing are left out.
    pub fn below(&self, place: &Place) -> Vec<Carrier> {
        match place.space {
            Space::Frame(_) => Vec::new(),
            Space::Datagram(id) => self.below_datagram(id, &place.range),
            Space::Stream(stream) => self.below_stream(stream, &place.range),
            Space::Record(stream, number) => self.below_record(stream, number, &place.range),
            Space::Plaintext(stream) => self.below_plaintext(stream, &place.range),
        }
    }

    /// The frames that brought the bytes of a place, with the bytes of each: sorted by the bytes that were asked for, then by
    /// frame.
    pub fn frames_of(&self, place: &Place) -> Vec<Carrier> {
        let mut found = Vec::new();
        self.follow(place.range.start, place, false, &mut found);
        found.sort_by_key(|carrier| (carrier.part.start, frame_number(&carrier.at), carrier.at.range.start));
        found
    }

    /// Collects the frames below a place, whose first byte is byte `from` of what was asked for.
    fn follow(&self, from: u64, place: &Place, again: bool, found: &mut Vec<Carrier>) {
        for carrier in self.below(place) {
            let shifted = carrier.part.start - place.range.start + from;
            let part = shifted..shifted + (carrier.part.end - carrier.part.start);
            let again = again || carrier.again;
            match carrier.at.space {
                Space::Frame(_) => found.push(Carrier { part, at: carrier.at, again }),
                _ => self.follow(shifted, &carrier.at, again, found),
            }
        }
    }

    /// The bytes of a place; `None` if some of them are missing, or can't be opened.
    pub fn bytes(&self, place: &Place) -> Option<Vec<u8>> {
        let range = place.range.clone();
        let wanted = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        let mut out = Vec::new();
        match place.space {
            Space::Frame(number) => {
                let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
                out.extend_from_slice(self.store.frame(number).get(range)?);
            }
            Space::Datagram(id) => out = self.store.datagram(id, &range)?,
            Space::Stream(stream) => _ = self.store.stream(self.half(stream)?, range, &mut out),
            Space::Record(stream, number) => {
                let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
                out.extend_from_slice(self.content(stream, number)?.get(range)?);
            }
            Space::Plaintext(stream) => {
                for part in self.below_plaintext(stream, &range) {
                    out.extend(self.bytes(&part.at)?);
                }
            }
        }
        (out.len() == wanted).then_some(out)
    }

    /// What a byte of a frame is, in each layer that it is part of, the outermost first. Where the frame has nothing of a
    /// layer at this byte, that layer is left out.
    pub fn meanings(&self, frame: usize, byte: usize) -> Vec<Meaning> {
        let Some(frame) = self.frame(frame).filter(|frame| byte < frame.bytes().len()) else {
            return Vec::new();
        };
        let mut at = vec![Place::new(Space::Frame(frame.number()), byte as u64..byte as u64 + 1)];
        let mut next = 0;
        while let Some(place) = at.get(next) {
            at.extend(self.above(place));
            next += 1;
        }
        frame.layers().layers.into_iter().filter_map(|layer| meaning(layer, &at)).collect()
    }

    /// What a byte is one step up: at most one byte in each space.
    fn above(&self, place: &Place) -> Option<Place> {
        let at = place.range.start;
        match place.space {
            Space::Frame(number) => self.above_frame(number, at),
            Space::Datagram(id) => self.above_segment(self.last_frame(id)?, at),
            Space::Stream(stream) => {
                let records = self.session(stream.connection)?.records(stream.side)?;
                let number = records.in_stream(&place.range).next()?;
                let content = records.list.get(number)?.content_of(&place.range);
                (!content.is_empty()).then(|| Place::new(Space::Record(stream, number), content))
            }
            Space::Record(stream, number) => {
                let records = self.session(stream.connection)?.records(stream.side)?;
                let plaintext = records.list.get(number)?.plaintext()?;
                let at = plaintext.start + at;
                Some(Place::new(Space::Plaintext(stream), at..at + 1))
            }
            Space::Plaintext(_) => None,
        }
    }

    fn above_frame(&self, number: usize, at: u64) -> Option<Place> {
        let frame = self.frame(number)?;
        let Some(id) = frame.datagram() else { return self.above_segment(number, at) };
        let datagram = self.store.datagrams.get(id)?;
        let parts = datagram.parts.iter().chain(&datagram.again);
        let part = parts.filter(|part| part.frame as usize == number).find(|part| {
            let offset = u64::from(part.offset);
            (offset..offset + u64::from(part.length)).contains(&at)
        })?;
        let at = at - u64::from(part.offset) + u64::from(part.at);
        Some(Place::new(Space::Datagram(id), at..at + 1))
    }

    /// The byte of the stream that byte `at` of the frame (or of the datagram that it made whole) is.
    fn above_segment(&self, number: usize, at: u64) -> Option<Place> {
        let frame = self.frame(number)?;
        let (connection, segment) = frame.connection().zip(frame.segment())?;
        let range = segment.range()?;
        let into = at.checked_sub(u64::from(segment.offset))?;
        let place = range.start + into;
        let stream = StreamId { connection, side: segment.side };
        range.contains(&place).then(|| Place::new(Space::Stream(stream), place..place + 1))
    }

    fn last_frame(&self, id: DatagramId) -> Option<usize> {
        self.store.datagrams.get(id)?.whole_at.map(|frame| frame as usize)
    }

    fn half(&self, stream: StreamId) -> Option<&Half> {
        Some(self.record(stream.connection)?.half(stream.side))
    }

    fn records(&self, stream: StreamId) -> Option<&Records> {
        self.session(stream.connection)?.records(stream.side)
    }

    fn content(&self, stream: StreamId, number: usize) -> Option<Vec<u8>> {
        let session = self.session(stream.connection)?;
        session.content(&self.store, self.half(stream)?, stream.side, number)
    }

    fn below_datagram(&self, id: DatagramId, range: &Range<u64>) -> Vec<Carrier> {
        let carrier = |(part, again): (super::datagrams::Part, bool)| {
            let offset = u64::from(part.offset);
            let frame = Space::Frame(part.frame as usize);
            let at = Place::new(frame, offset..offset + u64::from(part.length));
            Carrier { part: part.range(), at, again }
        };
        self.store.parts(id, range).into_iter().map(carrier).collect()
    }

    fn below_stream(&self, stream: StreamId, range: &Range<u64>) -> Vec<Carrier> {
        let Some(half) = self.half(stream) else { return Vec::new() };
        let first = half.first_in(range).map(|piece| (piece, false));
        let again = half.again_in(range.clone()).map(|piece| (piece, true));
        let carrier = |(piece, again): (&super::Piece, bool)| {
            let piece = piece.within(range)?;
            let (space, offset) = piece.origin();
            let at = Place::new(space, offset..offset + u64::from(piece.length));
            Some(Carrier { part: piece.range(), at, again })
        };
        first.chain(again).filter_map(carrier).collect()
    }

    fn below_record(&self, stream: StreamId, number: usize, range: &Range<u64>) -> Vec<Carrier> {
        let Some(record) = self.records(stream).and_then(|records| records.list.get(number)) else {
            return Vec::new();
        };
        let content = record.content();
        let part = common(range, &(0..content.end - content.start));
        let at = Place::new(Space::Stream(stream), content.start + part.start..content.start + part.end);
        if part.is_empty() { Vec::new() } else { vec![Carrier { part, at, again: false }] }
    }

    fn below_plaintext(&self, stream: StreamId, range: &Range<u64>) -> Vec<Carrier> {
        let Some(records) = self.records(stream) else { return Vec::new() };
        let carrier = |number: usize| {
            let plaintext = records.list.get(number)?.plaintext()?;
            let part = common(range, &plaintext);
            let inside = part.start.checked_sub(plaintext.start)?..part.end.checked_sub(plaintext.start)?;
            let at = Place::new(Space::Record(stream, number), inside);
            (!part.is_empty()).then_some(Carrier { part, at, again: false })
        };
        records.in_plaintext(range).filter_map(carrier).collect()
    }
}

fn frame_number(place: &Place) -> usize {
    match place.space {
        Space::Frame(number) => number,
        _ => 0,
    }
}

/// What the byte that is at these places is in a layer, if it is part of it.
fn meaning(layer: Layer, at: &[Place]) -> Option<Meaning> {
    let place = at.iter().find(|place| place.space == layer.space)?;
    let byte = place.range.start;
    if !layer.here.contains(&byte) {
        return None;
    }
    let covers = |field: &&Field| {
        let range = layer.place(&field.bytes).range;
        range.contains(&byte)
    };
    let mut fields: Vec<Field> = layer.description.fields.iter().filter(covers).cloned().collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.bytes.len()));
    Some(Meaning { place: place.clone(), fields, layer })
}
