//! What is said of a frame that brings only a part of a record or a message, or is refused.
#![allow(clippy::unwrap_used)]

mod craft;

use std::path::Path;

use craft::{Cut, ETHERNET, pcap, segment, syn};
use framewise_core::Direction;
use framewise_trace::dissect::{Layer, Limits, Place, Side, Space};
use framewise_trace::{CaptureReader, Dissection, Item};

/// A capture of both SYNs, the client's bytes at once, and the server's in pieces of `size`.
fn taken_apart(streams: &[Vec<u8>; 2], size: usize, keys: &str) -> Dissection {
    let mut frames = vec![syn(0), syn(1)];
    for (side, size) in [(0, streams[0].len()), (1, size)] {
        let ends = (0..streams[side].len()).step_by(size);
        frames.extend(ends.map(|at| {
            let length = size.min(streams[side].len() - at);
            segment(streams, Cut { side, at, length })
        }));
    }
    Dissection::of_capture(&*pcap(ETHERNET, &frames), keys, Limits::default()).unwrap()
}

fn layers(dissection: &Dissection, frame: usize, protocol: &str) -> Vec<Layer> {
    let layers = dissection.frame(frame).unwrap().layers().layers;
    layers.into_iter().filter(|layer| layer.description.protocol == protocol).collect()
}

/// A page of 1,000 bytes behind a head of 64.
fn page() -> [Vec<u8>; 2] {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 1000\r\n\r\n";
    [b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n".to_vec(), [head.as_bytes(), &[b'x'; 1_000]].concat()]
}

#[test]
fn a_message_begins_goes_on_and_ends() {
    let dissection = taken_apart(&page(), 400, "");
    let said = |frame: usize| {
        let layers = layers(&dissection, frame, "HTTP");
        assert_eq!(layers.len(), 1);
        let layer = &layers[0];
        let [decided, next] = [layer.decided(Direction::Inbound), &layer.description.next].map(str::to_owned);
        (decided, next, layer.envelope_here())
    };
    let head = page()[1].len() as u64 - 1_000;
    let begins = ("200 OK, text/css".to_owned(), format!("{} of 1000: you", 400 - head), (head, 0));
    assert_eq!(said(4), begins);
    let goes_on = ("goes on: bytes 400 to 799".to_owned(), format!("{} of 1000: you", 800 - head), (0, 0));
    assert_eq!(said(5), goes_on);
    let ends = format!("ends: bytes 800 to {}", page()[1].len() - 1);
    assert_eq!(said(6), (ends, "all 1000 came: you".to_owned(), (0, 0)));
    assert_eq!(dissection.frame(5).unwrap().summary(), "HTTP: goes on: bytes 400 to 799");
}

#[test]
fn a_head_in_two_pieces_waits_for_the_second() {
    let dissection = taken_apart(&page(), 40, "");
    let next = |frame: usize| layers(&dissection, frame, "HTTP")[0].description.next.clone();
    let head = page()[1].len() - 1_000;
    assert_eq!([next(4), next(5)], ["waits for the rest".to_owned(), format!("{} of 1000: you", 80 - head)]);
}

/// What the two sides of a capture of ours sent, and its secrets.
fn https() -> ([Vec<u8>; 2], String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps/https.pcapng");
    let bytes = std::fs::read(file).unwrap();
    let mut reader = CaptureReader::new(&*bytes).unwrap();
    let mut keys = String::new();
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::KeyLog(lines) = item {
            keys.push_str(lines);
        }
    }
    let dissection = Dissection::of_capture(&*bytes, "", Limits::default()).unwrap();
    let connection = dissection.connections().next().unwrap();
    let streams = Side::BOTH.map(|side| {
        let stream = connection.stream(side);
        dissection.bytes(&Place::new(Space::Stream(stream.id()), 0..stream.length())).unwrap()
    });
    (streams, keys)
}

/// Nobody can open a record before its end has come: the verdict is where that is, once for each record.
#[test]
fn the_verdict_on_a_record_stands_where_it_ends() {
    let (streams, keys) = https();
    let dissection = taken_apart(&streams, 50, &keys);
    let mut verdicts = 0;
    for frame in 3..=dissection.len() {
        for layer in layers(&dissection, frame, "TLS") {
            let said = layer.decided(Direction::Inbound);
            let waits = said.starts_with("begins: ") || said.starts_with("goes on: ");
            assert_eq!(waits, !layer.part().ends(), "{said}");
            assert_eq!(layer.description.next == "waits for the rest", waits);
            verdicts += usize::from(said == "tag right: not altered");
        }
    }
    let whole = taken_apart(&streams, 10_000, &keys);
    let at_once: Vec<Layer> = (3..=whole.len()).flat_map(|frame| layers(&whole, frame, "TLS")).collect();
    let is_right = |layer: &&Layer| layer.description.inbound == "tag right: not altered";
    assert_eq!(verdicts, at_once.iter().filter(is_right).count());
    assert!(verdicts > 3, "{verdicts}");
}

