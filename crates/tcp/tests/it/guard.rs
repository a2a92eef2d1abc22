//! Segments from somebody who guesses (RFC 5961), and segments that belong nowhere.

use std::time::Duration;

use framewise_core::seams::segment::{Segment, TCP};
use framewise_core::seams::stream::{CloseReason, Endpoint, StreamDown};
use framewise_core::{Buf, Rng};
use framewise_tcp::segment::{Flags, Header, Options, sum};
use framewise_tcp::{Config, SeqNumber};

use crate::pair::{ONE, Pair, TWO};

/// A segment from the first host to the second, with a right sum.
pub(crate) fn forged(header: Header, payload: &[u8]) -> Segment {
    forged_from("192.0.2.1", header, payload)
}

pub(crate) fn forged_from(source: &str, header: Header, payload: &[u8]) -> Segment {
    forged_between([source, "192.0.2.2"], header, payload)
}

pub(crate) fn forged_between(addresses: [&str; 2], header: Header, payload: &[u8]) -> Segment {
    let length = header.emitted_len();
    let mut buf = Buf::with_capacity(length + payload.len());
    header.emit(buf.append(length));
    buf.append(payload.len()).copy_from_slice(payload);
    let [source, destination] = addresses.map(|address| address.parse().unwrap());
    buf[16..18].fill(0);
    let checksum = sum(&buf, source, destination).checksum();
    buf[16..18].copy_from_slice(&checksum.to_be_bytes());
    Segment::new(buf, source, destination, TCP)
}

/// An open connection, and the header of what the first host would send next.
fn open() -> (Pair, Header) {
    let mut pair = Pair::new(1);
    pair.connected();
    let (last, payload) = pair.last_sent(ONE);
    assert_eq!((last.flags, payload), (Flags::ACK, 0));
    pair.run_for(Duration::from_secs(1));
    (pair, last)
}

/// What the second host answered to the forged segment, if anything.
fn answer(pair: &mut Pair, segment: Segment) -> Option<Header> {
    let before = pair.sent.len();
    pair.inject(TWO, segment);
    let answers: Vec<_> = pair.sent[before..].iter().filter(|(_, by, _, _)| *by == TWO).collect();
    assert!(answers.len() <= 1, "at most one answer, not {answers:?}");
    answers.first().map(|(_, _, header, _)| *header)
}

fn reset(sequence: SeqNumber, like: &Header) -> Header {
    Header { sequence, flags: Flags::RST, acknowledgment: SeqNumber(0), ..*like }
}

#[test]
fn only_a_reset_at_the_very_next_byte_resets() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    let inside = reset(next.sequence.plus(100), &next);
    let challenge = answer(&mut pair, forged(inside, b"")).expect("a challenge should come");
    assert_eq!(challenge.flags, Flags::ACK);
    assert_eq!(challenge.acknowledgment, next.sequence, "it tells what is expected");
    let outside = reset(next.sequence.plus(1 << 20), &next);
    assert_eq!(answer(&mut pair, forged(outside, b"")), None);
    assert_eq!(pair.stream(TWO, two).closed, None);
    let exact = reset(next.sequence, &next);
    answer(&mut pair, forged(exact, b""));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Reset));
}

#[test]
fn a_syn_in_a_connection_is_challenged() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    let numbers = [
        ("the next", next.sequence),
        ("that of the first SYN", next.sequence.minus(1)),
        ("one in the window", next.sequence.plus(100)),
        ("one beyond it", next.sequence.plus(1 << 20)),
        ("one long ago", next.sequence.minus(1 << 20)),
        ("one as far away as can be", next.sequence.plus(1 << 31)),
    ];
    for (which, sequence) in numbers {
        for flags in [Flags::SYN, Flags::SYN | Flags::ACK] {
            pair.run_for(Duration::from_secs(1));
            let syn = Header { sequence, flags, ..next };
            let challenge = answer(&mut pair, forged(syn, b"")).unwrap_or_else(|| panic!("to {which}"));
            assert_challenges(&challenge, &next);
        }
    }
    assert_eq!(pair.stream(TWO, two).closed, None);
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "SYN in a connection"), 12);
}

