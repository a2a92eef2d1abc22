//! Our own addresses: probed, announced, used, defended (RFC 5227).

use std::net::Ipv4Addr;
use std::time::Duration;

use framewise_core::seams::packet::LinkControl;
use framewise_core::{Instant, Layer, MacAddr};
use framewise_ethernet::{ArpPacket, Config};

use crate::script::*;

fn announcing() -> Script {
    Script::with(Config { announce: true, ..Config::one(MY_MAC) })
}

/// Waits for the next frame, and tells how long that took.
#[track_caller]
fn next_arp(link: &mut Script) -> (Duration, ArpPacket) {
    let from = link.now;
    for _ in 0..3_000 {
        if let Some(frame) = link.poll_frame() {
            return (link.now - from, ArpPacket::parse(&frame[14..]).expect("an ARP packet"));
        }
        link.wait(millis(1));
    }
    link.fail("sent an ARP packet within 3 s", "sent nothing");
}

#[test]
fn a_silent_claim_sends_nothing_and_answers_at_once() {
    let mut link = Script::start();
    link.expect_silence();
    assert_eq!(link.ethernet.poll_timeout(), None);
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    link.expect_arp(ROUTER_MAC);
}

#[test]
fn an_announced_claim_is_probed_three_times_and_said_twice() {
    let mut link = announcing();
    link.claim(ME);
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    link.expect_silence();
    link.expect_drops("ARP for another station", 1);

    let probe = ArpPacket::probe(MY_MAC, ME);
    let (first, packet) = next_arp(&mut link);
    assert!(first <= seconds(1) && packet == probe, "{first:?}: {packet:?}");
    for _ in 0..2 {
        let (spacing, packet) = next_arp(&mut link);
        assert!(spacing >= seconds(1) && spacing <= seconds(2), "{spacing:?} between probes");
        assert_eq!(packet, probe);
    }
    for _ in 0..2 {
        let (wait, packet) = next_arp(&mut link);
        assert!(wait >= millis(1_999) && wait <= millis(2_001), "{wait:?} before an announcement");
        assert_eq!(packet, ArpPacket::announcement(MY_MAC, ME));
    }
    link.wait(seconds(60));
    link.expect_silence();
    link.check(link.notes("claimed") == ["192.0.2.10 is mine: nobody objected"], "noted the claim once");
}

#[test]
fn packets_wait_until_the_address_may_be_used() {
    let mut link = announcing();
    link.claim(ME);
    link.send(ROUTER, 1);
    loop {
        let (_, packet) = next_arp(&mut link);
        if packet == ArpPacket::request(MY_MAC, ME, ROUTER) {
            break;
        }
        link.check(
            packet == ArpPacket::probe(MY_MAC, ME) || packet == ArpPacket::announcement(MY_MAC, ME),
            "asked for nobody before the address was used",
        );
    }
    link.answer(ROUTER, ROUTER_MAC);
    link.expect_packet(ROUTER_MAC, 1);
    link.expect_nothing_up();
}

#[test]
fn an_address_found_taken_while_probing_is_never_used() {
    for objection in [
        ArpPacket::announcement(OTHER_MAC, ME),
        ArpPacket::probe(MY_MAC, ME).reply(OTHER_MAC),
        ArpPacket::probe(OTHER_MAC, ME),
    ] {
        let mut link = announcing();
        link.claim(ME);
        next_arp(&mut link);
        link.receive_arp(MacAddr::BROADCAST, objection);
        link.expect_conflict(Some(ME), OTHER_MAC);
        link.wait(seconds(20));
        link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
        link.expect_silence();
        link.claim(ME);
        assert_eq!(next_arp(&mut link).1, ArpPacket::probe(MY_MAC, ME), "a new claim starts anew");
    }
}

