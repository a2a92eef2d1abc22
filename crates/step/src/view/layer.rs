//! What one layer did: its decision, the sizes, and its fields in a table.

use std::ops::Range;

use framewise::core::{Direction, Field};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::picture;
use super::stack::window;
use super::text::{Theme, columns, cut, ending_cut, padded, wrapped};
use crate::model::{APP, Row, Stepper, number_of, rows, sizes};

/// Lines kept for the sentence about the field under the cursor; a longer one takes more.
const SENTENCE: usize = 3;
/// Lines that the table keeps, however long the sentence is: its head, and rows.
const TABLE: usize = 3;
/// Columns below which nothing is said in the table of what a field is for: the sentence says it.
const MEANING: usize = 16;
/// Lines below which only the table is shown, and a shorter sentence.
const LOW: usize = 9;

/// The number of the step, the layer, and what it decided.
pub(super) fn title(stepper: &Stepper) -> String {
    match stepper.layer() {
        Some(layer) => {
            let protocol = layer.description.protocol;
            let is_down = stepper.scene().is_down;
            let says = layer.decided(if is_down { Direction::Outbound } else { Direction::Inbound });
            format!(" {} {protocol}: {says} ", number_of(protocol))
        }
        None => " Not taken apart ".to_owned(),
    }
}

pub(super) fn lines(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let Some(layer) = stepper.layer() else { return troubles(stepper, width) };
    let description = &layer.description;
    if description.protocol == APP {
        let meaning = description.fields.first().map_or("", |field| field.meaning.as_str());
        let lines = wrapped(meaning, width.saturating_sub(4));
        return lines.into_iter().map(|line| Line::raw(format!("  {line}"))).collect();
    }
    let is_low = height < LOW;
    let mut lines = if is_low { Vec::new() } else { sizes_lines(stepper, theme, width) };
    if !description.fields.is_empty() {
        lines.extend((!is_low).then(Line::default));
        let kept = if is_low { SENTENCE - 1 } else { SENTENCE };
        let most = height.saturating_sub(lines.len() + TABLE).max(kept);
        let sentence = sentence(stepper, theme, width, kept, most);
        let room = height.saturating_sub(lines.len() + sentence.len());
        lines.extend(table(stepper, theme, width, room));
        let gap = height.saturating_sub(lines.len() + sentence.len());
        lines.extend(std::iter::repeat_n(Line::default(), gap));
        lines.extend(sentence);
    }
    lines
}

fn troubles(stepper: &Stepper, width: usize) -> Vec<Line<'static>> {
    let troubles = stepper.scene().stack.troubles.iter();
    let lines = troubles.flat_map(|trouble| wrapped(trouble, width.saturating_sub(4)));
    lines.map(|line| Line::raw(format!("  {line}"))).collect()
}

/// What came in, what went out, and how much of it is this layer's own.
fn sizes_lines(stepper: &Stepper, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let scene = stepper.scene();
    let (index, number) = (stepper.layer_index(), stepper.position().frame);
    let (Some(layer), Some(frame)) = (stepper.layer(), stepper.frame()) else { return Vec::new() };
    let (whole, carried) = sizes(layer);
    let scale = picture::scale(frame.bytes().len(), width.saturating_sub(WORDS));
    let payload = scene.payload(stepper.dissection(), number, index);
    let runs = picture::runs(scene, [&payload, &scene.extent(index)]);
    let (above, below) = neighbours(stepper);
    let inside = (above, carried, payload);
    let outside = (below, whole, scene.extent(index));
    let own = whole.saturating_sub(carried);
    let (first, second, change) = if scene.is_down {
        (inside, outside, format!("+{own}"))
    } else {
        (outside, inside, format!("-{own}"))
    };
    let line = |word: &str, (name, size, range): &(String, u64, Range<usize>), change: &str| {
        let what = format!("  {word:<4} {} {size:>6} bytes {change:>6}  ", padded(name, NAME));
        let mut spans = vec![Span::raw(cut(&what, width))];
        spans.extend(picture::of(&runs, range, scale, theme));
        Line::from(spans)
    };
    // What carries nothing for others begins or ends here.
    let lines = [(first, "from", ""), (second, "to", change.as_str())];
    lines
        .into_iter()
        .filter(|((_, size, _), ..)| *size > 0)
        .map(|(part, word, change)| line(word, &part, change))
        .collect()
}

/// Columns before a picture.
const WORDS: usize = 38;

