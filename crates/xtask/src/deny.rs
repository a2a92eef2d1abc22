//! What the workspace may depend on: licences, bans and sources, as `deny.toml` says.
//!
//! Advisories are left out: their database would have to be fetched from elsewhere than a package registry.

use crate::install;
use crate::summary::Outcome;
use crate::tool;
use std::io;
use std::time::Duration;

/// Our own workspace, and that of the fuzz targets.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "tests/fuzz/targets/Cargo.toml"];
/// It may have to download what only other systems, or the book, need.
const LIMIT: Duration = Duration::from_secs(300);

/// Checks both workspaces.
pub(crate) fn run_all(report: &mut dyn FnMut(&str, Outcome)) -> io::Result<()> {
    let program = install::DENY.provide()?;
    for manifest in MANIFESTS {
        let outcome = match &program {
            Err(lacking) => Outcome::Skipped(lacking.clone()),
            Ok(program) => {
                let mut command = tool::cargo(["deny", "--locked", "--config", "deny.toml"]);
                command.args(["--manifest-path", manifest, "check", "--hide-inclusion-graph"]);
                command.args([
                    "--allow",
                    "license-not-encountered",
                    "--allow",
                    "license-exception-not-encountered",
                ]);
                command.args(["--allow", "duplicate", "bans", "licenses", "sources"]);
                command.env("PATH", tool::path_with(program.parent()));
                let (ending, said) = tool::run_quietly(&mut command, LIMIT)?;
                if ending.is_success() { Outcome::Passed } else { Outcome::Failed(said.join("\n")) }
            }
        };
        report(manifest, outcome);
    }
    Ok(())
}
