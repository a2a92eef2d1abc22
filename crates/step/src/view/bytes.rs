//! The bytes of the layer: digits, whose each is, and as characters; those of the field under the cursor in brackets.

use std::ops::Range;

use framewise_trace::dissect::{Layer, Place, Space};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::text::{Theme, letter_of};
use crate::model::Stepper;

/// Bytes of a layer that are looked at; a part that is longer is shown from the field on.
const MOST: u64 = 4_096;

/// Which bytes they are.
pub(super) fn title(stepper: &Stepper) -> String {
    let Some((layer, field)) = marked(stepper) else { return " Bytes ".to_owned() };
    let last = field.end.saturating_sub(1).max(field.start);
    let of = match layer.space {
        Space::Frame(number) => format!("of frame {number}"),
        Space::Datagram(_) => "of the packet that came in fragments".to_owned(),
        Space::Stream(_) => "of what TCP carries".to_owned(),
        Space::Record(_, number) => format!("inside record {}, opened", number + 1),
        Space::Plaintext(_) => "of what TLS carries, opened".to_owned(),
    };
    format!(" Bytes {}-{last} {of} ", field.start)
}

/// The layer, and those of its bytes that are under the cursor, in the layer's space.
fn marked(stepper: &Stepper) -> Option<(&Layer, Range<u64>)> {
    let layer = stepper.layer()?;
    Some((layer, stepper.marked().map_or(layer.here.clone(), |place| place.range)))
}

pub(super) fn lines(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let Some((layer, marked)) = marked(stepper) else { return Vec::new() };
    let row = (width.saturating_sub(12) / 5 / 4 * 4).max(4) as u64;
    let whole = around(layer, &marked);
    // Rows begin with the layer; the one with the field is near the top.
    let into = (marked.start.saturating_sub(whole.start) / row).saturating_sub(height as u64 / 3);
    let last = ((whole.end - whole.start).div_ceil(row)).saturating_sub(height as u64);
    let begin = whole.start + into.min(last) * row;
    let end = (begin + row * height as u64).min(whole.end);
    let Some(bytes) = stepper.dissection().bytes(&Place::new(layer.space, begin..end)) else {
        return vec![Line::raw("  Some of these bytes were not captured, or can't be opened.")];
    };
    let rows = bytes.chunks(row as usize).zip((begin..end).step_by(row as usize));
    rows.map(|(bytes, at)| row_line(stepper, theme, layer, bytes, at, row, &marked)).collect()
}

/// What of the layer is shown: all of it that this frame brought and the field, if that is not too much.
fn around(layer: &Layer, marked: &Range<u64>) -> Range<u64> {
    let is_here = layer.here.start <= marked.start && marked.end <= layer.here.end;
    let whole = if is_here { layer.here.clone() } else { marked.clone() };
    if whole.end.saturating_sub(whole.start) <= MOST {
        return whole;
    }
    let begin = marked.start.saturating_sub(MOST / 4).max(whole.start);
    begin..(begin + MOST).min(whole.end)
}

fn row_line(
    stepper: &Stepper,
    theme: Theme,
    layer: &Layer,
    bytes: &[u8],
    at: u64,
    row: u64,
    marked: &Range<u64>,
) -> Line<'static> {
    let mut digits = vec![Span::styled(format!("  {at:05x} "), theme.quiet())];
    let (mut letters, mut characters) = (Vec::new(), Vec::new());
    let mut was_in = false;
    for (at, byte) in (at..).zip(bytes) {
        let is_in = marked.contains(&at);
        let protocol = protocol_at(stepper, layer, at);
        let style = theme.of(protocol);
        let style = if is_in { style.add_modifier(Modifier::BOLD) } else { style };
        let before = match (was_in, is_in) {
            (false, true) => "[",
            (true, false) => "]",
            _ => " ",
        };
        was_in = is_in;
        digits.push(Span::raw(before));
        digits.push(Span::styled(format!("{byte:02x}"), style));
        letters.push(Span::styled(letter_of(protocol).to_string(), style));
        let character = char::from(*byte);
        let is_shown = character.is_ascii_graphic() || character == ' ';
        characters.push(Span::styled(if is_shown { character } else { '.' }.to_string(), style));
    }
    let missing = (row as usize).saturating_sub(bytes.len());
    digits.push(Span::raw(format!("{} {}", if was_in { "]" } else { " " }, "   ".repeat(missing))));
    letters.push(Span::raw(format!("{} ", " ".repeat(missing))));
    Line::from([digits, letters, characters].concat())
}

/// Whose a byte is: in the frame the innermost layer's, elsewhere that of the last layer in the same bytes.
fn protocol_at(stepper: &Stepper, layer: &Layer, at: u64) -> &'static str {
    if matches!(layer.space, Space::Frame(number) if number == stepper.position().frame) {
        return usize::try_from(at).map_or("", |at| stepper.scene().protocol_at(at));
    }
    let layers = &stepper.scene().stack.layers;
    let same = |other: &&Layer| other.space == layer.space && other.here.contains(&at);
    layers.iter().rev().find(same).unwrap_or(layer).description.protocol
}
