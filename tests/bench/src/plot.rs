//! The plots of a report, as SVG: ratios against their goals, and instructions layer by layer.

use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde_json::Value;

use crate::Outcome;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 860;
/// Pixels of a row, of what is above and below the rows, and of the names at their left.
const ROW: u32 = 26;
const HEAD: u32 = 44;
const FOOT: u32 = 44;
const NAMES: i32 = 290;
const MARGIN: i32 = 30;

const INK: RGBColor = RGBColor(51, 51, 51);
const GREY: RGBColor = RGBColor(170, 170, 170);
const MET: RGBColor = RGBColor(46, 125, 50);
const ABOVE_FLOOR: RGBColor = RGBColor(201, 137, 16);
const BELOW: RGBColor = RGBColor(198, 40, 40);

/// Writes the plots that the report has figures for.
pub(crate) fn plot(report: &Path, folder: &Path) -> Outcome<()> {
    let report: Value = serde_json::from_str(&fs::read_to_string(report)?)?;
    fs::create_dir_all(folder)?;
    let rows: Vec<Row> = list(&report["rows"]).iter().filter_map(Row::of).collect();
    if !rows.is_empty() {
        ratios(&folder.join("ratios.svg"), &rows)?;
    }
    let paths: Vec<Counted> = list(&report["instructions"]).iter().filter_map(Counted::of).collect();
    if !paths.is_empty() {
        instructions(&folder.join("instructions.svg"), &paths)?;
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A row of the table, each figure as a multiple of its goal: 1 is the goal, more is better.
struct Row {
    title: String,
    median: f64,
    least: f64,
    most: f64,
    floor: f64,
    ratio: f64,
}

impl Row {
    /// None for a row without a goal, and for one that failed.
    fn of(row: &Value) -> Option<Self> {
        let (goal, floor) = (row["goal"].as_f64()?, row["floor"].as_f64()?);
        let figure = |name: &str| row["ratio"][name].as_f64();
        let less_is_better = row["better"] == "less";
        let relative = |value: f64| if less_is_better { goal / value } else { value / goal };
        let (one, other) = (relative(figure("least")?), relative(figure("most")?));
        Some(Row {
            title: row["short"].as_str()?.to_owned(),
            median: relative(figure("median")?),
            least: one.min(other),
            most: one.max(other),
            floor: relative(floor),
            ratio: figure("median")?,
        })
    }

    fn color(&self) -> RGBColor {
        match self.median {
            median if median >= 1.0 => MET,
            median if median >= self.floor => ABOVE_FLOOR,
            _ => BELOW,
        }
    }
}

/// A dot for each row's median, a line from its worst round to its best, a tick at its floor; a rule at the goal.
fn ratios(file: &Path, rows: &[Row]) -> Outcome<()> {
    let height = HEAD + rows.len() as u32 * ROW + FOOT;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let low = rows.iter().map(|row| row.least.min(row.floor)).fold(0.5, f64::min) / 1.1;
    let high = rows.iter().map(|row| row.most).fold(2.0, f64::max) * 1.1;
    let scale = Scale { low: low.max(0.001).ln(), high: high.ln() };
    let bottom = (HEAD + rows.len() as u32 * ROW) as i32;
    for (factor, name) in MARKS.iter().filter(|(factor, _)| (low..=high).contains(factor)) {
        let x = scale.x(*factor);
        let (color, width) = if *factor == 1.0 { (INK, 2) } else { (GREY, 1) };
        area.draw(&PathElement::new([(x, HEAD as i32 - 8), (x, bottom)], color.stroke_width(width)))?;
        let y = if *factor == 1.0 { HEAD as i32 - 24 } else { bottom + 6 };
        write(&area, name, (x, y), HPos::Center, INK)?;
    }
    write(
        &area,
        "median of the rounds as a multiple of the goal; worst and best round",
        (NAMES, 8),
        HPos::Left,
        INK,
    )?;
    for (index, row) in rows.iter().enumerate() {
        let y = HEAD as i32 + index as i32 * ROW as i32 + ROW as i32 / 2;
        write(&area, &row.title, (NAMES - 70, y - 7), HPos::Right, INK)?;
        write(&area, &short(row.ratio), (NAMES - 15, y - 7), HPos::Right, row.color())?;
        let floor = scale.x(row.floor);
        area.draw(&PathElement::new([(floor, y - 7), (floor, y + 7)], INK.stroke_width(1)))?;
        let ends = [(scale.x(row.least), y), (scale.x(row.most), y)];
        area.draw(&PathElement::new(ends, row.color().stroke_width(3)))?;
        area.draw(&Circle::new((scale.x(row.median), y), 5, row.color().filled()))?;
    }
    write(&area, "small ticks: the floors", (NAMES, bottom + 24), HPos::Left, INK)?;
    Ok(area.present()?)
}

const MARKS: [(f64, &str); 9] = [
    (0.1, "0.1"),
    (0.25, "1/4"),
    (0.5, "1/2"),
    (0.8, "0.8"),
    (1.0, "goal"),
    (1.25, "1.25"),
    (2.0, "2"),
    (4.0, "4"),
    (8.0, "8"),
];

/// A logarithmic axis beside the names.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, factor: f64) -> i32 {
        let room = f64::from(WIDTH as i32 - NAMES - MARGIN);
        let share = (factor.max(0.001).ln() - self.low) / (self.high - self.low);
        NAMES + (share.clamp(0.0, 1.0) * room) as i32
    }
}

