//! Scripts and captures, and what is told of those that are not as expected.

use framewise::core::checksum::Sum;
use framewise_replay::compare::Difference;
use framewise_replay::outcome::{Place, Wrong};
use framewise_replay::{Outcome, PlayError, Script, capture, script};

const HOST: &str = "\
host shop
mac 02:00:00:00:00:01
address 192.0.2.80/24
peer 02:00:00:00:00:02 192.0.2.20 40000
";

fn run(steps: &str) -> Outcome {
    let text = format!("{HOST}\n{steps}");
    script(&Script::read(&text).expect("a script")).expect("it can be played")
}

const OPEN: &str = "\
        listen 80
10ms  < tcp S win=65535 mss=1460
      > tcp SA seq=0 ack=1
+1ms  < tcp A
        hears opened
";

#[test]
fn a_script_that_is_followed_is_a_success() {
    let outcome = run(&format!("{OPEN}+1ms < tcp PA data=\"hi\"\n hears data \"hi\"\n+10ms > tcp A ack=3\n"));
    assert!(outcome.is_success(), "{outcome}");
    assert_eq!((outcome.injected, outcome.matched), (3, 2));
}

#[test]
fn a_field_with_another_value_is_told_with_what_it_means() {
    let outcome = run(&format!("{OPEN}+1ms < tcp PA data=\"hi\"\n+10ms > tcp A ack=9\n"));
    let failure = outcome.failure.as_ref().expect("3 is not 9");
    let Wrong::Different(Difference::Field { layer, field, expected, got, .. }) = &failure.wrong else {
        panic!("{outcome}");
    };
    assert_eq!((layer.as_str(), field.as_str()), ("TCP", "acknowledgment number"));
    assert_eq!((expected.value.as_str(), got.value.as_str()), ("9", "+3"));
    assert!(matches!(failure.place, Place::Line { line: 12, .. }), "{failure}");
    let told = outcome.to_string();
    assert!(told.contains("line 12: TCP, acknowledgment number: should have had 9, but was +3"), "{told}");
    assert!(told.contains("The sender has all of the other's stream before byte 3."), "{told}");
    assert_eq!(failure.before.len(), 6, "all steps before are told: {told}");
}

#[test]
fn a_segment_that_was_refused_is_the_reason() {
    let steps = format!("{OPEN}+1ms < tcp PA data=\"hi\" sum=wrong\n+10ms > tcp A ack=3\n");
    let outcome = run(&steps);
    let failure = outcome.failure.expect("nothing is acknowledged");
    assert!(matches!(failure.wrong, Wrong::Missing { .. }), "{failure}");
    assert!(
        failure.since[0].starts_with("the segment of line 11 was not taken: tcp, checksum wrong: "),
        "{failure}"
    );
    assert_eq!(failure.before[5].refused.as_deref(), Some("tcp, checksum wrong"));
}

#[test]
fn what_came_and_was_refused_is_called_by_its_line() {
    let told = |text: &str| {
        let outcome = script(&Script::read(text).expect("a script")).expect("it can be played");
        outcome.failure.expect("nothing is answered").since.join("\n")
    };
    let since = told(&format!("{HOST}10ms < ping sum=wrong\n > icmp type=0\n"));
    assert!(since.starts_with("what came in line 5 was not taken: ip, "), "{since}");
    // Nobody's answer may come from the address of a group.
    let group = HOST.replace("peer 02", "peer 03");
    let since = told(&format!("{group}connect 192.0.2.20:80\n > tcp S\n"));
    assert!(since.starts_with("what the player answered by itself was not taken: ethernet, "), "{since}");
}

#[test]
fn what_nobody_expected_is_wrong_too() {
    let outcome = run("10ms < ping\n+1s silence\n");
    assert!(matches!(outcome.failure.expect("it answers").wrong, Wrong::Unexpected { .. }));
    let outcome = run("10ms < ping\n");
    assert!(!outcome.is_success(), "the answer at the end is expected by nobody: {outcome}");
    let outcome = run("10ms < ping\n+1s < ping\n > icmp type=0\n > icmp type=0\n");
    assert!(!outcome.is_success(), "nothing may be left before the next frame comes: {outcome}");
}

#[test]
fn another_frame_and_another_time_are_told() {
    let outcome = run("10ms < ping\n > tcp S\n");
    let wrong = outcome.failure.expect("it is no segment").wrong;
    assert!(matches!(wrong, Wrong::Different(Difference::Kind { .. })), "{wrong}");
    let outcome = run("10ms < ping\n+1s > icmp type=0\n");
    let wrong = outcome.failure.expect("it comes at once").wrong;
    assert_eq!(wrong.to_string(), "right, but should have been sent at 1010.000 ms, and was at 10.000 ms");
    let outcome = run("10ms < ping\n+1s..2s > icmp type=0\n");
    let wrong = outcome.failure.expect("it comes at once").wrong;
    assert_eq!(wrong.to_string(), "right, but should have been sent at 1010.000 ms, and was at 10.000 ms");
}

