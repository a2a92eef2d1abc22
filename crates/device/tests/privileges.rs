//! Privileges are gone for good. They belong to the whole process, so a process of its own gives them up.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;

use framewise_device::privileges::drop_privileges;

/// Runs `child` below in a new process with these variables; gives its lines of `/proc/self/status`.
fn status_after_dropping(sudo: Option<(&str, &str)>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env("FRAMEWISE_CHILD", "1")
        .env_remove("SUDO_UID")
        .env_remove("SUDO_GID");
    if let Some((user, group)) = sudo {
        command.env("SUDO_UID", user).env("SUDO_GID", group);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Does nothing unless it is the process that another test started.
#[test]
fn child() {
    if std::env::var_os("FRAMEWISE_CHILD").is_none() {
        return;
    }
    drop_privileges().expect("root may give up being root");
    println!("{}", std::fs::read_to_string("/proc/thread-self/status").unwrap());
}

#[test]
fn root_becomes_whoever_called_sudo_without_a_way_back() {
    if !rustix::process::geteuid().is_root() {
        return common::skip("root_becomes_whoever_called_sudo_without_a_way_back", "not root");
    }
    let cases = [
        (None, 65_534, 65_534),
        (Some(("1000", "1001")), 1_000, 1_001),
        (Some(("0", "0")), 65_534, 65_534),
        (Some(("nonsense", "-1")), 65_534, 65_534),
    ];
    for (sudo, user, group) in cases {
        let status = status_after_dropping(sudo);
        for line in [
            format!("Uid:\t{user}\t{user}\t{user}\t{user}"),
            format!("Gid:\t{group}\t{group}\t{group}\t{group}"),
            "CapPrm:\t0000000000000000".to_owned(),
            "CapEff:\t0000000000000000".to_owned(),
            "CapBnd:\t0000000000000000".to_owned(),
            "NoNewPrivs:\t1".to_owned(),
        ] {
            assert!(status.contains(&line), "with {sudo:?} there should be {line:?} in:\n{status}");
        }
    }
}
