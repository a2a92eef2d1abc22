//! A host's IP layer on virtual time, with the steps it went through: a failure prints them.
#![allow(dead_code)] // Each test file uses its own part of this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::checksum::{Sum, checksum};
use framewise_core::observe::{Counters, Note, Observer};
use framewise_core::seams::packet::{LinkControl, LinkEvent, Packet, PacketDown, PacketUp};
use framewise_core::seams::segment::{
    Segment, SegmentControl, SegmentDown, SegmentError, SegmentEvent, SegmentUp, SourceRoute, UDP,
};
use framewise_core::{Buf, Cx, Instant, Layer, MacAddr, Rng};
use framewise_ip::{Config, InterfaceConfig, Ip, Ipv4Header, Ipv6Header, icmpv6, ndp};

pub(crate) const LINK: InterfaceId = InterfaceId(0);
pub(crate) const OTHER_LINK: InterfaceId = InterfaceId(1);

pub(crate) fn v4(text: &str) -> Ipv4Addr {
    text.parse().expect("an IPv4 address in a test")
}

pub(crate) fn v6(text: &str) -> Ipv6Addr {
    text.parse().expect("an IPv6 address in a test")
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address in a test")
}

pub(crate) fn mac(last: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, last])
}

pub(crate) fn interface(last: u8, addresses: &[&str]) -> InterfaceConfig {
    InterfaceConfig::new(mac(last), addresses.iter().map(|text| text.parse().expect("a CIDR in a test")))
}

/// `192.0.2.10`, `2001:db8::10` and `fe80::ff:fe00:a`, behind the routers `192.0.2.1` and `2001:db8::1`.
pub(crate) fn host_config() -> Config {
    Config { interfaces: vec![interface(10, &["192.0.2.10/24", "2001:db8::10/64"])], ..Config::default() }
        .with_gateway(ip("192.0.2.1"))
        .with_gateway(ip("2001:db8::1"))
}

/// Between `192.0.2.0/24`, `2001:db8::/64` and `198.51.100.0/24`, `2001:db8:1::/64`.
pub(crate) fn router_config() -> Config {
    Config {
        interfaces: vec![
            interface(1, &["192.0.2.1/24", "2001:db8::1/64"]),
            interface(2, &["198.51.100.1/24", "2001:db8:1::1/64"]),
        ],
        forwarding: true,
        ..Config::default()
    }
}

#[derive(Default)]
struct Ear(Vec<Note>);

impl Observer for Ear {
    fn noted(&mut self, note: &Note) {
        self.0.push(note.clone());
    }
}

/// One IP layer, what it said, and what was done with it.
pub(crate) struct Script {
    pub(crate) layer: Ip,
    pub(crate) now: Instant,
    pub(crate) counters: Counters,
    ear: Ear,
    down: Vec<PacketDown>,
    up: Vec<SegmentUp>,
    steps: Vec<String>,
}

impl Script {
    pub(crate) fn new(config: Config) -> Self {
        Self::seeded(config, 7)
    }

    pub(crate) fn host() -> Self {
        let mut script = Self::new(host_config());
        script.start();
        script
    }

    pub(crate) fn router() -> Self {
        let mut script = Self::new(router_config());
        script.start();
        script
    }

