//! What a user of `framewise explain` sees: of a run in memory, of a capture, of what is neither.

use std::path::PathBuf;
use std::process::{Command, Output};

fn explain(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.arg("explain").args(args).env("NO_COLOR", "1");
    command.output().expect("the command can be run")
}

#[track_caller]
fn said(args: &[&str]) -> String {
    let output = explain(args);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?} ended with {:?}:\n{complaint}", output.status.code());
    let text = String::from_utf8(output.stdout).expect("text");
    // A command to try next is as long as the name of the file in it.
    let lines = text.lines().filter(|line| !line.contains("framewise explain"));
    let wide = lines.map(str::to_owned).find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{args:?} needs more than 80 columns");
    text
}

#[track_caller]
fn fails(args: &[&str], sentence: &str, next: &str) {
    let output = explain(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} should have failed");
    assert!(said.contains(sentence), "{args:?} should have said {sentence:?}, but said:\n{said}");
    assert!(said.contains(next), "{args:?} should have said to try {next:?}, but said:\n{said}");
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../pcaps").join(name);
    path.to_str().expect("a path in text").to_owned()
}

#[test]
fn a_run_and_its_capture_are_explained_alike() {
    let run = said(&["https://shop.test/"]);
    let capture = said(&[&fixture("https.pcapng")]);
    let without_next = |text: &str| text.split("Next:").next().map(str::to_owned);
    assert_eq!(without_next(&run), without_next(&capture));
    for part in
        ["ARP       who has 192.0.2.1?", "TLS   TLS 1.3, TLS_AES_256_GCM_SHA384, shop.test", "HTTP  GET /"]
    {
        assert!(run.contains(part), "{part:?} is not in:\n{run}");
    }
}

