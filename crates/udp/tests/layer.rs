//! The layer by its two seams: ports, queues, source addresses, errors.

use std::net::{IpAddr, SocketAddr};

use framewise_core::buf::ChecksumState;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::segment::{
    ErrorKind, Segment, SegmentControl, SegmentDown, SegmentError, SegmentEvent, SegmentUp, SourceRoute, UDP,
};
use framewise_core::{Buf, Counters, Cx, Instant, Layer};
use framewise_udp::{Config, DatagramView, Header, Udp};
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn socket(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

/// A UDP layer with its counters, whose clock stands still: UDP has no timers.
struct Rig {
    udp: Udp,
    counters: Counters,
}

impl Rig {
    fn new(config: Config) -> Self {
        Rig { udp: Udp::new(config), counters: Counters::default() }
    }

    fn bound(port: u16) -> Self {
        let mut rig = Rig::new(Config::default());
        rig.down(DatagramDown::Bind { port });
        rig
    }

    fn down(&mut self, message: DatagramDown) {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.udp.handle_outbound(message, &mut cx);
    }

    fn up(&mut self, message: SegmentUp) {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.udp.handle_inbound(message, &mut cx);
    }

    fn send(&mut self, port: u16, local: Option<&str>, remote: &str) {
        self.down(DatagramDown::Send(Datagram {
            port,
            local: local.map(ip),
            remote: socket(remote),
            data: "hello".into(),
        }));
    }

    fn route(&mut self, destination: &str, source: Option<&str>) {
        let route = source.map(|source| SourceRoute { source: ip(source), mtu: 1500 });
        self.up(SegmentUp::Event(Box::new(SegmentEvent::Source {
            destination: ip(destination),
            protocol: UDP,
            route,
        })));
    }

    fn outbound(&mut self) -> Option<SegmentDown> {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.udp.poll_outbound(&mut cx)
    }

    fn inbound(&mut self) -> Option<DatagramUp> {
        let mut cx = Cx::new(Instant::ZERO, &mut self.counters);
        self.udp.poll_inbound(&mut cx)
    }

    fn question(&mut self) -> IpAddr {
        match self.outbound() {
            Some(SegmentDown::Control(control)) => match *control {
                SegmentControl::Source { destination, .. } => destination,
                other => panic!("expected a question for a source address, got {other:?}"),
            },
            other => panic!("expected a question for a source address, got {other:?}"),
        }
    }

    fn segment(&mut self) -> Segment {
        match self.outbound() {
            Some(SegmentDown::Segment(segment)) => segment,
            other => panic!("expected a segment, got {other:?}"),
        }
    }

    fn drops(&self, reason: &str) -> u64 {
        self.counters.drops("udp", reason)
    }
}

fn datagram(source: &str, destination: &str, data: &[u8]) -> Segment {
    let (source, destination) = (socket(source), socket(destination));
    let mut buf = Buf::copy_from_slice(data);
    let header = Header { source_port: source.port(), destination_port: destination.port() };
    header.emit(&mut buf, source.ip(), destination.ip()).expect("it fits");
    Segment::new(buf, source.ip(), destination.ip(), UDP)
}

#[test]
fn ip_is_asked_once_for_the_source_address_of_a_destination() {
    let mut rig = Rig::bound(4000);
    rig.send(4000, None, "203.0.113.80:53");
    rig.send(4000, None, "203.0.113.80:54");
    assert_eq!(rig.question(), ip("203.0.113.80"));
    assert!(rig.outbound().is_none(), "nothing leaves before the answer");

    rig.route("203.0.113.80", Some("192.0.2.10"));
    for port in [53, 54] {
        let segment = rig.segment();
        assert_eq!(segment.source(), ip("192.0.2.10"));
        assert_eq!(segment.protocol(), UDP);
        let view = DatagramView::parse(&segment).unwrap();
        assert_eq!((view.destination_port(), view.data()), (port, &b"hello"[..]));
        assert_eq!(view.verify(segment.source(), segment.destination()), Ok(()));
    }
    assert!(rig.outbound().is_none());
}

#[test]
fn a_destination_without_an_answer_delays_no_other() {
    let mut rig = Rig::bound(4000);
    rig.send(4000, None, "203.0.113.1:53");
    rig.send(4000, None, "203.0.113.2:53");
    assert_eq!(rig.question(), ip("203.0.113.1"));
    assert_eq!(rig.question(), ip("203.0.113.2"));
    rig.route("203.0.113.2", Some("192.0.2.10"));
    assert_eq!(rig.segment().destination(), ip("203.0.113.2"));
    assert!(rig.outbound().is_none());
}

#[test]
fn without_a_route_the_sender_is_told() {
    let mut rig = Rig::bound(4000);
    rig.send(4000, None, "203.0.113.80:53");
    rig.question();
    rig.route("203.0.113.80", None);
    assert_eq!(
        rig.inbound(),
        Some(DatagramUp::Unreachable { port: 4000, remote: socket("203.0.113.80:53"), kind: None })
    );
    assert!(rig.outbound().is_none());
}

#[test]
fn what_cannot_be_sent_is_dropped_with_its_reason() {
    let mut rig = Rig::new(Config { outbound: 1, ..Config::default() });
    rig.down(DatagramDown::Bind { port: 4000 });
    rig.send(4001, None, "203.0.113.80:53");
    assert_eq!(rig.drops("sent from a port that is not bound"), 1);
    rig.send(4000, None, "203.0.113.80:0");
    assert_eq!(rig.drops("destination port 0"), 1);
    rig.send(4000, Some("2001:db8::1"), "203.0.113.80:53");
    assert_eq!(rig.drops("addresses of different families"), 1);
    rig.down(DatagramDown::Send(Datagram {
        port: 4000,
        local: None,
        remote: socket("203.0.113.80:53"),
        data: vec![0; 65_508].into(),
    }));
    assert_eq!(rig.drops("datagram too long"), 1);
    rig.send(4000, None, "203.0.113.80:53");
    rig.send(4000, None, "203.0.113.80:53");
    assert_eq!(rig.drops("outbound queue full"), 1);
}

#[test]
fn the_longest_datagram_of_each_family_leaves_and_arrives() {
    for (local, remote, most) in
        [("192.0.2.10", "203.0.113.80:53", 65_507), ("2001:db8::1", "[2001:db8::80]:53", 65_527)]
    {
        let mut rig = Rig::bound(4000);
        rig.down(DatagramDown::Send(Datagram {
            port: 4000,
            local: Some(ip(local)),
            remote: socket(remote),
            data: vec![7; most].into(),
        }));
        let segment = rig.segment();
        assert_eq!(segment.len(), most + 8);
        let mut peer = Rig::bound(53);
        peer.up(SegmentUp::Segment(segment));
        match peer.inbound() {
            Some(DatagramUp::Datagram(arrived)) => assert_eq!(arrived.data.len(), most),
            other => panic!("expected the datagram, got {other:?}"),
        }
    }
}

#[test]
fn a_datagram_reaches_its_port_with_both_addresses() {
    let mut rig = Rig::bound(4000);
    rig.up(SegmentUp::Segment(datagram("[2001:db8::2]:53", "[2001:db8::1]:4000", b"hello")));
    assert_eq!(
        rig.inbound(),
        Some(DatagramUp::Datagram(Datagram {
            port: 4000,
            local: Some(ip("2001:db8::1")),
            remote: socket("[2001:db8::2]:53"),
            data: "hello".into(),
        }))
    );
    assert_eq!(rig.inbound(), None);
    assert_eq!(rig.counters.total(), 0);
}

#[test]
fn a_full_queue_drops_the_newest_and_hurts_no_other_port() {
    let mut rig = Rig::new(Config { inbound: 2, ..Config::default() });
    rig.down(DatagramDown::Bind { port: 4000 });
    rig.down(DatagramDown::Bind { port: 4001 });
    for data in [b"1", b"2", b"3"] {
        rig.up(SegmentUp::Segment(datagram("192.0.2.1:9", "192.0.2.10:4000", data)));
    }
    rig.up(SegmentUp::Segment(datagram("192.0.2.1:9", "192.0.2.10:4001", b"4")));
    assert_eq!(rig.drops("port's queue full"), 1);
    let arrived: Vec<_> = std::iter::from_fn(|| rig.inbound())
        .map(|up| match up {
            DatagramUp::Datagram(datagram) => datagram.data[0],
            other => panic!("expected a datagram, got {other:?}"),
        })
        .collect();
    assert_eq!(arrived, [b'1', b'2', b'4'], "in the order of arrival");
    rig.up(SegmentUp::Segment(datagram("192.0.2.1:9", "192.0.2.10:4000", b"5")));
    assert!(rig.inbound().is_some(), "fetching made room");
}

#[test]
fn a_closed_port_is_refused_with_the_datagram_quoted() {
    let mut rig = Rig::bound(4000);
    let arrived = datagram("192.0.2.1:9", "192.0.2.10:4001", b"hello");
    let bytes = arrived.to_vec();
    rig.up(SegmentUp::Segment(arrived));
    match rig.outbound() {
        Some(SegmentDown::Control(control)) => match *control {
            SegmentControl::PortUnreachable(quoted) => assert_eq!(quoted[..], bytes[..]),
            other => panic!("expected a refusal, got {other:?}"),
        },
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(rig.drops("nobody has bound the port"), 1);
}

#[test]
fn nobody_is_told_about_a_group_or_a_broadcast() {
    let mut rig = Rig::bound(4000);
    for destination in ["224.0.0.251:5353", "255.255.255.255:67", "[ff02::fb]:5353"] {
        let source = if destination.starts_with('[') { "[fe80::1]:9" } else { "192.0.2.1:9" };
        rig.up(SegmentUp::Segment(datagram(source, destination, b"?")));
    }
    assert!(rig.outbound().is_none());
    assert_eq!(rig.drops("nobody has bound the port"), 3);
}

#[test]
fn a_flood_for_closed_ports_keeps_few_refusals() {
    let mut rig = Rig::new(Config::default());
    for port in 1..=1000 {
        let destination = format!("192.0.2.10:{port}");
        rig.up(SegmentUp::Segment(datagram("192.0.2.1:9", &destination, b"?")));
    }
    let refusals = std::iter::from_fn(|| rig.outbound()).count();
    assert_eq!(refusals, Config::default().refusals);
    assert_eq!(rig.drops("nobody has bound the port"), 1000);
}

#[test]
fn ports_are_bound_once_and_within_the_limit() {
    let mut rig = Rig::new(Config { ports: 2, ..Config::default() });
    for (port, failed) in [(0, true), (1, false), (1, true), (2, false), (3, true)] {
        rig.down(DatagramDown::Bind { port });
        let expected = failed.then_some(DatagramUp::BindFailed { port });
        assert_eq!(rig.inbound(), expected, "port {port}");
    }
    rig.down(DatagramDown::Unbind { port: 1 });
    rig.down(DatagramDown::Bind { port: 3 });
    assert_eq!(rig.inbound(), None, "a port given back makes room");
}

#[test]
fn giving_a_port_back_drops_what_waits_there_visibly() {
    let mut rig = Rig::bound(4000);
    rig.up(SegmentUp::Segment(datagram("192.0.2.1:9", "192.0.2.10:4000", b"late")));
    rig.down(DatagramDown::Unbind { port: 4000 });
    assert_eq!(rig.inbound(), None);
    assert_eq!(rig.drops("port given back before it was fetched"), 1);
    rig.down(DatagramDown::Bind { port: 4000 });
    assert_eq!(rig.inbound(), None, "the next to bind it gets nothing old");
}

fn error(port: u16, remote: &str, quoted: usize) -> SegmentUp {
    let remote = socket(remote);
    let mut bytes = [port.to_be_bytes(), remote.port().to_be_bytes()].concat();
    bytes.truncate(quoted);
    SegmentUp::Event(Box::new(SegmentEvent::Error(SegmentError {
        kind: ErrorKind::PortUnreachable,
        source: ip("192.0.2.10"),
        destination: remote.ip(),
        protocol: UDP,
        quoted: bytes,
        reporter: remote.ip(),
    })))
}

#[test]
fn an_error_reaches_the_port_that_wrote_what_it_quotes() {
    let mut rig = Rig::bound(4000);
    rig.send(4000, Some("192.0.2.10"), "203.0.113.80:53");
    rig.segment();
    rig.up(error(4000, "203.0.113.80:53", 4));
    assert_eq!(
        rig.inbound(),
        Some(DatagramUp::Unreachable {
            port: 4000,
            remote: socket("203.0.113.80:53"),
            kind: Some(ErrorKind::PortUnreachable)
        })
    );
}

#[test]
fn an_error_about_what_was_never_sent_is_not_believed() {
    let mut rig = Rig::bound(4000);
    rig.send(4000, Some("192.0.2.10"), "203.0.113.80:53");
    rig.segment();
    rig.up(error(4001, "203.0.113.80:53", 4));
    rig.up(error(4000, "203.0.113.80:54", 4));
    rig.up(error(4000, "203.0.113.81:53", 4));
    assert_eq!(rig.drops("error about nothing we sent"), 3);
    rig.up(error(4000, "203.0.113.80:53", 3));
    assert_eq!(rig.drops("error quotes too little"), 1);
    assert_eq!(rig.inbound(), None);
}

#[test]
fn a_damaged_datagram_is_dropped_unless_the_device_vouches_for_it() {
    let mut rig = Rig::bound(4000);
    for (state, drops) in [
        (ChecksumState::Complete, 1),
        (ChecksumState::Verified, 1),
        (ChecksumState::Partial { start: 160, field: 6 }, 1),
    ] {
        let mut segment = datagram("192.0.2.1:9", "192.0.2.10:4000", b"hello");
        segment[6] ^= 0xff;
        segment.label_mut().offload.checksum = state;
        rig.up(SegmentUp::Segment(segment));
        assert_eq!(rig.drops("checksum wrong"), drops, "{state:?}");
    }
    assert_eq!(std::iter::from_fn(|| rig.inbound()).count(), 2);
}

#[test]
fn only_protocol_17_is_accepted() {
    let rig = Rig::bound(4000);
    let mut segment = datagram("192.0.2.1:9", "192.0.2.10:4000", b"hello");
    assert!(rig.udp.accepts(&SegmentUp::Segment(segment.clone())));
    segment.label_mut().protocol = 6;
    assert!(!rig.udp.accepts(&SegmentUp::Segment(segment)));
}

#[test]
fn events_that_nobody_fetches_stay_bounded() {
    let mut rig = Rig::new(Config::default());
    for _ in 0..10_000 {
        rig.down(DatagramDown::Bind { port: 0 });
    }
    let told = std::iter::from_fn(|| rig.inbound()).count();
    assert_eq!(told as u64 + rig.drops("too many events wait"), 10_000);
    assert!(told < 1_000, "told {told} times");
}

proptest! {
    #[test]
    fn arbitrary_segments_are_delivered_refused_or_dropped(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        source: [u8; 4],
        destination: [u8; 4],
        port: u16,
    ) {
        let mut rig = Rig::bound(port.max(1));
        let segment = Segment::new(Buf::copy_from_slice(&bytes), source.into(), destination.into(), UDP);
        rig.up(SegmentUp::Segment(segment));
        let delivered = std::iter::from_fn(|| rig.inbound()).count() as u64;
        prop_assert_eq!(delivered + rig.counters.total(), 1, "delivered or counted, once");
    }
}
