//! One layer's header, 32 bits in a row, as the RFCs draw it.
//!
//! The innermost fields are drawn. What fills many rows is drawn in a few, and what is too long for its place is told below.

use std::collections::BTreeMap;
use std::ops::Range;

use framewise::core::{Description, Field};
use framewise_trace::dissect::{Frame, Layer};

use super::{MARGIN, WIDTH};
use crate::drawing::palette::{GREY, Hue, INK, hue_of};
use crate::drawing::svg::{Anchor, Font, Rect, Stroke, Svg};
use crate::exit::{Failure, Kind};
use crate::subject::is_called;

const BITS: usize = 32;
const LEFT: f64 = 76.0;
const TOP: f64 = 112.0;
const BIT: f64 = (WIDTH - LEFT - MARGIN) / BITS as f64;
const ROW: f64 = 48.0;
/// Rows that one field fills: as many as an IPv6 address has.
const ROWS_OF_A_FIELD: usize = 4;
/// Rows of a header, and lines below it.
const MOST: usize = 28;

/// Bits that belong to a field, and to none of its parts.
struct Cell<'a> {
    field: &'a Field,
    bits: Range<usize>,
}

pub(super) fn draw(frame: &Frame<'_>, wanted: Option<&str>, what: &str) -> Result<String, Failure> {
    let layers = frame.layers().layers;
    let layer = chosen(&layers, wanted).ok_or_else(|| nothing(frame, &layers, wanted))?;
    let description = &layer.description;
    let cells = cells(description);
    let hue = hue_of(description.protocol);
    let bytes = description.header.len();
    let goes_on = cells.last().is_some_and(|cell| cell.bits.end > description.header.end * 8);
    let which = format!(
        ": {} header of frame {}, {bytes} bytes{}",
        description.protocol,
        frame.number(),
        if goes_on { ", and the fields behind it" } else { "" }
    );
    let rows = Rows::of(&cells);
    let (drawn, left_out): (Vec<_>, Vec<_>) = cells.iter().partition(|cell| rows.holds(cell));
    let told = drawn.iter().map(|cell| format!("{} {}", cell.field.name, cell.field.value));
    let mut svg = Svg::new(WIDTH, format!("{what}{which}"), told.collect::<Vec<_>>().join("; "));
    heading(&mut svg, (what, &which), description, hue);

    let mut notes = Vec::new();
    for cell in drawn {
        svg.group("field", &cell.told(), |svg| cell.draw(svg, &rows, hue, &mut notes));
    }
    rows.numbers(&mut svg);
    let left_out = left_out.len() + notes.len().saturating_sub(MOST);
    notes.truncate(MOST);
    if left_out > 0 {
        notes.push(format!("{left_out} fields more are left out."));
    }
    let mut y = TOP + ROW * rows.0.len() as f64 + 30.0;
    for note in &notes {
        let font = Font::new(12.0, INK);
        svg.text((LEFT, y), font, &font.fit(note, WIDTH - LEFT - MARGIN));
        y += 18.0;
    }
    Ok(svg.finish(y + 4.0))
}

/// The first layer of this name; without one, the first of those with the most fields.
fn chosen<'a>(layers: &'a [Layer], wanted: Option<&str>) -> Option<&'a Layer> {
    match wanted {
        Some(name) => layers.iter().find(|layer| is_called(layer, name)),
        None => layers.iter().min_by_key(|layer| std::cmp::Reverse(layer.description.fields.len())),
    }
    .filter(|layer| !layer.description.fields.is_empty())
}

fn nothing(frame: &Frame<'_>, layers: &[Layer], wanted: Option<&str>) -> Failure {
    let names: Vec<_> = layers.iter().map(|layer| layer.description.protocol).collect();
    let number = frame.number();
    match wanted {
        Some(name) => {
            Failure::new(Kind::Usage, format!("there is no layer {name:?} with fields in frame {number}"))
                .next(format!("one of: {}", names.join(", ").to_lowercase()))
        }
        None => Failure::new(Kind::Usage, format!("frame {number} has no layer that is known here"))
            .next("--frame with another number"),
    }
}

/// The fields without those that have parts; of these what is in none of the parts.
fn cells(description: &Description) -> Vec<Cell<'_>> {
    let mut sweep = Sweep { cells: Vec::new(), around: Vec::new(), at: 0 };
    for field in &description.fields {
        let start = field.place().start;
        sweep.end_before(start);
        sweep.reach(start);
        sweep.around.push(field);
    }
    sweep.end_before(usize::MAX);
    sweep.cells
}

/// Goes over the fields, a whole before its parts, bit by bit.
struct Sweep<'a> {
    cells: Vec<Cell<'a>>,
    /// The fields that have begun and not ended, each within the one before.
    around: Vec<&'a Field>,
    at: usize,
}

impl Sweep<'_> {
    /// Ends the fields that end up to this bit.
    fn end_before(&mut self, bit: usize) {
        while let Some(end) = self.around.last().map(|field| field.place().end).filter(|end| *end <= bit) {
            self.reach(end);
            self.around.pop();
        }
    }

    /// What was not passed yet is of the innermost field.
    fn reach(&mut self, bit: usize) {
        if let Some(field) = self.around.last()
            && self.at < bit
        {
            self.cells.push(Cell { field, bits: self.at..bit });
        }
        self.at = self.at.max(bit);
    }
}