#[test]
fn what_the_application_hears_is_compared() {
    let outcome = run(&format!("{OPEN}+1ms < tcp PA data=\"hi\"\n hears data \"ho\"\n"));
    let told = outcome.to_string();
    assert!(told.contains("should have heard \"ho\", but heard \"hi\""), "{told}");
    let outcome = run(&format!("{OPEN} hears peer-closed\n"));
    assert!(outcome.to_string().contains("but heard nothing"), "{outcome}");
}

#[test]
fn what_is_heard_too_early_is_wrong() {
    let opened = OPEN.replace("        hears opened", "+5s hears opened");
    let outcome = run(&opened);
    let wrong = outcome.failure.expect("it is opened at once").wrong;
    let told =
        "the application should have heard that the connection is there at 5011.000 ms, and did at 11.000 ms";
    assert_eq!(wrong.to_string(), told);
    let outcome = run(&format!("times free\n{opened}"));
    assert!(outcome.is_success(), "{outcome}");
}

/// A step that hears something is at the time when it was heard, wherever its line stands.
#[test]
fn time_counts_from_what_was_heard() {
    let outcome = run(&format!(
        "{OPEN}+1ms < tcp PA data=\"hi\"\n+10ms > tcp A ack=3\n hears data \"hi\"\n+10ms silence\n"
    ));
    assert!(outcome.is_success(), "{outcome}");
    let late = "+1ms < tcp PA data=\"hi\"\n+5ms silence\n hears data \"hi\"\n+10ms > tcp A ack=3\n";
    let outcome = run(&format!("{OPEN}{late}"));
    assert!(outcome.is_success(), "the data came 5 ms before the silence was over: {outcome}");
}

#[test]
fn a_field_that_is_not_there_is_told() {
    let outcome = run("10ms < ping\n > icmp colour=green\n");
    let wrong = outcome.failure.expect("there is no such field").wrong;
    assert_eq!(wrong.to_string(), "ICMP, colour: should have been there, but is not");
}

/// A reset has ACK, too: where an acknowledgment is expected, it is another segment.
#[test]
fn control_bits_are_compared_as_a_whole() {
    let outcome = run("10ms < tcp S to-port=81\n > tcp A\n");
    let wrong = outcome.failure.expect("nobody listens there: it is a reset").wrong;
    assert_eq!(wrong.to_string(), "TCP, control bits: should have had ACK, but was ACK RST");
    for expected in ["RA", "control-bits=ACK-RST", "control-bits=\"rst ack\"", "control-bits=any"] {
        let outcome = run(&format!("10ms < tcp S to-port=81\n > tcp {expected}\n"));
        assert!(outcome.is_success(), "{expected}: {outcome}");
    }
}

/// What the host leaves to its device to cut counts as the frames that are on the wire.
#[test]
fn a_super_frame_is_as_many_frames_as_are_on_the_wire() {
    let text = format!("offload full\ncongestion none\n{OPEN}send 4000\n > tcp A seq=1 len=1460\n");
    let outcome = run(&format!("{text}+1ms < tcp A ack=4001\n+1s silence\n"));
    let failure = outcome.failure.as_ref().expect("two more were sent");
    assert!(matches!(failure.wrong, Wrong::Unexpected { .. }), "{outcome}");
    let rest = " > tcp A seq=1461 len=1460\n > tcp PA seq=2921 len=1080\n";
    let outcome = run(&format!("{text}{rest}+1ms < tcp A ack=4001\n+1s silence\n"));
    assert!(outcome.is_success(), "{outcome}");
}

