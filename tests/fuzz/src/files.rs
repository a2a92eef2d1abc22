//! What comes from elsewhere than a peer: captures, the header of a TAP with offload, and what a passive reader makes of TLS.

use framewise::core::Buf;
use framewise::core::buf::{ChecksumState, InterfaceId, Offload};
use framewise::core::seams::frame::Frame;
use framewise::device::offload;
use framewise::device::virtio::{VIRTIO_HEADER, VirtioHeader};
use framewise::tls::handshake::{self, ClientHello};
use framewise::tls::record::{self, Record};
use framewise::tls::{self, Context};
use framewise_trace::dissect::{Limits, Side};
use framewise_trace::{CaptureReader, Dissection, Item};

use crate::headers::explained;
use crate::input::Input;

/// Runs the target: the first byte chooses.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 4 {
        0 => capture(input.rest()),
        1 => virtio(input.rest()),
        2 => super_frame(input),
        _ => records(input.rest()),
    }
}

/// Each item takes bytes of the file, and is no longer than it.
fn capture(bytes: &[u8]) {
    let Ok(mut reader) = CaptureReader::new(bytes) else { return };
    let (mut items, mut offset) = (0, 0);
    loop {
        match reader.next_item() {
            Ok(Some(Item::Packet(packet))) => {
                assert!(packet.bytes.len() <= bytes.len(), "a packet is a part of the file");
                assert!(packet.offset >= offset && packet.offset < bytes.len() as u64);
                offset = packet.offset;
            }
            Ok(Some(Item::KeyLog(lines))) => assert!(lines.len() <= bytes.len()),
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(matches!(reader.next_item(), Ok(None)), "after an error nothing more is found");
                break;
            }
        }
        items += 1;
        assert!(items <= bytes.len(), "an item takes a byte at least");
    }
    assert!(reader.interfaces().len() <= bytes.len());
    dissected(bytes);
}

/// A capture taken apart is no larger than its limits, each byte has a place, and what is said lies within the frames.
fn dissected(bytes: &[u8]) {
    let limits = Limits { frames: 64, connections: 8, datagrams: 8, fragments: 8, ..Limits::default() };
    let Ok(dissection) = Dissection::of_capture(bytes, "", limits) else { return };
    assert!(dissection.len() <= limits.frames && dissection.connections().len() <= limits.connections);
    for frame in dissection.frames() {
        let length = frame.bytes().len();
        for meaning in
            length.checked_sub(1).map_or_else(Vec::new, |last| dissection.meanings(frame.number(), last))
        {
            assert!(meaning.layer.here.contains(&meaning.place.range.start));
        }
        for state in frame.states() {
            assert!(state.fields.iter().all(|stated| stated.field.meaning.ends_with('.')), "{state:?}");
        }
        for unusual in frame.unusual() {
            assert!(
                unusual.sentence.ends_with('.') && unusual.frame.is_none_or(|other| other <= frame.number())
            );
        }
        for told in frame.consequences() {
            assert!(told.sentence.ends_with('.') && told.frame.is_none_or(|other| other >= frame.number()));
        }
    }
    for stream in
        dissection.connections().flat_map(|connection| Side::BOTH.map(|side| connection.stream(side)))
    {
        let pieces: u64 = stream.pieces().map(|piece| piece.range().end - piece.range().start).sum();
        assert!(pieces <= bytes.len() as u64, "a stream holds what the frames brought");
        for message in stream.messages() {
            let head = dissection.bytes(&stream.place(&message.head));
            assert!(head.is_some_and(|head| head.ends_with(b"\r\n")), "a head was read, so it is there");
        }
    }
}

/// A frame as the kernel hands it up, its header in front.
fn virtio(bytes: &[u8]) {
    let Ok(header) = VirtioHeader::parse(bytes) else { return };
    assert_eq!(bytes.get(..VIRTIO_HEADER), Some(&header.to_bytes()[..]));
    let frame = bytes.get(VIRTIO_HEADER..).unwrap_or_default();
    let Ok(facts) = header.facts(frame.len()) else { return };
    let mut buf = Buf::copy_from_slice(frame);
    buf.set_offload_facts(facts);
    assert_eq!(buf.offload_facts(), facts);
    completed(Frame::new(buf, InterfaceId(0)), facts);
}

/// A frame with any facts at all.
fn super_frame(mut input: Input<'_>) {
    let how = input.byte();
    let (start, field, size) = (input.word(), input.word(), input.word());
    let mut buf = Buf::copy_from_slice(input.rest());
    let start = start.saturating_add(buf.position() as u16);
    let facts = Offload {
        checksum: if how & 1 == 0 {
            ChecksumState::Complete
        } else {
            ChecksumState::Partial { start, field }
        },
        segment_size: (how & 2 != 0).then_some(size),
    };
    buf.label_mut().offload = facts;
    completed(Frame::new(buf, InterfaceId(0)), facts);
}

/// The frames that one stands for hold its payload between them, each within its size.
fn completed(frame: Frame, facts: Offload) {
    let extent = offload::extent(&frame);
    let _ = VirtioHeader::of(&frame);
    let whole = frame.clone();
    let Ok(pieces) = offload::complete(frame) else { return };
    let pieces: Vec<Frame> = pieces.collect();
    let Some(size) = facts.segment_size.filter(|_| pieces.len() > 1) else {
        assert_eq!(pieces.len(), 1, "what is not cut is one frame");
        assert_eq!(pieces.first().map(|piece| piece.len()), Some(whole.len()));
        return;
    };
    let extent = extent.expect("what was cut can be measured");
    let payload: Vec<u8> =
        pieces.iter().filter_map(|piece| piece.get(extent.headers..)).flatten().copied().collect();
    assert_eq!(whole.get(extent.headers..extent.headers + extent.payload), Some(&payload[..]));
    assert!(pieces.iter().all(|piece| piece.len() <= extent.headers + usize::from(size)));
    assert!(pieces.iter().all(|piece| piece.offload() == Offload::default()));
}

/// Records, hellos and certificates, as views show them.
fn records(bytes: &[u8]) {
    let mut seen = 0;
    for record in record::records(bytes).map_while(Result::ok) {
        seen += record.wire_len();
        fragment(&record);
    }
    assert!(seen <= bytes.len(), "records lie one behind the other");
    for (tls12, sealed) in [(false, false), (true, false), (true, true)] {
        let context = Context { peer: Some("shop.test".into()), tls12, sealed, ..Context::default() };
        explained(tls::describe(bytes, &context).ok(), bytes);
        explained(Some(tls::describe_handshake(bytes, &context)), bytes);
    }
    let _ = tls::Certificate::from_pem(bytes).map(|certificate| certificate.to_pem());
    let _ = (tls::CertificateChain::from_pem(bytes), tls::PrivateKey::from_pem(bytes));
}

fn fragment(record: &Record<'_>) {
    for message in handshake::messages(record.fragment) {
        assert!(message.bytes.end <= record.fragment.len(), "a message lies within its fragment");
        let _ = (message.name(), message.meaning());
        let hello = ClientHello::read(record.fragment, &message);
        let ranges = [
            hello.server_name.map(|(range, _)| range),
            hello.cipher_suites.map(|(range, _)| range),
            hello.alpn.map(|(range, _)| range),
            hello.versions.map(|(range, _)| range),
        ];
        assert!(ranges.into_iter().flatten().all(|range| range.end <= message.bytes.end));
    }
}
