//! `framewise url`: what the parts of a URL are.

use std::fmt::Write as _;

use framewise::http::{Anatomy, anatomy};
use serde_json::json;

use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::table::WIDTH;
use framewise_trace::words::{printable, wrapped};

pub(crate) fn run(args: &args::Url) -> Result<(), Failure> {
    let anatomy = anatomy(&args.url).map_err(|error| Failure::new(Kind::Usage, error))?;
    output::print(&if args.json { as_json(&anatomy) } else { as_text(&anatomy) })
}

fn as_text(anatomy: &Anatomy) -> String {
    let mut text = format!("{}\n", printable(&anatomy.text));
    let mut line = vec![b' '; anatomy.text.len()];
    for field in &anatomy.fields {
        if let Some(place) = line.get_mut(field.bytes.clone()) {
            place.fill(b'-');
            if let Some(first) = place.first_mut() {
                *first = b'^';
            }
        }
    }
    if anatomy.text.is_ascii() {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(&line).trim_end());
    }
    text.push('\n');
    let width = anatomy.fields.iter().map(|f| f.value.chars().count()).max().unwrap_or(0).min(32);
    for field in &anatomy.fields {
        let begin = format!("  {:<9} {:<width$}  ", field.name, printable(&field.value));
        indented(&mut text, &begin, &field.meaning);
    }
    for remark in &anatomy.remarks {
        text.push('\n');
        indented(&mut text, "", remark);
    }
    text
}

/// `begin`, and beside it what was said, line below line.
fn indented(text: &mut String, begin: &str, said: &str) {
    let column = begin.chars().count().min(WIDTH / 2 + 8);
    let mut lines = wrapped(said, WIDTH - column).into_iter();
    // A value longer than its column leaves less, or nothing, of the first line.
    let first = lines.next().unwrap_or_default();
    if begin.chars().count() > column {
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
    json!({ "text": anatomy.text, "completed": anatomy.completed, "url": anatomy.url.to_string(), "parts": parts, "remarks": anatomy.remarks }).to_string()
}
