//! Layers opened: every field with its value, its meaning and where it is defined.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::{AnsiColor, Style};
use framewise::core::Field;
use framewise_trace::dissect::{Dissection, Frame, Layer, Space};

use super::frame;
use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::subject::is_called;
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{cut, printable, wrapped};

/// How many fields within fields are shown further in.
const DEEPEST: usize = 6;

/// Prints one frame, or each of them as it is made.
pub(super) fn print(
    dissection: &Dissection,
    only: Option<Frame<'_>>,
    args: &args::Explain,
) -> Result<(), Failure> {
    let frames = || {
        let all = only.is_none().then(|| dissection.frames());
        only.into_iter().chain(all.into_iter().flatten())
    };
    let mut is_anything = false;
    output::print_in_pieces(true, |out| {
        frames().try_for_each(|frame| {
            let text = of_frame(dissection, &frame, args);
            is_anything |= !text.is_empty();
            out.write_all(text.as_bytes())
        })
    })?;
    if is_anything { Ok(()) } else { Err(nothing(frames(), args)) }
}

fn of_frame(dissection: &Dissection, frame: &Frame<'_>, args: &args::Explain) -> String {
    let mut text = String::new();
    for layer in frame.layers().layers.iter().filter(|layer| is_wanted(layer, args)) {
        let fields = fields(layer, args);
        if fields.is_empty() {
            continue;
        }
        if text.is_empty() {
            frame::heading(&mut text, dissection, frame);
        }
        layer_lines(&mut text, frame, layer, &fields);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Whether a layer was asked for.
pub(super) fn is_wanted(layer: &Layer, args: &args::Explain) -> bool {
    args.layer.as_ref().is_none_or(|name| is_called(layer, name))
}

/// The fields of a layer that were asked for.
pub(super) fn fields(layer: &Layer, args: &args::Explain) -> Vec<Field> {
    let wanted =
        |field: &&Field| args.field.as_ref().is_none_or(|name| field.name.eq_ignore_ascii_case(name));
    layer.description.fields.iter().filter(wanted).cloned().collect()
}

fn layer_lines(text: &mut String, frame: &Frame<'_>, layer: &Layer, fields: &[Field]) {
    let description = &layer.description;
    let style = style_of(description.protocol);
    let protocol = description.protocol;
    let _ = writeln!(text, "{style}{protocol}{style:#}  {}", printable(&description.outbound));
    let mut around: Vec<Range<usize>> = Vec::new();
    for field in fields {
        let place = field.place();
        // A whole comes before its parts, so what is around a field is what came before and has not ended.
        around.retain(|whole| whole.start <= place.start && place.end <= whole.end && *whole != place);
        field_lines(text, frame, layer, field, around.len());
        around.push(place);
    }
}

/// A field's name and value, its bytes at the right; below it the sentence. Parts stand further in than their whole.
fn field_lines(text: &mut String, frame: &Frame<'_>, layer: &Layer, field: &Field, depth: usize) {
    let indent = 2 + 2 * depth.min(DEEPEST);
    let bold = Style::new().bold();
    let grey = AnsiColor::BrightBlack.on_default();
    let place = place(frame, layer, field);
    let room = WIDTH.saturating_sub(indent + field.name.len() + 2 + place.len() + 1);
    let _ = writeln!(
        text,
        "{:indent$}{bold}{}{bold:#}  {:<room$} {grey}{place}{grey:#}",
        "",
        field.name,
        cut(&field.value, room)
    );
    let indent = indent + 4;
    for line in wrapped(&format!("{} ({})", field.meaning, field.source), WIDTH - indent) {
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
}

/// Where a field's bytes are: in the frame, or in what is not of one frame alone.
pub(super) fn place(frame: &Frame<'_>, layer: &Layer, field: &Field) -> String {
    let range = layer.place(&field.bytes).range;
    let bytes = match (range.start, range.end.saturating_sub(1)) {
        (first, last) if first == last => format!("byte {first}"),
        (first, last) => format!("bytes {first}-{last}"),
    };
    let bits = match &field.bits {
        Some(bits) if bits.len() == 1 => format!(", bit {}", bits.start),
        Some(bits) => format!(", bits {}-{}", bits.start, bits.end.saturating_sub(1)),
        None => String::new(),
    };
    let of = match layer.space {
        Space::Frame(number) if number == frame.number() => "",
        Space::Frame(_) => " of another frame",
        Space::Datagram(_) => " of the datagram",
        Space::Stream(_) => " of the stream",
        Space::Record(..) => " of the record",
        Space::Plaintext(_) => " of the plaintext",
    };
    format!("{bytes}{bits}{of}")
}

/// What was asked for is nowhere: what there is instead.
fn nothing<'d>(frames: impl Iterator<Item = Frame<'d>>, args: &args::Explain) -> Failure {
    let mut layers: Vec<&'static str> = Vec::new();
    let mut names: Vec<&'static str> = Vec::new();
    for frame in frames {
        for layer in frame.layers().layers {
            let is_chosen = args.layer.as_ref().is_none_or(|name| is_called(&layer, name));
            if !layers.contains(&layer.description.protocol) {
                layers.push(layer.description.protocol);
            }
            for field in layer.description.fields.iter().filter(|_| is_chosen) {
                if !names.contains(&field.name) {
                    names.push(field.name);
                }
            }
        }
    }
    let where_ = if args.frame.is_some() { "in this frame" } else { "in any frame" };
    match (&args.layer, &args.field) {
        (Some(layer), _) if names.is_empty() => {
            Failure::new(Kind::Usage, format!("there is no layer {layer:?} {where_}"))
                .next(format!("one of: {}", layers.join(", ").to_lowercase()))
        }
        (_, Some(field)) => {
            let near: Vec<_> = names.iter().copied().filter(|name| is_near(name, field)).take(NEAR).collect();
            let next = match (near.as_slice(), names.len()) {
                ([], 0..=FEW) => format!("one of: {}", names.join(", ")),
                ([], _) => {
                    "the same with --layer, such as tcp, and without --field: it names them".to_owned()
                }
                (near, _) => format!("one of: {}", near.join(", ")),
            };
            Failure::new(Kind::Usage, format!("there is no field {field:?} {where_}")).next(next)
        }
        _ => Failure::new(Kind::Usage, "there is nothing to explain"),
    }
}

/// Names that are proposed at most.
const NEAR: usize = 6;
/// So few are proposed all.
const FEW: usize = 24;

/// Whether somebody who wrote `typed` may have meant the field of this name: a word of it begins as one of the other's.
fn is_near(name: &str, typed: &str) -> bool {
    let begins = |word: &str, other: &str| {
        let length = word.chars().zip(other.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        length >= other.chars().count().clamp(2, 3)
    };
    name.split([' ', '-']).any(|word| typed.split([' ', '-', '_']).any(|other| begins(word, other)))
}