/// A part of a cell that is a rectangle: bits of a row, or rows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    rows: Range<usize>,
    bits: Range<usize>,
}

/// Which rows are drawn, and where each is in the picture.
struct Rows(BTreeMap<usize, usize>);

impl Rows {
    /// The rows of all cells, without those in the middle of a long one.
    fn of(cells: &[Cell<'_>]) -> Self {
        let mut rows = BTreeMap::new();
        for piece in cells.iter().flat_map(Cell::pieces) {
            let shown = piece.rows.len().min(ROWS_OF_A_FIELD);
            for row in piece.rows.start..piece.rows.start + shown {
                let place = rows.len();
                if place < MOST {
                    rows.entry(row).or_insert(place);
                }
            }
        }
        Rows(rows)
    }

    fn holds(&self, cell: &Cell<'_>) -> bool {
        cell.pieces().all(|piece| self.0.contains_key(&piece.rows.start))
    }

    /// Where a piece is drawn.
    fn rect(&self, piece: &Piece) -> Rect {
        let shown = self.0.range(piece.rows.clone()).map(|(_, place)| *place);
        let (first, count) =
            shown.fold((usize::MAX, 0), |(first, count), place| (first.min(place), count + 1));
        Rect {
            x: LEFT + BIT * piece.bits.start as f64,
            y: TOP + ROW * first as f64,
            width: BIT * piece.bits.len() as f64,
            height: ROW * f64::from(count),
        }
    }

    /// The byte with which each row begins, at its left.
    fn numbers(&self, svg: &mut Svg) {
        let font = Font::new(11.0, GREY).at(Anchor::End);
        for (row, place) in &self.0 {
            let y = TOP + ROW * *place as f64 + ROW / 2.0 + 4.0;
            svg.text((LEFT - 10.0, y), font, &(row * BITS / 8).to_string());
        }
    }
}

impl Cell<'_> {
    /// The rest of a row, whole rows, the beginning of a row.
    fn pieces(&self) -> impl Iterator<Item = Piece> + use<> {
        let Range { start, end } = self.bits;
        let (first, last) = (start / BITS, end / BITS);
        let pieces = if first == last {
            vec![Piece { rows: first..first + 1, bits: start % BITS..end % BITS }]
        } else {
            let whole = start.div_ceil(BITS)..last;
            vec![
                Piece { rows: first..whole.start, bits: start % BITS..BITS },
                Piece { rows: whole, bits: 0..BITS },
                Piece { rows: last..last + 1, bits: 0..end % BITS },
            ]
        };
        pieces.into_iter().filter(|piece| !piece.rows.is_empty() && !piece.bits.is_empty())
    }

    fn told(&self) -> String {
        let Range { start, end } = self.bits;
        let Field { name, value, meaning, source, .. } = self.field;
        format!("bits {start} to {}: {name} {value}. {meaning} ({source})", end.saturating_sub(1))
    }

    /// Draws its pieces as one, with its name and value in the largest; what is too long becomes a note.
    fn draw(&self, svg: &mut Svg, rows: &Rows, hue: Hue, notes: &mut Vec<String>) {
        let pieces: Vec<Piece> = self.pieces().collect();
        let rects: Vec<Rect> = pieces.iter().map(|piece| rows.rect(piece)).collect();
        for rect in &rects {
            svg.rect(*rect, hue.fill, Some(Stroke::new(hue.ink, 1.0)));
        }
        for (above, below) in rects.iter().zip(rects.iter().skip(1)) {
            let (from, to) = (above.x.max(below.x), (above.x + above.width).min(below.x + below.width));
            if from < to {
                // No line between what is one field.
                svg.line((from + 0.5, below.y), (to - 0.5, below.y), Stroke::new(hue.fill, 2.0));
            }
        }
        let area = |rect: &&Rect| rect.width * rect.height;
        if let Some(rect) = rects.iter().max_by(|a, b| area(a).total_cmp(&area(b))) {
            self.write(svg, *rect, hue, notes);
        }
        let is_cut = pieces.iter().any(|piece| piece.rows.len() > ROWS_OF_A_FIELD);
        if is_cut {
            notes.push(format!(
                "{} has {} bytes, of which not all rows are drawn.",
                self.field.name,
                self.bits.len() / 8
            ));
        }
    }

