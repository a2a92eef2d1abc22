//! A Python of its own for the Django shop, with what its `requirements.txt` names: `target/tools/django`.

use crate::{packages, tool};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the shop is.
pub(crate) fn shop() -> PathBuf {
    tool::root().join("examples/django_shop")
}

/// The interpreter, installed first if it is not there; or why it can't be had.
pub(crate) fn provide() -> io::Result<Result<PathBuf, String>> {
    let folder = tool::target_folder().join("tools/django");
    let python = folder.join("bin/python");
    let requirements = shop().join("requirements.txt");
    let (wanted, noted) = (fs::read(&requirements)?, folder.join("installed.txt"));
    if fs::read(&noted).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(python));
    }
    println!("\n== what the shop by Django needs, by pip");
    if !can_make_one() && tool::is_root() && tool::is_installed("apt-get") {
        packages::install(&["python3-venv"])?;
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    let mut fill = Command::new(&python);
    fill.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    if !succeeds(&mut make)? || !succeeds(&mut fill)? {
        return Ok(Err("Django can't be installed".to_owned()));
    }
    fs::write(noted, wanted)?;
    Ok(Ok(python))
}

/// Where its programs are, if it was installed: for the tests that serve the shop.
pub(crate) fn programs(python: &Path) -> &Path {
    python.parent().unwrap_or(python)
}

/// Debian's Python leaves out what makes one with pip in it.
fn can_make_one() -> bool {
    let asked = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Runs a command, whose program may be missing.
fn succeeds(command: &mut Command) -> io::Result<bool> {
    match tool::stream(command, |_| ()) {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
