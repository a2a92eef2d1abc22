//! Segments going down: header, way, size.

mod common;

use common::*;
use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, InterfaceId, NextHop};
use framewise_core::checksum::Sum;
use framewise_core::seams::packet::LinkControl;
use framewise_core::seams::segment::{ErrorKind, Segment, TCP, UDP};
use framewise_ip::{Config, Ipv4Header, Ipv6Header, Route};

#[test]
fn claims_its_ipv4_addresses_first() {
    let mut host = Script::new(host_config());
    host.send("192.0.2.10", "192.0.2.20", UDP, &[0; 8]);
    let claim = host.link_control("which address is mine");
    assert_eq!(claim, LinkControl::Claim { interface: LINK, address: v4("192.0.2.10") });
    host.packet("the datagram");
    host.is_silent();
}

#[test]
fn a_neighbour_gets_it_directly_and_the_far_end_by_the_router() {
    let mut host = Script::host();
    for (source, destination, next) in [
        ("192.0.2.10", "192.0.2.20", "192.0.2.20"),
        ("192.0.2.10", "203.0.113.80", "192.0.2.1"),
        ("2001:db8::10", "2001:db8::20", "2001:db8::20"),
        ("2001:db8::10", "2001:db8:ffff::1", "2001:db8::1"),
        ("fe80::ff:fe00:a", "fe80::1", "fe80::1"),
    ] {
        host.send(source, destination, TCP, &[0; 20]);
        let packet = host.packet("the segment");
        assert_eq!(packet.next_hop(), NextHop::Neighbour(ip(next)), "to {destination}");
    }
}

#[test]
fn groups_and_broadcasts_have_their_own_next_hop() {
    let mut host = Script::host();
    for (source, destination, next) in [
        ("192.0.2.10", "255.255.255.255", NextHop::Broadcast),
        ("192.0.2.10", "192.0.2.255", NextHop::Broadcast),
        ("192.0.2.10", "224.0.0.251", NextHop::Multicast(ip("224.0.0.251"))),
        ("fe80::ff:fe00:a", "ff02::fb", NextHop::Multicast(ip("ff02::fb"))),
    ] {
        host.send(source, destination, UDP, &[0; 8]);
        assert_eq!(host.packet("the datagram").next_hop(), next, "to {destination}");
    }
}

#[test]
fn the_header_says_what_it_must() {
    let mut host = Script::host();
    host.send("192.0.2.10", "203.0.113.80", TCP, b"twenty bytes of a TCP header and a page");
    let packet = host.packet("the segment");
    let header = Ipv4Header::parse(&packet).expect("a valid header");
    assert!(header.dont_fragment, "TCP finds the path MTU, so it must not be split");
    assert_eq!((header.time_to_live, header.protocol, header.total_len), (64, TCP, packet.len()));
    assert_eq!(&packet[20..], b"twenty bytes of a TCP header and a page");

    host.send("2001:db8::10", "2001:db8::20", UDP, b"datagram");
    let packet = host.packet("the datagram");
    let header = Ipv6Header::parse(&packet).expect("a valid header");
    assert_eq!((header.hop_limit, header.next_header, header.payload_len), (64, UDP, 8));
}

#[test]
fn the_longest_prefix_wins() {
    let route = |destination: &str, via: &str| Route {
        destination: destination.parse().expect("a CIDR"),
        via: Some(ip(via)),
        interface: LINK,
    };
    let mut config = host_config();
    config.routes.push(route("10.0.0.0/8", "192.0.2.8"));
    config.routes.push(route("10.1.0.0/16", "192.0.2.16"));
    config.routes.push(route("10.1.2.3/32", "192.0.2.32"));
    let mut host = Script::new(config);
    host.start();
    for (destination, via) in [
        ("10.9.9.9", "192.0.2.8"),
        ("10.1.9.9", "192.0.2.16"),
        ("10.1.2.3", "192.0.2.32"),
        ("11.0.0.1", "192.0.2.1"),
    ] {
        host.send("192.0.2.10", destination, UDP, &[0; 8]);
        assert_eq!(host.packet("the datagram").next_hop(), NextHop::Neighbour(ip(via)), "to {destination}");
    }
}

#[test]
fn a_route_by_an_interface_that_is_not_there_is_none() {
    let interfaces = vec![interface(10, &["192.0.2.10/24"])];
    let gone =
        Route { destination: "0.0.0.0/0".parse().expect("a CIDR"), via: None, interface: InterfaceId(9) };
    let mut host = Script::new(Config { interfaces, routes: vec![gone], ..Config::default() });
    host.start();
    host.send("192.0.2.10", "203.0.113.80", UDP, b"datagram");
    host.dropped("no route", 1);
    let error = host.error("that there is no route");
    assert_eq!((error.kind, error.reporter), (ErrorKind::NetworkUnreachable, ip("192.0.2.10")));
    assert_eq!(error.quoted, b"datagram");
}

#[test]
fn only_own_addresses_are_sent_from() {
    let mut host = Script::host();
    host.send("192.0.2.99", "192.0.2.20", UDP, &[0; 8]);
    host.only_dropped("source is no address of mine");
}

