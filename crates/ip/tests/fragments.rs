//! Splitting and putting together again, and what a flood or a forger gets.

mod common;

use std::time::Duration;

use common::*;
use framewise_core::seams::segment::{TCP, UDP};
use framewise_ip::{FragmentHeader, Ipv4Header, Ipv6Header};
use proptest::prelude::*;

/// One IPv4 fragment of a datagram from `source`.
fn part4(source: &str, identification: u16, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let header = Ipv4Header {
        identification,
        more_fragments: more,
        fragment_offset: offset,
        ..header4(source, "192.0.2.10", UDP)
    };
    packet4(header, payload)
}

/// One IPv4 fragment of a segment.
fn tcp4(offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let header = Ipv4Header {
        more_fragments: more,
        fragment_offset: offset,
        ..header4("203.0.113.80", "192.0.2.10", TCP)
    };
    packet4(header, payload)
}

fn part6(identification: u32, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let fragment =
        FragmentHeader { next_header: UDP, fragment_offset: offset, more_fragments: more, identification };
    let mut bytes = vec![0; 8];
    fragment.emit(&mut bytes);
    bytes.extend_from_slice(payload);
    packet6(header6("2001:db8:9::1", "2001:db8::10", 44), &bytes)
}

/// One fragment of the same datagram.
fn four(offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    part4("203.0.113.80", 5, offset, more, payload)
}

/// The same over IPv6.
fn six(offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    part6(5, offset, more, payload)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 256) as u8).collect()
}

#[test]
fn what_one_host_splits_the_other_puts_together() {
    let far = || {
        let mut config = host_config();
        config.interfaces[0].addresses =
            vec!["192.0.2.20/24".parse().expect("a CIDR"), "2001:db8::20/64".parse().expect("a CIDR")];
        let mut far = Script::new(config);
        far.start();
        far
    };
    for (source, destination) in [("192.0.2.10", "192.0.2.20"), ("2001:db8::10", "2001:db8::20")] {
        for length in [1_480, 1_481, 3_000, 65_000] {
            let (mut host, mut far) = (Script::host(), far());
            let payload = bytes(length);
            host.send(source, destination, UDP, &payload);
            for packet in host.packets() {
                assert!(packet.len() <= 1_500, "a fragment of {} bytes exceeds the MTU", packet.len());
                far.receive("a fragment", &packet);
            }
            let segment = far.segment("the whole datagram");
            assert!(segment[..] == payload[..], "{length} bytes to {destination} came back different");
            assert_eq!(far.layer.reassembly_memory(), 0, "nothing is held afterwards");
            far.is_silent();
        }
    }
}

#[test]
fn exact_duplicates_are_dropped_and_do_no_harm() {
    let payload = bytes(32);
    for part in [four, six] {
        for repeated in [(0, true, &payload[..16]), (16, false, &payload[16..])] {
            let mut host = Script::host();
            let (offset, more, piece) = repeated;
            for _ in 0..2 {
                host.receive("a part", &part(offset, more, piece));
            }
            host.only_dropped("duplicate fragment");
            let (offset, more) = (16 - offset, !more);
            host.receive("the other part", &part(offset, more, &payload[offset..offset + 16]));
            assert_eq!(&host.segment("the datagram")[..], payload);
        }
    }
}

#[test]
fn an_overlap_discards_the_datagram_and_what_follows_of_it() {
    for (what, offset, more, payload) in [
        ("an overlapping part", 8usize, true, bytes(16)),
        ("the same place, other bytes", 0, true, vec![9; 16]),
        ("an end inside what is there", 8, false, vec![9; 8]),
    ] {
        for part in [four, six] {
            let mut host = Script::host();
            host.receive("the first part", &part(0, true, &bytes(16)));
            host.receive(what, &part(offset, more, &payload));
            host.dropped("overlapping fragment", 1);
            assert_eq!(host.layer.reassembly_memory(), 0, "its memory is given back");
            host.receive("the last part", &part(16, false, &bytes(8)));
            host.dropped("fragment of a discarded datagram", 1);
            host.pass(Duration::from_secs(61));
            host.is_silent();
            host.dropped("fragments missing", 0);
        }
    }
}

