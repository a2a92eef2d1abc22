//! Tests that the machine cannot run say so, on a line of their own.

use std::any::Any;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

/// Why a test is left; carried by unwinding, so that whatever the test had started is stopped.
struct Skip(String);

/// Leaves the test that runs within [`skippable`], which says why.
///
/// # Panics
///
/// Where nothing may be skipped (`FRAMEWISE_REQUIRE_TAP=1`), which fails the test.
#[track_caller]
pub fn skip_because(why: impl Into<String>) -> ! {
    let why = why.into();
    assert!(!must_not_skip(), "this test must not be skipped here: {why}");
    // Not `panic_any`: that would have the panic hook report a failure.
    resume_unwind(Box::new(Skip(why)))
}

/// Runs the body of the test of this name; where the body skips, prints `SKIPPED test: why`.
///
/// The line goes past the test runner's capture, which would keep a passing test's words to itself.
pub fn skippable(test: &str, body: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(body)) else {
        return;
    };
    match reason(&*payload) {
        Some(why) => say(&format!("SKIPPED {test}: {why}")),
        None => resume_unwind(payload),
    }
}

fn reason(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<Skip>().map(|Skip(why)| why.as_str())
}

/// Prints a line uncaptured, in one write, so that tests beside us don't cut it.
pub(crate) fn say(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn must_not_skip() -> bool {
    std::env::var("FRAMEWISE_REQUIRE_TAP").is_ok_and(|value| value == "1")
}

/// Skips the test where a program is not installed; gives its path.
#[track_caller]
pub fn require_program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // An ordinary user's search path often lacks the folders of system programs.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| skip_because(format!("{name} is not installed")))
}

/// Skips the test where no TAP can be opened.
#[track_caller]
pub fn require_tap() {
    if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        skip_because(format!("/dev/net/tun cannot be opened: {error}"));
    }
}
