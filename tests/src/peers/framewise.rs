//! The `framewise` command itself, as a user runs it.

use crate::place::Place;
use crate::process::{Finished, Running, finish};
use crate::summed::Summed;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a command may take that the test did not give a limit.
const LIMIT: Duration = Duration::from_secs(60);

/// A `framewise` command, before it is run.
pub struct Framewise {
    command: Command,
    limit: Duration,
}

impl Framewise {
    /// `framewise` at a place, with these arguments.
    pub fn new(place: &impl Place, arguments: &[&str]) -> Self {
        // Through `env`, for a place starts programs that are installed and finds them by name.
        let mut command = place.command("env");
        command.arg(program()).args(arguments).env_remove("SUDO_UID").env_remove("SUDO_GID");
        Framewise { command, limit: LIMIT }
    }

    /// Adds arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs in this folder.
    pub fn within(mut self, folder: &std::path::Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable of its environment.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// May take this long.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// Where it has not ended within its limit.
    #[track_caller]
    pub fn run(mut self) -> Finished {
        finish(&mut self.command, self.limit)
    }

    /// Runs it beside the test, and has openssl add up its standard output.
    ///
    /// # Panics
    ///
    /// Where it can't be started.
    #[track_caller]
    pub fn summed(mut self) -> Summed {
        Summed::start(&mut self.command)
    }

    /// Runs it beside the test, and waits for a line that contains `ready`.
    ///
    /// # Panics
    ///
    /// Where it ends before it says so, or does not say so within its limit.
    #[track_caller]
    pub fn spawn(mut self, ready: &str) -> Running {
        let mut running = Running::start(&mut self.command);
        running.wait_for_line(&format!("says {ready:?}"), self.limit, |line| line.contains(ready));
        running
    }
}

/// The program: the one that `FRAMEWISE_BIN` names, else the one that cargo builds beside this test.
pub fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| std::env::var_os("FRAMEWISE_BIN").map_or_else(build, PathBuf::from)).clone()
}

/// Builds the command in the test's own profile: what lies there may be older than what is tested.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let folder = test.ancestors().nth(2).expect("cargo puts tests into target/PROFILE/deps");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "framewise-cli"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    // Within a namespace there is no network, and nothing to download either.
    if !finish(cargo.arg("--offline"), Duration::from_secs(600)).status.success() {
        panic!("cargo cannot build the framewise command");
    }
    folder.join("framewise")
}
