//! What the journey through the shop needs from npm: playwright's core, which drives the Chromium that is installed.

use crate::tool;
use std::fs;
use std::io;
use std::process::Command;

/// Installs it beside the journey, as its lock file says; or leaves it, and the tests that need it say so.
pub(crate) fn provide() -> io::Result<()> {
    let folder = tool::root().join("tests/journey");
    let wanted = fs::read_to_string(folder.join("package-lock.json"))?;
    // npm keeps a copy of what it installed, without the package itself.
    let installed = fs::read_to_string(folder.join("node_modules/.package-lock.json")).unwrap_or_default();
    let checksums = |lock: &str| -> Vec<String> {
        let lines = lock.lines().map(str::trim);
        lines.filter(|line| line.starts_with("\"integrity\"")).map(str::to_owned).collect()
    };
    if checksums(&wanted) == checksums(&installed) {
        return Ok(());
    }
    if !tool::is_installed("npm") {
        println!("npm is not installed. What needs it is skipped.");
        return Ok(());
    }
    println!("\n== what the journey through the shop needs, by npm");
    let mut command = Command::new("npm");
    // No script of a package is run, and nobody is asked for advice or money.
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if !tool::stream(command.current_dir(folder), |_| ())?.success() {
        println!("It could not be installed. What needs it is skipped.");
    }
    Ok(())
}
