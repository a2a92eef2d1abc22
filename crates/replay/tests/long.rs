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

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Frames as a file of pcap, with nanoseconds.
fn file(frames: &[Frame]) -> Vec<u8> {
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

#[test]
fn a_frame_at_no_time_of_the_run_is_told_as_what_it_is() {
    let frames = frames(include_bytes!("../../../pcaps/ping.pcapng"));
    let sidecar = |more: &str| format!("{HOST}{more}\nlisten 80\n");
    let told = |frames: &[Frame], more: &str| {
        play(frames, &sidecar(more)).expect_err("a frame is at the wrong time").to_string()
    };
    let moved = |day: u32| {
        let later = Duration::from_secs(u64::from(day) * 24 * 3_600);
        frames.iter().map(|(time, bytes)| (*time + later, bytes.clone())).collect::<Vec<_>>()
    };
    let outside = "frame 1 was not seen in the 24 hours from the run's beginning; `start first-frame` begins with the capture";
    assert_eq!(told(&moved(2), ""), outside);
    assert_eq!(told(&moved(0), "start 1800000000000000000"), outside);
    let long = [moved(0), moved(2)].concat();
    let told = told(&long, "start first-frame");
    let number = frames.len() + 1;
    assert_eq!(
        told,
        format!(
            "frame {number} was seen more than 24 hours after the first; so long a capture is not played"
        )
    );
}

/// A simple packet block of pcapng has none.
#[test]
fn a_frame_without_a_time_is_told() {
    let section = words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
    let interface = words(&[1, 20, 1, 65_535, 20]);
    let packet = [words(&[3, 80, 64]), vec![0; 64], words(&[80])].concat();
    let file = [section, interface, packet].concat();
    let error = capture(&file, &Script::read(HOST).expect("a sidecar")).expect_err("it can't be played");
    assert_eq!(error.to_string(), "frame 1 has no time at which it could be sent");
}

/// Clocks are set back now and then.
#[test]
fn a_frame_seen_before_the_first_is_played_with_it() {
    let mut frames = frames(include_bytes!("../../../pcaps/ping.pcapng"));
    frames.truncate(2);
    frames[1].0 = frames[0].0 - Duration::from_secs(1);
    let outcome = play(&frames, &format!("{HOST}start first-frame\ntimes free\nlisten 80\n"))
        .expect("it can be played");
    assert!(outcome.is_success(), "{outcome}");
}
