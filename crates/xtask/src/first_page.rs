//! How long it takes from a fresh clone to the first page.

use crate::tool;
use std::io;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Clones the last commit, fetches the first page twice (built, then again) and prints the times.
pub(crate) fn run() -> io::Result<bool> {
    let folder = tempfile::tempdir()?;
    let clone = folder.path().join("framewise");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet"]).arg(tool::root()).arg(&clone);
    if !tool::stream(&mut git, |_| ())?.success() {
        return Ok(false);
    }
    let Some(first) = time_a_page(&clone)? else {
        return Ok(false);
    };
    let Some(second) = time_a_page(&clone)? else {
        return Ok(false);
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    println!("\n| | time |\n|---|---|");
    println!("| the first page, after a fresh clone | {:.1} s |", first.as_secs_f64());
    println!("| the next one | {:.2} s |", second.as_secs_f64());
    println!("\n{processors} processors, {}; the crates it depends on were downloaded before", compiler()?);
    Ok(true)
}

fn time_a_page(clone: &Path) -> io::Result<Option<Duration>> {
    let mut command = tool::cargo(["run", "--release", "--", "fetch", "https://shop.test/"]);
    command.current_dir(clone).env_remove("CARGO_TARGET_DIR");
    let started = Instant::now();
    let fetched = tool::stream(&mut command, |_| ())?.success();
    Ok(fetched.then(|| started.elapsed()))
}

fn compiler() -> io::Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
