//! How each layer stands once a frame has passed.

use std::fmt::Write as _;

use anstyle::Style;
use framewise_trace::dissect::{Dissection, Frame, Stated};

use super::frame::heading;
use crate::exit::{Failure, Kind};
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{cut, wrapped};

/// Columns of a name, and of a value that stands beside its meaning.
const NAME: usize = 15;
const VALUE: usize = 15;

pub(super) fn render(dissection: &Dissection, frame: &Frame<'_>) -> String {
    let mut text = String::new();
    heading(&mut text, dissection, frame);
    text.push_str("After it: * has just changed; ? is inferred, as what went past may be lost.\n");
    for state in frame.states() {
        let style = style_of(state.protocol);
        let _ = writeln!(text, "\n{style}{}{style:#}  {}", state.protocol, cut(&state.whose, WIDTH - 12));
        state.fields.iter().for_each(|stated| row(&mut text, stated));
    }
    text
}

fn row(text: &mut String, stated: &Stated) {
    let field = &stated.field;
    let changed = if stated.is_changed { '*' } else { ' ' };
    let inferred = if field.inferred { '?' } else { ' ' };
    let bold = if stated.is_changed { Style::new().bold() } else { Style::new() };
    let before = stated.before.as_ref().map(|before| format!(" Before: {before}.")).unwrap_or_default();
    let head = format!("{changed}{inferred}{:<NAME$} ", field.name);
    let sentence = format!("{}{before}", field.meaning);
    if field.value.len() > VALUE {
        let _ = writeln!(text, "{bold}{head}{}{bold:#}", cut(&field.value, WIDTH - NAME - 3));
    } else {
        let room = WIDTH - NAME - VALUE - 4;
        for (index, line) in wrapped(&sentence, room).iter().enumerate() {
            let (head, value) = if index == 0 { (head.as_str(), field.value.as_str()) } else { ("", "") };
            let _ = writeln!(text, "{bold}{head:<0$}{value:<VALUE$}{bold:#} {line}", NAME + 3);
        }
        return;
    }
    for line in wrapped(&sentence, WIDTH - NAME - 3) {
        let _ = writeln!(text, "{:1$}{line}", "", NAME + 3);
    }
}

pub(super) fn needs_a_frame() -> Failure {
    Failure::new(Kind::Usage, "--state tells how things stand after one frame, and none is named")
        .next("the same with --frame 11, for instance")
}
