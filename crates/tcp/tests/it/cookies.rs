//! A flood of SYNs, and who gets in beside it (RFC 4987).

use std::time::Duration;

use framewise_core::id::ConnId;
use framewise_core::{Counters, Rng};
use framewise_tcp::segment::Flags;
use framewise_tcp::{Config, Header, SeqNumber};

use crate::guard::forged_from;
use crate::pair::{ONE, Pair, TWO, pattern};

const BACKLOG: usize = 16;

/// The SYN of somebody who is not there.
fn syn(n: u32, rng: &mut Rng) -> Header {
    Header {
        source_port: 1_024 + (n % 60_000) as u16,
        destination_port: 80,
        sequence: SeqNumber(rng.next_u32()),
        flags: Flags::SYN,
        window: 1_024,
        ..Header::default()
    }
}

/// A server whose backlog is full of nobodies.
fn flooded(seed: u64, addresses: [&str; 2]) -> Pair {
    let config = Config { backlog: BACKLOG, receive_window: 256 << 10, ..Config::default() };
    let mut pair = Pair::with(seed, config, addresses);
    pair.listen(TWO, 80);
    let mut rng = Rng::from_seed(seed);
    for n in 0..2 * BACKLOG as u32 {
        pair.inject(TWO, forged_from("198.51.100.7", syn(n, &mut rng), b""));
    }
    assert_eq!(pair.hosts[TWO].tcp.connections(), BACKLOG);
    // What went back to nobody was taken for the first host's.
    pair.hosts[ONE].counters = Counters::default();
    pair
}

fn flooded_pair(seed: u64) -> Pair {
    flooded(seed, ["192.0.2.1", "192.0.2.2"])
}

/// The connection that a true client got beside the flood, at both ends.
fn late(pair: &mut Pair) -> (ConnId, ConnId) {
    let one = pair.connect(0, 80);
    pair.run_for(Duration::from_millis(500));
    assert!(pair.stream(ONE, one).opened, "a true client should get in");
    (one, pair.accepted(0))
}

#[test]
fn a_syn_flood_keeps_to_the_backlog_and_lets_others_in() {
    let config = Config { backlog: BACKLOG, ..Config::default() };
    let mut pair = Pair::with(4, config, ["192.0.2.1", "192.0.2.2"]);
    let (one, two) = pair.connected();
    let mut rng = Rng::from_seed(4);
    for n in 0..5_000 {
        pair.inject(TWO, forged_from("198.51.100.7", syn(n, &mut rng), b""));
        assert!(pair.hosts[TWO].tcp.connections() <= BACKLOG + 1);
    }
    pair.hosts[ONE].counters = Counters::default();
    let late = pair.connect(1, 80);
    pair.run_for(Duration::from_millis(500));
    assert!(pair.stream(ONE, late).opened, "a true client should get in");
    pair.send(ONE, one, b"still here", false);
    pair.run_for(Duration::from_millis(500));
    assert_eq!(pair.stream(TWO, two).received, b"still here");
    pair.run_for(Duration::from_secs(90));
    assert_eq!(pair.hosts[TWO].tcp.connections(), 2, "half-open ones time out");
}

#[test]
fn a_connection_by_a_cookie_carries_both_ways_and_ends() {
    for seed in 0..8 {
        let mut pair = flooded_pair(seed);
        let (one, two) = late(&mut pair);
        let (up, down) = (pattern(100_000), pattern(300_000));
        pair.send(ONE, one, &up, true);
        pair.send(TWO, two, &down, true);
        pair.run_for(Duration::from_secs(60));
        assert_eq!(pair.stream(TWO, two).received, up);
        assert_eq!(pair.stream(ONE, one).received, down);
        assert!(pair.stream(ONE, one).closed.is_some() && pair.stream(TWO, two).closed.is_some());
    }
}

#[test]
fn over_ipv6_its_segments_are_as_small_as_they_must_be() {
    let mut pair = Pair::with(1, Config { backlog: 1, ..Config::default() }, ["2001:db8::1", "2001:db8::2"]);
    pair.listen(TWO, 80);
    // Its handshake is never finished, since the link is cut; it fills the backlog.
    let first = pair.connect(0, 80);
    pair.run_until(pair.now + Duration::from_secs(1), |pair| pair.hosts[TWO].tcp.connections() == 1);
    pair.cut();
    pair.run_for(Duration::from_millis(100));
    assert!(!pair.stream(ONE, first).opened);
    pair.faults.loss = 0.0;
    let second = pair.connect(1, 80);
    pair.run_until(pair.now + Duration::from_millis(300), |pair| pair.stream(ONE, second).opened);
    let answer = pair.sent.iter().rev().find(|(_, by, header, _)| *by == TWO && header.has(Flags::SYN));
    let (_, _, answer, _) = answer.expect("an answer");
    assert_eq!(answer.options.maximum_segment_size, Some(1_440));
    assert_eq!(answer.options.window_scale, None, "a cookie has no room for it");
}

#[test]
fn the_first_data_does_for_a_lost_acknowledgment() {
    let mut pair = flooded_pair(3);
    let one = pair.connect(0, 80);
    let end = pair.now + Duration::from_secs(1);
    assert!(pair.run_until(end, |pair| pair.stream(ONE, one).opened));
    // The acknowledgment of the answer is under way.
    pair.cut();
    pair.faults.loss = 0.0;
    pair.send(ONE, one, b"GET", false);
    pair.run_for(Duration::from_secs(5));
    let two = pair.accepted(0);
    assert_eq!(pair.stream(TWO, two).received, b"GET");
}

#[test]
fn who_guesses_is_reset() {
    let mut pair = flooded_pair(5);
    let mut rng = Rng::from_seed(6);
    for n in 0..10_000 {
        let header = Header {
            sequence: SeqNumber(rng.next_u32()),
            acknowledgment: SeqNumber(rng.next_u32()),
            flags: Flags::ACK,
            ..syn(n, &mut rng)
        };
        pair.inject(TWO, forged_from("203.0.113.9", header, b"GET / HTTP/1.1"));
    }
    assert_eq!(pair.hosts[TWO].tcp.connections(), BACKLOG, "nobody got in");
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "no such connection"), 10_000);
    let (reset, _) = pair.last_sent(TWO);
    assert!(reset.has(Flags::RST));
}

#[test]
fn the_same_seed_makes_the_same_cookies() {
    let cookie = |seed| {
        let mut pair = flooded_pair(seed);
        late(&mut pair);
        let answer = pair.sent.iter().rev().find(|(_, by, header, _)| *by == TWO && header.has(Flags::SYN));
        answer.map(|(_, _, header, _)| header.sequence)
    };
    assert_eq!(cookie(1), cookie(1));
    assert_ne!(cookie(1), cookie(2));
}
