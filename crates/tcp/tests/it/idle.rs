//! Connections on which nothing happens: what they give back, and what they must keep.

use std::time::Duration;

use framewise_core::seams::stream::StreamDown;
use framewise_tcp::segment::{Flags, Header};

use crate::guard::forged;
use crate::pair::{ONE, Pair, TWO, pattern};

/// Longer than any connection waits until it gives memory back.
const A_MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_came_out_of_order_outlives_an_idle_minute() {
    let mut pair = Pair::new(1);
    let (_, two) = pair.connected();
    let (next, _) = pair.last_sent(ONE);
    let bytes = pattern(3_000);
    let piece = |from: usize, to: usize| {
        let header = Header { sequence: next.sequence.plus(from), flags: Flags::ACK | Flags::PSH, ..next };
        forged(header, &bytes[from..to])
    };
    // In order, then the third part before the second.
    pair.inject(TWO, piece(0, 1_000));
    pair.inject(TWO, piece(2_000, 3_000));
    pair.run_for(A_MINUTE);
    assert_eq!(pair.stream(TWO, two).received, bytes[..1_000]);
    pair.inject(TWO, piece(1_000, 2_000));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(
        pair.stream(TWO, two).received,
        bytes,
        "the part that waited in the ring should be as it came"
    );
}

/// Sequence numbers are a circle: what lies half of it ahead must not hide what waits nearby.
#[test]
fn a_segment_from_half_the_circle_away_costs_none_of_what_waits() {
    let mut pair = Pair::new(5);
    let (_, two) = pair.connected();
    let (next, _) = pair.last_sent(ONE);
    let bytes = pattern(2_000);
    let segment = |ahead: usize, payload: &[u8]| {
        let header = Header { sequence: next.sequence.plus(ahead), flags: Flags::ACK, ..next };
        forged(header, payload)
    };
    pair.inject(TWO, segment(1_000, &bytes[1_000..]));
    pair.inject(TWO, segment((1 << 31) - 50, &bytes[..100]));
    pair.run_for(A_MINUTE);
    pair.inject(TWO, segment(0, &bytes[..1_000]));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(
        pair.stream(TWO, two).received,
        bytes,
        "the part that waited in the ring should be as it came"
    );
}

#[test]
fn bytes_that_nobody_has_asked_for_yet_outlive_an_idle_minute() {
    let mut pair = Pair::new(2);
    pair.hosts[TWO].appetite = 0;
    let (one, two) = pair.connected();
    let bytes = pattern(20_000);
    pair.send(ONE, one, &bytes, false);
    pair.run_for(A_MINUTE);
    assert!(pair.stream(TWO, two).received.is_empty());
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted = bytes.len();
    pair.say(TWO, StreamDown::Grant { conn: two, bytes: bytes.len() });
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.stream(TWO, two).received, bytes);
}

#[test]
fn an_idle_connection_goes_on_where_it_was() {
    let mut pair = Pair::new(3);
    let (one, two) = pair.connected();
    let bytes = pattern(50_000);
    for round in 0..4 {
        let sent = &bytes[round * 10_000..(round + 1) * 10_000];
        pair.send(ONE, one, sent, false);
        pair.run_for(A_MINUTE);
        assert_eq!(pair.stream(TWO, two).received, bytes[..(round + 1) * 10_000], "in round {round}");
        pair.send(TWO, two, sent, false);
        pair.run_for(A_MINUTE);
        assert_eq!(pair.stream(ONE, one).received, bytes[..(round + 1) * 10_000], "back in round {round}");
    }
}
