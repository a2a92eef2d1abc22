//! Our headers against those of `pnet_packet`, and what is said about them.

use std::net::Ipv4Addr;

use framewise_core::MacAddr;
use framewise_ethernet::{
    ArpPacket, EtherType, FrameView, Header, Operation, ParseError, describe, describe_arp, describe_vlan,
};
use pnet::packet::Packet;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperations, ArpPacket as Oracle};
use pnet::packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use proptest::prelude::*;

fn any_mac() -> impl Strategy<Value = MacAddr> {
    any::<[u8; 6]>().prop_map(MacAddr::new)
}

fn any_station() -> impl Strategy<Value = MacAddr> {
    any_mac().prop_filter("one station's", |mac| mac.is_unicast())
}

fn any_address() -> impl Strategy<Value = Ipv4Addr> {
    any::<[u8; 4]>().prop_map(Ipv4Addr::from)
}

fn any_host() -> impl Strategy<Value = Ipv4Addr> {
    any_address().prop_filter("a host's", |address| {
        let special = address.is_unspecified() || address.is_loopback();
        !(special || address.is_multicast() || address.is_broadcast())
    })
}

prop_compose! {
    fn any_header()(destination in any_mac(), source in any_mac(), number in 0x0600u16..) -> Header {
        let ethertype = EtherType(number);
        let tagged = matches!(ethertype, EtherType::VLAN | EtherType::SERVICE_VLAN);
        Header { destination, source, ethertype: if tagged { EtherType::IPV4 } else { ethertype } }
    }
}

prop_compose! {
    fn any_arp()(
        reply in any::<bool>(),
        sender_mac in any_station(),
        sender_address in any_host(),
        target_mac in any_mac(),
        target_address in any_address(),
    ) -> ArpPacket {
        let operation = if reply { Operation::Reply } else { Operation::Request };
        ArpPacket { operation, sender_mac, sender_address, target_mac, target_address }
    }
}

proptest! {
    #[test]
    fn a_header_reads_back_and_pnet_agrees(header in any_header(), payload in proptest::collection::vec(any::<u8>(), 0..60)) {
        let frame = [&header.to_bytes()[..], &payload].concat();
        prop_assert_eq!(Header::parse(&frame), Ok(header));
        let oracle = EthernetPacket::new(&frame).expect("long enough");
        prop_assert_eq!(oracle.get_destination().octets(), header.destination.octets());
        prop_assert_eq!(oracle.get_source().octets(), header.source.octets());
        prop_assert_eq!(oracle.get_ethertype().0, header.ethertype.0);
        prop_assert_eq!(oracle.payload(), FrameView::new(&frame).expect("long enough").payload());
    }

    #[test]
    fn what_pnet_writes_we_read(header in any_header()) {
        let mut bytes = [0; 14];
        let mut oracle = MutableEthernetPacket::new(&mut bytes).expect("long enough");
        oracle.set_destination(header.destination.octets().into());
        oracle.set_source(header.source.octets().into());
        oracle.set_ethertype(pnet::packet::ethernet::EtherType(header.ethertype.0));
        prop_assert_eq!(Header::parse(&bytes), Ok(header));
        prop_assert_eq!(bytes, header.to_bytes());
    }

    #[test]
    fn an_arp_packet_reads_back_and_pnet_agrees(arp in any_arp()) {
        let bytes = arp.to_bytes();
        prop_assert_eq!(ArpPacket::parse(&bytes), Ok(arp));
        let oracle = Oracle::new(&bytes).expect("long enough");
        prop_assert_eq!(oracle.get_hardware_type(), ArpHardwareTypes::Ethernet);
        prop_assert_eq!(oracle.get_protocol_type(), EtherTypes::Ipv4);
        prop_assert_eq!((oracle.get_hw_addr_len(), oracle.get_proto_addr_len()), (6, 4));
        let operation = match arp.operation {
            Operation::Request => ArpOperations::Request,
            Operation::Reply => ArpOperations::Reply,
        };
        prop_assert_eq!(oracle.get_operation(), operation);
        prop_assert_eq!(oracle.get_sender_hw_addr().octets(), arp.sender_mac.octets());
        prop_assert_eq!(oracle.get_sender_proto_addr(), arp.sender_address);
        prop_assert_eq!(oracle.get_target_hw_addr().octets(), arp.target_mac.octets());
        prop_assert_eq!(oracle.get_target_proto_addr(), arp.target_address);
    }

    /// Whatever is accepted is written back as it was, so nothing in it was overlooked.
    #[test]
    fn what_is_read_as_arp_is_written_back_the_same(bytes in proptest::collection::vec(any::<u8>(), 28..60)) {
        let mut bytes = bytes;
        bytes[..7].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0]);
        bytes[7] &= 3;
        if let Ok(arp) = ArpPacket::parse(&bytes) {
            prop_assert_eq!(&arp.to_bytes()[..], &bytes[..28]);
        }
    }

    #[test]
    fn descriptions_fit_their_columns(header in any_header(), arp in any_arp()) {
        let frame = [&header.to_bytes()[..], &[0; 46]].concat();
        for description in [describe(&frame), describe_arp(&arp.to_bytes())] {
            let description = description.expect("valid");
            prop_assert!(description.outbound.chars().count() <= 34, "{}", description.outbound);
            prop_assert!(description.inbound.chars().count() <= 34, "{}", description.inbound);
            prop_assert!(description.next.chars().count() <= 22, "{}", description.next);
        }
    }
}

