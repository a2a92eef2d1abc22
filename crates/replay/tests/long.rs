//! Captures over a long time, and runs that wait for long or would never end.

use std::time::Duration;

use framewise_replay::{Outcome, PlayError, Script, capture, script};
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

/// A capture that ends with an acknowledgment that waited, and a host that waits longer.
#[test]
fn what_may_be_sent_at_any_time_is_waited_for() {
    let mut frames = frames(include_bytes!("../../../pcaps/delayed-ack.pcapng"));
    frames.truncate(7);
    let later = |times: &str, delay: &str| {
        let pins = "window 65536\nnagle no\n";
        let sidecar = format!("{HOST}{pins}delayed-ack {delay}\ntimes {times}\nlisten 80\n");
        play(&frames, &sidecar).expect("it can be played")
    };
    for times in ["free", "200ms"] {
        let outcome = later(times, "60ms");
        assert!(outcome.is_success(), "{times}: {outcome}");
    }
    let wrong = later("5ms", "60ms").failure.expect("it is too late").wrong;
    assert!(wrong.to_string().ends_with(", but nothing was sent up to 27.000 ms"), "{wrong}");
    let wrong = later("free", "2min").failure.expect("nobody waits for so long").wrong;
    assert!(wrong.to_string().ends_with(", but nothing was sent up to 60022.000 ms"), "{wrong}");
}

#[test]
fn what_a_script_expects_at_any_time_is_waited_for() {
    let steps = "
        delayed-ack 200ms
        times free
        peer 02:00:00:00:00:02 192.0.2.20 40000
        listen 80
        10ms < tcp S win=65535 mss=1460
             > tcp SA
        +1ms < tcp A
        +1ms < tcp PA data=\"hi\"
             > tcp A ack=3
             hears opened
             hears data \"hi\"";
    let outcome =
        script(&Script::read(&format!("{HOST}{steps}")).expect("a script")).expect("it can be played");
    assert!(outcome.is_success(), "{outcome}");
}
