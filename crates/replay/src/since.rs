//! Why the host did something else: what it refused, and what it said about it.

use framewise::core::Direction;
use framewise::drops;
use framewise_trace::Dissection;
use framewise_trace::dissect::Frame;

use crate::compare::Difference;
use crate::outcome::Wrong;

/// How many sentences are given at most.
const MOST: usize = 3;

/// What may have led to it, after the host had sent `matched` frames as expected. `numbers` are those of the
/// frames that came, or of the lines by which they came, as `called` says; `None`: the player sent it by itself.
pub(crate) fn explain(
    wrong: &Wrong,
    got: &Dissection,
    matched: usize,
    numbers: &[Option<usize>],
    called: &str,
) -> Vec<String> {
    let mut sentences = refusals(got, matched, numbers, called);
    if sentences.is_empty() {
        sentences.extend(untaken(wrong, got, matched, numbers, called));
    }
    sentences.truncate(MOST);
    sentences
}

/// The frames that came between the last frame that was right and the one that was wrong.
fn latest<'d>(got: &'d Dissection, matched: usize) -> impl Iterator<Item = (usize, Frame<'d>)> {
    let (mut sent, mut came) = (0, 0);
    got.frames().filter_map(move |frame| {
        if frame.direction() == Some(Direction::Outbound) {
            sent += 1;
            return None;
        }
        came += 1;
        // Up to the frame that is wrong itself.
        (sent == matched).then_some((came - 1, frame))
    })
}

fn refusals(got: &Dissection, matched: usize, numbers: &[Option<usize>], called: &str) -> Vec<String> {
    let refused = latest(got, matched).filter_map(|(index, frame)| {
        let refused = frame.refused()?;
        let what = match numbers.get(index)? {
            Some(number) => format!("{} {called} {number}", unit(&frame)),
            None => "what the player answered by itself".to_owned(),
        };
        let meaning = drops::explain(refused.layer, refused.reason);
        let meaning = meaning.map_or_else(String::new, |drop| format!(": {}", drop.meaning));
        Some(format!("{what} was not taken: {}, {}{meaning}", refused.layer, refused.reason))
    });
    refused.collect()
}

/// What the innermost layer calls what came, in front of where it came.
fn unit(frame: &Frame<'_>) -> String {
    let layers = frame.layers().layers;
    let unit = layers.iter().rev().find(|layer| matches!(layer.description.protocol, "TCP" | "UDP" | "ARP"));
    unit.map_or_else(|| "what came in".to_owned(), |layer| format!("the {} of", layer.description.unit))
}

/// Where an acknowledgment stayed behind: the segment that it was to acknowledge.
fn untaken(
    wrong: &Wrong,
    got: &Dissection,
    matched: usize,
    numbers: &[Option<usize>],
    called: &str,
) -> Option<String> {
    let Wrong::Different(Difference::Field { layer, field, expected, got: was, .. }) = wrong else {
        return None;
    };
    if layer != "TCP" || field != "acknowledgment number" {
        return None;
    }
    let number = |value: &str| value.trim_start_matches('+').parse::<u32>().ok();
    let (expected, was) = (number(&expected.value)?, number(&was.value)?);
    let last = latest(got, matched).filter(|(_, frame)| frame.segment().is_some()).last();
    let frame = last.and_then(|(index, _)| *numbers.get(index)?);
    Some(match (was < expected, frame) {
        (true, Some(frame)) => format!("the host lacks byte {was}, though {called} {frame} was taken"),
        (true, None) => format!("byte {was} did not come to the host before it sent this"),
        (false, _) => format!("the host has byte {expected} already"),
    })
}