    pub(crate) fn seeded(config: Config, seed: u64) -> Self {
        Script {
            layer: Ip::new(config, Rng::from_seed(seed)),
            now: Instant::ZERO,
            counters: Counters::default(),
            ear: Ear::default(),
            down: Vec::new(),
            up: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn call(&mut self, step: String, act: impl FnOnce(&mut Ip, &mut Cx)) {
        self.steps.push(format!("{}: {step}", self.now));
        let mut cx = Cx::observed(self.now, &mut self.counters, &mut self.ear);
        act(&mut self.layer, &mut cx);
        while let Some(message) = self.layer.poll_outbound(&mut cx) {
            self.down.push(message);
        }
        while let Some(message) = self.layer.poll_inbound(&mut cx) {
            self.up.push(message);
        }
    }

    /// The first poll, and what it says is left out of what follows.
    pub(crate) fn start(&mut self) {
        self.call("the layer starts".to_owned(), |_, _| {});
        self.down.clear();
    }

    /// Time passes: each timer rings when it is due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.layer.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.call("a timer rings".to_owned(), |layer, cx| layer.handle_timeout(cx));
            let next = self.layer.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "{}\na timer that rang must be later, was {next:?}",
                self.told()
            );
        }
        self.now = end;
    }

    /// This packet comes from the link, in a frame to our own MAC address.
    pub(crate) fn receive(&mut self, what: &str, packet: &[u8]) {
        self.receive_on(LINK, what, packet);
    }

    pub(crate) fn receive_on(&mut self, interface: InterfaceId, what: &str, packet: &[u8]) {
        let packet = Packet::new(Buf::copy_from_slice(packet), interface, NextHop::Neighbour(ip("0.0.0.0")));
        self.call(format!("receives {what}"), |layer, cx| layer.handle_inbound(PacketUp::Packet(packet), cx));
    }

    /// This packet comes in a frame to a group.
    pub(crate) fn receive_group(&mut self, what: &str, packet: &[u8]) {
        let packet = Packet::new(Buf::copy_from_slice(packet), LINK, NextHop::Multicast(ip("0.0.0.0")));
        self.call(format!("receives in a group frame {what}"), |layer, cx| {
            layer.handle_inbound(PacketUp::Packet(packet), cx);
        });
    }

    pub(crate) fn event(&mut self, event: LinkEvent) {
        self.call(format!("hears {event:?}"), |layer, cx| {
            layer.handle_inbound(PacketUp::Event(Box::new(event)), cx)
        });
    }

    pub(crate) fn send(&mut self, source: &str, destination: &str, protocol: u8, bytes: &[u8]) {
        let segment = Segment::new(Buf::copy_from_slice(bytes), ip(source), ip(destination), protocol);
        self.send_segment(segment);
    }

    pub(crate) fn send_segment(&mut self, segment: Segment) {
        let step = format!("sends {} bytes to {}", segment.len(), segment.destination());
        self.call(step, |layer, cx| layer.handle_outbound(SegmentDown::Segment(segment), cx));
    }

    pub(crate) fn control(&mut self, control: SegmentControl) {
        self.call("is asked by the transport".to_owned(), |layer, cx| {
            layer.handle_outbound(SegmentDown::Control(Box::new(control)), cx);
        });
    }

    pub(crate) fn source(&mut self, destination: &str) -> Option<SourceRoute> {
        self.source_of(UDP, destination)
    }

    pub(crate) fn source_of(&mut self, protocol: u8, destination: &str) -> Option<SourceRoute> {
        self.control(SegmentControl::Source { destination: ip(destination), protocol });
        match self.next_event("the answer about the source") {
            SegmentEvent::Source { route, .. } => route,
            other => panic!("{}\nshould have had the source, but was {other:?}", self.told()),
        }
    }

    /// The steps so far, for a failure.
    pub(crate) fn told(&self) -> String {
        let mut told = String::from("what happened:\n");
        for (number, step) in self.steps.iter().enumerate() {
            told.push_str(&format!("  {}. {step}\n", number + 1));
        }
        let drops: Vec<String> =
            self.counters.iter().map(|(_, reason, n)| format!("{reason} ({n})")).collect();
        told + &format!("dropped: {}", drops.join(", "))
    }

    pub(crate) fn packet(&mut self, expected: &str) -> Packet {
        match self.take_down() {
            Some(PacketDown::Packet(packet)) => packet,
            other => panic!("{}\nshould have sent {expected}, but was {other:?}", self.told()),
        }
    }

    pub(crate) fn link_control(&mut self, expected: &str) -> LinkControl {
        match self.take_down() {
            Some(PacketDown::Control(control)) => *control,
            other => panic!("{}\nshould have told Ethernet {expected}, but was {other:?}", self.told()),
        }
    }

    fn take_down(&mut self) -> Option<PacketDown> {
        (!self.down.is_empty()).then(|| self.down.remove(0))
    }

    pub(crate) fn packets(&mut self) -> Vec<Packet> {
        let down = std::mem::take(&mut self.down);
        let packets = down.into_iter().filter_map(|message| match message {
            PacketDown::Packet(packet) => Some(packet),
            PacketDown::Control(_) => None,
        });
        packets.collect()
    }

    pub(crate) fn segment(&mut self, expected: &str) -> Segment {
        match (!self.up.is_empty()).then(|| self.up.remove(0)) {
            Some(SegmentUp::Segment(segment)) => segment,
            other => panic!("{}\nshould have brought up {expected}, but was {other:?}", self.told()),
        }
    }

    pub(crate) fn next_event(&mut self, expected: &str) -> SegmentEvent {
        match (!self.up.is_empty()).then(|| self.up.remove(0)) {
            Some(SegmentUp::Event(event)) => *event,
            other => panic!("{}\nshould have told {expected}, but was {other:?}", self.told()),
        }
    }

    pub(crate) fn error(&mut self, expected: &str) -> SegmentError {
        match self.next_event(expected) {
            SegmentEvent::Error(error) => error,
            other => panic!("{}\nshould have told {expected}, but was {other:?}", self.told()),
        }
    }

    pub(crate) fn said(&self) -> usize {
        self.down.len() + self.up.len()
    }

    /// Nothing was said in either direction.
    pub(crate) fn is_silent(&self) {
        assert!(
            self.said() == 0,
            "{}\nshould be silent, but said {:?} {:?}",
            self.told(),
            self.down,
            self.up
        );
    }

    pub(crate) fn dropped(&self, reason: &str, times: u64) {
        let found = self.counters.drops("ip", reason);
        assert!(
            found == times,
            "{}\nshould have dropped {times} for {reason:?}, but was {found}",
            self.told()
        );
    }

    /// Exactly this drop, and not a word.
    pub(crate) fn only_dropped(&self, reason: &str) {
        self.dropped(reason, 1);
        assert_eq!(self.counters.total(), 1, "{}", self.told());
        self.is_silent();
    }

    pub(crate) fn noted(&self, topic: &str) -> Option<&str> {
        self.ear.0.iter().find(|note| note.topic == topic).map(|note| note.text.as_str())
    }
}

