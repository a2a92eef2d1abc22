//! Tests that a machine can't run say so.

use std::io::Write;

/// Says `SKIPPED` and why, or fails where `FRAMEWISE_REQUIRE_TAP=1` forbids skipping.
pub(crate) fn skip(name: &str, why: &str) {
    let required = std::env::var_os("FRAMEWISE_REQUIRE_TAP").is_some_and(|value| value == "1");
    assert!(!required, "{name} must not be skipped here, but: {why}");
    // Not by `println!`, whose lines are swallowed where a test passes.
    let _ = writeln!(std::io::stderr(), "\nSKIPPED {name}: {why}");
}