#[test]
fn in_a_damaged_frame_nobody_above_tcp_has_anything_to_say() {
    let streams = page();
    let mut frames =
        vec![syn(0), syn(1), segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() })];
    let good = segment(&streams, Cut { side: 1, at: 0, length: 500 });
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    frames.extend([damaged, good]);
    let dissection = Dissection::of_capture(&*pcap(ETHERNET, &frames), "", Limits::default()).unwrap();
    let frame = dissection.frame(4).unwrap();
    assert_eq!((frame.refused(), frame.refused_by()), (None, Some("tcp")));
    assert_eq!(frame.summary(), "TCP: next in order, sum wrong");
    let stack = frame.layers();
    let lost: Vec<_> = stack.layers.iter().map(|layer| (layer.description.protocol, layer.is_lost)).collect();
    assert_eq!(lost, [("Ethernet", false), ("IPv4", false), ("TCP", false), ("HTTP", true)]);
    assert_eq!(stack.layers[2].description.next, "nobody: refused here");
    assert_eq!(stack.layers[3].decided(Direction::Inbound), "never got this");
    let told = frame.consequences();
    assert_eq!(told[0].sentence, "Its TCP checksum is wrong: whoever gets it throws it away.");
    assert!(told[1].sentence.contains("Frame 5 brings the same again"), "{told:?}");
    assert_eq!(dissection.frame(5).unwrap().summary(), "HTTP: 200 OK, text/css");
}

/// Addresses are changed, and the sums with them: nobody has thrown away what is acknowledged.
#[test]
fn what_is_acknowledged_was_taken_whatever_its_sum_says_here() {
    let streams = page();
    let rewritten = |mut frame: Vec<u8>| {
        frame[50] ^= 1;
        frame
    };
    let mut answer = Vec::new();
    let number = craft::NUMBERS.map(|number| number.wrapping_add(1));
    let asked = number[0].wrapping_add(streams[0].len() as u32);
    craft::ethernet(1)
        .tcp(craft::SERVER_PORT, craft::CLIENT_PORT, number[1], 65_000)
        .ack(asked)
        .write(&mut answer, &streams[1][..500])
        .unwrap();
    let request = segment(&streams, Cut { side: 0, at: 0, length: streams[0].len() });
    let frames = [syn(0), syn(1), request.clone(), answer.clone()].map(rewritten);
    let dissection = Dissection::of_capture(&*pcap(ETHERNET, &frames), "", Limits::default()).unwrap();
    let taken: Vec<_> = dissection.frames().map(|frame| frame.segment().unwrap().taken_by()).collect();
    assert_eq!(taken, [Some(2), Some(3), Some(4), None], "nobody has acknowledged the last");
    let frame = dissection.frame(3).unwrap();
    assert_eq!((frame.refused_by(), frame.summary()), (None, "HTTP: GET / from a.test".to_owned()));
    let said = "wrong here, yet frame 4 acknowledges it: the capture was changed, or the sum is the device's affair.";
    assert_eq!(frame.taken_all_the_same().unwrap().sentence, format!("Its TCP checksum is {said}"));
    let stack = frame.layers();
    let sum = stack.layers[2].description.fields.iter().find(|field| field.name == "checksum").unwrap();
    assert_eq!(sum.meaning, said.replacen('w', "W", 1));
    let [_, ends] = dissection.frame(3).unwrap().ends().unwrap();
    let sent = ends.of(framewise_tcp::passive::Side::Client).next;
    assert_eq!(sent, Some(1 + streams[0].len() as u32), "it counts");
    // A better copy that came before the acknowledgment may be what was taken.
    let frames = [syn(0), syn(1), rewritten(request.clone()), request, answer];
    let dissection = Dissection::of_capture(&*pcap(ETHERNET, &frames), "", Limits::default()).unwrap();
    assert_eq!(dissection.frame(3).unwrap().refused_by(), Some("tcp"));
}
