//! Words on the screen, and the colours of layers in a terminal.

use framewise_trace::words::{self, Hue};
use ratatui::style::{Color, Modifier, Style};

pub(crate) use framewise_trace::words::{columns, cut, letter_of, padded};

/// How layers look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    pub(crate) has_colour: bool,
}

impl Theme {
    /// One hue for each layer, the same as in the walk.
    pub(crate) fn of(self, protocol: &str) -> Style {
        self.coloured(match protocol {
            "App" => Color::Yellow,
            "" => Color::DarkGray,
            layer => match Hue::of(layer) {
                Hue::Yellow => Color::Yellow,
                Hue::Magenta => Color::Magenta,
                Hue::Cyan => Color::Cyan,
                Hue::Green => Color::Green,
                Hue::Blue => Color::Blue,
            },
        })
    }

    /// What matters less.
    pub(crate) fn quiet(self) -> Style {
        self.coloured(Color::DarkGray)
    }

    /// Where somebody noticed damage, and nowhere else.
    pub(crate) fn damage(self) -> Style {
        self.coloured(Color::Red)
    }

    /// What is under the cursor.
    pub(crate) fn marked(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn coloured(self, color: Color) -> Style {
        if self.has_colour { Style::new().fg(color) } else { Style::new() }
    }
}

/// Text in lines of at most `width` columns, cut between words, or within one that is longer.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    words::wrapped(text, width).iter().map(|line| cut(line, width)).collect()
}

/// A line of at most `width` columns after which something was left out, marked like all that is cut.
pub(crate) fn ending_cut(line: &str, width: usize) -> String {
    cut(&format!("{line}    "), width.min(columns(line) + 3))
}
