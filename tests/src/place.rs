//! Where a program runs: on this host's network, in the test's namespace, or beyond it.

use crate::skip::require_program;
use std::process::Command;

/// A network that programs can be started in.
pub trait Place {
    /// A command that will run `program` here. Skips the test where the program is not installed.
    fn command(&self, program: &str) -> Command;
}

/// The network that the test itself was started in; for programs that need none, such as `tshark`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl Place for Host {
    fn command(&self, program: &str) -> Command {
        Command::new(require_program(program))
    }
}
