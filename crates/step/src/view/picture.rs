//! The envelopes to scale, one letter for each layer: `EEIIITTTSHHHHHHSSS`.

use std::ops::Range;

use ratatui::text::Span;

use super::text::{Theme, letter_of};
use crate::model::Scene;

/// Letters that small parts may take beyond their due.
const SPARE: usize = 6;

/// Bytes for one letter, the same for all pictures of a frame of this length that are to fit.
pub(super) fn scale(length: usize, width: usize) -> usize {
    length.div_ceil(width.saturating_sub(SPARE).max(1)).max(1)
}

/// A run of bytes of one layer: one part of a picture.
pub(super) struct Run {
    protocol: &'static str,
    bytes: Range<usize>,
}

/// The frame in runs that end where its layers do, and where one of these ranges begins or ends.
pub(super) fn runs(scene: &Scene, edges: [&Range<usize>; 2]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for byte in scene.bytes() {
        let protocol = scene.protocol_at(byte);
        let is_edge = edges.iter().any(|range| range.start == byte || range.end == byte);
        match runs.last_mut().filter(|last| last.protocol == protocol && !is_edge) {
            Some(last) => last.bytes.end = byte + 1,
            None => runs.push(Run { protocol, bytes: byte..byte + 1 }),
        }
    }
    runs
}

/// A part of the frame, below its place in the whole: letters for each run, at least one, however small it is.
pub(super) fn of(runs: &[Run], range: &Range<usize>, scale: usize, theme: Theme) -> Vec<Span<'static>> {
    let span = |run: &Run| {
        let letter = if range.contains(&run.bytes.start) { letter_of(run.protocol) } else { ' ' };
        Span::styled(letter.to_string().repeat((run.bytes.len() / scale).max(1)), theme.of(run.protocol))
    };
    runs.iter().map(span).collect()
}
