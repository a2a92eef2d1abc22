//! A form with more fields than are taken costs no memory for those. A file of its own: the peak is that of the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::request;
use framewise_http::Method;
use framewise_site::{FormError, FormLimits, form};

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn fields_beyond_the_limit_are_not_parsed() {
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let many = request(Method::POST, "/form", &kind, &"a&".repeat(4 << 20));
    let before = peak();
    assert_eq!(form(&many, &FormLimits::default()), Err(FormError::TooManyFields(100)));
    let more = peak() - before;
    assert!(more < 20 << 10, "{more} KiB more");
}
