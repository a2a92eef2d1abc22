//! Programs that say more than a test can keep: openssl adds it up as it comes.

use crate::process::{KilledOnDrop, read_to_end};
use crate::until::until;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// A program whose standard output goes into a sum. Dropping it kills both.
pub struct Summed {
    name: String,
    program: KilledOnDrop,
    adder: KilledOnDrop,
    complaint: JoinHandle<Vec<u8>>,
    digest: JoinHandle<Vec<u8>>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Sum {
    /// How the program ended.
    pub status: ExitStatus,
    /// What it said on its standard error.
    pub complaint: String,
    /// The SHA-256 of what it said, in hexadecimal digits.
    pub sha256: String,
    /// The most memory that was resident for it, in bytes.
    pub peak: u64,
}

impl Summed {
    /// Starts a command.
    ///
    /// # Panics
    ///
    /// Where it or openssl can't be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let start = |command: &mut Command| {
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            KilledOnDrop(child.unwrap_or_else(|error| panic!("{command:?} can't be started: {error}")))
        };
        let mut program = start(command.stdin(Stdio::null()));
        let output = program.0.stdout.take().expect("its output is a pipe");
        let mut adder = start(sha256().stdin(output));
        let complaint = read_to_end(program.0.stderr.take().expect("its errors are a pipe"));
        let digest = read_to_end(adder.0.stdout.take().expect("its output is a pipe"));
        Summed { name, program, adder, complaint, digest }
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.program.0.id()
    }

    /// Waits until both have ended.
    ///
    /// # Panics
    ///
    /// When `limit` has passed.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Sum {
        let mut peak = 0;
        let status = until(&format!("{} ends", self.name), limit, || {
            // Asked for all the while: of a program that has ended nobody knows it any more.
            peak = peak_memory(self.program.0.id()).unwrap_or(peak);
            self.program.0.try_wait().expect("a child can be waited for")
        });
        self.adder.0.wait().expect("a child can be waited for");
        let text = |said: JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&said.join().unwrap_or_default()).into_owned()
        };
        Sum { status, complaint: text(self.complaint), sha256: digest_in(&text(self.digest)), peak }
    }
}

/// The most memory that was ever resident for a process, in bytes; `None` once it has ended.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Panics
///
/// Where it can't be read.
#[track_caller]
pub fn sha256_of(file: &Path) -> String {
    let finished = crate::finish(sha256().arg(file), Duration::from_secs(60)).successful();
    digest_in(&finished.text())
}

fn sha256() -> Command {
    let mut command = Command::new(crate::require_program("openssl"));
    // As coreutils write it: the digest, then the file's name.
    command.args(["dgst", "-sha256", "-r"]);
    command
}

fn digest_in(line: &str) -> String {
    line.split_whitespace().next().unwrap_or_default().to_owned()
}
