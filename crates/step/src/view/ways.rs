//! Where else the bytes under the cursor are, as a list to choose from.

use ratatui::style::Style;
use ratatui::text::Line;

use super::stack::window;
use super::text::{Theme, cut};
use crate::model::Way;

pub(super) fn lines(
    ways: &[Way],
    at: usize,
    theme: Theme,
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let line = |(index, way): (usize, &Way)| {
        let mark = if index == at { ">" } else { " " };
        let text = format!("{mark} {}", cut(&way.text, width.saturating_sub(3)));
        Line::styled(text, if index == at { theme.marked() } else { Style::new() })
    };
    window(ways.iter().enumerate().map(line).collect(), at, height)
}
