//! `framewise serve --shop`, as a user runs it.

use std::process::{Command, Output};

fn framewise(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.args(args).env("NO_COLOR", "1").output().expect("the command can be run")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(not(feature = "shop"))]
#[test]
fn where_it_is_not_built_in_it_says_how_to_build_it() {
    let output =
        framewise(&["serve", "--shop", "--forward", "127.0.0.1:0", "--https", "0", "--max-time", "0.1"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the shop is not built into this program"), "{said}");
    assert!(said.contains("cargo run -p framewise-cli --features shop -- serve --shop"), "{said}");
}

#[cfg(feature = "shop")]
#[test]
fn a_broken_database_is_told_before_the_first_visitor_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("shop.db");
    let database = file.to_str().expect("plain names");
    let serve = [
        "serve",
        "--shop",
        "--forward",
        "127.0.0.1:0",
        "--https",
        "0",
        "--max-time",
        "0.1",
        "--database",
        database,
    ];
    let fine = framewise(&serve);
    assert!(fine.status.success(), "{}", said(&fine));
    assert!(!said(&fine).contains("database"), "{}", said(&fine));
    std::fs::write(&file, "no database").expect("a temporary file");
    let broken = framewise(&serve);
    let said = said(&broken);
    assert!(broken.status.success(), "it serves pages that say the same: {said}");
    assert!(said.contains("What is in shop.db is no SQLite database, or a damaged one."), "{said}");
    assert_eq!(std::fs::read(&file).expect("the file is there"), b"no database");
}

#[test]
fn a_database_is_for_a_shop_alone() {
    for args in [
        &["serve", "--database", "shop.db", "--forward", "127.0.0.1:0"][..],
        &["serve", "--shop", ".", "--forward", "127.0.0.1:0"],
    ] {
        let output = framewise(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
    }
}
