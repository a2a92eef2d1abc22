//! What hostile or broken frames get: a counted drop, a conflict that is said, and no harm to anybody else.

use std::net::Ipv4Addr;

use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::observe::Counters;
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{LinkControl, PacketUp};
use framewise_core::{Buf, Cx, Layer, MacAddr, Rng};
use framewise_ethernet::{ArpPacket, Config, EtherType, Ethernet, NeighbourConfig, NeighbourState};
use proptest::prelude::*;

use crate::script::*;

/// A frame is dropped for one reason, and nothing comes of it.
#[track_caller]
fn check_dropped(frame: &[u8], reason: &str) {
    let mut link = Script::start();
    link.receive(frame);
    link.expect_silence();
    link.expect_drops(reason, 1);
    link.check(link.total_drops() == 1, "counted one drop");
}

#[test]
fn malformed_frames_are_counted_drops() {
    let me = |ethertype, payload: &[u8]| frame(MY_MAC, ROUTER_MAC, ethertype, payload);
    check_dropped(&[], "runt frame");
    check_dropped(&[0xff; 13], "runt frame");
    check_dropped(&me(EtherType::IPV4, &[0x45; 1_501]), "oversize frame");
    check_dropped(&me(EtherType::VLAN, &[0; 50]), "802.1Q tag");
    check_dropped(&me(EtherType::SERVICE_VLAN, &[0; 50]), "802.1Q tag");
    check_dropped(&me(EtherType(46), &[0; 46]), "802.3 length field");
    check_dropped(&me(EtherType(0x05ff), &[0; 46]), "802.3 length field");
    check_dropped(&me(EtherType(0x88cc), &[0; 46]), "unknown EtherType");
    check_dropped(&me(EtherType::IPV4, &[0x60; 46]), "EtherType of the other IP version");
    check_dropped(&me(EtherType::IPV6, &ip_packet(1)), "EtherType of the other IP version");
}

#[test]
fn frames_that_are_not_for_me_are_dropped_unread() {
    check_dropped(&ip_frame(OTHER_MAC, ROUTER_MAC, 1), "for another station");
    check_dropped(&frame(OTHER_MAC, ROUTER_MAC, EtherType::VLAN, &[]), "for another station");
    check_dropped(&ip_frame(MY_MAC, MacAddr::BROADCAST, 1), "source is no station");
    check_dropped(&ip_frame(MY_MAC, MacAddr::new([0x33, 0x33, 0, 0, 0, 1]), 1), "source is no station");
    check_dropped(&ip_frame(MY_MAC, MacAddr::UNSPECIFIED, 1), "source is no station");
    let spanning_tree = MacAddr::new([0x01, 0x80, 0xc2, 0, 0, 0]);
    check_dropped(&ip_frame(spanning_tree, ROUTER_MAC, 1), "for another protocol's group");
    let not_ipv4 = MacAddr::new([0x01, 0x00, 0x5e, 0x80, 0, 1]);
    check_dropped(&ip_frame(not_ipv4, ROUTER_MAC, 1), "for another protocol's group");
}

#[test]
fn frames_for_me_a_group_and_everybody_go_up_without_their_header() {
    let cases = [
        (MY_MAC, "Neighbour"),
        (MacAddr::BROADCAST, "Broadcast"),
        (MacAddr::new([0x01, 0x00, 0x5e, 0, 0, 1]), "Multicast"),
        (MacAddr::new([0x33, 0x33, 0, 0, 0, 1]), "Multicast"),
    ];
    for (destination, kind) in cases {
        let mut link = Script::start();
        link.receive(&ip_frame(destination, ROUTER_MAC, 7));
        let Some(PacketUp::Packet(packet)) = link.poll_up() else {
            link.fail("handed a packet up", "did not");
        };
        assert_eq!(packet[..], ip_packet(7));
        assert!(
            format!("{:?}", packet.next_hop()).starts_with(kind),
            "{destination}: {:?}",
            packet.next_hop()
        );
        link.check(link.total_drops() == 0, "dropped nothing");
    }
}

#[test]
fn segments_that_the_device_joined_may_exceed_the_mtu() {
    let mut link = Script::start();
    let mut buf = Buf::copy_from_slice(&frame(MY_MAC, ROUTER_MAC, EtherType::IPV4, &[0x45; 30_000]));
    buf.label_mut().offload.segment_size = Some(1_460);
    link.receive_buf(buf);
    let Some(PacketUp::Packet(packet)) = link.poll_up() else {
        link.fail("handed the joined segments up", "did not");
    };
    assert_eq!(packet.len(), 30_000);
    assert_eq!(packet.label().offload.segment_size, Some(1_460));
}

