//! Words on a screen, as every view shows them: what comes from outside is shown, never obeyed; each layer has one letter and
//! one hue, the same everywhere.
//!
//! A screen's unit is a column: a letter of East Asian scripts takes two of them, an accent that stands on the letter before it
//! takes none (Unicode Standard Annex 11).

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The colour of a layer; each view has its own shade of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// HTTP.
    Yellow,
    /// TLS.
    Magenta,
    /// Transports, and DNS above them.
    Cyan,
    /// IP, and what reports on it.
    Green,
    /// Links.
    Blue,
}

impl Hue {
    /// The hue of a protocol.
    pub fn of(protocol: &str) -> Hue {
        match protocol {
            "HTTP" => Hue::Yellow,
            "TLS" => Hue::Magenta,
            "TCP" | "UDP" | "DNS" => Hue::Cyan,
            "IPv4" | "IPv6" | "ICMP" | "ICMPv6" | "NDP" => Hue::Green,
            _ => Hue::Blue,
        }
    }
}

/// The letter of a protocol, so that nothing is lost without colour.
pub fn letter_of(protocol: &str) -> char {
    match protocol {
        "TLS" => 'S',
        other => other.chars().next().unwrap_or('.').to_ascii_uppercase(),
    }
}

/// Text in which nothing commands a terminal or hides on it: what would move the cursor, change the colour, turn the direction of
/// writing or take no room at all is shown as a replacement character.
pub fn printable(text: &str) -> String {
    let shown = |c: char| if is_obeyed(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}

/// JSON in which the same characters are escapes (RFC 8259, section 7): beyond ASCII they stand in strings only, and the
/// controls of ASCII are escapes there already.
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'.. if is_obeyed(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Whether a terminal would obey this character, or show nothing, instead of showing it.
fn is_obeyed(c: char) -> bool {
    c.is_control() || turns_direction(c) || takes_no_room(c)
}

/// The marks, embeddings, overrides and isolates of Unicode Standard Annex 9, section 2.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Spaces and joiners of no width, and the mark of byte order: two names that differ by one look the same.
fn takes_no_room(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// How many columns it takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Stands where something was cut.
const MARK: &str = "..";

/// At most `width` columns of it, printable, what is cut marked.
pub fn cut(text: &str, width: usize) -> String {
    let text = printable(text);
    if columns(&text) <= width {
        return text;
    }
    let Some(mut left) = width.checked_sub(MARK.len()) else { return String::new() };
    let fits = |c: &char| {
        let room = left.checked_sub(c.width().unwrap_or(0));
        left = room.unwrap_or(0);
        room.is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    kept + MARK
}

/// The same, filled with blanks up to `width`.
pub fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let missing = width.saturating_sub(columns(&text));
    text + &" ".repeat(missing)
}

/// Printable lines of at most `width` columns, cut between words. A word that is longer has a line to itself.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in printable(text).split_whitespace() {
        match lines.last_mut().filter(|line| columns(line) + 1 + columns(word) <= width) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_commands_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\u{7}"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn what_takes_no_room_is_seen_all_the_same() {
        assert_eq!(printable("a\u{200b}b\u{200d}c\u{2060}\u{feff}"), "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}");
    }

    #[test]
    fn json_holds_the_same_text_and_commands_nothing() {
        let text = "e\u{e9} \u{202e}gnp.exe \u{9b}31m \u{200b}\u{7f}\u{1b}[2J\n";
        let json = escaped_json(&serde_json::json!({ "text": text }).to_string());
        assert!(json.contains(r"\u202egnp.exe \u009b31m \u200b\u007f\u001b[2J\n"), "{json}");
        assert!(json.contains('\u{e9}'), "letters stay as they are");
        let read: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!(read["text"], text);
    }

    #[test]
    fn what_is_cut_is_marked_and_never_wider() {
        assert_eq!(cut("abcdef", 4), "ab..");
        assert_eq!(cut("abcdef", 1), "");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(padded("ab", 4), "ab  ");
    }

    #[test]
    fn wide_letters_take_two_columns_and_accents_none() {
        assert_eq!(padded("\u{4e2d}\u{6587}\u{4e2d}\u{6587}", 5), "\u{4e2d}.. ");
        assert_eq!(padded("e\u{301}", 3), "e\u{301}  ");
    }

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("see https://shop.test/ there", 7), ["see", "https://shop.test/", "there"]);
    }
}
