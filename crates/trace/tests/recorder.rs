//! What a recording holds, how little, and what it says when it is full.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use framewise_core::buf::{InterfaceId, NextHop};
use framewise_core::id::{ConnId, Opener};
use framewise_core::message::Subject;
use framewise_core::seams::frame::Frame;
use framewise_core::seams::packet::{Packet, PacketDown, PacketUp};
use framewise_core::seams::segment::{Segment, SegmentDown, SegmentUp};
use framewise_core::seams::stream::StreamUp;
use framewise_core::seams::{Frames, Packets, Segments, Streams};
use framewise_core::{Buf, Counters, Cx, Direction, Instant, Observer};
use framewise_trace::{Crossing, Event, Limits, Recorder, Stopped, Trace};

const NOWHERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
const ETHERNET: [u8; 14] = [1; 14];
const IP: [u8; 20] = [2; 20];
const SEGMENT: &[u8] = b"TCP header, then the payload";
const PAYLOAD: &[u8] = b"the payload";

fn observe(recorder: &mut Recorder, at: u64, say: impl FnOnce(&mut Cx)) {
    let mut counters = Counters::default();
    let mut cx = Cx::observed(Instant::from_millis(at), &mut counters, recorder);
    say(&mut cx);
}

/// A segment on its way down to the device, a header in front at each seam.
fn send(recorder: &mut Recorder, at: u64) {
    observe(recorder, at, |cx| {
        let down = Direction::Outbound;
        let segment = Segment::new(Buf::copy_from_slice(SEGMENT), NOWHERE, NOWHERE, 6);
        let segment = SegmentDown::Segment(segment);
        cx.crossed::<Segments>("tcp", "ip", down, &segment);
        let SegmentDown::Segment(Segment(mut buf)) = segment else {
            return;
        };
        buf.prepend(20).copy_from_slice(&IP);
        let packet = PacketDown::Packet(Packet::new(buf, InterfaceId(1), NextHop::Broadcast));
        cx.crossed::<Packets>("ip", "ethernet", down, &packet);
        let PacketDown::Packet(Packet(mut buf)) = packet else {
            return;
        };
        buf.prepend(14).copy_from_slice(&ETHERNET);
        let frame = Frame::new(buf, InterfaceId(1));
        cx.crossed::<Frames>("ethernet", "device", down, &frame);
    });
}

/// A frame with padding that comes twice; the second goes up to a stream.
fn receive(recorder: &mut Recorder, at: u64) {
    observe(recorder, at, |cx| {
        let up = Direction::Inbound;
        let bytes = [&ETHERNET[..], &IP, SEGMENT, &[0; 6]].concat();
        let mut frame = Frame::new(Buf::copy_from_slice(&bytes), InterfaceId(0));
        cx.crossed::<Frames>("ethernet", "device", up, &frame.clone());
        cx.crossed::<Frames>("ethernet", "device", up, &frame);
        frame.advance(14);
        let length = frame.len() - 6;
        frame.truncate(length);
        let packet = PacketUp::Packet(Packet(frame.0));
        cx.crossed::<Packets>("ip", "ethernet", up, &packet);
        let PacketUp::Packet(Packet(mut buf)) = packet else {
            return;
        };
        buf.advance(20);
        let segment = SegmentUp::Segment(Segment(buf));
        cx.crossed::<Segments>("tcp", "ip", up, &segment);
        let data =
            StreamUp::Data { conn: ConnId::new(Opener::Upper, 0, 0), data: Bytes::from_static(PAYLOAD) };
        cx.crossed::<Streams>("http", "tcp", up, &data);
    });
}

fn bytes_by_seam(trace: &Trace) -> Vec<(&'static str, Vec<u8>)> {
    trace.crossings().map(|crossing| (crossing.seam, trace.bytes(crossing).to_vec())).collect()
}

#[test]
fn going_down_each_byte_is_held_once() {
    let mut recorder = Recorder::new();
    recorder.host("me");
    send(&mut recorder, 0);
    send(&mut recorder, 1);
    let trace = recorder.into_trace();
    let packet = [&IP[..], SEGMENT].concat();
    let frame = [&ETHERNET[..], &packet].concat();
    let once = [("segment", SEGMENT.to_vec()), ("packet", packet), ("frame", frame.clone())];
    assert_eq!(bytes_by_seam(&trace)[..3], once);
    assert_eq!(bytes_by_seam(&trace)[3..], once);
    // The second is the same as the first, so that even it is held once.
    assert!(trace.all_bytes().len() <= 2 * frame.len());
    let crossings: Vec<&Crossing> = trace.crossings().collect();
    assert!(crossings[2].range.start < crossings[1].range.start);
    assert_eq!(crossings[2].range.end, crossings[0].range.end);
    assert_eq!(crossings[0].subject, Subject::Buffer(0), "numbered anew");
    assert_eq!(crossings[3].subject, Subject::Buffer(1));
}

