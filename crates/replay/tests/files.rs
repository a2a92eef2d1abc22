//! Files that are played, and the capture and the sidecar that are made of a script.

use framewise_replay::{Played, Script, capture, file};

const HOST: &str = "\
host shop
mac 02:00:00:00:00:01
address 192.0.2.80/24
peer 02:00:00:00:00:02 192.0.2.20 40000
";

/// Plays a script out of a file.
fn played(steps: &str) -> Played {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("test.script");
    std::fs::write(&path, format!("{HOST}\n{steps}")).expect("it can be written to");
    file(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// Texts hold what would end a word elsewhere, and comments follow on any space.
#[test]
fn a_sidecar_says_what_the_script_says() {
    let open =
        "listen\t80\t# a server\n10ms < tcp S win=65535 mss=1460\n > tcp SA\n+1ms < tcp A\n hears opened\n";
    for sent in ["a #  b", "a   b", "a \\\" # b"] {
        let length = sent.replace('\\', "").len();
        let played = played(&format!("{open} send \"{sent}\"   # and so on\n > tcp PA len={length}\n"));
        assert!(played.outcome.is_success(), "{}", played.outcome);
        let (frames, sidecar) = played.made.expect("a script makes a capture");
        assert!(sidecar.contains("0ns listen 80\n"), "{sidecar}");
        assert!(sidecar.ends_with(&format!("ns send \"{sent}\"\n")), "{sidecar}");
        let sidecar = Script::read(&sidecar).unwrap_or_else(|error| panic!("{error}\n{sidecar}"));
        let outcome = capture(&frames, &sidecar).expect("it can be played");
        assert!(outcome.is_success(), "{sent}: {outcome}");
    }
}
