//! Whatever comes, the layer neither panics nor grows without bound.

use std::time::Duration;

use framewise_core::seams::segment::{Segment, TCP};
use framewise_core::seams::stream::{CloseReason, StreamDown};
use framewise_core::{Buf, Counters, Cx, Instant, Layer};
use framewise_tcp::segment::{Flags, Header, Options};
use framewise_tcp::{Config, SeqNumber};
use proptest::prelude::*;

use crate::guard::forged;
use crate::pair::{ONE, Pair, TWO, pattern};

/// A header near to what an open connection expects, so that much of it gets past the first checks.
fn near(next: Header) -> impl Strategy<Value = (Header, usize, u64)> {
    let ahead = prop_oneof![Just(0i64), -3..3i64, -70_000..200_000i64, any::<i32>().prop_map(i64::from)];
    let fields = (ahead.clone(), ahead, any::<u8>(), any::<u16>());
    let options = (any::<Option<u16>>(), any::<Option<u8>>(), any::<bool>());
    let rest = (prop_oneof![0usize..3, 0..3_000usize, 60_000..65_400usize], 0u64..2_000);
    (fields, options, rest).prop_map(
        move |((seq, ack, flags, window), (size, shift, sack), (payload, wait))| {
            let shifted = |from: SeqNumber, by: i64| SeqNumber((i64::from(from.0) + by) as u32);
            let header = Header {
                sequence: shifted(next.sequence, seq),
                acknowledgment: shifted(next.acknowledgment, ack),
                flags: Flags(flags),
                window,
                options: Options {
                    maximum_segment_size: size,
                    window_scale: shift.map(|shift| shift % 15),
                    sack_permitted: sack,
                    ..Options::default()
                },
                ..next
            };
            (header, payload, wait)
        },
    )
}

fn segments(next: Header) -> impl Strategy<Value = Vec<(Header, usize, u64)>> {
    proptest::collection::vec(near(next), 1..40)
}

/// The connection as it is always opened with this seed, so that a strategy can be built around it.
fn opened(config: Config) -> (Pair, Header) {
    let mut pair = Pair::with(1, config, ["192.0.2.1", "192.0.2.2"]);
    pair.connected();
    let (next, _) = pair.last_sent(ONE);
    (pair, next)
}

fn large() -> Config {
    Config { receive_window: 512 * 1_024, ..Config::default() }
}

/// Feeds the second host segments that claim to come from the first, while it sends itself.
fn feed(config: Config, segments: Vec<(Header, usize, u64)>, appetite: usize) {
    let (mut pair, _) = opened(config);
    let two = pair.accepted(0);
    pair.hosts[TWO].appetite = appetite;
    pair.send(TWO, two, &pattern(20_000), false);
    let bytes = pattern(65_400);
    for (header, payload, wait) in segments {
        pair.inject(TWO, forged(header, &bytes[..payload]));
        pair.run_for(Duration::from_millis(wait));
    }
    pair.run_for(Duration::from_secs(5));
}

