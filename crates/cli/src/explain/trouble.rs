//! What went wrong, who noticed, and what it caused.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use framewise_trace::dissect::{Consequence, Dissection, Frame, Kind};

use crate::table::{WIDTH, wrapped};

/// Troubles that are told of all frames; of more, how many there are.
const SHOWN: usize = 12;

/// What is unusual about a frame, and what became of it.
pub(super) fn of_frame(text: &mut String, dissection: &Dissection, frame: &Frame<'_>) {
    for unusual in frame.unusual() {
        let style = if unusual.is_trouble { AnsiColor::Red.on_default() } else { Style::new() };
        told(text, "unusual", style, &unusual.sentence);
    }
    frame.consequences().iter().for_each(|consequence| line(text, consequence));
    for astray in dissection.astray_after(frame.number()) {
        dissection.consequences_of(astray).iter().for_each(|consequence| line(text, consequence));
    }
}

/// What went wrong anywhere. Of a healthy run: nothing.
pub(super) fn of_all(text: &mut String, dissection: &Dissection) {
    let (mut shown, mut more) = (String::new(), 0);
    let mut count = 0;
    let mut tell = |number: usize, is_any: bool, consequences: &dyn Fn() -> Vec<Consequence>| {
        if !is_any {
            return;
        }
        count += 1;
        if count > SHOWN {
            more += 1;
            return;
        }
        let consequences = consequences();
        let sentences: Vec<&str> = consequences.iter().map(|told| told.sentence.as_str()).collect();
        let lines = wrapped(&sentences.join(" "), WIDTH - 7);
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 && number > 0 { number.to_string() } else { String::new() };
            let _ = writeln!(shown, "{name:>5}  {line}");
        }
    };
    for frame in dissection.frames() {
        tell(frame.number(), frame.has_consequences(), &|| frame.consequences());
        for astray in dissection.astray_after(frame.number()) {
            tell(0, true, &|| dissection.consequences_of(astray));
        }
    }
    if count > 0 {
        let bold = Style::new().bold();
        let _ = writeln!(text, "\n{bold}What went wrong{bold:#}\n{}", shown.trim_end());
    }
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
}

fn line(text: &mut String, consequence: &Consequence) {
    let (name, style) = match consequence.kind {
        Kind::Happened => ("happened", AnsiColor::Red.on_default()),
        Kind::Noticed => ("noticed", AnsiColor::Red.on_default()),
        Kind::Caused => ("caused", Style::new()),
    };
    told(text, name, style, &consequence.sentence);
}

fn told(text: &mut String, name: &str, style: Style, sentence: &str) {
    for (index, line) in wrapped(sentence, WIDTH - 10).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let _ = writeln!(text, "{style}{name:<9}{style:#} {line}");
    }
}
