//! No two connections share a byte, and what is given back is gone.

use super::{Arena, Rings};

const RECEIVE: usize = 65_535;
const SEND: usize = 5_000;

fn fill(rings: &mut Rings, with: u8) {
    let (receive, send) = rings.split();
    assert_eq!((receive.len(), send.len()), (RECEIVE, SEND));
    receive.fill(with);
    send.fill(with);
}

fn is_filled(rings: &mut Rings, with: u8) -> bool {
    let (receive, send) = rings.split();
    receive.iter().chain(send.iter()).all(|&byte| byte == with)
}

#[test]
fn each_connection_has_its_own() {
    let arena = Arena::new(RECEIVE, SEND);
    // More than one piece holds.
    let mut all: Vec<Rings> = (0..600).map(|_| arena.take().expect("memory")).collect();
    for (number, rings) in all.iter_mut().enumerate() {
        fill(rings, number as u8);
    }
    for (number, rings) in all.iter_mut().enumerate() {
        assert!(is_filled(rings, number as u8), "those of number {number} were written to by another");
    }
}

#[test]
fn what_is_dropped_is_used_again_and_by_one_alone() {
    let arena = Arena::new(RECEIVE, SEND);
    let kept: Vec<Rings> = (0..400).map(|_| arena.take().expect("memory")).collect();
    drop(kept);
    let mut again: Vec<Rings> = (0..400).map(|_| arena.take().expect("memory")).collect();
    for (number, rings) in again.iter_mut().enumerate() {
        fill(rings, number as u8);
    }
    assert!(again.iter_mut().enumerate().all(|(number, rings)| is_filled(rings, number as u8)));
}

#[test]
fn the_arena_outlives_whoever_made_it() {
    let arena = Arena::new(RECEIVE, SEND);
    let mut rings = arena.take().expect("memory");
    drop(arena);
    fill(&mut rings, 7);
    assert!(is_filled(&mut rings, 7));
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_given_back_holds_zeros_and_can_be_used_on() {
    let arena = Arena::new(RECEIVE, SEND);
    let (mut rings, mut other) = (arena.take().expect("memory"), arena.take().expect("memory"));
    fill(&mut rings, 7);
    fill(&mut other, 8);
    rings.memory().give_back();
    assert!(is_filled(&mut rings, 0), "its memory was to be gone");
    assert!(is_filled(&mut other, 8), "that of another was not");
    fill(&mut rings, 9);
    assert!(is_filled(&mut rings, 9));
}

#[cfg(target_os = "linux")]
#[test]
fn more_than_there_can_be_is_refused() {
    let arena = Arena::new(1 << 46, 1);
    assert!(arena.take().is_none());
}
