//! Segmentation and checksums in software, judged by etherparse.

#![allow(clippy::unwrap_used)]

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, Instant, Rng};
use framewise_device::offload::{OffloadError, complete};
use framewise_device::{Intervention, OffloadPolicy, Wire, WireConfig};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Version {
    V4,
    V6,
}

/// A super-segment as our layers hand it down: checksum unset, to be cut into pieces of `size`.
fn super_segment(version: Version, payload: &[u8], size: Option<u16>) -> Frame {
    let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ip = match version {
        Version::V4 => ethernet.ipv4([192, 0, 2, 1], [198, 51, 100, 80], 64),
        Version::V6 => ethernet.ipv6([0x20; 16], [0x30; 16], 64),
    };
    let mut segment = etherparse::TcpHeader::new(49_152, 443, u32::MAX - 1_000, 65_000);
    segment.ack = true;
    segment.psh = true;
    segment.fin = true;
    segment.cwr = true;
    segment.acknowledgment_number = 7;
    segment
        .set_options(&[
            etherparse::TcpOptionElement::Noop,
            etherparse::TcpOptionElement::Noop,
            etherparse::TcpOptionElement::Timestamp(5, 6),
        ])
        .unwrap();
    let builder = ip.tcp_header(segment);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();

    let transport = match version {
        Version::V4 => 34,
        Version::V6 => 54,
    };
    bytes[transport + 16..transport + 18].copy_from_slice(&[0xde, 0xad]);
    let mut buf = Buf::copy_from_slice(&bytes);
    let start = (buf.position() + transport) as u16;
    buf.label_mut().offload =
        Offload { checksum: ChecksumState::Partial { start, field: 16 }, segment_size: size };
    Frame::new(buf, InterfaceId(0))
}

/// What etherparse finds in a frame: sequence number, FIN, PSH, CWR, payload. Fails if a checksum or length is wrong.
fn judge(frame: &Frame) -> (u32, bool, bool, bool, Vec<u8>) {
    let packet = SlicedPacket::from_ethernet(frame).expect("etherparse reads it");
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else { panic!("TCP inside") };
    let expected = match packet.net.as_ref().expect("IP inside") {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            assert_eq!(header.header_checksum(), header.to_header().calc_header_checksum());
            assert_eq!(usize::from(header.total_len()) + 14, frame.len());
            tcp.calc_checksum_ipv4(header.source(), header.destination())
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            assert_eq!(usize::from(header.payload_length()) + 54, frame.len());
            tcp.calc_checksum_ipv6(header.source(), header.destination())
        }
        NetSlice::Arp(_) => panic!("IP inside"),
    };
    assert_eq!(tcp.checksum(), expected.unwrap(), "TCP checksum");
    let header = tcp.to_header();
    assert_eq!((header.source_port, header.destination_port), (49_152, 443));
    assert_eq!(header.options.as_slice().len(), 12, "options are in every piece");
    (header.sequence_number, header.fin, header.psh, header.cwr, tcp.payload().to_vec())
}

fn check_cut(version: Version, length: usize, size: u16) {
    let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
    let frames: Vec<Frame> = complete(super_segment(version, &payload, Some(size))).unwrap().collect();
    assert_eq!(frames.len(), length.div_ceil(usize::from(size)).max(1));
    let mut joined = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let last = index + 1 == frames.len();
        let (sequence, fin, psh, cwr, piece) = judge(frame);
        let expected = (u32::MAX - 1_000).wrapping_add(joined.len() as u32);
        assert_eq!(sequence, expected, "sequence number of piece {index}");
        assert_eq!((fin, psh, cwr), (last, last, index == 0), "flags of piece {index}");
        assert_eq!(frame.offload(), Offload::default(), "nothing is left to do");
        joined.extend(piece);
    }
    assert_eq!(joined, payload);
}

#[test]
fn a_super_segment_becomes_frames_that_add_up() {
    for version in [Version::V4, Version::V6] {
        for (length, size) in [(0, 1_448), (1_448, 1_448), (1_449, 1_448), (64_000, 1_448), (10, 1)] {
            check_cut(version, length, size);
        }
    }
}

#[test]
fn each_ipv4_piece_has_an_identification_of_its_own() {
    let frames: Vec<Frame> =
        complete(super_segment(Version::V4, &[1; 3_000], Some(1_000))).unwrap().collect();
    let ids: Vec<&[u8]> = frames.iter().map(|frame| &frame[18..20]).collect();
    assert_eq!(ids, [[0, 0], [0, 1], [0, 2]]);
}

