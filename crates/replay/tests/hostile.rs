//! Scripts, sidecars and captures of any bytes: a typed error, or an outcome; never a panic, and never for ever.

use framewise_replay::{Script, capture, script};
use proptest::prelude::*;

const HOST: &str =
    "host h\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\npeer 02:00:00:00:00:02 192.0.2.20 40000\n";
const CAPTURE: &[u8] = include_bytes!("../../../pcaps/form.pcapng");
const SIDECAR: &str = include_str!("../../../pcaps/form.replay");

/// Words that scripts are made of, and some that they are not.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<",
        ">",
        "tcp",
        "S",
        "SA",
        "A",
        "PA",
        "FA",
        "R",
        "udp",
        "ping",
        "icmp",
        "arp",
        "request",
        "reply",
        "ns",
        "na",
        "frame",
        "again",
        "listen",
        "connect",
        "send",
        "close",
        "abort",
        "read",
        "silence",
        "hears",
        "opened",
        "data",
        "80",
        "192.0.2.20",
        "192.0.2.20:80",
        "2001:db8::1",
        "10ms",
        "+1ms",
        "+0..1s",
        "seq=1",
        "ack=4000000000",
        "win=0",
        "len=3000",
        "fragments=8",
        "order=2,1",
        "sum=wrong",
        "type=3",
        "code=4",
        "mtu=68",
        "data=\"x\"",
        "\"text\"",
        "ff",
        "0102",
        "from-port=7",
        "to-port=80",
        "sack=1-2,3-4",
        "ws=14",
        "mss=1",
        "any",
        "window",
        "mtu",
        "68",
        "#",
        "=",
        "\"",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn lines() -> impl Strategy<Value = String> {
    let line = prop::collection::vec(word(), 1..7).prop_map(|words| words.join(" "));
    prop::collection::vec(line, 1..8).prop_map(|lines| lines.join("\n"))
}

/// A line that can be read, whether it makes sense where it stands or not.
fn good_line() -> impl Strategy<Value = String> {
    let time = prop::sample::select(vec!["", "+1ms ", "+1s ", "+100s "]);
    let flags = prop::sample::select(vec!["S", "SA", "A", "PA", "FA", "R", "RA", "none", "SFRPAUEC"]);
    let segment = (flags, any::<u32>(), any::<u32>(), any::<u16>(), 0..3_000_usize, 0..3_u16).prop_map(
        |(flags, seq, ack, win, len, mss)| {
            format!("< tcp {flags} seq={} ack={} win={win} len={len} mss={mss} to-port=80", seq % 9, ack % 9)
        },
    );
    let whole = (any::<u32>(), 0..20_000_usize)
        .prop_map(|(seq, len)| format!("< tcp PA seq={seq} ack={seq} len={len} fragments=1024 to-port=80"));
    let other = prop::sample::select(vec![
        "listen 80",
        "connect 192.0.2.20:80",
        "send 5000",
        "send \"x\"",
        "read 100",
        "close",
        "abort",
        "< again",
        "< ping len=3000 fragments=8",
        "< ping len=60000 ttl=0",
        "< udp from-port=53 to-port=5 data=\"x\"",
        "< icmp type=3 code=4 mtu=0",
        "< icmp type=3 code=4 mtu=68",
        "< arp request 192.0.2.80",
        "< arp reply 192.0.2.80",
        "< arp announcement 192.0.2.20 mac=02:00:00:00:00:09",
        "< frame ff",
        "< frame 020000000001020000000002080045",
        "silence",
        "> any",
        "hears opened",
    ]);
    let step = prop_oneof![3 => segment, 1 => whole, 4 => other.prop_map(str::to_owned)];
    (time, step).prop_map(|(time, step)| format!("{time}{step}"))
}

fn good_lines() -> impl Strategy<Value = String> {
    prop::collection::vec(good_line(), 1..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text_is_a_script_or_an_error(text in "\\PC{0,200}(\n\\PC{0,40}){0,4}") {
        let _ = Script::read(&text);
    }

    #[test]
    fn words_in_any_order_are_a_script_or_an_error(text in lines()) {
        if let Ok(read) = Script::read(&format!("{HOST}{text}")) {
            let _ = script(&read);
        }
    }

    #[test]
    fn whatever_can_be_read_can_be_played(text in good_lines()) {
        let read = Script::read(&format!("{HOST}{text}"));
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let _ = script(&read);
    }

    #[test]
    fn a_damaged_capture_gives_an_outcome_or_an_error(
        changes in prop::collection::vec((0..CAPTURE.len(), any::<u8>()), 1..12),
        end in 0..=CAPTURE.len(),
    ) {
        let mut bytes = CAPTURE.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(end.max(CAPTURE.len() / 4));
        let sidecar = Script::read(SIDECAR).expect("a sidecar");
        let _ = capture(&bytes, &sidecar);
    }
}
