//! `framewise lab threads` in real time: real threads behind our stack on a TAP, and clients of the kernel's.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::in_namespace;
use framewise_tests::link::{on_tap, tap};
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

fn figures(report: &Value, part: usize, curve: usize, of: &str) -> Vec<f64> {
    let figures = report["parts"][part]["curves"][curve][of].as_array().unwrap();
    figures.iter().map(|figure| figure.as_f64().unwrap()).collect()
}

#[test]
fn real_threads_come_near_to_what_is_predicted() {
    in_namespace("real_threads_come_near_to_what_is_predicted", |ns| {
        tap(ns);
        let args = ["lab", "threads", "--threads", "1,4,16", "--pool", "16", "--time", "5", "--json"];
        let output = on_tap(ns, &args).limit(LIMIT).run();
        assert!(output.status.success(), "{}", output.stderr);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let [predicted, measured] = [0, 1].map(|curve| figures(&report, 0, curve, "figures"));
        assert_eq!(predicted, [50.0, 200.0, 800.0]);
        for (predicted, measured) in predicted.iter().zip(&measured) {
            // Never more than the threads can do. How many fewer is up to who else uses the processors.
            assert!(*measured <= predicted * 1.05, "{measured} of {predicted} requests in a second");
            assert!(*measured >= predicted * 0.5, "{measured} of {predicted} requests in a second");
        }
        let (expected, found) = (figures(&report, 1, 0, "figures"), figures(&report, 1, 1, "figures"));
        let half = figures(&report, 1, 1, "half_widths");
        eprintln!("waiting in ms: predicted {expected:?}, measured {found:?} ± {half:?}");
        for ((expected, found), half) in expected.iter().zip(&found).zip(&half) {
            // Four times the interval: a run in thousands is outside of it.
            assert!((expected - found).abs() <= 4.0 * half + 0.5, "{found} ± {half} ms, and not {expected}");
        }
    });
}
