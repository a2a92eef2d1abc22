//! What is in a directory, as a page.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use framewise_http::{Request, Response, escape, page};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

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
        let mut name = entry.file_name();
        name.push(slash);
        if !is_hidden(usize::MAX, name.as_encoded_bytes()) {
            names.push(name);
        }
    }
    names.sort();
    let link = |name: &OsString| {
        let target = percent_encode(name.as_encoded_bytes(), IN_PATH).to_string();
        format!("<li><a href=\"./{}\">{}</a>", escape(&target), escape(&name.to_string_lossy()))
    };
    let items: Vec<String> = names.iter().map(link).collect();
    let more = if entries.next().is_some() { "\n<p>There is more than is listed here.</p>" } else { "" };
    // Above the root is nothing of ours.
    let up = if request.path() == "/" { "" } else { "<li><a href=\"..\">..</a>\n" };
    let body = format!("<ul>\n{up}{}\n</ul>{more}", items.join("\n"));
    Ok(page(request.path(), &body))
}
