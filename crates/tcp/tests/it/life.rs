//! The life of connections: opening, closing, refusing, giving up.

use std::time::Duration;

use bytes::Bytes;
use framewise_core::seams::stream::{CloseReason, Endpoint, ListenError, Security, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_tcp::segment::{Flags, Options};
use framewise_tcp::{Config, Tcp};

use crate::pair::{ONE, Pair, TWO, pattern};
use crate::stranger::stranger;

#[test]
fn a_handshake_takes_three_segments_and_opens_both_sides() {
    let mut pair = Pair::new(1);
    let (one, two) = pair.connected();
    assert!(pair.stream(TWO, two).opened);
    let flags: Vec<_> = pair.sent.iter().map(|(_, by, header, _)| (*by, header.flags)).collect();
    let expected = [(ONE, Flags::SYN), (TWO, Flags::SYN | Flags::ACK), (ONE, Flags::ACK)];
    assert_eq!(flags[..3], expected);
    assert_eq!(pair.stream(ONE, one).writable, 65_536, "room is told by Writable");
    let syn = &pair.sent[0].2;
    assert!(syn.source_port >= 49_152, "an ephemeral port, not {}", syn.source_port);
    assert_eq!(syn.options.maximum_segment_size, Some(1_460));
}

#[test]
fn over_ipv6_the_largest_segment_is_smaller() {
    let mut pair = Pair::with(1, Config::default(), ["2001:db8::1", "2001:db8::2"]);
    pair.connected();
    assert_eq!(pair.sent[0].2.options.maximum_segment_size, Some(1_440));
    assert_eq!(pair.sent[1].2.options.maximum_segment_size, Some(1_440));
}

#[test]
fn the_largest_segment_is_what_the_link_takes_less_the_fixed_headers() {
    let hosts = [(["192.0.2.1", "192.0.2.2"], 20), (["2001:db8::1", "2001:db8::2"], 40)];
    for (addresses, header) in hosts {
        for mtu in [1_280, 1_400, 1_500].into_iter().chain((header == 20).then_some(1_000)) {
            let mut pair = Pair::with(1, Config::default(), addresses);
            pair.hosts.iter_mut().for_each(|host| host.mtu = mtu);
            pair.connected();
            let expected = Some((mtu - header - 20) as u16);
            for (_, _, header, _) in &pair.sent[..2] {
                assert_eq!(header.options.maximum_segment_size, expected, "over {mtu} bytes");
            }
        }
    }
}

#[test]
fn who_names_no_segment_size_is_sent_the_default_of_its_ip() {
    for (addresses, size) in [(["192.0.2.1", "192.0.2.2"], 536), (["2001:db8::1", "2001:db8::2"], 1_220)] {
        for backlog in [16, 0] {
            let mut pair = Pair::with(1, Config { backlog, ..Config::default() }, addresses);
            let (two, _) = stranger(&mut pair, addresses, Options::default(), 60_000);
            pair.send(TWO, two, &pattern(3_000), false);
            let largest = pair.sent.iter().map(|(.., payload)| *payload).max();
            assert_eq!(largest, Some(size), "{addresses:?}, backlog {backlog}");
        }
    }
}

#[test]
fn no_segment_is_larger_than_the_peer_takes_however_little_that_is() {
    for (told, size) in [(48, 48), (100, 100), (216, 216), (1_400, 1_400)] {
        let mut pair = Pair::new(1);
        let options = Options { maximum_segment_size: Some(told), ..Options::default() };
        let (two, _) = stranger(&mut pair, ["192.0.2.1", "192.0.2.2"], options, 60_000);
        pair.send(TWO, two, &pattern(3_000), false);
        let largest = pair.sent.iter().map(|(.., payload)| *payload).max();
        assert_eq!(largest, Some(size));
    }
    let mut pair = Pair::with(1, Config { backlog: 0, ..Config::default() }, ["192.0.2.1", "192.0.2.2"]);
    let options = Options { maximum_segment_size: Some(100), ..Options::default() };
    let (two, _) = stranger(&mut pair, ["192.0.2.1", "192.0.2.2"], options, 60_000);
    pair.send(TWO, two, &pattern(3_000), false);
    let largest = pair.sent.iter().map(|(.., payload)| *payload).max();
    assert!(largest <= Some(100), "a cookie tells no more than was said: {largest:?}");
}

#[test]
fn a_half_close_leaves_the_other_direction_open() {
    let mut pair = Pair::new(2);
    pair.hosts[TWO].polite = false;
    let (one, two) = pair.connected();
    pair.send(ONE, one, b"question", true);
    pair.run_for(Duration::from_millis(100));
    assert!(pair.stream(TWO, two).peer_closed);
    assert_eq!(pair.stream(TWO, two).received, b"question");
    pair.run_for(Duration::from_secs(5));
    pair.send(TWO, two, b"answer", true);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(ONE, one).received, b"answer");
    assert!(pair.stream(ONE, one).peer_closed);
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Finished));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Finished));
    assert_eq!(pair.hosts[ONE].tcp.connections(), 0);
    assert_eq!(pair.hosts[TWO].tcp.connections(), 0);
}

