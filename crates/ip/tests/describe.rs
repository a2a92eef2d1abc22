//! What the explanations say.

mod common;

use common::*;
use framewise_core::Description;
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{FragmentHeader, Ipv4Header, ParseError, describe, describe_icmp, describe_icmpv6};

fn value<'a>(description: &'a Description, name: &str) -> &'a str {
    let field = description.fields.iter().find(|field| field.name == name);
    field.map(|field| field.value.as_str()).unwrap_or_else(|| panic!("there should be a field {name:?}"))
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
fn a_damaged_ipv4_header_is_said_not_refused() {
    let mut packet = udp4("192.0.2.10", "203.0.113.80", &[0; 8]);
    packet[8] ^= 1;
    assert_eq!(describe(&packet).expect("a packet").inbound, "for me, sum wrong, TTL 65");
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
    assert_eq!(told.outbound, "to 2001:db8:..:6666, far end");
    assert_eq!((told.inbound.as_str(), told.next.as_str()), ("for me, 64 hops left", "the other fragments"));
    assert_eq!((told.header.clone(), told.payload.clone()), (0..56, 56..72));
    assert_eq!((value(&told, "fragment offset"), value(&told, "more fragments")), ("2", "1"));
    covers_all(&told);
}

/// Each byte of the header belongs to some field, but for those reserved.
fn covers_all(told: &Description) {
    let reserved = if told.protocol == "IPv6" { vec![49] } else { Vec::new() };
    for at in told.header.clone().filter(|at| !reserved.contains(at)) {
        assert!(told.fields.iter().any(|field| field.bytes.contains(&at)), "no field explains byte {at}");
    }
    for field in &told.fields {
        assert!(field.source.starts_with("RFC ") && field.meaning.ends_with('.'), "{field:?}");
    }
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
fn what_is_no_packet_says_where_and_why() {
    let error = describe(&[0x45; 9]).expect_err("nine bytes are no header");
    assert_eq!(error, ParseError::Truncated { layer: "IPv4", offset: 0, needed: 20, found: 9 });
    assert_eq!(error.to_string(), "IPv4 at offset 0 needs 20 bytes, there are 9");
}