/// The same segment, but for the number that a guess must hit: of a RST the very next, of all else what was sent last.
fn missed(header: Header, next: &Header) -> Header {
    let hits = header.sequence == next.sequence;
    let sequence = header.sequence.plus(usize::from(hits));
    let beyond = (1 << 20) + (header.acknowledgment.0 >> 2) as usize;
    Header { sequence, acknowledgment: next.acknowledgment.plus(beyond), ..header }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn near_misses_do_no_harm(segments in segments(opened(Config::default()).1)) {
        feed(Config::default(), segments, 64 * 1_024);
    }

    #[test]
    fn near_misses_end_no_connection_and_bring_nothing_in(segments in segments(opened(Config::default()).1)) {
        let (mut pair, next) = opened(Config::default());
        let (one, two) = (*pair.hosts[ONE].streams.keys().next().unwrap(), pair.accepted(0));
        pair.send(TWO, two, &pattern(20_000), false);
        for (header, payload, wait) in segments {
            pair.inject(TWO, forged(missed(header, &next), &vec![0; payload]));
            pair.run_for(Duration::from_millis(wait));
        }
        pair.send(ONE, one, b"still here", false);
        pair.run_for(Duration::from_secs(5));
        prop_assert_eq!(pair.stream(TWO, two).closed.as_ref(), None);
        prop_assert!(pair.stream(ONE, one).received == pattern(20_000), "all that was sent, and nothing else");
        prop_assert_eq!(pair.stream(TWO, two).received.as_slice(), b"still here");
    }

    #[test]
    fn near_misses_do_no_harm_with_a_closed_window(segments in segments(opened(large()).1)) {
        feed(large(), segments, 0);
    }

    #[test]
    fn garbage_is_dropped_and_counted(bytes: Vec<u8>, verified: bool) {
        let (mut pair, _) = opened(Config::default());
        let mut segment = Segment::new(Buf::copy_from_slice(&bytes), "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap(), TCP);
        if verified {
            segment.label_mut().offload.checksum = framewise_core::buf::ChecksumState::Verified;
        }
        pair.inject(TWO, segment);
    }
}

#[test]
fn floods_of_gaps_and_single_bytes_are_bounded() {
    let (mut pair, next) = opened(Config::default());
    let two = pair.accepted(0);
    for n in (1..30_000).rev().step_by(2) {
        let header = Header { sequence: next.sequence.plus(n), ..next };
        pair.inject(TWO, forged(header, b"x"));
    }
    assert_eq!(pair.stream(TWO, two).received.len(), 0);
    let dropped = pair.hosts[TWO].counters.drops("tcp", "too many gaps");
    assert_eq!(dropped, 15_000 - 16, "all but a byte at each of a few gaps");
    // And the stream goes on when the rest comes.
    pair.inject(TWO, forged(next, &pattern(1_000)));
    assert!(pair.stream(TWO, two).received.len() >= 1_000);
}

/// Nobody takes a byte: what is kept is what comes up once somebody does.
#[test]
fn what_is_kept_of_a_flood_fits_into_the_window() {
    for piece in [1, 100, 1_460] {
        let mut pair = Pair::with(1, Config::default(), ["192.0.2.1", "192.0.2.2"]);
        pair.hosts[TWO].appetite = 0;
        pair.connected();
        let (two, (next, _)) = (pair.accepted(0), pair.last_sent(ONE));
        // Without gaps, then with one after each piece, in both cases to far beyond the window.
        for step in [1, 2] {
            for n in 0..100_000 / piece {
                let header = Header { sequence: next.sequence.plus(n * piece * step), ..next };
                pair.inject(TWO, forged(header, &pattern(piece)));
            }
        }
        assert_eq!(pair.stream(TWO, two).received.len(), 0, "nothing was asked for");
        pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 1 << 20;
        pair.say(TWO, StreamDown::Grant { conn: two, bytes: 1 << 20 });
        let kept = pair.stream(TWO, two).received.len();
        assert!((60_000..=65_535).contains(&kept), "a window's worth was kept, not {kept} bytes");
    }
}

/// Whatever of a segment is dropped is counted, with its reason; what is kept or handed up is not.
#[test]
fn data_that_is_not_kept_is_counted() {
    let (mut pair, next) = opened(Config::default());
    let two = pair.accepted(0);
    let data = |pair: &mut Pair, sequence: SeqNumber, payload: &[u8]| {
        pair.inject(TWO, forged(Header { sequence, ..next }, payload));
    };
    let drops = |pair: &Pair, reason| pair.hosts[TWO].counters.drops("tcp", reason);
    data(&mut pair, next.sequence, &pattern(100));
    assert_eq!(pair.stream(TWO, two).received.len(), 100);
    assert_eq!(pair.hosts[TWO].counters.total(), 0);
    for _ in 0..100 {
        data(&mut pair, next.sequence.plus(100_000), b"ten bytes!");
        data(&mut pair, next.sequence.plus(50), b"ten bytes!");
    }
    assert_eq!((drops(&pair, "out of the window"), drops(&pair, "it came before")), (100, 100));
    for n in 0..200 {
        data(&mut pair, next.sequence.plus(101 + 2 * n), b"x");
    }
    let (kept, dropped) = (16, drops(&pair, "too many gaps"));
    assert_eq!((dropped, pair.hosts[TWO].counters.total()), (200 - kept, 400 - kept));
    for n in 0..200 {
        data(&mut pair, next.sequence.plus(100 + 2 * n), b"y");
    }
    let received = pair.stream(TWO, two).received.len() as u64;
    assert_eq!((received, drops(&pair, "out of the window")), (100 + 2 * kept + 1, 100));
}

#[test]
fn segments_between_no_two_hosts_are_dropped() {
    let (mut pair, next) = opened(Config::default());
    for source in ["224.0.0.1", "0.0.0.0", "255.255.255.255"] {
        let mut segment = forged(next, b"");
        segment.label_mut().source = source.parse().unwrap();
        segment.label_mut().offload.checksum = framewise_core::buf::ChecksumState::Verified;
        pair.inject(TWO, segment);
    }
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "not between two hosts"), 3);
    for flags in [Flags::SYN | Flags::FIN, Flags::SYN | Flags::RST, Flags::FIN | Flags::RST] {
        pair.inject(TWO, forged(Header { flags, ..next }, b""));
    }
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "flags that contradict"), 3);
    let port0 = Header { source_port: 0, ..next };
    pair.inject(TWO, forged(port0, b""));
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "port 0"), 1);
}

