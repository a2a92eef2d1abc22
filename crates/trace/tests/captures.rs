//! Captures: what is written is read again, and what is broken is told with its place.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::seams::Frames;
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, Counters, Cx, Direction, Instant, Observer};
use framewise_trace::dissect::Limits;
use framewise_trace::pcapng::{LONGEST_BLOCK, MOST_INTERFACES, SIMULATED_EPOCH};
use framewise_trace::{
    CaptureOptions, CaptureReader, CaptureWriter, Dissection, Item, ReadError, Recorder, Trace, write_capture,
};
use proptest::prelude::*;

fn frame(interface: u8, length: usize) -> Frame {
    let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
    Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(interface))
}

/// A router that receives by eth0, forwards by eth1, and tells a secret.
fn run(observer: &mut dyn Observer) {
    let mut counters = Counters::default();
    for (host, at) in [("router", 1u64), ("shop.test", 2), ("router", 3)] {
        observer.host(host);
        let now = Instant::from_nanos(at * 1_000_001);
        let mut cx = Cx::observed(now, &mut counters, observer);
        cx.crossed::<Frames>("ethernet", "device", Direction::Inbound, &frame(0, 60 + at as usize));
        cx.note("ethernet", "resolved", || "192.0.2.1 is at 02:00:00:00:00:01".to_owned());
        cx.dropped("ip", "header checksum wrong");
        cx.secret("CLIENT_RANDOM 00 11");
        cx.crossed::<Frames>("ip", "ethernet", Direction::Outbound, &frame(1, 33));
        cx.crossed::<Frames>("ethernet", "device", Direction::Outbound, &frame(1, 90));
    }
}

fn trace() -> Trace {
    let mut recorder = Recorder::new();
    run(&mut recorder);
    recorder.into_trace()
}

fn with_secrets() -> CaptureOptions {
    CaptureOptions { secrets: true, ..CaptureOptions::default() }
}

fn written(options: &CaptureOptions) -> Vec<u8> {
    let mut out = Vec::new();
    write_capture(&trace(), "router", &mut out, options).unwrap();
    out
}

/// What is read from a file until its end or its first error, in words.
fn read(file: &[u8]) -> (Vec<String>, Option<ReadError>) {
    let mut items = Vec::new();
    let mut reader = match CaptureReader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (items, Some(error)),
    };
    loop {
        match reader.next_item() {
            Ok(Some(Item::Packet(packet))) => items.push(format!(
                "{} {:?} {} of {}{}",
                packet.interface.name.as_deref().unwrap_or("-"),
                packet.time.unwrap_or_default(),
                packet.bytes.len(),
                packet.original_length,
                packet.comment.map(|comment| format!(": {comment}")).unwrap_or_default(),
            )),
            Ok(Some(Item::KeyLog(lines))) => items.push(format!("secrets: {lines:?}")),
            Ok(None) => return (items, None),
            Err(error) => {
                assert!(matches!(reader.next_item(), Ok(None)), "nothing follows an error");
                return (items, Some(error));
            }
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    let (items, error) = read(&written(&with_secrets()));
    assert!(error.is_none(), "{error:?}");
    let note = ": ethernet: 192.0.2.1 is at 02:00:00:00:00:01";
    assert_eq!(
        items,
        [
            "secrets: \"CLIENT_RANDOM 00 11\\n\"".to_owned(),
            format!("router eth0 1767225600.001000001s 61 of 61{note}"),
            "router eth1 1767225600.001000001s 90 of 90".to_owned(),
            format!("router eth0 1767225600.003000003s 63 of 63{note}"),
            "router eth1 1767225600.003000003s 90 of 90".to_owned(),
        ]
    );
}

/// Five pieces of 1,000 bytes and one of 10, their checksums left to the device.
fn super_frame() -> Frame {
    let headers = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([192, 0, 2, 1], [198, 51, 100, 80], 64)
        .tcp(49_152, 443, 1_000, 65_000);
    let mut bytes = Vec::new();
    headers.write(&mut bytes, &[7; 5_010]).unwrap();
    bytes[50..52].fill(0xee);
    let mut buf = Buf::copy_from_slice(&bytes);
    let checksum = ChecksumState::Partial { start: 34, field: 16 };
    buf.set_offload_facts(Offload { checksum, segment_size: Some(1_000) });
    Frame::new(buf, InterfaceId(0))
}

/// One super-frame and what was said of it, written in the end and while it runs.
fn captures_of_a_super_frame(options: &CaptureOptions) -> [Vec<u8>; 2] {
    let mut recorder = Recorder::new();
    let mut capture = CaptureWriter::new(Vec::new(), "me", options.clone()).unwrap();
    for observer in [&mut recorder as &mut dyn Observer, &mut capture] {
        observer.host("me");
        let mut counters = Counters::default();
        let mut cx = Cx::observed(Instant::ZERO, &mut counters, observer);
        cx.crossed::<Frames>("ethernet", "device", Direction::Outbound, &super_frame());
    }
    let mut out = Vec::new();
    write_capture(&recorder.into_trace(), "me", &mut out, options).unwrap();
    [out, capture.finish().unwrap()]
}

/// The lengths, the comments, and how many of the checksums are right.
fn judge(file: &[u8]) -> (Vec<usize>, Vec<String>, usize) {
    let (mut lengths, mut comments, mut right) = (Vec::new(), Vec::new(), 0);
    let mut reader = CaptureReader::new(file).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Packet(packet) = item else { continue };
        lengths.push(packet.bytes.len());
        comments.push(packet.comment.unwrap_or_default().to_owned());
        let sliced = SlicedPacket::from_ethernet(packet.bytes).unwrap();
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("TCP inside") };
        let sum = tcp.calc_checksum_ipv4([192, 0, 2, 1], [198, 51, 100, 80]).unwrap();
        right += usize::from(sum == tcp.checksum());
    }
    (lengths, comments, right)
}