/// A challenge is an acknowledgment that tells where the second host is, to whoever would have sent `next`.
#[track_caller]
fn assert_challenges(challenge: &Header, next: &Header) {
    assert_eq!(challenge.flags, Flags::ACK);
    assert_eq!((challenge.sequence, challenge.acknowledgment), (next.acknowledgment, next.sequence));
    assert_eq!(challenge.destination_port, next.source_port);
}

/// Whoever knows the four-tuple, and even the window, must still hit the one number that is next.
#[test]
fn a_hundred_thousand_guesses_in_the_window_break_nothing() {
    let (mut pair, next) = open();
    let (one, two) = (pair.hosts[ONE].streams.keys().next().copied().unwrap(), pair.accepted(0));
    let mut rng = Rng::from_seed(1);
    for n in 0..100_000 {
        let flags = [Flags::RST, Flags::SYN, Flags::RST | Flags::ACK, Flags::SYN | Flags::ACK][n % 4];
        let sequence = next.sequence.plus(1 + rng.below(65_000) as usize);
        pair.inject(TWO, forged(Header { sequence, flags, ..next }, b""));
    }
    pair.run_for(Duration::from_secs(1));
    pair.send(ONE, one, b"still here", false);
    pair.send(TWO, two, b"so am I", false);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(TWO, two).received, b"still here");
    assert_eq!(pair.stream(ONE, one).received, b"so am I");
    let answers = pair.sent.iter().filter(|(_, by, header, _)| *by == TWO && header.flags == Flags::ACK);
    assert!(answers.count() < 50, "and few are answered");
}

#[test]
fn an_acknowledgment_of_what_was_never_sent_brings_no_data_in() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    let ahead = [1, 1_000_000, 1 << 31].map(|ahead| next.acknowledgment.plus(ahead));
    let long_ago = next.acknowledgment.minus(1 << 20);
    for acknowledgment in ahead.into_iter().chain([long_ago]) {
        pair.run_for(Duration::from_secs(1));
        let ack = Header { acknowledgment, ..next };
        let challenge = answer(&mut pair, forged(ack, b"evil")).expect("a challenge should come");
        assert_challenges(&challenge, &next);
        assert_eq!(pair.stream(TWO, two).received, b"");
    }
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "acknowledgment out of range"), 4);
}

#[test]
fn challenges_are_rare() {
    let (mut pair, next) = open();
    let before = pair.sent.len();
    for n in 0..1_000 {
        let inside = reset(next.sequence.plus(1 + n), &next);
        pair.inject(TWO, forged(inside, b""));
        pair.run_for(Duration::from_millis(1));
    }
    let answers = pair.sent.len() - before;
    assert!((1..=4).contains(&answers), "a few in a second, not {answers}");
}

#[test]
fn who_uses_up_the_challenges_of_one_connection_leaves_those_of_another() {
    let (mut pair, first) = open();
    pair.connect(1, 80);
    pair.run_for(Duration::from_secs(1));
    let (second, _) = pair.last_sent(ONE);
    assert_ne!(first.source_port, second.source_port);
    let inside = |next: &Header, n| forged(reset(next.sequence.plus(n), next), b"");
    let answers = (1..100).filter(|n| answer(&mut pair, inside(&first, *n)).is_some());
    assert_eq!(answers.count(), 1, "of those that come at one moment");
    let challenge = answer(&mut pair, inside(&second, 1)).expect("the other's challenge should come");
    assert_challenges(&challenge, &second);
}

#[test]
fn data_with_an_old_acknowledgment_still_counts() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    pair.send(TWO, two, b"hello", false);
    pair.run_for(Duration::from_millis(100));
    // Sent before our bytes arrived, delivered after.
    answer(&mut pair, forged(next, b"late"));
    assert_eq!(pair.stream(TWO, two).received, b"late");
}

