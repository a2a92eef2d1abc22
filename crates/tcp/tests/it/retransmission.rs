//! When what was lost is sent again, and how often (RFC 6298).

use std::time::Duration;

use framewise_core::Instant;
use framewise_core::id::ConnId;
use framewise_tcp::Config;

use crate::pair::{ONE, Pair, TWO};

/// When the first host sent each of its segments with data.
fn sent_at(pair: &Pair) -> Vec<Instant> {
    pair.sent.iter().filter(|(_, by, _, payload)| *by == ONE && *payload > 0).map(|(at, ..)| *at).collect()
}

/// How long the first host waited between them, in milliseconds.
fn pauses(pair: &Pair) -> Vec<u64> {
    sent_at(pair).windows(2).map(|two| two[1].saturating_since(two[0]).as_millis() as u64).collect()
}

/// Two hosts, a round trip of `round_trip` apart, joined by a connection.
fn connected(round_trip: Duration) -> (Pair, ConnId) {
    let mut pair = Pair::new(1);
    // Not in whole microseconds, as the engine counts: of two timers set alike its own expires a moment sooner.
    pair.delay = round_trip / 2 + Duration::from_nanos(404);
    pair.listen(TWO, 80);
    let one = pair.connect(0, 80);
    pair.run_for(Duration::from_secs(10));
    assert!(pair.stream(ONE, one).opened);
    (pair, one)
}

#[test]
fn one_loss_is_made_good_by_one_copy() {
    for round_trip in [1, 20, 300, 900, 1_600] {
        let (mut pair, one) = connected(Duration::from_millis(round_trip));
        pair.cut();
        pair.send(ONE, one, b"GET", false);
        pair.faults.loss = 0.0;
        pair.run_for(Duration::from_secs(60));
        let two = pair.accepted(0);
        assert_eq!(pair.stream(TWO, two).received, b"GET");
        assert_eq!(sent_at(&pair).len(), 2, "round trip of {round_trip} ms: pauses {:?}", pauses(&pair));
    }
}

#[test]
fn the_handshake_is_the_first_measurement() {
    let (mut pair, one) = connected(Duration::from_millis(20));
    pair.cut();
    pair.send(ONE, one, b"GET", false);
    pair.run_for(Duration::from_secs(40));
    // The least timeout, and twice as long each time.
    assert_eq!(pauses(&pair), [200, 400, 800, 1_600, 3_200, 6_400, 12_800]);
}

#[test]
fn on_a_slow_link_the_pauses_double_too() {
    for round_trip in [900, 1_600, 2_500] {
        let (mut pair, one) = connected(Duration::from_millis(round_trip));
        pair.cut();
        pair.send(ONE, one, b"GET", false);
        pair.run_for(Duration::from_secs(120));
        let pauses = pauses(&pair);
        assert!(pauses.len() > 3, "{pauses:?}");
        for two in pauses.windows(2) {
            assert!(two[1] >= two[0] * 2 - 2, "round trip of {round_trip} ms: {pauses:?} should double");
        }
    }
}

#[test]
fn keep_alives_are_no_measurement() {
    let config = Config { keep_alive: Some(Duration::from_secs(60)), ..Config::default() };
    let mut pair = Pair::with(1, config, ["192.0.2.1", "192.0.2.2"]);
    let (one, _) = pair.connected();
    pair.run_for(Duration::from_secs(600));
    let before = sent_at(&pair).len();
    assert!(before > 5, "keep-alives should have been sent");
    pair.cut();
    pair.send(ONE, one, b"GET", false);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pauses(&pair)[before..], [200, 400, 800]);
}