#[test]
fn malformed_arp_is_a_counted_drop() {
    let good = ArpPacket::request(ROUTER_MAC, ROUTER, ME).to_bytes();
    let with = |at: usize, bytes: &[u8]| {
        let mut packet = good;
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        frame(MY_MAC, ROUTER_MAC, EtherType::ARP, &packet)
    };
    check_dropped(&frame(MY_MAC, ROUTER_MAC, EtherType::ARP, &good[..27]), "ARP packet too short");
    for (at, bytes) in [(0, [0, 6]), (2, [0x86, 0xdd]), (4, [8, 4]), (4, [6, 16]), (6, [0, 0]), (6, [0, 3])] {
        check_dropped(&with(at, &bytes), "ARP not for IPv4 over Ethernet");
    }
    for mac in [MacAddr::BROADCAST, MacAddr::UNSPECIFIED, MacAddr::new([1, 0, 0x5e, 0, 0, 1])] {
        check_dropped(&with(8, &mac.octets()), "ARP sender is no station");
    }
    for address in [[224, 0, 0, 1], [255, 255, 255, 255], [127, 0, 0, 1]] {
        check_dropped(&with(14, &address), "ARP sender is no host");
    }
    let mut reply = ArpPacket::request(MY_MAC, ME, ROUTER).reply(ROUTER_MAC);
    reply.sender_address = Ipv4Addr::UNSPECIFIED;
    check_dropped(&reply.to_frame(MY_MAC, ROUTER_MAC), "ARP sender is no host");
    let elsewhere = ArpPacket::request(ROUTER_MAC, ROUTER, Ipv4Addr::new(192, 0, 2, 99));
    check_dropped(&elsewhere.to_frame(MacAddr::BROADCAST, ROUTER_MAC), "ARP for another station");
}

/// One flipped bit in an answer's sender would send all that follows to a station that isn't there.
#[test]
fn a_damaged_binding_is_not_believed() {
    let damaged = MacAddr::new([0x02, 0x20, 0, 0, 0, 1]);
    let asks_me = ArpPacket::request(damaged, ROUTER, ME);
    check_dropped(&asks_me.to_frame(MacAddr::BROADCAST, ROUTER_MAC), "ARP sender is not the frame's");

    let mut link = Script::start();
    link.send(ROUTER, 1);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.receive(&ArpPacket::request(MY_MAC, ME, ROUTER).reply(damaged).to_frame(MY_MAC, ROUTER_MAC));
    link.expect_drops("ARP sender is not the frame's", 1);
    link.expect_silence();
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_packet(ROUTER_MAC, 1);
}

#[test]
fn a_second_station_with_my_mac_address_is_detected_and_said_once() {
    let mut link = Script::start();
    for destination in [MacAddr::BROADCAST, OTHER_MAC, MY_MAC] {
        link.receive(&ip_frame(destination, MY_MAC, 1));
    }
    link.expect_conflict(None, MY_MAC);
    link.expect_silence();
    link.expect_drops("my own address as source", 3);
    link.check(
        link.notes("duplicate") == ["another station uses my MAC address 02:00:00:00:00:0a"],
        "noted the duplicate once",
    );
    link.wait(seconds(10));
    let hidden = ArpPacket::request(MY_MAC, ROUTER, ME);
    link.receive(&hidden.to_frame(MacAddr::BROADCAST, OTHER_MAC));
    link.expect_conflict(None, MY_MAC);
    link.expect_silence();
}

#[test]
fn an_unsolicited_reply_teaches_nothing_new() {
    let mut link = Script::start();
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_silence();
    link.check(link.state(ROUTER).is_none(), "learned nothing");
    link.expect_drops("ARP for another station", 1);
}

#[test]
fn a_conflicting_binding_does_not_replace_a_live_one() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(2));
    for _ in 0..3 {
        link.answer(ROUTER, OTHER_MAC);
    }
    link.expect_drops("conflicting neighbour binding", 3);
    link.check(
        link.notes("conflict")[0]
            == "02:00:00:00:00:66 says it is 192.0.2.1, which I know at 02:00:00:00:00:01",
        "noted the conflict",
    );
    link.expect_question(ROUTER_MAC, ROUTER);
    link.expect_silence();
    link.answer(ROUTER, ROUTER_MAC);
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_silence();
}