#[test]
fn names_that_mean_nothing_do_no_harm() {
    use framewise_core::id::{ConnId, Opener};
    let mut tcp = framewise_tcp::Tcp::new(Config::default(), framewise_core::Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    for opener in [Opener::Upper, Opener::Lower] {
        let conn = ConnId::new(opener, 77, 3);
        tcp.handle_outbound(StreamDown::Grant { conn, bytes: usize::MAX }, &mut cx);
        tcp.handle_outbound(StreamDown::Close { conn }, &mut cx);
        tcp.handle_outbound(StreamDown::Abort { conn }, &mut cx);
    }
    assert!(tcp.poll_inbound(&mut cx).is_none());
    assert!(tcp.poll_outbound(&mut cx).is_none());
}

/// A RST far out of the window, every hundred seconds, as anybody can forge it who knows the four-tuple.
fn harass(pair: &mut Pair, last: Header, times: usize) {
    for _ in 0..times {
        pair.run_for(Duration::from_secs(100));
        let sequence = last.sequence.plus(1 << 25);
        let header = Header { sequence, flags: Flags::RST, acknowledgment: SeqNumber(0), ..last };
        pair.inject(TWO, forged(header, b""));
    }
}

#[test]
fn what_is_dropped_does_not_keep_fin_wait_2_alive() {
    let (mut pair, _) = opened(Config::default());
    let two = pair.accepted(0);
    pair.hosts[ONE].polite = false;
    pair.say(TWO, StreamDown::Close { conn: two });
    pair.run_for(Duration::from_secs(1));
    let (last, _) = pair.last_sent(ONE);
    harass(&mut pair, last, 2);
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "RST out of the window"), 1);
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::TimedOut), "its time is 120 s");
}

#[test]
fn what_is_dropped_does_not_pass_for_an_answer_to_keep_alive() {
    let config = Config {
        keep_alive: Some(Duration::from_secs(60)),
        user_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let (mut pair, last) = opened(config);
    let two = pair.accepted(0);
    pair.cut();
    harass(&mut pair, last, 2);
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::TimedOut), "the peer is dead");
}

#[test]
fn a_peer_that_waits_for_our_user_in_fin_wait_2_is_waited_for() {
    let (mut pair, _) = opened(Config::default());
    let (one, two) = (*pair.hosts[ONE].streams.keys().next().unwrap(), pair.accepted(0));
    pair.hosts[ONE].polite = false;
    pair.hosts[TWO].appetite = 0;
    pair.say(TWO, StreamDown::Close { conn: two });
    // More than the window holds: the peer can't send its FIN before our user has read.
    pair.send(ONE, one, &pattern(200_000), true);
    pair.run_for(Duration::from_secs(250));
    assert_eq!(pair.stream(TWO, two).closed, None);
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 300_000;
    pair.say(TWO, StreamDown::Grant { conn: two, bytes: 300_000 });
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.stream(TWO, two).received.len(), 200_000);
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Finished));
}