#[test]
fn a_fin_beyond_the_window_ends_nothing() {
    let mut pair = Pair::new(2);
    pair.hosts[TWO].appetite = 0;
    pair.connected();
    let two = pair.accepted(0);
    let (next, _) = pair.last_sent(ONE);
    let mut sequence = next.sequence;
    for _ in 0..45 {
        let header = Header { sequence, ..next };
        pair.inject(TWO, forged(header, &[7; 1_460]));
        sequence = sequence.plus(1_460);
        pair.run_for(Duration::from_millis(20));
    }
    let last = Header { sequence: sequence.minus(1_460), flags: Flags::ACK | Flags::FIN, ..next };
    pair.inject(TWO, forged(last, &[7; 2_000]));
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted = 100_000;
    let bytes = 100_000;
    pair.say(TWO, framewise_core::seams::stream::StreamDown::Grant { conn: two, bytes });
    let stream = pair.stream(TWO, two);
    assert!(!stream.peer_closed, "the FIN came after bytes that were not taken");
    assert!((64_000..65_536).contains(&stream.received.len()));
}

#[test]
fn data_after_the_fin_is_dropped() {
    let (mut pair, next) = open();
    pair.hosts[TWO].polite = false;
    let two = pair.accepted(0);
    let fin = Header { flags: Flags::ACK | Flags::FIN, ..next };
    pair.inject(TWO, forged(fin, b"end"));
    let after = Header { sequence: next.sequence.plus(4), ..next };
    pair.inject(TWO, forged(after, b"more"));
    assert_eq!(pair.stream(TWO, two).received, b"end");
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "data after FIN"), 1);
}

/// What a port scan sends that wants to pass for no attempt to connect: nothing, FIN, or FIN, PSH and URG.
#[test]
fn a_listener_does_not_answer_what_is_neither_syn_nor_ack() {
    let mut pair = Pair::new(1);
    pair.listen(TWO, 80);
    let scans = [Flags(0), Flags::FIN, Flags::PSH, Flags::FIN | Flags::PSH | Flags::URG];
    let header =
        |flags, port| Header { source_port: 50_000, destination_port: port, flags, ..Header::default() };
    for flags in scans {
        assert_eq!(answer(&mut pair, forged(header(flags, 80), b"")), None, "{flags:?}");
    }
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "neither SYN nor ACK"), 4);
    let closed = answer(&mut pair, forged(header(Flags::FIN, 81), b"")).expect("a reset of a closed port");
    assert_eq!(closed.flags, Flags::RST | Flags::ACK);
}

#[test]
fn what_belongs_nowhere_is_reset_as_rfc_9293_says() {
    let mut pair = Pair::new(3);
    let header = Header {
        source_port: 1_000,
        destination_port: 2_000,
        sequence: SeqNumber(500),
        acknowledgment: SeqNumber(900),
        flags: Flags::ACK,
        ..Header::default()
    };
    let to_ack = answer(&mut pair, forged(header, b"data")).expect("a RST should come");
    assert_eq!((to_ack.flags, to_ack.sequence), (Flags::RST, SeqNumber(900)));
    assert_eq!((to_ack.source_port, to_ack.destination_port), (2_000, 1_000));
    let syn = Header { flags: Flags::SYN, acknowledgment: SeqNumber(0), ..header };
    let to_syn = answer(&mut pair, forged(syn, b"")).expect("a RST should come");
    assert_eq!(to_syn.flags, Flags::RST | Flags::ACK);
    assert_eq!((to_syn.sequence, to_syn.acknowledgment), (SeqNumber(0), SeqNumber(501)));
    let rst = Header { flags: Flags::RST, ..header };
    assert_eq!(answer(&mut pair, forged(rst, b"")), None, "no RST answers a RST");
}

