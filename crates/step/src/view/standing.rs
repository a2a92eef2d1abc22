//! How the layer of a step stands once the frame has passed: both ends side by side, what has just changed marked.

use framewise_trace::dissect::{LayerState, Stated};
use ratatui::style::Style;
use ratatui::text::Line;

use super::stack::window;
use super::text::{Theme, cut, padded, wrapped};
use crate::model::Stepper;

/// Columns of a name.
const NAME: usize = 14;
/// Lines kept for the sentences about what is under the cursor.
const SENTENCE: usize = 4;

pub(super) fn title(stepper: &Stepper) -> String {
    format!(" After frame {}: * just changed, ? inferred ", stepper.position().frame)
}

pub(super) fn lines(
    states: &[&LayerState],
    cursor: usize,
    theme: Theme,
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let Some(first) = states.first() else {
        let text =
            "This layer remembers nothing from one message to the next, or nothing has come to it yet.";
        let lines = wrapped(text, width.saturating_sub(4));
        return lines.into_iter().map(|line| Line::raw(format!("  {line}"))).collect();
    };
    let column = width.saturating_sub(NAME + 4) / states.len();
    let heads: String =
        states.iter().map(|state| format!("  {}", padded(&state.whose, column.saturating_sub(2)))).collect();
    let head = format!("  {} {heads}", padded(first.protocol, NAME));
    let names = names(states);
    let row = |(index, name): (usize, &(&'static str, usize))| {
        let is_current = index == cursor;
        let values: String = states.iter().map(|state| value(find(state, *name), column)).collect();
        let mark = if is_current { ">" } else { " " };
        let text = format!("{mark} {} {values}", padded(name.0, NAME));
        Line::styled(cut(&text, width), if is_current { theme.marked() } else { Style::new() })
    };
    let room = height.saturating_sub(SENTENCE + 1);
    let rows = window(names.iter().enumerate().map(row).collect(), cursor, room);
    let mut lines = vec![Line::styled(cut(&head, width), theme.of(first.protocol))];
    lines.extend(rows);
    lines.resize(height.saturating_sub(SENTENCE), Line::default());
    let said =
        names.get(cursor).into_iter().flat_map(|name| sentences(states, *name, width.saturating_sub(2)));
    lines.extend(said.take(SENTENCE).map(|line| Line::styled(format!("  {line}"), theme.marked())));
    lines
}

/// The names of all that is known of any end, each with how many of that name came before.
fn names(states: &[&LayerState]) -> Vec<(&'static str, usize)> {
    let mut names: Vec<(&'static str, usize)> = Vec::new();
    for state in states {
        let mut after = 0;
        for (index, stated) in state.fields.iter().enumerate() {
            let same = state.fields.iter().take(index).filter(|other| other.field.name == stated.field.name);
            let name = (stated.field.name, same.count());
            match names.iter().position(|other| *other == name) {
                Some(at) => after = at + 1,
                None => {
                    names.insert(after.min(names.len()), name);
                    after += 1;
                }
            }
        }
    }
    names
}

fn find<'s>(state: &'s LayerState, (name, number): (&'static str, usize)) -> Option<&'s Stated> {
    state.fields.iter().filter(|stated| stated.field.name == name).nth(number)
}

fn value(stated: Option<&Stated>, column: usize) -> String {
    let Some(stated) = stated else { return padded("", column) };
    let changed = if stated.is_changed { '*' } else { ' ' };
    let inferred = if stated.field.inferred { '?' } else { ' ' };
    format!("{changed}{inferred}{}", padded(&stated.field.value, column.saturating_sub(2)))
}

/// What is under the cursor means, at each end where it is something else.
fn sentences(states: &[&LayerState], name: (&'static str, usize), width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for state in states {
        let Some(stated) = find(state, name) else { continue };
        let whose = if states.len() > 1 { format!("{}: ", state.whose) } else { String::new() };
        let before = stated.before.as_ref().map(|before| format!(" Before: {before}.")).unwrap_or_default();
        let text = format!("{whose}{}{before} ({})", stated.field.meaning, stated.field.source);
        let wrapped = wrapped(&text, width);
        lines.extend(wrapped.into_iter().take(SENTENCE / states.len().max(1)));
    }
    lines
}
