//! `framewise url`: what the parts of a URL are.

use std::fmt::Write as _;

use framewise::http::{Anatomy, anatomy};
use serde_json::json;

use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::table::WIDTH;
use framewise_trace::words::{columns, printable, wrapped};

/// Columns that values may take, if what they mean is to stand beside them.
const VALUE: usize = 32;

pub(crate) fn run(args: &args::Url) -> Result<(), Failure> {
    let anatomy = anatomy(&args.url).map_err(|error| {
        Failure::new(Kind::Usage, error)
            .next("framewise url 'https://shop.test/items/1?x=2'     (what a URL is made of)")
    })?;
    if args.json { output::print_json(&as_json(&anatomy)) } else { output::print(&as_text(&anatomy)) }
}

fn as_text(anatomy: &Anatomy) -> String {
    let mut text = format!("{}\n{}\n\n", printable(&anatomy.text), marks(anatomy));
    let width = anatomy.fields.iter().map(|field| columns(&printable(&field.value))).max().unwrap_or(0);
    for field in &anatomy.fields {
        let value = printable(&field.value);
        let gap = width.min(VALUE).saturating_sub(columns(&value));
        let begin = format!("  {:<9} {value}{:gap$}  ", field.name, "");
        indented(&mut text, &begin, &field.meaning);
    }
    for remark in &anatomy.remarks {
        text.push('\n');
        indented(&mut text, "", remark);
    }
    text
}

/// Where each part stands, below the text: what is printed there takes columns, and its bytes do not matter.
fn marks(anatomy: &Anatomy) -> String {
    let until = |byte: usize| columns(&printable(anatomy.text.get(..byte).unwrap_or_default()));
    let mut line = vec![' '; until(anatomy.text.len())];
    for field in anatomy.fields.iter().filter(|field| !field.bytes.is_empty()) {
        if let Some(place) = line.get_mut(until(field.bytes.start)..until(field.bytes.end)) {
            place.fill('-');
            place.first_mut().into_iter().for_each(|first| *first = '^');
        }
    }
    line.iter().collect::<String>().trim_end().to_owned()
}

/// `begin`, and beside it what was said, line below line.
fn indented(text: &mut String, begin: &str, said: &str) {
    let column = columns(begin).min(WIDTH / 2 + 8);
    let mut lines = wrapped(said, WIDTH - column).into_iter();
    // A value longer than its column leaves less, or nothing, of the first line.
    let first = lines.next().unwrap_or_default();
    if columns(begin) > column {
        let _ = writeln!(text, "{}\n{:column$}{first}", begin.trim_end(), "");
    } else {
        let _ = writeln!(text, "{begin}{first}");
    }
    for line in lines {
        let _ = writeln!(text, "{:column$}{line}", "");
    }
}

fn as_json(anatomy: &Anatomy) -> String {
    let part = |field: &framewise::core::Field| {
        json!({
            "name": field.name, "begin": field.bytes.start, "end": field.bytes.end,
            "value": field.value, "meaning": field.meaning, "source": field.source,
        })
    };
    let parts: Vec<_> = anatomy.fields.iter().map(part).collect();
    let url = anatomy.url.as_ref().map_or_else(|| anatomy.text.clone(), ToString::to_string);
    json!({ "text": anatomy.text, "completed": anatomy.completed, "url": url, "parts": parts, "remarks": anatomy.remarks }).to_string()
}