#[test]
fn going_up_each_byte_is_held_once_though_padding_is_cut_off() {
    let mut recorder = Recorder::new();
    recorder.host("me");
    receive(&mut recorder, 0);
    let trace = recorder.into_trace();
    let crossings: Vec<&Crossing> = trace.crossings().collect();
    let frame = crossings[1].range.clone();
    for (crossing, expected) in
        crossings[2..].iter().zip([&[&IP[..], SEGMENT].concat()[..], SEGMENT, PAYLOAD])
    {
        assert_eq!(trace.bytes(crossing), expected, "at the {} seam", crossing.seam);
    }
    for crossing in &crossings[2..4] {
        let within = frame.start <= crossing.range.start && crossing.range.end <= frame.end;
        assert!(within, "{:?} lies within the frame's {frame:?}", crossing.range);
    }
}

#[test]
fn what_a_layer_changes_on_the_way_is_held_as_it_crossed() {
    let mut recorder = Recorder::new();
    observe(&mut recorder, 0, |cx| {
        let mut frame = Frame::new(Buf::copy_from_slice(b"before"), InterfaceId(0));
        cx.crossed::<Frames>("ethernet", "device", Direction::Inbound, &frame);
        frame.copy_from_slice(b"after!");
        cx.crossed::<Frames>("ethernet", "device", Direction::Outbound, &frame);
    });
    let trace = recorder.into_trace();
    let bytes: Vec<&[u8]> = trace.crossings().map(|crossing| trace.bytes(crossing)).collect();
    assert_eq!(bytes, [b"before", b"after!"]);
}

#[test]
fn everything_is_in_order_with_its_time_and_host() {
    let mut recorder = Recorder::new();
    for (at, host) in [(1, "me"), (2, "shop.test"), (3, "me")] {
        recorder.host(host);
        send(&mut recorder, at);
        observe(&mut recorder, at, |cx| {
            cx.note("tcp", "connected", || "connected".to_owned());
            cx.dropped("ip", "header checksum wrong");
            cx.secret("CLIENT_RANDOM 00 11");
        });
    }
    let trace = recorder.into_trace();
    assert_eq!(trace.hosts(), ["me", "shop.test"]);
    assert_eq!((trace.notes().count(), trace.drops().count(), trace.secrets().count()), (3, 3, 3));
    assert_eq!(trace.key_log(), "CLIENT_RANDOM 00 11\n", "both ends tell the same");
    let frames: Vec<u64> = trace.frames("me").map(|frame| frame.now.as_millis()).collect();
    assert_eq!(frames, [1, 3]);
    assert_eq!(trace.frames("nobody").count(), 0);
    assert_eq!(trace.frames("me").next().unwrap().interface, Some(InterfaceId(1)));
    let Event::Crossing(first) = &trace.events()[0] else { panic!("a crossing comes first") };
    assert_eq!((first.upper, first.lower, first.direction), ("tcp", "ip", Direction::Outbound));
    assert_eq!(first.summary, "TCP segment of 28 bytes, 0.0.0.0 to 0.0.0.0");
}

#[test]
fn a_secret_is_not_printed_by_accident() {
    let mut recorder = Recorder::new();
    observe(&mut recorder, 0, |cx| cx.secret("CLIENT_RANDOM 00 11"));
    assert!(!format!("{:?}", recorder.into_trace()).contains("CLIENT_RANDOM"));
}

#[test]
fn a_full_recording_stops_and_says_so() {
    let mut events = Recorder::with_limits(Limits { events: 4, bytes: 10_000 });
    send(&mut events, 1);
    send(&mut events, 2);
    let trace = events.into_trace();
    assert_eq!(trace.events().len(), 4);
    assert_eq!(trace.stopped(), Some((Instant::from_millis(2), Stopped::Events(4))));

    let mut bytes = Recorder::with_limits(Limits { events: 100, bytes: SEGMENT.len() + 20 });
    send(&mut bytes, 1);
    send(&mut bytes, 2);
    let trace = bytes.into_trace();
    assert_eq!(trace.crossings().count(), 2, "the frame's header found no room");
    assert_eq!(trace.stopped(), Some((Instant::from_millis(1), Stopped::Bytes(SEGMENT.len() + 20))));
}

#[test]
fn json_says_its_format_and_keeps_secrets_unless_asked() {
    let mut recorder = Recorder::new();
    recorder.host("me");
    send(&mut recorder, 7);
    observe(&mut recorder, 7, |cx| cx.secret("CLIENT_RANDOM 00 11"));
    let trace = recorder.into_trace();
    let json = |secrets| {
        let mut out = Vec::new();
        trace.write_json(&mut out, secrets).unwrap();
        serde_json::from_slice::<serde_json::Value>(&out).unwrap()
    };
    let without = json(false);
    assert_eq!((&without["format"], &without["version"]), (&"framewise-trace".into(), &1.into()));
    assert_eq!(without["hosts"][0], "me");
    assert_eq!(without["events"].as_array().unwrap().len(), 3);
    let frame = &without["events"][2];
    assert_eq!((&frame["kind"], &frame["seam"]), (&"crossing".into(), &"frame".into()));
    assert_eq!(frame["time_ns"], 7_000_000);
    assert_eq!(frame["range"], serde_json::json!([0, 62]));
    assert!(without["bytes"].as_str().unwrap().starts_with("0101"));
    assert_eq!(json(true)["events"][3]["line"], "CLIENT_RANDOM 00 11");
}
