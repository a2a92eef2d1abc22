//! Bytes in order, whatever the link does; and no more of them than was asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::buf::ChecksumState;
use framewise_core::seams::segment::SegmentDown;
use framewise_core::seams::stream::{CloseReason, StreamDown};
use framewise_tcp::segment::{Flags, Options, sum};
use framewise_tcp::{Config, Header, LeastPace};

use crate::guard::forged;
use crate::pair::{Faults, ONE, Pair, TWO, pattern};
use crate::stranger::stranger;

/// The second host sends `length` bytes to the first over a link with faults; both directions end well.
fn transfer(seed: u64, config: Config, faults: Faults, length: usize) -> Pair {
    let mut pair = Pair::with(seed, config, ["192.0.2.1", "192.0.2.2"]);
    pair.listen(TWO, 80);
    pair.faults = faults;
    let one = pair.connect(0, 80);
    let opened = |pair: &Pair| pair.stream(ONE, one).opened && !pair.hosts[TWO].streams.is_empty();
    assert!(pair.run_until(Instant::from_secs(200), opened), "seed {seed}: should have opened");
    let two = pair.accepted(0);
    let data = pattern(length);
    pair.send(ONE, one, b"GET", false);
    pair.send(TWO, two, &data, true);
    let done = |pair: &Pair| pair.stream(ONE, one).closed.is_some();
    pair.run_until(pair.now + Duration::from_secs(1_200), done);
    let stream = pair.stream(ONE, one);
    let (came, closed) = (stream.received.len(), &stream.closed);
    assert_eq!(
        came, length,
        "seed {seed}: all bytes should have come, but closed is {closed:?}, at {}",
        pair.now
    );
    assert!(stream.received == data, "seed {seed}: the bytes should be the same");
    assert_eq!(stream.closed, Some(CloseReason::Finished), "seed {seed}");
    assert_eq!(pair.stream(TWO, two).received, b"GET");
    pair
}

#[test]
fn a_megabyte_over_a_clean_link_is_sent_once() {
    let pair = transfer(1, Config::default(), Faults::NONE, 1 << 20);
    let bytes: usize = pair.sent.iter().filter(|(_, by, _, _)| *by == TWO).map(|(_, _, _, n)| n).sum();
    assert_eq!(bytes, 1 << 20);
    let largest = pair.sent.iter().map(|(_, _, _, n)| *n).max();
    assert_eq!(largest, Some(1_460));
    let drops: Vec<_> = pair.hosts.iter().flat_map(|host| host.counters.iter()).collect();
    assert!(drops.is_empty(), "nothing should have been dropped: {drops:?}");
}

#[test]
fn a_megabyte_survives_loss_reordering_duplication_and_corruption() {
    let faults = Faults { loss: 0.05, duplicate: 0.02, reorder: 0.25, corrupt: 0.01 };
    for seed in 0..12 {
        let pair = transfer(seed, Config::default(), faults, 1 << 20);
        assert!(pair.now < Instant::from_secs(1_000), "seed {seed} took {}", pair.now);
        let wrong: u64 = pair.hosts.iter().map(|host| host.counters.drops("tcp", "checksum wrong")).sum();
        assert!(wrong > 0, "seed {seed}: some segments should have been damaged");
    }
}

#[test]
fn small_transfers_survive_hard_links() {
    let faults = Faults { loss: 0.2, duplicate: 0.1, reorder: 0.5, corrupt: 0.05 };
    let config = Config { half_open_timeout: Duration::from_secs(300), ..Config::default() };
    for seed in 0..100 {
        transfer(seed, config.clone(), faults, 20_000);
    }
}

#[test]
fn large_windows_are_scaled() {
    let config = Config { receive_window: 512 * 1_024, send_buffer: 512 * 1_024, ..Config::default() };
    let mut pair = transfer(2, config.clone(), Faults::NONE, 3 << 20);
    assert_eq!(pair.sent[0].2.options.window_scale, Some(3));
    pair = transfer(3, config, Faults { loss: 0.02, ..Faults::NONE }, 3 << 20);
    assert!(pair.now < Instant::from_secs(600));
}

