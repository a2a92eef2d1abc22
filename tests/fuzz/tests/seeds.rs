//! Every target holds for its seeds, and for what is easily made of them: what the fuzzer begins with, on stable Rust.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use framewise::core::Rng;
use framewise_fuzz::{TARGETS, Target, seeds};

fn captures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps");
    let entries = fs::read_dir(folder).expect("the captures are here");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a capture can be read")).collect()
}

fn must_hold(target: Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        panic!("{} does not hold for {}", target.name, input.escape_ascii());
    }
}

/// The seeds as they are, and then damaged: `rounds` times for each target.
fn seeds_hold(name: &str, rounds: u64) {
    let target = *TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    let seeds = seeds::of(name, &captures());
    assert!(seeds.len() >= 4, "only {} seeds for {name}", seeds.len());
    for seed in &seeds {
        assert!(seed.len() <= seeds::LONGEST);
        must_hold(target, seed);
    }
    let mut rng = Rng::from_seed(1).fork(name);
    for _ in 0..rounds {
        let mut input = seeds[rng.below(seeds.len() as u64) as usize].clone();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(input.len() as u64 + 1) as usize;
            match rng.below(3) {
                0 => input.truncate(at.max(1)),
                1 => input.insert(at, rng.below(256) as u8),
                _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.below(256) as u8),
            }
        }
        must_hold(target, &input);
    }
}

macro_rules! targets {
    ($($name:ident, $rounds:expr;)*) => {
        $(#[test]
        fn $name() {
            seeds_hold(stringify!($name), $rounds);
        })*

        #[test]
        fn each_target_is_tried() {
            let tried = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name), tried);
        }
    };
}

targets! {
    headers, 20_000;
    fragments, 500;
    names, 5_000;
    text, 5_000;
    files, 5_000;
    exchanges, 2_000;
    peers, 100;
    host, 40;
    page, 40;
}
