//! The header against the RFC, against an independent parser, and against arbitrary bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use framewise_core::Buf;
use framewise_udp::header::HEADER;
use framewise_udp::{DatagramView, Header, HeaderError, describe, describe_of_length};
use pnet::packet::Packet;
use pnet::packet::udp::{UdpPacket, ipv4_checksum, ipv6_checksum};
use proptest::prelude::*;

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
const DESTINATION: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));

fn emitted(data: &[u8], source: IpAddr, destination: IpAddr) -> Buf {
    let mut buf = Buf::copy_from_slice(data);
    let header = Header { source_port: 4000, destination_port: 53 };
    header.emit(&mut buf, source, destination).expect("it fits");
    buf
}

#[test]
fn eight_bytes_as_rfc_768_draws_them() {
    let buf = emitted(b"hi", SOURCE, DESTINATION);
    assert_eq!(buf[..6], [0x0f, 0xa0, 0x00, 0x35, 0x00, 0x0a], "ports and length");
    assert_eq!(&buf[HEADER..], b"hi");
    let view = DatagramView::parse(&buf).unwrap();
    assert_eq!((view.source_port(), view.destination_port()), (4000, 53));
    assert_eq!(view.verify(SOURCE, DESTINATION), Ok(()));
}

#[test]
fn a_sum_of_zero_is_sent_as_all_ones() {
    // Search the two bytes of data that make the sum zero: one of 65,536 does.
    let found = (0..=u16::MAX).find(|word| {
        let buf = emitted(&word.to_be_bytes(), SOURCE, DESTINATION);
        DatagramView::parse(&buf).unwrap().checksum() == u16::MAX
    });
    let data = found.expect("some data sums to zero").to_be_bytes();
    let buf = emitted(&data, SOURCE, DESTINATION);
    assert_eq!(DatagramView::parse(&buf).unwrap().verify(SOURCE, DESTINATION), Ok(()));
}

#[test]
fn a_missing_sum_is_fine_over_ipv4_only() {
    let mut buf = emitted(b"hi", SOURCE, DESTINATION);
    buf[6..8].fill(0);
    let view = DatagramView::parse(&buf).unwrap();
    assert_eq!(view.verify(SOURCE, DESTINATION), Ok(()));
    let (from, to) = (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    assert_eq!(view.verify(from, to), Err(HeaderError::ChecksumMissing));
}

#[test]
fn a_wrong_sum_is_told_with_the_right_one() {
    let mut buf = emitted(b"hi", SOURCE, DESTINATION);
    let right = DatagramView::parse(&buf).unwrap().checksum();
    buf[6..8].copy_from_slice(&0x1234u16.to_be_bytes());
    let error = DatagramView::parse(&buf).unwrap().verify(SOURCE, DESTINATION).unwrap_err();
    assert_eq!(error, HeaderError::ChecksumWrong { needed: right, found: 0x1234 });
}

#[test]
fn lengths_that_disagree_are_refused() {
    let good = emitted(b"hi", SOURCE, DESTINATION);
    let with_length = |length: u16| {
        let mut bytes = good.to_vec();
        bytes[4..6].copy_from_slice(&length.to_be_bytes());
        DatagramView::parse(&bytes).map(|view| view.length())
    };
    assert_eq!(with_length(10), Ok(10));
    assert_eq!(with_length(7), Err(HeaderError::LengthTooSmall { needed: 8, found: 7 }));
    for length in [9, 11] {
        assert_eq!(
            with_length(length),
            Err(HeaderError::LengthDisagrees { needed: usize::from(length), found: 10 })
        );
    }
    assert_eq!(
        DatagramView::parse(&good[..7]).map(|view| view.length()),
        Err(HeaderError::Truncated { needed: 8, found: 7 })
    );
}

#[test]
fn more_than_the_length_field_can_say_is_refused_and_nothing_written() {
    let mut buf = Buf::copy_from_slice(&vec![0; 65_528]);
    let header = Header { source_port: 1, destination_port: 2 };
    let error = header.emit(&mut buf, SOURCE, DESTINATION).unwrap_err();
    assert_eq!(error, HeaderError::LengthDisagrees { needed: 65_535, found: 65_536 });
    assert_eq!(buf.len(), 65_528, "the buffer is as it was");
}

#[test]
fn a_description_explains_each_field_and_the_verdict() {
    let mut buf = emitted(b"hi", SOURCE, DESTINATION);
    let healthy = describe(&buf, Some((SOURCE, DESTINATION))).unwrap();
    assert_eq!(healthy.outbound, "port 53, DNS; no promise");
    assert_eq!(healthy.inbound, "length right, sum right");
    assert_eq!(healthy.next, "port 53: DNS");
    assert_eq!((healthy.header.clone(), healthy.payload.clone()), (0..8, 8..10));
    let names: Vec<_> = healthy.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["source port", "destination port", "length", "checksum"]);
    assert_eq!(healthy.fields[2].meaning, "10 bytes in all: 8 of this header and 2 of data.");

    assert_eq!(describe(&buf, None).unwrap().inbound, "length right");
    buf[9] ^= 1;
    let damaged = describe(&buf, Some((SOURCE, DESTINATION))).unwrap();
    assert_eq!(damaged.inbound, "damaged: the sum is wrong");
}

