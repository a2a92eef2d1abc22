//! `framewise step` hands everything on to a program that may not be there.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// One test at a time: a process that another begins meanwhile would hold the programs that are written here open, and what
/// is open for writing can't be run.
static WRITING: Mutex<()> = Mutex::new(());

/// The command in a folder of its own, where nothing lies beside it.
fn alone(folder: &Path) -> PathBuf {
    let command = folder.join("framewise");
    fs::copy(env!("CARGO_BIN_EXE_framewise"), &command).expect("the command is built");
    command
}

fn step(command: &Path, arguments: &[&str]) -> Output {
    let folder = command.parent().expect("it lies in a folder");
    Command::new(command)
        .arg("step")
        .args(arguments)
        .env("PATH", folder.join("empty"))
        .output()
        .expect("it runs")
}

#[test]
fn where_it_is_not_there_one_is_told_how_to_get_it() {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let output = step(&alone(folder.path()), &["https://shop.test/", "--drop", "11"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cargo install --path crates/step"), "{said}");
}

#[test]
fn what_lies_beside_it_gets_all_arguments_and_decides_how_it_ends() {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("framewise-step");
    fs::write(&program, "#!/bin/sh\necho \"$@\"\nexit 7\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may run");
    let output = step(&alone(folder.path()), &["--help", "https://shop.test/", "--no-color"]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "--help https://shop.test/ --no-color\n");
}
