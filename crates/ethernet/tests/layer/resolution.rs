//! How a neighbour is found, trusted, asked again, and given up.

use crate::script::*;
use framewise_core::buf::NextHop;
use framewise_core::seams::packet::{LinkControl, LinkEvent, PacketUp};
use framewise_core::{Buf, Layer, MacAddr};
use framewise_ethernet::{ArpPacket, Config, NeighbourState};

#[test]
fn the_first_frame_of_a_fetch_asks_for_the_router() {
    let mut link = Script::start();
    link.expect_silence();
    link.send(ROUTER, 1);
    link.send(ROUTER, 2);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.expect_silence();
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_packet(ROUTER_MAC, 2);
    link.send(ROUTER, 3);
    link.expect_packet(ROUTER_MAC, 3);
    link.expect_silence();
    link.check(
        link.notes("resolved") == ["192.0.2.1 is at 02:00:00:00:00:01"],
        "noted where the router is, once",
    );
    link.check(link.total_drops() == 0, "dropped nothing");
}

#[test]
fn a_request_to_me_is_answered_and_its_sender_remembered() {
    let mut link = Script::start();
    let request = ArpPacket::request(ROUTER_MAC, ROUTER, ME);
    link.receive_arp(MacAddr::BROADCAST, request);
    let reply = link.expect_arp(ROUTER_MAC);
    assert_eq!(reply, request.reply(MY_MAC));
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_silence();
}

#[test]
fn a_silent_neighbour_is_asked_three_times_a_second_apart() {
    let mut link = Script::start();
    link.send(ROUTER, 1);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    for _ in 0..2 {
        link.wait(millis(999));
        link.expect_silence();
        link.wait(millis(1));
        link.expect_question(MacAddr::BROADCAST, ROUTER);
    }
    link.wait(millis(999));
    link.expect_silence();
    link.wait(millis(1));
    link.expect_unreachable(1);
    link.expect_silence();
    link.check(link.notes("unresolved") == ["192.0.2.1 does not answer"], "noted that");
}

#[test]
fn however_much_is_sent_to_a_neighbour_it_is_asked_for_once_a_second() {
    let mut link = Script::start();
    link.send(ROUTER, 0);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    for second in 0..2 {
        for mark in 1..4 {
            link.wait(millis(250));
            link.send(ROUTER, 4 * second + mark);
            link.expect_silence();
        }
        link.wait(millis(250));
        link.expect_question(MacAddr::BROADCAST, ROUTER);
    }
}

#[test]
fn after_a_failure_senders_are_told_at_once_and_nobody_is_asked_for_a_while() {
    let mut link = Script::start();
    link.send(ROUTER, 1);
    link.wait(seconds(3));
    link.expect_unreachable(1);
    while link.poll_frame().is_some() {}
    link.send(ROUTER, 2);
    link.expect_unreachable(2);
    link.expect_silence();
    link.wait(seconds(3));
    link.check(link.state(ROUTER).is_none(), "forgotten the failure");
    link.send(ROUTER, 3);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
}

#[test]
fn a_neighbour_that_failed_and_then_announces_itself_is_reachable() {
    let mut link = Script::start();
    link.send(ROUTER, 1);
    link.wait(seconds(3));
    link.expect_unreachable(1);
    while link.poll_frame().is_some() {}
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(ROUTER_MAC, ROUTER));
    link.send(ROUTER, 2);
    link.expect_packet(ROUTER_MAC, 2);
}

#[test]
fn when_too_many_wait_for_one_the_oldest_comes_back() {
    let mut link = Script::start();
    for mark in 0..20 {
        link.send(ROUTER, mark);
    }
    for mark in 0..4 {
        link.expect_unreachable(mark);
    }
    link.expect_nothing_up();
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.answer(ROUTER, ROUTER_MAC);
    for mark in 4..20 {
        link.expect_packet(ROUTER_MAC, mark);
    }
    link.expect_silence();
}

#[test]
fn an_old_answer_is_checked_without_stopping_the_flow() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(59));
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_silence();
    link.wait(seconds(2));
    link.check(link.state(ROUTER) == Some(NeighbourState::Stale), "grown stale");
    link.send(ROUTER, 2);
    link.expect_packet(ROUTER_MAC, 2);
    link.expect_question(ROUTER_MAC, ROUTER);
    link.send(ROUTER, 3);
    link.expect_packet(ROUTER_MAC, 3);
    link.answer(ROUTER, ROUTER_MAC);
    link.check(link.state(ROUTER) == Some(NeighbourState::Reachable), "become reachable again");
    link.expect_silence();
}

