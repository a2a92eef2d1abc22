//! Our headers against two parsers that others wrote, and against whatever bytes there are.

mod common;

use std::net::{Ipv4Addr, Ipv6Addr};

use common::*;
use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, TransportSlice};
use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::seams::packet::{LinkEvent, Packet, PacketUp};
use framewise_core::seams::segment::{Segment, SegmentControl, SegmentDown};
use framewise_core::{Buf, Counters, Cx, Instant, Layer, Rng};
use framewise_ip::ndp::{Envelope, Ndp};
use framewise_ip::{FragmentHeader, Ip, Ipv4Header, Ipv6Header, describe, icmpv4, icmpv6};
use pnet::packet::Packet as _;
use pnet::packet::icmpv6::Icmpv6Packet;
use pnet::packet::ipv4::{self, Ipv4Packet};
use pnet::packet::ipv6::Ipv6Packet;
use proptest::prelude::*;

fn any_v4() -> impl Strategy<Value = Ipv4Header> {
    let facts = (any::<[u8; 4]>(), any::<[u8; 4]>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u16>());
    let fragment = (any::<bool>(), any::<bool>(), 0usize..8_192, 0usize..11);
    (facts, fragment).prop_map(
        |((source, destination, protocol, ttl, class, id), (dont, more, offset, words))| Ipv4Header {
            header_len: 20 + 4 * words,
            traffic_class: class,
            total_len: 20 + 4 * words,
            identification: id,
            dont_fragment: dont,
            more_fragments: more,
            fragment_offset: 8 * offset,
            time_to_live: ttl,
            protocol,
            source: source.into(),
            destination: destination.into(),
        },
    )
}

