//! Packets coming up: what is taken, what is dropped and why.

mod common;

use common::*;
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{Ipv4Header, Ipv6Header};

#[test]
fn a_datagram_goes_up_with_its_addresses_and_without_padding() {
    let mut host = Script::host();
    let mut padded = udp4("203.0.113.80", "192.0.2.10", b"datagram");
    padded.extend_from_slice(&[0; 18]);
    host.receive("a padded datagram", &padded);
    let segment = host.segment("the datagram");
    assert_eq!(&segment[..], b"datagram");
    assert_eq!((segment.source(), segment.destination()), (ip("203.0.113.80"), ip("192.0.2.10")));
    assert_eq!((segment.protocol(), segment.label().hop_limit), (UDP, Some(64)));
}

#[test]
fn ipv6_extension_headers_are_passed() {
    let mut host = Script::host();
    let mut payload = vec![60, 0, 1, 4, 0, 0, 0, 0]; // hop-by-hop: PadN, then destination options
    payload.extend_from_slice(&[UDP, 0, 5, 2, 0, 0, 1, 0]); // router alert, PadN, then UDP
    payload.extend_from_slice(b"datagram");
    host.receive("a chain of headers", &packet6(header6("2001:db8:9::1", "2001:db8::10", 0), &payload));
    assert_eq!(&host.segment("the datagram")[..], b"datagram");
}

/// What is done to a good packet, and under which reason it must be dropped.
type Damage = (&'static str, fn(&mut Vec<u8>), &'static str);

#[test]
fn damaged_ipv4_headers_are_counted_drops() {
    let damages: [Damage; 10] = [
        ("nothing left", |p| p.clear(), "packet empty"),
        ("19 bytes", |p| p.truncate(19), "IPv4 packet cut short"),
        ("version 5", |p| p[0] = 0x55, "IP version neither 4 nor 6"),
        ("IHL 4", |p| p[0] = 0x44, "IPv4 header length below 20"),
        ("IHL beyond the packet", |p| p[0] = 0x4f, "IPv4 packet cut short"),
        ("total length below the header", |p| p[3] = 19, "IPv4 total length below its header"),
        ("total length beyond the packet", |p| p[3] = 200, "IPv4 packet cut short"),
        ("a flipped bit", |p| p[8] ^= 1, "IPv4 header checksum wrong"),
        ("a payload cut short", |p| p.truncate(27), "IPv4 packet cut short"),
        ("a checksum of zeros", |p| p[10..12].fill(0), "IPv4 header checksum wrong"),
    ];
    for (what, damage, reason) in damages {
        let mut host = Script::host();
        let mut packet = udp4("203.0.113.80", "192.0.2.10", b"datagram");
        damage(&mut packet);
        host.receive(what, &packet);
        host.only_dropped(reason);
    }
}

#[test]
fn damaged_ipv6_headers_are_counted_drops() {
    let damages: [Damage; 3] = [
        ("39 bytes", |p| p.truncate(39), "IPv6 packet cut short"),
        ("payload length beyond the packet", |p| p[5] = 9, "IPv6 packet cut short"),
        ("a next header cut short", |p| p[6] = 43, "IPv6 packet cut short"),
    ];
    for (what, damage, reason) in damages {
        let mut host = Script::host();
        let mut packet = packet6(header6("2001:db8:9::1", "2001:db8::10", UDP), &[8; 8]);
        damage(&mut packet);
        host.receive(what, &packet);
        host.only_dropped(reason);
    }
}

#[test]
fn an_option_without_a_length_is_a_drop() {
    for option in [[7u8, 0, 0, 0], [7, 1, 0, 0], [7, 9, 0, 0]] {
        let mut host = Script::host();
        let mut bytes = vec![0; 24];
        bytes[20..].copy_from_slice(&option);
        let header =
            Ipv4Header { header_len: 24, total_len: 24, ..header4("203.0.113.80", "192.0.2.10", UDP) };
        header.emit(&mut bytes);
        host.receive("a malformed option", &bytes);
        host.only_dropped("IPv4 option length wrong");
    }
}

#[test]
fn martians_are_dropped() {
    for source in
        ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.10", "192.0.2.255"]
    {
        let mut host = Script::host();
        host.receive(source, &udp4(source, "192.0.2.10", &[0; 8]));
        host.only_dropped("martian source");
    }
    for destination in ["0.0.0.0", "127.0.0.1", "240.0.0.1"] {
        let mut host = Script::host();
        host.receive(destination, &udp4("203.0.113.80", destination, &[0; 8]));
        host.only_dropped("martian destination");
    }
    for source in ["::1", "ff02::1", "::ffff:192.0.2.1", "2001:db8::10"] {
        let mut host = Script::host();
        host.receive(source, &packet6(header6(source, "2001:db8::10", UDP), &[0; 8]));
        host.only_dropped("martian source");
    }
    for protocol in [TCP, UDP, 132] {
        let mut host = Script::host();
        host.receive("a packet from nobody", &packet6(header6("::", "2001:db8::10", protocol), &[0; 20]));
        host.only_dropped("martian source");
    }
    for destination in ["::", "::1", "ff01::1", "::ffff:192.0.2.10"] {
        let mut host = Script::host();
        host.receive(destination, &packet6(header6("2001:db8:9::1", destination, UDP), &[0; 8]));
        host.only_dropped("martian destination");
    }
}

