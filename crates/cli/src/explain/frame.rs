//! One frame: what each layer says of it, and its bytes in the layers' colours.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use framewise::core::Direction;
use framewise_trace::dissect::{Dissection, Frame, Layer, Space};

use super::overview::arrow;
use super::trouble;
use crate::subject::time;
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{cut, printable, wrapped};

/// Bytes of a frame that are shown; a few more of a page teach nothing.
const BYTES: usize = 512;
/// Bytes of a line of them.
const ROW: usize = 16;
/// Lines of a note that are shown: whoever made the capture may have written a book.
const NOTE: usize = 4;

pub(super) fn render(dissection: &Dissection, frame: &Frame<'_>, what: &str) -> String {
    let mut text = String::new();
    heading(&mut text, dissection, frame);
    let stack = frame.layers();
    for layer in &stack.layers {
        layer_line(&mut text, frame, layer);
    }
    for trouble in &stack.troubles {
        for line in wrapped(&printable(trouble), WIDTH - 10) {
            let _ = writeln!(text, "          {line}");
        }
    }
    trouble::of_frame(&mut text, dissection, frame);
    for comment in frame.comments() {
        noted(&mut text, comment);
    }
    text.push('\n');
    bytes(&mut text, frame, &Owners::of(dissection, frame, &stack.layers));
    let inner = stack.layers.last().map_or("ethernet", |layer| layer.description.protocol);
    let number = frame.number();
    let _ =
        writeln!(text, "\nNext:  framewise explain {what} --frame {number} --layer {}", inner.to_lowercase());
    let _ = writeln!(text, "       framewise explain {what} --frame {number} --state");
    let _ = writeln!(text, "       framewise explain {what} --frame {number} --byte 0");
    text
}

/// What our own layers, or whoever made the capture, noted about the frame.
fn noted(text: &mut String, comment: &str) {
    let lines = wrapped(comment, WIDTH - 12);
    for (index, line) in lines.iter().take(NOTE).enumerate() {
        let name = if index == 0 { "noted" } else { "" };
        let is_cut = index + 1 == NOTE && lines.len() > NOTE;
        let _ = writeln!(text, "{name:<10}{}{}", cut(line, WIDTH - 12), if is_cut { ".." } else { "" });
    }
}

pub(super) fn heading(text: &mut String, dissection: &Dissection, frame: &Frame<'_>) {
    let bold = Style::new().bold();
    let way = match arrow(frame) {
        '>' => ", sent",
        '<' => ", received",
        _ => "",
    };
    let (captured, original) = (frame.bytes().len(), frame.original_length());
    let cut = if captured < original { format!(", {captured} of them captured") } else { String::new() };
    let at = time(dissection, frame);
    let at = if at.is_empty() { at } else { format!(" at {at} ms") };
    let _ = writeln!(
        text,
        "{bold}Frame {} of {}{bold:#}: {original} bytes{cut}{way}{at}",
        frame.number(),
        dissection.len()
    );
    if let Some(refused) = frame.refused() {
        let red = AnsiColor::Red.on_default();
        let _ = writeln!(text, "{red}refused{red:#} by {}: {}", refused.layer, refused.reason);
    }
}

/// A layer's name, its header's size, and what it decided.
fn layer_line(text: &mut String, frame: &Frame<'_>, layer: &Layer) {
    let description = &layer.description;
    let says = match frame.direction() {
        Some(Direction::Inbound) if !layer.is_lost => {
            format!("{}; next: {}", description.inbound, description.next)
        }
        direction => layer.decided(direction.unwrap_or(Direction::Outbound)).to_owned(),
    };
    let style = style_of(description.protocol);
    let size = format!("{} B", layer.envelope_here().0);
    let _ =
        writeln!(text, "{style}{:<9}{style:#} {size:>7}  {}", description.protocol, cut(&says, WIDTH - 19));
}

/// Whose each byte of a frame is.
pub(super) struct Owners(Vec<&'static str>);

impl Owners {
    /// The innermost layer of each byte, whose header it is or whose payload nobody takes further.
    pub(super) fn of(dissection: &Dissection, frame: &Frame<'_>, layers: &[Layer]) -> Self {
        let mut owners = vec![""; frame.bytes().len()];
        for layer in layers {
            let whole = framewise_trace::dissect::Place::new(layer.space, layer.here.clone());
            let ranges: Vec<_> = match layer.space {
                Space::Frame(_) => vec![layer.here.clone()],
                _ => {
                    let carriers = dissection.frames_of(&whole).into_iter();
                    carriers
                        .filter(|c| c.at.space == Space::Frame(frame.number()))
                        .map(|c| c.at.range)
                        .collect()
                }
            };
            for range in ranges {
                let range = range.start as usize..(range.end as usize).min(owners.len());
                owners.get_mut(range).unwrap_or_default().fill(layer.description.protocol);
            }
        }
        Owners(owners)
    }

    pub(super) fn style(&self, at: usize) -> Style {
        match self.0.get(at) {
            Some(&protocol) if !protocol.is_empty() => style_of(protocol),
            _ => AnsiColor::BrightBlack.on_default(),
        }
    }
}

/// The bytes in rows: place, hexadecimal digits, characters.
fn bytes(text: &mut String, frame: &Frame<'_>, owners: &Owners) {
    let shown = frame.bytes().get(..BYTES).unwrap_or(frame.bytes());
    for (row, bytes) in shown.chunks(ROW).enumerate() {
        let begin = row * ROW;
        let (mut digits, mut characters) = (String::new(), String::new());
        for (at, byte) in (begin..).zip(bytes) {
            let style = owners.style(at);
            let gap = if at - begin == ROW / 2 { " " } else { "" };
            let _ = write!(digits, "{gap}{style}{byte:02x}{style:#} ");
            let character = char::from(*byte);
            let character = if character.is_ascii_graphic() || character == ' ' { character } else { '.' };
            let _ = write!(characters, "{style}{character}{style:#}");
        }
        let missing = ROW - bytes.len();
        let padding = missing * 3 + usize::from(bytes.len() <= ROW / 2);
        let _ = writeln!(text, "  {begin:04x}  {digits}{:padding$} {characters}", "");
    }
    if shown.len() < frame.bytes().len() {
        let _ = writeln!(text, "  and {} bytes more", frame.bytes().len() - shown.len());
    }
}
