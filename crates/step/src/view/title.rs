//! The two lines on top: where one is, and the frames around.

use std::time::Duration;

use framewise_trace::dissect::Frame;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::text::{Theme, columns, cut, padded};
use crate::model::{Stepper, is_down, letter};
use crate::run::Host;

/// What is shown, which frame it is and whose, when, and which step.
pub(super) fn line(stepper: &Stepper, theme: Theme, width: u16) -> Line<'static> {
    let width = width as usize;
    let at = stepper.position();
    let place = match stepper.frame() {
        Some(frame) => format!(
            "frame {} of {}, {}   {}   step {} of {} ",
            at.frame,
            stepper.dissection().len(),
            whose(stepper, &frame),
            time(stepper, &frame),
            at.step + 1,
            stepper.scene().steps()
        ),
        None => "no frames ".to_owned(),
    };
    let room = width.saturating_sub(columns(&place) + 14);
    let (histories, current) = stepper.histories();
    let history = if histories.len() > 1 { format!("{}: ", letter(current)) } else { String::new() };
    let what = padded(&format!("{history}{}", stepper.what()), room);
    Line::from(vec![
        Span::styled(" framewise  ", theme.marked()),
        Span::raw(what),
        Span::raw("  "),
        Span::styled(place, theme.marked()),
    ])
}

/// Whose it is, where that is known.
fn whose(stepper: &Stepper, frame: &Frame<'_>) -> &'static str {
    match (frame.direction().is_some(), is_down(frame)) {
        (true, true) if stepper.host() == Host::Server => "the server's",
        (true, false) if stepper.host() == Host::Server => "to the server",
        (true, true) => "mine",
        (true, false) => "to me",
        (false, true) => "from the client",
        (false, false) => "to the client",
    }
}

/// Since the first frame; of a run since the first one of who asks for the page, at both of its hosts: what is sent at one
/// arrives later at the other.
fn time(stepper: &Stepper, frame: &Frame<'_>) -> String {
    let Some(time) = frame.time() else { return "no time".to_owned() };
    millis(time.saturating_sub(stepper.began()))
}

/// Milliseconds, with as many places as say something.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 10.0 && millis.fract() > 0.0 { format!("{millis:.3} ms") } else { format!("{millis:.0} ms") }
}

/// The frames around this one, with arrows: `10<TLS [11>HTTP] 12<HTTP`.
pub(super) fn strip(stepper: &Stepper, theme: Theme, width: u16) -> Line<'static> {
    let width = width as usize;
    let at = stepper.position().frame;
    let Some(own) = word(stepper, at) else { return Line::default() };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut used = columns(&own) + 10;
    let (mut low, mut high) = (at, at);
    // One more on each side as long as there is room, so that the current one stays about the middle.
    loop {
        let left = low.checked_sub(1).and_then(|number| word(stepper, number));
        let is_left = left.filter(|word| used + columns(word) < width).map(|word| {
            used += columns(&word) + 1;
            low -= 1;
            before.push((low, word));
        });
        let right = word(stepper, high + 1);
        let is_right = right.filter(|word| used + columns(word) < width).map(|word| {
            used += columns(&word) + 1;
            high += 1;
            after.push((high, word));
        });
        if is_left.is_none() && is_right.is_none() {
            break;
        }
    }
    let mut spans = vec![Span::raw(if low > 1 { " .. " } else { " " })];
    let span =
        |(number, word): (usize, String)| Span::styled(format!("{word} "), style(stepper, theme, number));
    spans.extend(before.into_iter().rev().map(span));
    let marked = style(stepper, theme, at).add_modifier(Modifier::BOLD);
    spans.push(Span::styled(format!("[{own}]"), marked));
    spans.push(Span::raw(" "));
    spans.extend(after.into_iter().map(span));
    spans.push(Span::raw(if high < stepper.dissection().len() { ".." } else { "" }));
    Line::from(spans)
}

/// A frame in a word: its number, its direction, its innermost layer; `!` where something was refused.
fn word(stepper: &Stepper, number: usize) -> Option<String> {
    let frame = stepper.dissection().frame(number)?;
    let arrow = if is_down(&frame) { '>' } else { '<' };
    let refused = if frame.refused().is_some() || !frame.deeds().is_empty() { "!" } else { "" };
    Some(format!("{number}{arrow}{}{refused}", cut(protocol(&frame), 8)))
}

fn style(stepper: &Stepper, theme: Theme, number: usize) -> ratatui::style::Style {
    match stepper.dissection().frame(number) {
        Some(frame) if frame.refused().is_some() || !frame.deeds().is_empty() => theme.damage(),
        Some(frame) => theme.of(protocol(&frame)),
        None => theme.quiet(),
    }
}

fn protocol(frame: &Frame<'_>) -> &'static str {
    frame.layers().layers.last().map_or("?", |layer| layer.description.protocol)
}
