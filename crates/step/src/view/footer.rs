//! The keys that do something now.

use ratatui::text::{Line, Span};

use super::text::{Theme, columns};
use crate::model::{Mode, Stepper};
use crate::run::Host;

pub(super) fn line(stepper: &Stepper, theme: Theme, width: u16) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (key, what) in fitting(keys(stepper), width.into()) {
        spans.push(Span::styled(key, theme.marked()));
        spans.push(Span::raw(format!(" {what}   ")));
    }
    Line::from(spans)
}

/// What every line has, whatever else has room.
const ALWAYS: [&str; 2] = ["?", "q"];

/// As many keys as have room, without the last ones of the others.
fn fitting(mut keys: Vec<(&'static str, &'static str)>, width: usize) -> Vec<(&'static str, &'static str)> {
    let takes = |(key, what): &(&str, &str)| columns(key) + columns(what) + 4;
    // What stands at the end needs no room behind it.
    while 1 + keys.iter().map(takes).sum::<usize>() > width + 3 {
        let Some(place) = keys.iter().rposition(|(key, _)| !ALWAYS.contains(key)) else { break };
        keys.remove(place);
    }
    keys
}

/// The most needed first: what does not fit is under `?`.
fn keys(stepper: &Stepper) -> Vec<(&'static str, &'static str)> {
    let histories = stepper.histories().0.len();
    let is_mine = stepper.can_run_again() && stepper.host() == Host::Me;
    let all: Vec<(bool, &str, &str)> = match stepper.mode() {
        Mode::Help => vec![(true, "Esc", "back to the walk"), (true, "q", "quit")],
        Mode::Search(_) | Mode::Goto(_) => vec![(true, "Enter", "go"), (true, "Esc", "never mind")],
        Mode::Ways(..) | Mode::Compare(..) => {
            vec![(true, "up/down", "choose"), (true, "Enter", "go there"), (true, "Esc", "close")]
        }
        Mode::WhatIf(..) => {
            vec![(true, "up/down", "choose"), (true, "Enter", "run it so"), (true, "Esc", "never mind")]
        }
        Mode::Walk => vec![
            (stepper.is_playing(), "space", "pause"),
            (stepper.is_playing(), "+ -", "faster, slower"),
            (!stepper.is_last(), "->", "next"),
            (!stepper.is_first(), "<-", "back"),
            (histories > 1, "v", "other history"),
            (histories > 1, "d", "side by side"),
            (stepper.fields().len() > 1 || stepper.standing().is_some(), "up/down", "field"),
            (stepper.layer().is_some(), "Enter", if stepper.has_bytes() { "close bytes" } else { "bytes" }),
            (true, "?", "all keys"),
            (true, "q", "quit"),
            (stepper.layer().is_some(), "t", if stepper.standing().is_some() { "fields" } else { "state" }),
            (is_mine, "b", "what if"),
            (stepper.layer().is_some(), "w", "where else"),
            (stepper.can_run_again(), "Tab", "other side"),
            (stepper.source().is_some(), "s", "source"),
            (stepper.can_return(), "r", "return"),
            (stepper.has_found(), "n", "find next"),
            (!stepper.is_playing() && !stepper.is_last(), "space", "play"),
            (!stepper.has_found(), "/", "find"),
        ],
    };
    all.into_iter().filter(|(does, ..)| *does).map(|(_, key, what)| (key, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_no_room_the_keys_and_the_end_are_there() {
        let keys = vec![("->", "next"), ("<-", "back"), ("?", "all keys"), ("q", "quit"), ("t", "state")];
        assert_eq!(fitting(keys.clone(), 80), keys);
        assert_eq!(fitting(keys.clone(), 40), keys[..4]);
        assert_eq!(fitting(keys.clone(), 30), [keys[0], keys[2], keys[3]]);
        assert_eq!(fitting(keys.clone(), 10), keys[2..4]);
    }
}
