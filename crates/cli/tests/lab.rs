//! `framewise lab`, as a user runs it: the same seed is the same figures, what is predicted is measured, and every form of the
//! figures can be read by the programs that it is for.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use roxmltree::Document;
use serde_json::Value;

const THREADS: [&str; 9] =
    ["threads", "--threads", "1,4,16", "--requests", "20000", "--loads", "0.5,0.8", "--clients", "32,64"];

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.arg("lab").args(args).env("NO_COLOR", "1").output().expect("the command can be run")
}

#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "framewise lab {args:?} said:\n{said}");
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn json(args: &[&str]) -> Value {
    serde_json::from_str(&printed(&[args, &["--json"]].concat())).expect("JSON")
}

fn figures<'a>(report: &'a Value, part: usize, curve: usize) -> Vec<f64> {
    let list = |value: &'a Value| value.as_array().expect("a list");
    let figures = &report["parts"][part]["curves"][curve]["figures"];
    list(figures).iter().map(|figure| figure.as_f64().expect("a number")).collect()
}

#[test]
fn what_is_predicted_of_threads_is_measured() {
    let report = json(&THREADS);
    assert_eq!(figures(&report, 0, 0), [50.0, 200.0, 800.0], "k divided by 20 ms");
    for (predicted, measured) in figures(&report, 0, 0).into_iter().zip(figures(&report, 0, 1)) {
        assert!((measured / predicted - 1.0).abs() < 0.05, "{predicted} and {measured}");
    }
    // Event answers all that 64 clients ask, worker and prefork as many as they have threads.
    let [event, worker, prefork] = [0, 1, 2].map(|model| figures(&report, 2, model)[1]);
    assert!(event > 1.8 * worker && (prefork / worker - 1.0).abs() < 0.1, "{event} {worker} {prefork}");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_database_stops_the_threads() {
    let report = json(&["database", "--threads", "2,32,128"]);
    let measured = figures(&report, 0, 1);
    assert!(
        (measured[2] / measured[1] - 1.0).abs() < 0.02 && measured[0] < measured[1] / 3.0,
        "{measured:?}"
    );
    let free = figures(&report, 1, 2);
    assert!((free[2] - 50.0).abs() < 1.0, "64 clients leave half of 128 threads free: {free:?}");
    assert_eq!(report["parts"][0]["mark"]["value"], 8.0);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_same_seed_is_the_same_figures() {
    assert_eq!(printed(&THREADS), printed(&THREADS));
    let other = printed(&[&THREADS[..], &["--seed", "2"]].concat());
    assert_ne!(printed(&THREADS), other, "chance has a part in waiting");
}

#[test]
fn a_terminal_of_80_columns_is_wide_enough() {
    for args in [&THREADS[..], &["database"]] {
        let text = printed(args);
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:?}");
        assert!(!text.contains('\u{1b}') && text.contains('@'), "letters tell what colours would:\n{text}");
    }
}

#[test]
fn plots_and_tables_can_be_read_by_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (svg, csv) = (path("plot.svg"), path("figures.csv"));
    printed(&["database", "-o", &svg, "--csv", &csv]);
    let text = fs::read_to_string(Path::new(&svg)).expect("a plot");
    let document = Document::parse(&text).expect("well-formed");
    let curves = document.descendants().filter(|node| node.attribute("class") == Some("measured"));
    assert_eq!(curves.count(), 4, "throughput, and what threads do meanwhile");
    let table = fs::read_to_string(Path::new(&csv)).expect("a table");
    let mut lines = table.lines();
    let columns = lines.next().expect("a head").split(',').count();
    assert_eq!(columns, 8);
    assert_eq!(lines.clone().count(), 5 * 8, "five curves over eight numbers of threads");
    assert!(lines.all(|line| line.split(',').count() == columns));
}

#[test]
fn what_makes_no_sense_is_said() {
    let wrong = [
        (["threads", "--loads", "1"], "the queue grows without end"),
        (["threads", "--threads", "0"], "no number from 1 to 1024"),
        (["database", "--database", "0"], "no time from 0.01"),
    ];
    for (args, sentence) in wrong {
        let output = run(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said.contains(sentence), "{args:?} said:\n{said}");
    }
    let output = run(&["database", "--csv", "/nowhere/at/all.csv"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}
