//! The virtio-net header: whatever it says, it is a fact about the frame or a typed error.

#![allow(clippy::unwrap_used)]

use etherparse::PacketBuilder;
use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::seams::frame::Frame;
use framewise_device::offload::OffloadError;
use framewise_device::virtio::{VIRTIO_HEADER, VirtioError, VirtioHeader};
use proptest::prelude::*;

/// What the kernel says of a super-frame of TCP over IPv4 with timestamps.
const SUPER: VirtioHeader =
    VirtioHeader { flags: 1, gso_type: 1, hdr_len: 66, gso_size: 1_448, csum_start: 34, csum_offset: 16 };

fn frame(is_ipv4: bool, payload: usize, facts: Offload) -> Frame {
    let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ip = match is_ipv4 {
        true => ethernet.ipv4([192, 0, 2, 1], [198, 51, 100, 80], 64),
        false => ethernet.ipv6([0x20; 16], [0x30; 16], 64),
    };
    let mut bytes = Vec::new();
    ip.tcp(49_152, 443, 1_000, 65_000).write(&mut bytes, &vec![7; payload]).unwrap();
    let mut buf = Buf::copy_from_slice(&bytes);
    buf.set_offload_facts(facts);
    Frame::new(buf, InterfaceId(0))
}

fn partial(start: u16) -> ChecksumState {
    ChecksumState::Partial { start, field: 16 }
}

#[test]
fn the_bytes_are_those_of_the_standard() {
    let bytes = [1, 1, 66, 0, 0xa8, 5, 34, 0, 16, 0];
    assert_eq!(VirtioHeader::parse(&bytes), Ok(SUPER));
    assert_eq!(SUPER.to_bytes(), bytes);
}

#[test]
fn the_flags_say_who_has_seen_to_the_checksum() {
    let checksum = |flags| {
        let header = VirtioHeader { flags, csum_start: 34, csum_offset: 16, ..VirtioHeader::default() };
        header.facts(60).unwrap().checksum
    };
    assert_eq!(checksum(0), ChecksumState::Complete, "it is verified by whoever receives it");
    assert_eq!(checksum(1), partial(34));
    assert_eq!(checksum(2), ChecksumState::Verified);
    assert_eq!(
        checksum(3),
        partial(34),
        "what is to be computed was not verified, whatever the other flag says"
    );
}

#[test]
fn a_super_frame_tells_how_long_its_pieces_are() {
    let facts = Offload { checksum: partial(34), segment_size: Some(1_448) };
    assert_eq!(SUPER.facts(45_000), Ok(facts));
    let answers_congestion = VirtioHeader { gso_type: 0x81, ..SUPER };
    assert_eq!(answers_congestion.facts(45_000), Ok(facts));
}

#[test]
fn what_can_not_be_true_is_a_typed_error() {
    let cases = [
        (VirtioHeader { gso_size: 0, ..SUPER }, VirtioError::ZeroSegmentSize),
        (VirtioHeader { gso_type: 3, ..SUPER }, VirtioError::Segmentation { found: 3 }),
        (VirtioHeader { gso_type: 5, ..SUPER }, VirtioError::Segmentation { found: 5 }),
        (VirtioHeader { hdr_len: 101, ..SUPER }, VirtioError::HeadersBeyondFrame { needed: 101, found: 100 }),
        (
            VirtioHeader { csum_start: 100, ..SUPER },
            VirtioError::ChecksumBeyondFrame { needed: 118, found: 100 },
        ),
        (
            VirtioHeader { csum_start: u16::MAX, csum_offset: u16::MAX, ..SUPER },
            VirtioError::ChecksumBeyondFrame { needed: 131_072, found: 100 },
        ),
    ];
    for (header, expected) in cases {
        let found = header.facts(100).expect_err("it is no good");
        assert_eq!(found, expected);
        assert!(found.reason().starts_with("virtio "), "{}", found.reason());
    }
    assert_eq!(VirtioHeader::parse(&[0; 9]), Err(VirtioError::TooShort { found: 9 }));
}

#[test]
fn a_frame_s_facts_are_told_to_the_kernel() {
    for (is_ipv4, start, gso_type, hdr_len) in [(true, 34, 1, 54), (false, 54, 4, 74)] {
        let facts = Offload { checksum: partial(start), segment_size: Some(1_440) };
        let header = VirtioHeader::of(&frame(is_ipv4, 45_000, facts)).unwrap();
        let expected =
            VirtioHeader { flags: 1, gso_type, hdr_len, gso_size: 1_440, csum_start: start, csum_offset: 16 };
        assert_eq!(header, expected);
        assert_eq!(header.wire_length(45_054), usize::from(hdr_len) + 1_440);

        let fits = VirtioHeader::of(&frame(is_ipv4, 1_440, facts)).unwrap();
        assert_eq!((fits.flags, fits.gso_type), (1, 0), "one piece is no super-frame");
    }
    let plain = VirtioHeader::of(&frame(true, 10, Offload::default())).unwrap();
    assert_eq!(plain, VirtioHeader::default(), "nothing is left to the kernel");
}

#[test]
fn facts_that_no_frame_can_have_are_not_told() {
    let sized = |size| Offload { checksum: partial(34), segment_size: Some(size) };
    assert_eq!(VirtioHeader::of(&frame(true, 100, sized(0))), Err(OffloadError::ZeroSegmentSize));
    let mut arp = Buf::copy_from_slice(&[&[0; 12][..], &[8, 6], &[0; 28]].concat());
    arp.set_offload_facts(sized(1_000));
    let arp = Frame::new(arp, InterfaceId(0));
    assert_eq!(VirtioHeader::of(&arp), Err(OffloadError::NotIp { found: 0x0806 }));
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written(bytes in any::<[u8; VIRTIO_HEADER]>()) {
        let header = VirtioHeader::parse(&bytes).unwrap();
        prop_assert_eq!(header.to_bytes(), bytes);
    }

    /// What passes can be acted on: the checksum is in the frame, pieces have bytes.
    #[test]
    fn no_header_is_believed_beyond_its_frame(bytes in any::<[u8; VIRTIO_HEADER]>(), length in 0_usize..70_000) {
        let header = VirtioHeader::parse(&bytes).unwrap();
        let Ok(facts) = header.facts(length) else { return Ok(()) };
        if let ChecksumState::Partial { start, field } = facts.checksum {
            prop_assert!(usize::from(start) + usize::from(field) + 2 <= length);
        }
        prop_assert_ne!(facts.segment_size, Some(0));
    }

    /// Any facts about any bytes: a header or an error.
    #[test]
    fn no_facts_make_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        start in any::<u16>(),
        field in any::<u16>(),
        size in any::<Option<u16>>(),
    ) {
        let mut buf = Buf::copy_from_slice(&bytes);
        buf.label_mut().offload = Offload { checksum: ChecksumState::Partial { start, field }, segment_size: size };
        let _ = VirtioHeader::of(&Frame::new(buf, InterfaceId(0)));
    }
}
