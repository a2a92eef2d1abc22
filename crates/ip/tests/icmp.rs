//! ICMP: echo, errors said and heard, path MTU.

mod common;

use std::time::Duration;

use common::*;
use framewise_core::Buf;
use framewise_core::buf::NextHop;
use framewise_core::seams::packet::{LinkEvent, Packet};
use framewise_core::seams::segment::{ErrorKind, Segment, SegmentControl, TCP, UDP};
use framewise_ip::{Ipv4Header, Ipv6Header, icmpv4, icmpv6};

const ECHO: [u8; 12] = [8, 0, 0, 0, 0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g'];

/// An ICMP error about a packet of ours, as a router would send it.
fn error4(kind: u8, code: u8, rest: [u8; 4], quoted: &[u8]) -> Vec<u8> {
    packet4(header4("203.0.113.1", "192.0.2.10", 1), &icmpv4::error(kind, code, rest, quoted))
}

fn error6(kind: u8, code: u8, rest: [u8; 4], quoted: &[u8]) -> Vec<u8> {
    let buf = icmpv6::message(kind, code, rest, quoted, v6("2001:db8:9::9"), v6("2001:db8::10"));
    packet6(header6("2001:db8:9::9", "2001:db8::10", 58), &buf)
}

/// A segment of ours, as it left.
fn ours4(length: usize) -> Vec<u8> {
    let header = Ipv4Header { dont_fragment: true, ..header4("192.0.2.10", "203.0.113.80", TCP) };
    packet4(header, &vec![5; length - 20])
}

fn ours6(length: usize) -> Vec<u8> {
    packet6(header6("2001:db8::10", "2001:db8:9::1", TCP), &vec![5; length - 40])
}

/// A datagram of ours, as it left.
fn datagram6(destination: &str) -> Vec<u8> {
    packet6(header6("2001:db8::10", destination, UDP), &[5; 1_460])
}

#[test]
fn an_echo_request_is_answered() {
    let mut host = Script::host();
    host.receive("a ping", &icmp4("203.0.113.80", "192.0.2.10", &ECHO));
    let reply = host.packet("the answer");
    let header = Ipv4Header::parse(&reply).expect("a valid header");
    assert_eq!((header.source, header.destination), (v4("192.0.2.10"), v4("203.0.113.80")));
    assert!(matches!(icmpv4::Icmpv4::parse(&reply[20..]), Ok(icmpv4::Icmpv4::EchoReply(_))));
    assert_eq!(&reply[24..], &ECHO[4..]);

    let mut echo = ECHO;
    echo[0] = 128;
    host.receive("a ping", &icmp6("2001:db8:9::1", "2001:db8::10", 64, &echo));
    let reply = host.packet("the answer");
    assert_eq!((icmpv6_type(&reply), &reply[44..]), (129, &ECHO[4..]));
}

#[test]
fn a_large_echo_is_answered_in_fragments() {
    let mut host = Script::host();
    let mut large = ECHO.to_vec();
    large.resize(3_000, 1);
    host.send("192.0.2.10", "192.0.2.10", UDP, b"to myself"); // keeps the script honest about what was said before
    host.segment("the datagram to oneself");
    host.receive("a large ping", &icmp4("203.0.113.80", "192.0.2.10", &large));
    assert_eq!(host.packets().len(), 3);
}

#[test]
fn groups_get_no_echo() {
    let mut host = Script::host();
    host.receive_group("a smurf", &icmp4("192.0.2.20", "192.0.2.255", &ECHO));
    host.only_dropped("echo request to a group");
    let mut echo = ECHO;
    echo[0] = 128;
    let mut host = Script::host();
    host.receive_group("a smurf", &icmp6("2001:db8::20", "ff02::1", 64, &echo));
    host.only_dropped("echo request to a group");
}

#[test]
fn an_echo_reply_is_noted() {
    let mut host = Script::host();
    let mut reply = ECHO;
    reply[0] = 0;
    host.receive("an answer", &icmp4("203.0.113.80", "192.0.2.10", &reply));
    assert_eq!(host.noted("echo"), Some("203.0.113.80 answers echo 1 with 12 bytes"));
    host.is_silent();
}

#[test]
fn pinging_oneself_works_within_the_layer() {
    let mut host = Script::host();
    let mut message = icmp4("192.0.2.10", "192.0.2.10", &ECHO)[20..].to_vec();
    message.truncate(12);
    host.send("192.0.2.10", "192.0.2.10", 1, &message);
    assert_eq!(host.noted("echo"), Some("192.0.2.10 answers echo 1 with 12 bytes"));
    host.is_silent();
}

#[test]
fn damaged_messages_are_dropped() {
    let mut host = Script::host();
    let mut packet = icmp4("203.0.113.80", "192.0.2.10", &ECHO);
    packet[28] ^= 1;
    host.receive("a damaged ping", &packet);
    host.only_dropped("ICMP checksum wrong");
    let mut host = Script::host();
    host.receive("7 bytes", &packet4(header4("203.0.113.80", "192.0.2.10", 1), &[0; 7]));
    host.only_dropped("ICMP message cut short");
    let mut host = Script::host();
    host.receive("a redirect", &error4(5, 1, [192, 0, 2, 66], &ours4(40)));
    host.only_dropped("redirect not followed");
}

#[test]
fn an_error_reaches_the_transport_it_is_about() {
    for (kind, code, expected) in [
        (3, 0, ErrorKind::NetworkUnreachable),
        (3, 1, ErrorKind::HostUnreachable),
        (3, 2, ErrorKind::ProtocolUnreachable),
        (3, 3, ErrorKind::PortUnreachable),
        (3, 13, ErrorKind::Prohibited),
        (11, 0, ErrorKind::TimeExceeded),
        (12, 0, ErrorKind::ParameterProblem),
    ] {
        let mut host = Script::host();
        host.receive("an error", &error4(kind, code, [0; 4], &ours4(60)[..28]));
        let error = host.error("the error");
        assert_eq!(error.kind, expected, "type {kind} code {code}");
        assert_eq!((error.source, error.destination), (ip("192.0.2.10"), ip("203.0.113.80")));
        assert_eq!((error.protocol, error.reporter, error.quoted), (TCP, ip("203.0.113.1"), vec![5; 8]));
    }
    for (kind, code, expected) in [
        (1, 0, ErrorKind::NetworkUnreachable),
        (1, 1, ErrorKind::Prohibited),
        (1, 3, ErrorKind::HostUnreachable),
        (1, 4, ErrorKind::PortUnreachable),
        (3, 0, ErrorKind::TimeExceeded),
        (4, 1, ErrorKind::ProtocolUnreachable),
        (4, 0, ErrorKind::ParameterProblem),
    ] {
        let mut host = Script::host();
        host.receive("an error", &error6(kind, code, [0; 4], &ours6(100)));
        assert_eq!(host.error("the error").kind, expected, "type {kind} code {code}");
    }
}

#[test]
fn errors_about_others_packets_are_dropped() {
    let another = udp4("192.0.2.77", "203.0.113.80", &[0; 8]);
    let mut later = header4("192.0.2.10", "203.0.113.80", UDP);
    later.fragment_offset = 8;
    let cases = [
        (another, "ICMP error about another's packet"),
        (packet4(later, &[0; 8]), "ICMP error about a later fragment"),
        (packet4(header4("192.0.2.10", "203.0.113.80", 1), &ECHO), "ICMP error about no transport"),
        (udp4("192.0.2.10", "203.0.113.80", &[0; 7]), "ICMP error quotes too little"),
        (vec![0; 12], "ICMP error quotes no packet"),
        (vec![0x42; 40], "ICMP error quotes no packet"),
    ];
    for (quoted, reason) in cases {
        let mut host = Script::host();
        host.receive(reason, &error4(3, 3, [0; 4], &quoted));
        host.only_dropped(reason);
    }
}

#[test]
fn too_big_narrows_the_path_for_ten_minutes() {
    let mut host = Script::host();
    host.receive("too big", &error6(2, 0, [0, 0, 0x05, 0x78], &datagram6("2001:db8:9::1")));
    assert_eq!(host.error("the new path MTU").kind, ErrorKind::TooBig { mtu: 1_400 });
    assert_eq!(host.source("2001:db8:9::1").expect("a route").mtu, 1_400);
    assert_eq!(host.source("2001:db8:9::2").expect("a route").mtu, 1_500, "of that path only");
    host.send("2001:db8::10", "2001:db8:9::1", UDP, &[0; 1_400]);
    assert_eq!(host.packets().len(), 2, "UDP is split from now on");
    host.pass(Duration::from_secs(601));
    assert_eq!(host.source("2001:db8:9::1").expect("a route").mtu, 1_500, "a larger packet is tried again");
}

/// Whether the quoted segment is in flight TCP alone can tell (RFC 5927): until it has, no path is any narrower.
#[test]
fn too_big_about_a_segment_goes_up_and_changes_no_path() {
    for (report, mtu, source, destination, largest) in [
        (error4(3, 4, [0, 0, 0x05, 0x14], &ours4(1_500)), 1_300, "192.0.2.10", "203.0.113.80", 1_480),
        (error6(2, 0, [0, 0, 0x05, 0x78], &ours6(1_500)), 1_400, "2001:db8::10", "2001:db8:9::1", 1_460),
    ] {
        let mut host = Script::host();
        host.receive("too big", &report);
        let error = host.error("the reported path MTU");
        assert_eq!((error.kind, error.protocol), (ErrorKind::TooBig { mtu }, TCP));
        assert_eq!(error.quoted[..8], [5; 8], "with the ports and the sequence number");
        assert_eq!(host.source(destination).expect("a route").mtu, 1_500);
        host.send(source, destination, TCP, &vec![7; largest]);
        assert_eq!(host.packet("a full segment of another connection").len(), 1_500);
        host.is_silent();
    }
}

/// A forger who quotes a datagram instead must not get at TCP's segments either.
#[test]
fn too_big_about_a_datagram_concerns_no_segment() {
    let mut host = Script::host();
    host.receive("too big", &error6(2, 0, [0, 0, 0x05, 0x00], &datagram6("2001:db8:9::1")));
    assert_eq!(host.error("the new path MTU").kind, ErrorKind::TooBig { mtu: 1_280 });
    host.send("2001:db8::10", "2001:db8:9::1", TCP, &[7; 1_460]);
    assert_eq!(host.packet("a full segment").len(), 1_500);
    host.is_silent();
}

#[test]
fn a_forged_too_big_does_no_harm() {
    let datagram = udp4("192.0.2.10", "203.0.113.80", &[5; 1_480]);
    let cases = [
        ("about a datagram that may be split", error4(3, 4, [0, 0, 0x05, 0x14], &datagram)),
        ("a plateau, about a packet that any host takes", error4(3, 4, [0; 4], &ours4(576))),
        ("larger than the link", error4(3, 4, [0, 0, 0x07, 0xd0], &ours4(1_500))),
        ("not larger than what it quotes", error4(3, 4, [0, 0, 0x05, 0x14], &ours4(1_000))),
        ("about a packet larger than we send", error4(3, 4, [0, 0, 0x05, 0x14], &ours4(9_000))),
        ("below IPv6's minimum", error6(2, 0, [0, 0, 0x04, 0xff], &ours6(1_500))),
        ("the minimum, about the minimum", error6(2, 0, [0, 0, 0x05, 0x00], &ours6(1_280))),
    ];
    for (what, packet) in cases {
        let mut host = Script::host();
        host.receive(what, &packet);
        host.only_dropped("path MTU not plausible");
    }
}

#[test]
fn there_is_a_floor_and_no_report_lets_routers_split_segments() {
    let mut host = Script::host();
    host.receive("an MTU of 100", &error4(3, 4, [0, 0, 0, 100], &ours4(1_500)));
    assert_eq!(host.error("the floor").kind, ErrorKind::TooBig { mtu: 576 });
    host.send("192.0.2.10", "203.0.113.80", TCP, &[0; 500]);
    let header = Ipv4Header::parse(&host.packet("the segment")).expect("a valid header");
    assert!(header.dont_fragment);
}

#[test]
fn a_router_too_old_to_say_the_mtu_gets_the_next_plateau() {
    let mut host = Script::host();
    host.receive("an MTU of 0", &error4(3, 4, [0; 4], &ours4(1_500)));
    assert_eq!(host.error("a plateau").kind, ErrorKind::TooBig { mtu: 1_492 });
}

#[test]
fn the_path_mtu_cache_is_bounded() {
    let mut host = Script::host();
    for number in 0..3_000u32 {
        let destination = format!("2001:db8:9::{number:x}");
        host.receive("too big", &error6(2, 0, [0, 0, 0x05, 0x78], &datagram6(&destination)));
        host.error("the new path MTU");
    }
    assert_eq!(host.source("2001:db8:9::1").expect("a route").mtu, 1_500, "the oldest is forgotten");
    assert_eq!(host.source("2001:db8:9::bb7").expect("a route").mtu, 1_400, "the newest is known");
}

#[test]
fn a_port_without_a_listener_is_said_with_the_original_header() {
    let mut host = Script::host();
    let mut original = udp4("203.0.113.80", "192.0.2.10", b"datagram");
    original.extend_from_slice(&[0; 9]);
    host.receive("a datagram", &original);
    let segment = host.segment("the datagram");
    host.control(SegmentControl::PortUnreachable(segment));
    let told = host.packet("port unreachable");
    assert_eq!(&told[20..22], &[3, 3]);
    assert_eq!(&told[28..], &original[..28], "the packet as it came, without padding");

    let original =
        packet6(Ipv6Header { flow_label: 7, ..header6("2001:db8:9::1", "2001:db8::10", UDP) }, b"datagram");
    host.receive("a datagram", &original);
    let segment = host.segment("the datagram");
    host.control(SegmentControl::PortUnreachable(segment));
    let told = host.packet("port unreachable");
    assert_eq!((icmpv6_type(&told), told[41]), (1, 4));
    assert_eq!(&told[48..], &original[..]);
}

#[test]
fn on_the_way_to_oneself_the_error_comes_straight_back() {
    let mut host = Script::host();
    for address in ["192.0.2.10", "2001:db8::10"] {
        host.send(address, address, UDP, b"datagram");
        let segment = host.segment("the datagram to oneself");
        host.control(SegmentControl::PortUnreachable(segment));
        let error = host.error("that nobody listens");
        assert_eq!((error.kind, error.quoted), (ErrorKind::PortUnreachable, b"datagram".to_vec()));
        host.is_silent();
    }
}

#[test]
fn a_copy_of_the_datagram_is_quoted_with_a_header_like_it() {
    let mut host = Script::host();
    let mut buf = Buf::copy_from_slice(b"datagram");
    buf.label_mut().next_hop = NextHop::Neighbour(ip("0.0.0.0"));
    let segment = Segment::new(buf, ip("203.0.113.80"), ip("192.0.2.10"), UDP);
    host.control(SegmentControl::PortUnreachable(segment));
    let told = host.packet("port unreachable");
    let quoted = Ipv4Header::parse(&told[28..]).expect("a valid quoted header");
    assert_eq!(
        (quoted.source, quoted.destination, quoted.protocol),
        (v4("203.0.113.80"), v4("192.0.2.10"), UDP)
    );
    assert_eq!(&told[48..], b"datagram");
}

#[test]
fn no_error_about_what_was_for_a_group() {
    let mut host = Script::host();
    host.receive_group("a broadcast", &udp4("192.0.2.20", "192.0.2.255", b"datagram"));
    let segment = host.segment("the broadcast");
    host.control(SegmentControl::PortUnreachable(segment));
    host.only_dropped("no ICMP error for this");
}

#[test]
fn errors_are_rate_limited() {
    let mut host = Script::host();
    let odd = packet4(header4("203.0.113.80", "192.0.2.10", 132), &[0; 12]);
    for _ in 0..200 {
        host.receive("protocol 132", &odd);
    }
    assert_eq!(host.packets().len(), 50, "the burst");
    host.dropped("ICMP errors rate-limited", 150);
    host.pass(Duration::from_millis(100));
    for _ in 0..200 {
        host.receive("protocol 132", &odd);
    }
    assert_eq!(host.packets().len(), 10, "a hundred a second");
}

#[test]
fn what_ethernet_could_not_deliver_comes_back() {
    let mut host = Script::host();
    for (source, destination) in [("192.0.2.10", "192.0.2.20"), ("2001:db8::10", "2001:db8::20")] {
        host.send(source, destination, TCP, &[3; 40]);
        let packet: Packet = host.packet("the segment");
        host.event(LinkEvent::Unreachable { packet });
        let error = host.error("that the host does not answer");
        assert_eq!((error.kind, error.reporter), (ErrorKind::HostUnreachable, ip(source)));
        assert_eq!(
            (error.destination, error.protocol, &error.quoted[..8]),
            (ip(destination), TCP, &[3; 8][..])
        );
    }
    host.receive("a ping", &icmp4("192.0.2.20", "192.0.2.10", &ECHO));
    let packet = host.packet("the answer");
    host.event(LinkEvent::Unreachable { packet });
    host.dropped("own message not delivered", 1);
}

#[test]
fn a_conflict_is_said() {
    let mut host = Script::host();
    host.event(LinkEvent::Conflict { interface: LINK, address: Some(ip("192.0.2.10")), mac: mac(66) });
    assert_eq!(host.noted("conflict"), Some("02:00:00:00:00:42 claims my address 192.0.2.10"));
}
