//! Finding a text: in what both sides of each connection say, sealed or not; else in the values of fields.

use std::ops::Range;

use framewise_trace::dissect::{Dissection, Place, Side, Space, Stream};

/// Places of a text that are found; of more, the first.
const MOST: usize = 1_000;
/// Bytes that are looked through at once.
const PIECE: u64 = 1 << 16;
/// Frames whose fields are looked through.
const FRAMES: usize = 5_000;

/// A place where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) frame: usize,
    /// Which of its layers, the outermost first.
    pub(crate) layer: usize,
    pub(crate) field: usize,
    /// The text itself, where it is in the layer's own bytes.
    pub(crate) place: Option<Place>,
}

impl Found {
    /// Where it comes among others: first by frame, then as the layers stand in it, then by the first byte.
    pub(crate) fn order(&self) -> (usize, usize, u64, usize) {
        let begin = self.place.as_ref().map_or(0, |place| place.range.start);
        (self.frame, self.layer, begin, self.field)
    }
}

/// Where a text stands, in the order of frames.
pub(crate) fn find(dissection: &Dissection, text: &str) -> Vec<Found> {
    let mut found = if text.is_empty() { Vec::new() } else { in_streams(dissection, text.as_bytes()) };
    if found.is_empty() && !text.is_empty() {
        found = in_fields(dissection, &text.to_lowercase());
    }
    found.sort_by_key(Found::order);
    found.dedup();
    found
}

fn in_streams(dissection: &Dissection, wanted: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for connection in dissection.connections() {
        for stream in Side::BOTH.map(|side| connection.stream(side)) {
            for place in places(dissection, &stream, wanted, MOST.saturating_sub(found.len())) {
                let carriers = dissection.frames_of(&place);
                let frames = carriers.iter().filter_map(|carrier| match carrier.at.space {
                    Space::Frame(number) => Some(number),
                    _ => None,
                });
                found.extend(frames.filter_map(|frame| in_layer(dissection, frame, &place)));
            }
        }
    }
    found
}

/// Where a text stands in what a side said.
fn places(dissection: &Dissection, stream: &Stream<'_>, wanted: &[u8], most: usize) -> Vec<Place> {
    let space = stream.message_space();
    let whole: Vec<Range<u64>> = match space {
        Space::Plaintext(_) => std::iter::once(0..stream.plaintext_length()).collect(),
        _ => stream.pieces().map(|piece| piece.range()).collect(),
    };
    let mut found = Vec::new();
    for range in joined(whole) {
        let mut begin = range.start;
        while begin < range.end && found.len() < most {
            // A text may lie across the edge of two pieces.
            let end = (begin + PIECE + wanted.len() as u64).min(range.end);
            let bytes = dissection.bytes(&Place::new(space, begin..end)).unwrap_or_default();
            let at = bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted);
            let places = at.map(|(at, _)| begin + at as u64).filter(|at| *at < begin + PIECE);
            found.extend(places.map(|at| Place::new(space, at..at + wanted.len() as u64)));
            begin += PIECE;
        }
    }
    found.truncate(most);
    found
}

/// Ranges in order, those that touch made one.
fn joined(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => joined.push(range),
        }
    }
    joined
}

/// The innermost layer of a frame that the place is in, and the field.
fn in_layer(dissection: &Dissection, frame: usize, place: &Place) -> Option<Found> {
    let layers = dissection.frame(frame)?.layers().layers;
    let begin = place.range.start;
    let holds = |range: &Range<u64>| range.start < place.range.end && begin < range.end;
    let is_it = |layer: &framewise_trace::dissect::Layer| layer.space == place.space && holds(&layer.here);
    let index = layers.iter().rposition(is_it).unwrap_or(layers.len().checked_sub(1)?);
    let layer = layers.get(index)?;
    let fields = &layer.description.fields;
    let covers =
        |bytes: &Range<usize>| layer.space == place.space && layer.place(bytes).range.contains(&begin);
    let field = fields.iter().rposition(|field| covers(&field.bytes)).unwrap_or(0);
    let place = (layer.space == place.space).then(|| place.clone());
    Some(Found { frame, layer: index, field, place })
}

fn in_fields(dissection: &Dissection, wanted: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for frame in dissection.frames().take(FRAMES) {
        for (layer, what) in frame.layers().layers.iter().enumerate() {
            let fields = &what.description.fields;
            let says = |text: &str| text.to_lowercase().contains(wanted);
            if let Some(field) = fields.iter().position(|field| says(&field.value) || says(field.name)) {
                found.push(Found { frame: frame.number(), layer, field, place: None });
            }
            if found.len() >= MOST {
                return found;
            }
        }
    }
    found
}
