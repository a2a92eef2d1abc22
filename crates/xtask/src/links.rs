//! Checking that what the documentation links to in this workspace exists.

use crate::commands;
use crate::summary::Outcome;
use crate::tool;
use std::fs;
use std::io;

/// Checks each documentation file's links to files.
pub(crate) fn check_all(report: &mut dyn FnMut(&str, Outcome)) -> io::Result<()> {
    for file in commands::documentation()? {
        let text = fs::read_to_string(&file)?;
        let folder = file.parent().unwrap_or(&file);
        let broken: Vec<_> = targets(&text).filter(|target| !folder.join(target).exists()).collect();
        let shown = file.strip_prefix(tool::root()).unwrap_or(&file).display().to_string();
        let outcome = match broken.is_empty() {
            true => Outcome::Passed,
            false => Outcome::Failed(format!("links to what is not there: {}", broken.join(", "))),
        };
        report(&shown, outcome);
    }
    Ok(())
}

/// The files that inline links lead to, outside of code blocks, without fragments.
fn targets(markdown: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let prose = markdown.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    let links = prose.flat_map(|line| line.split("](").skip(1));
    let paths = links.filter_map(|rest| rest.split([')', '#', ' ']).next());
    paths.filter(|path| !path.is_empty() && !path.contains(':') && !path.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files_count() {
        let markdown =
            "[a](a.md) and [b](b.md#part) [c](https://x.test/) [d](#here)\n```\n[e](e.md)\n```\n[f](../f.rs)";
        assert_eq!(targets(markdown).collect::<Vec<_>>(), ["a.md", "b.md", "../f.rs"]);
    }
}
