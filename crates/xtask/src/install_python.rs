//! What the shop by Django and other applications in Python need, as the shop's `requirements.txt` names it, in
//! `target/tools/python`.

use crate::tool;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the shop is.
pub(crate) fn shop() -> PathBuf {
    tool::root().join("examples/django_shop")
}

/// The Python that runs it: the system's own where there is one, for that is everybody's.
pub(crate) fn python() -> &'static str {
    if Path::new("/usr/bin/python3").is_file() { "/usr/bin/python3" } else { "python3" }
}

/// Where its packages are, for `PYTHONPATH`, installed first where they are not; or why they can't be had.
pub(crate) fn provide() -> io::Result<Result<PathBuf, String>> {
    let folder = tool::target_folder().join("tools/python");
    let requirements = shop().join("requirements.txt");
    let (wanted, noted) = (fs::read(&requirements)?, folder.join("of-the-shop.txt"));
    if fs::read(&noted).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(folder));
    }
    if !tool::is_installed("pip3") {
        return Ok(Err("pip3 is not installed".to_owned()));
    }
    println!("\n== what the shop by Django needs, by pip");
    let mut command = Command::new("pip3");
    command.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--upgrade",
    ]);
    command.arg("--target").arg(&folder);
    if !tool::stream(command.arg("-r").arg(&requirements), |_| ())?.success() {
        return Ok(Err("Django can't be installed".to_owned()));
    }
    fs::write(noted, wanted)?;
    Ok(Ok(folder))
}