/// Of these two parts a datagram comes, unless a wrong one came before or between them.
#[track_caller]
fn assert_discards(reason: &str, wrong: &[u8], good: &[Vec<u8>; 2]) {
    let mut host = Script::host();
    good.iter().for_each(|part| host.receive("a good part", part));
    host.segment("the datagram");
    for before in [0, 1] {
        let mut host = Script::host();
        good[..before].iter().for_each(|part| host.receive("a good part", part));
        host.receive(reason, wrong);
        host.dropped(reason, 1);
        // Over IPv6 its source is told.
        host.packets();
        good[before..].iter().for_each(|part| host.receive("a good part", part));
        host.dropped("fragment of a discarded datagram", 2 - before as u64);
        host.is_silent();
        assert_eq!(host.layer.reassembly_memory(), 0, "its memory is given back");
    }
}

/// Who sends one wrong part may have sent another for a filter to see.
#[test]
fn a_wrong_part_discards_the_datagram_whatever_else_comes_of_it() {
    for part in [four, six] {
        let good = [part(0, true, &bytes(24)), part(24, false, &bytes(8))];
        let odd = part(24, true, &bytes(12));
        assert_discards("fragment length not of eights", &odd, &good);
        let long = part(65_528, false, &bytes(400));
        assert_discards("fragments over 65,535 bytes", &long, &good);
    }
    let good = [tcp4(0, true, &bytes(24)), tcp4(24, false, &bytes(8))];
    assert_discards("tiny fragment", &tcp4(0, true, &bytes(8)), &good);
    assert_discards("tiny fragment", &tcp4(8, true, &bytes(16)), &good);
}

#[test]
fn a_second_end_discards_the_datagram() {
    let mut host = Script::host();
    host.receive("an end", &part4("203.0.113.80", 1, 64, false, &bytes(8)));
    host.receive("a later part", &part4("203.0.113.80", 1, 80, true, &bytes(8)));
    host.only_dropped("overlapping fragment");
}

#[test]
fn tiny_fragments_are_dropped() {
    let mut host = Script::host();
    host.receive("ports without flags", &tcp4(0, true, &[0; 8]));
    host.only_dropped("tiny fragment");
    let mut host = Script::host();
    host.receive("flags without ports", &tcp4(8, true, &[0; 16]));
    host.only_dropped("tiny fragment");
    let mut host = Script::host();
    host.receive("a length that is not of eights", &part4("203.0.113.80", 1, 0, true, &[0; 12]));
    host.only_dropped("fragment length not of eights");
}

#[test]
fn ipv6_says_what_is_wrong_with_a_fragment() {
    let cases = [
        (part6(1, 0, true, &[0; 12]), "fragment length not of eights", 0, 4),
        (part6(1, 800, true, &[0; 12]), "fragment length not of eights", 0, 4),
        (part6(1, 65_528, false, &[0; 8]), "fragments over 65,535 bytes", 0, 42),
        (part6(1, 0, true, &[]), "first fragment lacks its headers", 3, 0),
    ];
    for (packet, reason, code, pointer) in cases {
        let mut host = Script::host();
        host.receive(reason, &packet);
        host.dropped(reason, 1);
        let told = host.packet("a parameter problem");
        assert_eq!((icmpv6_type(&told), told[41], told[47]), (4, code, pointer), "{reason}");
    }
}

#[test]
fn nothing_grows_beyond_65535_bytes() {
    let mut host = Script::host();
    host.receive("the ping of death", &part4("203.0.113.80", 1, 65_528, false, &[0; 400]));
    host.only_dropped("fragments over 65,535 bytes");
}

#[test]
fn the_largest_ipv6_datagram_comes_whole() {
    let mut host = Script::host();
    let payload = bytes(65_535);
    for (number, piece) in payload.chunks(1_024).enumerate() {
        let offset = number * 1_024;
        host.receive("a part", &part6(1, offset, offset + piece.len() < payload.len(), piece));
    }
    assert_eq!(&host.segment("the datagram")[..], payload);
}

#[test]
fn nobody_is_told_what_may_be_about_an_error() {
    let mut host = Script::host();
    let fragment =
        FragmentHeader { next_header: 58, fragment_offset: 800, more_fragments: true, identification: 1 };
    let mut bytes = vec![0; 8 + 12];
    fragment.emit(&mut bytes);
    host.receive("an odd part of ICMPv6", &packet6(header6("2001:db8:9::1", "2001:db8::10", 44), &bytes));
    host.only_dropped("fragment length not of eights");
}

