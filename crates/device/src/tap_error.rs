//! Why a TAP can't be had, with what to do about it.

use std::io;

use thiserror::Error;

/// Why a TAP can't be had, with what to do about it.
#[derive(Debug, Error)]
pub enum TapError {
    /// The kernel has no TAP driver, or its file is missing.
    #[error("/dev/net/tun is not there: load the driver with `sudo modprobe tun`")]
    NoDriver(#[source] io::Error),
    /// The file may not be opened.
    #[error(
        "/dev/net/tun may not be opened by this user: run the command with sudo, or `sudo chmod 0666 /dev/net/tun`"
    )]
    DriverForbidden(#[source] io::Error),
    /// The interface may not be made or opened.
    #[error(
        "{name} may not be opened by this user: run the command with sudo, or `sudo framewise tap up {name}` first"
    )]
    Forbidden {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another program has it open.
    #[error("{name} is in use by another program: end that one, or choose another name")]
    Busy {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is an interface of this name, but it is no TAP.
    #[error("{name} is there already and is no TAP: choose another name")]
    NotATap {
        /// The interface.
        name: String,
    },
    /// There is an interface of this name that framewise did not make.
    #[error("{name} was not made by framewise, so it is left alone")]
    NotOurs {
        /// The interface.
        name: String,
    },
    /// There is no interface of this name.
    #[error("there is no {name}: make it with `sudo framewise tap up {name}`")]
    Missing {
        /// The name.
        name: String,
    },
    /// Somebody has brought down an interface that framewise did not make.
    #[error("{name} is down, and framewise did not make it: bring it up with `sudo ip link set {name} up`")]
    Down {
        /// The interface.
        name: String,
    },
    /// It is down, and bringing it up is not for this user.
    #[error(
        "{name} is down and may not be brought up by this user: run `sudo framewise tap up {name}` first"
    )]
    MayNotBringUp {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A bridge was asked for, and there is a TAP of this name.
    #[error("{name} is a TAP and no bridge: choose another name for the bridge")]
    NotABridge {
        /// The interface.
        name: String,
    },
    /// Interfaces are root's to change.
    #[error("{name} may not be changed by this user: run the command with sudo")]
    MayNotChange {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Offload was demanded, and is not to be had.
    #[error(
        "the kernel offers no offload for {name}: ask for `--offload auto`, which does without where it must"
    )]
    NoOffload {
        /// The interface.
        name: String,
    },
    /// Linux takes no such name.
    #[error("{name:?} can't name an interface: 1 to 15 letters, digits, hyphens or dots, please")]
    BadName {
        /// The name.
        name: String,
    },
    /// Something else went wrong.
    #[error("{name}: could not {what}")]
    Io {
        /// The interface.
        name: String,
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

pub(crate) fn failed<'n>(name: &'n str, what: &'static str) -> impl FnOnce(io::Error) -> TapError + 'n {
    move |source| TapError::Io { name: name.to_owned(), what, source }
}

/// What the kernel's error numbers mean when a TAP is opened: opening the file and naming the interface have
/// different ones.
pub(crate) fn explain(name: &str, error: io::Error) -> TapError {
    let name = name.to_owned();
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => TapError::NoDriver(error),
        Some(libc::EACCES) => TapError::DriverForbidden(error),
        Some(libc::EPERM) => TapError::Forbidden { name, source: error },
        Some(libc::EBUSY) => TapError::Busy { name, source: error },
        Some(libc::EINVAL | libc::EEXIST) => TapError::NotATap { name },
        _ => TapError::Io { name, what: "open it", source: error },
    }
}
