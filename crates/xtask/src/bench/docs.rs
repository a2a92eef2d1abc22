//! The figures and the plots in the book: between two marks, so that what is written around them stays.

use super::report::Report;
use crate::tool;
use std::fs;
use std::io;
use std::path::Path;

/// The chapter, and the marks in it.
const CHAPTER: &str = "docs/src/speed.md";
const BEGIN: &str = "<!-- figures: written by cargo xtask bench --docs -->";
const END: &str = "<!-- end of the figures -->";
/// The plots, which the chapter shows from its own folder, and what they show.
const PLOTS: [(&str, &str); 2] = [
    ("ratios.svg", "Each row's median and its worst and best round, as a multiple of its goal"),
    ("instructions.svg", "Instructions of one request, one packet, one super-segment, layer by layer"),
];

/// Puts the report's table and its plots into the chapter.
pub(crate) fn update(report: &Report, folder: &Path) -> io::Result<()> {
    let chapter = tool::root().join(CHAPTER);
    let beside = chapter.with_extension("");
    fs::create_dir_all(&beside)?;
    let mut figures = report.markdown();
    for (plot, what) in PLOTS {
        if folder.join(plot).is_file() {
            fs::copy(folder.join(plot), beside.join(plot))?;
            figures.push_str(&format!("![{what}](speed/{plot})\n\n"));
        }
    }
    let text = fs::read_to_string(&chapter)?;
    let fresh = between_marks(&text, &figures)
        .ok_or_else(|| io::Error::other(format!("{CHAPTER} has no marks between which the figures go")))?;
    fs::write(&chapter, fresh)
}

/// The text with `figures` between its marks.
fn between_marks(text: &str, figures: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_figures_and_nothing_else() {
        let chapter = format!("# Speed\n{BEGIN}\nold\n{END}\nrest\n");
        let once = between_marks(&chapter, "new\n").unwrap();
        assert_eq!(once, format!("# Speed\n{BEGIN}\n\nnew\n\n{END}\nrest\n"));
        assert_eq!(between_marks(&once, "new\n").as_ref(), Some(&once));
        assert_eq!(between_marks("no marks", "new"), None);
    }
}
