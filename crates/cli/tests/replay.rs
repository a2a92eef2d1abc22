//! `framewise replay`, as a user runs it: exit codes, what is said, and what is written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn replay(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_framewise");
    Command::new(program).arg("replay").args(arguments).output().expect("the command can be run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps").join(name).display().to_string()
}

/// A file in a folder of its own.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a temporary folder can be written to");
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

const PING: &str = "host h\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\npeer 02:00:00:00:00:02 192.0.2.20\n\n10ms < ping\n> icmp type=";

#[test]
fn what_is_as_expected_ends_with_0() {
    let output = replay(&[&fixture("http.pcapng")]);
    assert_eq!(output.status.code(), Some(0));
    let said = "As expected: 5 frames came, and the host sent the right 6.\n";
    assert_eq!(text(&output.stdout), said);
    let output = replay(&["-q", &fixture("http.pcapng"), &fixture("scripts/ping.script")]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""));
}

#[test]
fn what_is_not_ends_with_9_and_says_what_to_look_at() {
    let folder = folder();
    let script = file(&folder, "wrong.script", &format!("{PING}3\n"));
    let output = replay(&[script.to_str().expect("a plain path"), &fixture("scripts/ping.script")]);
    assert_eq!(output.status.code(), Some(9));
    assert!(text(&output.stdout).contains("line 7: ICMP, type: should have had 3, but was 0"));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("in 1 of 2 files the host did something else than was expected"),
        "{complaint}"
    );
    assert!(complaint.contains("try: framewise replay"), "{complaint}");
}

#[test]
fn what_can_not_be_played_has_its_own_codes() {
    let folder = folder();
    let script = file(&folder, "bad.script", "host h\nwidow 1\n");
    let output = replay(&[script.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("bad.script: line 2, column 1: there is no setting `widow`"));

    let capture = folder.path().join("alone.pcapng");
    std::fs::copy(fixture("http.pcapng"), &capture).expect("it can be copied");
    let output = replay(&[capture.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("alone.replay, which says which side is the live host"));

    for (name, bytes, told) in [
        ("junk.pcapng", &b"\xc6junk"[..], "the capture can't be read: this is neither pcapng nor pcap"),
        ("empty.pcapng", b"", "the capture can't be read: the file ends within the beginning"),
        ("junk", b"host h\n\xc6", "junk is neither a capture nor text: what stands at byte 7 is no UTF-8"),
    ] {
        let junk = folder.path().join(name);
        std::fs::write(&junk, bytes).expect("a temporary folder can be written to");
        let output = replay(&[junk.to_str().expect("a plain path")]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
    }

    assert_eq!(replay(&["no-such-file"]).status.code(), Some(1));
    assert_eq!(replay(&["--with", "x", "a", "b"]).status.code(), Some(2));
}

/// What comes from another program comes once.
#[test]
#[cfg(unix)]
fn a_script_may_come_through_a_pipe() {
    use std::io::Write;
    use std::process::Stdio;

    let program = env!("CARGO_BIN_EXE_framewise");
    let mut command = Command::new(program);
    command.args(["replay", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    let mut input = child.stdin.take().expect("it is piped");
    writeln!(input, "{PING}0").expect("the command reads it");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(text(&output.stdout).starts_with("As expected: "), "{}", text(&output.stdout));
}

#[test]
fn json_tells_the_difference_in_parts() {
    let folder = folder();
    let narrow = std::fs::read_to_string(fixture("https.replay")).expect("the fixture has a sidecar");
    let sidecar = file(&folder, "narrow.replay", &narrow.replace("window 65536", "window 4096"));
    let sidecar = sidecar.to_str().expect("a plain path");
    let output = replay(&["--json", "--with", sidecar, &fixture("https.pcapng")]);
    assert_eq!(output.status.code(), Some(9));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let failure = &json[0]["failure"];
    assert_eq!((json[0]["kind"].as_str(), json[0]["as_expected"].as_bool()), (Some("capture"), Some(false)));
    assert_eq!((failure["place"].as_str(), failure["number"].as_u64()), (Some("frame"), Some(7)));
    assert_eq!(failure["wrong"]["layer"], "TCP");
    assert_eq!(failure["wrong"]["field"], "window");
    assert_eq!(
        (failure["wrong"]["expected"].as_str(), failure["wrong"]["got"].as_str()),
        (Some("65535"), Some("4096"))
    );
    assert_eq!(failure["before"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_script_is_written_as_a_capture_that_can_be_played() {
    let folder = folder();
    let script = file(&folder, "ping.script", &format!("{PING}0\n"));
    let capture = folder.path().join("ping.pcapng");
    let [script, capture] = [&script, &capture].map(|path| path.to_str().expect("a plain path"));
    assert_eq!(replay(&[script, "-q", "-w", capture]).status.code(), Some(0));
    let output = replay(&[capture]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let output = replay(&[capture, "-w", capture]);
    assert_eq!(output.status.code(), Some(2), "a capture is one already");
}
