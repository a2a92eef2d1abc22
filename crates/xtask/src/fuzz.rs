//! `cargo xtask fuzz`: builds the fuzz targets and runs each for a while.
//!
//! ```text
//!   tests/fuzz           what a target does, and its seeds, written to target/fuzz/seeds
//!   tests/fuzz/targets   the programs that hand it libFuzzer's bytes, built by cargo-fuzz into target/fuzz
//!   target/fuzz/corpus   what was found worth keeping: the next run goes on from there
//!   target/fuzz/found    what made a target fail
//! ```
//!
//! With nightly Rust, memory is watched too (AddressSanitizer). Where there is none and rustup can't bring it, stable Rust does.

use crate::summary::{Outcome, Summary};
use crate::{install, tool};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// How long a target may take beyond its time: to load its seeds, and to end.
const GRACE: Duration = Duration::from_secs(120);
/// Bytes of an input at most.
const LONGEST: usize = 4_096;
/// The program on which an input takes longer is stuck.
const STUCK_SECONDS: u32 = 25;
/// What no input may need, AddressSanitizer's own memory included.
const MEGABYTES: u32 = 2_048;

/// Runs the targets of these names, or all, for so many seconds each, and sums them up.
pub(crate) fn run(seconds: u64, targets: &[String]) -> io::Result<bool> {
    let mut summary = Summary::new(false);
    summary.checks("fuzzing", |report| run_all(seconds, targets, report));
    Ok(summary.conclude())
}

/// The same, reporting each.
pub(crate) fn run_all(
    seconds: u64,
    wanted: &[String],
    report: &mut dyn FnMut(&str, Outcome),
) -> io::Result<()> {
    let targets = write_seeds()?;
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        let known = targets.join(", ");
        return Err(io::Error::other(format!("there is no fuzz target {unknown}; there are {known}")));
    }
    let wanted: Vec<String> = if wanted.is_empty() { targets } else { wanted.to_vec() };
    match build()? {
        Ok(programs) => run_side_by_side(&programs, seconds, wanted, report),
        Err(lacking) => {
            wanted.iter().for_each(|target| report(target, Outcome::Skipped(lacking.clone())));
            Ok(())
        }
    }
}

fn folder(name: &str) -> PathBuf {
    tool::target_folder().join("fuzz").join(name)
}

/// Writes the seeds of all targets, and tells the targets' names.
fn write_seeds() -> io::Result<Vec<String>> {
    let mut command = tool::cargo(["run", "--quiet", "--package", "framewise-fuzz", "--bin", "seeds", "--"]);
    command.arg(tool::root().join("pcaps")).arg(folder("seeds")).stderr(Stdio::inherit());
    let output = command.output()?;
    if !output.status.success() {
        return Err(io::Error::other("the seeds can't be written"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Builds the targets, and tells in which folder they are; or why they can't be built here.
fn build() -> io::Result<Result<PathBuf, String>> {
    let program = match install::FUZZ.provide()? {
        Ok(program) => program,
        Err(lacking) => return Ok(Err(lacking)),
    };
    let nightly = provide_nightly()?;
    let mut command = if nightly { with_nightly(&program) } else { Command::new(&program) };
    command.args(["build", "-O", "--no-cfg-fuzzing", "--fuzz-dir", "tests/fuzz/targets", "--target-dir"]);
    command.arg(tool::target_folder().join("fuzz"));
    if !nightly {
        println!("There is no nightly Rust: the targets run without AddressSanitizer.");
        command.args(["--sanitizer", "none"]);
    }
    // cargo-fuzz is to call the cargo of its own toolchain, not the one that runs us.
    command.current_dir(tool::root()).env_remove("CARGO");
    if !tool::stream(&mut command, |_| ())?.success() {
        return Err(io::Error::other("the fuzz targets can't be built"));
    }
    Ok(Ok(folder(&host()?).join("release")))
}

/// Whether there is a nightly Rust, brought by rustup where it may.
fn provide_nightly() -> io::Result<bool> {
    if !tool::is_installed("rustup") {
        return Ok(false);
    }
    let is_there = || {
        let rustc = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
        rustc.map(|output| output.status.success())
    };
    if is_there()? {
        return Ok(true);
    }
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", "nightly", "--profile", "minimal", "--no-self-update"]);
    let _ = tool::run_quietly(&mut install, Duration::from_secs(180))?;
    is_there()
}

fn with_nightly(program: &Path) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).arg(program);
    command
}

/// The target that we are built for.
fn host() -> io::Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| io::Error::other("rustc does not say for which host it is"))
}

/// Runs as many at a time as there are processors.
fn run_side_by_side(
    programs: &Path,
    seconds: u64,
    targets: Vec<String>,
    report: &mut dyn FnMut(&str, Outcome),
) -> io::Result<()> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    let queue = Mutex::new(VecDeque::from(targets));
    let (sender, done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                let next = || queue.lock().ok()?.pop_front();
                while let Some(target) = next() {
                    let outcome = run_one(programs, seconds, &target);
                    if sender.send((target, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (target, outcome) in done {
            let (inputs, outcome) = outcome?;
            report(&format!("{target}, {inputs} inputs in {seconds} s"), outcome);
        }
        Ok(())
    })
}

/// Runs one target: how many inputs it was given, and what came of it.
fn run_one(programs: &Path, seconds: u64, target: &str) -> io::Result<(u64, Outcome)> {
    let (corpus, found) = (folder("corpus").join(target), folder("found"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let mut command = Command::new(programs.join(target));
    command.arg(corpus).arg(folder("seeds").join(target)).current_dir(tool::root());
    command.arg(format!("-artifact_prefix={}/{target}-", found.display()));
    let dictionary = tool::root().join(format!("tests/fuzz/dictionaries/{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    command.arg(format!("-timeout={STUCK_SECONDS}")).arg(format!("-rss_limit_mb={MEGABYTES}"));
    command.arg("-print_final_stats=1");
    let (ending, said) = tool::run_quietly(&mut command, Duration::from_secs(seconds) + GRACE)?;
    let inputs = said.iter().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let inputs = inputs.and_then(|inputs| inputs.trim().parse().ok()).unwrap_or(0);
    if ending.is_success() {
        return Ok((inputs, Outcome::Passed));
    }
    let from =
        said.iter().position(|line| line.contains("panicked at") || line.contains("ERROR:")).unwrap_or(0);
    let told = said.get(from..).unwrap_or_default().iter().take(60).cloned().collect::<Vec<_>>().join("\n");
    Ok((inputs, Outcome::Failed(format!("{told}\n{target} should have held for every input, but: {ending}"))))
}
