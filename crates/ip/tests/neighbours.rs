//! Neighbour discovery: resolution, answers, duplicate addresses, routers.

mod common;

use std::time::Duration;

use common::*;
use framewise_core::buf::NextHop;
use framewise_core::seams::packet::{LinkControl, LinkEvent};
use framewise_core::seams::segment::UDP;
use framewise_ip::{Config, FragmentHeader, Ipv6Header, ndp};

const OURS: &str = "2001:db8::10";
const OUR_GROUP: &str = "ff02::1:ff00:10";
const PEER: &str = "2001:db8::20";

fn resolve(host: &mut Script, address: &str) {
    host.event(LinkEvent::Resolve { interface: LINK, address: ip(address) });
}

fn neighbour(address: &str, mac: Option<framewise_core::MacAddr>, replace: bool) -> LinkControl {
    LinkControl::Neighbour { interface: LINK, address: ip(address), mac, replace }
}

#[test]
fn asks_the_group_of_the_address_and_tells_ethernet_the_answer() {
    let mut host = Script::host();
    resolve(&mut host, PEER);
    let packet = host.packet("a neighbour solicitation");
    assert_eq!(packet.next_hop(), NextHop::Multicast(ip("ff02::1:ff00:20")));
    assert_eq!((icmpv6_type(&packet), packet[7]), (135, 255));
    assert_eq!(&packet[48..64], &v6(PEER).octets());
    assert_eq!(&packet[64..72], &[1, 1, 2, 0, 0, 0, 0, 10], "with our own MAC address");
    host.receive("the answer", &advertisement(PEER, OURS, PEER, mac(20)));
    assert_eq!(host.link_control("the neighbour's MAC address"), neighbour(PEER, Some(mac(20)), true));
    host.pass(Duration::from_secs(10));
    host.is_silent();
}

/// Who answers first may be a forger. Ethernet, which knows what it knew before, must hear of both.
#[test]
fn whoever_else_answers_within_a_second_is_heard_too() {
    let mut host = Script::host();
    resolve(&mut host, PEER);
    host.packet("a neighbour solicitation");
    host.receive("a forged answer", &advertisement(PEER, OURS, PEER, mac(66)));
    assert_eq!(host.link_control("the forged answer"), neighbour(PEER, Some(mac(66)), true));
    host.receive("the true answer", &advertisement(PEER, OURS, PEER, mac(20)));
    assert_eq!(host.link_control("the true answer"), neighbour(PEER, Some(mac(20)), true));
    host.pass(Duration::from_secs(1));
    host.receive("a late answer", &advertisement(PEER, OURS, PEER, mac(66)));
    host.only_dropped("advertisement nobody asked for");
    resolve(&mut host, PEER);
    assert_eq!(icmpv6_type(&host.packet("a new question")), 135);
}

#[test]
fn neighbour_discovery_in_fragments_is_ignored() {
    let fragment = |packet: &[u8], offset: usize, more_fragments| {
        let mut bytes = vec![0; 8];
        let (next_header, identification) = (58, 7);
        FragmentHeader { next_header, fragment_offset: offset, more_fragments, identification }
            .emit(&mut bytes);
        bytes.extend_from_slice(packet);
        packet6(Ipv6Header { hop_limit: 255, ..header6(PEER, OURS, 44) }, &bytes)
    };
    for message in [solicitation(PEER, OURS, OURS, Some(mac(20))), advertisement(PEER, OURS, PEER, mac(66))] {
        let mut host = Script::host();
        host.receive("a message in one fragment", &fragment(&message[40..], 0, false));
        host.only_dropped("NDP in fragments");
        let mut host = Script::host();
        host.receive("the first part of it", &fragment(&message[40..56], 0, true));
        host.receive("the other part of it", &fragment(&message[56..], 16, false));
        host.only_dropped("NDP in fragments");
    }
}

