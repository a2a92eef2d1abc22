//! The book, built by mdBook as a library.

use crate::tool;
use std::io;
use std::process::Command;

/// The command that builds the book.
///
/// mdBook's crates are built once, into a folder of their own: unoptimised, since they turn a few pages
/// into HTML, and without holding up what else cargo builds.
pub(crate) fn command() -> Command {
    let mut command = tool::cargo(["run", "--package", "xtask", "--features", "book", "--bin", "book"]);
    command.args(["--config", "profile.dev.package.'*'.opt-level=0"]);
    command.arg("--target-dir").arg(tool::target_folder().join("book"));
    command.arg("--").arg(tool::root().join("docs"));
    command
}

/// Builds the book into `docs/book`.
pub(crate) fn run() -> io::Result<bool> {
    let built = tool::stream(&mut command(), |_| ())?.success();
    if built {
        println!("docs/book/index.html");
    }
    Ok(built)
}
