//! Captures over a long time, and runs that wait for long or would never end.

use std::time::Duration;

use framewise_replay::{Outcome, PlayError, Script, capture};
use framewise_trace::pcapng::SIMULATED_EPOCH;
use framewise_trace::{CaptureReader, Item};

const HOST: &str = "host shop\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\n";

/// A frame of a capture: when, since 1970, and its bytes.
type Frame = (Duration, Vec<u8>);

fn frames(file: &[u8]) -> Vec<Frame> {
    let mut reader = CaptureReader::new(file).expect("a capture");
    let mut frames = Vec::new();
    while let Some(item) = reader.next_item().expect("whole") {
        if let Item::Packet(packet) = item {
            frames.push((packet.time.expect("with times"), packet.bytes.to_vec()));
        }
    }
    frames
}

/// Frames as a file of pcap, with nanoseconds.
fn file(frames: &[Frame]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1]);
    for (time, bytes) in frames {
        let length = bytes.len() as u32;
        file.extend(words(&[time.as_secs() as u32, time.subsec_nanos(), length, length]));
        file.extend(bytes);
    }
    file
}

fn play(frames: &[Frame], sidecar: &str) -> Result<Outcome, PlayError> {
    capture(&file(frames), &Script::read(sidecar).expect("a sidecar"))
}

/// A host that asks each millisecond whether its peer lives, for 23 hours.
#[test]
fn a_run_that_would_go_on_and_on_is_stopped() {
    let mut frames = frames(include_bytes!("../../../pcaps/tcp-keep-alive.pcapng"));
    let (_, last) = frames.last().expect("it has frames").clone();
    frames.push((SIMULATED_EPOCH + Duration::from_secs(23 * 3_600), last));
    let sidecar = format!("{HOST}keep-alive 1ms\nuser-timeout 1440min\nlisten 80\n");
    assert!(matches!(play(&frames, &sidecar), Err(PlayError::TooMuch)));
}
