//! `framewise replay`: captures and scripts as tests.
//!
//! All that is told comes from the library, which says the same in a test of one's own.

mod json;

use std::path::Path;

use framewise_replay::{Outcome, PlayError, Played, sidecar_of};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::output;
use crate::table;
use framewise_trace::words::printable;

pub(crate) fn run(args: &args::Replay) -> Result<(), Failure> {
    let is_one = args.files.len() == 1;
    if !is_one && (args.with.is_some() || args.write.is_some()) {
        let option = if args.with.is_some() { "--with" } else { "--write" };
        let sentence = format!("{option} goes with one file, and there are {}", args.files.len());
        return Err(Failure::new(Kind::Usage, sentence).next("the same with one FILE"));
    }
    let mut outcomes = Vec::new();
    for path in &args.files {
        let played = framewise_replay::file_with(path, args.with.as_deref());
        let played = played.map_err(|error| failure(path, &error))?;
        if let Some(file) = &args.write {
            write(&played, file, path)?;
        }
        if !args.json {
            say(path, &played.outcome, args)?;
        }
        outcomes.push((path.as_path(), played.outcome));
    }
    if args.json {
        output::print_json(&json::render(&outcomes))?;
    }
    conclude(&outcomes)
}

/// What is said of one file.
fn say(path: &Path, outcome: &Outcome, args: &args::Replay) -> Result<(), Failure> {
    if outcome.is_success() && args.quiet {
        return Ok(());
    }
    if outcome.is_success() && args.files.len() > 1 {
        // Numbers first: names may be long.
        let (came, sent) = (outcome.injected, outcome.matched);
        let path = path.display().to_string();
        return output::print(&format!("as expected {came:>5} came {sent:>5} sent  {}", printable(&path)));
    }
    let mut text = match (&outcome.title, outcome.is_success()) {
        (_, true) => String::new(),
        (Some(title), false) => format!("{}: {title}\n", path.display()),
        (None, false) => format!("{}\n", path.display()),
    };
    text.push_str(&outcome.to_string());
    let lines = text.lines().flat_map(|line| folded(&printable(line)));
    output::print(&lines.collect::<Vec<_>>().join("\n"))
}

/// A line cut between words where it is too long; the rest stands below its own first word.
fn folded(line: &str) -> Vec<String> {
    let mut rest = line.to_owned();
    let indent = line.chars().take_while(|c| !c.is_alphabetic()).count().min(table::WIDTH / 2);
    let mut lines = Vec::new();
    while rest.chars().count() > table::WIDTH {
        let spaces =
            rest.char_indices().enumerate().filter(|(_, (_, c))| *c == ' ').map(|(n, (at, _))| (n, at));
        let Some((_, at)) = spaces.filter(|(n, _)| (indent + 1..=table::WIDTH).contains(n)).last() else {
            break;
        };
        let more = rest.split_off(at);
        lines.push(std::mem::replace(&mut rest, format!("{:indent$}{}", "", more.trim_start())));
    }
    lines.push(rest);
    lines
}

/// Fails if a file was not as expected.
fn conclude(outcomes: &[(&Path, Outcome)]) -> Result<(), Failure> {
    let wrong: Vec<_> = outcomes.iter().filter(|(_, outcome)| !outcome.is_success()).collect();
    let Some((first, _)) = wrong.first() else { return Ok(()) };
    let sentence = match outcomes.len() {
        1 => format!("{}: the host did something else than was expected", first.display()),
        all => format!("in {} of {all} files the host did something else than was expected", wrong.len()),
    };
    let next = match first.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
        true => format!("framewise explain {}     (what was captured)", first.display()),
        false => format!("framewise replay {} -w run.pcapng; framewise explain run.pcapng", first.display()),
    };
    Err(Failure::new(Kind::Replay, sentence).next(next))
}

/// Writes the capture of a script, and its sidecar.
fn write(played: &Played, file: &Path, script: &Path) -> Result<(), Failure> {
    let Some((capture, sidecar)) = &played.made else {
        let sentence = format!("{} is a capture already; --write is for scripts", script.display());
        return Err(
            Failure::new(Kind::Usage, sentence).next(format!("framewise replay {}", script.display()))
        );
    };
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::write(path, bytes).map_err(|error| {
            Failure::new(Kind::File, format!("{} can't be written: {error}", path.display()))
        })
    };
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    write(file, capture)?;
    write(&sidecar_of(file), format!("# Made of {name}.\n{sidecar}").as_bytes())
}

/// The chapter on captures and scripts.
const BOOK: &str = "docs/src/replaying.md";

/// Why a file can't be played.
fn failure(path: &Path, error: &PlayError) -> Failure {
    let mut sentence = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        sentence = format!("{sentence}: {error}");
        cause = error.source();
    }
    let shown = path.display();
    match error {
        PlayError::File { .. } | PlayError::NotText { .. } | PlayError::TooLarge { .. } => {
            Failure::new(Kind::File, sentence)
        }
        PlayError::NoSidecar { .. } => Failure::new(Kind::File, sentence)
            .next(format!("framewise replay {shown} --with FILE     (see {BOOK})")),
        PlayError::Text { .. } => {
            Failure::new(Kind::Usage, sentence).next(format!("what {BOOK} says of the grammar"))
        }
        PlayError::Capture(_) => Failure::new(Kind::File, format!("{shown}: {sentence}"))
            .next("a pcap or pcapng file, as Wireshark and tcpdump write it"),
        _ => Failure::new(Kind::Usage, format!("{shown}: {sentence}"))
            .next(format!("what {BOOK} says of the grammar")),
    }
}