#[test]
fn a_super_frame_is_written_as_the_frames_on_the_wire() {
    for file in captures_of_a_super_frame(&CaptureOptions::default()) {
        let (lengths, comments, right) = judge(&file);
        assert_eq!(lengths, [1_054, 1_054, 1_054, 1_054, 1_054, 64]);
        assert_eq!(right, 6);
        assert_eq!(comments[0], "1 of 6 frames on the wire: one super-frame of 5064 bytes");
        assert_eq!(comments[5], "6 of 6 frames on the wire: one super-frame of 5064 bytes");
    }
}

#[test]
fn a_super_frame_is_written_whole_where_that_is_wanted() {
    let options = CaptureOptions { super_frames: true, ..CaptureOptions::default() };
    for file in captures_of_a_super_frame(&options) {
        assert_eq!(judge(&file), (vec![5_064], vec!["super-frame: 6 frames on the wire".to_owned()], 1));
    }
}

#[test]
fn secrets_and_comments_are_written_only_where_wanted() {
    let bare = CaptureOptions { comments: false, ..CaptureOptions::default() };
    let (items, error) = read(&written(&bare));
    assert!(error.is_none());
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| !item.contains(": ")));
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    assert_eq!(written(&with_secrets()), written(&with_secrets()));
}

#[test]
fn a_capture_while_it_runs_has_the_same_frames() {
    let mut capture = CaptureWriter::new(Vec::new(), "router", with_secrets()).unwrap();
    run(&mut capture);
    let (items, error) = read(&capture.finish().unwrap());
    assert!(error.is_none());
    let (frames, secrets): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.starts_with("router"));
    assert_eq!(secrets.len(), 2);
    assert_eq!(
        frames,
        [
            "router eth0 1767225600.001000001s 61 of 61",
            "router eth1 1767225600.001000001s 90 of 90",
            "router eth0 1767225600.003000003s 63 of 63",
            "router eth1 1767225600.003000003s 90 of 90",
        ]
    );
}

