//! Reading the commands that the documentation shows, so that they can be run as they stand there.
//!
//! A block fenced as ```` ```console ```` shows a terminal. What follows `$ ` on a line was typed; the
//! other lines are output, and nobody compares them. After the word `console` a block may name what it
//! needs (`console,root`, `console,tap`). A line after a command may say how it ends:
//!
//! ````text
//! ```console
//! $ framewise fetch http://shop.test/nowhere
//! # exits with 4
//! $ framewise serve . --tap tap0
//! # until Ctrl-C
//! ```
//! ````
//!
//! A block fenced as ```` ```text hello.script ```` shows a file, which is there for all commands after it.

use crate::requirement::Requirement;

/// A fenced block that shows a terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its opening fence, counted from 1.
    pub(crate) line: usize,
    pub(crate) requires: Requirement,
    pub(crate) commands: Vec<Typed>,
    /// The files that the chapter has shown before it: their names, and what is in them.
    pub(crate) files: Vec<(String, String)>,
}

/// A fenced block that is being read.
struct Open {
    fence: String,
    kind: Kind,
}

enum Kind {
    Terminal(Block),
    /// A file: its name, and what is in it.
    File(String, String),
    Other,
}

/// A command as it was typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The whole line after the prompt.
    pub(crate) text: String,
    pub(crate) ends: Ends,
}

/// How the documentation says that a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// By itself, with this exit code.
    WithCode(i32),
    /// When it is interrupted, at the end of the block.
    Interrupted,
}

/// The blocks of a Markdown file that hold commands of ours.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let (mut blocks, mut files) = (Vec::new(), Vec::new());
    let mut open: Option<Open> = None;
    for (index, whole) in markdown.lines().enumerate() {
        let line = whole.trim_start();
        match &mut open {
            Some(Open { fence, .. }) if line.trim_end() == fence => match open.take().map(|open| open.kind) {
                Some(Kind::Terminal(block)) if !block.commands.is_empty() => {
                    blocks.push(Block { files: files.clone(), ..block });
                }
                Some(Kind::File(name, content)) => files.push((name, content)),
                _ => {}
            },
            Some(Open { kind: Kind::Terminal(block), .. }) => read_line(block, line),
            Some(Open { kind: Kind::File(_, content), .. }) => content.extend([whole, "\n"]),
            Some(_) => {}
            None => open = opening(line, index + 1),
        }
    }
    blocks
}

/// The block that a line opens, if it is a fence.
fn opening(line: &str, number: usize) -> Option<Open> {
    let ticks = line.len() - line.trim_start_matches('`').len();
    let (fence, info) = line.split_at(ticks);
    let mut words = info.trim().split([',', ' ']);
    let kind = match (words.next(), words.clone().next()) {
        (Some("console"), _) => Kind::Terminal(Block {
            line: number,
            requires: words.map(Requirement::named).max().unwrap_or_default(),
            commands: Vec::new(),
            files: Vec::new(),
        }),
        (Some("text"), Some(name)) => Kind::File(name.to_owned(), String::new()),
        _ => Kind::Other,
    };
    (ticks >= 3).then(|| Open { fence: fence.to_owned(), kind })
}

fn read_line(block: &mut Block, line: &str) {
    if let Some(text) = line.strip_prefix("$ ") {
        if is_ours(text) {
            block.commands.push(Typed { text: text.trim_end().to_owned(), ends: Ends::WithCode(0) });
        }
    } else if let (Some(comment), Some(last)) = (line.strip_prefix("# "), block.commands.last_mut()) {
        if comment.trim_end() == "until Ctrl-C" {
            last.ends = Ends::Interrupted;
        } else if let Some(code) = exit_code(comment) {
            last.ends = Ends::WithCode(code);
        }
    }
}

/// The code in `exits with N`, with any explanation after it.
fn exit_code(comment: &str) -> Option<i32> {
    let rest = comment.strip_prefix("exits with ")?;
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// How a reader without an installed `framewise` types it.
const BUILT_BY_CARGO: &str = "cargo run --release -- ";

/// Whether a command runs this workspace's own program; what installs or builds is not tried here.
fn is_ours(text: &str) -> bool {
    let text = text.strip_prefix("sudo ").unwrap_or(text);
    text.starts_with("framewise ") || text.starts_with(BUILT_BY_CARGO)
}

impl Typed {
    /// The command with the program that has already been built in the place of cargo and of sudo.
    pub(crate) fn runnable(&self) -> String {
        let text = self.text.strip_prefix("sudo ").unwrap_or(&self.text);
        text.replace(BUILT_BY_CARGO, "framewise ").replace("| sudo ", "| ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(markdown: &str) -> Vec<Typed> {
        blocks(markdown).into_iter().flat_map(|block| block.commands).collect()
    }

    fn typed(text: &str, ends: Ends) -> Typed {
        Typed { text: text.into(), ends }
    }

    #[test]
    fn finds_what_was_typed_and_not_what_was_answered() {
        let found = commands(
            "# Title\n```console\n$ framewise url localhost:8080/x\nscheme  http\n$ ls\nframewise \n```\n$ framewise no\n",
        );
        assert_eq!(found, [typed("framewise url localhost:8080/x", Ends::WithCode(0))]);
    }

    #[test]
    fn a_comment_tells_how_the_command_before_it_ends() {
        let found = commands(
            "```console\n$ framewise a\n# exits with 4: not found\n$ framewise b\n# until Ctrl-C\n$ framewise c\n# a remark\n```\n",
        );
        let ends: Vec<_> = found.into_iter().map(|command| command.ends).collect();
        assert_eq!(ends, [Ends::WithCode(4), Ends::Interrupted, Ends::WithCode(0)]);
    }

    #[test]
    fn a_block_names_what_it_needs() {
        let markdown = "```console,root\n$ framewise a\n```\n\n```console,tap\n$ framewise b\n```\n```console\n$ framewise c\n```";
        let found: Vec<_> = blocks(markdown).into_iter().map(|block| (block.line, block.requires)).collect();
        assert_eq!(found, [(1, Requirement::Root), (5, Requirement::Tap), (8, Requirement::Nothing)]);
    }

    #[test]
    fn files_that_were_shown_are_there_for_what_follows() {
        let markdown = "```console\n$ framewise a\n```\n```text x.script\n  one\ntwo\n```\n```console\n$ framewise b\n```\n";
        let files: Vec<_> = blocks(markdown).into_iter().map(|block| block.files).collect();
        assert_eq!(files, [vec![], vec![("x.script".to_owned(), "  one\ntwo\n".to_owned())]]);
    }

    #[test]
    fn other_blocks_and_longer_fences_hide_what_they_quote() {
        assert_eq!(commands("```sh\n$ framewise a\n```\n"), []);
        assert_eq!(commands("````text\n```console\n$ framewise a\n```\n````\n"), []);
    }

    #[test]
    fn a_block_in_a_list_is_read_too() {
        assert_eq!(commands("1. x\n   ```console\n   $ framewise a\n   ```\n").len(), 1);
    }

    #[test]
    fn cargo_and_sudo_give_way_to_what_was_built() {
        let run = |text| typed(text, Ends::WithCode(0)).runnable();
        assert_eq!(run("cargo run --release -- fetch x | head"), "framewise fetch x | head");
        assert_eq!(run("sudo framewise tap up"), "framewise tap up");
    }
}
