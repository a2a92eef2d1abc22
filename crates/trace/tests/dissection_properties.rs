//! However a page's bytes are cut into segments, sent again and mixed up: the streams are the same, and each byte is found in
//! the frames that brought it, and back.
#![allow(clippy::unwrap_used)]

mod craft;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use craft::{Cut, ETHERNET, fragments, pcap, segment, syn};
use framewise_trace::dissect::{Limits, Place, Side, Space, StreamId};
use framewise_trace::{CaptureReader, Dissection, Item};
use proptest::prelude::*;

/// What is known of a fixture before it is cut anew.
struct Known {
    streams: [Vec<u8>; 2],
    plain: [Vec<u8>; 2],
    secrets: String,
}

static TLS13: LazyLock<Known> = LazyLock::new(|| known("https.pcapng"));
static TLS12: LazyLock<Known> = LazyLock::new(|| known("tls12.pcapng"));

fn known(name: &str) -> Known {
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps").join(name)).unwrap();
    let dissection = Dissection::of_capture(&file[..], "", Limits::default()).unwrap();
    let mut secrets = String::new();
    let mut reader = CaptureReader::new(&file[..]).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::KeyLog(text) = item {
            secrets.push_str(text);
        }
    }
    Known { streams: streams(&dissection), plain: plain(&dissection), secrets }
}

fn streams(dissection: &Dissection) -> [Vec<u8>; 2] {
    let connection = dissection.connections().next().unwrap();
    Side::BOTH.map(|side| {
        let stream = connection.stream(side);
        dissection.bytes(&Place::new(Space::Stream(stream.id()), 0..stream.length())).unwrap()
    })
}

fn plain(dissection: &Dissection) -> [Vec<u8>; 2] {
    let connection = dissection.connections().next().unwrap();
    Side::BOTH.map(|side| {
        let stream = connection.stream(side);
        dissection.bytes(&Place::new(Space::Plaintext(stream.id()), 0..stream.plaintext_length())).unwrap()
    })
}

/// A segment somewhere, in thousandths of a stream, and how it travels.
#[derive(Clone, Debug)]
struct Sent {
    side: usize,
    at: usize,
    length: usize,
    /// Where among the others it comes.
    when: u16,
    fragmented: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    (0_usize..2, 0_usize..1_000, 1_usize..700, any::<u16>(), prop::bool::weighted(0.1))
        .prop_map(|(side, at, length, when, fragmented)| Sent { side, at, length, when, fragmented })
}

/// Frames with these segments in any order, and all that they lack in segments of `size`.
fn frames(known: &Known, sent: &[Sent], size: usize) -> Vec<Vec<u8>> {
    let mut cuts: Vec<(u16, Cut, bool)> = Vec::new();
    for Sent { side, at, length, when, fragmented } in sent {
        let whole = known.streams[*side].len();
        let at = whole * at / 1_000;
        cuts.push((*when, Cut { side: *side, at, length: (*length).min(whole - at) }, *fragmented));
    }
    for side in [0, 1] {
        let whole = known.streams[side].len();
        for (number, at) in (0..whole).step_by(size).enumerate() {
            let when = (number * 7_919 % 65_536) as u16;
            cuts.push((when, Cut { side, at, length: size.min(whole - at) }, false));
        }
    }
    cuts.sort_by_key(|(when, ..)| *when);
    let mut frames = vec![syn(0), syn(1)];
    for (number, (_, cut, fragmented)) in cuts.into_iter().enumerate() {
        let frame = segment(&known.streams, cut);
        match fragmented {
            true => frames.extend(with_number(fragments(&frame, 64), number as u16)),
            false => frames.push(frame),
        }
    }
    frames
}

/// Fragments with an identification of their own.
fn with_number(mut fragments: Vec<Vec<u8>>, number: u16) -> Vec<Vec<u8>> {
    for fragment in &mut fragments {
        fragment[18..20].copy_from_slice(&number.to_be_bytes());
        fragment[24..26].fill(0);
        let sum = framewise_core::checksum::checksum(&fragment[14..34]);
        fragment[24..26].copy_from_slice(&sum.to_be_bytes());
    }
    fragments
}