#[test]
fn a_sum_that_is_left_to_the_device_is_no_damage() {
    // DNS on loopback, as Linux writes it: 33 bytes from 127.0.0.1 to 127.0.0.53, the pseudo-header's sum alone.
    let (source, destination) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 53]));
    let mut buf = emitted(&[7; 25], source, destination);
    buf[6..8].copy_from_slice(&0xfe68_u16.to_be_bytes());
    let said = describe(&buf, Some((source, destination))).unwrap();
    assert_eq!(said.inbound, "length right, no sum needed");
    assert!(said.fields[3].meaning.starts_with("Not computed yet"), "{}", said.fields[3].meaning);
    buf[7] ^= 1;
    let said = describe(&buf, Some((source, destination))).unwrap();
    assert_eq!(said.inbound, "damaged: the sum is wrong");
}

/// What the packet carries is told by IP, not by how much was captured.
#[test]
fn a_datagram_that_was_cut_by_a_snap_length_is_no_lie() {
    let buf = emitted(&[7; 100], SOURCE, DESTINATION);
    let addresses = Some((SOURCE, DESTINATION));
    let said = describe_of_length(&buf[..26], 108, addresses).unwrap();
    assert_eq!(said.inbound, "length right, sum unknown");
    assert_eq!(said.fields[2].meaning, "108 bytes in all: 8 of this header and 100 of data.");
    let lie = HeaderError::LengthDisagrees { needed: 108, found: 90 };
    assert_eq!(describe_of_length(&buf[..26], 90, addresses).unwrap_err(), lie);
}

#[test]
fn phrases_fit_the_walk() {
    for port in [1, 53, 67, 68, 123, 443, 5353, 65_535] {
        let mut buf = Buf::copy_from_slice(b"data");
        let header = Header { source_port: 0, destination_port: port };
        header.emit(&mut buf, SOURCE, DESTINATION).unwrap();
        let described = describe(&buf, Some((SOURCE, DESTINATION))).unwrap();
        assert!(described.outbound.chars().count() <= 34, "{}", described.outbound);
        assert!(described.inbound.chars().count() <= 34, "{}", described.inbound);
        assert!(described.next.chars().count() <= 22, "{}", described.next);
    }
}

fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
        any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        source_port: u16,
        destination_port in 1u16..,
        data in prop::collection::vec(any::<u8>(), 0..2_000),
        (source, destination) in addresses(),
    ) {
        let header = Header { source_port, destination_port };
        let mut buf = Buf::copy_from_slice(&data);
        header.emit(&mut buf, source, destination).expect("it fits");
        let view = DatagramView::parse(&buf).unwrap();
        prop_assert_eq!(view.header(), header);
        prop_assert_eq!(view.data(), &data[..]);
        prop_assert_eq!(view.verify(source, destination), Ok(()));
        prop_assert_ne!(view.checksum(), 0, "always computed");
    }

    #[test]
    fn pnet_reads_the_same(
        source_port: u16,
        destination_port in 1u16..,
        data in prop::collection::vec(any::<u8>(), 0..2_000),
        (source, destination) in addresses(),
    ) {
        let header = Header { source_port, destination_port };
        let mut buf = Buf::copy_from_slice(&data);
        header.emit(&mut buf, source, destination).expect("it fits");
        let oracle = UdpPacket::new(&buf).unwrap();
        prop_assert_eq!(oracle.get_source(), source_port);
        prop_assert_eq!(oracle.get_destination(), destination_port);
        prop_assert_eq!(usize::from(oracle.get_length()), buf.len());
        prop_assert_eq!(oracle.payload(), &data[..]);
        let sum = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4_checksum(&oracle, &source, &destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => ipv6_checksum(&oracle, &source, &destination),
            _ => unreachable!("both addresses are of one family"),
        };
        // pnet gives the plain sum; RFC 768 sends all ones in place of zero.
        prop_assert_eq!(oracle.get_checksum(), if sum == 0 { u16::MAX } else { sum });
    }

    #[test]
    fn one_flipped_bit_is_noticed(
        data in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let mut buf = emitted(&data, SOURCE, DESTINATION);
        let place = place.index(buf.len());
        buf[place] ^= 1 << bit;
        let accepted = DatagramView::parse(&buf).and_then(|view| view.verify(SOURCE, DESTINATION));
        // One bit away from "no sum" is the only way to be taken for one without.
        prop_assert!(accepted.is_err() || buf[6..8] == [0, 0], "byte {place}, bit {bit}");
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), (a, b) in addresses()) {
        if let Ok(view) = DatagramView::parse(&bytes) {
            let _ = view.verify(a, b);
            prop_assert_eq!(view.length(), bytes.len());
        }
        if let Ok(said) = describe(&bytes, Some((a, b))) {
            prop_assert_eq!(said.misplaced(), None);
            prop_assert_eq!(said.unexplained(), [0; 0]);
            prop_assert!(said.fields.iter().all(|field| field.meaning.ends_with('.')));
        }
    }
}