/// Who is inside of this layer, and who is around it. Of an inside that is no layer here, its name for it.
pub(super) fn neighbours(stepper: &Stepper) -> (String, String) {
    let (scene, index) = (stepper.scene(), stepper.layer_index());
    let payload = scene.payload(stepper.dissection(), stepper.position().frame, index);
    let inside = scene.inside(index, &payload).map(|layer| layer.description.protocol);
    let said = stepper.layer().and_then(|layer| layer.description.next.rsplit_once(": "));
    let said = said.map(|(_, name)| name).filter(|name| columns(name) <= NAME).unwrap_or("its user");
    let around = scene.around(index).map_or("the wire", |layer| layer.description.protocol);
    (inside.unwrap_or(said).to_owned(), around.to_owned())
}

/// Columns of such a name.
const NAME: usize = 10;

/// The fields, a row each, those around the cursor.
fn table(stepper: &Stepper, theme: Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let fields = stepper.fields();
    let rows = rows(fields, stepper.field());
    let current = rows.iter().position(|row| row.index == stepper.field()).unwrap_or(0);
    let all = rows.len();
    let shown: Vec<(Row, &Field)> = window(rows, current, height.saturating_sub(1))
        .into_iter()
        .filter_map(|row| Some((fields.get(row.index)?, row)))
        .map(|(field, row)| (row, field))
        .collect();
    let title =
        if shown.len() < all { format!("{} of {all} fields", shown.len()) } else { "field".to_owned() };
    let names = shown.iter().map(|(row, field)| columns(&named(row, field))).chain([columns(&title)]);
    let values = shown.iter().map(|(_, field)| columns(&field.value));
    let widths = widths(names.max().unwrap_or(0), values.max().unwrap_or(0), width);
    let row = |mark: &str, name: &str, value: &str, meaning: &str| {
        let meaning = cut(meaning, widths.2);
        let text = format!("{mark} {} {} {meaning}", padded(name, widths.0), padded(value, widths.1));
        cut(text.trim_end(), width)
    };
    let head = Line::styled(row(" ", &title, "value", "what it is for"), theme.quiet());
    let line = |(of, field): &(Row, &Field)| {
        let is_current = of.index == stepper.field() && !stepper.is_on_a_text();
        let mark = if is_current { ">" } else { " " };
        let text = row(mark, &named(of, field), &field.value, &field.meaning);
        Line::styled(text, if is_current { theme.marked() } else { Style::new() })
    };
    std::iter::once(head).chain(shown.iter().map(line)).collect()
}

/// The columns of names, of values, and of what they mean, in a table that is so wide.
fn widths(names: usize, values: usize, width: usize) -> (usize, usize, usize) {
    let names = names.min(25);
    let meaning = |values: usize| width.saturating_sub(names + values + 4);
    let short = values.clamp(5, 20);
    match meaning(short) {
        few if few < MEANING => (names, width.saturating_sub(names + 3), 0),
        most => (names, short, most),
    }
}

/// A field's name, below its whole; how many parts of it are folded away.
fn named(row: &Row, field: &Field) -> String {
    let folded = if row.folded > 0 { format!(" +{}", row.folded) } else { String::new() };
    format!("{}{}{folded}", "  ".repeat(row.depth), field.name)
}

/// The whole sentence about the field under the cursor, and who says so.
/// In as many lines as are kept for it, or as it takes, up to the most.
fn sentence(stepper: &Stepper, theme: Theme, width: usize, kept: usize, most: usize) -> Vec<Line<'static>> {
    let Some(field) = stepper.fields().get(stepper.field()) else { return Vec::new() };
    let bits =
        field.bits.as_ref().map(|bits| format!(", bits {}-{} of it", bits.start, bits.end.saturating_sub(1)));
    let text = format!(
        "{} = {}: {} ({}{})",
        field.name,
        field.value,
        field.meaning,
        field.source,
        bits.unwrap_or_default()
    );
    let text = if stepper.is_on_a_text() {
        "The text that was found is marked in the bytes.".to_owned()
    } else {
        text
    };
    let mut words = wrapped(&text, width.saturating_sub(2));
    if words.len() > most {
        words.truncate(most);
        words.last_mut().into_iter().for_each(|last| *last = ending_cut(last, width.saturating_sub(2)));
    }
    words.resize(words.len().max(kept), String::new());
    words.into_iter().map(|line| Line::styled(format!("  {line}"), theme.marked())).collect()
}
