//! Guess before you move: which value a field of the next step has. All answers were seen in this very run.

use framewise::core::Field;
use framewise_trace::dissect::{Dissection, Layer};

/// Frames that are looked through for other answers, about the one that is asked about.
const AROUND: usize = 24;
/// Values of a field in them beyond which nobody could guess.
const MOST: usize = 4;
/// Answers to choose from.
const ANSWERS: usize = 3;
/// Characters of the longest answer.
const LONGEST: usize = 22;

/// A question about the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) protocol: &'static str,
    pub(crate) field: &'static str,
    pub(crate) answers: Vec<String>,
    /// Which of them is right.
    pub(crate) right: usize,
    /// What the right one means.
    pub(crate) meaning: String,
}

/// The question about this layer of a frame, if there is one: of the fields that have a few values in this run, another one
/// for each frame.
pub(crate) fn about(dissection: &Dissection, frame: usize, layer: &Layer) -> Option<Guess> {
    let protocol = layer.description.protocol;
    let begin = frame.saturating_sub(AROUND).max(1);
    let others: Vec<(usize, Layer)> = (begin..=begin + 2 * AROUND)
        .filter_map(|number| Some((number, dissection.frame(number)?)))
        .flat_map(|(number, frame)| frame.layers().layers.into_iter().map(move |layer| (number, layer)))
        .filter(|(_, other)| other.description.protocol == protocol)
        .collect();
    let earlier: Vec<&Layer> =
        others.iter().filter(|(number, _)| *number < frame).map(|(_, layer)| layer).collect();
    let others: Vec<&Layer> = others.iter().map(|(_, layer)| layer).collect();
    let questions: Vec<(&Field, Vec<String>)> = layer
        .description
        .fields
        .iter()
        .filter(|field| is_short(&field.value) && others.iter().all(|other| !is_repeated(field.name, other)))
        .filter(|field| !is_large(&field.value) || earlier.iter().any(|other| has(other, field)))
        .filter_map(|field| Some((field, answers(field, &others)?)))
        .collect();
    // Single bits are asked about only where there is nothing better.
    let whole: Vec<_> = questions.iter().filter(|(field, _)| field.bits.is_none()).cloned().collect();
    let questions = if whole.is_empty() { questions } else { whole };
    let (field, answers) = questions.get(frame.checked_rem(questions.len())?)?;
    let right = answers.iter().position(|answer| *answer == field.value)?;
    let (answers, meaning) = (answers.clone(), field.meaning.clone());
    Some(Guess { protocol, field: field.name, answers, right, meaning })
}

/// The values of this field in the run, in order, the right one among them; `None`: too few to ask, or too many to guess.
fn answers(field: &Field, others: &[&Layer]) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut seen = 0;
    for other in others.iter().flat_map(|layer| &layer.description.fields) {
        if other.name != field.name || !is_short(&other.value) {
            continue;
        }
        seen += 1;
        if !values.contains(&other.value) {
            values.push(other.value.clone());
        }
        if values.len() > MOST {
            return None;
        }
    }
    // Where no value comes often, it is random: nobody could know.
    if seen < 2 * values.len() {
        return None;
    }
    while values.len() > ANSWERS {
        let wrong = values.iter().rposition(|value| *value != field.value)?;
        values.remove(wrong);
    }
    values.sort();
    (values.len() > 1).then_some(values)
}

/// Whether a layer has several fields of this name, as of each of its options: whoever is asked could not tell which is meant.
fn is_repeated(name: &str, layer: &Layer) -> bool {
    layer.description.fields.iter().filter(|field| field.name == name).count() > 1
}

/// Whether it has this field with this value.
fn has(layer: &Layer, field: &Field) -> bool {
    layer.description.fields.iter().any(|other| other.name == field.name && other.value == field.value)
}

/// A number that nobody could know who has not met it before, such as an identification chosen at random.
fn is_large(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    digits.len() > 3 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn is_short(value: &str) -> bool {
    !value.is_empty() && value.chars().count() <= LONGEST
}