#[test]
fn a_fetch_begins_when_the_one_before_is_done() {
    let outcome = run("
        10ms fetch http://192.0.2.20:40000/a
             > tcp S
        +1ms < tcp SA win=65535 mss=1460
             > http request-target=/a
        then fetch http://192.0.2.20:40000/b
        +1ms < tcp PA data=\"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi\"
             > http request-target=/b
    ");
    assert!(outcome.is_success(), "{outcome}");
}

/// A datagram whose checksum comes out as zero has its other form, for zero says that there is none (RFC 768).
#[test]
fn a_datagram_always_has_a_checksum() {
    let [peer, host] = ["2001:db8:1::20", "2001:db8:1::80"].map(|text| text.parse().expect("an address"));
    let mut sum = Sum::default();
    sum.add_pseudo_header(peer, host, 17, 10);
    [40_000, 7, 10].into_iter().for_each(|word| sum.add_u16(word));
    let [a, b] = sum.checksum().to_be_bytes();
    let text = HOST.replace("192.0.2.80/24", &format!("{host}/64")).replace("192.0.2.20", &peer.to_string());
    let steps = format!("10ms < udp to-port=7 data=\"\\x{a:02x}\\x{b:02x}\"\n > icmpv6 type=1 code=4\n");
    let outcome =
        script(&Script::read(&format!("{text}{steps}")).expect("a script")).expect("it can be played");
    assert!(outcome.is_success(), "in IPv6 every datagram has one: {outcome}");
}

#[test]
fn a_segment_to_no_port_can_not_be_made() {
    let text = format!("{HOST}\n10ms < tcp S\n");
    let error = script(&Script::read(&text).expect("a script")).expect_err("nobody listens, none has sent");
    assert!(matches!(error, PlayError::Step { line: 6, .. }), "{error}");
}

const CAPTURE: &[u8] = include_bytes!("../../../pcaps/https.pcapng");
const SIDECAR: &str = include_str!("../../../pcaps/https.replay");

fn replayed(change: impl Fn(&str) -> String) -> Outcome {
    let sidecar = Script::read(&change(SIDECAR)).expect("a sidecar");
    capture(CAPTURE, &sidecar).expect("it can be played")
}

#[test]
fn a_capture_is_played_byte_for_byte() {
    let outcome = replayed(str::to_owned);
    assert!(outcome.is_success(), "{outcome}");
    assert_eq!((outcome.injected, outcome.matched), (6, 7));
}

#[test]
fn the_first_frame_that_differs_is_told() {
    let outcome = replayed(|sidecar| sidecar.replace("window 65536", "window 4096"));
    let failure = outcome.failure.expect("the window is another");
    assert_eq!(failure.place, Place::Frame(7));
    assert_eq!(failure.wrong.to_string(), "TCP, window: should have had 65535, but was 4096");
    assert_eq!(failure.before.len(), 6);
}

#[test]
fn fields_that_are_not_compared_may_differ() {
    let narrow = |sidecar: &str| {
        let sidecar = sidecar.replace("window 65536", "window 4096");
        sidecar.replace("offload none", "offload none\ncompare everything except TCP/window chance")
    };
    let outcome = replayed(narrow);
    assert!(outcome.is_success(), "{outcome}");
}

/// Without TLS another seed only draws other numbers: the peer's are translated into those of the live host.
#[test]
fn another_seed_is_the_same_conversation() {
    let capture_of = include_bytes!("../../../pcaps/form.pcapng");
    let sidecar = include_str!("../../../pcaps/form.replay").replace("seed 1", "seed 7");
    let wrong = capture(capture_of, &Script::read(&sidecar).expect("a sidecar")).expect("it can be played");
    assert!(!wrong.is_success(), "the numbers are others");
    let sidecar = sidecar.replace("nagle no", "nagle no\ncompare everything except chance");
    let outcome = capture(capture_of, &Script::read(&sidecar).expect("a sidecar")).expect("it can be played");
    assert!(outcome.is_success(), "{outcome}");
}

/// What an error quotes is the host's own segment: it speaks of the numbers of now, in both versions of IP.
#[test]
fn what_an_error_quotes_is_translated() {
    for (capture_of, sidecar) in [
        (
            &include_bytes!("../../../pcaps/path-mtu.pcapng")[..],
            include_str!("../../../pcaps/path-mtu.replay"),
        ),
        (include_bytes!("../../../pcaps/path-mtu6.pcapng"), include_str!("../../../pcaps/path-mtu6.replay")),
    ] {
        let sidecar = format!("seed 9\ncompare everything except chance\n{sidecar}");
        let outcome =
            capture(capture_of, &Script::read(&sidecar).expect("a sidecar")).expect("it can be played");
        assert!(outcome.is_success(), "{outcome}");
    }
}

#[test]
fn a_sidecar_has_no_frames_of_its_own() {
    let sidecar = Script::read(&format!("{SIDECAR}\n1s < ping\n")).expect("as a script it can be read");
    assert!(matches!(capture(CAPTURE, &sidecar), Err(PlayError::Steps { .. })));
}

#[test]
fn a_capture_of_nothing_is_no_test() {
    let other = SIDECAR.replace("world me", "host me\nmac 02:00:00:00:00:77\naddress 192.0.2.77/24");
    let sidecar = Script::read(&other).expect("a sidecar");
    assert!(matches!(capture(CAPTURE, &sidecar), Err(PlayError::Nothing { .. })));
    let nowhere = SIDECAR.replace("nagle no", "nagle no\ncompare TCP/windw");
    let error =
        capture(CAPTURE, &Script::read(&nowhere).expect("a sidecar")).expect_err("there is no such field");
    assert!(error.to_string().contains("has TCP/windw, which is to be compared"), "{error}");
}

#[test]
fn a_frame_of_the_capture_that_is_refused_is_the_reason() {
    let mut file = include_bytes!("../../../pcaps/form.pcapng").to_vec();
    let answer = file.windows(12).position(|bytes| bytes == b"HTTP/1.1 200").expect("the answer is in it");
    file[answer] ^= 1;
    let sidecar = Script::read(include_str!("../../../pcaps/form.replay")).expect("a sidecar");
    let outcome = capture(&file, &sidecar).expect("it can be played");
    let failure = outcome.failure.expect("the answer is not taken, so it is not acknowledged");
    assert!(matches!(failure.wrong, Wrong::Missing { .. }), "{failure}");
    assert!(
        failure.since[0].starts_with("the segment of frame 10 was not taken: tcp, checksum wrong: "),
        "{failure}"
    );
}