#[test]
fn a_packet_in_one_ipv6_fragment_is_whole() {
    let mut host = Script::host();
    host.receive("another's first part", &part6(1, 0, true, &[1; 8]));
    host.receive("an atomic fragment", &part6(1, 0, false, b"datagram"));
    assert_eq!(&host.segment("the datagram")[..], b"datagram");
}

#[test]
fn missing_fragments_are_given_up_and_said() {
    let mut host = Script::host();
    host.receive("a first part", &part4("203.0.113.80", 1, 0, true, &bytes(16)));
    host.receive("a middle part", &part4("203.0.113.80", 2, 16, true, &bytes(16)));
    host.receive("a first part", &part6(3, 0, true, &bytes(16)));
    host.pass(Duration::from_secs(59));
    host.is_silent();
    host.pass(Duration::from_secs(2));
    host.dropped("fragments missing", 3);
    let told = host.packet("time exceeded about the first part");
    assert_eq!(&told[20..22], &[11, 1]);
    assert_eq!(&told[28 + 20..28 + 36], bytes(16), "with the packet quoted");
    let told = host.packet("the same for IPv6");
    assert_eq!((icmpv6_type(&told), told[41]), (3, 1));
    host.is_silent();
    assert_eq!(host.layer.reassembly_memory(), 0);
}

#[test]
fn a_flood_of_fragments_costs_fixed_memory_and_others_progress() {
    let mut host = Script::host();
    let payload = bytes(32);
    host.receive("a good first part", &part4("203.0.113.80", 1, 0, true, &payload[..16]));
    for number in 0..20_000u32 {
        let offset = 8 + 8 * (number as usize % 1_000);
        host.receive("a flood", &part4("203.0.113.66", number as u16, offset, true, &[0; 8]));
        assert!(host.layer.reassembly_memory() <= 4 << 20, "memory is bounded");
    }
    host.receive("the good last part", &part4("203.0.113.80", 1, 16, false, &payload[16..]));
    assert_eq!(&host.segment("the good datagram")[..], payload);
}

#[test]
fn what_makes_room_for_others_is_counted() {
    let mut host = Script::host();
    for number in 0..2_000 {
        host.receive("a flood", &part4("203.0.113.66", number, 0, true, &[0; 8]));
    }
    host.dropped("reassembly full", 2_000 - 256);
    host.pass(Duration::from_secs(61));
    host.dropped("fragments missing", 256);
    assert_eq!(host.counters.total() - host.counters.drops("ip", "ICMP errors rate-limited"), 2_000);
}

/// Of so many sources that each is worth one datagram; `length` decides whether a fragment is one at all.
fn progress_amid_a_flood_from_many_sources(length: usize) {
    let mut host = Script::host();
    let flood = |host: &mut Script, number: u32| {
        let source = format!("198.{}.{}.1", 51 + number / 256, number % 256);
        host.receive("a flood", &part4(&source, 1, 8, true, &vec![0; length]));
    };
    let payload = bytes(3_000);
    let limit = 256;
    (0..2 * limit).for_each(|number| flood(&mut host, number));
    for (part, offset) in [0, 1_000, 2_000].into_iter().enumerate() {
        let more = offset < 2_000;
        let good = part4("203.0.113.80", 1, offset, more, &payload[offset..offset + 1_000]);
        host.receive("a good part", &good);
        (0..limit / 4).for_each(|number| flood(&mut host, 1_000 + 100 * part as u32 + number));
    }
    assert_eq!(&host.segment("the good datagram")[..], payload);
}

#[test]
fn others_progress_amid_a_flood_from_many_sources() {
    progress_amid_a_flood_from_many_sources(8);
}

#[test]
fn others_progress_amid_a_flood_of_what_is_no_fragment() {
    progress_amid_a_flood_from_many_sources(7);
}