#[test]
fn a_neighbour_that_went_away_is_noticed_and_looked_for_anew() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(61));
    link.send(ROUTER, 1);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_question(ROUTER_MAC, ROUTER);
    link.wait(seconds(2));
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.answer(ROUTER, OTHER_MAC);
    link.check(
        link.notes("moved") == ["192.0.2.1 is now at 02:00:00:00:00:66, no longer at 02:00:00:00:00:01"],
        "noted that the router moved",
    );
    link.send(ROUTER, 2);
    link.expect_packet(OTHER_MAC, 2);

    link.wait(seconds(61));
    link.send(ROUTER, 3);
    link.wait(seconds(3));
    link.check(link.state(ROUTER).is_none(), "forgotten who does not answer");
    link.check(!link.notes("lost").is_empty(), "noted the loss");
}

#[test]
fn an_unused_neighbour_is_forgotten() {
    let mut link = Script::start();
    link.resolve_router();
    link.wait(seconds(60 + 600 + 60));
    link.check(link.state(ROUTER).is_none(), "forgotten");
    link.check(link.ethernet.poll_timeout().is_none(), "left no timer behind");
    link.expect_silence();
}

#[test]
fn a_host_that_never_answers_delays_nobody_else() {
    let mut link = Script::start();
    for i in 0..1_000u32 {
        let nobody = std::net::Ipv4Addr::from_bits(0x0a00_0000 + i);
        link.send(nobody, 1);
        link.expect_arp(MacAddr::BROADCAST);
    }
    let mut returned = 0;
    while link.poll_up().is_some() {
        returned += 1;
    }
    assert_eq!(returned, 1_000 - 256, "as many as fit wait, the oldest made room");
    link.send(ROUTER, 2);
    link.expect_question(MacAddr::BROADCAST, ROUTER);
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_packet(ROUTER_MAC, 2);
    link.wait(seconds(10));
    while let Some(message) = link.poll_up() {
        assert!(matches!(message, PacketUp::Event(e) if matches!(*e, LinkEvent::Unreachable { .. })));
        returned += 1;
    }
    assert_eq!(returned, 1_000, "every packet for nobody comes back, none is lost");
}

#[test]
fn ipv6_neighbours_are_asked_for_by_ip() {
    let mut link = Script::start();
    let mut packet = [0; 40];
    packet[0] = 0x60;
    let next_hop = NextHop::Neighbour(ROUTER_V6.into());
    link.send_bytes(next_hop, &packet);
    link.send_bytes(next_hop, &packet);
    assert!(
        matches!(link.expect_event(), LinkEvent::Resolve { interface: LINK, address } if address == ROUTER_V6)
    );
    link.expect_silence();
    link.control(neighbour(Some(ROUTER_MAC), false));
    for _ in 0..2 {
        let frame = link.poll_frame().expect("the waiting packet leaves");
        assert_eq!(frame[..6], ROUTER_MAC.octets());
        assert_eq!(frame[12..14], [0x86, 0xdd]);
    }
    link.expect_silence();
}

fn expect_resolve(link: &mut Script) {
    let event = link.expect_event();
    assert!(
        matches!(event, LinkEvent::Resolve { interface: LINK, address } if address == ROUTER_V6),
        "should ask IP to ask for the router, but said {event:?}"
    );
}

/// A script in which the IPv6 router is known since two seconds.
fn knowing_the_ipv6_router() -> Script {
    let mut link = Script::start();
    link.send(ROUTER_V6, 1);
    expect_resolve(&mut link);
    link.control(neighbour(Some(ROUTER_MAC), true));
    link.expect_packet(ROUTER_MAC, 1);
    link.wait(seconds(2));
    link
}

#[test]
fn forged_ndp_messages_do_not_take_over_a_live_neighbour() {
    let mut link = knowing_the_ipv6_router();
    // A solicitation casts doubt, so that IP asks; then an advertisement passes for the answer.
    link.control(neighbour(Some(OTHER_MAC), false));
    expect_resolve(&mut link);
    link.control(neighbour(Some(OTHER_MAC), true));
    link.expect_drops("conflicting neighbour binding", 2);
    link.check(link.notes("conflict").len() == 2, "noted both conflicts");
    link.send(ROUTER_V6, 2);
    link.expect_packet(ROUTER_MAC, 2);
    // The true answer comes last.
    link.control(neighbour(Some(ROUTER_MAC), true));
    link.check(link.state(ROUTER_V6) == Some(NeighbourState::Reachable), "confirmed the router");
    link.control(neighbour(Some(OTHER_MAC), true));
    link.expect_drops("conflicting neighbour binding", 3);
    link.wait(seconds(10));
    link.send(ROUTER_V6, 3);
    link.expect_packet(ROUTER_MAC, 3);
}

#[test]
fn an_ipv6_neighbour_that_really_moved_is_followed_once_the_old_one_let_all_questions_pass() {
    let mut link = knowing_the_ipv6_router();
    link.control(neighbour(Some(OTHER_MAC), false));
    expect_resolve(&mut link);
    link.wait(seconds(6));
    link.check(link.notes("lost").len() == 1, "lost the old one");
    link.send(ROUTER_V6, 2);
    expect_resolve(&mut link);
    link.control(neighbour(Some(OTHER_MAC), true));
    link.expect_packet(OTHER_MAC, 2);
}

