//! `cargo xtask test`: everything that must hold, in order of what fails soonest.

use crate::summary::Summary;
use crate::{book, commands, deny, examples, fuzz, install, links, packages, tool};
use std::io;
use std::process::Command;

/// How long each fuzz target runs.
const FUZZ_SECONDS: u64 = 15;

/// Runs the steps, all of them whatever fails, and sums them up.
pub(crate) fn run(quick: bool) -> io::Result<bool> {
    packages::provide()?;
    install::provide_python()?;
    let mut summary = Summary::new(must_not_skip());
    summary.check("cargo fmt", &mut tool::cargo(["fmt", "--all", "--check"]));
    if !quick {
        let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        summary.check("cargo clippy", &mut tool::cargo(clippy));
    }
    summary.check("the command", &mut tool::cargo(["build", "--package", "framewise-cli"]));
    summary.tests("unit and integration tests", &mut tests(&["--lib", "--bins", "--tests", "--examples"]));
    if !quick {
        the_documentation(&mut summary);
        summary.checks("dependencies", |report| deny::run_all(report));
        // Not for everybody who runs the tests: it takes minutes to build, and finds something once in a long while.
        if tool::is_ci() {
            summary.checks("fuzzing", |report| fuzz::run_all(FUZZ_SECONDS, &[], report));
        }
    }
    Ok(summary.conclude())
}

fn the_documentation(summary: &mut Summary) {
    summary.tests("documentation tests", &mut tests(&["--doc"]));
    let mut doc = tool::cargo(["doc", "--workspace", "--no-deps"]);
    summary.check("cargo doc", doc.env("RUSTDOCFLAGS", "-D warnings"));
    summary.checks("examples", |report| examples::run_all(report));
    summary.checks("commands in the documentation", |report| commands::run_all(report));
    summary.checks("links in the documentation", |report| links::check_all(report));
    summary.check("the book", &mut book::command());
}

/// `cargo test` of everything of these kinds; all of it, whatever fails. Benchmarks are no tests.
fn tests(kinds: &[&str]) -> Command {
    let mut command = tool::cargo(["test", "--workspace", "--no-fail-fast"]);
    command.args(kinds);
    // Built a step before; the tests that run the command need not ask cargo for it.
    command.env("FRAMEWISE_BIN", tool::target_folder().join("debug/framewise"));
    if must_not_skip() {
        command.env("FRAMEWISE_REQUIRE_TAP", "1");
    }
    command
}

/// Whether a test that is skipped is a failure: where it is asked for, and in CI, which runs as root.
fn must_not_skip() -> bool {
    std::env::var("FRAMEWISE_REQUIRE_TAP").is_ok_and(|value| value == "1")
        || (tool::is_ci() && tool::is_root())
}
