//! Waiting for a condition, with a bound.

use std::thread;
use std::time::{Duration, Instant};

/// Polls `condition` until it gives a value, and returns that.
///
/// # Panics
///
/// When `limit` has passed, naming `what` was waited for.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