#[test]
fn both_sides_may_close_at_once() {
    let mut pair = Pair::new(3);
    let (one, two) = pair.connected();
    pair.send(ONE, one, b"bye", true);
    pair.send(TWO, two, b"bye", true);
    pair.run_for(Duration::from_secs(2));
    for (host, conn) in [(ONE, one), (TWO, two)] {
        assert_eq!(pair.stream(host, conn).received, b"bye");
        assert_eq!(pair.stream(host, conn).closed, Some(CloseReason::Finished));
    }
    while pair.step() {}
    assert!(pair.now < Instant::from_secs(100), "TIME-WAIT should have ended");
}

#[test]
fn a_fin_whose_acknowledgment_is_lost_is_answered_from_time_wait() {
    let mut pair = Pair::new(4);
    let (one, two) = pair.connected();
    pair.send(ONE, one, b"", true);
    // The second host's FIN arrives, and every answer to it is lost for a while.
    let end = pair.now + Duration::from_secs(1);
    let closed = |pair: &Pair| pair.stream(ONE, one).closed.is_some();
    assert!(pair.run_until(end, closed));
    pair.cut();
    pair.run_for(Duration::from_millis(500));
    assert_eq!(pair.stream(TWO, two).closed, None, "its FIN is not acknowledged yet");
    pair.faults.loss = 0.0;
    pair.run_for(Duration::from_secs(3));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Finished));
}

#[test]
fn a_closed_port_refuses() {
    let mut pair = Pair::new(5);
    let conn = pair.connect(0, 81);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::Refused));
    assert!(!pair.stream(ONE, conn).opened);
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "nobody listens"), 1);
}

#[test]
fn an_abort_resets_the_peer() {
    let mut pair = Pair::new(6);
    let (one, two) = pair.connected();
    pair.say(ONE, StreamDown::Abort { conn: one });
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Aborted));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Reset));
}

#[test]
fn nobody_answers_and_the_connection_times_out() {
    let mut pair = Pair::new(7);
    pair.cut();
    let conn = pair.connect(0, 80);
    pair.run_for(Duration::from_secs(179));
    assert_eq!(pair.stream(ONE, conn).closed, None);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::TimedOut));
    let syns = pair.sent.len();
    assert!((5..12).contains(&syns), "retried with growing pauses, not {syns} times");
}

#[test]
fn an_open_connection_gives_up_without_progress_but_not_when_idle() {
    let mut pair = Pair::new(8);
    let (one, _) = pair.connected();
    pair.run_for(Duration::from_secs(3_600));
    assert_eq!(pair.stream(ONE, one).closed, None, "an idle connection lives");
    pair.cut();
    pair.send(ONE, one, b"is anybody there?", false);
    pair.run_for(Duration::from_secs(299));
    assert_eq!(pair.stream(ONE, one).closed, None);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::TimedOut));
}

#[test]
fn keep_alive_finds_a_dead_peer() {
    let config = Config {
        keep_alive: Some(Duration::from_secs(60)),
        user_timeout: Duration::from_secs(30),
        ..Config::default()
    };
    let mut pair = Pair::with(9, config, ["192.0.2.1", "192.0.2.2"]);
    let (one, _) = pair.connected();
    pair.run_for(Duration::from_secs(600));
    assert_eq!(pair.stream(ONE, one).closed, None, "the peer answers");
    pair.cut();
    pair.run_for(Duration::from_secs(100));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::TimedOut));
}

