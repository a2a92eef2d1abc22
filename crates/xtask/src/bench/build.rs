//! The programs that are measured and that measure, built as they are shipped.

use super::rows::{How, Row};
use crate::tool;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs are.
#[derive(Default)]
pub(crate) struct Programs {
    /// The command, built with `--release`.
    pub(crate) framewise: PathBuf,
    /// What it is measured with and against over a device.
    pub(crate) bench: PathBuf,
    ratios: PathBuf,
    /// What runs under callgrind.
    pub(crate) counted: PathBuf,
}

/// By which a copy of ourselves is told where the programs are: it runs where cargo should not.
const FRAMEWISE: &str = "FRAMEWISE_BIN";
const BENCH: &str = "FRAMEWISE_BENCH_BIN";

/// Has the C library copy without `rep movsb`, whose speed depends on where in memory something happens to lie: see the
/// chapter on speed, "Traps".
pub(crate) const COPYING: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1000000000");

impl Programs {
    /// Builds what these rows need. `FRAMEWISE_BIN` in the environment is taken as the command, if it is there.
    pub(crate) fn build(rows: &[&Row], counts: bool) -> io::Result<Self> {
        let mut programs = Programs::default();
        if rows.iter().any(|row| matches!(row.how, How::Live(_))) {
            programs.framewise = match std::env::var_os(FRAMEWISE) {
                Some(given) => given.into(),
                None => release("framewise-cli", "framewise")?,
            };
            programs.bench = release("framewise-bench", "framewise-bench")?;
        }
        if rows.iter().any(|row| matches!(row.how, How::Memory(_))) {
            programs.ratios = bench("ratios")?;
        }
        if counts {
            programs.counted = bench("counted")?;
        }
        Ok(programs)
    }

    /// What [`Programs::hand_to`] told.
    pub(crate) fn handed() -> io::Result<Self> {
        let told = |name: &str| {
            let path = std::env::var_os(name).map(PathBuf::from);
            path.ok_or_else(|| io::Error::other(format!("{name} is not set: run cargo xtask bench instead")))
        };
        Ok(Programs { framewise: told(FRAMEWISE)?, bench: told(BENCH)?, ..Programs::default() })
    }

    pub(crate) fn hand_to(&self, mut command: Command) -> Command {
        command.env(FRAMEWISE, &self.framewise).env(BENCH, &self.bench);
        command
    }

    /// The command that measures a row in memory.
    pub(crate) fn ratios(&self, name: &str, quick: bool) -> io::Result<Command> {
        let mut command = Command::new(&self.ratios);
        command.args(["--bench", "--json", name]);
        command.env(COPYING.0, COPYING.1);
        if quick {
            command.arg("--quick");
        }
        Ok(command)
    }
}

fn release(package: &str, program: &str) -> io::Result<PathBuf> {
    println!("== building {program}");
    let mut command = tool::cargo(["build", "--release", "--package", package]);
    if !tool::stream(&mut command, |_| ())?.success() {
        return Err(io::Error::other(format!("{program} does not build")));
    }
    Ok(tool::target_folder().join("release").join(program))
}

/// A benchmark of `framewise`, and where cargo put it.
fn bench(name: &str) -> io::Result<PathBuf> {
    println!("== building the benchmark {name}");
    let mut command = tool::cargo(["bench", "--package", "framewise", "--no-run", "--bench", name]);
    command.arg("--message-format=json").stderr(Stdio::inherit());
    let output = command.output()?;
    let path = String::from_utf8_lossy(&output.stdout).lines().find_map(|line| executable(line, name));
    path.filter(|_| output.status.success())
        .ok_or_else(|| io::Error::other(format!("the benchmark {name} does not build")))
}

/// The program that a message of cargo's says it has built.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_it = message["reason"] == "compiler-artifact" && message["target"]["name"] == name;
    message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

/// Draws the plots of a report.
pub(crate) fn plot(report: &Path, folder: &Path) -> io::Result<()> {
    let mut command =
        tool::cargo(["run", "--quiet", "--release", "--package", "framewise-bench", "--", "plot"]);
    if tool::stream(command.arg(report).arg(folder), |_| ())?.success() {
        return Ok(());
    }
    Err(io::Error::other("the plots could not be drawn"))
}
