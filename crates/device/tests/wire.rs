//! The wire: when frames arrive, in which order, and what is dropped.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use framewise_core::buf::InterfaceId;
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, Instant, Rng};
use framewise_device::{ImpairmentConfig, PortId, Wire, WireConfig, WireEvent};

const MS: Duration = Duration::from_millis(1);

fn station(number: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, number]
}

/// A frame of `length` bytes whose last byte is `mark`.
fn frame(to: [u8; 6], from: [u8; 6], length: usize, mark: u8) -> Frame {
    let mut bytes = [&to[..], &from[..], &[0x88, 0xb5]].concat();
    bytes.resize(length, mark);
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0))
}

fn plain(length: usize, mark: u8) -> Frame {
    frame(station(2), station(1), length, mark)
}

fn wire(config: WireConfig) -> (Wire, PortId, PortId) {
    let mut wire = Wire::new(config, Rng::from_seed(1));
    let ports = (wire.attach(), wire.attach());
    (wire, ports.0, ports.1)
}

/// Everything that arrives, with its time, port and last byte.
fn drain(wire: &mut Wire) -> Vec<(Instant, PortId, u8)> {
    let mut arrivals = Vec::new();
    while let Some(at) = wire.poll_timeout() {
        while let Some((port, frame)) = wire.poll(at) {
            arrivals.push((at, port, *frame.last().unwrap()));
        }
    }
    arrivals
}

fn drops(wire: &mut Wire) -> Vec<&'static str> {
    std::iter::from_fn(|| wire.poll_event())
        .filter_map(|event| match event {
            WireEvent::Dropped { reason, .. } => Some(reason),
            _ => None,
        })
        .collect()
}

#[test]
fn a_frame_takes_its_bits_divided_by_the_rate_and_then_the_delay() {
    let (mut wire, me, you) = wire(WireConfig {
        rate: Some(8_000_000), // One byte per microsecond.
        delay: MS,
        ..WireConfig::default()
    });
    wire.send(me, plain(1_000, 1), Instant::ZERO);
    wire.send(me, plain(30, 2), Instant::ZERO);
    // 1,000 bytes and the 24 of preamble, check sequence and gap; the short one counts as 60 and waits for the first.
    let first = Instant::from_micros(1_024) + MS;
    let second = first + Duration::from_micros(84);
    assert_eq!(drain(&mut wire), [(first, you, 1), (second, you, 2)]);
}

#[test]
fn nothing_arrives_before_its_time() {
    let (mut wire, me, _) = wire(WireConfig::default());
    wire.send(me, plain(60, 1), Instant::ZERO);
    let arrival = wire.poll_timeout().unwrap();
    assert!(wire.poll(Instant::from_nanos(arrival.as_nanos() - 1)).is_none());
    assert!(wire.poll(arrival).is_some());
    assert_eq!(wire.poll_timeout(), None);
}

