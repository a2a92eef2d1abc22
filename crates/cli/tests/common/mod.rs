//! The command, run as a user runs it.

use std::process::{Command, Output};

/// Runs `framewise` with these arguments, without colour.
pub(crate) fn framewise(args: &[&str]) -> Output {
    command(args).output().expect("the command can be run")
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.args(args).env("NO_COLOR", "1").env_remove("SSLKEYLOGFILE");
    command
}

/// What a run wrote to standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("what is said is text")
}

#[track_caller]
pub(crate) fn succeeds(args: &[&str]) -> Output {
    let output = framewise(args);
    assert!(
        output.status.success(),
        "framewise {args:?} ended with {:?}:\n{}",
        output.status.code(),
        said(&output)
    );
    output
}

/// The command fails with this exit code, one sentence, and a next step.
#[track_caller]
pub(crate) fn fails(args: &[&str], code: i32, sentence: &str) {
    let output = framewise(args);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "framewise {args:?} said:\n{said}");
    assert!(said.contains(sentence), "framewise {args:?} should have said {sentence:?}, but said:\n{said}");
    assert!(said.contains("\n  try: "), "framewise {args:?} should have said what to try, but said:\n{said}");
}