/// The numbers that the engine gives are no others' affair: whoever looks sees those that began with the SYN.
#[test]
fn a_live_connection_is_told_of_in_the_numbers_of_the_wire() {
    let (mut pair, next) = open();
    let (one, two) = (*pair.hosts[ONE].streams.keys().next().unwrap(), pair.accepted(0));
    let begins = |host| pair.sent.iter().find(|(_, by, _, _)| *by == host).unwrap().2.sequence;
    let (theirs, ours) = (begins(ONE), begins(TWO));
    pair.send(TWO, two, b"hello", false);
    let (data, _) = pair.last_sent(TWO);
    assert_eq!((data.sequence, data.acknowledgment), (ours.plus(1), theirs.plus(1)));
    pair.run_for(Duration::from_millis(100));
    let (acknowledgment, _) = pair.last_sent(ONE);
    assert_eq!((acknowledgment.sequence, acknowledgment.acknowledgment), (theirs.plus(1), ours.plus(6)));
    let inside = reset(next.sequence.plus(100), &next);
    let challenge = answer(&mut pair, forged(inside, b"")).expect("a challenge should come");
    assert_eq!((challenge.sequence, challenge.acknowledgment), (ours.plus(6), theirs.plus(1)));
    pair.say(TWO, StreamDown::Abort { conn: two });
    let (rst, _) = pair.last_sent(TWO);
    assert!(rst.has(Flags::RST), "a RST should come, not {rst:?}");
    assert_eq!(rst.sequence, ours.plus(6));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Reset), "it is the very next number");
}

/// The number with which the second host answers a SYN from this port, whose sender then takes it back.
fn begins(pair: &mut Pair, port: u16) -> SeqNumber {
    let (sequence, flags) = (SeqNumber(7), Flags::SYN);
    let syn = Header {
        source_port: port,
        destination_port: 80,
        sequence,
        flags,
        window: 1_000,
        ..Header::default()
    };
    let reply = answer(pair, forged(syn, b"")).expect("an answer should come");
    assert_eq!(reply.flags, Flags::SYN | Flags::ACK);
    assert_eq!(answer(pair, forged(reset(SeqNumber(8), &syn), b"")), None);
    reply.sequence
}

#[test]
fn numbers_climb_with_the_clock_for_each_four_tuple_by_itself() {
    let mut pair = Pair::new(7);
    pair.cut();
    pair.listen(TWO, 80);
    let ports = 50_000..50_016;
    let first: Vec<_> = ports.clone().map(|port| begins(&mut pair, port)).collect();
    for (n, one) in first.iter().enumerate() {
        for two in &first[n + 1..] {
            let apart = one.since(*two).unsigned_abs();
            assert!(apart > 250_000, "{one} and {two} of one moment should be further apart");
        }
    }
    pair.run_for(Duration::from_secs(10));
    for (port, first) in ports.zip(first) {
        let climbed = begins(&mut pair, port).since(first);
        assert_eq!(climbed, 2_500_000, "a step every four microseconds, from port {port}");
    }
    let mut other = Pair::new(8);
    other.cut();
    other.listen(TWO, 80);
    let apart = |pair: &mut Pair| begins(pair, 50_000).since(begins(pair, 50_001));
    assert_ne!(apart(&mut pair), apart(&mut other), "the hash has a key");
}

#[test]
fn hoarded_time_waits_are_bounded() {
    let config = Config { max_time_wait: 4, ..Config::default() };
    let mut pair = Pair::with(5, config, ["192.0.2.1", "192.0.2.2"]);
    pair.listen(TWO, 80);
    for n in 0..10 {
        let conn = pair.connect(n, 80);
        pair.run_for(Duration::from_millis(50));
        pair.send(ONE, conn, b"", true);
        pair.run_for(Duration::from_millis(100));
        assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::Finished));
    }
    assert_eq!(pair.hosts[ONE].counters.drops("tcp", "too many in TIME-WAIT"), 6);
}