#[test]
fn a_peer_that_never_sends_its_fin_is_left() {
    let mut pair = Pair::new(10);
    pair.hosts[TWO].polite = false;
    let (one, two) = pair.connected();
    pair.send(ONE, one, b"", true);
    pair.run_for(Duration::from_secs(119));
    assert_eq!(pair.stream(ONE, one).closed, None);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::TimedOut));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Reset));
}

#[test]
fn closing_before_it_is_open_gives_up() {
    let mut pair = Pair::new(11);
    pair.cut();
    let conn = pair.connect(0, 80);
    pair.say(ONE, StreamDown::Close { conn });
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::Aborted));
    assert_eq!(pair.hosts[ONE].tcp.connections(), 0);
}

#[test]
fn without_a_route_there_is_no_connection() {
    let mut pair = Pair::new(12);
    pair.hosts[TWO].address = "10.0.0.1".parse().unwrap();
    let conn = pair.connect(0, 80);
    assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::NoRoute));
    assert!(pair.sent.is_empty());
}

#[test]
fn nobody_connects_to_more_than_one_host() {
    let groups = ["255.255.255.255", "224.0.0.1", "0.0.0.0", "ff02::1", "::"];
    for (index, address) in (0..).zip(groups) {
        let mut pair = Pair::new(12);
        // As a layer below would say that does not know better.
        pair.hosts[TWO].address = address.parse().unwrap();
        let conn = pair.connect(index, 80);
        assert_eq!(pair.stream(ONE, conn).closed, Some(CloseReason::NoSingleHost), "to {address}");
        assert!(pair.sent.is_empty());
    }
}

#[test]
fn there_is_a_limit_to_connections() {
    let config = Config { max_connections: 2, ..Config::default() };
    let mut pair = Pair::with(13, config, ["192.0.2.1", "192.0.2.2"]);
    pair.listen(TWO, 80);
    let names: Vec<_> = (0..3).map(|n| pair.connect(n, 80)).collect();
    pair.run_for(Duration::from_secs(1));
    assert!(pair.stream(ONE, names[1]).opened);
    assert_eq!(pair.stream(ONE, names[2]).closed, Some(CloseReason::TooMany(2)));
}

#[test]
fn a_name_is_free_again_after_closed() {
    let mut pair = Pair::new(14);
    let (one, _) = pair.connected();
    pair.say(ONE, StreamDown::Abort { conn: one });
    pair.run_for(Duration::from_secs(1));
    let again = pair.connect(0, 80);
    assert_eq!(again, one);
    pair.run_for(Duration::from_secs(1));
    assert!(pair.stream(ONE, again).opened);
}

#[test]
fn unlisten_ends_the_listener_and_keeps_what_it_accepted() {
    let mut pair = Pair::new(15);
    let (one, _) = pair.connected();
    let endpoint = Endpoint { address: None, port: 80 };
    pair.say(TWO, StreamDown::Unlisten { endpoint });
    let late = pair.connect(1, 80);
    pair.send(ONE, one, b"still here", false);
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.stream(ONE, late).closed, Some(CloseReason::Refused));
    let two = pair.accepted(0);
    assert_eq!(pair.stream(TWO, two).received, b"still here");
}

#[test]
fn listening_twice_or_for_tls_is_refused() {
    let mut tcp = Tcp::new(Config::default(), Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let endpoint = Endpoint { address: None, port: 80 };
    let mut listen = |security| {
        tcp.handle_outbound(StreamDown::Listen { endpoint, security }, &mut cx);
        match tcp.poll_inbound(&mut cx) {
            Some(StreamUp::Listening { result, .. }) => result,
            other => panic!("should have been Listening, but was {other:?}"),
        }
    };
    let no_tls = Err(ListenError::NoCertificate { port: 80 });
    assert_eq!(listen(Security::Tls(None)), no_tls);
    assert_eq!(listen(Security::Plain), Ok(()));
    assert_eq!(listen(Security::Plain), Err(ListenError::InUse { port: 80 }));
}

#[test]
fn sending_beyond_the_credit_is_a_misuse() {
    let mut pair = Pair::new(16);
    let (one, two) = pair.connected();
    let data = Bytes::from(vec![0; 65_537]);
    pair.say(ONE, StreamDown::Send { conn: one, data });
    pair.run_for(Duration::from_secs(1));
    let misuse = CloseReason::Misuse("sent more than the credit");
    assert_eq!(pair.stream(ONE, one).closed, Some(misuse));
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Reset));
}