#[test]
fn a_capture_that_can_not_be_written_says_so_at_its_end() {
    /// Takes the header and nothing else.
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut capture = CaptureWriter::new(Full(40), "router", with_secrets()).unwrap();
    run(&mut capture);
    assert!(capture.error().is_some());
    let error = capture.finish().err().expect("the file is not whole");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn a_real_run_brings_its_own_epoch() {
    let options =
        CaptureOptions { epoch: SIMULATED_EPOCH + Duration::from_secs(1), ..CaptureOptions::default() };
    assert!(read(&written(&options)).0[0].contains("1767225601.001000001s"));
}

/// An older file of one packet of five bytes, at 1.5 s.
fn old_file(big_endian: bool, nanoseconds: bool) -> Vec<u8> {
    let word = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let (magic, fraction) = match nanoseconds {
        true => (0xa1b2_3c4d, 500_000_000),
        false => (0xa1b2_c3d4, 500_000),
    };
    let mut file = word(magic).to_vec();
    file.extend([half(2), half(4)].concat());
    file.extend([0u32, 0, 65_535, 1, 1, fraction, 5, 60].map(word).concat());
    file.extend(b"hello");
    file
}

#[test]
fn older_files_are_read_in_both_byte_orders_and_resolutions() {
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            let (items, error) = read(&old_file(big_endian, nanoseconds));
            assert!(error.is_none(), "{error:?}");
            assert_eq!(items, ["- 1.5s 5 of 60"], "big endian {big_endian}, ns {nanoseconds}");
        }
    }
}

#[test]
fn what_an_older_file_says_of_check_sequences_is_no_part_of_the_kind_of_link() {
    let mut file = old_file(false, false);
    // Two words of check sequence behind each frame, and that this is known.
    file[20..24].copy_from_slice(&0x2400_0001_u32.to_le_bytes());
    let dissection = Dissection::of_capture(&file[..], "", Limits::default()).unwrap();
    let troubles = dissection.frame(1).unwrap().layers().troubles;
    assert!(troubles.iter().all(|trouble| !trouble.contains("LINKTYPE")), "{troubles:?}");
    assert_eq!(dissection.frame(1).unwrap().interface().unwrap().link_type, 1);
}

/// A pcapng block in the byte order that `word` writes.
fn block(kind: u32, body: &[u8], word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let length = word(12 + body.len() as u32);
    [&word(kind)[..], &length, body, &length].concat()
}