/// Every byte of `space`, whose bytes lie as `expected` in frames, is found in frames and from there again.
fn there_and_back(dissection: &Dissection, space: Space, length: u64, stream: StreamId) {
    let carriers = dissection.frames_of(&Place::new(space, 0..length));
    let mut brought = vec![0; length as usize];
    for carrier in &carriers {
        let Space::Frame(number) = carrier.at.space else { panic!("{carrier:?}") };
        let frame = dissection.frame(number).unwrap();
        assert_eq!(carrier.part.end - carrier.part.start, carrier.at.range.end - carrier.at.range.start);
        let there = &frame.bytes()[carrier.at.range.start as usize..carrier.at.range.end as usize];
        let below = dissection.frames_of(&Place::new(space, carrier.part.clone()));
        assert!(below.contains(carrier), "a part of what is asked for is found alike");
        if space == Space::Stream(stream) {
            assert_eq!(dissection.bytes(&Place::new(space, carrier.part.clone())).unwrap(), there);
        }
        for byte in carrier.part.clone() {
            brought[byte as usize] += 1;
        }
        // From its first byte up again; all bytes would take long.
        let found = dissection.meanings(number, carrier.at.range.start as usize);
        let whole = frame.segment().is_some();
        let back = found
            .iter()
            .any(|meaning| meaning.place == Place::new(space, carrier.part.start..carrier.part.start + 1));
        let has_layer = space != Space::Stream(stream);
        assert!(!whole || !has_layer || back, "frame {number}: {:?} of {space:?}", carrier.part);
    }
    assert!(brought.iter().all(|times| *times > 0), "a byte of {space:?} is in no frame");
}

fn check(known: &Known, sent: &[Sent], size: usize) {
    let file = pcap(ETHERNET, &frames(known, sent, size));
    let dissection = Dissection::of_capture(&file[..], &known.secrets, Limits::default()).unwrap();
    assert_eq!(dissection.connections().len(), 1);
    assert_eq!(streams(&dissection), known.streams);
    assert_eq!(plain(&dissection), known.plain);
    let connection = dissection.connections().next().unwrap();
    for side in Side::BOTH {
        let stream = connection.stream(side);
        assert!(stream.again().iter().all(|piece| !piece.differs()));
        there_and_back(&dissection, Space::Stream(stream.id()), stream.length(), stream.id());
        there_and_back(&dissection, Space::Plaintext(stream.id()), stream.plaintext_length(), stream.id());
    }
}