#[test]
fn a_request_to_me_does_not_replace_a_live_binding_either() {
    let mut link = Script::start();
    link.resolve_router();
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(OTHER_MAC, ROUTER, ME));
    link.expect_drops("conflicting neighbour binding", 1);
    link.expect_arp(OTHER_MAC);
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
}

#[test]
fn a_router_that_really_moved_is_followed_after_the_old_one_had_its_say() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(2));
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ROUTER));
    link.expect_question(ROUTER_MAC, ROUTER);
    link.wait(seconds(1));
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.answer(ROUTER, OTHER_MAC);
    link.send(ROUTER, 1);
    link.expect_packet(OTHER_MAC, 1);
}

#[test]
fn a_stale_binding_is_not_replaced_by_hearsay() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(61));
    link.check(link.state(ROUTER) == Some(NeighbourState::Stale), "grown stale");
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ROUTER));
    link.expect_drops("conflicting neighbour binding", 1);
    link.expect_question(ROUTER_MAC, ROUTER);
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_silence();
}

#[test]
fn a_flood_of_ten_thousand_bindings_keeps_the_active_peer() {
    let mut link = Script::start();
    link.resolve_router();
    for i in 0..10_000u32 {
        let [_, _, b, c] = i.to_be_bytes();
        let mac = MacAddr::new([2, 1, 0, 0, b, c]);
        let address = Ipv4Addr::from_bits(0x0a00_0000 + i);
        link.receive_arp(MY_MAC, ArpPacket::request(mac, address, ME));
        link.expect_arp(mac);
        if i % 500 == 0 {
            link.wait(seconds(7));
            link.send(ROUTER, 1);
            let frame = link.poll_frame().expect("the router's packets go on");
            assert_eq!(frame[..6], ROUTER_MAC.octets());
            // Whatever is asked meanwhile, the router answers.
            if link.poll_frame().is_some() {
                link.answer(ROUTER, ROUTER_MAC);
            }
        }
    }
    link.check(link.ethernet.neighbours().count() == 1_024, "kept as many as fit");
    link.check(link.state(ROUTER) == Some(NeighbourState::Reachable), "kept the router");
}

/// Bindings of as many stations as the table has places, and half as many again.
fn flood(link: &mut Script) {
    for i in 0..1_536u32 {
        let [_, _, b, c] = i.to_be_bytes();
        let mac = MacAddr::new([2, 1, 0, 0, b, c]);
        link.receive_arp(MY_MAC, ArpPacket::request(mac, Ipv4Addr::from_bits(0x0a00_0000 + i), ME));
        link.expect_arp(mac);
    }
}

#[test]
fn a_flood_does_not_keep_a_newcomer_out() {
    let mut link = Script::start();
    flood(&mut link);
    link.resolve_router();
    link.expect_drops("neighbour table full", 0);
}

#[test]
fn a_peer_that_wrote_first_is_kept_once_it_is_answered() {
    let mut link = Script::start();
    link.receive_arp(MY_MAC, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    link.expect_arp(ROUTER_MAC);
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    flood(&mut link);
    link.send(ROUTER, 2);
    link.expect_packet(ROUTER_MAC, 2);
    link.expect_silence();
}

#[test]
fn a_peer_in_use_is_kept_while_its_binding_is_stale() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(59));
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.wait(seconds(2));
    link.check(link.state(ROUTER) == Some(NeighbourState::Stale), "grown stale");
    flood(&mut link);
    link.send(ROUTER, 2);
    link.expect_packet(ROUTER_MAC, 2);
    link.expect_question(ROUTER_MAC, ROUTER);
}

#[test]
fn when_all_places_are_in_use_a_newcomer_is_told() {
    let mut link = with_two_places();
    for last in [1, 2] {
        let mac = MacAddr::new([2, 0, 0, 0, 0, last]);
        link.send([192, 0, 2, last], last);
        link.expect_arp(MacAddr::BROADCAST);
        link.answer(Ipv4Addr::new(192, 0, 2, last), mac);
        link.expect_packet(mac, last);
    }
    link.send([192, 0, 2, 3], 3);
    link.expect_unreachable(3);
    link.expect_drops("neighbour table full", 1);
    link.receive_arp(MY_MAC, ArpPacket::request(OTHER_MAC, Ipv4Addr::new(192, 0, 2, 4), ME));
    link.expect_arp(OTHER_MAC);
    link.expect_drops("neighbour table full", 2);
    // Those that nobody writes to any more make room.
    link.wait(seconds(61));
    link.send([192, 0, 2, 3], 3);
    link.expect_arp(MacAddr::BROADCAST);
}

