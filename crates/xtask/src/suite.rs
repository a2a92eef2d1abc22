//! `cargo xtask test`: everything that must hold, in order of what fails soonest.

use crate::summary::{Outcome, Summary};
use crate::{book, commands, deny, examples, fuzz, install_node, install_python, links, packages, tool};
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The Django shop's tests take a second.
const DJANGO_LIMIT: Duration = Duration::from_secs(120);

/// The shop is built into the command wherever it is tested: what is built twice takes twice as long.
const SHOP: [&str; 2] = ["--features", "framewise-cli/shop"];

/// How long each fuzz target runs.
const FUZZ_SECONDS: u64 = 15;

/// Runs the steps, all of them whatever fails, and sums them up.
pub(crate) fn run(quick: bool) -> io::Result<bool> {
    packages::provide()?;
    install_node::provide()?;
    let django = install_python::provide()?;
    let mut summary = Summary::new(must_not_skip());
    summary.check("cargo fmt", &mut tool::cargo(["fmt", "--all", "--check"]));
    if !quick {
        let clippy = |which: &[&str]| {
            let mut command = tool::cargo(["clippy", "--all-targets"]);
            command.args(which).args(["--", "-D", "warnings"]);
            command
        };
        summary.check("cargo clippy", &mut clippy(&["--workspace", SHOP[0], SHOP[1]]));
        summary.check("cargo clippy, without the shop", &mut clippy(&["--package", "framewise-cli"]));
    }
    summary.check("the command", tool::cargo(["build", "--package", "framewise-cli"]).args(SHOP));
    summary.tests("unit and integration tests", &mut tests(&["--lib", "--bins", "--tests", "--examples"]));
    summary.checks("the shop by Django", |report| django_shop(&django, report));
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
    command.args(SHOP).args(kinds);
    // Built a step before; the tests that run the command need not ask cargo for it.
    command.env("FRAMEWISE_BIN", tool::target_folder().join("debug/framewise"));
    if must_not_skip() {
        command.env("FRAMEWISE_REQUIRE_TAP", "1");
    }
    command
}

/// The Django shop's own tests, by Django's own command.
fn django_shop(packages: &Result<PathBuf, String>, report: &mut dyn FnMut(&str, Outcome)) -> io::Result<()> {
    let outcome = match packages {
        Err(lacking) => Outcome::Skipped(lacking.clone()),
        Ok(packages) => {
            let mut command = Command::new(install_python::python());
            command.args(["manage.py", "test"]).current_dir(install_python::shop());
            command.env("PYTHONPATH", packages);
            // Nothing of it is written beside the sources.
            let folder = tempfile::tempdir()?;
            command.env("SHOP_DATABASE", folder.path().join("shop.db")).env("PYTHONDONTWRITEBYTECODE", "1");
            let (ending, said) = tool::run_quietly(&mut command, DJANGO_LIMIT)?;
            if ending.is_success() { Outcome::Passed } else { Outcome::Failed(said.join("\n")) }
        }
    };
    report("manage.py test", outcome);
    Ok(())
}

/// Whether a test that is skipped is a failure: where it is asked for, and in CI, which runs as root.
fn must_not_skip() -> bool {
    std::env::var("FRAMEWISE_REQUIRE_TAP").is_ok_and(|value| value == "1")
        || (tool::is_ci() && tool::is_root())
}
