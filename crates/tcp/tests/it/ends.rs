//! Watching ends: what segments tell of them is what they truly hold.

use std::time::Duration;

use framewise_core::id::{ConnId, Opener};
use framewise_core::{Direction, Instant};
use framewise_tcp::Flow;
use framewise_tcp::passive::{Fate, Finding, Resent, Seen, Side, State, Watch};
use framewise_tcp::segment::Flags;
use proptest::prelude::*;

use crate::pair::{Faults, ONE, Pair, TWO, pattern};

/// Somebody who sees all that one host sends and receives, and nothing else.
struct Watcher {
    host: usize,
    at: usize,
    flow: Flow,
    watch: Watch,
    findings: Vec<Finding>,
}

impl Watcher {
    fn new(host: usize) -> Self {
        Watcher { host, at: 0, flow: Flow::default(), watch: Watch::default(), findings: Vec::new() }
    }

    fn catch_up(&mut self, pair: &Pair) {
        for (now, host, is_sent, header, payload) in &pair.seen[self.at..] {
            if *host != self.host {
                continue;
            }
            let by = if *is_sent { *host } else { 1 - host };
            let address = |host: usize| std::net::SocketAddr::new(pair.hosts[host].address, 1);
            let facts = self.flow.observe(address(by), address(1 - by), header, *payload);
            let direction = if *is_sent { Direction::Outbound } else { Direction::Inbound };
            let time = Duration::from_nanos(now.as_nanos());
            let seen = Seen::of(header, *payload, facts, side(by)).caught(Some(direction), Some(time), false);
            self.watch.observe(&seen, |finding| self.findings.push(finding));
        }
        self.at = pair.seen.len();
    }

    /// What it says of its own host is what that holds.
    fn compare(&self, pair: &Pair, conn: ConnId) -> Result<(), TestCaseError> {
        let Some(truth) = pair.hosts[self.host].tcp.state(conn) else { return Ok(()) };
        let end = self.watch.ends().of(side(self.host));
        let state = end.state.expect("it has sent something");
        let has_finished = pair
            .seen
            .iter()
            .any(|(_, host, is_sent, header, _)| *host == self.host && *is_sent && header.has(Flags::FIN));
        // The engine counts its FIN as sent once its user has closed; here it is seen to be behind what waits to be sent.
        let truth = match truth {
            State::FinWait1 if !has_finished => State::Established,
            State::Closing | State::LastAck if !has_finished => State::CloseWait,
            truth => truth,
        };
        if state.inferred {
            // Of a FIN that came before its turn nobody knows whether it was kept.
            let has_come = pair.seen.iter().any(|(_, host, is_sent, header, _)| {
                *host == self.host && !*is_sent && header.has(Flags::FIN)
            });
            prop_assert!(has_come, "{} is known where it was captured", truth);
            return Ok(());
        }
        prop_assert_eq!(state.value, truth, "at {}, host {}", pair.now, self.host);
        let stream = pair.stream(self.host, conn);
        if truth != State::SynSent && !stream.peer_closed {
            let expected = end.expected.expect("the other's SYN has come");
            if !expected.inferred {
                prop_assert_eq!(expected.value as usize, 1 + stream.received.len(), "at {}", pair.now);
            }
        }
        Ok(())
    }
}

fn side(host: usize) -> Side {
    if host == ONE { Side::Client } else { Side::Server }
}

/// A conversation in which either side closes first, over this wire, with its watchers.
fn conversation(seed: u64, faults: Faults, first: usize) -> Result<[Watcher; 2], TestCaseError> {
    let mut pair = Pair::new(seed);
    pair.faults = faults;
    pair.listen(TWO, 80);
    let one = pair.connect(0, 80);
    let mut watchers = [Watcher::new(ONE), Watcher::new(TWO)];
    let end = Instant::from_millis(600_000);
    let mut has_said = [false; 2];
    while pair.now < end {
        let two = pair.hosts[TWO].streams.keys().copied().find(|conn| conn.opener() == Opener::Lower);
        for (host, conn) in [(ONE, Some(one)), (TWO, two)] {
            let Some(conn) = conn else { continue };
            if pair.stream(host, conn).opened && !std::mem::replace(&mut has_said[host], true) {
                pair.send(host, conn, &pattern(if host == first { 30_000 } else { 90_000 }), host == first);
            }
        }
        for watcher in &mut watchers {
            watcher.catch_up(&pair);
        }
        watchers[ONE].compare(&pair, one)?;
        if let Some(two) = two {
            watchers[TWO].compare(&pair, two)?;
        }
        if !pair.step() {
            break;
        }
    }
    Ok(watchers)
}