#[test]
fn tiny_buffers_carry_too() {
    let config = Config { receive_window: 100, send_buffer: 64, ..Config::default() };
    transfer(4, config, Faults::NONE, 5_000);
}

#[test]
fn nagle_and_undelayed_acknowledgments_change_no_byte() {
    let config = Config { nagle: true, delayed_ack: None, ..Config::default() };
    transfer(5, config, Faults::NONE, 200_000);
}

#[test]
fn without_a_grant_nothing_comes_and_the_window_closes_until_it_reopens() {
    let mut pair = Pair::new(6);
    pair.hosts[TWO].appetite = 0;
    let (one, two) = pair.connected();
    let data = pattern(300_000);
    pair.send(ONE, one, &data, true);
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.stream(TWO, two).received.len(), 0, "nothing was granted");
    assert_eq!(pair.last_sent(TWO).0.window, 0, "the window should have closed");
    let sent = pair.stream(ONE, one);
    assert!(sent.writable < 65_536, "and so the sender has no room");

    // A little at a time.
    for n in 1..=3 {
        pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 10_000;
        pair.say(TWO, StreamDown::Grant { conn: two, bytes: 10_000 });
        pair.run_for(Duration::from_secs(120));
        assert_eq!(pair.stream(TWO, two).received.len(), n * 10_000);
    }
    // Then all of it.
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 300_000;
    pair.say(TWO, StreamDown::Grant { conn: two, bytes: 300_000 });
    pair.run_for(Duration::from_secs(120));
    assert_eq!(pair.stream(TWO, two).received.len(), data.len());
    assert!(pair.stream(TWO, two).received == data);
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Finished));
}

#[test]
fn a_window_closed_for_ever_ends_by_the_user_timeout() {
    let mut pair = Pair::new(7);
    pair.hosts[TWO].appetite = 0;
    let (one, _) = pair.connected();
    pair.send(ONE, one, &pattern(100_000), false);
    pair.run_for(Duration::from_secs(310));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::TimedOut));
}

#[test]
fn a_peer_that_takes_next_to_nothing_is_left_where_that_is_wanted() {
    let least_pace = Some(LeastPace { bytes: 1_000, period: Duration::from_secs(35) });
    let config = Config { least_pace, receive_window: 65_535, ..Config::default() };
    let mut pair = Pair::with(71, config, ["192.0.2.1", "192.0.2.2"]);
    pair.hosts[TWO].appetite = 0;
    let (one, two) = pair.connected();
    pair.send(ONE, one, &pattern(300_000), false);
    let grant = |pair: &mut Pair, bytes| {
        pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += bytes;
        pair.say(TWO, StreamDown::Grant { conn: two, bytes });
    };
    // A window closed for half a minute is nothing unusual, and somebody slow is no attacker.
    for _ in 0..4 {
        pair.run_for(Duration::from_secs(30));
        assert_eq!(pair.stream(ONE, one).closed, None);
        grant(&mut pair, 10_000);
        pair.run_for(Duration::from_secs(5));
    }
    pair.run_for(Duration::from_secs(70));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::TimedOut));
    assert_eq!(pair.hosts[ONE].counters.drops("tcp", "peer too slow"), 1);
    // The window was closed, and yet the other side believes that it is over.
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Reset));
}

/// However large the buffer: half a megabyte for each of a thousand who read nothing would be half a gigabyte.
#[test]
fn who_has_taken_nothing_is_sent_little() {
    let config = Config { send_buffer: 512 << 10, ..Config::default() };
    let mut pair = Pair::with(72, config, ["192.0.2.1", "192.0.2.2"]);
    pair.hosts[TWO].appetite = 0;
    let (one, two) = pair.connected();
    assert_eq!(pair.stream(ONE, one).writable, 64 << 10);
    let data = pattern(2 << 20);
    pair.send(ONE, one, &data, false);
    pair.run_for(Duration::from_secs(10));
    let sent = |pair: &Pair| data.len() - pair.stream(ONE, one).to_send.len();
    // A window full of it has arrived, so as much again may be under way.
    assert!(sent(&pair) <= 192 << 10, "{} bytes went down", sent(&pair));
    // Once it is seen to read, all of the buffer is used.
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 1 << 20;
    pair.say(TWO, StreamDown::Grant { conn: two, bytes: 1 << 20 });
    pair.run_for(Duration::from_secs(10));
    assert!(sent(&pair) >= 3 << 19, "{} bytes went down", sent(&pair));
}

