//! A router between two links.

mod common;

use common::*;
use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::seams::packet::{LinkEvent, Packet};
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{Ipv4Header, Ipv6Header};

fn narrow() -> Script {
    let mut config = router_config();
    config.interfaces[1].mtu = 1_280;
    let mut router = Script::new(config);
    router.start();
    router
}

#[test]
fn passes_packets_on_with_one_hop_less() {
    let mut router = Script::router();
    router.receive("a datagram", &udp4("192.0.2.10", "198.51.100.80", b"datagram"));
    let packet = router.packet("the datagram");
    assert_eq!(
        (packet.interface(), packet.next_hop()),
        (OTHER_LINK, NextHop::Neighbour(ip("198.51.100.80")))
    );
    let header = Ipv4Header::parse(&packet).expect("a valid header");
    assert_eq!((header.time_to_live, &packet[20..]), (63, &b"datagram"[..]));

    router.receive("a datagram", &packet6(header6("2001:db8::10", "2001:db8:1::80", UDP), b"datagram"));
    let packet = router.packet("the datagram");
    assert_eq!((packet.interface(), packet[7]), (OTHER_LINK, 63));
}

#[test]
fn answers_for_its_own_addresses_on_every_link() {
    let mut router = Script::router();
    router.receive("a datagram to the far side", &udp4("192.0.2.10", "198.51.100.1", b"datagram"));
    router.segment("the datagram");
}

#[test]
fn says_when_the_time_to_live_is_over() {
    for hops in [0, 1] {
        let mut router = Script::router();
        let header = Ipv4Header { time_to_live: hops, ..header4("192.0.2.10", "198.51.100.80", UDP) };
        router.receive("a last hop", &packet4(header, &[0; 8]));
        router.dropped("time to live is over", 1);
        let told = router.packet("time exceeded");
        let outer = Ipv4Header::parse(&told).expect("a valid header");
        assert_eq!((outer.source, outer.destination), (v4("192.0.2.1"), v4("192.0.2.10")));
        assert_eq!((told.interface(), &told[20..22]), (LINK, &[11, 0][..]));

        let header = Ipv6Header { hop_limit: hops, ..header6("2001:db8::10", "2001:db8:1::80", UDP) };
        router.receive("a last hop", &packet6(header, &[0; 8]));
        assert_eq!(icmpv6_type(&router.packet("time exceeded")), 3);
    }
}

#[test]
fn says_nothing_about_errors_later_fragments_and_nobodys_packets() {
    let last_hop = |protocol, fragment_offset| Ipv4Header {
        time_to_live: 1,
        fragment_offset,
        ..header4("192.0.2.10", "198.51.100.80", protocol)
    };
    let error = packet4(last_hop(1, 0), &[3, 3, 0, 0, 0, 0, 0, 0]);
    let later = packet4(last_hop(UDP, 8), &[0; 8]);
    let last_hop = |source| Ipv6Header { hop_limit: 1, ..header6(source, "2001:db8:1::80", 58) };
    let error6 = packet6(last_hop("2001:db8::10"), &[1, 4, 0, 0, 0, 0, 0, 0]);
    let redirect = packet6(last_hop("2001:db8::10"), &[137, 0, 0, 0, 0, 0, 0, 0]);
    for (what, packet) in
        [("an error", error), ("a later part", later), ("an error", error6), ("a redirect", redirect)]
    {
        let mut router = Script::router();
        router.receive(what, &packet);
        router.only_dropped("time to live is over");
    }
    let mut router = Script::router();
    router.receive("a ping", &packet6(last_hop("2001:db8::10"), &[128, 0, 0, 0, 0, 0, 0, 0]));
    router.packet("time exceeded: a ping is no error");
    router.receive("a packet from nobody", &packet6(last_hop("::"), &[128, 0, 0, 0, 0, 0, 0, 0]));
    router.dropped("link-local address, not forwarded", 1);
    router.is_silent();
}

#[test]
fn says_how_big_a_packet_may_be() {
    let mut router = narrow();
    let header = Ipv4Header { dont_fragment: true, ..header4("192.0.2.10", "198.51.100.80", TCP) };
    router.receive("a packet not to be split", &packet4(header, &[0; 1_400]));
    let told = router.packet("fragmentation needed");
    assert_eq!((&told[20..22], &told[26..28]), (&[3, 4][..], &1_280u16.to_be_bytes()[..]));
    assert!(told.len() <= 576, "the whole error fits 576 bytes");

    router.receive("an IPv6 packet", &packet6(header6("2001:db8::10", "2001:db8:1::80", TCP), &[0; 1_400]));
    let told = router.packet("packet too big");
    assert_eq!((icmpv6_type(&told), &told[44..48]), (2, &1_280u32.to_be_bytes()[..]));
    assert_eq!(told.len(), 1_280, "as much is quoted as fits the smallest MTU");
    router.dropped("too big for the next link", 2);
}

