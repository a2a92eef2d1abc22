//! Two histories side by side: the frames of each in a line, the first that differ marked.

use ratatui::style::Style;
use ratatui::text::Line;

use super::stack::window;
use super::text::{Theme, padded};
use crate::model::{Pair, Stepper, letter};

pub(super) fn title(stepper: &Stepper) -> String {
    let [older, newer] = both(stepper);
    format!(" Histories {} and {} side by side ", letter(older), letter(newer))
}

/// The two histories, the older first.
fn both(stepper: &Stepper) -> [usize; 2] {
    let (_, current) = stepper.histories();
    let other = stepper.compared();
    [current.min(other), current.max(other)]
}

pub(super) fn lines(
    stepper: &Stepper,
    pairs: &[Pair],
    at: usize,
    theme: Theme,
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let column = width.saturating_sub(6) / 2;
    let (histories, _) = stepper.histories();
    let [older, newer] = both(stepper).map(|number| {
        let change = histories.get(number).map_or("", |history| history.change.as_str());
        format!("{}: {}", letter(number), if change.is_empty() { "as it was" } else { change })
    });
    let head = format!("  {} | {}", padded(&older, column), padded(&newer, column));
    let first = pairs.iter().position(|pair| !pair.is_same);
    let row = |(index, pair): (usize, &Pair)| {
        let mark = if index == at { '>' } else { ' ' };
        let differs = match (pair.is_same, first == Some(index)) {
            (true, _) => ' ',
            (false, true) => '!',
            (false, false) => '~',
        };
        let [one, other] = pair.sides.each_ref().map(|side| padded(side.as_deref().unwrap_or(""), column));
        let style = match (index == at, differs) {
            (true, _) => theme.marked(),
            (false, '!') => theme.damage(),
            (false, '~') => Style::new(),
            _ => theme.quiet(),
        };
        Line::styled(format!("{mark}{differs}{one} | {other}"), style)
    };
    let mut lines = vec![Line::styled(head, theme.marked())];
    lines.extend(window(pairs.iter().enumerate().map(row).collect(), at, height.saturating_sub(2)));
    lines.resize(height.saturating_sub(1), Line::default());
    let words = match first {
        Some(first) => {
            format!("  ! the first difference, frame {}; ~ others; the rest is the same in both.", first + 1)
        }
        None => "  Both are the same.".to_owned(),
    };
    lines.push(Line::styled(words, theme.quiet()));
    lines
}
