//! Captures and scripts as tests: one side is played, our live host is the other.
//!
//! ```text
//!   capture.pcapng ─┬─ what came ──► live host, in simulated time ──► what it sends now ─┐
//!                   └─ what was sent ────────────────────────────────────────────────────┴─► alike?
//!   capture.replay ─── which side is ours, what is pinned, what is compared
//!
//!   test.script ────── what comes, and what the host is to send, line by line
//! ```
//!
//! Both run without root, without a network and without waiting: time is simulated. What differs first is told with what went
//! before it, in the words of the layers themselves.
//!
//! A test of one's own is a line. The path counts from the folder of the package:
//!
//! ```no_run
//! framewise_replay::replay!("../../pcaps/http.pcapng");
//! framewise_replay::script!("tests/handshake.script");
//! ```
//!
//! | to | see |
//! |---|---|
//! | play a file as the command `framewise replay` does | [`file()`] |
//! | play what is in memory | [`capture`], [`script()`] |
//! | read a script, or the sidecar of a capture | [`Script::read`] |
//! | see what came of it | [`Outcome`] |

#![forbid(unsafe_code)]

mod capture;
pub mod compare;
mod error;
mod expect;
mod file;
mod frames;
mod live;
pub mod outcome;
pub mod pins;
mod play;
pub mod script;
mod since;
mod sockets;
mod text;
mod translate;

pub use capture::capture;
pub use error::PlayError;
pub use file::{Played, SIDECAR, expect, expect_lines, file, file_with, read, sidecar_of};
pub use live::host_config;
pub use outcome::Outcome;
pub use play::script;
pub use script::Script;
pub use text::{LONGEST, MOST_STEPS, Problem, TextError};

/// A test that plays a capture, whose sidecar lies beside it. The path counts from the folder of the package.
///
/// The test's name is `replays`, or the one that is given: `replay!(handshake, "pcaps/handshake.pcapng");`.
#[macro_export]
macro_rules! replay {
    ($path:literal) => {
        $crate::replay!(replays, $path);
    };
    ($name:ident, $path:literal) => {
        #[test]
        fn $name() {
            $crate::expect(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path));
        }
    };
}

/// A test that runs a script: a file, whose path counts from the folder of the package, or lines that stand in the test itself.
///
/// ```no_run
/// framewise_replay::script!("tests/handshake.script");
/// framewise_replay::script!(handshake, "tests/handshake.script");
/// framewise_replay::script!(ping, lines: "
///     host me
///     mac 02:00:00:00:00:01
///     address 192.0.2.80/24
///     peer 02:00:00:00:00:02 192.0.2.20
///
///     10ms < ping
///          > icmp type=0
/// ");
/// ```
#[macro_export]
macro_rules! script {
    ($path:literal) => {
        $crate::replay!(follows_the_script, $path);
    };
    ($name:ident, $path:literal) => {
        $crate::replay!($name, $path);
    };
    ($name:ident, lines: $text:literal) => {
        #[test]
        fn $name() {
            $crate::expect_lines($text);
        }
    };
}