#[test]
fn ethernet_is_told_what_the_override_flag_says() {
    let mut host = Script::host();
    resolve(&mut host, PEER);
    host.packet("a neighbour solicitation");
    let flags = ndp::AdvertisementFlags { router: false, solicited: true, replace: false };
    let message = ndp::emit_neighbour_advertisement(v6(PEER), mac(20), flags, v6(PEER), v6(OURS));
    host.receive("an answer for another", &icmp6(PEER, OURS, 255, &message));
    assert_eq!(host.link_control("the answer"), neighbour(PEER, Some(mac(20)), false));
}

#[test]
fn gives_up_after_three_questions() {
    let mut host = Script::host();
    resolve(&mut host, PEER);
    host.packet("the first question");
    for number in ["the second question", "the third question"] {
        host.pass(Duration::from_secs(1));
        assert_eq!(icmpv6_type(&host.packet(number)), 135);
    }
    host.pass(Duration::from_secs(1));
    assert_eq!(host.link_control("that it does not answer"), neighbour(PEER, None, false));
    host.pass(Duration::from_secs(60));
    host.is_silent();
}

#[test]
fn a_flood_of_unknown_neighbours_is_bounded() {
    let mut host = Script::host();
    for number in 0..10_000 {
        resolve(&mut host, &format!("2001:db8::1:{number:x}"));
    }
    host.dropped("too many neighbours being asked for", 10_000 - 512);
    assert_eq!(host.packets().len(), 10_000, "each is asked for once");
    resolve(&mut host, PEER);
    let longest = format!("2001:db8::1:{:x}", 10_000 - 512);
    assert_eq!(host.link_control("who was asked for longest"), neighbour(&longest, None, false));
    assert_eq!(icmpv6_type(&host.packet("a question for the newcomer")), 135);
    host.receive("its answer", &advertisement(PEER, OURS, PEER, mac(20)));
    assert_eq!(host.link_control("the newcomer's address"), neighbour(PEER, Some(mac(20)), true));
    host.pass(Duration::from_secs(1));
    assert_eq!(host.packets().len(), 511, "those that are left are asked for again");
}

#[test]
fn answers_who_asks_for_our_address_once_ethernet_knows_them() {
    let mut host = Script::host();
    host.receive_group("a question", &solicitation(PEER, OUR_GROUP, OURS, Some(mac(20))));
    assert_eq!(host.link_control("who asks"), neighbour(PEER, Some(mac(20)), false));
    let packet = host.packet("a neighbour advertisement");
    assert_eq!(packet.next_hop(), NextHop::Neighbour(ip(PEER)));
    assert_eq!((icmpv6_type(&packet), packet[7], packet[44]), (136, 255, 0x60), "solicited, override");
    assert_eq!(&packet[64..72], &[2, 1, 2, 0, 0, 0, 0, 10]);
}

#[test]
fn a_router_says_that_it_is_one() {
    let mut router = Script::router();
    let question = solicitation(OURS, "ff02::1:ff00:1", "2001:db8::1", Some(mac(10)));
    router.receive_group("a question", &question);
    router.link_control("who asks");
    assert_eq!(router.packet("a neighbour advertisement")[44], 0xe0);
}

#[test]
fn who_wants_our_address_for_itself_is_told_with_all_others() {
    let mut host = Script::host();
    host.receive_group("duplicate address detection", &solicitation("::", OUR_GROUP, OURS, None));
    let packet = host.packet("an advertisement to all");
    assert_eq!(packet.next_hop(), NextHop::Multicast(ip("ff02::1")));
    assert_eq!((icmpv6_type(&packet), packet[44]), (136, 0x20), "override, not solicited");
    host.is_silent();
}