fn with_two_places() -> Script {
    let neighbours = NeighbourConfig { entries: 2, ..NeighbourConfig::default() };
    let mut link = Script::with(Config { neighbours, ..Config::one(MY_MAC) });
    link.claim(ME);
    link
}

#[test]
fn who_was_asked_for_longest_without_an_answer_gives_way_to_a_newcomer() {
    let mut link = with_two_places();
    for last in [1, 2] {
        link.send([192, 0, 2, last], last);
        link.expect_question(MacAddr::BROADCAST, Ipv4Addr::new(192, 0, 2, last));
    }
    link.send([192, 0, 2, 3], 3);
    link.expect_unreachable(1);
    link.expect_drops("neighbour table full", 1);
    link.expect_question(MacAddr::BROADCAST, Ipv4Addr::new(192, 0, 2, 3));
    // What nobody asked for displaces no question.
    link.receive_arp(MY_MAC, ArpPacket::request(OTHER_MAC, Ipv4Addr::new(192, 0, 2, 4), ME));
    link.expect_arp(OTHER_MAC);
    link.expect_drops("neighbour table full", 2);
    // The two that were left to be asked for answer, and are in use from then on.
    for last in [2, 3] {
        let mac = MacAddr::new([2, 0, 0, 0, 0, last]);
        link.answer(Ipv4Addr::new(192, 0, 2, last), mac);
        link.expect_packet(mac, last);
    }
    link.send([192, 0, 2, 1], 1);
    link.expect_unreachable(1);
    link.expect_silence();
}

#[test]
fn a_flood_of_hosts_that_do_not_answer_keeps_no_newcomer_out() {
    let mut link = Script::start();
    for i in 0..2_000u32 {
        link.send(Ipv4Addr::from_bits(0x0a00_0000 + i), 9);
        link.expect_arp(MacAddr::BROADCAST);
        while link.poll_up().is_some() {}
    }
    link.check(link.ethernet.neighbours().count() == 1_024, "kept as many questions as fit");
    link.send(ROUTER, 1);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_packet(ROUTER_MAC, 1);
}

#[test]
fn packets_that_cannot_be_sent_are_visible() {
    let mut link = Script::start();
    link.send_bytes(NextHop::Broadcast, &[0x45; 1_501]);
    link.expect_drops("packet larger than the MTU", 1);
    link.send_bytes(NextHop::Broadcast, &[0x15; 20]);
    link.send_bytes(NextHop::Broadcast, &[]);
    link.expect_drops("packet is neither IPv4 nor IPv6", 2);
    link.control(LinkControl::Neighbour {
        interface: LINK,
        address: ROUTER_V6.into(),
        mac: Some(MacAddr::BROADCAST),
        replace: true,
    });
    link.expect_drops("neighbour's address is no station", 1);
    link.expect_silence();
}

#[test]
fn interfaces_are_apart() {
    let other = InterfaceId(1);
    let mut config = Config::one(MY_MAC);
    config.interfaces.push(framewise_ethernet::InterfaceConfig::new(OTHER_MAC));
    let mut ethernet = Ethernet::new(config, Rng::from_seed(1));
    let mut counters = Counters::default();
    let mut cx = Cx::new(framewise_core::Instant::ZERO, &mut counters);
    let claim = LinkControl::Claim { interface: other, address: ME };
    ethernet.handle_outbound(framewise_core::seams::packet::PacketDown::Control(Box::new(claim)), &mut cx);
    let request = ArpPacket::request(ROUTER_MAC, ROUTER, ME).to_frame(MacAddr::BROADCAST, ROUTER_MAC);
    for interface in 0..3 {
        ethernet.handle_inbound(Frame::new(request.clone(), InterfaceId(interface)), &mut cx);
    }
    let reply = ethernet.poll_outbound(&mut cx).expect("the interface with the address answers");
    assert_eq!(reply.interface(), other);
    assert_eq!(reply[6..12], OTHER_MAC.octets());
    assert!(ethernet.poll_outbound(&mut cx).is_none());
    assert_eq!(cx.counters.drops("ethernet", "ARP for another station"), 1);
    assert_eq!(cx.counters.drops("ethernet", "unknown interface"), 1);
}

