//! What the explanations say.

mod common;

use common::*;
use framewise_core::Description;
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{
    FragmentHeader, Ipv4Header, ParseError, describe, describe_icmp, describe_icmpv6, describe_icmpv6_between,
};

fn value<'a>(description: &'a Description, name: &str) -> &'a str {
    let field = description.fields.iter().find(|field| field.name == name);
    field.map(|field| field.value.as_str()).unwrap_or_else(|| panic!("there should be a field {name:?}"))
}

fn meaning<'a>(description: &'a Description, name: &str) -> &'a str {
    let field = description.fields.iter().find(|field| field.name == name);
    field.map(|field| field.meaning.as_str()).unwrap_or_else(|| panic!("there should be a field {name:?}"))
}

#[test]
fn an_ipv4_header() {
    let packet =
        packet4(Ipv4Header { time_to_live: 63, ..header4("192.0.2.10", "203.0.113.80", TCP) }, &[0; 77]);
    let told = describe(&packet).expect("a packet");
    assert_eq!((told.protocol, told.unit), ("IPv4", "packet"));
    assert_eq!(told.outbound, "to 203.0.113.80, far end");
    assert_eq!(told.inbound, "for me, sum right, TTL 63");
    assert_eq!(told.next, "protocol 6: TCP");
    assert_eq!((told.header.clone(), told.payload.clone()), (0..20, 20..97));
    assert_eq!(value(&told, "time to live"), "63");
    assert_eq!(value(&told, "destination address"), "203.0.113.80");
    covers_all(&told);
}

#[test]
fn a_header_checksum_of_zero_is_left_to_the_device() {
    let mut packet = udp4("192.0.2.10", "203.0.113.80", &[0; 8]);
    packet[10..12].fill(0);
    let told = describe(&packet).expect("a packet");
    assert_eq!(told.inbound, "for me, no sum needed, TTL 64");
    assert!(meaning(&told, "header checksum").starts_with("Not computed yet"));
    packet[10] = 1;
    assert!(meaning(&describe(&packet).expect("a packet"), "header checksum").contains("damaged on the way"));
}

#[test]
fn the_options_of_an_ipv4_header() {
    let mut packet = packet4(header4("192.0.2.10", "203.0.113.80", TCP), &[0; 20]);
    packet.splice(20..20, [148, 4, 0, 0, 7, 3, 4, 1, 0, 0, 0, 0]);
    packet[0] = 0x48;
    packet[3] = 52;
    let told = describe(&packet).expect("a packet");
    let names: Vec<_> = told.fields.iter().map(|field| field.name).skip(16).collect();
    assert_eq!(names, ["router alert", "record route", "no operation", "end of options", "padding"]);
    covers_all(&told);
    packet[21] = 40;
    let told = describe(&packet).expect("a packet");
    assert_eq!(value(&told, "broken option"), "94 28 00 00 07 03 04 01 00 00 00 00");
    covers_all(&told);
}

#[test]
fn services_and_congestion_have_their_bits() {
    let mut packet = udp4("192.0.2.10", "203.0.113.80", &[0; 8]);
    packet[1] = 46 << 2 | 3;
    let told = describe(&packet).expect("a packet");
    assert_eq!(value(&told, "differentiated services code point"), "46");
    let congestion = told.fields.iter().find(|field| field.name == "explicit congestion notification");
    let congestion = congestion.expect("described");
    assert_eq!(congestion.meaning, "A router on the way was near its limit.");
    assert_eq!(congestion.place(), 14..16);
}

#[test]
fn what_a_device_is_to_cut_goes_up_to_the_end() {
    let mut packet = packet4(header4("192.0.2.10", "203.0.113.80", TCP), &[0; 3_000]);
    let whole = describe(&packet).expect("a packet").payload;
    packet[2..4].fill(0);
    assert!(Ipv4Header::read(&packet).is_err(), "who takes a packet refuses it");
    let told = describe(&packet).expect("a packet");
    assert_eq!((told.payload.clone(), value(&told, "total length")), (whole, "0"));
    assert!(meaning(&told, "total length").starts_with("Left to the device"));
    covers_all(&told);
    let below = |packet: &[u8]| describe(packet).unwrap_err().to_string().contains("below its header");
    assert!(below(&packet[..1_000]), "nobody cuts what fits a frame");
    packet[9] = UDP;
    assert!(below(&packet), "only TCP is cut so");
    let mut packet = packet6(header6("2001:db8::1", "2001:db8::2", UDP), &[0; 1_000]);
    packet[4..6].fill(0);
    let told = describe(&packet).expect("a packet");
    assert_eq!((told.payload.clone(), value(&told, "payload length")), (40..1_040, "0"));
    packet[6] = 59;
    assert_eq!(describe(&packet).expect("a packet").payload, 40..40, "nothing follows, and nobody counts it");
}

