//! Running every example of the packages `framewise-examples` and `framewise-shop`, which must all end by themselves with success.
//!
//! Without arguments an example runs on the wire in memory. One that needs more says so in its first
//! comment by a line `//! Requires: tap` (or `root`); it is then run in a network namespace of its own.

use crate::requirement::{Requirement, in_a_network_of_its_own};
use crate::summary::Outcome;
use crate::tool;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The packages that hold them.
const PACKAGES: [&str; 2] = ["framewise-examples", "framewise-shop"];

/// No example may take longer than this.
const LIMIT: Duration = Duration::from_secs(60);

/// One runnable example.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    name: String,
    source: PathBuf,
}

/// Builds the examples, then runs each.
pub(crate) fn run_all(report: &mut dyn FnMut(&str, Outcome)) -> io::Result<()> {
    let mut build = tool::cargo(["build", "--examples"]);
    build.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    if !tool::stream(&mut build, |_| ())?.success() {
        return Err(io::Error::other("the examples do not compile"));
    }
    for example in discover()? {
        report(&example.name, run(&example)?);
    }
    Ok(())
}

fn discover() -> io::Result<Vec<Example>> {
    let output = tool::cargo(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata = serde_json::from_slice(&output.stdout)?;
    Ok(examples_in(&metadata))
}

/// The targets of the kind `example` of these packages, by name.
fn examples_in(metadata: &Value) -> Vec<Example> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]).into_iter();
    let packages = packages.filter(|package| PACKAGES.iter().any(|name| package["name"] == *name));
    let targets: Vec<Value> = packages.flat_map(|package| list(&package["targets"])).collect();
    let is_example = |target: &Value| list(&target["kind"]).iter().any(|kind| kind == "example");
    let mut examples: Vec<_> = targets.iter().filter(|target| is_example(target)).filter_map(named).collect();
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    examples
}

fn named(target: &Value) -> Option<Example> {
    let text = |key: &str| Some(target[key].as_str()?.to_owned());
    Some(Example { name: text("name")?, source: text("src_path")?.into() })
}

fn run(example: &Example) -> io::Result<Outcome> {
    let requires = requirement_in(&fs::read_to_string(&example.source)?);
    if let Some(lacking) = requires.lacking() {
        return Ok(Outcome::Skipped(lacking.into()));
    }
    let program = tool::target_folder().join("debug/examples").join(&example.name);
    let mut command = match requires {
        Requirement::Tap => in_a_network_of_its_own(program),
        Requirement::Nothing | Requirement::Root => Command::new(program),
    };
    let (ending, said) = tool::run_quietly(command.current_dir(tool::root()), LIMIT)?;
    if ending.is_success() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Failed(format!("{}\nshould have ended with success, but: {ending}", said.join("\n"))))
}

/// What the first comment of a source says that the program requires.
fn requirement_in(source: &str) -> Requirement {
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    let named = comment.filter_map(|line| line.trim().strip_prefix("Requires:"));
    named.map(Requirement::named).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_examples_of_the_packages_that_hold_them() {
        let target = |name, kind| serde_json::json!({"name": name, "kind": [kind], "src_path": "x.rs"});
        let metadata = serde_json::json!({"packages": [
            {"name": "framewise", "targets": [target("other", "example")]},
            {"name": "framewise-examples", "targets": [
                target("loss", "example"), target("lib", "lib"), target("fetch", "example"),
            ]},
            {"name": "framewise-shop", "targets": [target("shopping", "example"), target("shop", "lib")]},
        ]});
        let names: Vec<_> = examples_in(&metadata).into_iter().map(|example| example.name).collect();
        assert_eq!(names, ["fetch", "loss", "shopping"]);
    }

    #[test]
    fn an_example_says_what_it_requires_in_its_first_comment() {
        assert_eq!(requirement_in("//! On a TAP.\n//!\n//! Requires: tap\n\nfn main() {}"), Requirement::Tap);
        assert_eq!(requirement_in("//! Fetch.\n\n//! Requires: tap\n"), Requirement::Nothing);
    }
}
