//! What just happened: the layer's decision, what was noted, refused or sent again; and a question about the next step.

use framewise::tcp::passive::Finding;
use framewise_trace::dissect::Consequence;
use ratatui::style::Style;
use ratatui::text::Line;

use super::layer::neighbours;
use super::text::{Theme, cut, ending_cut, wrapped};
use crate::model::{APP, Guess, Mode, Stepper, number_of, sizes};

pub(super) fn lines(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let width = width.saturating_sub(2);
    if let Some(asked) = asked(stepper) {
        return vec![Line::raw(format!(" {}_", cut(&asked, width)))];
    }
    let mut room = height;
    // What a key was pressed for comes first, then what went wrong.
    let notice = stepper.notice().map(|notice| wrapped(notice, width)).unwrap_or_default();
    let notice = fitting(notice, width, &mut room);
    let guess = stepper.guess();
    let mut question = guess.map(|(guess, answered)| question(guess, answered, width)).unwrap_or_default();
    let is_answered = guess.is_some_and(|(_, answered)| answered.is_some());
    if is_answered {
        question = fitting(question, width, &mut room);
    }
    let wrong = fitting(went_wrong(stepper, width), width, &mut room);
    let mut decided = decided(stepper, theme, width);
    // What went wrong is worth more room than how many bytes were handed on.
    decided.truncate(if wrong.is_empty() { 2 } else { 1 });
    if !is_answered {
        // Asked is the whole question, or none.
        question.truncate(if question.len() < room { question.len() } else { 0 });
        room -= question.len();
    }
    decided.truncate(room);
    room -= decided.len();
    let mut noted = noted(stepper, width, room);
    noted.resize(room, Line::default());
    let mut lines = styled(notice, theme.marked());
    lines.extend(decided);
    lines.extend(styled(wrong, theme.damage()));
    lines.extend(noted);
    lines.extend(styled(question, theme.marked()));
    lines
}

/// So many of the lines as there is room for, which is then used; what is left out is marked.
fn fitting(mut lines: Vec<String>, width: usize, room: &mut usize) -> Vec<String> {
    if lines.len() > *room {
        lines.truncate(*room);
        lines.last_mut().into_iter().for_each(|last| *last = ending_cut(last, width));
    }
    *room -= lines.len();
    lines
}

fn styled(lines: Vec<String>, style: Style) -> Vec<Line<'static>> {
    lines.into_iter().map(|line| Line::styled(format!(" {line}"), style)).collect()
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
fn went_wrong(stepper: &Stepper, width: usize) -> Vec<String> {
    let aftermath = stepper.aftermath();
    let unusual = aftermath.unusual.iter().filter(|unusual| unusual.is_trouble);
    let unusual = unusual.map(|unusual| format!("! {}", unusual.sentence));
    // What became of one frame is one story.
    let story = |told: &[Consequence]| -> Option<String> {
        let sentences: Vec<&str> = told.iter().map(|told| told.sentence.as_str()).collect();
        (!sentences.is_empty()).then(|| format!("! {}", sentences.join(" ")))
    };
    let stories = story(&aftermath.consequences).into_iter().chain(story(&aftermath.astray));
    unusual.chain(stories).flat_map(|text| wrapped(&text, width)).collect()
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
fn question(guess: &Guess, answered: Option<usize>, width: usize) -> Vec<String> {
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
    wrapped(&text, width)
}