#[test]
fn whose_way_the_sender_chose_is_not_taken() {
    let loose_at_its_beginning = [131, 7, 4, 192, 0, 2, 1, 0];
    let strict_at_its_beginning = [137, 7, 4, 192, 0, 2, 1, 0];
    let loose_at_its_end = [131, 7, 8, 192, 0, 2, 1, 0];
    for option in [loose_at_its_beginning, strict_at_its_beginning, loose_at_its_end] {
        for (destination, protocol) in [("192.0.2.10", TCP), ("192.0.2.10", 1), ("192.0.2.255", UDP)] {
            let header = Ipv4Header {
                header_len: 28,
                total_len: 48,
                ..header4("203.0.113.80", destination, protocol)
            };
            let mut packet = vec![0; 28];
            packet[20..28].copy_from_slice(&option);
            header.emit(&mut packet);
            packet.extend_from_slice(&[8, 0, 0xf7, 0xff]);
            packet.resize(48, 0);
            let mut host = Script::host();
            host.receive("a source route", &packet);
            host.only_dropped("source routed");
        }
    }
}

#[test]
fn what_is_for_others_is_dropped() {
    let mut host = Script::host();
    host.receive("another's", &udp4("203.0.113.80", "192.0.2.77", &[0; 8]));
    host.only_dropped("not for me");
    let mut host = Script::host();
    host.receive("another's", &packet6(header6("2001:db8:9::1", "2001:db8::77", UDP), &[0; 8]));
    host.only_dropped("not for me");
    let mut host = Script::host();
    host.receive_group("a group's", &udp4("203.0.113.80", "224.0.0.251", &[0; 8]));
    host.only_dropped("group not listened to");
    assert_eq!(host.counters.ignored(), 1, "a shared link brings such packets: nothing is wrong");
    let mut host = Script::host();
    host.receive_group("a packet for one", &udp4("203.0.113.80", "192.0.2.10", &[0; 8]));
    host.only_dropped("unicast packet in a group frame");
}

#[test]
fn broadcast_datagrams_go_up_but_no_connections() {
    let mut host = Script::host();
    host.receive_group("a broadcast", &udp4("192.0.2.20", "192.0.2.255", &[0; 8]));
    host.segment("the broadcast");
    host.receive_group("a SYN for all", &packet4(header4("192.0.2.20", "192.0.2.255", TCP), &[0; 20]));
    host.dropped("TCP to a group", 1);
    host.is_silent();
}

#[test]
fn an_unknown_protocol_is_said() {
    let mut host = Script::host();
    host.receive("protocol 132", &packet4(header4("203.0.113.80", "192.0.2.10", 132), &[0; 12]));
    let packet = host.packet("protocol unreachable");
    assert_eq!(&packet[20..22], &[3, 2]);
    host.receive("next header 132", &packet6(header6("2001:db8:9::1", "2001:db8::10", 132), &[0; 12]));
    let packet = host.packet("parameter problem");
    assert_eq!(icmpv6_type(&packet), 4);
    assert_eq!((packet[41], &packet[44..48]), (1, &[0, 0, 0, 6][..]), "next header, at byte 6");
    host.dropped("protocol unknown", 2);
}

/// An extension header, the reason it must be dropped for, and the code and pointer its source is told.
type Chain = (&'static [u8], u8, &'static str, Option<(u8, u8)>);