#[test]
fn groups_and_addresses_of_nobody_are_told_from_hosts() {
    let told = |from: &str, to: &str| {
        let packet = match to.contains(':') {
            true => packet6(header6(from, to, UDP), &[0; 8]),
            false => udp4(from, to, &[0; 8]),
        };
        describe(&packet).expect("a packet")
    };
    for (to, outbound, sentence) in [
        ("224.0.0.22", "to 224.0.0.22, a group", "Those of this link who listen"),
        ("239.1.2.3", "to 239.1.2.3, a group", "All who listen to this group"),
        ("255.255.255.255", "to 255.255.255.255, all on link", "Everybody on this link"),
        ("127.0.0.1", "to 127.0.0.1, itself", "The sender's own machine"),
        ("169.254.1.1", "to 169.254.1.1, on link", "A host of this link"),
        ("192.0.2.1", "to 192.0.2.1, far end", "The host at the far end"),
    ] {
        let told = told("0.0.0.0", to);
        assert_eq!(told.outbound, outbound);
        assert!(meaning(&told, "destination address").starts_with(sentence), "{to}");
        assert!(meaning(&told, "source address").starts_with("The sender has no address yet"));
    }
    for (to, outbound, sentence) in [
        ("ff02::16", "to ff02::16, a group", "Those of this link who listen"),
        ("ff0e::1", "to ff0e::1, a group", "All who listen to this group"),
        ("::1", "to ::1, itself", "The sender's own machine"),
        ("fe80::2", "to fe80::2, on link", "A host of this link"),
    ] {
        let told = told("::", to);
        assert_eq!(told.outbound, outbound);
        assert!(meaning(&told, "destination address").starts_with(sentence), "{to}");
        assert!(meaning(&told, "source address").starts_with("The sender has no address yet"));
    }
    assert!(meaning(&told("fe80::1", "fe80::2"), "source address").starts_with("The host that sent it"));
}

#[test]
fn a_damaged_ipv4_header_is_said_not_refused() {
    let mut packet = udp4("192.0.2.10", "203.0.113.80", &[0; 8]);
    packet[8] ^= 1;
    assert_eq!(describe(&packet).expect("a packet").inbound, "for me, sum wrong, TTL 65");
}

#[test]
fn a_fragment_says_which_bytes_it_brings() {
    let part = |identification, fragment_offset, more_fragments| {
        let header = header4("192.0.2.10", "203.0.113.80", UDP);
        let header = Ipv4Header { identification, fragment_offset, more_fragments, ..header };
        describe(&packet4(header, &[0; 800])).expect("a packet").outbound
    };
    assert_eq!(part(7, 0, true), "bytes 0-799 of packet 7");
    assert_eq!(part(65_535, 64_000, false), "bytes 64000-64799 of packet 65535");
    assert_eq!(part(7, 0, false), "to 203.0.113.80, far end");
}

#[test]
fn an_ipv6_header_with_its_extensions() {
    let mut payload = vec![44, 0, 1, 4, 0, 0, 0, 0];
    let mut fragment = [0; 8];
    FragmentHeader { next_header: UDP, fragment_offset: 16, more_fragments: true, identification: 5 }
        .emit(&mut fragment);
    payload.extend_from_slice(&fragment);
    payload.extend_from_slice(&[0; 16]);
    let packet = packet6(header6("2001:db8::10", "2001:db8:1111:2222:3333:4444:5555:6666", 60), &payload);
    let told = describe(&packet).expect("a packet");
    assert_eq!(told.outbound, "bytes 16-31 of packet 5");
    assert_eq!((told.inbound.as_str(), told.next.as_str()), ("for me, 64 hops left", "the other fragments"));
    assert_eq!((told.header.clone(), told.payload.clone()), (0..56, 56..72));
    assert_eq!((value(&told, "fragment offset"), value(&told, "more fragments")), ("2", "1"));
    covers_all(&told);
}

/// Each bit of the header belongs to some field, and the fields are in order.
fn covers_all(told: &Description) {
    assert_eq!(told.unexplained(), [0; 0], "{told:#?}");
    assert_eq!(told.misplaced(), None, "{told:#?}");
    for field in &told.fields {
        assert!(field.source.starts_with("RFC ") && field.meaning.ends_with('.'), "{field:?}");
    }
}

#[test]
fn an_error_names_the_packet_that_it_quotes() {
    let quoted = udp4("192.0.2.10", "203.0.113.80", &[0x0f, 0xa0, 0, 53, 0, 8, 0, 0]);
    let told = describe_icmp(&[&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted].concat()).expect("a message");
    assert_eq!(value(&told, "quoted packet"), "UDP from 192.0.2.10 port 4000 to 203.0.113.80 port 53");
    let place =
        |name: &str| told.fields.iter().find(|field| field.name == name).map(|field| field.bytes.clone());
    assert_eq!((value(&told, "time to live"), place("time to live")), ("64", Some(16..17)));
    assert_eq!((value(&told, "destination port"), place("destination port")), ("53", Some(30..32)));
    assert_eq!(told.misplaced(), None);
    covers_all(&told);

    let quoted = packet6(header6("2001:db8::10", "2001:db8::20", TCP), &[0, 80, 0, 81]);
    let told = describe_icmpv6(&[&[2, 0, 0, 0, 0, 0, 5, 0][..], &quoted].concat()).expect("a message");
    assert_eq!(value(&told, "MTU"), "1280");
    assert_eq!(value(&told, "quoted packet"), "TCP from 2001:db8::10 port 80 to 2001:db8::20 port 81");
    covers_all(&told);

    let told = describe_icmp(&[5, 1, 0, 0, 192, 0, 2, 1, 9]).expect("a message");
    assert_eq!((value(&told, "gateway address"), value(&told, "quoted packet")), ("192.0.2.1", "1 bytes"));
}

