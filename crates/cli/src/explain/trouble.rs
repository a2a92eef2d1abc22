//! What went wrong, who noticed, and what it caused.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use framewise_trace::dissect::{Astray, Consequence, Dissection, Frame, Kind};

use crate::table::WIDTH;
use framewise_trace::words::wrapped;

/// Troubles that are told of all frames; of more, how many there are.
const SHOWN: usize = 12;

/// What is unusual about a frame, and what became of it.
pub(super) fn of_frame(text: &mut String, dissection: &Dissection, frame: &Frame<'_>) {
    for unusual in frame.unusual() {
        let style = if unusual.is_trouble { AnsiColor::Red.on_default() } else { Style::new() };
        told(text, "unusual", style, &unusual.sentence);
    }
    frame
        .taken_all_the_same()
        .iter()
        .chain(&frame.consequences())
        .for_each(|consequence| line(text, consequence));
    for astray in dissection.astray_after(frame.number()) {
        dissection.consequences_of(astray).iter().for_each(|consequence| line(text, consequence));
    }
}

/// Something that went wrong.
pub(crate) enum Trouble<'d> {
    /// With a frame of this host.
    Frame(Frame<'d>),
    /// With one to it that never came.
    Astray(&'d Astray),
}

/// All that went wrong, in the order in which it did.
pub(crate) fn all(dissection: &Dissection) -> Vec<Trouble<'_>> {
    let mut all = Vec::new();
    for frame in dissection.frames() {
        let astray = dissection.astray_after(frame.number()).iter().map(Trouble::Astray);
        all.extend(
            Some(Trouble::Frame(frame)).filter(|_| frame.has_consequences()).into_iter().chain(astray),
        );
    }
    all
}

impl Trouble<'_> {
    /// The number of the frame, if it is one of this host.
    pub(crate) fn frame(&self) -> Option<usize> {
        match self {
            Trouble::Frame(frame) => Some(frame.number()),
            Trouble::Astray(_) => None,
        }
    }

    /// The frame with which it is told.
    fn told_with(&self) -> usize {
        match self {
            Trouble::Frame(frame) => frame.number(),
            Trouble::Astray(astray) => astray.after,
        }
    }

    /// What happened, who noticed, what it caused.
    pub(crate) fn sentences(&self, dissection: &Dissection) -> String {
        let told: Vec<Consequence> = match self {
            Trouble::Frame(frame) => frame.consequences(),
            Trouble::Astray(astray) => dissection.consequences_of(astray),
        };
        let sentences: Vec<&str> = told.iter().map(|told| told.sentence.as_str()).collect();
        sentences.join(" ")
    }
}

/// What went wrong anywhere. Of a healthy run: nothing.
pub(super) fn of_all(text: &mut String, dissection: &Dissection) {
    let all = all(dissection);
    if all.is_empty() {
        return;
    }
    let bold = Style::new().bold();
    let _ = writeln!(text, "\n{bold}What went wrong{bold:#}");
    for trouble in all.iter().take(SHOWN) {
        let number = trouble.frame().map(|number| number.to_string()).unwrap_or_default();
        for (index, line) in wrapped(&trouble.sentences(dissection), WIDTH - 7).iter().enumerate() {
            let name = if index == 0 { number.as_str() } else { "" };
            let _ = writeln!(text, "{name:>5}  {line}");
        }
    }
    if all.len() > SHOWN {
        more(text, all.get(SHOWN..).unwrap_or_default());
    }
}

/// How many there are besides, and how to come to those.
fn more(text: &mut String, rest: &[Trouble<'_>]) {
    let mut frames: Vec<String> = rest.iter().map(|trouble| trouble.told_with().to_string()).collect();
    frames.dedup();
    let others = if frames.len() > SHOWN { " and others" } else { "" };
    frames.truncate(SHOWN);
    let text_of_rest = format!(
        "and {} more, with frames {}{others}: --frame NUMBER tells of one, --json of all",
        rest.len(),
        frames.join(", ")
    );
    for line in wrapped(&text_of_rest, WIDTH - 2) {
        let _ = writeln!(text, "  {line}");
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