#[test]
fn when_bytes_run_out_who_holds_most_of_them_loses() {
    let mut config = host_config();
    config.limits.reassembly_bytes = 16 << 10;
    let mut host = Script::new(config);
    host.start();
    let payload = bytes(32);
    host.receive("a good first part", &part4("203.0.113.80", 1, 0, true, &payload[..16]));
    for number in 0..100 {
        host.receive("a flood", &part4("203.0.113.66", number, 0, true, &[0; 1_480]));
        assert!(host.layer.reassembly_memory() <= 16 << 10, "memory is bounded");
    }
    host.receive("the good last part", &part4("203.0.113.80", 1, 16, false, &payload[16..]));
    assert_eq!(&host.segment("the good datagram")[..], payload);
}

#[test]
fn one_datagram_in_too_many_pieces_is_discarded() {
    let mut host = Script::host();
    for number in 0..300 {
        host.receive("a crumb", &part4("203.0.113.80", 1, 8 * number, true, &[0; 8]));
    }
    host.dropped("too many fragments", 1);
    host.dropped("fragment of a discarded datagram", 43);
}

#[test]
fn options_that_must_be_copied_are_in_every_fragment() {
    // A router forwards a packet with two options onto a narrower link.
    let mut config = router_config();
    config.interfaces[1].mtu = 576;
    let mut router = Script::new(config);
    router.start();
    let header = Ipv4Header { header_len: 28, ..header4("192.0.2.10", "198.51.100.80", UDP) };
    let mut packet = packet4(header, &bytes(1_000));
    packet[20..28].copy_from_slice(&[0x88, 4, 1, 2, 7, 4, 4, 0]); // stream id (copied), record route (not)
    Ipv4Header { header_len: 28, total_len: 1_028, ..header }.emit(&mut packet);
    router.receive("a packet with options", &packet);
    let parts = router.packets();
    assert_eq!(parts.len(), 2);
    let first = Ipv4Header::parse(&parts[0]).expect("a valid first part");
    let second = Ipv4Header::parse(&parts[1]).expect("a valid second part");
    assert_eq!((first.header_len, second.header_len), (28, 24));
    assert_eq!(&parts[1][20..24], &[0x88, 4, 1, 2]);
    assert_eq!((first.time_to_live, second.fragment_offset), (63, 544));
}

/// Cuts `0..length` into pieces whose ends are multiples of eight, but for the last.
fn cuts(length: usize, at: &[usize]) -> Vec<(usize, usize)> {
    let mut ends: Vec<usize> = at.iter().map(|at| at % length / 8 * 8).filter(|end| *end > 0).collect();
    ends.push(length);
    ends.sort_unstable();
    ends.dedup();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends.iter().copied()).collect()
}

proptest! {
    /// Any split, in any order, gives the same datagram.
    #[test]
    fn any_split_in_any_order_gives_the_same(
        length in 8usize..4_000,
        at in proptest::collection::vec(any::<usize>(), 0..40),
        order in proptest::collection::vec(any::<u32>(), 41),
        ipv6: bool,
    ) {
        let payload = bytes(length);
        let mut pieces = cuts(length, &at);
        let keys: Vec<u32> = (0..pieces.len()).map(|index| order[index]).collect();
        let mut shuffled: Vec<_> = pieces.drain(..).zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let mut host = Script::host();
        for ((from, to), _) in shuffled {
            let part = &payload[from..to];
            let packet = if ipv6 {
                part6(9, from, to < length, part)
            } else {
                part4("203.0.113.80", 9, from, to < length, part)
            };
            host.receive("a part", &packet);
        }
        prop_assert_eq!(&host.segment("the whole")[..], &payload[..]);
        prop_assert_eq!(host.counters.total(), 0);
        prop_assert_eq!(host.layer.reassembly_memory(), 0);
    }
}

#[test]
fn an_ipv6_fragment_inside_a_fragment_is_dropped() {
    let mut inner = vec![0; 8];
    FragmentHeader { next_header: UDP, fragment_offset: 0, more_fragments: false, identification: 2 }
        .emit(&mut inner);
    inner.extend_from_slice(b"datagram");
    let mut outer = vec![0; 8];
    FragmentHeader { next_header: 44, fragment_offset: 0, more_fragments: false, identification: 1 }
        .emit(&mut outer);
    outer.extend_from_slice(&inner);
    let header = Ipv6Header { hop_limit: 9, ..header6("2001:db8:9::1", "2001:db8::10", 44) };
    let mut host = Script::host();
    host.receive("a nested fragment", &packet6(header, &outer));
    host.only_dropped("fragment in a fragment");
}
