//! The stacks of both hosts, and how far the frame has come in them.

use framewise_trace::dissect::{Layer, Origin};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::text::{Theme, padded};
use crate::model::{APP, Scene, Stepper, number_of, sizes};

/// Whose stack is above: where the frame was captured, or the client.
pub(super) fn name(stepper: &Stepper) -> String {
    let frame = stepper.frame();
    match (&frame, stepper.dissection().origin()) {
        (Some(frame), _) if frame.direction().is_none() => ends(stepper).0.unwrap_or("client".to_owned()),
        (_, Origin::Run) => stepper.host().name().to_owned(),
        (_, Origin::Capture) => ends(stepper).0.unwrap_or("captured here".to_owned()),
    }
}

/// The addresses of the upper and of the lower side.
fn ends(stepper: &Stepper) -> (Option<String>, Option<String>) {
    let addresses = stepper.frame().and_then(|frame| frame.addresses());
    let Some((from, to)) = addresses.map(|(from, to)| (from.to_string(), to.to_string())) else {
        return (None, None);
    };
    if stepper.scene().is_down { (Some(from), Some(to)) } else { (Some(to), Some(from)) }
}

/// The layers of this side, the wire, and those of the other side, as many rows as there is room.
pub(super) fn lines(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let scene = stepper.scene();
    let count = scene.stack.layers.len();
    let other = ends(stepper).1.unwrap_or("the other side".to_owned());
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut current = 0;
    for index in (0..count).rev() {
        if index == stepper.layer_index() {
            current = lines.len();
        }
        lines.extend(scene.layer(index).map(|layer| own(stepper, theme, layer, index, width)));
    }
    let end = if scene.is_down { "v" } else { "^" };
    let wire = format!("{end}{:-^dashes$}{end}", " the wire ", dashes = width.saturating_sub(2));
    lines.push(Line::styled(wire, theme.quiet()));
    lines.extend((0..count).filter_map(|index| Some(others(scene, theme, scene.layer(index)?, width))));
    lines.push(Line::styled(padded(&format!("  {other}"), width), theme.quiet()));
    window(lines, current, height)
}

/// A layer of this side: done, at work, or not yet reached.
fn own(stepper: &Stepper, theme: Theme, layer: &Layer, index: usize, width: usize) -> Line<'static> {
    let scene = stepper.scene();
    let step = stepper.position().step;
    let is_current = index == stepper.layer_index();
    let is_reached = scene.turned(step) == index
        || (if scene.is_down { index > stepper.layer_index() } else { index < stepper.layer_index() });
    let arrow = if scene.is_down { 'v' } else { '^' };
    let is_refused = layer.is_lost;
    let arrow = if is_refused { 'x' } else { arrow };
    let is_reached = is_reached && !is_refused;
    let marks = match (is_current, is_reached) {
        (false, false) if is_refused => " x".to_owned(),
        (true, _) => format!(">{arrow}"),
        (false, true) => format!(" {arrow}"),
        (false, false) => "  ".to_owned(),
    };
    let has_size = is_reached && layer.description.protocol != APP;
    let size = if has_size { sizes(layer).0.to_string() } else { String::new() };
    let style = match (is_current, is_reached) {
        (true, _) => theme.of(layer.description.protocol).add_modifier(Modifier::BOLD),
        (false, true) => theme.of(layer.description.protocol),
        (false, false) => theme.quiet(),
    };
    row(&marks, scene, layer, &size, style, width)
}

/// A layer of the other side: what came from there has passed it, what goes there has not.
fn others(scene: &Scene, theme: Theme, layer: &Layer, width: usize) -> Line<'static> {
    if scene.is_down {
        return row("  ", scene, layer, "", theme.quiet(), width);
    }
    let size = if layer.description.protocol == APP { String::new() } else { sizes(layer).0.to_string() };
    row(" ^", scene, layer, &size, theme.of(layer.description.protocol), width)
}

fn row(marks: &str, scene: &Scene, layer: &Layer, size: &str, style: Style, width: usize) -> Line<'static> {
    let protocol = layer.description.protocol;
    let same = scene.stack.layers.iter().filter(|other| other.description.protocol == protocol);
    // Several of one protocol are told apart by what each is.
    let unit = if same.count() > 1 { layer.description.unit } else { "" };
    let name = format!("{marks} {} {protocol} {unit}", number_of(protocol));
    let room = width.saturating_sub(size.len() + 2);
    Line::from(Span::styled(format!("{} {size} ", padded(&name, room)), style))
}

/// So many of the lines, that one among them.
pub(super) fn window<T>(lines: Vec<T>, current: usize, height: usize) -> Vec<T> {
    let begin = (current + 1).saturating_sub(height.div_ceil(2)).min(lines.len().saturating_sub(height));
    lines.into_iter().skip(begin).take(height).collect()
}