#[test]
fn what_was_not_granted_before_the_end_is_kept() {
    let mut pair = Pair::new(8);
    pair.hosts[TWO].appetite = 0;
    let (one, two) = pair.connected();
    pair.send(ONE, one, b"to be read later", true);
    pair.send(TWO, two, b"", true);
    pair.run_for(Duration::from_secs(60));
    assert_eq!(pair.stream(ONE, one).closed, Some(CloseReason::Finished));
    assert_eq!(pair.stream(TWO, two).closed, None, "its user has not read all");
    pair.hosts[TWO].streams.get_mut(&two).unwrap().granted += 100;
    pair.say(TWO, StreamDown::Grant { conn: two, bytes: 100 });
    assert_eq!(pair.stream(TWO, two).received, b"to be read later");
    assert!(pair.stream(TWO, two).peer_closed);
    assert_eq!(pair.stream(TWO, two).closed, Some(CloseReason::Finished));
}

#[test]
fn super_segments_say_where_to_cut_them_and_leave_the_sum_to_the_device() {
    use framewise_core::{Counters, Cx, Layer};
    let config = Config { super_segments: true, ..Config::default() };
    // No device cuts on this link: segments go through whole, as between two hosts in one machine.
    let pair = transfer(9, config.clone(), Faults::NONE, 1 << 20);
    let largest = pair.sent.iter().map(|(_, _, _, n)| *n).max();
    assert!(largest > Some(10_000), "some segments should have been large, not {largest:?}");

    let mut pair = Pair::with(10, config, ["2001:db8::1", "2001:db8::2"]);
    let (one, _) = pair.connected();
    let mut counters = Counters::default();
    let data = bytes::Bytes::from(pattern(60_000));
    let mut cx = Cx::new(pair.now, &mut counters);
    let tcp = &mut pair.hosts[ONE].tcp;
    tcp.handle_outbound(StreamDown::Send { conn: one, data }, &mut cx);
    let Some(SegmentDown::Segment(segment)) = tcp.poll_outbound(&mut cx) else {
        panic!("a segment should have come");
    };
    assert_eq!(segment.offload().segment_size, Some(1_440));
    let ChecksumState::Partial { start, field } = segment.offload().checksum else {
        panic!("the sum should be left to the device");
    };
    assert_eq!(usize::from(start), segment.position());
    assert_eq!(field, 16);
    // What the device does: the sum over the segment, in which the pseudo-header's stands already.
    let checksum = framewise_core::checksum::checksum(&segment);
    let mut complete = segment.clone();
    complete[16..18].copy_from_slice(&checksum.to_be_bytes());
    assert!(sum(&complete, segment.source(), segment.destination()).is_valid());
    pair.inject(TWO, segment);
    assert_eq!(pair.hosts[TWO].counters.drops("tcp", "checksum wrong"), 0);
}

#[test]
fn the_same_seed_sends_the_same_segments() {
    let faults = Faults { loss: 0.05, duplicate: 0.05, reorder: 0.2, corrupt: 0.0 };
    let run = |seed| transfer(seed, Config::default(), faults, 100_000).sent;
    assert!(run(11) == run(11));
    assert!(run(11) != run(12));
}

#[test]
fn the_last_data_carries_the_fin() {
    let mut pair = Pair::new(13);
    let (one, _) = pair.connected();
    let data = bytes::Bytes::from_static(b"all there is");
    let before = pair.sent.len();
    pair.send(ONE, one, &data, true);
    pair.run_for(Duration::from_secs(1));
    let of_one = |n: &&(_, usize, framewise_tcp::Header, usize)| n.1 == ONE && n.3 > 0;
    let sent: Vec<_> = pair.sent[before..].iter().filter(of_one).collect();
    assert_eq!(sent.len(), 1);
    assert!(pair.sent[before..].iter().any(|n| n.1 == ONE && n.2.has(Flags::FIN)));
}

