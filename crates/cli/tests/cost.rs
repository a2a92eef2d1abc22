//! `fetch --cost`, as a user runs it: a table that fits, and a run that is the same as without it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn framewise(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.args(args).env("NO_COLOR", "1").env_remove("SSLKEYLOGFILE");
    let output = command.output().expect("the command can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "framewise {args:?} ended with {:?}:\n{said}", output.status.code());
    output
}

fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&framewise(args).stdout).expect("a line of JSON")
}

/// The capture of a fetch with these further arguments.
fn capture(folder: &Path, url: &str, more: &[&str]) -> Vec<u8> {
    let file = folder.join("capture.pcapng");
    let file = file.to_str().expect("a temporary folder's plain name");
    framewise(&[&["fetch", "--quiet", url, "-w", file, "-o", "/dev/null"], more].concat());
    fs::read(file).expect("the capture was written")
}

#[test]
fn timing_the_layers_changes_no_frame() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (url, more) in [
        ("https://shop.test/", &[][..]),
        ("http://shop.test/large", &["--loss", "3", "--reorder", "5"]),
        ("https://shop.test/form", &["-6", "-d", "item=tea"]),
    ] {
        let without = capture(folder.path(), url, more);
        let with = capture(folder.path(), url, &[more, &["--cost"]].concat());
        assert!(without.len() > 1_000, "{url}: a capture of frames");
        assert!(without == with, "{url}: the captures with and without --cost differ");
    }
}

#[test]
fn every_layer_that_worked_is_in_the_table_and_every_line_fits() {
    let output = framewise(&["fetch", "--cost", "https://shop.test/", "-o", "/dev/null"]);
    let said = String::from_utf8(output.stderr).expect("what is said is text");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "longer than 80 columns:\n{said}");
    let (mine, servers) = said.split_once("\nshop.test").expect("a table for each side");
    for layer in ["HTTP", "TLS", "TCP", "DNS", "UDP", "IP", "Ethernet"] {
        assert!(mine.contains(&format!("\n  {layer:<8} ")), "{layer} works on my side:\n{mine}");
    }
    // It asks nobody for a name.
    assert!(servers.contains("\n  HTTP ") && !servers.contains("\n  DNS "), "{servers}");
    assert!(!said.contains("THERE"), "the table stands in the walk's place");
}

#[test]
fn the_frames_that_are_counted_are_those_of_the_walk() {
    let walk = json(&["fetch", "--json", "https://shop.test/"]);
    let cost = json(&["fetch", "--json", "--cost", "https://shop.test/"]);
    assert_eq!(walk["cost"], Value::Null);
    assert_eq!(cost["walk"], Value::Null);
    let layers = cost["cost"]["layers"].as_array().expect("layers");
    let mine = |layer: &str| layers.iter().find(|cost| cost["host"] == "me" && cost["layer"] == layer);
    let ethernet = mine("ethernet").expect("there is an Ethernet");
    let count = |direction: &str| ethernet[direction]["messages"].as_u64().expect("a number of frames");
    assert_eq!(Some(count("in") + count("out")), walk["walk"]["frames"].as_u64());
    assert_eq!(
        mine("http").expect("there is an HTTP")["out"]["bytes"].as_u64().map(|bytes| bytes > 30),
        Some(true)
    );
    assert!(cost["cost"]["run_nanoseconds"].as_u64() > cost["cost"]["timer_nanoseconds"].as_u64());
}

#[test]
fn quiet_json_is_the_facts_alone() {
    let facts = json(&["fetch", "--json", "--quiet", "http://shop.test/"]);
    assert_eq!(facts["status"], 200);
    assert_eq!((&facts["walk"], &facts["cost"]), (&Value::Null, &Value::Null));
}
