//! Running the commands that README.md and the book show.

use crate::console::{self, Block, Ends, Typed};
use crate::requirement::{Requirement, in_a_network_of_its_own};
use crate::summary::Outcome;
use crate::tool::{self, Ending};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// No command in the documentation may take longer than this.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs every block of every documentation file.
pub(crate) fn run_all(report: &mut dyn FnMut(&str, Outcome)) -> io::Result<()> {
    for file in documentation()? {
        let shown = file.strip_prefix(tool::root()).unwrap_or(&file).display().to_string();
        for block in console::blocks(&fs::read_to_string(&file)?) {
            let name = format!("{shown}:{} {}", block.line, block.commands[0].text);
            report(&name, run_where_possible(&file, &block)?);
        }
    }
    Ok(())
}

/// README.md and the book's chapters, in a fixed order.
pub(crate) fn documentation() -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::from([tool::root().join("README.md")]);
    add_markdown(&tool::root().join("docs/src"), &mut files)?;
    files.retain(|file| file.is_file());
    Ok(files)
}

fn add_markdown(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            add_markdown(&entry, files)?;
        } else if entry.extension().is_some_and(|extension| extension == "md") {
            files.push(entry);
        }
    }
    Ok(())
}

fn run_where_possible(file: &Path, block: &Block) -> io::Result<Outcome> {
    if let Some(lacking) = block.requires.lacking() {
        return Ok(Outcome::Skipped(lacking.into()));
    }
    let done = match block.requires {
        Requirement::Tap => run_apart(file, block.line)?,
        Requirement::Nothing | Requirement::Root => run_block(block)?,
    };
    Ok(done.map_or_else(Outcome::Failed, |()| Outcome::Passed))
}

/// Runs a block by a copy of ourselves in a network namespace, which takes all it made with it.
fn run_apart(file: &Path, line: usize) -> io::Result<Result<(), String>> {
    let mut command = in_a_network_of_its_own(std::env::current_exe()?);
    command.arg("run-block").arg(file).arg(line.to_string());
    let (ending, said) = tool::run_quietly(&mut command, LIMIT * 2)?;
    Ok(if ending.is_success() { Ok(()) } else { Err(said.join("\n")) })
}

/// Runs the block of `file` that opens at `line`; what `cargo xtask run-block` does.
pub(crate) fn run_block_at(file: &Path, line: usize) -> io::Result<bool> {
    let blocks = console::blocks(&fs::read_to_string(file)?);
    let block = blocks.iter().find(|block| block.line == line);
    let block =
        block.ok_or_else(|| io::Error::other(format!("no block of commands opens at line {line}")))?;
    let done = run_block(block)?;
    if let Err(why) = &done {
        println!("{why}");
    }
    Ok(done.is_ok())
}

/// Runs the commands of a block in a folder that has nothing but the files shown before it, those that run until interrupted
/// beside the others.
fn run_block(block: &Block) -> io::Result<Result<(), String>> {
    let folder = tempfile::tempdir()?;
    for (name, content) in &block.files {
        fs::write(folder.path().join(name), content)?;
    }
    let mut running = Vec::new();
    for typed in &block.commands {
        let done = match typed.ends {
            Ends::WithCode(code) => run_to_its_end(typed, code, folder.path())?,
            Ends::Interrupted => {
                Background::start(typed, folder.path())?.map(|started| running.push(started))
            }
        };
        if done.is_err() {
            return Ok(done);
        }
    }
    let stopped: io::Result<Result<(), String>> = running.into_iter().map(Background::interrupt).collect();
    stopped
}

fn run_to_its_end(typed: &Typed, expected: i32, folder: &Path) -> io::Result<Result<(), String>> {
    let (ending, said) = tool::run_quietly(&mut shell(typed, folder), LIMIT)?;
    if ending.code() == Some(expected) {
        return Ok(Ok(()));
    }
    let (text, said) = (&typed.text, said.join("\n"));
    Ok(Err(format!("$ {text}\n{said}\nshould have ended with exit code {expected}, but: {ending}")))
}