#[test]
fn ndp_replaces_what_has_grown_stale_if_it_says_so() {
    let mut link = knowing_the_ipv6_router();
    link.wait(seconds(60));
    link.check(link.state(ROUTER_V6) == Some(NeighbourState::Stale), "grown stale");
    link.control(neighbour(Some(OTHER_MAC), true));
    link.check(link.notes("moved").len() == 1, "moved with the override flag");
    link.send(ROUTER_V6, 2);
    link.expect_packet(OTHER_MAC, 2);
}

#[test]
fn that_ndp_gives_up_concerns_only_those_who_are_asked_for() {
    let mut link = knowing_the_ipv6_router();
    link.control(neighbour(None, false));
    link.send(ROUTER_V6, 2);
    link.expect_packet(ROUTER_MAC, 2);
    link.control(neighbour(Some(OTHER_MAC), false));
    expect_resolve(&mut link);
    link.control(neighbour(None, false));
    link.check(link.notes("lost").len() == 1, "lost the neighbour");
    link.send(ROUTER_V6, 3);
    expect_resolve(&mut link);
    link.expect_silence();
}

#[test]
fn ipv6_packets_come_back_when_ndp_gives_up_or_says_nothing() {
    let mut link = Script::start();
    link.send(ROUTER_V6, 1);
    assert!(matches!(link.expect_event(), LinkEvent::Resolve { .. }));
    link.control(neighbour(None, false));
    link.expect_unreachable(1);
    link.send(ROUTER_V6, 2);
    link.expect_unreachable(2);
    link.wait(seconds(3));
    link.send(ROUTER_V6, 3);
    assert!(matches!(link.expect_event(), LinkEvent::Resolve { .. }));
    link.wait(millis(5_999));
    link.expect_silence();
    link.wait(millis(1));
    link.expect_unreachable(3);
    link.expect_silence();
}

fn neighbour(mac: Option<MacAddr>, replace: bool) -> LinkControl {
    LinkControl::Neighbour { interface: LINK, address: ROUTER_V6.into(), mac, replace }
}

#[test]
fn groups_and_everybody_need_no_question() {
    let mut link = Script::start();
    link.send_bytes(NextHop::Broadcast, &ip_packet(1));
    link.expect_packet(MacAddr::BROADCAST, 1);
    link.send_bytes(NextHop::Multicast([239, 129, 2, 3].into()), &ip_packet(2));
    link.expect_packet(MacAddr::new([0x01, 0x00, 0x5e, 0x01, 2, 3]), 2);
    let solicited: std::net::Ipv6Addr = "ff02::1:ff12:3456".parse().expect("an address");
    link.send_bytes(NextHop::Multicast(solicited.into()), &ip_packet(3));
    link.expect_packet(MacAddr::new([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]), 3);
    link.expect_silence();
}

#[test]
fn frames_are_padded_only_when_asked() {
    let mut link = Script::with(Config { pad: true, ..Config::one(MY_MAC) });
    // What an earlier, longer use of the buffer left behind must not leave in the padding.
    let mut buf = Buf::copy_from_slice(&[0xff; 100]);
    buf[..20].copy_from_slice(&ip_packet(1));
    buf.truncate(20);
    link.send_buf(NextHop::Broadcast, buf);
    let frame = link.poll_frame().expect("a frame");
    assert_eq!(frame.len(), 60);
    assert_eq!(frame[14..34], ip_packet(1));
    assert!(frame[34..].iter().all(|&byte| byte == 0), "padding tells nothing of older frames");
}

#[test]
fn the_packets_buffer_becomes_the_frame_with_its_offload_facts() {
    use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
    use framewise_core::observe::Counters;
    use framewise_core::seams::packet::{Packet, PacketDown};
    use framewise_core::{Cx, Rng};

    let offload =
        Offload { checksum: ChecksumState::Partial { start: 200, field: 16 }, segment_size: Some(1_460) };
    let mut buf = Buf::copy_from_slice(&[0x45; 30_000]);
    buf.label_mut().offload = offload;
    let packet = Packet::new(buf, InterfaceId(0), NextHop::Broadcast);
    let (serial, bytes) = (packet.serial(), packet.as_ptr());

    let mut counters = Counters::default();
    let mut cx = Cx::new(framewise_core::Instant::ZERO, &mut counters);
    let mut ethernet = framewise_ethernet::Ethernet::new(Config::one(MY_MAC), Rng::from_seed(1));
    ethernet.handle_outbound(PacketDown::Packet(packet), &mut cx);
    let frame = ethernet.poll_outbound(&mut cx).expect("a super-segment may exceed the MTU");
    assert_eq!(frame.serial(), serial);
    assert_eq!(frame[14..].as_ptr(), bytes, "the payload did not move");
    assert_eq!(frame.offload(), offload);
}
