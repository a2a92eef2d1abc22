//! The benchmarks.

use crate::tool;
use std::io;

/// Runs the benchmarks of every crate, one after the other, and says where criterion put its reports.
pub(crate) fn run() -> io::Result<bool> {
    let done = tool::stream(&mut tool::cargo(["bench", "--workspace", "--benches"]), |_| ())?.success();
    let report = tool::target_folder().join("criterion/report/index.html");
    if report.is_file() {
        println!("\nThe reports: {}", report.display());
    } else {
        println!("\nNo benchmark wrote a report.");
    }
    Ok(done)
}