#[test]
fn a_router_advertisement_with_its_options() {
    let mut message = vec![134, 0, 0, 0, 64, 0x40, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([1, 1, 2, 0, 0, 0, 0, 1]);
    message.extend([5, 1, 0, 0, 0, 0, 5, 0xdc]);
    message.extend([3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    message.extend(v6("2001:db8::").octets());
    let told = describe_icmpv6(&message).expect("a message");
    assert_eq!(value(&told, "router lifetime"), "1800");
    assert_eq!((value(&told, "other configuration"), value(&told, "MTU")), ("1", "1500"));
    assert_eq!(value(&told, "prefix information"), "2001:db8::/64");
    assert_eq!((value(&told, "on-link"), value(&told, "valid lifetime")), ("1", "3600"));
    covers_all(&told);
    message[17] = 0;
    let told = describe_icmpv6(&message).expect("a message");
    assert!(told.fields.iter().any(|field| field.name == "unreadable"), "an option of length 0");
    covers_all(&told);
}

#[test]
fn a_short_prefix_option_has_no_part_in_the_next_one() {
    let mut message = vec![134, 0, 0, 0, 64, 0x40, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([3, 3, 64, 0xc0, 0, 0, 0x0e, 0x10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    message.extend([0; 8]);
    message.extend([5, 1, 0, 0, 0, 0, 5, 0xdc]);
    let told = describe_icmpv6(&message).expect("a message");
    assert_eq!((value(&told, "prefix information"), value(&told, "MTU")), ("24 bytes", "1500"));
    covers_all(&told);
}

#[test]
fn icmp_messages() {
    let ping = icmp4("192.0.2.10", "203.0.113.80", &[8, 0, 0, 0, 0, 1, 0, 7]);
    let told = describe_icmp(&ping[20..]).expect("a message");
    assert_eq!(
        (told.outbound.as_str(), told.inbound.as_str()),
        ("echo request: are you there?", "echo request, sum right")
    );
    assert_eq!(value(&told, "sequence number"), "7");
    covers_all(&told);

    let question = solicitation("2001:db8::10", "ff02::1:ff00:20", "2001:db8::20", Some(mac(10)));
    let told = describe_icmpv6(&question[40..]).expect("a message");
    assert_eq!((told.protocol, told.outbound.as_str()), ("NDP", "who has this address?"));
    assert_eq!(value(&told, "target address"), "2001:db8::20");
    assert_eq!(value(&told, "source link-layer address"), "02:00:00:00:00:0a");
    assert_eq!(told.payload.len(), 0);

    let answer = advertisement("2001:db8::20", "2001:db8::10", "2001:db8::20", mac(20));
    let told = describe_icmpv6(&answer[40..]).expect("a message");
    assert_eq!(
        (value(&told, "solicited"), value(&told, "override"), value(&told, "router")),
        ("1", "1", "0")
    );
}

#[test]
fn the_checksum_of_icmpv6_is_judged_where_the_addresses_are_known() {
    let mut question = solicitation("2001:db8::10", "ff02::1:ff00:20", "2001:db8::20", Some(mac(10)));
    let (from, to) = ("2001:db8::10".parse().unwrap(), "ff02::1:ff00:20".parse().unwrap());
    let length = question.len() - 40;
    let judged = |message: &[u8]| {
        let told = describe_icmpv6_between(message, length, from, to).expect("a message");
        (told.inbound.clone(), meaning(&told, "checksum").to_owned())
    };
    let (inbound, sum) = judged(&question[40..]);
    assert_eq!(inbound, "who has this address?");
    assert!(sum.starts_with("Right"), "{sum}");
    assert!(judged(&question[40..60]).1.starts_with("Nobody can tell"));
    question[50] ^= 1;
    let (inbound, sum) = judged(&question[40..]);
    assert_eq!(inbound, "damaged: the sum is wrong");
    assert!(sum.starts_with("Wrong"), "{sum}");
}

#[test]
fn what_is_no_packet_says_where_and_why() {
    let error = describe(&[0x45; 9]).expect_err("nine bytes are no header");
    assert_eq!(error, ParseError::Truncated { layer: "IPv4", offset: 0, needed: 20, found: 9 });
    assert_eq!(error.to_string(), "IPv4 at offset 0 needs 20 bytes, there are 9");
}
