//! What the network says about what we sent (ICMP), and whether it is believed.

use std::time::Duration;

use framewise_core::id::ConnId;
use framewise_core::seams::segment::{ErrorKind, SegmentError, SegmentEvent, TCP};
use framewise_core::seams::stream::CloseReason;
use framewise_tcp::{Header, SeqNumber};

use crate::pair::{ONE, Pair, TWO, pattern};

/// An error about a segment of the first host's.
fn about(header: &Header, kind: ErrorKind) -> SegmentEvent {
    let mut quoted = vec![0; header.emitted_len()];
    header.emit(&mut quoted);
    quoted.truncate(8);
    SegmentEvent::Error(SegmentError {
        kind,
        source: "192.0.2.1".parse().unwrap(),
        destination: "192.0.2.2".parse().unwrap(),
        protocol: TCP,
        quoted,
        reporter: "192.0.2.254".parse().unwrap(),
    })
}

/// The same about a segment of the second host's.
fn back(mut event: SegmentEvent) -> SegmentEvent {
    if let SegmentEvent::Error(error) = &mut event {
        std::mem::swap(&mut error.source, &mut error.destination);
    }
    event
}

#[test]
fn an_unreachable_host_ends_an_attempt_to_connect_but_not_at_its_first_word() {
    let mut pair = Pair::new(1);
    pair.cut();
    let conn = pair.connect(0, 80);
    let (syn, _) = pair.last_sent(ONE);
    let kind = ErrorKind::HostUnreachable;
    pair.event(ONE, about(&syn, kind));
    assert_eq!(pair.stream(ONE, conn).closed, None, "a neighbour's answer may have been lost");
    pair.run_for(Duration::from_secs(8));
    pair.event(ONE, about(&syn, kind));
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::Unreachable(kind)));
}

#[test]
fn no_way_to_the_network_ends_an_attempt_once_the_syn_was_said_twice() {
    let mut pair = Pair::new(1);
    pair.cut();
    let conn = pair.connect(0, 80);
    let (syn, _) = pair.last_sent(ONE);
    let kind = ErrorKind::NetworkUnreachable;
    pair.event(ONE, about(&syn, kind));
    assert_eq!(pair.stream(ONE, conn).closed, None, "a route may be on its way");
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.sent.len(), 2);
    pair.event(ONE, about(&syn, kind));
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::Unreachable(kind)));
}

#[test]
fn a_way_that_is_not_there_yet_keeps_nobody_out_who_connects_to_us() {
    for kind in [ErrorKind::NetworkUnreachable, ErrorKind::HostUnreachable] {
        let mut pair = Pair::new(1);
        pair.listen(TWO, 80);
        let one = pair.connect(0, 80);
        pair.run_until(pair.now + Duration::from_secs(1), |pair| pair.sent.len() == 2);
        let (answer, _) = pair.last_sent(TWO);
        for _ in 0..2 {
            pair.event(TWO, back(about(&answer, kind)));
        }
        pair.run_for(Duration::from_secs(1));
        assert!(pair.stream(ONE, one).opened && pair.stream(TWO, pair.accepted(0)).opened, "{kind:?}");
        let unbelieved = pair.hosts[TWO].counters.drops("tcp", "ICMP error quotes nothing in flight");
        assert_eq!(unbelieved, 0, "it was believed, and waited for");
    }
}

#[test]
fn an_error_must_quote_what_is_in_flight() {
    let mut pair = Pair::new(2);
    pair.cut();
    let conn = pair.connect(0, 80);
    let (syn, _) = pair.last_sent(ONE);
    for sequence in [syn.sequence.plus(1), syn.sequence.minus(1), SeqNumber(0)] {
        let guessed = Header { sequence, ..syn };
        pair.event(ONE, about(&guessed, ErrorKind::PortUnreachable));
    }
    let elsewhere = Header { source_port: syn.source_port ^ 1, ..syn };
    pair.event(ONE, about(&elsewhere, ErrorKind::PortUnreachable));
    assert_eq!(pair.stream(ONE, conn).closed, None);
    let counters = &pair.hosts[ONE].counters;
    assert_eq!(counters.drops("tcp", "ICMP error quotes nothing in flight"), 3);
    assert_eq!(counters.drops("tcp", "ICMP error quotes no connection"), 1);
}

/// All but what RFC 1122 calls soft once ended connections at the first word.
const KINDS: [ErrorKind; 7] = [
    ErrorKind::NetworkUnreachable,
    ErrorKind::HostUnreachable,
    ErrorKind::ProtocolUnreachable,
    ErrorKind::PortUnreachable,
    ErrorKind::Prohibited,
    ErrorKind::TimeExceeded,
    ErrorKind::ParameterProblem,
];

