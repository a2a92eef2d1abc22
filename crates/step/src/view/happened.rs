//! What just happened: the layer's decision, what was noted, refused or sent again; and a question about the next step.

use framewise::tcp::passive::Finding;
use framewise_trace::dissect::Consequence;
use ratatui::text::{Line, Span};

use super::layer::neighbours;
use super::text::{Theme, cut, wrapped};
use crate::model::{APP, Guess, Mode, Stepper, number_of, sizes};

pub(super) fn lines(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let width = width.saturating_sub(2);
    if let Some(asked) = asked(stepper) {
        return vec![Line::raw(format!(" {}_", cut(&asked, width)))];
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    if let Some(notice) = stepper.notice() {
        lines.push(Line::styled(format!(" {}", cut(notice, width)), theme.marked()));
    }
    let wrong = went_wrong(stepper, theme, width);
    // What went wrong is worth more room than how many bytes were handed on.
    lines.extend(decided(stepper, theme, width).into_iter().take(if wrong.is_empty() { 2 } else { 1 }));
    lines.extend(wrong);
    let question = stepper.guess().map(|(guess, answered)| question(guess, answered, theme, width));
    let mut question = question.unwrap_or_default();
    question.truncate(height.saturating_sub(lines.len()));
    let room = height.saturating_sub(question.len());
    lines.extend(noted(stepper, width, room.saturating_sub(lines.len())));
    lines.truncate(room);
    lines.resize(room, Line::default());
    lines.extend(question);
    lines
}

/// What somebody is typing.
fn asked(stepper: &Stepper) -> Option<String> {
    match stepper.mode() {
        Mode::Search(text) => Some(format!("Find which text? {text}")),
        Mode::Goto(text) => Some(format!("Which frame, 1 to {}? {text}", stepper.dissection().len())),
        _ => None,
    }
}

/// What the layer decided, and who gets it next.
fn decided(stepper: &Stepper, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let Some(layer) = stepper.layer() else { return Vec::new() };
    let description = &layer.description;
    if layer.is_lost {
        let text =
            format!("{} never got this: what is shown is what it would have read.", description.protocol);
        return vec![Line::styled(format!(" {}", cut(&text, width)), theme.marked())];
    }
    let is_down = stepper.scene().is_down;
    if let Some(text) = not_again(stepper, description.protocol) {
        return vec![Line::styled(format!(" {}", cut(&text, width)), theme.of(description.protocol))];
    }
    let says = if is_down { &description.outbound } else { &description.inbound };
    let protocol = description.protocol;
    let mut text = format!("{protocol}: {says}");
    if !is_down && !description.next.is_empty() {
        text = format!("{text}. Next: {}", description.next);
    }
    if protocol == APP {
        return vec![Line::styled(format!(" {}", cut(&text, width)), theme.of(protocol))];
    }
    let (whole, carried) = sizes(layer);
    let own = whole.saturating_sub(carried);
    let (above, below) = neighbours(stepper);
    let moved = match (is_down, carried) {
        (true, 0) => format!("{protocol} made {whole} bytes itself, and hands them to {below}."),
        (true, _) => format!(
            "{above} handed down {carried} bytes. {protocol} adds {own}, and hands {whole} to {below}."
        ),
        (false, 0) => format!("{below} handed up {whole} bytes. All of them are for {protocol} itself."),
        (false, _) => format!(
            "{below} handed up {whole} bytes. {protocol} takes {own} off, and hands {carried} to {above}."
        ),
    };
    let quiet = Line::raw(format!(" {}", cut(&capitalised(&moved), width)));
    vec![Line::styled(format!(" {}", cut(&text, width)), theme.of(protocol)), quiet]
}

/// Of what TCP alone did again: that nobody above it did.
fn not_again(stepper: &Stepper, protocol: &str) -> Option<String> {
    let again = stepper
        .aftermath()
        .unusual
        .iter()
        .find(|unusual| matches!(unusual.finding, Finding::Again { .. }))?;
    let first = again.frame.filter(|_| stepper.scene().is_down && number_of(protocol) < 4)?;
    Some(format!("{protocol} did this in frame {first}, and not again: TCP kept the bytes."))
}

/// With a large first letter.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Damage, loss and what was sent again for it. Of a healthy frame: nothing.
fn went_wrong(stepper: &Stepper, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let aftermath = stepper.aftermath();
    let unusual = aftermath.unusual.iter().filter(|unusual| unusual.is_trouble);
    let unusual = unusual.map(|unusual| format!("! {}", unusual.sentence));
    // What became of one frame is one story.
    let story = |told: &[Consequence]| -> Option<String> {
        let sentences: Vec<&str> = told.iter().map(|told| told.sentence.as_str()).collect();
        (!sentences.is_empty()).then(|| format!("! {}", sentences.join(" ")))
    };
    let stories = story(&aftermath.consequences).into_iter().chain(story(&aftermath.astray));
    let lines = unusual.chain(stories).flat_map(|text| wrapped(&text, width));
    lines.map(|line| Line::styled(format!(" {line}"), theme.damage())).collect()
}

/// What our own layers, or whoever made the capture, noted about the frame: whole where there is room, else a line each.
fn noted(stepper: &Stepper, width: usize, room: usize) -> Vec<Line<'static>> {
    let Some(frame) = stepper.frame() else { return Vec::new() };
    let comments = frame.comments();
    let width = width.saturating_sub(8);
    let whole: Vec<Vec<String>> = comments.iter().map(|comment| wrapped(comment, width)).collect();
    let notes = if whole.iter().map(Vec::len).sum::<usize>() <= room {
        whole
    } else {
        let left_out = comments.len().saturating_sub(room);
        let more = if left_out > 0 { format!(" (and {left_out} more)") } else { String::new() };
        let fit = |(index, comment): (usize, &String)| {
            let more = if index + 1 == room { more.as_str() } else { "" };
            vec![cut(comment, width.saturating_sub(more.len())) + more]
        };
        comments.iter().take(room).enumerate().map(fit).collect()
    };
    let names = |note: Vec<String>| {
        let names = std::iter::once(" Noted: ").chain(std::iter::repeat("        "));
        names.zip(note).map(|(name, line)| Line::raw(format!("{name}{line}"))).collect::<Vec<_>>()
    };
    notes.into_iter().flat_map(names).collect()
}

/// The question, or what came of it.
fn question(guess: &Guess, answered: Option<usize>, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let Guess { protocol, field, answers, right, meaning } = guess;
    let ask = |answer: usize| answers.get(answer).map_or("", String::as_str);
    let text = match answered {
        None => {
            let answers: Vec<String> = answers
                .iter()
                .zip(["x", "y", "z"])
                .map(|(answer, letter)| format!("[{letter}] {answer}"))
                .collect();
            format!("Guess, or just go on. The {field} of {protocol}, next: {}", answers.join(" "))
        }
        Some(answer) if answer == *right => format!("Right: {}. {meaning}", ask(*right)),
        Some(answer) => format!("It is {}, not {}. {meaning}", ask(*right), ask(answer)),
    };
    let mut lines = wrapped(&text, width);
    lines.truncate(2);
    lines.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), theme.marked()))).collect()
}
