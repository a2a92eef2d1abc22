//! Words on the screen: what comes from outside is shown, never obeyed.

use ratatui::style::{Color, Modifier, Style};

/// How layers look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    pub(crate) has_colour: bool,
}

impl Theme {
    /// One hue for each layer, the same as in the walk.
    pub(crate) fn of(self, protocol: &str) -> Style {
        self.coloured(match protocol {
            "HTTP" | "App" => Color::Yellow,
            "TLS" => Color::Magenta,
            "TCP" | "UDP" | "DNS" => Color::Cyan,
            "IPv4" | "IPv6" | "ICMP" | "ICMPv6" | "NDP" => Color::Green,
            "" => Color::DarkGray,
            _ => Color::Blue,
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

/// The letter of a layer, so that nothing is lost without colour.
pub(crate) fn letter_of(protocol: &str) -> char {
    match protocol {
        "TLS" => 'S',
        other => other.chars().next().unwrap_or('.').to_ascii_uppercase(),
    }
}

/// Text in which nothing commands a terminal, and nothing turns the direction of writing (Unicode Standard Annex 9,
/// section 2).
pub fn printable(text: &str) -> String {
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// At most `width` columns of it, what is cut marked, filled with blanks up to there.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let missing = width.saturating_sub(columns(&text));
    format!("{text}{}", " ".repeat(missing))
}

/// At most `width` columns of it, what is cut marked.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let text = printable(text);
    if columns(&text) <= width {
        return text;
    }
    let mut kept = String::new();
    for character in text.chars() {
        if columns(&kept) + columns(character.encode_utf8(&mut [0; 4])) > width.saturating_sub(2) {
            break;
        }
        kept.push(character);
    }
    kept.push_str(if width > 1 { ".." } else { "" });
    kept
}

/// Text in lines of at most `width` columns, cut between words where that is possible.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in printable(text).split_whitespace() {
        let word = cut(word, width);
        match lines.last_mut().filter(|line| columns(line) + 1 + columns(&word) <= width) {
            Some(line) => {
                line.push(' ');
                line.push_str(&word);
            }
            None => lines.push(word),
        }
    }
    lines
}

/// How many columns of a terminal it takes.
pub(crate) fn columns(text: &str) -> usize {
    ratatui::text::Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_commands_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\u{7}"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn what_is_cut_is_marked_and_never_wider() {
        assert_eq!(cut("abcdef", 4), "ab..");
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(columns(&fit("\u{4e2d}\u{6587}\u{4e2d}\u{6587}", 5)), 5);
        assert_eq!(cut("abc", 0), "");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
