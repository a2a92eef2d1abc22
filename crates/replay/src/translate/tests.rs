//! Numbers that change, and checksums that follow.

use framewise::core::checksum::Sum;
use framewise::tcp::SeqNumber;
use framewise::tcp::segment::{Flags, Header, Options};
use std::net::IpAddr;

use super::Translation;

const HOST: [u8; 4] = [192, 0, 2, 10];
const PEER: [u8; 4] = [192, 0, 2, 20];

/// A frame with a segment between these two, its checksum off by `wrong`.
fn frame(from_host: bool, header: &Header, wrong: u16) -> Vec<u8> {
    let (source, destination) = if from_host { (HOST, PEER) } else { (PEER, HOST) };
    let mut segment = vec![0; header.emitted_len()];
    header.emit(&mut segment);
    segment.extend(b"abc");
    let mut sum = Sum::default();
    sum.add_pseudo_header(source.into(), destination.into(), 6, segment.len());
    sum.add(&segment);
    segment[16..18].copy_from_slice(&(sum.checksum() ^ wrong).to_be_bytes());
    let total = (20 + segment.len()) as u16;
    let mut packet = vec![0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0];
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet.extend(source);
    packet.extend(destination);
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    [&ethernet[..], &packet, &segment].concat()
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
