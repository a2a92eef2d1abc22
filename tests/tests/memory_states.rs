//! What is unusual about a segment is what tshark's `tcp.analysis` says, and how ends stand is what they truly hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use framewise::device::ImpairmentConfig;
use framewise::tcp::passive::{Finding, Resent};
use framewise::{Fetch, WorldConfig};
use framewise_tests::memory::{capture, record, world};
use framewise_tests::peers::Tshark;
use framewise_tests::skippable;
use framewise_trace::dissect::{Frame, Limits, Unusual};
use framewise_trace::{Dissection, Trace};

/// What tshark may say of a segment.
const FLAGS: [&str; 14] = [
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "lost_segment",
    "ack_lost_segment",
    "duplicate_ack",
    "zero_window",
    "window_full",
    "window_update",
    "zero_window_probe",
    "zero_window_probe_ack",
    "keep_alive",
    "keep_alive_ack",
];

/// The same as we say it.
fn flags(finding: &Finding) -> &'static [&'static str] {
    match finding {
        Finding::Again {
            why: Resent::Timeout | Resent::MarkNeedlessly { .. } | Resent::NotTaken { .. },
            ..
        } => &["retransmission"],
        Finding::Again { why: Resent::Told { .. }, .. } => &["retransmission", "fast_retransmission"],
        Finding::Again { why: Resent::Needlessly { .. }, .. } => {
            &["retransmission", "spurious_retransmission"]
        }
        Finding::OutOfOrder => &["out_of_order"],
        Finding::Missing { .. } => &["lost_segment"],
        Finding::AcknowledgesUnseen { .. } => &["ack_lost_segment"],
        Finding::DuplicateAck { .. } => &["duplicate_ack"],
        Finding::ZeroWindow => &["zero_window"],
        Finding::WindowFull => &["window_full"],
        Finding::WindowUpdate { .. } => &["window_update"],
        Finding::ZeroWindowProbe { .. } => &["zero_window_probe"],
        Finding::ZeroWindowProbeAck { .. } => &["zero_window_probe_ack"],
        Finding::KeepAlive => &["keep_alive"],
        Finding::KeepAliveAck { .. } => &["keep_alive_ack"],
    }
}

/// A frame that arrives twice, the first time late: tshark calls the second one out of order, too, before its version 4.2. But
/// all of it had come.
fn is_known_difference(frame: &Frame<'_>, theirs: &BTreeSet<&str>) -> bool {
    let came_before = |unusual: &Unusual| {
        matches!(
            unusual.finding,
            Finding::Again { last: Some(_), why: Resent::Timeout | Resent::MarkNeedlessly { .. } }
        )
    };
    frame.unusual().iter().any(came_before) && *theirs == BTreeSet::from(["out_of_order"])
}

fn run(seed: u64, impairment: ImpairmentConfig, urls: &[&str]) -> Trace {
    let mut world = world(&WorldConfig { seed, impairment, ..WorldConfig::default() });
    let recorder = record(&mut world);
    for url in urls {
        let page = world.runner.host(world.me).fetch(Fetch::get(*url).max_time(Duration::from_secs(600)));
        page.unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    recorder.borrow().trace()
}

#[test]
fn what_is_unusual_is_what_tshark_says() {
    let bad = ImpairmentConfig {
        loss: 0.04,
        reordering: 0.08,
        reorder_delay: Duration::from_millis(3),
        duplication: 0.03,
        ..ImpairmentConfig::default()
    };
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    skippable("what_is_unusual_is_what_tshark_says", || {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for seed in [21, 22, 23, 24] {
            let urls = ["http://shop.test/large", "https://shop.test/large", "http://shop.test/"];
            let trace = run(seed, bad.clone(), &urls);
            for host in ["me", "shop.test"] {
                let bytes = capture(&trace, host);
                let file = folder.path().join(format!("{host}-{seed}.pcapng"));
                std::fs::write(&file, &bytes).expect("there is room for a capture");
                let dissection =
                    Dissection::of_capture(&bytes[..], "", Limits::default()).expect("a capture");
                let names: Vec<String> = FLAGS.iter().map(|flag| format!("tcp.analysis.{flag}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let theirs = Tshark::new(&file).fields(&names);
                assert_eq!(theirs.len(), dissection.len(), "{host}: as many frames");
                for (frame, theirs) in dissection.frames().zip(&theirs) {
                    let theirs: BTreeSet<&str> = FLAGS
                        .into_iter()
                        .zip(theirs)
                        .filter(|(_, value)| !value.is_empty())
                        .map(|(flag, _)| flag)
                        .collect();
                    let ours: BTreeSet<&str> =
                        frame.unusual().iter().flat_map(|unusual| flags(&unusual.finding)).copied().collect();
                    if is_known_difference(&frame, &theirs) {
                        continue;
                    }
                    assert_eq!(ours, theirs, "seed {seed}, {host}, frame {}: ours, tshark's", frame.number());
                    ours.into_iter().for_each(|flag| *seen.entry(flag).or_default() += 1);
                }
            }
        }
        for flag in ["retransmission", "fast_retransmission", "out_of_order", "lost_segment", "duplicate_ack"]
        {
            assert!(seen.get(flag).is_some_and(|count| *count > 5), "too few of {flag}: {seen:?}");
        }
    });
}

#[test]
fn round_trips_are_those_that_tshark_measures() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    skippable("round_trips_are_those_that_tshark_measures", || {
        let trace = run(31, ImpairmentConfig::default(), &["http://shop.test/large"]);
        let bytes = capture(&trace, "shop.test");
        let file = folder.path().join("round-trips.pcapng");
        std::fs::write(&file, &bytes).expect("there is room for a capture");
        let dissection = Dissection::of_capture(&bytes[..], "", Limits::default()).expect("a capture");
        let theirs = Tshark::new(&file).fields(&["tcp.analysis.ack_rtt"]);
        let mut compared = 0;
        for (frame, theirs) in dissection.frames().zip(&theirs) {
            let Some(([before, after], segment)) = frame.ends().zip(frame.segment()) else { continue };
            let side = match segment.side {
                framewise_trace::dissect::Side::Client => framewise::tcp::passive::Side::Server,
                framewise_trace::dissect::Side::Server => framewise::tcp::passive::Side::Client,
            };
            let [before, after] = [&before, &after].map(|ends| ends.of(side).round_trip());
            let (Some(measured), true) = (after, before != after) else { continue };
            let Some(theirs) = theirs.first().and_then(|value| value.parse::<f64>().ok()) else { continue };
            let difference = (measured.last.as_secs_f64() - theirs).abs();
            // Of an acknowledgment for several segments tshark times the last one, and a sender the first.
            if difference < 1e-6 {
                compared += 1;
            } else {
                assert!(measured.last.as_secs_f64() > theirs, "frame {}", frame.number());
            }
        }
        assert!(compared > 3, "only {compared} round trips could be compared");
    });
}
