//! Watching segments and explaining them.

use std::net::{IpAddr, SocketAddr};

use framewise_core::Cx;
use framewise_core::observe::{Note, Observer};
use framewise_tcp::analysis::Order;
use framewise_tcp::segment::{Flags, Header, Options, sum};
use framewise_tcp::{Flow, SeqNumber, describe};
use proptest::prelude::*;

use crate::pair::{Faults, ONE, Pair, TWO, pattern};

fn ends() -> (SocketAddr, SocketAddr) {
    ("192.0.2.10:49152".parse().unwrap(), "203.0.113.80:443".parse().unwrap())
}

fn data(sequence: u32) -> Header {
    Header { sequence: SeqNumber(sequence), flags: Flags::ACK, ..Header::default() }
}

fn flow() -> Flow {
    let (me, you) = ends();
    let mut flow = Flow::default();
    let syn = Header {
        flags: Flags::SYN,
        options: Options { window_scale: Some(3), ..Options::default() },
        ..data(u32::MAX)
    };
    assert_eq!(flow.observe(me, you, &syn, 0).order, Order::First);
    let synack = Header {
        acknowledgment: SeqNumber(0),
        flags: Flags::SYN | Flags::ACK,
        options: Options { window_scale: Some(7), ..Options::default() },
        ..data(5_000)
    };
    let facts = flow.observe(you, me, &synack, 0);
    assert_eq!((facts.order, facts.acknowledgment), (Order::First, Some(1)));
    flow
}

#[test]
fn places_are_counted_from_the_syn_across_the_wrap() {
    let (me, you) = ends();
    let mut flow = flow();
    let facts = flow.observe(me, you, &data(0), 100);
    assert_eq!((facts.sequence, facts.order, facts.in_flight), (1, Order::Next, 100));
    let ack = Header { acknowledgment: SeqNumber(60), window: 10, ..data(5_001) };
    let facts = flow.observe(you, me, &ack, 0);
    assert_eq!((facts.acknowledgment, facts.newly_acknowledged), (Some(61), 60));
    assert_eq!((facts.order, facts.window), (Order::Empty, 10 << 7));
}

#[test]
fn what_is_acknowledged_before_it_is_seen_fills_a_gap() {
    let (me, you) = ends();
    let mut flow = flow();
    for acknowledged in [50, 101] {
        let ack = Header { acknowledgment: SeqNumber(acknowledged), ..data(5_001) };
        flow.observe(you, me, &ack, 0);
    }
    assert_eq!(flow.observe(me, you, &data(0), 100).order, Order::Filling);
    let finish = Header { flags: Flags::FIN | Flags::ACK, ..data(100) };
    assert_eq!(flow.observe(me, you, &finish, 0).order, Order::Filling);
    assert_eq!(flow.observe(me, you, &finish, 0).order, Order::Again);
}

#[test]
fn gaps_repetitions_and_fillings_are_told_apart() {
    let (me, you) = ends();
    let mut flow = flow();
    let orders: Vec<_> = [(0, 100), (0, 100), (300, 100), (50, 100), (100, 200), (400, 1), (390, 20)]
        .into_iter()
        .map(|(sequence, payload)| flow.observe(me, you, &data(sequence), payload).order)
        .collect();
    let expected = [
        Order::Next,
        Order::Again,
        Order::Ahead { gap: 200 },
        Order::Filling,
        Order::Filling,
        Order::Next,
        Order::Overlap,
    ];
    assert_eq!(orders, expected);
}

/// What a watcher in between makes of a lossless transfer, and of one with losses.
#[test]
fn a_clean_run_is_all_in_order_and_a_lossy_one_is_not() {
    for (loss, clean) in [(0.0, true), (0.05, false)] {
        let mut pair = Pair::new(1);
        let (_, two) = pair.connected();
        pair.faults = Faults { loss, ..Faults::NONE };
        pair.send(TWO, two, &pattern(200_000), true);
        pair.run_for(std::time::Duration::from_secs(60));
        let (me, you) = ends();
        let mut flow = Flow::default();
        let again = pair.sent.iter().filter(|(_, by, header, payload)| {
            let (from, to) = if *by == ONE { (me, you) } else { (you, me) };
            flow.observe(from, to, header, *payload).order == Order::Again
        });
        assert_eq!(again.count() == 0, clean, "with {loss} of the segments lost");
    }
}

fn described(header: &Header, payload: &[u8], facts: bool) -> framewise_core::Description {
    let (me, you) = ends();
    let header = Header { source_port: me.port(), destination_port: you.port(), ..*header };
    let mut bytes = vec![0; header.emitted_len()];
    header.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    let checksum = sum(&bytes, me.ip(), you.ip()).checksum();
    bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
    let facts = facts.then(|| flow().observe(me, you, &header, payload.len()));
    describe(&bytes, me.ip(), you.ip(), facts.as_ref()).unwrap()
}