#[test]
fn a_frame_without_facts_passes_in_its_own_buffer() {
    let frame = Frame::new(Buf::copy_from_slice(b"whatever this is"), InterfaceId(0));
    let serial = frame.serial();
    let frames: Vec<Frame> = complete(frame).unwrap().collect();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].serial(), serial);
}

#[test]
fn a_checksum_alone_is_filled_in_place() {
    let frame = super_segment(Version::V4, b"page", None);
    let serial = frame.serial();
    let frames: Vec<Frame> = complete(frame).unwrap().collect();
    assert_eq!(frames[0].serial(), serial);
    judge(&frames[0]);
}

#[test]
fn padding_is_not_summed() {
    let mut frame = super_segment(Version::V4, b"", None);
    frame.append(6).fill(0xaa);
    let mut frame = complete(frame).unwrap().next().unwrap();
    let length = frame.len() - 6;
    frame.truncate(length);
    judge(&frame);
}

#[test]
fn udp_gets_its_checksum_too() {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(53, 4_000)
        .write(&mut bytes, b"answer")
        .unwrap();
    let right = bytes[40..42].to_vec();
    bytes[40..42].fill(0);
    let mut buf = Buf::copy_from_slice(&bytes);
    let start = (buf.position() + 34) as u16;
    buf.label_mut().offload.checksum = ChecksumState::Partial { start, field: 6 };
    let frame = complete(Frame::new(buf, InterfaceId(0))).unwrap().next().unwrap();
    assert_eq!(frame[40..42], right);
}

#[test]
fn facts_that_do_not_fit_are_errors() {
    let mut wrong = super_segment(Version::V4, b"page", None);
    wrong.label_mut().offload.checksum = ChecksumState::Partial { start: 0, field: 16 };
    assert!(matches!(complete(wrong), Err(OffloadError::WrongField { .. })));

    let zero = super_segment(Version::V4, b"page", Some(0));
    assert_eq!(complete(zero).unwrap_err(), OffloadError::ZeroSegmentSize);

    let mut arp = Buf::copy_from_slice(&[0; 60]);
    arp.label_mut().offload.segment_size = Some(1_000);
    let error = complete(Frame::new(arp, InterfaceId(0))).unwrap_err();
    assert_eq!(error, OffloadError::NotIp { found: 0 });
}

/// What arrives of one super-segment of three pieces whose second frame on the wire is dropped.
fn over_a_wire(offload: OffloadPolicy) -> Vec<Frame> {
    let config = WireConfig { offload, ..WireConfig::default() };
    let mut wire = Wire::new(config, Rng::from_seed(1));
    let (me, _you) = (wire.attach(), wire.attach());
    wire.script(me, 2, Intervention::Drop);
    wire.send(me, super_segment(Version::V4, &[1; 3_000], Some(1_000)), Instant::ZERO);
    let mut frames = Vec::new();
    while let Some(at) = wire.poll_timeout() {
        frames.extend(wire.poll(at).map(|(_, frame)| frame));
    }
    frames
}

#[test]
fn a_wire_cuts_before_it_impairs() {
    let frames = over_a_wire(OffloadPolicy::Complete);
    let sequences: Vec<u32> = frames.iter().map(|frame| judge(frame).0).collect();
    let first = u32::MAX - 1_000;
    assert_eq!(sequences, [first, first.wrapping_add(2_000)]);
}

#[test]
fn a_wire_may_pass_the_facts_through() {
    let frames = over_a_wire(OffloadPolicy::PassThrough);
    assert_eq!(frames.len(), 1, "one frame, so there was no second to drop");
    assert_eq!(frames[0].offload().segment_size, Some(1_000));
    let whole: Vec<Frame> = complete(frames[0].clone()).unwrap().collect();
    assert_eq!(whole.len(), 3, "and the facts still fit it");
}

proptest! {
    #[test]
    fn any_length_and_size_add_up(length in 0usize..9_000, size in 1u16..3_000, six in any::<bool>()) {
        check_cut(if six { Version::V6 } else { Version::V4 }, length, size);
    }

    #[test]
    fn arbitrary_bytes_and_facts_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        kind in prop_oneof![Just(0x0800u16), Just(0x86dd), Just(0x8100), any::<u16>()],
        start in 0u16..400,
        field in any::<u16>(),
        size in proptest::option::of(any::<u16>()),
    ) {
        let mut buf = Buf::copy_from_slice(&bytes);
        if let Some(place) = buf.get_mut(12..14) {
            place.copy_from_slice(&kind.to_be_bytes());
        }
        buf.label_mut().offload = Offload {
            checksum: ChecksumState::Partial { start, field },
            segment_size: size,
        };
        if let Ok(frames) = complete(Frame::new(buf, InterfaceId(0))) {
            prop_assert!(frames.count() <= 200);
        }
    }
}