#[test]
fn errors_say_layer_offset_needed_and_found() {
    let told = |error: ParseError| error.to_string();
    let short = FrameView::new(&[0; 9]).map(|_| ()).expect_err("a runt");
    assert_eq!(told(short), "Ethernet at offset 0: needs 14 bytes, found 9");
    let mut bytes = ArpPacket::probe(MacAddr::new([2, 0, 0, 0, 0, 1]), Ipv4Addr::LOCALHOST).to_bytes();
    bytes[7] = 9;
    let error = ArpPacket::parse(&bytes).expect_err("an operation that nobody knows");
    assert_eq!(told(error), "ARP at offset 6: needs operation 1 (request) or 2 (reply), found 9");
    let error = Header::parse(&[0; 14]).expect_err("a length");
    assert_eq!(
        told(error),
        "Ethernet at offset 12: needs an EtherType of at least 0x0600, found the length 0"
    );
}

#[test]
fn every_byte_of_a_header_is_explained_once() {
    let arp =
        ArpPacket::request(MacAddr::new([2, 0, 0, 0, 0, 1]), [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    let mut frame = arp.to_frame(MacAddr::BROADCAST, arp.sender_mac).to_vec();
    frame.resize(60, 0);
    let outer = describe(&frame).expect("a frame");
    // An address comes before its two bits, which lie within it.
    let whole = outer.fields.iter().filter(|field| field.bits.is_none());
    let covered: Vec<usize> = whole.flat_map(|field| field.bytes.clone()).collect();
    let header_and_padding: Vec<usize> = (0..14).chain(42..60).collect();
    assert_eq!(covered, header_and_padding);
    assert_eq!((outer.header, outer.payload), (0..14, 14..42));

    let inner = describe_arp(&frame[14..]).expect("an ARP packet");
    let covered: Vec<usize> = inner.fields.iter().flat_map(|field| field.bytes.clone()).collect();
    assert_eq!(covered, (0..28).collect::<Vec<_>>());
    assert_eq!(inner.outbound, "who has 192.0.2.2?");
    assert_eq!(inner.next, "nobody: ARP ends here");
}

proptest! {
    #[test]
    fn whatever_is_described_is_in_order_and_whole(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
        let said = [describe(&bytes), describe_arp(&bytes), describe_vlan(&bytes)];
        for said in said.into_iter().flatten() {
            prop_assert_eq!(said.misplaced(), None);
            prop_assert_eq!(said.unexplained(), [0; 0]);
            prop_assert!(said.fields.iter().all(|field| field.bytes.end <= bytes.len()));
            prop_assert!(said.fields.iter().all(|field| field.meaning.ends_with('.')));
        }
    }

    #[test]
    fn every_arp_packet_is_explained(arp in any_arp()) {
        let said = describe_arp(&arp.to_bytes()).expect("an ARP packet");
        prop_assert_eq!(said.misplaced(), None);
        prop_assert_eq!(said.unexplained(), [0; 0]);
    }
}

#[test]
fn each_kind_of_arp_packet_is_told_from_the_others() {
    let (mac, me, you) = (MacAddr::new([2, 0, 0, 0, 0, 1]), [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    let request = ArpPacket::request(mac, me, you);
    let reply = request.reply(MacAddr::new([2, 0, 0, 0, 0, 2]));
    let gratuitous = ArpPacket { operation: Operation::Reply, ..ArpPacket::announcement(mac, me) };
    let kinds = [
        (request, "A request"),
        (reply, "A reply"),
        (ArpPacket::probe(mac, me), "A probe"),
        (ArpPacket::announcement(mac, me), "An announcement"),
        (gratuitous, "A gratuitous reply"),
    ];
    for (packet, kind) in kinds {
        let said = describe_arp(&packet.to_bytes()).expect("an ARP packet");
        let operation = said.fields.iter().find(|field| field.name == "operation").expect("it has one");
        assert!(operation.meaning.starts_with(kind), "{kind}: {}", operation.meaning);
    }
}

#[test]
fn what_stands_in_the_place_of_a_type_is_told_for_what_it_is() {
    let mut frame = [0; 64];
    frame[13] = 46;
    let said = describe(&frame).expect("a frame");
    assert_eq!(said.fields[6].name, "length");
    assert_eq!(said.fields[6].value, "46");
    frame[12..14].copy_from_slice(&[0x81, 0x00]);
    assert_eq!(describe(&frame).expect("a frame").next, "type 0x8100: VLAN");
    let tag = describe_vlan(&frame[14..]).expect("a tag");
    assert_eq!((tag.header, tag.payload), (0..4, 4..50));
}

#[test]
fn the_address_of_nobody_is_the_machines_own_loop() {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    let said = describe(&frame).expect("a frame");
    assert_eq!(said.outbound, "to this machine itself");
    for field in said.fields.iter().filter(|field| field.bytes.end <= 12) {
        assert!(field.meaning.contains("o address"), "{}: {}", field.name, field.meaning);
        assert!(!field.meaning.contains("manufacturer"), "{}", field.meaning);
    }
}

#[test]
fn padding_is_what_the_packet_inside_does_not_count() {
    let header = Header {
        destination: MacAddr::new([2, 0, 0, 0, 0, 1]),
        source: MacAddr::new([2, 0, 0, 0, 0, 2]),
        ethertype: EtherType::IPV6,
    };
    let mut frame = [&header.to_bytes()[..], &[0; 60]].concat();
    frame[14] = 0x60;
    frame[19] = 5;
    assert_eq!(describe(&frame).expect("a frame").payload, 14..14 + 45);
    frame[19] = 200;
    assert_eq!(describe(&frame).expect("a frame").payload, 14..74, "a length that lies stays in the frame");
}