    /// Writes the name, in two lines if need be, above the value. What has no room gets a letter, and a note.
    fn write(&self, svg: &mut Svg, rect: Rect, hue: Hue, notes: &mut Vec<String>) {
        let Field { name, value, .. } = self.field;
        let room = rect.width - 6.0;
        let (x, y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
        let named = |size| Font::new(size, hue.ink).bold().at(Anchor::Middle);
        let valued = |size| Font::new(size, INK).at(Anchor::Middle);
        let fits = |font: &Font, text: &str| font.width(text) <= room;
        let sizes = [12.5, 11.0, 10.0, 9.0];
        let value_font = sizes.map(valued).into_iter().find(|font| fits(font, value));
        let name_font = sizes.map(named).into_iter().find(|font| fits(font, name));
        let halves = halves(name);
        let half_font =
            [11.0, 10.0, 9.0].map(named).into_iter().find(|font| halves.iter().all(|half| fits(font, half)));
        match (name_font, half_font, value_font) {
            (Some(font), _, Some(_)) => svg.text((x, y - 4.0), font, name),
            (None, Some(font), Some(_)) => {
                svg.text((x, y - 10.0), font, halves[0]);
                svg.text((x, y + 1.0), font, halves[1]);
            }
            _ => {
                let letter = letter(notes.len());
                let font = name_font.unwrap_or(named(12.5));
                let head = format!("{name} ({letter})");
                svg.text((x, y - 4.0), font, if fits(&font, &head) { &head } else { &letter });
                notes.push(format!("{letter}: {name} = {value}"));
            }
        }
        let is_low = name_font.is_none() && half_font.is_some() && value_font.is_some();
        let value_font = value_font.unwrap_or(valued(11.0));
        svg.text((x, y + if is_low { 15.0 } else { 13.0 }), value_font, &value_font.fit(value, room));
    }
}

/// A name of several words in two halves that are about as long; the second is empty if there is one word.
fn halves(name: &str) -> [&str; 2] {
    let spaces = name.match_indices(' ').map(|(at, _)| at);
    let middle = spaces.min_by_key(|at| at.abs_diff(name.len() / 2));
    middle
        .and_then(|at| name.split_at_checked(at))
        .map_or([name, ""], |(first, second)| [first, second.trim_start()])
}

/// a to z, then by number.
fn letter(number: usize) -> String {
    match u8::try_from(number).ok().filter(|number| *number < 26) {
        Some(number) => char::from(b'a' + number).to_string(),
        None => (number + 1).to_string(),
    }
}

fn heading(svg: &mut Svg, (what, which): (&str, &str), description: &Description, hue: Hue) {
    let font = Font::new(20.0, INK).bold();
    svg.text((MARGIN, 40.0), font, &font.fit_before(what, which, WIDTH - 2.0 * MARGIN));
    svg.rect(
        Rect { x: MARGIN, y: 57.0, width: 18.0, height: 13.0 },
        hue.fill,
        Some(Stroke::new(hue.ink, 1.0)),
    );
    let font = Font::new(12.0, GREY);
    let said = format!(
        "a field of this {} {}: its name, its value; left, the byte with which a row begins; above, the bits of a row",
        description.protocol, description.unit
    );
    svg.text((MARGIN + 25.0, 68.0), font, &font.fit(&said, WIDTH - 2.0 * MARGIN - 25.0));
    let font = Font::new(9.5, GREY).at(Anchor::Middle);
    for bit in 0..BITS {
        svg.text((LEFT + BIT * (bit as f64 + 0.5), TOP - 8.0), font, &bit.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, bytes: Range<usize>) -> Field {
        Field::new(name, bytes, "1", "It is one.", "RFC 1 §1")
    }

    #[test]
    fn leaves_and_what_is_in_none_of_them() {
        let fields = vec![
            field("whole", 0..4),
            field("part", 0..1).with_bits(0..4),
            field("flag", 1..2).with_bits(2..3),
            field("next", 6..8),
        ];
        let description = Description { fields, ..Description::default() };
        let cells: Vec<_> =
            cells(&description).into_iter().map(|cell| (cell.field.name, cell.bits)).collect();
        let expected =
            [("part", 0..4), ("whole", 4..10), ("flag", 10..11), ("whole", 11..32), ("next", 48..64)];
        assert_eq!(cells, expected);
    }

    #[test]
    fn names_are_cut_between_words() {
        assert_eq!(halves("explicit congestion notification"), ["explicit congestion", "notification"]);
        assert_eq!(halves("window"), ["window", ""]);
    }

    #[test]
    fn a_long_field_is_the_rest_of_a_row_whole_rows_and_a_beginning() {
        let of = |bits| {
            let field = field("", 0..1);
            Cell { field: &field, bits }.pieces().map(|piece| (piece.rows, piece.bits)).collect::<Vec<_>>()
        };
        assert_eq!(of(0..48), [(0..1, 0..32), (1..2, 0..16)]);
        assert_eq!(of(48..96), [(1..2, 16..32), (2..3, 0..32)]);
        assert_eq!(of(24..80), [(0..1, 24..32), (1..2, 0..32), (2..3, 0..16)]);
        assert_eq!(of(4..8), [(0..1, 4..8)]);
    }

    #[test]
    fn the_middle_of_a_long_field_is_left_out() {
        let (long, short) = (field("long", 0..400), field("short", 400..404));
        let cells = [Cell { field: &long, bits: 0..3200 }, Cell { field: &short, bits: 3200..3232 }];
        let rows = Rows::of(&cells);
        assert_eq!(rows.0.into_iter().collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2), (3, 3), (100, 4)]);
    }
}