/// An IPv4 header to be changed before use.
pub(crate) fn header4(source: &str, destination: &str, protocol: u8) -> Ipv4Header {
    Ipv4Header {
        header_len: 20,
        traffic_class: 0,
        total_len: 0,
        identification: 77,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        time_to_live: 64,
        protocol,
        source: v4(source),
        destination: v4(destination),
    }
}

/// A packet with this header, its lengths and checksum made right.
pub(crate) fn packet4(header: Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let total_len = header.header_len + payload.len();
    let mut bytes = vec![0; header.header_len];
    Ipv4Header { total_len, ..header }.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

pub(crate) fn udp4(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    packet4(header4(source, destination, UDP), payload)
}

pub(crate) fn header6(source: &str, destination: &str, next_header: u8) -> Ipv6Header {
    Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: 0,
        next_header,
        hop_limit: 64,
        source: v6(source),
        destination: v6(destination),
    }
}

pub(crate) fn packet6(header: Ipv6Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    Ipv6Header { payload_len: payload.len(), ..header }.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

pub(crate) fn icmp4(source: &str, destination: &str, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[2..4].fill(0);
    let sum = checksum(&message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    packet4(header4(source, destination, 1), &message)
}

pub(crate) fn icmp6(source: &str, destination: &str, hop_limit: u8, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[2..4].fill(0);
    let mut sum = Sum::default();
    sum.add_pseudo_header(ip(source), ip(destination), 58, message.len());
    sum.add(&message);
    let sum = sum.checksum().to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    packet6(Ipv6Header { hop_limit, ..header6(source, destination, 58) }, &message)
}

/// A neighbour solicitation as it stands on the wire.
pub(crate) fn solicitation(source: &str, destination: &str, target: &str, from: Option<MacAddr>) -> Vec<u8> {
    let buf = ndp::emit_neighbour_solicitation(v6(target), from, v6(source), v6(destination));
    packet6(Ipv6Header { hop_limit: 255, ..header6(source, destination, 58) }, &buf)
}

pub(crate) fn advertisement(source: &str, destination: &str, target: &str, mac: MacAddr) -> Vec<u8> {
    let flags =
        ndp::AdvertisementFlags { router: false, solicited: destination.starts_with("20"), replace: true };
    let buf = ndp::emit_neighbour_advertisement(v6(target), mac, flags, v6(source), v6(destination));
    packet6(Ipv6Header { hop_limit: 255, ..header6(source, destination, 58) }, &buf)
}

/// The ICMPv6 type of a packet without extension headers, whose checksum must be right.
pub(crate) fn icmpv6_type(packet: &[u8]) -> u8 {
    let header = Ipv6Header::parse(packet).expect("an IPv6 packet");
    assert_eq!(header.next_header, 58, "should be ICMPv6");
    icmpv6::Icmpv6::parse(&packet[40..], header.source, header.destination).expect("a valid message");
    packet[40]
}