#[test]
fn the_source_is_chosen_by_family_scope_and_prefix() {
    let mut config = host_config();
    config.interfaces[0].addresses.push("2001:db8:7::10/64".parse().expect("a CIDR"));
    let mut host = Script::new(config);
    host.start();
    for (destination, source) in [
        ("203.0.113.80", "192.0.2.10"),
        ("2001:db8::20", "2001:db8::10"),
        ("2001:db8:7::20", "2001:db8:7::10"),
        ("fe80::1", "fe80::ff:fe00:a"),
        ("ff02::fb", "fe80::ff:fe00:a"),
        ("192.0.2.10", "192.0.2.10"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        let route = host.source(destination).expect("a route");
        assert_eq!((route.source, route.mtu), (ip(source), 1_500), "to {destination}");
    }
}

#[test]
fn without_a_route_there_is_no_source() {
    let mut host =
        Script::new(Config { interfaces: vec![interface(10, &["192.0.2.10/24"])], ..Config::default() });
    host.start();
    assert_eq!(host.source("203.0.113.80"), None);
    assert_eq!(host.source("2001:db8::1"), None);
}

#[test]
fn a_connection_has_no_way_to_more_than_one_host() {
    let mut host = Script::host();
    for group in ["255.255.255.255", "192.0.2.255", "224.0.0.1", "ff02::1", "ff0e::101"] {
        assert_eq!(host.source_of(TCP, group), None, "to {group}");
    }
    assert!(host.source("192.0.2.255").is_some() && host.source("224.0.0.1").is_some(), "datagrams may");
    assert!(host.source_of(TCP, "192.0.2.254").is_some(), "and so may a connection to one host");
}

#[test]
fn what_goes_to_oneself_never_reaches_the_link() {
    let mut host = Script::host();
    for address in ["192.0.2.10", "2001:db8::10", "127.0.0.1", "::1"] {
        host.send(address, address, UDP, b"datagram");
        let segment = host.segment("the datagram to oneself");
        assert_eq!((&segment[..], segment.source()), (&b"datagram"[..], ip(address)));
        host.is_silent();
    }
}

#[test]
fn tcp_is_told_instead_of_being_split() {
    let mut host = Script::host();
    for (source, destination, header) in
        [("192.0.2.10", "203.0.113.80", 20), ("2001:db8::10", "2001:db8:9::1", 40)]
    {
        host.send(source, destination, TCP, &vec![7; 1_500 - header]);
        host.packet("the segment that just fits");
        host.send(source, destination, TCP, &vec![7; 1_501 - header]);
        let error = host.error("that it is too big");
        assert_eq!(error.kind, ErrorKind::TooBig { mtu: 1_500 });
    }
    host.dropped("too big for the path", 2);
}

#[test]
fn what_the_device_will_cut_is_left_whole() {
    let mut host = Script::host();
    let mut buf = Buf::copy_from_slice(&vec![0; 40_000]);
    buf.label_mut().offload.segment_size = Some(1_440);
    host.send_segment(Segment::new(buf, ip("192.0.2.10"), ip("203.0.113.80"), TCP));
    let packet = host.packet("the super-segment");
    assert_eq!(packet.len(), 40_020);
    assert_eq!(packet.label().offload.segment_size, Some(1_440));
}

#[test]
fn no_packet_is_longer_than_its_length_field() {
    let mut host = Script::host();
    let mut buf = Buf::copy_from_slice(&vec![0; 65_530]);
    buf.label_mut().offload.segment_size = Some(1_440);
    host.send_segment(Segment::new(buf, ip("192.0.2.10"), ip("203.0.113.80"), TCP));
    host.dropped("packet over 65,535 bytes", 1);
    assert!(matches!(host.error("that it is too big").kind, ErrorKind::TooBig { .. }));
}

#[test]
fn a_checksum_left_to_the_device_is_computed_before_splitting() {
    let mut host = Script::host();
    let (source, destination) = (ip("192.0.2.10"), ip("192.0.2.20"));
    let mut buf = Buf::copy_from_slice(&vec![9; 3_000]);
    let mut pseudo = Sum::default();
    pseudo.add_pseudo_header(source, destination, UDP, 3_000);
    buf[6..8].copy_from_slice(&pseudo.folded().to_be_bytes());
    let start = buf.position() as u16;
    buf.label_mut().offload.checksum = ChecksumState::Partial { start, field: 6 };
    host.send_segment(Segment::new(buf, source, destination, UDP));

    let mut sum = Sum::default();
    sum.add_pseudo_header(source, destination, UDP, 3_000);
    let parts = host.packets();
    assert_eq!(parts.len(), 3);
    for part in parts {
        assert_eq!(part.label().offload.checksum, ChecksumState::Complete);
        sum.add(&part[20..]);
    }
    assert!(sum.is_valid(), "the receiver's sum must be right");
}

#[test]
fn the_same_construction_says_the_same_bytes() {
    let packets = |seed| {
        let mut host = Script::seeded(host_config(), seed);
        host.send("192.0.2.10", "203.0.113.80", UDP, &[0; 4_000]);
        host.send("2001:db8::10", "2001:db8:9::1", UDP, &[0; 4_000]);
        host.packets()
    };
    assert_eq!(packets(1), packets(1));
    assert_ne!(packets(1), packets(2), "identifications must depend on the seed");
}
