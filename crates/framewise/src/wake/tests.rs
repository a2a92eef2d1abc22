//! Wake-ups at the worst moment: the two halves of `wake` with the Runner between them.

use std::time::Duration;

use super::*;
use crate::wait::{self, Came};

/// Whether a wait is ended, without waiting.
fn is_woken(waker: &Waker) -> bool {
    let came = wait::for_anything(std::iter::empty(), waker, &mut Vec::new(), Some(Duration::ZERO));
    came.expect("poll works") == Came::Waker
}

#[test]
fn a_byte_that_comes_late_ends_one_wait_and_no_more() {
    let waker = Waker::new().unwrap();
    assert!(waker.raise());
    waker.lower();
    waker.ring();
    assert!(is_woken(&waker), "the byte is there");
    waker.lower();
    assert!(!is_woken(&waker), "the Runner would spin");
}

#[test]
fn who_wakes_after_a_late_byte_is_heard() {
    let waker = Waker::new().unwrap();
    assert!(waker.raise());
    waker.lower();
    waker.ring();
    waker.wake();
    assert!(is_woken(&waker));
    waker.lower();
    waker.wake();
    assert!(is_woken(&waker), "nobody may rely on a byte that was read");
}

#[test]
fn many_wakes_are_one() {
    let waker = Waker::new().unwrap();
    for _ in 0..1_000 {
        waker.wake();
    }
    assert!(is_woken(&waker));
    waker.lower();
    assert!(!is_woken(&waker));
}