#[test]
fn who_cannot_wait_uses_an_address_while_it_is_probed_and_stops_when_somebody_objects() {
    let optimistic = || Script::with(Config { announce: true, optimistic: true, ..Config::one(MY_MAC) });
    let mut link = optimistic();
    link.claim(ME);
    let (first, packet) = next_arp(&mut link);
    assert!(first <= millis(1) && packet == ArpPacket::probe(MY_MAC, ME), "{first:?}: {packet:?}");
    let request = ArpPacket::request(ROUTER_MAC, ROUTER, ME);
    link.receive_arp(MacAddr::BROADCAST, request);
    link.expect_arp(ROUTER_MAC);
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::probe(OTHER_MAC, ME));
    link.expect_arp(OTHER_MAC);
    link.receive_arp(MY_MAC, ArpPacket::probe(MY_MAC, ME).reply(OTHER_MAC));
    link.expect_conflict(Some(ME), OTHER_MAC);
    let taken = ["02:00:00:00:00:66 has 192.0.2.10 already: I don't use it"];
    link.check(link.notes("taken") == taken, "said that the address is taken");
    link.receive_arp(MacAddr::BROADCAST, request);
    link.wait(seconds(20));
    link.expect_silence();

    let mut link = optimistic();
    link.claim(ME);
    link.wait(seconds(20));
    while link.poll_frame().is_some() {}
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ME));
    link.expect_conflict(Some(ME), OTHER_MAC);
    assert_eq!(
        link.expect_arp(MacAddr::BROADCAST),
        ArpPacket::announcement(MY_MAC, ME),
        "settled, so defended"
    );
}

#[test]
fn what_a_person_must_hear_is_kept_once_in_ten_seconds() {
    let mut link = Script::start();
    for _ in 0..5 {
        link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ME));
        link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(MY_MAC, ROUTER));
    }
    let said = [
        "02:00:00:00:00:66 claims my address 192.0.2.10",
        "another station uses my MAC address 02:00:00:00:00:0a",
    ];
    assert_eq!(link.warnings(), said);
    assert!(link.warnings().is_empty(), "each is said once");
}

#[test]
fn an_address_in_use_is_defended_at_most_every_ten_seconds() {
    let mut link = Script::start();
    for _ in 0..5 {
        link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ME));
    }
    link.expect_conflict(Some(ME), OTHER_MAC);
    assert_eq!(link.expect_arp(MacAddr::BROADCAST), ArpPacket::announcement(MY_MAC, ME));
    link.expect_silence();
    link.expect_drops("another station claims my address", 5);
    link.wait(seconds(10));
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::announcement(OTHER_MAC, ME));
    link.expect_conflict(Some(ME), OTHER_MAC);
    link.expect_arp(MacAddr::BROADCAST);
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    link.expect_arp(ROUTER_MAC);
}

#[test]
fn a_probe_for_an_address_in_use_is_answered() {
    let mut link = Script::start();
    let probe = ArpPacket::probe(OTHER_MAC, ME);
    link.receive_arp(MacAddr::BROADCAST, probe);
    assert_eq!(link.expect_arp(OTHER_MAC), probe.reply(MY_MAC));
    link.expect_silence();
    link.check(link.ethernet.neighbours().count() == 0, "learned no address from a probe");
}

#[test]
fn a_released_address_is_answered_for_no_more() {
    let mut link = Script::start();
    link.control(LinkControl::Release { interface: LINK, address: ME });
    link.receive_arp(MacAddr::BROADCAST, ArpPacket::request(ROUTER_MAC, ROUTER, ME));
    link.expect_silence();
}

#[test]
fn the_question_is_asked_with_the_address_on_the_neighbours_network() {
    let mut link = Script::with(Config::one(MY_MAC));
    let (ten, other) = (Ipv4Addr::new(10, 0, 0, 5), Ipv4Addr::new(10, 0, 0, 77));
    link.send(ROUTER, 0);
    let unspecified = link.expect_arp(MacAddr::BROADCAST);
    assert_eq!(unspecified.sender_address, Ipv4Addr::UNSPECIFIED, "without an address it asks like a probe");
    link.claim(ten);
    link.claim(ME);
    link.send(other, 1);
    assert_eq!(link.expect_arp(MacAddr::BROADCAST).sender_address, ten);
    link.send(Ipv4Addr::new(192, 0, 2, 7), 1);
    assert_eq!(link.expect_arp(MacAddr::BROADCAST).sender_address, ME);
}

#[test]
fn claims_are_bounded() {
    let mut link = Script::with(Config::one(MY_MAC));
    for i in 0..300 {
        link.claim(Ipv4Addr::from_bits(0x0a00_0000 + i));
    }
    link.expect_drops("too many addresses claimed", 44);
}

#[test]
fn the_same_seed_probes_at_the_same_times() {
    let times = || -> Vec<Instant> {
        let mut link = announcing();
        link.claim(ME);
        (0..5)
            .map(|_| {
                next_arp(&mut link);
                link.now
            })
            .collect()
    };
    assert_eq!(times(), times());
}