#[test]
fn what_rfc_4861_calls_invalid_is_dropped() {
    let with_hops = |hop_limit: u8, packet: Vec<u8>| {
        let header = Ipv6Header::parse(&packet).expect("a packet");
        packet6(Ipv6Header { hop_limit, ..header }, &packet[40..])
    };
    let question = solicitation(PEER, OUR_GROUP, OURS, Some(mac(20)));
    let from = |source, destination, message: &[u8]| icmp6(source, destination, 255, message);
    let body = |extra: &[u8]| [&question[40..64], extra].concat();
    let advertised =
        |flags: u8, target: &str| [&[136, 0, 0, 0, flags, 0, 0, 0][..], &v6(target).octets()].concat();
    let mut code = body(&[]);
    code[1] = 1;
    let mut group = body(&[]);
    group[8] = 0xff;
    let cases = [
        ("NDP hop limit is not 255", with_hops(254, question.clone())),
        ("NDP hop limit is not 255", with_hops(0, question.clone())),
        ("NDP code is not 0", from(PEER, OURS, &code)),
        ("NDP target is a group", from(PEER, OURS, &group)),
        ("NDP option of length 0", from(PEER, OURS, &body(&[1, 0, 2, 0, 0, 0, 0, 20]))),
        ("NDP message cut short", from(PEER, OURS, &body(&[1, 2, 2, 0, 0, 0, 0, 20]))),
        ("NDP message cut short", from(PEER, OURS, &question[40..56])),
        ("NDP solicitation from nobody, malformed", from("::", OUR_GROUP, &body(&[1, 1, 2, 0, 0, 0, 0, 20]))),
        ("NDP solicitation from nobody, malformed", from("::", OURS, &body(&[]))),
        ("NDP target is a group", from(PEER, OURS, &advertised(0x40, "ff02::1"))),
        ("solicited NDP advertisement to a group", from(PEER, "ff02::1", &advertised(0x40, PEER))),
        (
            "router advertisement not from link-local",
            from(PEER, "ff02::1", &[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
        ),
        (
            "router advertisement not wanted",
            from("fe80::1", "ff02::1", &[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
        ),
        ("advertisement nobody asked for", advertisement(PEER, OURS, PEER, mac(20))),
        ("solicitation for another", solicitation(PEER, OUR_GROUP, "2001:db8::aa10", Some(mac(20)))),
    ];
    for (reason, packet) in cases {
        let mut host = Script::host();
        host.receive(reason, &packet);
        host.only_dropped(reason);
    }
}

/// A message of each kind that would be taken: from who looks for routers, a router, who asks, and who answers.
fn one_of_each() -> [Vec<u8>; 4] {
    [
        icmp6("fe80::20", OURS, 255, &[133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 20]),
        router_says("fe80::1", 1_800, 86_400, 14_400, 1_400),
        solicitation(PEER, OUR_GROUP, OURS, Some(mac(20))),
        advertisement(PEER, OURS, PEER, mac(20)),
    ]
}

#[test]
fn of_the_four_messages_none_is_taken_that_was_damaged_or_passed_a_router() {
    for (kind, message) in (133..).zip(one_of_each()) {
        assert_eq!(icmpv6_type(&message), kind);
        let changed = |at: usize, to: u8| {
            let mut message = message.clone();
            message[at] = to;
            message
        };
        let damaged = changed(42, !message[42]);
        let passed = [254, 64, 1, 0].map(|hop_limit| ("NDP hop limit is not 255", changed(7, hop_limit)));
        for (reason, packet) in passed.into_iter().chain([("ICMPv6 checksum wrong", damaged)]) {
            let mut host = if kind == 134 { listener() } else { Script::host() };
            host.receive(&format!("a message {kind}"), &packet);
            host.only_dropped(reason);
        }
    }
}

#[test]
fn another_who_advertises_our_address_is_said() {
    let mut host = Script::host();
    host.receive("a false answer", &advertisement(PEER, OURS, OURS, mac(66)));
    host.only_dropped("another claims my address");
    assert_eq!(host.noted("conflict"), Some("another station claims my address 2001:db8::10"));
    let mut host = Script::host();
    host.receive_group("the same, from our address", &advertisement(OURS, "ff02::1", OURS, mac(66)));
    host.only_dropped("another claims my address");
}

fn careful() -> Script {
    let mut config = host_config();
    config.interfaces[0].addresses.truncate(2);
    config.duplicate_address_detection = true;
    Script::new(config)
}

#[test]
fn duplicate_address_detection_asks_for_each_address() {
    let mut host = careful();
    host.pass(Duration::ZERO);
    host.link_control("the claim of the IPv4 address");
    for target in [OURS, "fe80::ff:fe00:a"] {
        let packet = host.packet("a question about our own address");
        assert_eq!((icmpv6_type(&packet), packet.len()), (135, 64), "without our MAC address");
        let header = Ipv6Header::parse(&packet).expect("a packet");
        assert!(header.source.is_unspecified());
        assert_eq!(&packet[48..64], &v6(target).octets());
    }
    assert_eq!(host.source(PEER).expect("a route").source, ip(OURS), "it is used meanwhile");
    resolve(&mut host, PEER);
    host.is_silent();
    host.pass(Duration::from_secs(1));
    assert_eq!(icmpv6_type(&host.packet("the question for the neighbour, a second later")), 135);
}

#[test]
fn an_address_that_another_has_is_not_used() {
    // From the address itself, as RFC 4861, section 7.2.4 wants it, from another of that station's, and a question like ours.
    let twins = [
        advertisement(OURS, "ff02::1", OURS, mac(66)),
        advertisement("fe80::99", "ff02::1", OURS, mac(66)),
        solicitation("::", OUR_GROUP, OURS, None),
    ];
    for sign in twins {
        let mut host = careful();
        host.start();
        host.receive_group("a sign of another", &sign);
        host.dropped("address is another's", 1);
        assert_eq!(host.noted("taken"), Some("2001:db8::10 is another station's: I don't use it"));
        host.pass(Duration::from_secs(5));
        assert_eq!(host.source(PEER), None);
        host.send(OURS, PEER, UDP, &[0; 8]);
        host.dropped("source is no address of mine", 1);
        host.receive("a question for it", &solicitation(PEER, OUR_GROUP, OURS, Some(mac(20))));
        host.dropped("solicitation for another", 1);
        host.is_silent();
    }
}

fn listener() -> Script {
    let interfaces = vec![interface(10, &[])];
    let mut host =
        Script::new(Config { interfaces, accept_router_advertisements: true, ..Config::default() });
    host.pass(Duration::ZERO);
    assert_eq!(icmpv6_type(&host.packet("a router solicitation")), 133);
    host
}

/// A router advertisement with a prefix, an MTU and the router's MAC address.
fn router_says(source: &str, router_lifetime: u16, valid: u32, preferred: u32, mtu: u32) -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0];
    message.extend_from_slice(&router_lifetime.to_be_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&[1, 1, 2, 0, 0, 0, 0, 1]);
    message.extend_from_slice(&[5, 1, 0, 0]);
    message.extend_from_slice(&mtu.to_be_bytes());
    message.extend_from_slice(&[3, 4, 64, 0xc0]);
    message.extend_from_slice(&valid.to_be_bytes());
    message.extend_from_slice(&preferred.to_be_bytes());
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&v6("2001:db8:5::").octets());
    icmp6(source, "ff02::1", 255, &message)
}

#[test]
fn a_router_gives_a_network_a_way_and_an_mtu() {
    let mut host = listener();
    assert_eq!(host.source("2001:db8:9::1"), None);
    host.receive_group("a router", &router_says("fe80::1", 1_800, 86_400, 14_400, 1_400));
    assert_eq!(host.link_control("the router's MAC address"), neighbour("fe80::1", Some(mac(1)), false));
    let route = host.source("2001:db8:9::1").expect("a default route");
    assert_eq!((route.source, route.mtu), (ip("2001:db8:5::ff:fe00:a"), 1_400));
    host.send("2001:db8:5::ff:fe00:a", "2001:db8:9::1", UDP, &[0; 8]);
    assert_eq!(host.packet("the datagram").next_hop(), NextHop::Neighbour(ip("fe80::1")));
    host.send("2001:db8:5::ff:fe00:a", "2001:db8:5::7", UDP, &[0; 8]);
    assert_eq!(host.packet("the datagram").next_hop(), NextHop::Neighbour(ip("2001:db8:5::7")));
    host.pass(Duration::from_secs(1_801));
    assert_eq!(host.source("2001:db8:9::1"), None, "the router's time is over");
    assert!(host.source("2001:db8:5::7").is_some(), "the network's is not");
    host.pass(Duration::from_secs(86_400));
    assert_eq!(host.layer.addresses().count(), 1, "only the link-local address is left");
}

#[test]
fn a_router_may_leave_at_once_but_not_take_the_address_along() {
    let mut host = listener();
    host.receive_group("a router", &router_says("fe80::1", 1_800, 86_400, 14_400, 1_400));
    host.receive_group("a forger", &router_says("fe80::1", 0, 1, 1, 1_400));
    assert_eq!(host.source("2001:db8:9::1"), None);
    host.pass(Duration::from_secs(7_000));
    assert_eq!(host.layer.addresses().count(), 2, "an address lives two hours at least");
    host.pass(Duration::from_secs(300));
    assert_eq!(host.layer.addresses().count(), 1);
}

#[test]
fn who_says_that_it_is_no_router_any_more_is_none() {
    let listens = "2001:db8:5::ff:fe00:a";
    let says =
        |flags| ndp::emit_neighbour_advertisement(v6("fe80::1"), mac(1), flags, v6("fe80::1"), v6(listens));
    for (router, replace, is_left) in [(true, true, true), (false, false, true), (false, true, false)] {
        let mut host = listener();
        host.receive_group("a router", &router_says("fe80::1", 1_800, 86_400, 14_400, 1_400));
        resolve(&mut host, "fe80::1");
        let flags = ndp::AdvertisementFlags { router, solicited: true, replace };
        host.receive("an answer", &icmp6("fe80::1", listens, 255, &says(flags)));
        assert_eq!(host.source("2001:db8:9::1").is_some(), is_left, "{flags:?}");
    }
}

#[test]
fn odd_advertisements_change_nothing() {
    let mut host = listener();
    host.receive_group("preferred longer than valid", &router_says("fe80::1", 0, 10, 20, 70_000));
    host.dropped("advertised prefix not usable", 1);
    assert_eq!(host.layer.addresses().count(), 1);
    for number in 0..100 {
        let router = format!("fe80::{number:x}:1");
        host.receive_group("a flood of routers", &router_says(&router, 1_800, 0, 0, 0));
    }
    host.dropped("too many routes advertised", 84);
}

#[test]
fn who_is_not_of_the_link_is_no_router_of_it() {
    let mut host = listener();
    let elsewhere = router_says("2001:db8:5::1", 1_800, 86_400, 14_400, 1_400);
    host.receive_group("a router from elsewhere", &elsewhere);
    host.only_dropped("router advertisement not from link-local");
    assert_eq!(host.source("2001:db8:9::1"), None, "no default route");
    assert_eq!(host.source("2001:db8:5::7"), None, "and none on the link");
    assert_eq!(host.layer.addresses().count(), 1);
    host.pass(Duration::from_secs(60));
    assert_eq!(host.packets().len(), 2, "it goes on asking for routers");
}

#[test]
fn an_mtu_that_the_link_can_not_have_changes_nothing() {
    for mtu in [0, 500, 1_279, 1_501, 70_000, u32::MAX] {
        for known in [1_500, 1_400] {
            let mut host = listener();
            host.receive_group("a router", &router_says("fe80::1", 1_800, 86_400, 14_400, known));
            host.receive_group("an odd MTU", &router_says("fe80::1", 1_800, 86_400, 14_400, mtu));
            let route = host.source("2001:db8:9::1").expect("a default route");
            assert_eq!(route.mtu, known as usize, "after an MTU of {mtu}");
        }
    }
}

#[test]
fn asks_three_times_for_routers() {
    let mut host = listener();
    host.pass(Duration::from_secs(60));
    assert_eq!(host.packets().len(), 2, "the second and the third time");
}