#[test]
fn the_walk_says_what_tcp_decided() {
    let description = described(&data(0), b"GET / HTTP/1.1", true);
    assert_eq!(description.outbound, "port 443, next in order");
    assert_eq!(description.inbound, "next in order, sum right");
    assert_eq!(description.next, "port 443: TLS");
    assert_eq!((description.header, description.payload), (0..20, 20..34));
    let values: Vec<_> = description.fields.iter().map(|field| (field.name, field.value.as_str())).collect();
    assert_eq!(values[2], ("sequence number", "+1"));
    assert_eq!(values[6], ("control bits", "ACK"));
    let bits: Vec<_> = values[7..15].iter().filter(|(_, value)| *value == "1").collect();
    assert_eq!(bits, [&("ACK", "1")]);
}

#[test]
fn damage_is_noticed_and_named() {
    let (me, you) = ends();
    let mut bytes = vec![0; HEADER];
    data(0).emit(&mut bytes);
    bytes.push(7);
    let description = describe(&bytes, me.ip(), you.ip(), None).unwrap();
    assert!(description.inbound.ends_with("sum wrong"), "{}", description.inbound);
}

#[test]
fn options_have_their_parts() {
    let (me, you) = ends();
    let sack = [Some((SeqNumber(1000), SeqNumber(2000))), None, None, None];
    let options = Options { timestamps: Some((7, 9)), sack, ..Options::default() };
    let header = Header { options, ..data(0) };
    let mut bytes = vec![0; header.emitted_len()];
    header.emit(&mut bytes);
    let description = describe(&bytes, me.ip(), you.ip(), None).unwrap();
    let parts = ["timestamp value", "timestamp echo reply", "left edge", "right edge"];
    let found = description.fields.iter().filter(|field| parts.contains(&field.name));
    let found: Vec<_> = found.map(|field| (field.bytes.clone(), field.value.as_str())).collect();
    assert_eq!(found, [(24..28, "7"), (28..32, "9"), (36..40, "1000"), (40..44, "2000")]);
}

const HEADER: usize = framewise_tcp::segment::HEADER_LEN;

proptest! {
    #[test]
    fn any_header_is_explained_within_the_walks_columns(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        from: [u8; 4],
        to: [u8; 16],
    ) {
        let mut bytes = bytes;
        if let Some(offset) = bytes.get_mut(12) {
            *offset |= 0x50;
        }
        if let Ok(description) = describe(&bytes, IpAddr::from(from), IpAddr::from(to), None) {
            prop_assert!(description.outbound.chars().count() <= 34, "{}", description.outbound);
            prop_assert!(description.inbound.chars().count() <= 34, "{}", description.inbound);
            prop_assert!(description.next.chars().count() <= 22, "{}", description.next);
            prop_assert_eq!(description.misplaced(), None, "{:#?}", description);
            prop_assert_eq!(description.unexplained(), [0; 0], "{:#?}", description);
            for field in &description.fields {
                prop_assert!(field.bytes.end <= description.header.end);
                prop_assert!(field.meaning.ends_with('.'));
            }
        }
    }

    #[test]
    fn any_segments_can_be_watched(segments: Vec<(bool, u32, u32, u8, u16)>) {
        let (me, you) = ends();
        let mut flow = Flow::default();
        for (mine, sequence, acknowledgment, flags, payload) in segments {
            let header = Header {
                acknowledgment: SeqNumber(acknowledgment),
                flags: Flags(flags),
                ..data(sequence)
            };
            let (from, to) = if mine { (me, you) } else { (you, me) };
            flow.observe(from, to, &header, payload.into());
        }
    }
}

#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn noted(&mut self, note: &Note) {
        self.0.push(format!("{}: {}", note.topic, note.text));
    }
}

#[test]
fn an_observer_hears_that_we_are_connected() {
    use framewise_core::seams::segment::SegmentUp;
    use framewise_core::{Counters, Layer};
    let mut pair = Pair::new(1);
    pair.cut();
    pair.connect(0, 443);
    let (syn, _) = pair.last_sent(ONE);
    let synack = Header {
        source_port: 443,
        destination_port: syn.source_port,
        acknowledgment: syn.sequence.plus(1),
        flags: Flags::SYN | Flags::ACK,
        ..data(9)
    };
    let mut buf = framewise_core::Buf::with_capacity(20);
    synack.emit(buf.append(20));
    let mut segment = framewise_core::seams::segment::Segment::new(
        buf,
        "192.0.2.2".parse().unwrap(),
        "192.0.2.1".parse().unwrap(),
        6,
    );
    segment.label_mut().offload.checksum = framewise_core::buf::ChecksumState::Verified;
    let mut notes = Notes::default();
    let mut counters = Counters::default();
    let mut cx = Cx::observed(pair.now, &mut counters, &mut notes);
    pair.hosts[ONE].tcp.handle_inbound(SegmentUp::Segment(segment), &mut cx);
    let expected = format!("connected: connected: my port {} to its port 443", syn.source_port);
    assert_eq!(notes.0, [expected]);
}