/// A fifth of all segments lost: what the engine alone needs a quarter of an hour for (see `rto.rs`).
#[test]
fn a_megabyte_passes_a_link_that_loses_every_fifth_segment() {
    let faults = Faults { loss: 0.2, ..Faults::NONE };
    for seed in 0..10 {
        let pair = transfer(seed, Config::default(), faults, 1 << 20);
        assert!(pair.now < Instant::from_secs(400), "seed {seed} took {}", pair.now);
    }
}

/// When the second host sent each segment with data, and how much in it.
fn data_of_two(pair: &Pair) -> Vec<(Instant, usize)> {
    let of_two = pair.sent.iter().filter(|(_, by, _, payload)| *by == TWO && *payload > 0);
    of_two.map(|(at, _, _, payload)| (*at, *payload)).collect()
}

#[test]
fn few_segments_of_a_large_message_are_not_full() {
    for length in [3_000, 100_000, 1_000_000] {
        let sent = data_of_two(&transfer(14, Config::default(), Faults::NONE, length)).len();
        let least = length.div_ceil(1_460);
        let most = least + least / 50 + 2;
        assert!((least..=most).contains(&sent), "{length} bytes should take {least} segments, not {sent}");
    }
}

#[test]
fn the_last_of_a_message_does_not_wait_for_an_acknowledgment() {
    let sent = data_of_two(&transfer(15, Config::default(), Faults::NONE, 2_000));
    assert_eq!(sent.iter().map(|(_, payload)| *payload).collect::<Vec<_>>(), [1_460, 540]);
    assert_eq!(sent[0].0, sent[1].0);
}

#[test]
fn a_window_that_opens_by_a_few_bytes_is_not_filled_with_them() {
    for window in [1_000, 1_460, 2_920, 5_840] {
        let mut pair = Pair::new(16);
        let (two, mut ack) = stranger(&mut pair, ["192.0.2.1", "192.0.2.2"], Options::default(), window);
        pair.send(TWO, two, &pattern(60_000), false);
        for _ in 0..200 {
            ack.acknowledgment = ack.acknowledgment.plus(10);
            pair.inject(TWO, forged(ack, b""));
        }
        // So much came into the window, in segments of the default size.
        let sent = data_of_two(&pair).len();
        let least = (usize::from(window) + 2_000) / 536;
        assert!(sent <= 2 * least + 2, "window {window}: {sent} segments where {least} would do");
    }
}

#[test]
fn the_congestion_window_counts_in_what_is_sent_and_not_in_what_the_peer_would_take() {
    for told in [1_460, 9_000, u16::MAX] {
        let mut pair = Pair::new(17);
        let options = Options { maximum_segment_size: Some(told), ..Options::default() };
        let (two, _) = stranger(&mut pair, ["192.0.2.1", "192.0.2.2"], options, u16::MAX);
        pair.send(TWO, two, &pattern(60_000), false);
        let first = data_of_two(&pair).len();
        pair.run_for(Duration::from_secs(10));
        let sent = data_of_two(&pair);
        let again: BTreeSet<Instant> = sent[first..].iter().map(|(at, _)| *at).collect();
        assert!(again.len() > 3, "{sent:?}");
        assert_eq!(again.len(), sent.len() - first, "MSS {told}: one segment after a timeout: {sent:?}");
    }
}

#[test]
fn a_fin_beyond_a_gap_is_answered_with_what_is_expected() {
    let mut pair = Pair::new(18);
    let (_, ack) = stranger(&mut pair, ["192.0.2.1", "192.0.2.2"], Options::default(), u16::MAX);
    let fin = Header { flags: Flags::FIN | Flags::ACK, sequence: ack.sequence.plus(100), ..ack };
    pair.inject(TWO, forged(fin, b""));
    let (answer, payload) = pair.last_sent(TWO);
    assert_eq!((answer.flags, answer.acknowledgment, payload), (Flags::ACK, ack.sequence, 0));
    let sent = pair.sent.len();
    pair.inject(TWO, forged(ack, b""));
    assert_eq!(pair.sent.len(), sent, "an acknowledgment gets none");
}