/// What one way through the stack costs, layer by layer.
struct Counted {
    title: String,
    total: f64,
    parts: Vec<(String, f64)>,
}

impl Counted {
    fn of(path: &Value) -> Option<Self> {
        let parts = path["parts"].as_array()?.iter();
        let parts = parts
            .filter_map(|part| Some((part["name"].as_str()?.to_owned(), part["instructions"].as_f64()?)));
        let title = format!("one {}", path["unit"].as_str()?);
        Some(Counted { title, total: path["total"].as_f64()?, parts: parts.collect() })
    }
}

/// The colour of a part, by its place among the parts: neighbours are far apart on the circle of hues.
fn part_color(place: usize) -> HSLColor {
    const GOLDEN: f64 = 0.618_034;
    let lightness = if place.is_multiple_of(2) { 0.45 } else { 0.65 };
    HSLColor((place as f64 * GOLDEN).fract(), 0.5, lightness)
}

/// A bar for each path, as long as the others, cut into its parts.
fn instructions(file: &Path, paths: &[Counted]) -> Outcome<()> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in paths.iter().flat_map(|path| &path.parts) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let color = |name: &str| part_color(names.iter().position(|known| *known == name).unwrap_or_default());
    let bars = HEAD + paths.len() as u32 * ROW * 2;
    let height = bars + FOOT + names.len().div_ceil(4) as u32 * ROW;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    write(
        &area,
        "instructions of both hosts together, by the layer that they belong to",
        (MARGIN, 8),
        HPos::Left,
        INK,
    )?;
    let room = f64::from(WIDTH as i32 - NAMES - MARGIN);
    for (index, path) in paths.iter().enumerate() {
        let y = HEAD as i32 + index as i32 * 2 * ROW as i32;
        write(&area, &path.title, (NAMES - 15, y + 4), HPos::Right, INK)?;
        write(&area, &format!("{:.0} instructions", path.total), (NAMES - 15, y + 20), HPos::Right, GREY)?;
        let mut left = f64::from(NAMES);
        for (name, count) in &path.parts {
            let right = left + room * count / path.total.max(1.0);
            let corners = [(left as i32, y), (right as i32, y + ROW as i32 + 8)];
            area.draw(&Rectangle::new(corners, color(name).filled()))?;
            left = right;
        }
    }
    for (index, name) in names.iter().enumerate() {
        let (column, line) = ((index % 4) as i32, (index / 4) as i32);
        let (x, y) = (MARGIN + column * 205, bars as i32 + 14 + line * ROW as i32);
        area.draw(&Rectangle::new([(x, y), (x + 14, y + 14)], color(name).filled()))?;
        write(&area, name, (x + 20, y), HPos::Left, INK)?;
    }
    Ok(area.present()?)
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, color: RGBColor) -> Outcome<()> {
    let style = TextStyle::from(("sans-serif", 13)).color(&color).pos(Pos::new(side, VPos::Top));
    Ok(area.draw(&Text::new(text.to_owned(), at, style))?)
}

/// Three digits, however large.
fn short(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 100.0 => format!("{ratio:.0}"),
        ratio if ratio >= 10.0 => format!("{ratio:.1}"),
        ratio => format!("{ratio:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(better: &str, median: f64) -> Row {
        let ratio = json!({ "median": median, "least": median * 0.9, "most": median * 1.1 });
        let row = json!({ "short": "a row", "goal": 2.0, "floor": 1.0, "better": better, "ratio": ratio });
        Row::of(&row).unwrap()
    }

    #[test]
    fn more_is_better_than_the_goal_and_less_where_less_is_wanted() {
        assert_eq!(row("more", 4.0).median, 2.0);
        assert_eq!(row("less", 4.0).median, 0.5);
        let less = row("less", 1.0);
        assert!(less.least < less.median && less.median < less.most);
    }

    #[test]
    fn rows_that_failed_are_left_out_and_the_rest_is_drawn() {
        let folder = std::env::temp_dir().join(format!("framewise-plot-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let report = folder.join("report.json");
        let ratio = json!({ "median": 1.2, "least": 1.0, "most": 1.3 });
        let good = json!({ "short": "good", "goal": 1.0, "floor": 0.8, "better": "more", "ratio": ratio });
        let failed =
            json!({ "short": "failed", "goal": 1.0, "floor": 0.8, "better": "more", "failure": "no" });
        let parts = json!([{ "name": "tcp", "instructions": 10.0 }]);
        let counted = json!([{ "unit": "request", "total": 10.0, "parts": parts }]);
        let all = json!({ "rows": [good, failed], "instructions": counted });
        fs::write(&report, all.to_string()).unwrap();
        plot(&report, &folder).unwrap();
        let drawn = fs::read_to_string(folder.join("ratios.svg")).unwrap();
        assert!(drawn.contains("good") && !drawn.contains("failed"));
        assert!(fs::read_to_string(folder.join("instructions.svg")).unwrap().contains("tcp"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