#[test]
fn a_new_syn_reopens_what_is_in_time_wait() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    pair.send(TWO, two, b"", true);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Finished), "it closed first");
    let syn = Header {
        sequence: next.sequence.plus(100_000),
        flags: Flags::SYN,
        options: Options::default(),
        ..next
    };
    let reply = answer(&mut pair, forged(syn, b"")).expect("an answer should come");
    assert_eq!(reply.flags, Flags::SYN | Flags::ACK);
}

#[test]
fn a_new_syn_that_is_refused_leaves_time_wait_as_it_is() {
    let (mut pair, next) = open();
    let two = pair.accepted(0);
    pair.send(TWO, two, b"", true);
    pair.run_for(Duration::from_secs(1));
    let (fin, _) = pair.last_sent(ONE);
    let endpoint = Endpoint { address: None, port: 80 };
    pair.say(TWO, StreamDown::Unlisten { endpoint });
    let syn = Header { sequence: next.sequence.plus(100_000), flags: Flags::SYN, ..next };
    let refusal = answer(&mut pair, forged(syn, b"")).expect("an answer should come");
    assert!(refusal.has(Flags::RST), "nobody listens any more, but {refusal:?} came");
    let last = answer(&mut pair, forged(fin, b"")).expect("its FIN is acknowledged again");
    assert_eq!((last.flags, last.acknowledgment), (Flags::ACK, fin.sequence.plus(1)));
}

#[test]
fn two_that_connect_at_once_meet() {
    let mut pair = Pair::new(6);
    pair.cut();
    let one = pair.connect(0, 80);
    let (syn, _) = pair.last_sent(ONE);
    // The other's SYN crosses ours on the way (RFC 9293, figure 8).
    let theirs = Header {
        source_port: 80,
        destination_port: syn.source_port,
        sequence: SeqNumber(70_000),
        acknowledgment: SeqNumber(0),
        flags: Flags::SYN,
        window: 8_192,
        ..Header::default()
    };
    pair.inject(ONE, back(theirs));
    assert_eq!(pair.last_sent(ONE).0.flags, Flags::SYN | Flags::ACK);
    let synack = Header { acknowledgment: syn.sequence.plus(1), flags: Flags::SYN | Flags::ACK, ..theirs };
    pair.inject(ONE, back(synack));
    assert!(pair.stream(ONE, one).opened);
}

/// A segment from the second host to the first.
fn back(header: Header) -> Segment {
    let length = header.emitted_len();
    let mut buf = Buf::with_capacity(length);
    header.emit(buf.append(length));
    let (source, destination) = ("192.0.2.2".parse().unwrap(), "192.0.2.1".parse().unwrap());
    buf[16..18].fill(0);
    let checksum = sum(&buf, source, destination).checksum();
    buf[16..18].copy_from_slice(&checksum.to_be_bytes());
    Segment::new(buf, source, destination, TCP)
}

#[test]
fn what_is_next_in_order_goes_up_in_the_buffer_it_came_in() {
    use framewise_core::seams::segment::SegmentUp;
    use framewise_core::seams::stream::StreamUp;
    use framewise_core::{Counters, Cx, Layer};
    let (mut pair, next) = open();
    let payload = [7; 1_460];
    let segment = forged(next, &payload);
    let came_at = segment[next.emitted_len()..].as_ptr();
    let mut counters = Counters::default();
    let mut cx = Cx::new(pair.now, &mut counters);
    let tcp = &mut pair.hosts[TWO].tcp;
    tcp.handle_inbound(SegmentUp::Segment(segment), &mut cx);
    let Some(StreamUp::Data { data, .. }) = tcp.poll_inbound(&mut cx) else {
        panic!("Data should come");
    };
    assert_eq!(&data[..], &payload);
    assert_eq!(data.as_ptr(), came_at, "the same bytes in the same place, not a copy");
}