fn section(word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let version = if word(1) == [1, 0, 0, 0] { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
    let body = [&word(0x1a2b_3c4d)[..], &version, &[0xff; 8]].concat();
    block(0x0a0d_0d0a, &body, word)
}

fn ethernet(word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let link_type = if word(1) == [1, 0, 0, 0] { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
    block(1, &[link_type, word(0)].concat(), word)
}

fn enhanced_packet(interface: u32, claimed: u32, word: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let numbers = [interface, 0, 1_500_000, claimed, 4].map(word).concat();
    block(6, &[&numbers[..], b"page"].concat(), word)
}

#[test]
fn a_second_section_may_have_the_other_byte_order() {
    let little =
        [section(u32::to_le_bytes), ethernet(u32::to_le_bytes), enhanced_packet(0, 4, u32::to_le_bytes)];
    let big =
        [section(u32::to_be_bytes), ethernet(u32::to_be_bytes), enhanced_packet(0, 4, u32::to_be_bytes)];
    let (items, error) = read(&[little.concat(), big.concat()].concat());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(items, ["- 1.5s 4 of 4", "- 1.5s 4 of 4"]);
}

#[test]
fn an_obsolete_packet_is_read_as_an_enhanced_one() {
    for big_endian in [false, true] {
        let word = if big_endian { u32::to_be_bytes } else { u32::to_le_bytes };
        // The interface, with a count of drops that nobody reads.
        let front = [0, 0, 0xff, 0xff];
        let numbers = [0, 1_500_000, 4, 9].map(word).concat();
        let packet = block(2, &[&front[..], &numbers, b"page"].concat(), word);
        let (items, error) = read(&[section(word), ethernet(word), packet].concat());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(items, ["- 1.5s 4 of 9"]);
    }
    let word = u32::to_le_bytes;
    let beyond = block(2, &[0, 0, 0, 1, 1].map(word).concat(), word);
    check_broken("a packet beyond its block", &beyond, "the block at byte HERE contradicts itself");
}

/// A good packet, then something broken: the packet is kept, the error names the place.
fn check_broken(name: &str, broken: &[u8], expected: &str) {
    let word = u32::to_le_bytes;
    let good = [section(word), ethernet(word), enhanced_packet(0, 4, word)].concat();
    let (items, error) = read(&[&good[..], broken].concat());
    assert_eq!(items, ["- 1.5s 4 of 4"], "{name}: what came before is kept");
    let found = error.unwrap_or_else(|| panic!("{name} is an error")).to_string();
    assert_eq!(found, expected.replace("HERE", &good.len().to_string()), "{name}");
}

#[test]
fn broken_blocks_are_errors_with_their_place() {
    let word = u32::to_le_bytes;
    let claims = |length: u32| [word(6), word(length), word(0)].concat();
    let range = format!("it can have 12 to {LONGEST_BLOCK}, in whole words");
    for length in [0, 8, 13, 0xffff_fffc] {
        let expected = format!("the block at byte HERE claims {length} bytes; {range}");
        check_broken(&format!("a length of {length}"), &claims(length), &expected);
    }
    let mut differing = enhanced_packet(0, 4, word);
    let end = differing.len() - 4;
    differing[end..].copy_from_slice(&word(40));
    check_broken(
        "two lengths",
        &differing,
        "the block at byte HERE claims 36 bytes before and 40 after its content",
    );
    check_broken(
        "an unknown interface",
        &enhanced_packet(7, 4, word),
        "the packet at byte HERE is from interface 7, of 1 described",
    );
    check_broken(
        "a packet longer than its block",
        &enhanced_packet(0, 4_000_000_000, word),
        "the block at byte HERE contradicts itself",
    );
    check_broken(
        "an end within a block",
        &enhanced_packet(0, 4, word)[..20],
        "the file ends within the block at byte HERE: 36 bytes belong there, 20 are",
    );
    let other_order = enhanced_packet(0, 4, u32::to_be_bytes);
    let expected = format!("the block at byte HERE claims {} bytes; {range}", 36 << 24);
    check_broken("another byte order within a section", &other_order, &expected);
}

#[test]
fn an_older_file_that_claims_four_gigabytes_is_an_error() {
    let mut file = old_file(false, false);
    file[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let (items, error) = read(&file);
    assert_eq!(items.len(), 0);
    assert!(matches!(error, Some(ReadError::BadLength { offset: 24, .. })), "{error:?}");
}

#[test]
fn interfaces_are_bounded() {
    let word = u32::to_le_bytes;
    let file = [section(word), ethernet(word).repeat(MOST_INTERFACES + 1)].concat();
    let error = read(&file).1;
    assert!(matches!(error, Some(ReadError::TooManyInterfaces { .. })), "{error:?}");
}

#[test]
fn other_files_are_no_captures() {
    for file in [&b"<!doctype html>"[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 100]] {
        assert!(matches!(read(file).1, Some(ReadError::NotACapture { .. })));
    }
    assert!(matches!(read(b"").1, Some(ReadError::Truncated { .. })));
    assert!(matches!(read(&[0x0a, 0x0d, 0x0d]).1, Some(ReadError::Truncated { .. })));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[section(u32::to_le_bytes), ethernet(u32::to_le_bytes), bytes].concat());
    }

    #[test]
    fn damaged_captures_never_panic(
        place in 0usize..1_000,
        damage in proptest::collection::vec(any::<u8>(), 1..8),
        cut in 0usize..1_000,
    ) {
        let mut file = written(&with_secrets());
        for (byte, damage) in file.iter_mut().skip(place).zip(damage) {
            *byte ^= damage;
        }
        file.truncate(cut.max(60));
        let _ = read(&file);
    }
}