proptest! {
    #[test]
    fn ipv4_as_others_see_it(header in any_v4(), payload in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = vec![1; header.header_len]; // options that do nothing
        let header = Ipv4Header { total_len: header.header_len + payload.len(), ..header };
        header.emit(&mut bytes);
        bytes.extend_from_slice(&payload);
        prop_assert_eq!(Ipv4Header::parse(&bytes), Ok(header));

        let theirs = Ipv4Packet::new(&bytes).expect("pnet reads it");
        prop_assert_eq!(theirs.get_checksum(), ipv4::checksum(&theirs));
        prop_assert_eq!(usize::from(theirs.get_header_length()) * 4, header.header_len);
        prop_assert_eq!(usize::from(theirs.get_total_length()), header.total_len);
        prop_assert_eq!(theirs.get_identification(), header.identification);
        prop_assert_eq!(usize::from(theirs.get_fragment_offset()) * 8, header.fragment_offset);
        prop_assert_eq!(theirs.get_flags(), u8::from(header.dont_fragment) << 1 | u8::from(header.more_fragments));
        prop_assert_eq!((theirs.get_ttl(), theirs.get_next_level_protocol().0), (header.time_to_live, header.protocol));
        prop_assert_eq!((theirs.get_source(), theirs.get_destination()), (header.source, header.destination));

        let theirs = Ipv4HeaderSlice::from_slice(&bytes).expect("etherparse reads it");
        prop_assert_eq!(theirs.header_checksum(), theirs.to_header().calc_header_checksum());
        prop_assert_eq!(theirs.slice().len(), header.header_len);
        prop_assert_eq!(theirs.more_fragments(), header.more_fragments);
    }

    #[test]
    fn ipv6_as_others_see_it(
        source: [u8; 16], destination: [u8; 16], class: u8, flow in 0u32..1 << 20,
        next_header: u8, hop_limit: u8, payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let header = Ipv6Header {
            traffic_class: class, flow_label: flow, payload_len: payload.len(), next_header, hop_limit,
            source: source.into(), destination: destination.into(),
        };
        let bytes = packet6(header, &payload);
        prop_assert_eq!(Ipv6Header::parse(&bytes), Ok(header));

        let theirs = Ipv6Packet::new(&bytes).expect("pnet reads it");
        prop_assert_eq!((theirs.get_traffic_class(), theirs.get_flow_label()), (class, flow));
        prop_assert_eq!(usize::from(theirs.get_payload_length()), payload.len());
        prop_assert_eq!((theirs.get_next_header().0, theirs.get_hop_limit()), (next_header, hop_limit));
        prop_assert_eq!((theirs.get_source(), theirs.get_destination()), (header.source, header.destination));

        let theirs = Ipv6HeaderSlice::from_slice(&bytes).expect("etherparse reads it");
        prop_assert_eq!((theirs.traffic_class(), theirs.flow_label().value()), (class, flow));
    }

    #[test]
    fn fragment_headers_as_etherparse_sees_them(next_header: u8, units in 0u16..8_192, more: bool, identification: u32) {
        let header = FragmentHeader {
            next_header, fragment_offset: usize::from(units) * 8, more_fragments: more, identification,
        };
        let mut bytes = [0; 8];
        header.emit(&mut bytes);
        let theirs = Ipv6FragmentHeaderSlice::from_slice(&bytes).expect("etherparse reads it");
        prop_assert_eq!((theirs.next_header().0, theirs.fragment_offset().value()), (next_header, units));
        prop_assert_eq!((theirs.more_fragments(), theirs.identification()), (more, identification));
    }

    #[test]
    fn icmp_as_others_see_it(
        source: [u8; 16], destination: [u8; 16], rest: [u8; 4], body in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let message = icmpv4::error(3, 4, rest, &body);
        let theirs = pnet::packet::icmp::IcmpPacket::new(&message).expect("pnet reads it");
        prop_assert_eq!(theirs.get_checksum(), pnet::packet::icmp::checksum(&theirs));

        let (source, destination) = (Ipv6Addr::from(source), Ipv6Addr::from(destination));
        let message = icmpv6::message(128, 0, rest, &body, source, destination);
        let theirs = Icmpv6Packet::new(&message).expect("pnet reads it");
        prop_assert_eq!(theirs.get_checksum(), pnet::packet::icmpv6::checksum(&theirs, &source, &destination));
        prop_assert_eq!(theirs.payload().len(), body.len() + 4);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever comes ends as a message or as a counted drop, and nothing panics.
    #[test]
    fn whatever_comes_is_accounted_for(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        version in prop::sample::select(vec![0x45u8, 0x46, 0x4f, 0x60, 0x61, 0x00]),
        protocol in prop::sample::select(vec![0u8, 1, 6, 17, 43, 44, 58, 59, 60, 200]),
        message in prop::sample::select(vec![0u8, 1, 2, 3, 8, 11, 128, 133, 134, 135, 136, 137]),
        mended: bool,
        forwarding: bool,
    ) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        if mended {
            mend(&mut bytes, protocol, message);
        }
        let mut config = router_config();
        config.forwarding = forwarding;
        config.accept_router_advertisements = true;
        let mut host = Script::new(config);
        host.start();
        let before = host.counters.total();
        let memory = host.layer.reassembly_memory();
        host.receive("arbitrary bytes", &bytes);
        let visible = host.said() > 0
            || host.counters.total() > before
            || host.layer.reassembly_memory() > memory
            || host.noted("echo").is_some()
            || host.noted("router").is_some();
        prop_assert!(visible, "{}\n{:02x?} vanished", host.told(), bytes);
        host.pass(std::time::Duration::from_secs(120));
    }

    /// The parsers and the explanations of arbitrary bytes don't panic, and keep their ranges within them.
    #[test]
    fn arbitrary_bytes_are_explained_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let envelope = Envelope { source: v6("fe80::1"), destination: v6("ff02::1"), hop_limit: 255 };
        let _ = Ndp::parse(&bytes, envelope);
        let _ = icmpv4::Icmpv4::parse(&bytes);
        let _ = icmpv6::Icmpv6::parse(&bytes, Ipv6Addr::UNSPECIFIED, Ipv6Addr::LOCALHOST);
        let explained = [
            describe(&bytes),
            framewise_ip::describe_ipv4(&bytes),
            framewise_ip::describe_ipv6(&bytes),
            framewise_ip::describe_icmp(&bytes),
            framewise_ip::describe_icmpv6(&bytes),
        ];
        for explained in explained.into_iter().flatten() {
            prop_assert!(explained.header.end <= bytes.len() && explained.payload.end <= bytes.len());
            prop_assert!(explained.outbound.chars().count() <= 34, "{}", explained.outbound);
            prop_assert!(explained.inbound.chars().count() <= 34, "{}", explained.inbound);
            prop_assert!(explained.next.chars().count() <= 22, "{}", explained.next);
            prop_assert_eq!(explained.misplaced(), None, "{:#?}", explained);
            prop_assert_eq!(explained.unexplained(), [0; 0], "{:#?}", explained);
            for field in explained.fields {
                prop_assert!(field.bytes.end <= bytes.len(), "{} at {:?}", field.name, field.bytes);
            }
        }
    }

    /// Neither does the transport's or Ethernet's arbitrary word.
    #[test]
    fn whatever_neighbours_say_is_accounted_for(
        bytes in proptest::collection::vec(any::<u8>(), 0..120), source: [u8; 4], to_us: bool, protocol: u8,
    ) {
        let mut layer = Ip::new(host_config(), Rng::from_seed(3));
        let mut counters = Counters::default();
        let mut cx = Cx::new(Instant::ZERO, &mut counters);
        let (us, them) = (v4("192.0.2.10"), Ipv4Addr::from(source));
        let (source, destination) = if to_us { (them, us) } else { (us, them) };
        let segment = || Segment::new(Buf::copy_from_slice(&bytes), source.into(), destination.into(), protocol);
        let packet = Packet::new(Buf::copy_from_slice(&bytes), InterfaceId(0), NextHop::Broadcast);
        layer.handle_outbound(SegmentDown::Segment(segment()), &mut cx);
        layer.handle_outbound(SegmentDown::Control(Box::new(SegmentControl::PortUnreachable(segment()))), &mut cx);
        layer.handle_inbound(PacketUp::Event(Box::new(LinkEvent::Unreachable { packet })), &mut cx);
        let down = std::iter::from_fn(|| layer.poll_outbound(&mut cx)).count();
        let up = std::iter::from_fn(|| layer.poll_inbound(&mut cx)).count();
        prop_assert!(down + up + counters.total() as usize >= 4, "one claim and three answers at least");
    }
}

