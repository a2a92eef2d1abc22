//! `framewise step`: the stepper is a program of its own, so that its terminal weighs nothing on the first build.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::args;
use crate::exit::{Failure, Kind};

/// What it is called.
const PROGRAM: &str = "framewise-step";

pub(crate) fn run(args: &args::Step) -> Result<(), Failure> {
    let mut command = Command::new(beside().unwrap_or_else(|| PathBuf::from(PROGRAM)));
    let error = become_it(command.args(&args.arguments));
    if error.kind() != io::ErrorKind::NotFound {
        return Err(Failure::new(Kind::File, format!("{PROGRAM} can't be run: {error}")));
    }
    let sentence =
        format!("the stepper is a program of its own, {PROGRAM}, and neither beside this one nor on PATH");
    let next = "cargo install --path crates/step     (where the sources of framewise are)";
    Err(Failure::new(Kind::File, sentence).next(next))
}

/// The one in the folder of this program, if it is there.
fn beside() -> Option<PathBuf> {
    let name = OsString::from(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    Some(std::env::current_exe().ok()?.with_file_name(name)).filter(|path| path.is_file())
}

/// Runs it in this program's place; what comes back is why that failed.
#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Runs it, and ends as it ended; what comes back is why that failed.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(Kind::File as i32)),
        Err(error) => error,
    }
}