/// Frames as an attacker would vary them: mostly well formed, so that every branch is reached.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let mac = prop_oneof![
        Just(MY_MAC),
        Just(ROUTER_MAC),
        Just(OTHER_MAC),
        Just(MacAddr::BROADCAST),
        any::<[u8; 6]>().prop_map(MacAddr::new),
    ];
    let address = prop_oneof![Just(ME), Just(ROUTER), any::<[u8; 4]>().prop_map(Ipv4Addr::from)];
    let ethertype = prop_oneof![
        Just(EtherType::ARP),
        Just(EtherType::IPV4),
        Just(EtherType::IPV6),
        any::<u16>().prop_map(EtherType),
    ];
    let arp = (mac.clone(), address.clone(), mac.clone(), address, any::<bool>()).prop_map(
        |(sender_mac, sender_address, target_mac, target_address, reply)| {
            let request =
                ArpPacket { target_mac, ..ArpPacket::request(sender_mac, sender_address, target_address) };
            let mut bytes = request.to_bytes();
            bytes[7] = 1 + u8::from(reply);
            bytes.to_vec()
        },
    );
    let payload = prop_oneof![arp, proptest::collection::vec(any::<u8>(), 0..64)];
    let formed =
        (mac.clone(), mac, ethertype, payload).prop_map(|(destination, source, ethertype, payload)| {
            frame(destination, source, ethertype, &payload)
        });
    prop_oneof![3 => formed, 1 => proptest::collection::vec(any::<u8>(), 0..80)]
}

proptest! {
    /// Whatever arrives goes up, is answered, changes what is known, or is a counted drop; and nothing panics.
    #[test]
    fn arbitrary_frames_never_vanish(frames in proptest::collection::vec((any_frame(), 0u64..40_000), 1..60)) {
        let mut link = Script::start();
        link.send(ROUTER, 1);
        while link.poll_frame().is_some() {}
        for (frame, pause) in frames {
            let known = known(&link);
            let drops = link.total_drops();
            link.receive(&frame);
            let mut visible = link.total_drops() > drops || known != self::known(&link);
            while link.poll_frame().is_some() {
                visible = true;
            }
            while link.poll_up().is_some() {
                visible = true;
            }
            // What confirms a binding changes only when it was last heard.
            let confirms = confirms_a_neighbour(&link, &frame);
            link.check(visible || confirms, "let no frame vanish");
            link.wait(millis(pause));
            while link.poll_frame().is_some() {}
            while link.poll_up().is_some() {}
        }
    }

    #[test]
    fn arbitrary_bytes_are_described_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = framewise_ethernet::describe(&bytes);
        let _ = framewise_ethernet::describe_arp(&bytes);
    }

    #[test]
    fn two_layers_built_and_called_alike_say_the_same(frames in proptest::collection::vec(any_frame(), 1..20)) {
        let run = || {
            let mut link = Script::with(Config { announce: true, ..Config::one(MY_MAC) });
            link.claim(ME);
            let mut said = Vec::new();
            for frame in &frames {
                link.receive(frame);
                link.wait(millis(700));
                while let Some(frame) = link.poll_frame() {
                    said.push(frame);
                }
                while let Some(message) = link.poll_up() {
                    said.push(format!("{message:?}").into_bytes());
                }
            }
            said
        };
        prop_assert_eq!(run(), run());
    }
}

fn confirms_a_neighbour(link: &Script, frame: &[u8]) -> bool {
    let Some(Ok(arp)) = frame.get(14..).map(ArpPacket::parse) else {
        return false;
    };
    known(link).iter().any(|n| n.address == arp.sender_address && n.mac == Some(arp.sender_mac))
}

fn known(link: &Script) -> Vec<framewise_ethernet::Neighbour> {
    link.ethernet.neighbours().collect()
}

#[test]
fn a_flood_without_anybody_polling_is_bounded() {
    let mut link = Script::start();
    let frame = Buf::copy_from_slice(&ip_frame(MY_MAC, ROUTER_MAC, 1));
    for _ in 0..2_000 {
        link.receive(&frame);
        link.receive_arp(MY_MAC, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    }
    link.expect_drops("inbound queue full", 976);
    link.expect_drops("outbound queue full", 976);
}