#[test]
fn a_healthy_conversation_has_nothing_unusual_and_ends_in_order() {
    for first in [ONE, TWO] {
        let watchers = conversation(1, Faults::NONE, first).expect("ends are as they are said to be");
        for watcher in &watchers {
            let troubles: Vec<_> = watcher.findings.iter().filter(|finding| finding.is_trouble()).collect();
            assert!(troubles.iter().all(|finding| matches!(finding, Finding::WindowFull)), "{troubles:?}");
            let trip = watcher.watch.ends().of(side(watcher.host)).round_trip().expect("something was timed");
            assert_eq!(trip.last.as_millis() / 10, 1, "a round trip takes 10 ms: {trip:?}");
        }
    }
}

#[test]
fn what_was_lost_is_sent_again_and_the_reason_is_found() {
    let faults = Faults { loss: 0.05, ..Faults::NONE };
    let watchers = conversation(3, faults, ONE).expect("ends are as they are said to be");
    let reasons = |watcher: &Watcher| {
        let again = watcher.findings.iter().filter_map(|finding| match finding {
            Finding::Again { why, last } => Some((*why, *last)),
            _ => None,
        });
        again.collect::<Vec<_>>()
    };
    let seen = reasons(&watchers[TWO]);
    assert!(seen.iter().any(|(why, _)| matches!(why, Resent::Timeout | Resent::Told { .. })), "{seen:?}");
    assert!(seen.iter().filter(|(_, last)| last.is_some()).count() > 0);
    assert!(watchers[ONE].findings.iter().any(|finding| matches!(finding, Finding::Missing { .. })));
}

#[test]
fn what_comes_outside_of_the_window_acknowledges_nothing() {
    // Found by the test below: the acknowledgment of a FIN, in a segment before RCV.NXT, and in one at the window's edge.
    let before = Faults { loss: 0.089_493, duplicate: 0.084_593, reorder: 0.137_416, corrupt: 0.0 };
    let at_edge = Faults { loss: 0.025_959_9, duplicate: 0.047_064_9, reorder: 0.187_147, corrupt: 0.0 };
    conversation(741_984_552_918_345_858, before, TWO).expect("FIN-WAIT-1 is not left by it");
    conversation(14_709_091_208_067_799_322, at_edge, TWO).expect("FIN-WAIT-1 is not left by it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn ends_are_as_they_are_said_to_be_over_any_wire(
        seed in any::<u64>(),
        loss in 0.0..0.15_f64,
        duplicate in 0.0..0.1_f64,
        reorder in 0.0..0.2_f64,
        first in 0..2_usize,
    ) {
        conversation(seed, Faults { loss, duplicate, reorder, corrupt: 0.0 }, first)?;
    }

    #[test]
    fn any_segments_are_watched_without_harm(
        segments in proptest::collection::vec((any::<bool>(), any::<u32>(), any::<u32>(), any::<u8>(), any::<u16>(), 0..3_000_usize, 0..3_u8), 1..60),
    ) {
        let mut flow = Flow::default();
        let mut watch = Watch::default();
        let ends = ["192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap()];
        for (turn, sequence, acknowledgment, flags, window, payload, fate) in segments {
            let header = framewise_tcp::Header {
                sequence: framewise_tcp::SeqNumber(sequence),
                acknowledgment: framewise_tcp::SeqNumber(acknowledgment),
                flags: framewise_tcp::segment::Flags(flags),
                window,
                ..framewise_tcp::Header::default()
            };
            let by = usize::from(turn);
            let facts = flow.observe(ends[by], ends[1 - by], &header, payload);
            let fate = [Fate::Arrived, Fate::Unknown, Fate::Lost][usize::from(fate)];
            let seen = Seen { fate, ..Seen::of(&header, payload, facts, side(by)) };
            watch.observe(&seen, |finding| prop_assert_told(&finding));
            for side in [Side::Client, Side::Server] {
                let end = watch.ends().of(side);
                prop_assert!(end.ahead.len() <= 64, "{:?}", end.ahead);
                prop_assert!(end.fields(ends[0].ip()).iter().all(|field| field.meaning.ends_with('.')));
            }
        }
    }
}

/// Whatever is found has a sentence.
fn prop_assert_told(finding: &Finding) {
    let refer = |number| framewise_tcp::passive::Referred { name: format!("segment {number}"), before: None };
    let sentence = framewise_tcp::passive::told(finding, refer);
    assert!(sentence.ends_with('.') && !finding.name().is_empty(), "{sentence}");
}