/// Makes arbitrary bytes a packet for us with right lengths and checksums, so that they get further in.
fn mend(bytes: &mut [u8], protocol: u8, message: u8) {
    let length = bytes.len();
    if length >= 20 && bytes[0] >> 4 == 4 {
        let header_len = usize::from(bytes[0] & 15) * 4;
        let header = Ipv4Header {
            header_len,
            total_len: length,
            protocol,
            ..header4("203.0.113.80", "192.0.2.1", protocol)
        };
        if length >= header_len + 8 && protocol == 1 {
            bytes[header_len] = message;
            bytes[header_len + 2..header_len + 4].fill(0);
            let sum = framewise_core::checksum::checksum(&bytes[header_len..]);
            bytes[header_len + 2..header_len + 4].copy_from_slice(&sum.to_be_bytes());
        }
        header.emit(bytes);
    } else if length >= 48 {
        let header = Ipv6Header { hop_limit: 255, ..header6("fe80::99", "2001:db8::1", protocol) };
        if protocol == 58 {
            bytes[40] = message;
            bytes[41] = 0;
            let fixed = icmp6("fe80::99", "2001:db8::1", 255, &{
                let mut body = bytes[40..].to_vec();
                body[2..4].fill(0);
                body
            });
            bytes.copy_from_slice(&fixed);
        } else {
            Ipv6Header { payload_len: length - 40, ..header }.emit(bytes);
        }
    }
}

#[test]
fn etherparse_reads_a_whole_packet_of_ours() {
    let mut host = Script::host();
    let mut datagram = vec![0x12, 0x34, 0, 53, 0, 12, 0, 0];
    datagram.extend_from_slice(b"page");
    host.send("192.0.2.10", "203.0.113.80", 17, &datagram);
    let packet = host.packet("the datagram");
    let sliced = etherparse::SlicedPacket::from_ip(&packet).expect("etherparse reads it");
    match sliced.transport {
        Some(TransportSlice::Udp(udp)) => {
            assert_eq!((udp.destination_port(), udp.payload()), (53, &b"page"[..]))
        }
        other => panic!("should be UDP, but was {other:?}"),
    }
}