#[test]
fn splits_what_may_be_split() {
    let mut router = narrow();
    router.receive("a large datagram", &udp4("192.0.2.10", "198.51.100.80", &[6; 1_400]));
    let parts = router.packets();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths, [20 + 1_256, 20 + 144]);
    for part in parts {
        assert_eq!(Ipv4Header::parse(&part).expect("a valid header").time_to_live, 63);
    }
}

#[test]
fn says_when_there_is_no_way() {
    let mut router = Script::router();
    router.receive("a packet to nowhere", &udp4("192.0.2.10", "203.0.113.80", &[0; 8]));
    assert_eq!(&router.packet("network unreachable")[20..22], &[3, 0]);
    router.receive("a packet to nowhere", &packet6(header6("2001:db8::10", "2001:db8:9::1", UDP), &[0; 8]));
    let told = router.packet("no route");
    assert_eq!((icmpv6_type(&told), told[41]), (1, 0));
    router.dropped("no route", 2);
}

#[test]
fn says_when_a_host_does_not_answer() {
    let mut router = Script::router();
    for (packet, said) in [
        (udp4("192.0.2.10", "198.51.100.80", &[0; 8]), [3, 1]),
        (packet6(header6("2001:db8::10", "2001:db8:1::80", UDP), &[0; 8]), [1, 3]),
    ] {
        router.receive("a datagram", &packet);
        let packet: Packet = router.packet("the datagram");
        router.event(LinkEvent::Unreachable { packet });
        let told = router.packet("host unreachable");
        let at = if told[0] >> 4 == 4 { 20 } else { 40 };
        assert_eq!((told.interface(), &told[at..at + 2]), (LINK, &said[..]));
    }
    router.dropped("next hop does not answer", 2);
}

#[test]
fn does_not_pass_on_what_belongs_to_a_link() {
    let packets = [
        ("169.254.1.1", "198.51.100.80", "link-local address, not forwarded"),
        ("192.0.2.10", "169.254.1.1", "link-local address, not forwarded"),
        ("192.0.2.10", "198.51.100.255", "broadcast to another network"),
        ("192.0.2.10", "224.0.0.251", "group not listened to"),
        ("127.0.0.1", "198.51.100.80", "martian source"),
    ];
    for (source, destination, reason) in packets {
        let mut router = Script::router();
        router.receive(reason, &udp4(source, destination, &[0; 8]));
        router.only_dropped(reason);
    }
    let mut router = Script::router();
    router.receive("from link-local", &packet6(header6("fe80::99", "2001:db8:1::80", UDP), &[0; 8]));
    router.only_dropped("link-local address, not forwarded");
    let mut router = Script::router();
    router.receive_group("in a group frame", &udp4("192.0.2.10", "198.51.100.80", &[0; 8]));
    router.only_dropped("unicast packet in a group frame");
}

#[test]
fn source_routes_are_not_followed() {
    let mut router = Script::router();
    let header = Ipv4Header { header_len: 28, total_len: 28, ..header4("192.0.2.10", "198.51.100.80", UDP) };
    let mut packet = vec![0; 28];
    packet[20..28].copy_from_slice(&[131, 7, 4, 198, 51, 100, 66, 0]);
    header.emit(&mut packet);
    router.receive("a source route", &packet);
    router.only_dropped("source routed");
}

#[test]
fn fragments_are_passed_on_as_they_are() {
    let mut router = narrow();
    let header = Ipv4Header {
        fragment_offset: 800,
        more_fragments: true,
        ..header4("192.0.2.10", "198.51.100.80", UDP)
    };
    router.receive("a middle fragment", &packet4(header, &[6; 1_320]));
    let parts = router.packets();
    let facts: Vec<(usize, bool)> = parts
        .iter()
        .map(|part| Ipv4Header::parse(part).expect("a valid header"))
        .map(|header| (header.fragment_offset, header.more_fragments))
        .collect();
    assert_eq!(facts, [(800, true), (800 + 1_256, true)]);
}

#[test]
fn a_super_packet_that_fits_once_cut_is_passed_on_whole() {
    use framewise_core::seams::packet::PacketUp;
    use framewise_core::{Buf, Counters, Cx, Instant, Layer, Rng};

    let mut payload = vec![0; 20_000];
    payload[12] = 5 << 4;
    let header = Ipv4Header { dont_fragment: true, ..header4("192.0.2.10", "198.51.100.80", TCP) };
    let mut buf = Buf::copy_from_slice(&packet4(header, &payload));
    buf.label_mut().offload.segment_size = Some(1_460);
    let packet = Packet::new(buf, InterfaceId(0), NextHop::Neighbour(ip("0.0.0.0")));
    let mut layer = framewise_ip::Ip::new(router_config(), Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    layer.handle_inbound(PacketUp::Packet(packet), &mut cx);
    let sent = std::iter::from_fn(|| layer.poll_outbound(&mut cx)).count();
    assert_eq!((sent, counters.total()), (3, 0), "two claims and one packet");
}
