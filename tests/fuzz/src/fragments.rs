//! Fragments of many packets, in any order, cut anywhere, some of them lies; what is put together is the truth.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use framewise::core::buf::{InterfaceId, NextHop};
use framewise::core::seams::packet::{Packet, PacketUp};
use framewise::core::seams::segment::{SegmentUp, UDP};
use framewise::core::{Buf, Counters, Cx, Instant, Layer, MacAddr, Rng};
use framewise::ip::{Config, FragmentHeader, InterfaceConfig, Ip, Ipv4Header, Ipv6Header};

use crate::input::Input;

/// Packets of which fragments come.
const PACKETS: usize = 16;
const MINE: [(IpAddr, u8); 2] = [
    (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 24),
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10)), 64),
];
/// Memory for all fragments together: little, so that the fuzzer soon comes to its end.
const MEMORY: usize = 64 << 10;

/// Runs the target: each eight bytes are one fragment.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut host = Host::new();
    while !input.is_empty() {
        let fragment = Fragment::read(&mut input);
        host.takes(&fragment);
    }
    host.now += Duration::from_secs(3_600);
    host.layer.handle_timeout(&mut Cx::new(host.now, &mut host.counters));
    host.listens();
    assert_eq!(host.layer.reassembly_memory(), 0, "nothing is kept for ever");
}

struct Fragment {
    packet: usize,
    offset: usize,
    length: usize,
    more: bool,
    lies: bool,
    wait: Duration,
}

impl Fragment {
    fn read(input: &mut Input<'_>) -> Self {
        let (packet, flags) = (input.byte(), input.byte());
        let (offset, length, wait) = (input.word(), input.word(), input.word());
        Fragment {
            packet: usize::from(packet) % PACKETS,
            // Mostly near the beginning, where one can meet another.
            offset: usize::from(if flags & 4 != 0 { offset } else { offset % 512 }) & !7,
            length: (usize::from(length) % 1_481) & if flags & 8 != 0 { !0 } else { !7 },
            more: flags & 1 != 0,
            lies: flags & 0xe0 == 0xe0,
            wait: Duration::from_millis(if flags & 16 != 0 { u64::from(wait) } else { 0 }),
        }
    }

    /// The true bytes of a packet differ everywhere, and from those of every other.
    fn payload(&self) -> Vec<u8> {
        let lie = if self.lies { 0xff } else { 0 };
        (0..self.length).map(|at| truth(self.packet, self.offset + at) ^ lie).collect()
    }
}

fn truth(packet: usize, at: usize) -> u8 {
    (at ^ (at >> 8).wrapping_mul(31) ^ packet.wrapping_mul(59)) as u8
}

struct Host {
    layer: Ip,
    counters: Counters,
    now: Instant,
    /// Of which packets a lie came: what is put together of these need not be true.
    lied: [bool; PACKETS],
}

impl Host {
    fn new() -> Self {
        let addresses = MINE.map(|(address, prefix)| framewise::ip::Cidr::new(address, prefix));
        let interface = InterfaceConfig::new(MacAddr::new([2, 0, 0, 0, 0, 10]), addresses);
        let mut config = Config { interfaces: vec![interface], ..Config::default() };
        config.limits.reassembly_bytes = MEMORY;
        let layer = Ip::new(config, Rng::from_seed(1));
        let mut host =
            Host { layer, counters: Counters::default(), now: Instant::ZERO, lied: [false; PACKETS] };
        host.listens();
        host
    }

    fn takes(&mut self, fragment: &Fragment) {
        self.now += fragment.wait;
        self.lied[fragment.packet] |= fragment.lies;
        let bytes = if fragment.packet.is_multiple_of(2) { ipv4(fragment) } else { ipv6(fragment) };
        let packet = Packet::new(Buf::copy_from_slice(&bytes), InterfaceId(0), NextHop::Broadcast);
        let mut cx = Cx::new(self.now, &mut self.counters);
        if self.layer.poll_timeout().is_some_and(|due| due <= self.now) {
            self.layer.handle_timeout(&mut cx);
        }
        self.layer.handle_inbound(PacketUp::Packet(packet), &mut cx);
        assert!(self.layer.reassembly_memory() <= MEMORY, "memory for fragments has a bound");
        self.listens();
    }

    /// What is put together must be of one packet's true bytes.
    fn listens(&mut self) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        while self.layer.poll_outbound(&mut cx).is_some() {}
        while let Some(up) = self.layer.poll_inbound(&mut cx) {
            let SegmentUp::Segment(segment) = up else { continue };
            let packet = number(segment.source());
            let is_true = segment.iter().enumerate().all(|(at, byte)| *byte == truth(packet, at));
            assert!(is_true || self.lied[packet], "packet {packet} was put together of others' bytes");
        }
    }
}

/// The number of a packet is the last byte of its source's address.
fn number(source: IpAddr) -> usize {
    match source {
        IpAddr::V4(source) => usize::from(source.octets()[3]) - 1,
        IpAddr::V6(source) => usize::from(source.octets()[15]) - 1,
    }
}

fn ipv4(fragment: &Fragment) -> Vec<u8> {
    let payload = fragment.payload();
    let header = Ipv4Header {
        header_len: 20,
        traffic_class: 0,
        total_len: 20 + payload.len(),
        identification: 7,
        dont_fragment: false,
        more_fragments: fragment.more,
        fragment_offset: fragment.offset,
        time_to_live: 64,
        protocol: UDP,
        source: Ipv4Addr::new(203, 0, 113, fragment.packet as u8 + 1),
        destination: Ipv4Addr::new(192, 0, 2, 10),
    };
    let mut bytes = [vec![0; 20], payload].concat();
    header.emit(&mut bytes);
    bytes
}

fn ipv6(fragment: &Fragment) -> Vec<u8> {
    let payload = fragment.payload();
    let part = FragmentHeader {
        next_header: UDP,
        fragment_offset: fragment.offset,
        more_fragments: fragment.more,
        identification: 7,
    };
    let header = Ipv6Header {
        traffic_class: 0,
        flow_label: 0,
        payload_len: FragmentHeader::LEN + payload.len(),
        next_header: 44,
        hop_limit: 64,
        source: Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, fragment.packet as u16 + 1),
        destination: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10),
    };
    let mut bytes = [vec![0; 48], payload].concat();
    header.emit(&mut bytes);
    if let Some(place) = bytes.get_mut(40..) {
        part.emit(place);
    }
    bytes
}