#[test]
fn bytes_sent_on_a_connection_that_is_over_are_counted() {
    let mut pair = Pair::new(17);
    let (one, _) = pair.connected();
    pair.say(ONE, StreamDown::Abort { conn: one });
    pair.say(ONE, StreamDown::Grant { conn: one, bytes: 1 });
    assert_eq!(pair.hosts[ONE].counters.total(), 0, "late credit harms nobody");
    let data = Bytes::from_static(b"too late");
    pair.say(ONE, StreamDown::Send { conn: one, data });
    assert_eq!(pair.hosts[ONE].counters.drops("tcp", "its connection is over"), 1);
}

#[test]
fn a_thousand_connections_at_once_all_open_and_carry() {
    let mut pair = Pair::with(
        18,
        Config { backlog: 1_000, send_buffer: 4_096, receive_window: 4_096, ..Config::default() },
        ["192.0.2.1", "192.0.2.2"],
    );
    pair.listen(TWO, 80);
    let names: Vec<_> = (0..1_000).map(|n| pair.connect(n, 80)).collect();
    pair.run_for(Duration::from_millis(100));
    for name in &names {
        pair.send(ONE, *name, b"hello", true);
    }
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.hosts[TWO].streams.len(), 1_000);
    for stream in pair.hosts[TWO].streams.values() {
        assert_eq!(stream.received, b"hello");
        assert_eq!(stream.closed, Some(CloseReason::Finished));
    }
    assert_eq!(pair.hosts[ONE].counters.total() + pair.hosts[TWO].counters.total(), 0);
    assert_eq!(pair.hosts[ONE].tcp.connections(), 0);
}

#[test]
fn sequence_numbers_begin_anew_for_each_connection_and_alike_for_each_seed() {
    let begins = |seed| {
        let mut pair = Pair::new(seed);
        pair.listen(TWO, 80);
        pair.connect(0, 80);
        pair.connect(1, 80);
        pair.run_for(Duration::from_millis(50));
        let syns = pair.sent.iter().filter(|(_, _, header, _)| header.has(Flags::SYN));
        syns.map(|(_, _, header, _)| header.sequence.0).collect::<Vec<_>>()
    };
    let first = begins(19);
    assert_eq!(first.len(), 4);
    for (n, one) in first.iter().enumerate() {
        for two in &first[n + 1..] {
            assert!(one.abs_diff(*two) > 1_000, "{one} and {two} should have nothing in common");
        }
    }
    assert_eq!(first, begins(19), "the same seed begins alike");
    assert_ne!(first, begins(20), "another seed begins otherwise");
}

#[test]
fn who_connects_ten_seconds_later_begins_ten_seconds_further_on() {
    let begins = |later| {
        let mut pair = Pair::new(19);
        pair.run_for(Duration::from_secs(later));
        pair.connect(0, 80);
        pair.last_sent(ONE).0
    };
    let (first, later) = (begins(0), begins(10));
    assert_eq!(first.source_port, later.source_port, "the same four-tuple");
    assert_eq!(later.sequence.since(first.sequence), 2_500_000, "250,000 steps a second");
}

#[test]
fn a_name_in_use_is_a_misuse_that_ends_it() {
    let mut pair = Pair::new(20);
    let (one, _) = pair.connected();
    let remote = "192.0.2.2:80".parse().unwrap();
    let security = Security::Plain;
    pair.say(ONE, StreamDown::Connect { conn: one, remote, security });
    let misuse = CloseReason::Misuse("connected under a name in use");
    assert_eq!(pair.stream(ONE, one).closed, Some(misuse));
    assert_eq!(pair.hosts[ONE].tcp.connections(), 0);
}