#[test]
fn how_layers_stand_and_what_went_wrong_are_told() {
    let state = said(&["https://shop.test/", "--frame", "7", "--state"]);
    for part in ["* state           SYN-SENT", "?state           LISTEN", "192.0.2.1 is at 02:00:00:00:00:01"]
    {
        assert!(state.contains(part), "{part:?} is not in:\n{state}");
    }
    fails(&["https://shop.test/", "--state"], "--state tells how things stand after one frame", "--frame 11");
    let frame = said(&["https://shop.test/", "--frame", "11", "--", "--drop", "11"]);
    for part in [
        "happened  It was lost on the way.",
        "noticed   Nobody but",
        "caused    Frame 14 brings the same again",
    ] {
        assert!(frame.contains(part), "{part:?} is not in:\n{frame}");
    }
    let all = said(&["https://shop.test/", "--", "--flip", "11"]);
    assert!(all.contains("At shop.test tcp refused it:"), "{all}");
    let never = said(&["https://shop.test/", "--", "--drop", "12"]);
    assert!(never.contains("A frame of 412 bytes to this host was lost on the way."), "{never}");
    let healthy = said(&["https://shop.test/"]);
    assert!(!healthy.contains("went wrong"), "{healthy}");
    let json = explain(&["https://shop.test/", "--frame", "14", "--state", "--json", "--", "--drop", "11"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    let frame = &json["frames"][0];
    assert_eq!(frame["unusual"][0]["name"], "retransmission");
    assert_eq!(frame["unusual"][0]["frame"], 11);
    assert!(frame["state"].as_array().is_some_and(|states| states.len() >= 5), "{frame}");
}

#[test]
fn a_trace_is_read_like_a_capture_and_tells_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.pcapng");
    let name = file.to_str().expect("a plain name");
    let fetch = ["fetch", "-q", "https://shop.test/", "--trace", name, "--drop", "12"];
    let fetched = Command::new(env!("CARGO_BIN_EXE_framewise")).args(fetch).output().expect("it can be run");
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let without_next = |text: &str| text.split("Next:").next().map(str::to_owned);
    let run = said(&["https://shop.test/", "--", "--drop", "12"]);
    assert_eq!(without_next(&said(&[name])), without_next(&run), "the file tells what the run does");
    let mut figure = Command::new(env!("CARGO_BIN_EXE_framewise"));
    let svg = folder.path().join("ladder.svg");
    figure.args(["figure", name, "--kind", "ladder", "-o"]).arg(&svg);
    assert!(figure.output().expect("it can be run").status.success());
    assert!(std::fs::read_to_string(svg).expect("a figure").contains("<svg"));
}

#[test]
fn each_option_opens_more() {
    let frame = said(&["https://shop.test/", "--frame", "11"]);
    assert!(frame.starts_with("Frame 11 of 13: 191 bytes, sent at 44.025 ms\n"), "{frame}");
    for layer in ["Ethernet     14 B", "IPv4         20 B", "TCP          20 B", "HTTP         35 B"] {
        assert!(frame.contains(layer), "{layer:?} is not in:\n{frame}");
    }
    assert!(frame.lines().count() <= 40, "a frame fits a screen:\n{frame}");
    let layer = said(&["https://shop.test/", "--frame", "11", "--layer", "tcp"]);
    assert!(layer.contains("\n  destination port  443 "), "{layer}");
    assert!(layer.contains("\n    ACK  1 "), "a part of the control bits stands further in:\n{layer}");
    let field = said(&["https://shop.test/", "--field", "time to live"]);
    assert_eq!(field.matches("\n  time to live  ").count(), 11, "each packet has one:\n{field}");
    let both = said(&["https://shop.test/", "--layer", "ip", "--field", "protocol", "--frame", "3"]);
    assert!(both.contains("The payload goes to UDP next."), "{both}");
}

#[test]
fn a_byte_of_a_page_is_found_in_frames_and_back() {
    let down = said(&["https://shop.test/", "--find", "<h1>"]);
    let last = down.lines().last().expect("a line").trim();
    assert_eq!(last, "bytes 307 to 310 of frame 12", "{down}");
    let up = said(&["https://shop.test/", "--frame", "12", "--byte", "307"]);
    assert!(up.contains("TLS       byte 968 of the stream"), "{up}");
    assert!(up.contains("HTTP      byte 64 of what TLS was given to carry"), "{up}");
    let header = said(&["https://shop.test/", "--frame", "12", "--byte", "30"]);
    assert!(header.contains("destination address  192.0.2.10"), "{header}");
}

#[test]
fn what_was_sent_again_is_said_to_be() {
    let run = said(&["https://shop.test/", "--", "--drop", "11"]);
    assert!(run.contains("HTTP      again: GET / from shop.test"), "{run}");
    let down = said(&["https://shop.test/", "--find", "GET /", "--", "--drop", "11"]);
    assert!(down.contains("of frame 11\n") && down.contains("once more"), "{down}");
    assert!(down.contains("of frame 14"), "{down}");
}

#[test]
fn json_says_the_same() {
    let text = explain(&["https://shop.test/", "--frame", "11", "--layer", "tcp", "--json"]).stdout;
    let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!((&value["format"], &value["version"]), (&"framewise-explain".into(), &1.into()));
    let layer = &value["frames"][0]["layers"][0];
    assert_eq!(layer["protocol"], "TCP");
    let fields = layer["fields"].as_array().expect("fields");
    let port = fields.iter().find(|field| field["name"] == "destination port").expect("the port");
    assert_eq!((&port["value"], &port["bytes"]), (&"443".into(), &serde_json::json!([36, 38])));
    assert!(port["meaning"].as_str().is_some_and(|meaning| meaning.ends_with('.')));
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    fails(&["run.pcapng"], "run.pcapng is not there", "framewise fetch https://shop.test/ -w run.pcapng");
    fails(&[&fixture("README.md")], "can't be read", "a pcap or pcapng file");
    fails(&["https://example.com/"], "in the real world", "framewise explain run.pcapng");
    fails(&["https://shop.test/", "--frame", "99"], "there is no frame 99: there are frames 1 to 13", "");
    fails(&["https://shop.test/", "--frame", "11", "--byte", "200"], "frame 11 has bytes 0 to 190", "");
    fails(&["https://shop.test/", "--layer", "ospf"], "no layer \"ospf\" in any frame", "ethernet, arp");
    fails(
        &["https://shop.test/", "--layer", "arp", "--field", "ttl"],
        "no field \"ttl\"",
        "sender hardware address",
    );
    fails(&["https://shop.test/", "--find", "coffee"], "\"coffee\" is in no message", "--keylog");
    fails(&["https://shop.test/", "--", "--nonsense"], "--nonsense", "");
}

/// A capture that breaks off is explained up to there.
#[test]
fn a_damaged_capture_is_explained_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.pcapng");
    let whole = std::fs::read(fixture("http.pcapng")).expect("the fixture");
    std::fs::write(&file, &whole[..whole.len() - 90]).expect("a file");
    let text = said(&[file.to_str().expect("a path in text")]);
    assert!(text.contains("GET /"), "{text}");
    assert!(text.contains("The capture breaks off here: "), "{text}");
}
