//! A list to choose from: where else the bytes under the cursor are, what can be done differently.

use ratatui::style::Style;
use ratatui::text::Line;

use super::stack::window;
use super::text::{Theme, cut};

pub(super) fn lines(
    texts: &[&str],
    at: usize,
    theme: Theme,
    width: usize,
    height: usize,
) -> Vec<Line<'static>> {
    let line = |(index, text): (usize, &&str)| {
        let mark = if index == at { ">" } else { " " };
        let text = format!("{mark} {}", cut(text, width.saturating_sub(3)));
        Line::styled(text, if index == at { theme.marked() } else { Style::new() })
    };
    window(texts.iter().enumerate().map(line).collect(), at, height)
}
