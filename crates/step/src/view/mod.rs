//! The screen: what a [`Stepper`] looks like. It depends on nothing else, and changes nothing.
//!
//! ```text
//!   title     what, which frame, whose, when, which step
//!   strip     the frames around this one
//!   ┌ stack ┐┌ layer ───────────────┐   the layers on both sides   what one layer did, its fields
//!   │       │├ bytes ───────────────┤                              (opened with Enter)
//!   ├ what just happened ───────────┤
//!   keys that do something now
//! ```

mod bytes;
mod compare;
mod footer;
mod happened;
mod help;
mod layer;
mod picture;
mod stack;
mod standing;
mod text;
mod title;
mod ways;

use ratatui::Frame as Screen;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use crate::model::{Mode, Stepper};
use text::Theme;
use text::cut;

/// The smallest screen on which it can be used.
pub const SMALLEST: (u16, u16) = (80, 24);

/// Draws it. Without colour marks and letters say the same.
pub fn draw(screen: &mut Screen<'_>, stepper: &Stepper, has_colour: bool) {
    let theme = Theme { has_colour };
    let area = screen.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(screen, area);
    }
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(7),
        Constraint::Length(1),
    ];
    let [top, strip, middle, below, bottom] = Layout::vertical(rows).areas(area);
    screen.render_widget(title::line(stepper, theme, top.width), top);
    screen.render_widget(title::strip(stepper, theme, strip.width), strip);
    screen.render_widget(footer::line(stepper, theme, bottom.width), bottom);
    if stepper.mode() == &Mode::Help {
        let whole = Rect { height: middle.height + below.height, ..middle };
        return pane(screen, whole, " All keys ", |_, _| help::lines(theme));
    }
    if let Mode::Compare(pairs, at) = stepper.mode() {
        let whole = Rect { height: middle.height + below.height, ..middle };
        return pane(screen, whole, &compare::title(stepper), |width, height| {
            compare::lines(stepper, pairs, *at, theme, width, height)
        });
    }
    let columns = [Constraint::Length(22), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(columns).areas(middle);
    pane(screen, left, &format!(" {} ", cut(&stack::name(stepper), left.width as usize - 4)), |_, height| {
        stack::lines(stepper, theme, left.width as usize - 2, height)
    });
    middle_right(screen, right, stepper, theme);
    pane(screen, below, " What just happened ", |width, height| {
        happened::lines(stepper, theme, width, height)
    });
}

/// The layer; below it its bytes, or instead of it where they are carried.
fn middle_right(screen: &mut Screen<'_>, area: Rect, stepper: &Stepper, theme: Theme) {
    match stepper.mode() {
        Mode::Ways(ways, at) => {
            let texts: Vec<&str> = ways.iter().map(|way| way.text.as_str()).collect();
            return pane(screen, area, " Where else these bytes are ", |width, height| {
                ways::lines(&texts, *at, theme, width, height)
            });
        }
        Mode::WhatIf(choices, at) => {
            let texts: Vec<&str> = choices.iter().map(|choice| choice.text.as_str()).collect();
            return pane(screen, area, " What if: run it again from the seed, and ", |width, height| {
                ways::lines(&texts, *at, theme, width, height)
            });
        }
        _ => {}
    }
    let height = if stepper.has_bytes() { area.height / 3 + 1 } else { 0 };
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
    match stepper.standing() {
        Some(states) => pane(screen, above, &standing::title(stepper), |width, height| {
            standing::lines(&states, stepper.known(), theme, width, height)
        }),
        None => pane(screen, above, &layer::title(stepper), |width, height| {
            layer::lines(stepper, theme, width, height)
        }),
    }
    if height > 0 {
        pane(screen, below, &bytes::title(stepper), |width, height| {
            bytes::lines(stepper, theme, width, height)
        });
    }
}

/// A frame with a title around lines, which are told how wide they may be, and how many.
fn pane<'l>(
    screen: &mut Screen<'_>,
    area: Rect,
    title: &str,
    lines: impl FnOnce(usize, usize) -> Vec<Line<'l>>,
) {
    let block = Block::new().borders(Borders::ALL).title(cut(title, area.width.saturating_sub(2) as usize));
    let inside = block.inner(area);
    let lines = lines(inside.width as usize, inside.height as usize);
    screen.render_widget(block, area);
    screen.render_widget(Paragraph::new(lines), inside);
}

fn too_small(screen: &mut Screen<'_>, area: Rect) {
    let (columns, rows) = SMALLEST;
    let lines = [
        format!("This terminal has {} x {} characters.", area.width, area.height),
        format!("The stepper needs {columns} x {rows}: make it larger."),
        "q ends.".to_owned(),
    ];
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, Style::new())).collect();
    screen.render_widget(Paragraph::new(lines), area);
}
