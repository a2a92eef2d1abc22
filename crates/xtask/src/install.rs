//! Programs of crates.io that steps run, built once into `target/tools`.

use crate::tool;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, in the version that is known to do.
pub(crate) struct Program {
    name: &'static str,
    version: &'static str,
}

/// Builds fuzz targets with the flags that libFuzzer wants.
pub(crate) const FUZZ: Program = Program { name: "cargo-fuzz", version: "0.13.1" };
/// Checks licences, bans and sources of all dependencies.
pub(crate) const DENY: Program = Program { name: "cargo-deny", version: "0.20.2" };

impl Program {
    /// Where it is, built first if it is not there; or why it can't be had.
    pub(crate) fn provide(&self) -> io::Result<Result<PathBuf, String>> {
        let folder = tool::target_folder().join("tools");
        let program = folder.join("bin").join(self.name);
        if self.is_there(&program) {
            return Ok(Ok(program));
        }
        let built = tool::stream(&mut self.install(&folder), |_| ())?.success();
        let lacking = || format!("{} {} can't be installed", self.name, self.version);
        Ok(if built { Ok(program) } else { Err(lacking()) })
    }

    fn is_there(&self, program: &Path) -> bool {
        let output = Command::new(program).arg("--version").output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim_end().ends_with(self.version))
    }

    /// Not optimised, which takes a third of the time: it only reads a few files, or calls cargo.
    fn install(&self, folder: &Path) -> Command {
        let mut command = tool::cargo(["install", "--locked", "--debug", "--quiet", "--force", self.name]);
        command.args(["--version", self.version]).arg("--root").arg(folder);
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    }
}
