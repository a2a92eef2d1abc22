//! What an example or a command of the documentation needs beyond an ordinary user's rights.

use crate::tool;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

/// What must hold for something to be run. Whatever needs a TAP is run in a network namespace of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Requirement {
    #[default]
    Nothing,
    Root,
    Tap,
}

impl Requirement {
    /// The requirement that documentation calls by this name.
    pub(crate) fn named(name: &str) -> Self {
        match name.trim() {
            "root" => Requirement::Root,
            "tap" => Requirement::Tap,
            _ => Requirement::Nothing,
        }
    }

    /// Why this machine does not meet it.
    pub(crate) fn lacking(self) -> Option<&'static str> {
        match self {
            Requirement::Nothing => None,
            Requirement::Root => (!tool::is_root()).then_some("needs root"),
            Requirement::Tap => lacking_for_a_tap(),
        }
    }
}

fn lacking_for_a_tap() -> Option<&'static str> {
    let tun = Path::new("/dev/net/tun");
    if !tun.exists() {
        return Some("needs a TAP, and there is no /dev/net/tun");
    }
    if OpenOptions::new().read(true).write(true).open(tun).is_err() {
        return Some("needs a TAP, and /dev/net/tun may not be opened");
    }
    let made = in_a_network_of_its_own("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    (!made.is_ok_and(|status| status.success())).then_some("needs a network namespace, and none can be made")
}

/// A command that will run `program` in a network namespace that is gone when the program is.
pub(crate) fn in_a_network_of_its_own(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.arg("--net");
    if !tool::is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--").arg(program);
    command
}
