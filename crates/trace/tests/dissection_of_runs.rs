//! Recorded runs of our own, taken apart.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{Cut, segment, syn};
use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::seams::Frames;
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, Counters, Cx, Direction, Instant, Observer};
use framewise_trace::dissect::{Limits, Origin, Place, Refused, Side, Space};
use framewise_trace::{CaptureOptions, Dissection, Recorder, Trace, write_capture};

/// A run in which the server sends one frame in a damaged state, then well, and the client one super-frame.
fn run() -> Trace {
    let body = vec![b'x'; 3_000];
    let post = [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n", &body[..]].concat();
    let streams = [post, b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()];
    let [up, down] = [0, 1].map(|side| segment(&streams, Cut { side, at: 0, length: streams[side].len() }));
    let mut damaged = down.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut recorder = Recorder::new();
    recorder.host("me");
    let (mut counters, mut at) = (Counters::default(), 0);
    let mut cross = |frame: &[u8], direction, offload: Option<Offload>, dropped: bool| {
        at += 1;
        let mut cx = Cx::observed(Instant::from_millis(at), &mut counters, &mut recorder);
        let mut buf = Buf::copy_from_slice(frame);
        offload.into_iter().for_each(|facts| buf.set_offload_facts(facts));
        cx.crossed::<Frames>("ethernet", "device", direction, &Frame::new(buf, InterfaceId(0)));
        if dropped {
            cx.dropped("tcp", "checksum wrong");
        }
    };
    let checksum = ChecksumState::Partial { start: 34, field: 16 };
    cross(&syn(0), Direction::Outbound, None, false);
    cross(&syn(1), Direction::Inbound, None, false);
    cross(&up, Direction::Outbound, Some(Offload { checksum, segment_size: Some(1_000) }), false);
    cross(&damaged, Direction::Inbound, None, true);
    cross(&down, Direction::Inbound, None, false);
    recorder.into_trace()
}

#[test]
fn a_super_frame_is_as_many_as_are_on_the_wire() {
    let dissection = Dissection::of_trace(&run(), "me", Limits::default());
    assert_eq!((dissection.origin(), dissection.len()), (Origin::Run, 8));
    let events: Vec<_> = dissection.frames().map(|frame| frame.event().unwrap()).collect();
    assert_eq!(events, [0, 1, 2, 2, 2, 2, 3, 5], "event 4 is the drop");
    let connection = dissection.connections().next().unwrap();
    let client = connection.stream(Side::Client);
    assert_eq!(client.pieces().map(|piece| piece.frame()).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert!(client.pieces().all(|piece| !piece.is_doubtful()), "the device writes the checksums");
    let message = &client.messages()[0];
    let body = dissection.frames_of(&client.place(&message.body[0]));
    assert_eq!(
        body.iter().map(|carrier| carrier.at.space).collect::<Vec<_>>(),
        (3..=6).map(Space::Frame).collect::<Vec<_>>()
    );
}

#[test]
fn what_a_layer_refused_is_known_and_brought_nothing() {
    let dissection = Dissection::of_trace(&run(), "me", Limits::default());
    let refused: Vec<_> = dissection.frames().map(|frame| frame.refused()).collect();
    assert_eq!(refused.iter().flatten().count(), 1);
    assert_eq!(refused[6], Some(Refused { layer: "tcp", reason: "checksum wrong" }));
    assert_eq!(dissection.frame(7).unwrap().comments(), ["tcp dropped this: checksum wrong"]);
    let connection = dissection.connections().next().unwrap();
    let server = connection.stream(Side::Server);
    assert_eq!(
        server.pieces().map(|piece| (piece.frame(), piece.is_doubtful())).collect::<Vec<_>>(),
        [(8, false)]
    );
}

#[test]
fn a_run_and_its_capture_are_taken_apart_alike() {
    let trace = run();
    let mut file = Vec::new();
    write_capture(&trace, "me", &mut file, &CaptureOptions::default()).unwrap();
    let run = Dissection::of_trace(&trace, "me", Limits::default());
    let capture = Dissection::of_capture(&file[..], "", Limits::default()).unwrap();
    assert_eq!(run.len(), capture.len());
    for (ours, captured) in run.frames().zip(capture.frames()) {
        assert_eq!(ours.bytes(), captured.bytes());
        assert_eq!(ours.direction(), captured.direction());
        assert_eq!(ours.layers(), captured.layers());
        assert!(
            captured.comments().ends_with(ours.comments()),
            "the capture says of super-frames that they are some"
        );
    }
    for side in Side::BOTH {
        let stream = |dissection: &Dissection| {
            let stream = dissection.connections().next().unwrap().stream(side);
            dissection.bytes(&Place::new(Space::Stream(stream.id()), 0..stream.length())).unwrap()
        };
        assert_eq!(stream(&run), stream(&capture));
    }
}

#[test]
fn a_host_that_is_not_there_has_no_frames() {
    assert!(Dissection::of_trace(&run(), "you", Limits::default()).is_empty());
}