/// What streams are made of: parts of messages and records, and bytes that are neither.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let texts = [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"4\r\npage\r\n",
        b"0\r\n\r\n",
        &[20, 3, 3, 0, 1, 1],
        &[21, 3, 3, 0, 2, 1, 0],
        &[23, 3, 3, 0, 3, 0, 0, 0],
    ];
    let of_fixture = |streams: &'static [Vec<u8>; 2]| {
        (0_usize..2, any::<prop::sample::Index>()).prop_map(move |(side, to)| {
            let stream = &streams[side];
            stream[..to.index(stream.len())].to_vec()
        })
    };
    prop_oneof![
        6 => prop::sample::select(texts.map(<[u8]>::to_vec).to_vec()),
        1 => of_fixture(&TLS13.streams),
        1 => of_fixture(&TLS12.streams),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn tls_1_3_however_it_is_cut(sent in proptest::collection::vec(sent(), 0..40), size in 20_usize..1_460) {
        check(&TLS13, &sent, size);
    }

    #[test]
    fn tls_1_2_however_it_is_cut(sent in proptest::collection::vec(sent(), 0..40), size in 20_usize..1_460) {
        check(&TLS12, &sent, size);
    }

    #[test]
    fn what_is_missing_is_a_gap_and_nothing_else_is(
        lost in proptest::collection::vec(any::<bool>(), 200),
        size in 20_usize..400,
    ) {
        let known = &*TLS13;
        let all = frames(known, &[], size);
        let kept: Vec<_> = all.iter().zip(std::iter::once(false).chain([false]).chain(lost)).collect();
        let frames: Vec<_> = kept.iter().filter(|(_, lost)| !lost).map(|(frame, _)| (*frame).clone()).collect();
        let dissection = Dissection::of_capture(&pcap(ETHERNET, &frames)[..], &known.secrets, Limits::default()).unwrap();
        let connection = dissection.connections().next().unwrap();
        for side in Side::BOTH {
            let (stream, true_bytes) = (connection.stream(side), &known.streams[side as usize]);
            let mut known_bytes = vec![false; true_bytes.len()];
            for piece in stream.pieces() {
                let range = piece.range();
                let bytes = dissection.bytes(&Place::new(Space::Stream(stream.id()), range.clone())).unwrap();
                prop_assert_eq!(&bytes[..], &true_bytes[range.start as usize..range.end as usize]);
                known_bytes[range.start as usize..range.end as usize].fill(true);
            }
            for gap in stream.gaps() {
                prop_assert!(known_bytes[gap.start as usize..gap.end as usize].iter().all(|known| !known));
                let around = Place::new(Space::Stream(stream.id()), gap.start..gap.start + 1);
                prop_assert_eq!(dissection.bytes(&around), None, "nothing stands in for what is missing");
            }
            // What could be opened before the first gap is the beginning of what was said.
            let opened = dissection.bytes(&Place::new(Space::Plaintext(stream.id()), 0..stream.plaintext_length())).unwrap();
            prop_assert!(known.plain[side as usize].starts_with(&opened));
        }
    }

    #[test]
    fn whatever_is_said_all_of_it_is_accounted_for(
        client in proptest::collection::vec(part(), 0..8),
        server in proptest::collection::vec(part(), 0..8),
        size in 1_usize..1_400,
    ) {
        let known = Known { streams: [client.concat(), server.concat()], plain: Default::default(), secrets: String::new() };
        let file = pcap(ETHERNET, &frames(&known, &[], size));
        let dissection = Dissection::of_capture(&file[..], &TLS13.secrets, Limits::default()).unwrap();
        prop_assert_eq!(&streams(&dissection), &known.streams);
        let connection = dissection.connections().next().unwrap();
        for stream in Side::BOTH.map(|side| connection.stream(side)) {
            let records: Vec<_> = stream.records().iter().map(|record| record.range.clone()).collect();
            let unframed = stream.unframed().map(|(rest, _)| rest.clone());
            let all: Vec<_> = records.into_iter().chain(unframed).collect();
            let joined = all.is_empty() || all.last().unwrap().end == stream.length();
            prop_assert!(joined && all.windows(2).all(|two| two[0].end == two[1].start), "{:?}", all);

            let messages = stream.messages().iter().map(|message| message.range.clone());
            let mut all: Vec<_> = messages.chain(stream.unread().iter().map(|(rest, _)| rest.clone())).collect();
            all.sort_by_key(|range| (range.start, range.end));
            prop_assert!(all.windows(2).all(|two| two[0].end == two[1].start), "{:?}", all);
            for message in stream.messages() {
                let head = dissection.bytes(&stream.place(&message.head)).unwrap();
                prop_assert!(head.ends_with(b"\r\n\r\n"));
                for piece in &message.body {
                    let is_within = piece.start >= message.head.end && piece.end <= message.range.end;
                    prop_assert!(is_within && piece.start < piece.end, "{:?}", message);
                }
            }
        }
        for exchange in connection.exchanges() {
            prop_assert!(exchange.responses.is_sorted_by_key(|response| response.answers.unwrap_or(usize::MAX)));
        }
        for frame in dissection.frames() {
            for layer in frame.layers().layers {
                let carried = dissection.frames_of(&Place::new(layer.space, layer.here.clone()));
                let here = Space::Frame(frame.number());
                let is_here = layer.space == here || carried.iter().any(|carrier| carrier.at.space == here);
                prop_assert!(layer.here.is_empty() || is_here, "frame {} has its layers: {:?}", frame.number(), layer);
            }
        }
    }

    #[test]
    fn any_bytes_and_any_damage_are_taken_apart(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = pcap(ETHERNET, &frames(&TLS13, &[], 500));
        for (at, value) in flips {
            let at = 24 + at.index(file.len() - 24);
            file[at] = value;
        }
        file.truncate(24 + cut.index(file.len() - 24));
        let dissection = Dissection::of_capture(&file[..], &TLS13.secrets, Limits::default()).unwrap();
        for frame in dissection.frames() {
            let _ = (frame.summary(), dissection.meanings(frame.number(), frame.bytes().len() / 2));
        }
        for connection in dissection.connections() {
            let _ = connection.exchanges();
        }
    }
}
