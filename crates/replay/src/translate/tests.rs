//! Numbers that change, and checksums that follow.

use framewise::core::checksum::Sum;
use framewise::tcp::SeqNumber;
use framewise::tcp::segment::{Flags, Header, Options};
use framewise::udp::header::never_zero;
use std::net::IpAddr;

use super::Translation;

const HOST: [u8; 4] = [192, 0, 2, 10];
const PEER: [u8; 4] = [192, 0, 2, 20];

fn ends(from_host: bool) -> ([u8; 4], [u8; 4]) {
    if from_host { (HOST, PEER) } else { (PEER, HOST) }
}

/// The sum over a payload and its pseudo-header.
fn sum(from_host: bool, protocol: u8, payload: &[u8]) -> Sum {
    let (source, destination) = ends(from_host);
    let mut sum = Sum::default();
    sum.add_pseudo_header(source.into(), destination.into(), protocol, payload.len());
    sum.add(payload);
    sum
}

/// A frame with this payload between these two.
fn around(from_host: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = ends(from_host);
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, protocol, 0, 0];
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet.extend(source);
    packet.extend(destination);
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    [&ethernet[..], &packet, payload].concat()
}

/// A frame with a segment between these two, its checksum off by `wrong`.
fn frame(from_host: bool, header: &Header, wrong: u16) -> Vec<u8> {
    let mut segment = vec![0; header.emitted_len()];
    header.emit(&mut segment);
    segment.extend(b"abc");
    let sum = sum(from_host, 6, &segment).checksum() ^ wrong;
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    around(from_host, 6, &segment)
}

/// A frame with a datagram of two bytes.
fn datagram(from_host: bool, ports: [u16; 2], data: u16) -> Vec<u8> {
    let [from, to] = ports;
    let bytes = |sum: u16| [from, to, 10, sum, data].map(u16::to_be_bytes).concat();
    let sum = never_zero(sum(from_host, 17, &bytes(0)).checksum());
    around(from_host, 17, &bytes(sum))
}

fn read(frame: &[u8]) -> (Header, bool) {
    let addresses: [IpAddr; 2] =
        [[26, 30].map(|at| IpAddr::from(<[u8; 4]>::try_from(&frame[at..at + 4]).expect("four bytes")))][0];
    let mut sum = Sum::default();
    sum.add_pseudo_header(addresses[0], addresses[1], 6, frame.len() - 34);
    sum.add(&frame[34..]);
    (Header::parse(&frame[34..]).expect("a header"), sum.is_valid())
}

fn syn(port: u16, number: u32) -> Vec<u8> {
    let header = Header {
        source_port: port,
        destination_port: 80,
        sequence: SeqNumber(number),
        flags: Flags::SYN,
        ..Header::default()
    };
    frame(true, &header, 0)
}

fn answer(port: u16, number: u32) -> Header {
    let sack =
        [Some((SeqNumber(number.wrapping_add(10)), SeqNumber(number.wrapping_add(20)))), None, None, None];
    Header {
        source_port: 80,
        destination_port: port,
        acknowledgment: SeqNumber(number),
        flags: Flags::ACK,
        options: Options { sack, ..Options::default() },
        ..Header::default()
    }
}

#[test]
fn what_the_peer_says_speaks_of_the_live_hosts_numbers() {
    let mut translation = Translation::default();
    translation.learn(&syn(40_000, 7_000), &syn(50_000, u32::MAX - 5));
    for wrong in [0, 1] {
        let (header, is_right) = read(&translation.apply(&frame(false, &answer(40_000, 7_001), wrong)));
        assert_eq!(header.destination_port, 50_000);
        assert_eq!(header.acknowledgment, SeqNumber(u32::MAX - 4));
        assert_eq!(header.options.sack[0], Some((SeqNumber(5), SeqNumber(15))));
        assert_eq!(
            is_right,
            wrong == 0,
            "a checksum that was wrong stays wrong, and one that was right right"
        );
    }
}

/// Zero says that there is no checksum (RFC 768).
#[test]
fn a_checksum_of_udp_never_becomes_none() {
    let mut translation = Translation::default();
    translation.learn(&datagram(true, [40_000, 7], 0), &datagram(true, [50_000, 7], 0));
    let words = [7, 50_000, 10, 0, 0].map(u16::to_be_bytes).concat();
    let data = sum(false, 17, &words).checksum();
    let now = translation.apply(&datagram(false, [7, 40_000], data));
    assert_eq!(now[40..42], [0xff, 0xff]);
    assert_eq!(now, datagram(false, [7, 50_000], data));
}

#[test]
fn the_same_numbers_change_nothing() {
    let mut translation = Translation::default();
    translation.learn(&syn(40_000, 7_000), &syn(40_000, 7_000));
    let came = frame(false, &answer(40_000, 7_001), 0);
    assert_eq!(translation.apply(&came), came);
}

#[test]
fn what_belongs_to_no_known_connection_stays_as_it_is() {
    let mut translation = Translation::default();
    translation.learn(&syn(40_000, 7_000), &syn(50_000, 9_000));
    let came = frame(false, &answer(40_001, 7_001), 0);
    assert_eq!(translation.apply(&came), came);
    for end in 0..came.len() {
        let _ = translation.apply(&came[..end]);
    }
}
