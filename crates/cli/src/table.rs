//! The tables of the walk: columns that fit a line, and a picture of the envelopes.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use framewise_trace::walk::{Journey, Step};
use framewise_trace::words::{Hue, columns, cut, letter_of, padded};

/// Columns of a line.
pub(crate) const WIDTH: usize = 80;
/// Columns of the arrow, the number and the layer's name.
const NAME: usize = 14;
/// Columns of whoever gets it next, or of the picture.
const LAST: usize = 22;

/// How wide the columns of one table are.
pub(crate) struct Columns {
    says: usize,
    change: usize,
    total: usize,
}

impl Columns {
    /// Wide enough for this journey's numbers.
    pub(crate) fn of(journey: &Journey) -> Self {
        let change =
            journey.steps.iter().map(|step| digits(step.front + step.behind)).max().unwrap_or(0).max(5) + 1;
        let total = digits(journey.wire).max(4) + 2;
        Columns { says: WIDTH - NAME - change - total - LAST - 1, change, total }
    }

    /// The line above the table.
    pub(crate) fn title(
        &self,
        text: &mut String,
        title: &str,
        rest: &str,
        change: &str,
        total: &str,
        last: &str,
    ) {
        let bold = Style::new().bold();
        let width = NAME + self.says - title.len() - 2;
        let (change_width, total_width) = (self.change, self.total);
        let _ = writeln!(
            text,
            "{}{bold}{title}{bold:#}  {}{change:>change_width$}{total:>total_width$} {last:>LAST$}",
            if text.ends_with("\n\n") { "" } else { "\n" },
            padded(rest, width),
        );
    }

    /// One layer's line.
    pub(crate) fn step(
        &self,
        text: &mut String,
        (arrow, number): (char, usize),
        step: &Step,
        change: &str,
        total: u64,
        last: &str,
    ) {
        let style = style_of(step.protocol);
        let (says_width, change_width, total_width) = (self.says, self.change, self.total);
        let line = format!(
            "{arrow} {number} {style}{:<9}{style:#} {}{change:>change_width$}{total:>total_width$} {}",
            step.protocol,
            padded(&step.says, says_width),
            painted(last),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }

    /// What travelled in the same frames, and is of something else.
    pub(crate) fn beside(&self, text: &mut String, arrow: char, sign: char, journey: &Journey, total: u64) {
        if journey.beside == 0 {
            return;
        }
        let grey = AnsiColor::BrightBlack.on_default();
        let (says_width, change_width, total_width) = (self.says, self.change, self.total);
        let change = format!("{sign}{}", journey.beside);
        let _ = writeln!(
            text,
            "{arrow}   {grey}{:<9} {}{grey:#}{change:>change_width$}{total:>total_width$}",
            "beside",
            padded(journey.beside_says, says_width),
        );
    }

    /// The application's line.
    pub(crate) fn app(&self, text: &mut String, arrow: char, number: usize, says: &str) {
        let _ = writeln!(text, "{arrow} {number} {:<9} {}", "app", cut(says, WIDTH - NAME));
    }
}

/// The wire's line.
pub(crate) fn link(text: &mut String, arrow: char, says: &str) {
    let grey = AnsiColor::BrightBlack.on_default();
    let _ = writeln!(text, "{arrow}   {grey}{:<9}{grey:#} {}", "link", cut(says, WIDTH - NAME));
}

/// Bytes for one letter of the picture; `None` where a picture says nothing, for more than one frame.
pub(crate) fn scale(journey: &Journey) -> Option<u64> {
    let one = journey.frames.len() == 1;
    one.then(|| journey.wire.div_ceil(LAST as u64 - 3).max(1))
}

/// The envelopes so far, a letter for each `scale` bytes: `EEIIITTTSHHHHHHSSS`.
pub(crate) fn picture_of(steps: &[Step], scale: u64) -> String {
    let letters = |step: &Step, bytes: u64| {
        let count = if bytes == 0 { 0 } else { (bytes / scale).max(1) };
        letter_of(step.protocol).to_string().repeat(count as usize)
    };
    let mut picture = String::new();
    for (index, step) in steps.iter().enumerate() {
        let front = if index == 0 { step.total } else { step.front };
        picture = format!("{}{picture}{}", letters(step, front), letters(step, step.behind));
    }
    picture
}

/// The hue of a layer, in a terminal.
pub(crate) fn style_of(protocol: &str) -> Style {
    let color = match Hue::of(protocol) {
        Hue::Yellow => AnsiColor::Yellow,
        Hue::Magenta => AnsiColor::Magenta,
        Hue::Cyan => AnsiColor::Cyan,
        Hue::Green => AnsiColor::Green,
        Hue::Blue => AnsiColor::Blue,
    };
    color.on_default()
}

/// A last column, right-aligned; the letters of a picture in their layers' colours.
fn painted(last: &str) -> String {
    let is_picture = !last.is_empty() && last.chars().all(|c| "HSTIE".contains(c));
    let padding = " ".repeat(LAST.saturating_sub(columns(last)));
    if !is_picture {
        return format!("{padding}{}", cut(last, LAST));
    }
    let mut text = padding;
    for letter in last.chars() {
        let style = style_of(match letter {
            'H' => "HTTP",
            'S' => "TLS",
            'T' => "TCP",
            'I' => "IPv4",
            _ => "Ethernet",
        });
        let _ = write!(text, "{style}{letter}{style:#}");
    }
    text
}

fn digits(number: u64) -> usize {
    number.to_string().len()
}
