//! The bell, rung before and after somebody waits.

use std::sync::Arc;
use std::thread;

use super::*;

#[test]
fn a_ring_ends_the_wait_that_there_is_or_the_next() {
    let bell = Arc::new(Bell::default());
    let other = bell.clone();
    let ringer = thread::spawn(move || other.ring());
    assert!(bell.wait(None), "whichever of the two comes first");
    ringer.join().expect("it only rings");
    assert!(!bell.wait(Some(Duration::ZERO)), "one ring, one wait");
    bell.ring();
    bell.hush();
    assert!(!bell.wait(Some(Duration::from_millis(1))), "it was forgotten");
}
