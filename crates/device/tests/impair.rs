//! What goes wrong happens as often as said, the same for the same seed, and as scripted.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::checksum::checksum;
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, Instant, Rng};
use framewise_device::{Action, Impairment, ImpairmentConfig, Intervention};

const FRAMES: u64 = 20_000;

fn frame() -> Frame {
    let bytes: Vec<u8> = (0..100).collect();
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
}

fn stage(config: ImpairmentConfig) -> Impairment {
    Impairment::new(config, Rng::from_seed(42))
}

/// Passes many frames through, 1 ms apart; gives the frames that leave.
fn run(stage: &mut Impairment) -> Vec<(Instant, Frame)> {
    (0..FRAMES).flat_map(|n| stage.apply(frame(), Instant::from_millis(n))).collect()
}

/// Fails unless `count` of all frames is within five standard deviations of the probability.
fn assert_near(count: u64, probability: f64, what: &str) {
    let expected = FRAMES as f64 * probability;
    let deviation = (expected * (1.0 - probability)).sqrt();
    let distance = (count as f64 - expected).abs();
    assert!(distance < 5.0 * deviation, "{what}: expected about {expected}, got {count}");
}

#[test]
fn by_default_everything_passes_untouched_at_once() {
    let mut stage = stage(ImpairmentConfig::default());
    let passed = run(&mut stage);
    assert_eq!(passed.len() as u64, FRAMES);
    assert!(passed.iter().all(|(_, passed)| *passed == frame()));
    assert_eq!(passed[17].0, Instant::from_millis(17));
    assert_eq!(stage.poll_deed(), None);
}

#[test]
fn loss_and_duplication_are_as_frequent_as_said() {
    let mut stage = stage(ImpairmentConfig { loss: 0.05, duplication: 0.02, ..ImpairmentConfig::default() });
    let passed = run(&mut stage).len() as u64;
    let counts = stage.counts();
    assert_near(counts.lost, 0.05, "loss");
    assert_near(counts.duplicated, 0.02 * 0.95, "duplication of what is not lost");
    assert_eq!(passed, FRAMES - counts.lost + counts.duplicated);
}

#[test]
fn one_bit_corruption_flips_one_bit_as_often_as_said() {
    let mut stage = stage(ImpairmentConfig { bit_corruption: 0.01, ..ImpairmentConfig::default() });
    let differing = |passed: &Frame| -> u32 {
        passed.iter().zip(frame().iter()).map(|(a, b)| (a ^ b).count_ones()).sum()
    };
    let damaged: Vec<u32> =
        run(&mut stage).iter().map(|(_, passed)| differing(passed)).filter(|&bits| bits > 0).collect();
    assert_near(damaged.len() as u64, 0.01, "damaged frames");
    assert!(damaged.iter().all(|&bits| bits == 1), "one bit each: {damaged:?}");
}

#[test]
fn multi_byte_corruption_overwrites_a_run_as_often_as_said() {
    let mut stage = stage(ImpairmentConfig { byte_corruption: 0.1, ..ImpairmentConfig::default() });
    let original = frame();
    let mut damaged = 0;
    for (_, passed) in run(&mut stage) {
        let differing: Vec<usize> = (0..100).filter(|&i| passed[i] != original[i]).collect();
        let Some((first, last)) = differing.first().zip(differing.last()) else {
            continue;
        };
        damaged += 1;
        assert!((2..=8).contains(&(last - first + 1)), "a run of 2 to 8 bytes: {differing:?}");
        assert_eq!(passed.len(), 100);
    }
    assert_near(damaged, 0.1, "damaged frames");
}

#[test]
fn exchanged_words_leave_the_internet_checksum_as_it_was() {
    let mut stage = stage(ImpairmentConfig { word_swaps: 0.1, ..ImpairmentConfig::default() });
    let damaged: Vec<Frame> =
        run(&mut stage).into_iter().map(|(_, passed)| passed).filter(|passed| *passed != frame()).collect();
    // Two draws of 43 words hit the same word in one of 43 cases.
    assert_near(damaged.len() as u64, 0.1 * 42.0 / 43.0, "damaged frames");
    assert!(damaged.iter().all(|passed| checksum(passed) == checksum(&frame())));
}

#[test]
fn reordered_frames_are_held_back_and_the_others_are_not() {
    let mut stage = stage(ImpairmentConfig {
        reordering: 0.25,
        reorder_delay: Duration::from_micros(2_500),
        ..ImpairmentConfig::default()
    });
    let late = run(&mut stage)
        .iter()
        .zip(0..)
        .filter(|((leaves, _), n)| *leaves != Instant::from_millis(*n))
        .count() as u64;
    assert_near(late, 0.25, "held back");
    assert_eq!(stage.counts().held_back, late);
}