/// A connection that has long been open, and whose bytes on the way were lost with an error of this kind.
fn told(kind: ErrorKind) -> (Pair, ConnId, ConnId) {
    let mut pair = Pair::new(3);
    let (one, two) = pair.connected();
    pair.run_for(Duration::from_secs(60));
    pair.cut();
    pair.send(ONE, one, b"lost", false);
    let (data, _) = pair.last_sent(ONE);
    for _ in 0..10 {
        pair.event(ONE, about(&data, kind));
    }
    assert_eq!(pair.hosts[ONE].counters.total(), 0, "{kind:?} is about what is in flight");
    assert_eq!(pair.stream(ONE, one).closed, None, "{kind:?}");
    (pair, one, two)
}

#[test]
fn an_open_connection_survives_errors_and_remembers_them_for_its_end() {
    for kind in KINDS {
        let (mut pair, one, _) = told(kind);
        pair.run_for(Duration::from_secs(301));
        assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Unreachable(kind)));
    }
}

#[test]
fn an_open_connection_goes_on_after_errors_of_any_kind_and_size() {
    let sizes = [0, 1, 20, 40, 67, 68, 1_499, 1_501, 65_536, usize::MAX];
    for kind in KINDS.into_iter().chain(sizes.map(|mtu| ErrorKind::TooBig { mtu })) {
        let (mut pair, one, two) = told(kind);
        pair.faults.loss = 0.0;
        pair.run_for(Duration::from_secs(10));
        assert_eq!(pair.stream(TWO, two).received, b"lost", "{kind:?}");
        pair.send(ONE, one, &pattern(5_000), false);
        pair.run_for(Duration::from_secs(10));
        assert_eq!(pair.stream(TWO, two).received.len(), 5_004, "{kind:?}");
        assert_eq!(pair.stream(ONE, one).closed, None, "{kind:?}");
    }
}

#[test]
fn a_smaller_path_mtu_makes_segments_smaller_and_sends_them_again_at_once() {
    let mut pair = Pair::new(4);
    let (one, two) = pair.connected();
    pair.link_mtu = 1_000;
    let data = pattern(50_000);
    pair.send(ONE, one, &data, false);
    let first = pair.sent.iter().find(|(_, by, _, n)| *by == ONE && *n == 1_460);
    let (at, _, header, _) = *first.expect("a full segment should have been sent");
    pair.event(ONE, about(&header, ErrorKind::TooBig { mtu: 1_000 }));
    let (again, payload) = pair
        .sent
        .iter()
        .rev()
        .find(|(_, _, h, n)| h.sequence == header.sequence && *n > 0)
        .map(|(_, _, h, n)| (*h, *n))
        .unwrap();
    assert_eq!((again.sequence, payload), (header.sequence, 960));
    let all = |pair: &Pair| pair.stream(TWO, two).received.len() == 50_000;
    assert!(pair.run_until(at + Duration::from_secs(10), all), "it should have got through");
    assert!(pair.stream(TWO, two).received == data);
}

#[test]
fn there_is_a_floor_for_the_path_mtu() {
    let mut pair = Pair::new(5);
    let (one, two) = pair.connected();
    pair.send(ONE, one, &pattern(5_000), false);
    let first = pair.sent.iter().find(|(_, by, _, n)| *by == ONE && *n > 0).unwrap().2;
    pair.event(ONE, about(&first, ErrorKind::TooBig { mtu: 68 }));
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.stream(TWO, two).received.len(), 5_000);
    let after = pair.sent.iter().filter(|(_, _, header, _)| header.sequence == first.sequence);
    let again = after.map(|(_, _, _, n)| *n).next_back();
    assert_eq!(again, Some(512), "552 bytes are the least a path is believed to take");
}

#[test]
fn a_quote_that_is_too_short_is_dropped() {
    let mut pair = Pair::new(6);
    let SegmentEvent::Error(error) = about(&Header::default(), ErrorKind::HostUnreachable) else {
        unreachable!()
    };
    for length in 0..8 {
        let quoted = error.quoted[..length].to_vec();
        let error = SegmentError { quoted, ..error.clone() };
        pair.event(ONE, SegmentEvent::Error(error));
    }
    assert_eq!(pair.hosts[ONE].counters.drops("tcp", "ICMP error quotes too little"), 8);
}
