//! All keys.

use ratatui::text::{Line, Span};

use super::text::Theme;

/// What each key does.
const KEYS: [(&str, &str); 19] = [
    ("-> or l    <- or h", "the next step; the step before"),
    ("PgDn       PgUp", "the next frame; the frame before"),
    ("Home       End", "the first step; the last"),
    ("up or k    down or j", "a field up or down; on a field, its parts are open"),
    ("Enter", "opens the bytes of this layer, or closes them"),
    ("t", "how the layer stands after this frame; its fields again"),
    ("w", "where else these bytes are: in frames, in layers"),
    ("r", "returns from there, from a search, from a number"),
    ("b", "what if: loses, holds back or damages this frame"),
    ("v          d", "to the other history; both side by side"),
    ("Tab        s", "the other host's side; which source file does this"),
    ("x y z", "guesses what comes next; just going on is as good"),
    ("1 2 3 4 5 6", "to the next app, HTTP or DNS, TLS, TCP or UDP, IP, link"),
    ("e          E", "to the next frame with this layer; to the one before"),
    ("g", "to the frame of a number"),
    ("/          n", "finds a text, sealed or not; its next place"),
    ("space      + -", "plays, or pauses; plays faster; slower"),
    ("Esc        ?", "closes what is open; these keys"),
    ("q or Ctrl-C", "ends"),
];

pub(super) fn lines(theme: Theme) -> Vec<Line<'static>> {
    let line = |(key, what): (&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!(" {key:<21}"), theme.marked()), Span::raw(what)])
    };
    KEYS.into_iter().map(line).collect()
}
