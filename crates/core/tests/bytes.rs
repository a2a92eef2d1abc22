//! Buffers, checksums, numbers and names: what every layer builds on.

use framewise_core::buf::{ChecksumState, HEADROOM, LARGE, Offload, SMALL};
use framewise_core::checksum::checksum;
use framewise_core::id::{ConnId, IdMap, Opener, Slab};
use framewise_core::mac::ParseMacError;
use framewise_core::{Buf, MacAddr, Rng};
use proptest::prelude::*;

#[test]
fn a_header_goes_into_the_headroom_and_the_payload_stays() {
    let mut buf = Buf::copy_from_slice(b"page");
    let place = buf.as_ptr();
    assert_eq!(buf.headroom(), HEADROOM);
    buf.prepend(HEADROOM).fill(7);
    assert_eq!(buf.headroom(), 0);
    buf.advance(HEADROOM);
    assert_eq!((&buf[..], buf.as_ptr()), (&b"page"[..], place), "nothing moved");
}

#[test]
fn a_buffer_grows_where_its_room_ends() {
    for n in [1, SMALL, LARGE] {
        let mut buf = Buf::copy_from_slice(b"page");
        buf.prepend(HEADROOM + n).fill(1);
        buf.append(SMALL + n).fill(2);
        assert_eq!(buf.len(), HEADROOM + n + 4 + SMALL + n);
        assert_eq!(buf[HEADROOM + n..][..4], *b"page", "by {n}");
        buf.truncate(HEADROOM + n + 4);
        buf.advance(usize::MAX);
        assert!(buf.is_empty());
    }
}

#[test]
fn a_copy_keeps_where_its_checksum_begins() {
    let mut buf = Buf::copy_from_slice(b"segment");
    let start = buf.position() as u16;
    buf.label_mut().offload.checksum = ChecksumState::Partial { start, field: 6 };
    buf.prepend(20).fill(0);
    let copy = buf.clone();
    match copy.label().offload.checksum {
        ChecksumState::Partial { start, field } => {
            assert_eq!((usize::from(start), field), (copy.position() + 20, 6), "20 bytes in");
        }
        other => panic!("expected a checksum left to the device, got {other:?}"),
    }
}

#[test]
fn a_buffer_that_moves_takes_its_checksum_along() {
    let mut buf = Buf::copy_from_slice(b"segment");
    let facts =
        Offload { checksum: ChecksumState::Partial { start: 2, field: 3 }, segment_size: Some(1_460) };
    buf.set_offload_facts(facts);
    assert_eq!(buf.offload_facts(), facts);
    buf.append(SMALL).fill(0);
    assert_eq!(buf.offload_facts(), facts, "to more room");
    buf.prepend(4).fill(0);
    let moved = ChecksumState::Partial { start: 6, field: 3 };
    assert_eq!(buf.offload_facts().checksum, moved, "behind a header");
    buf.advance(9);
    let cut = ChecksumState::Partial { start: 0, field: 3 };
    assert_eq!(buf.offload_facts().checksum, cut, "not before the first byte");
}

#[test]
fn a_buffer_given_back_is_used_again_without_its_label() {
    let mut buf = Buf::copy_from_slice(b"old");
    let place = buf.as_ptr();
    buf.label_mut().protocol = 17;
    drop(buf);
    let buf = Buf::with_capacity(SMALL);
    assert_eq!(buf.as_ptr(), place, "the same room");
    assert_eq!((buf.len(), buf.label().protocol), (0, 0));
}

#[test]
fn a_name_is_never_used_again_but_its_place_is() {
    let mut slab: Slab<_, &str> = Slab::new(Opener::Upper, 1);
    let first: ConnId = slab.insert("first").expect("room");
    assert_eq!(slab.insert("too many"), Err("too many"));
    assert_eq!(slab.remove(first), Some("first"));
    let second = slab.insert("second").expect("room again");
    assert_eq!(second.index(), first.index());
    assert_eq!((slab.get(first), slab.get(second)), (None, Some(&"second")));
    assert_eq!(slab.remove(first), None, "late");
    assert_eq!(slab.len(), 1);
}

#[test]
fn a_table_of_given_names_keeps_sides_and_generations_apart() {
    let mut map = IdMap::new(2);
    let name = |opener, index, generation| ConnId::new(opener, index, generation);
    let ours = name(Opener::Upper, 1, 0);
    assert_eq!(map.insert(ours, "ours"), Ok(()));
    assert_eq!(map.insert(name(Opener::Lower, 1, 0), "theirs"), Ok(()));
    assert_eq!(map.insert(name(Opener::Upper, 1, 1), "taken"), Err("taken"));
    assert_eq!(map.insert(name(Opener::Upper, 2, 0), "beyond"), Err("beyond"));
    assert_eq!(map.get(name(Opener::Upper, 1, 1)), None);
    assert_eq!(map.remove(ours), Some("ours"));
    assert_eq!((map.len(), map.get(ours)), (1, None));
}

#[test]
fn what_is_no_mac_address_is_told() {
    let parse = |text: &str| text.parse::<MacAddr>();
    assert_eq!(parse("02-00-00-00-00-0A"), Ok(MacAddr::new([2, 0, 0, 0, 0, 10])));
    assert_eq!(parse("02:00"), Err(ParseMacError::GroupCount { found: 2 }));
    for (text, index, found) in [("02:00:00:0:00:01", 4, "0"), ("+2:00:00:00:00:01", 1, "+2")] {
        let found = found.to_owned();
        assert_eq!(parse(text), Err(ParseMacError::Group { index, found }), "{text}");
    }
}

#[test]
fn a_stream_depends_on_seed_and_purpose_only() {
    let mut root = Rng::from_seed(7);
    let before = root.fork("tcp").next_u64();
    root.next_u64();
    assert_eq!(root.fork("tcp").next_u64(), before, "not on what was drawn");
    assert_ne!(root.fork("dns").next_u64(), before);
    assert_ne!(Rng::from_seed(8).fork("tcp").next_u64(), before);
}

proptest! {
    #[test]
    fn the_checksum_is_that_of_16_bit_words(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let mut sum = 0u32;
        for word in bytes.chunks(2) {
            sum += u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        prop_assert_eq!(checksum(&bytes), !(sum as u16));
    }

    #[test]
    fn a_number_below_a_bound_is(seed: u64, bound in 1u64..) {
        prop_assert!(Rng::from_seed(seed).below(bound) < bound);
    }
}