#[test]
fn frames_that_arrive_at_one_time_keep_the_order_of_sending() {
    let (mut wire, me, you) = wire(WireConfig { rate: None, ..WireConfig::default() });
    for mark in 0..10 {
        let sender = if mark % 2 == 0 { me } else { you };
        wire.send(sender, plain(60, mark), Instant::ZERO);
    }
    let marks: Vec<u8> = drain(&mut wire).into_iter().map(|(.., mark)| mark).collect();
    assert_eq!(marks, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_full_queue_drops_and_says_so() {
    let (mut wire, me, _) = wire(WireConfig { rate: Some(8_000_000), queue: 2, ..WireConfig::default() });
    for mark in 0..3 {
        wire.send(me, plain(60, mark), Instant::ZERO);
    }
    assert!(!wire.has_room(me, Instant::ZERO));
    assert_eq!(wire.counters(me).drops("queue full"), 1);
    assert_eq!(drops(&mut wire), ["queue full"]);
    // After the first has left there is room again.
    let later = Instant::from_micros(84);
    assert!(wire.has_room(me, later));
    wire.send(me, plain(60, 9), later);
    assert_eq!(drain(&mut wire).len(), 3);
}

#[test]
fn a_frame_longer_than_the_mtu_is_dropped() {
    let (mut wire, me, you) = wire(WireConfig::default());
    wire.send(me, plain(1_518, 1), Instant::ZERO);
    wire.send(me, plain(1_519, 2), Instant::ZERO);
    assert_eq!(drain(&mut wire).len(), 1);
    assert_eq!(wire.counters(me).drops("longer than the MTU"), 1);
    assert_eq!((wire.counters(me).sent, wire.counters(you).received), (1, 1));
}

#[test]
fn a_link_that_is_down_loses_what_is_sent_and_what_is_under_way() {
    let (mut wire, me, you) = wire(WireConfig::default());
    wire.send(me, plain(60, 1), Instant::ZERO);
    wire.set_link(you, false);
    wire.send(you, plain(60, 2), Instant::ZERO);
    assert_eq!(drain(&mut wire), []);
    assert_eq!(drops(&mut wire), ["link down", "link down"]);
    wire.set_link(you, true);
    wire.send(me, plain(60, 3), Instant::ZERO);
    assert_eq!(drain(&mut wire).len(), 1);
}

#[test]
fn three_stations_hang_on_a_switch() {
    let (mut wire, a, b) = wire(WireConfig::default());
    let c = wire.attach();
    let send = |wire: &mut Wire, port, to, from, mark| {
        wire.send(port, frame(station(to), station(from), 60, mark), Instant::ZERO);
        drain(wire).into_iter().map(|(_, port, _)| port).collect::<Vec<_>>()
    };
    assert_eq!(send(&mut wire, a, 2, 1, 0), [b, c], "nobody knows 2 yet");
    assert_eq!(send(&mut wire, b, 1, 2, 1), [a], "1 was heard at a");
    assert_eq!(send(&mut wire, a, 2, 1, 2), [b], "2 was heard at b");
    assert_eq!(send(&mut wire, c, 2, 2, 3), [], "c takes the address of b: that frame is for its own port");
    let moved = std::iter::from_fn(|| wire.poll_event()).find_map(|event| match event {
        WireEvent::Moved(moved) => Some((moved.from, moved.to)),
        _ => None,
    });
    assert_eq!(moved, Some((b, c)));
}

#[test]
fn the_receiver_does_not_see_the_senders_label() {
    let (mut wire, me, _) = wire(WireConfig::default());
    let mut sent = plain(60, 1);
    sent.label_mut().interface = InterfaceId(3);
    sent.label_mut().hop_limit = Some(7);
    wire.send(me, sent, Instant::ZERO);
    let (_, frame) = wire.poll(Instant::FAR_FUTURE).unwrap();
    assert_eq!(frame.label(), &framewise_core::buf::Label::default());
}

/// What arrives of 500 frames sent over a wire where everything goes wrong.
fn bad_run(seed: u64) -> Vec<(u64, Vec<u8>)> {
    let config = WireConfig {
        impairment: ImpairmentConfig {
            loss: 0.1,
            duplication: 0.1,
            reordering: 0.1,
            bit_corruption: 0.1,
            byte_corruption: 0.1,
            word_swaps: 0.1,
            jitter: MS,
            ..ImpairmentConfig::default()
        },
        ..WireConfig::default()
    };
    let mut wire = Wire::new(config, Rng::from_seed(seed));
    let (me, you) = (wire.attach(), wire.attach());
    for n in 0..500u64 {
        let sender = if n % 3 == 0 { you } else { me };
        wire.send(sender, plain(100, n as u8), Instant::from_micros(n * 50));
    }
    let mut arrivals = Vec::new();
    while let Some(at) = wire.poll_timeout() {
        while let Some((_, frame)) = wire.poll(at) {
            arrivals.push((at.as_nanos(), frame.to_vec()));
        }
    }
    arrivals
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_gives_another() {
    assert_eq!(bad_run(7), bad_run(7));
    assert_ne!(bad_run(7), bad_run(8));
}
