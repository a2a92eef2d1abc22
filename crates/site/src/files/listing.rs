//! What is in a directory, as a page.

use std::fs;
use std::io;
use std::path::Path;

use framewise_http::{Request, Response, escape, page};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::is_hidden;

/// Entries that a listing shows.
const LISTED: usize = 1_000;
/// What a link's path must not hold as it is.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// The page for the directory at `path`.
pub(super) fn page_of(request: &Request, path: &Path) -> io::Result<Response> {
    let mut names = Vec::new();
    let mut entries = fs::read_dir(path)?;
    for entry in entries.by_ref().take(LISTED) {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        let name = entry.file_name().to_string_lossy().into_owned() + slash;
        if !is_hidden(usize::MAX, &name) {
            names.push(name);
        }
    }
    names.sort();
    let link = |name: &String| {
        let target = utf8_percent_encode(name, IN_PATH).to_string();
        format!("<li><a href=\"./{}\">{}</a>", escape(&target), escape(name))
    };
    let items: Vec<String> = names.iter().map(link).collect();
    let more = if entries.next().is_some() { "\n<p>There is more than is listed here.</p>" } else { "" };
    let body = format!("<ul>\n<li><a href=\"..\">..</a>\n{}\n</ul>{more}", items.join("\n"));
    Ok(page(request.path(), &body))
}