#[test]
fn odd_extension_headers_are_dropped_and_said() {
    let chains: [Chain; 6] = [
        (&[UDP, 0, 0x1e, 4, 0, 0, 0, 0], 60, "none", None),
        (&[UDP, 0, 0x5e, 4, 0, 0, 0, 0], 60, "unknown IPv6 option", None),
        (&[UDP, 0, 0x9e, 4, 0, 0, 0, 0], 60, "unknown IPv6 option", Some((2, 42))),
        (&[UDP, 0, 1, 9, 0, 0, 0, 0], 60, "IPv6 option beyond its header", None),
        (&[UDP, 0, 0, 1, 0, 0, 0, 0], 43, "routing header with a way to go", Some((0, 42))),
        (&[0, 0, 1, 4, 0, 0, 0, 0], 60, "hop-by-hop options not in front", Some((1, 40))),
    ];
    for (extension, kind, reason, told) in chains {
        let mut host = Script::host();
        let mut payload = extension.to_vec();
        payload.extend_from_slice(b"datagram");
        host.receive(reason, &packet6(header6("2001:db8:9::1", "2001:db8::10", kind), &payload));
        if reason == "none" {
            host.segment("the datagram: that option may be skipped");
            continue;
        }
        host.dropped(reason, 1);
        if let Some((code, pointer)) = told {
            let packet = host.packet("a parameter problem");
            assert_eq!(icmpv6_type(&packet), 4);
            assert_eq!((packet[41], packet[47]), (code, pointer), "{reason}");
        }
        host.is_silent();
    }
}

#[test]
fn the_walk_along_headers_is_bounded() {
    let mut host = Script::host();
    let mut payload = [60, 0, 1, 4, 0, 0, 0, 0].repeat(100);
    payload.extend_from_slice(b"datagram");
    host.receive("a hundred headers", &packet6(header6("2001:db8:9::1", "2001:db8::10", 60), &payload));
    host.only_dropped("too many extension headers");
}

#[test]
fn an_empty_packet_is_one_with_no_next_header() {
    let mut host = Script::host();
    let header = Ipv6Header { hop_limit: 1, ..header6("2001:db8:9::1", "2001:db8::10", 59) };
    host.receive("no next header", &packet6(header, &[]));
    host.only_dropped("packet without payload");
}

#[test]
fn a_link_local_address_counts_on_its_link_only() {
    let mut router = Script::router();
    let datagram = packet6(header6("fe80::99", "fe80::ff:fe00:1", UDP), &[0; 8]);
    router.receive_on(LINK, "a datagram on its link", &datagram);
    router.segment("the datagram");
    router.receive_on(OTHER_LINK, "the same from elsewhere", &datagram);
    router.dropped("link-local address, not forwarded", 1);
    router.is_silent();
}

#[test]
fn a_queue_that_nobody_empties_is_bounded() {
    use framewise_core::buf::NextHop;
    use framewise_core::seams::packet::{Packet, PacketUp};
    use framewise_core::{Buf, Counters, Cx, Instant, Layer, Rng};

    let mut layer = framewise_ip::Ip::new(host_config(), Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let bytes = udp4("203.0.113.80", "192.0.2.10", &[0; 8]);
    for _ in 0..3_000 {
        let packet = Packet::new(Buf::copy_from_slice(&bytes), LINK, NextHop::Neighbour(ip("0.0.0.0")));
        layer.handle_inbound(PacketUp::Packet(packet), &mut cx);
    }
    assert_eq!(counters.drops("ip", "inbound queue full"), 3_000 - 2_048);
}

/// A host that takes TCP for everybody, as a gateway does.
fn gateway() -> Script {
    let mut script = Script::new(framewise_ip::Config { takes_all_tcp: true, ..host_config() });
    script.start();
    script
}

#[test]
fn a_gateway_takes_tcp_for_every_host_and_answers_in_its_name() {
    for (source, destination) in [("192.0.2.20", "198.51.100.7"), ("2001:db8::20", "2001:db8:77::7")] {
        let mut host = gateway();
        let payload = b"a segment of twenty bytes";
        let packet = match ip(source) {
            std::net::IpAddr::V4(_) => packet4(header4(source, destination, TCP), payload),
            std::net::IpAddr::V6(_) => packet6(header6(source, destination, TCP), payload),
        };
        host.receive("TCP for another", &packet);
        let segment = host.segment("it is taken");
        assert_eq!((segment.source(), segment.destination()), (ip(source), ip(destination)));

        host.send(destination, source, TCP, payload);
        assert!(!host.packet("an answer in the other's name").is_empty());

        let mut plain = Script::host();
        plain.receive("TCP for another", &packet);
        plain.only_dropped("not for me");
    }
}

#[test]
fn a_gateway_takes_nothing_else_for_others() {
    let mut host = gateway();
    host.receive("UDP for another", &udp4("192.0.2.20", "198.51.100.7", b"datagram"));
    host.only_dropped("not for me");

    let mut host = gateway();
    host.receive(
        "ICMP for another",
        &packet4(header4("192.0.2.20", "198.51.100.7", 1), &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]),
    );
    host.only_dropped("not for me");

    let mut host = gateway();
    let packet = packet6(header6("2001:db8::20", "2001:db8:77::7", UDP), b"datagram");
    host.receive("UDP for another", &packet);
    host.only_dropped("not for me");

    let mut host = gateway();
    host.send("198.51.100.7", "192.0.2.20", UDP, b"datagram");
    host.only_dropped("source is no address of mine");
}
