//! What README.md and the book show below a command is what the command says.
//!
//! That the commands run at all is tried elsewhere; here their words are compared, of those that need neither a TAP nor root. A
//! line `...` stands for any lines. A ` ```text ` block right after a block of commands is the output of its last one. One
//! with a name, ` ```text hello.script `, shows a file that is there for all commands after it.
//! With `FRAMEWISE_UPDATE_DOCS=1` the files are rewritten instead, all but what has such a line.

use framewise_tests::{skip_because, skippable};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_documentation_shows_what_the_commands_say() {
    skippable("the_documentation_shows_what_the_commands_say", || {
        let program = program();
        let mut stale = Vec::new();
        for file in documentation() {
            let text = fs::read_to_string(&file).expect("a file of the documentation");
            let fresh = with_fresh_output(&text, &program);
            if fresh != text && std::env::var_os("FRAMEWISE_UPDATE_DOCS").is_some() {
                fs::write(&file, fresh).expect("the documentation can be written");
            } else if let Some((old, new)) = text.lines().zip(fresh.lines()).find(|(old, new)| old != new) {
                stale.push(format!("{}:\n  shown: {old}\n  now:   {new}", file.display()));
            }
        }
        let way = "look at the change, then run this test with FRAMEWISE_UPDATE_DOCS=1";
        assert!(stale.is_empty(), "{}\n{way}", stale.join("\n"));
    });
}

fn documentation() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let chapters = fs::read_dir(root.join("docs/src")).expect("the book's folder");
    let mut files: Vec<_> = chapters.map(|entry| entry.expect("an entry of a folder").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.push(root.join("README.md"));
    files.sort();
    files
}

/// The command: the one that `FRAMEWISE_BIN` names, else what cargo has built beside this test.
fn program() -> PathBuf {
    let beside = || std::env::current_exe().ok()?.ancestors().nth(2).map(|folder| folder.join("framewise"));
    let program = std::env::var_os("FRAMEWISE_BIN").map(PathBuf::from).or_else(beside);
    let program = program.filter(|program| program.is_file());
    program.unwrap_or_else(|| skip_because("the command is not built: cargo build -p framewise-cli"))
}

/// The text with what its commands say now in the place of what it shows.
fn with_fresh_output(text: &str, program: &Path) -> String {
    let mut lines = text.lines().peekable();
    let mut fresh = String::new();
    let mut last_said = None;
    let mut files: Vec<(&str, String)> = Vec::new();
    while let Some(line) = lines.next() {
        push(&mut fresh, line);
        if line == "```console" {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            for (name, content) in &files {
                fs::write(folder.path().join(name), content).expect("a file can be written");
            }
            let mut said = None;
            while let Some(line) = lines.next_if(|line| *line != "```") {
                push(&mut fresh, line);
                if line.starts_with("$ ") {
                    said = None;
                }
                let Some(typed) = ours(line) else { continue };
                let now = say(&typed, folder.path(), program);
                let mut shown = Vec::new();
                while let Some(line) = lines.next_if(|line| !line.starts_with(['$', '#', '`'])) {
                    shown.push(line);
                }
                push_output(&mut fresh, &shown, &now);
                said = shown.is_empty().then_some(now);
            }
            push(&mut fresh, lines.next().unwrap_or("```"));
            last_said = said;
        } else if let Some(name) = line.strip_prefix("```text ") {
            let mut content = String::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                push(&mut fresh, line);
                push(&mut content, line);
            }
            files.push((name, content));
        } else if line == "```text" {
            let mut shown = Vec::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                shown.push(line);
            }
            push_output(&mut fresh, &shown, &last_said.take().unwrap_or_else(|| shown.join("\n")));
        } else if !line.is_empty() {
            last_said = None;
        }
    }
    fresh
}

/// What was typed, if it runs our command.
fn ours(line: &str) -> Option<String> {
    let typed = line.strip_prefix("$ ")?.replace("cargo run --release -- ", "framewise ");
    typed.starts_with("framewise ").then_some(typed)
}

/// All that a command says, in the order in which it says it.
fn say(typed: &str, folder: &Path, program: &Path) -> String {
    let built = program.parent().expect("a program lies in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(built.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{{ {typed}\n}} 2>&1")).current_dir(folder);
    command.env("PATH", std::env::join_paths(path).expect("folders of a path without colons"));
    let output = command.output().expect("a shell can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// The fresh output where some is shown; the shown one where it leaves lines out and the rest is as it was.
fn push_output(text: &mut String, shown: &[&str], now: &str) {
    let is_abridged = shown.contains(&"...");
    if shown.is_empty() || (is_abridged && abridges(shown, now)) {
        shown.iter().for_each(|line| push(text, line));
    } else {
        now.lines().for_each(|line| push(text, line));
    }
}

/// Whether `now` has all the lines shown, in order.
fn abridges(shown: &[&str], now: &str) -> bool {
    let mut lines = now.lines();
    shown.iter().filter(|line| **line != "...").all(|line| lines.any(|now| now == *line))
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