#[test]
fn jitter_delays_but_never_reorders() {
    let mut stage = stage(ImpairmentConfig {
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(20),
        ..ImpairmentConfig::default()
    });
    let times: Vec<Instant> = run(&mut stage).into_iter().map(|(leaves, _)| leaves).collect();
    assert!(times.is_sorted());
    let delays: Vec<u64> = times.iter().zip(0..).map(|(at, n)| at.as_millis() - n).collect();
    assert!(delays.iter().all(|delay| (5..25).contains(delay)));
    assert!(delays.iter().any(|&delay| delay != delays[0]));
}

#[test]
fn the_same_seed_gives_the_same_accidents() {
    let config =
        ImpairmentConfig { loss: 0.1, bit_corruption: 0.1, reordering: 0.1, ..ImpairmentConfig::default() };
    let accidents = |seed| {
        let mut stage = Impairment::new(config.clone(), Rng::from_seed(seed));
        run(&mut stage)
    };
    assert_eq!(accidents(1), accidents(1));
    assert_ne!(accidents(1), accidents(2));
}

#[test]
fn interventions_do_what_they_say_to_the_frame_they_name() {
    let mut stage = stage(ImpairmentConfig::default());
    stage.script(1, Intervention::FlipBit(8));
    stage.script(2, Intervention::Drop);
    stage.script(3, Intervention::Delay(Duration::from_millis(30)));
    stage.script(4, Intervention::Duplicate);
    stage.script(5, Intervention::SwapWords(14, 20));
    let mut pass = || stage.apply(frame(), Instant::ZERO).collect::<Vec<_>>();

    assert_eq!(pass()[0].1[..2], [0, 1 ^ 0x80], "the first bit of the second byte");
    assert_eq!(pass(), [], "dropped");
    assert_eq!(pass()[0].0, Instant::from_millis(30), "delayed");
    assert_eq!(pass().len(), 2, "duplicated");
    let swapped = &pass()[0].1;
    assert_eq!((&swapped[14..16], &swapped[20..22]), (&[20, 21][..], &[14, 15][..]));
    assert_eq!(pass(), [(Instant::ZERO, frame())], "the next one is left alone");

    let deeds: Vec<(u64, Action)> =
        std::iter::from_fn(|| stage.poll_deed()).map(|deed| (deed.number, deed.action)).collect();
    let expected = [
        (1, Action::BitFlipped(8)),
        (2, Action::Lost),
        (3, Action::HeldBack(Duration::from_millis(30))),
        (4, Action::Duplicated),
        (5, Action::WordsSwapped(14, 20)),
    ];
    assert_eq!(deeds, expected);
}

#[test]
fn an_intervention_changes_nothing_for_other_frames() {
    let config = ImpairmentConfig { loss: 0.2, bit_corruption: 0.2, ..ImpairmentConfig::default() };
    let lost = |script: bool| {
        let mut stage = stage(config.clone());
        if script {
            stage.script(10, Intervention::Drop);
        }
        run(&mut stage);
        std::iter::from_fn(move || stage.poll_deed()).filter(|deed| deed.number != 10).collect::<Vec<_>>()
    };
    // Only the last deeds are kept, far from frame 10: chance went on as without it.
    assert_eq!(lost(false), lost(true));
}

#[test]
fn interventions_beyond_the_end_of_a_frame_do_nothing() {
    let mut stage = stage(ImpairmentConfig::default());
    for intervention in [
        Intervention::FlipBit(800),
        Intervention::FlipBit(usize::MAX),
        Intervention::SwapWords(99, 0),
        Intervention::SwapWords(usize::MAX, 0),
        Intervention::SwapWords(5, 6),
    ] {
        stage.script(1, intervention);
    }
    let passed: Vec<_> = stage.apply(frame(), Instant::ZERO).collect();
    assert_eq!(passed, [(Instant::ZERO, frame())]);
}

#[test]
fn a_damaged_frame_is_a_copy() {
    let mut stage = stage(ImpairmentConfig::default());
    stage.script(1, Intervention::FlipBit(0));
    let original = frame();
    let serial = original.serial();
    let (_, damaged) = stage.apply(original, Instant::ZERO).next().unwrap();
    assert_ne!(damaged.serial(), serial, "who follows the original sees it end here");
}

#[test]
fn even_an_empty_frame_survives_all_accidents() {
    let mut stage = stage(ImpairmentConfig {
        duplication: 1.0,
        bit_corruption: 1.0,
        byte_corruption: 1.0,
        word_swaps: 1.0,
        ..ImpairmentConfig::default()
    });
    for length in 0..20 {
        let frame = Frame::new(Buf::copy_from_slice(&vec![0; length]), InterfaceId(0));
        assert_eq!(stage.apply(frame, Instant::ZERO).count(), 2);
    }
}