fn shell(typed: &Typed, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(typed.runnable()).current_dir(folder).env("PATH", path_with_what_was_built());
    command
}

/// The search path with the folder first in which cargo puts `framewise`.
fn path_with_what_was_built() -> OsString {
    tool::path_with(Some(&tool::target_folder().join("debug")))
}

/// A command that runs until it is interrupted.
struct Background {
    text: String,
    child: Child,
    output: Receiver<String>,
}

impl Background {
    /// Starts it and waits until it says something.
    fn start(typed: &Typed, folder: &Path) -> io::Result<Result<Self, String>> {
        let mut command = Command::new("sh");
        // `exec`, so that the interrupt reaches the program and not a shell around it.
        command.arg("-c").arg(format!("exec {}", typed.runnable()));
        command.current_dir(folder).env("PATH", path_with_what_was_built());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = tool::lines_of(&mut child);
        let text = typed.text.clone();
        let spoke = output.recv_timeout(LIMIT).is_ok();
        let started = Background { text, child, output };
        Ok(if spoke { Ok(started) } else { Err(format!("$ {}\nsaid nothing before it ended", started.text)) })
    }

    /// Interrupts it as Ctrl-C would; it must have been running still, and must end properly.
    fn interrupt(mut self) -> io::Result<Result<(), String>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Err(self.complaint(&format!("ended too early: {status}"))));
        }
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        let ending = tool::wait(&mut self.child, LIMIT)?;
        // A program that sets up no handler ends by the signal itself; 130 is how shells tell of it.
        let properly = match &ending {
            Ending::Exited(status) => matches!(status.code(), Some(0 | 130) | None),
            Ending::TookTooLong(_) => false,
        };
        Ok(if properly {
            Ok(())
        } else {
            Err(self.complaint(&format!("did not stop at an interrupt: {ending}")))
        })
    }

    fn complaint(&self, what: &str) -> String {
        let said: Vec<_> = self.output.try_iter().collect();
        format!("$ {}\n{}\n{what}", self.text, said.join("\n"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Already ended in the ordinary case, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(commands: &[(&str, Ends)]) -> Result<(), String> {
        let typed = |&(text, ends): &(&str, Ends)| Typed { text: text.to_owned(), ends };
        let commands = commands.iter().map(typed).collect();
        run_block(&Block { line: 1, requires: Requirement::Nothing, commands, files: Vec::new() })
            .expect("a shell can be run")
    }

    #[test]
    fn a_command_must_end_as_the_text_says() {
        assert_eq!(run(&[("true", Ends::WithCode(0)), ("exit 4", Ends::WithCode(4))]), Ok(()));
        let why = run(&[("echo oh; exit 3", Ends::WithCode(0))]).unwrap_err();
        assert!(why.starts_with("$ echo oh; exit 3\noh\nshould have ended with exit code 0"), "{why}");
    }

    #[test]
    fn commands_of_a_block_share_a_folder() {
        assert_eq!(
            run(&[("echo page > page.html", Ends::WithCode(0)), ("cat page.html", Ends::WithCode(0))]),
            Ok(())
        );
    }

    #[test]
    fn what_runs_until_it_is_interrupted_runs_beside_the_rest() {
        let server = ("sh -c 'echo $$ > pid; echo ready; exec sleep 50'", Ends::Interrupted);
        assert_eq!(run(&[server, ("kill -0 $(cat pid)", Ends::WithCode(0))]), Ok(()));
    }

    #[test]
    fn what_ends_before_it_is_interrupted_fails() {
        let typed = Typed { text: "echo ready".into(), ends: Ends::Interrupted };
        let mut started = Background::start(&typed, Path::new("/")).unwrap().unwrap();
        started.child.wait().unwrap();
        assert!(started.interrupt().unwrap().unwrap_err().contains("ended too early"));
    }
}
