//! The command as a user runs it, in memory: what it prints where, and how it ends.

mod common;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use common::{command, fails, framewise, said, succeeds};

#[test]
fn the_first_page_and_its_walk() {
    let output = succeeds(&["fetch", "https://shop.test/"]);
    assert_eq!(
        String::from_utf8(output.stdout.clone()).unwrap(),
        "<h1>shop</h1>\n<a href=/items/1>tea</a> <a href=/form>order</a> <a href=/about>about</a>\n"
    );
    insta::assert_snapshot!("https", said(&output));
}

#[test]
fn the_walk_without_tls() {
    insta::assert_snapshot!("http", said(&succeeds(&["fetch", "http://shop.test/items/1"])));
}

#[test]
fn every_walk_fits_a_screen() {
    for args in [
        &["fetch", "https://shop.test/"][..],
        &["fetch", "http://shop.test/"],
        &["fetch", "-6", "https://shop.test/"],
        &["fetch", "https://shop.test/large"],
        &["fetch", "http://shop.test/large", "--loss", "5", "--corrupt", "2", "--reorder", "10"],
        &[
            "fetch",
            "https://shop.test/items/1?a=very+long+query&with=many&arguments=that&do=not&fit=a&line=at&all=1",
        ],
        &["fetch", "https://shop.test/", "--flip", "11"],
    ] {
        let walk = said(&succeeds(args));
        let lines: Vec<&str> = walk.lines().collect();
        // Damage may take some lines more.
        assert!(lines.len() <= 45, "{args:?}: {} lines:\n{walk}", lines.len());
        for line in lines {
            let is_command = line.starts_with("Next:") || line.starts_with("       framewise");
            assert!(line.chars().count() <= 80 || is_command, "{args:?}: longer than 80 columns: {line}");
        }
    }
}

#[test]
fn a_healthy_run_never_speaks_of_damage() {
    for url in ["https://shop.test/", "http://shop.test/large", "https://shop.test/large"] {
        let walk = said(&succeeds(&["fetch", url])).to_lowercase();
        for word in ["incorrect", "wrong", "retransmi", "reject", "noticed", "again"] {
            assert!(!walk.contains(word), "{url}: a healthy walk says {word:?}:\n{walk}");
        }
    }
}

#[test]
fn the_page_is_byte_exact_wherever_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    succeeds(&["fetch", "https://shop.test/large", "-q", "-o", file.to_str().unwrap()]);
    let over_tls = fs::read(&file).unwrap();
    assert_eq!(over_tls.len(), 1_000_000);
    let plain = succeeds(&["fetch", "http://shop.test/large", "-q"]);
    assert_eq!(plain.stdout, over_tls, "standard output and the file hold the same page");
    assert!(plain.stderr.is_empty(), "quiet says nothing: {}", said(&plain));
}

#[test]
fn heads_methods_and_forms() {
    let head = succeeds(&["fetch", "-q", "-I", "https://shop.test/about"]);
    let head = String::from_utf8(head.stdout).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head:?}");

    let both = succeeds(&["fetch", "-q", "-i", "http://shop.test/"]);
    assert!(both.stdout.starts_with(b"HTTP/1.1 200 OK\r\n") && both.stdout.ends_with(b"</a>\n"));

    let echo =
        succeeds(&["fetch", "-q", "-d", "a=1", "-d", "b=2", "-H", "X-One: yes", "https://shop.test/echo"]);
    let echo = String::from_utf8(echo.stdout).unwrap();
    for part in ["POST", "a=1&b=2", "X-One: yes", "application/x-www-form-urlencoded"] {
        assert!(echo.contains(part), "the echo lacks {part:?}:\n{echo}");
    }
    let put = succeeds(&["fetch", "-q", "-X", "PUT", "-d", "x", "http://shop.test/echo"]);
    assert!(String::from_utf8(put.stdout).unwrap().contains("PUT"));
}

#[test]
fn no_two_outputs_go_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, roundabout) = (path("file"), path("./file"));
    for options in [["-o", "-w"], ["-o", "-c"], ["-o", "--keylog"], ["-w", "--keylog"], ["--trace", "-o"]] {
        let [one, other] = options;
        let args = ["fetch", "-q", one, &file, other, &roundabout, "https://shop.test/"];
        fails(&args, 2, "one would overwrite the other");
        assert!(!fs::exists(&file).unwrap(), "{options:?}: nothing is written before that is said");
    }
    fs::write(&file, "kept").unwrap();
    fails(&["fetch", "-q", "-o", &file, "-w", &file, "http://shop.test/"], 2, "the page and the capture");
    assert_eq!(fs::read(&file).unwrap(), b"kept");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&file, path("symlink")).unwrap();
        fails(&["fetch", "-q", "-o", &file, "-w", &path("symlink"), "http://shop.test/"], 2, "overwrite");
    }
    // The same jar is read first and written last.
    fs::write(path("jar"), "").unwrap();
    succeeds(&["fetch", "-q", "-b", &path("jar"), "-c", &path("jar"), "http://shop.test/"]);
}

#[test]
fn a_file_is_sent_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("load");
    fs::write(&file, "page".repeat(100_000)).unwrap();
    let file = file.to_str().unwrap();
    // As `sha256sum` has it.
    let receipt = "400000 bytes, SHA-256 da3aab55dbd4643336e67d9ab963dc0f815d34d288149baf95227f6834662dd0\n";
    for url in ["http://shop.test/sink", "https://shop.test/sink"] {
        assert_eq!(String::from_utf8(succeeds(&["fetch", "-q", "-T", file, url]).stdout).unwrap(), receipt);
    }
    let posted = succeeds(&["fetch", "-q", "-X", "POST", "--upload-file", file, "http://shop.test/echo"]);
    assert!(posted.stdout.starts_with(b"POST /echo HTTP/1.1\n") && posted.stdout.ends_with(b"pagepage"));
    fails(&["fetch", "-T", "/nonexistent", "http://shop.test/sink"], 1, "/nonexistent can't be read");
    fails(&["fetch", "-T", folder.path().to_str().unwrap(), "http://shop.test/sink"], 1, "directory");
    let both = framewise(&["fetch", "-T", file, "-d", "x", "http://shop.test/sink"]);
    assert!(both.status.code() == Some(2) && said(&both).contains("--data"), "{}", said(&both));
}

#[test]
fn a_page_that_is_not_there_is_a_page_too() {
    let output = succeeds(&["fetch", "http://shop.test/nowhere"]);
    assert!(said(&output).contains("404 Not Found"), "{}", said(&output));
}

#[test]
fn refusals_say_what_to_do_next() {
    fails(&["fetch", "http://shop.test:81/"], 4, "nobody listens on that port");
    fails(&["fetch", "http://203.0.113.99/"], 4, "the host does not answer");
    fails(&["fetch", "http://nowhere.test/"], 3, "there is no name nowhere.test");
    fails(&["fetch", "https://shop.test:80/"], 5, "does not speak TLS");
    fails(&["fetch", "ftp://shop.test/"], 2, "ftp://");
    fails(&["fetch", "http://sh op.test/"], 2, "is not a URL");
    fails(&["fetch", "http://shop.test/large", "--max-time", "0.1"], 7, "not complete within 100ms");
    let late = framewise(&["fetch", "-q", "http://shop.test/large", "--max-time", "0.1"]);
    assert!(
        late.stdout.len() < 1_000_000,
        "what came is given, as it came, and the exit code says that it is not all"
    );
    fails(
        &["fetch", "http://shop.test/", "--loss", "100", "--connect-timeout", "2"],
        7,
        "no connection within 2s",
    );
    fails(&["fetch", "http://shop.test/", "--loss", "100"], 3, "the name server 192.0.2.1 would not answer");
    fails(&["fetch", "http://shop.test/", "--flip", "999"], 2, "there is no frame 999");
    fails(&["fetch", "http://shop.test/", "-H", "no colon"], 2, "is no header field");
}

#[test]
fn a_pool_that_cannot_be_is_refused_before_anything_is_served() {
    let serve =
        |pool: &[&'static str]| [&["serve", "--forward", "127.0.0.1:0", "--https", "0"], pool].concat();
    fails(
        &serve(&["--model", "prefork", "--threads", "3"]),
        2,
        "one thread in each process, and 3 were asked for",
    );
    fails(
        &serve(&["--model", "threads", "--processes", "2"]),
        2,
        "has no child processes, and 2 were asked for",
    );
    fails(&serve(&["--threads", "0"]), 2, "a pool without threads answers nobody");
    fails(
        &serve(&["--processes", "100", "--threads", "100"]),
        2,
        "10000 threads are more than a pool may have",
    );
    fails(&serve(&["--wsgi", "shop:app", "--model", "threads"]), 2, "runs in child processes");
    let both = framewise(&serve(&["--wsgi", "shop:app", "--shop"]));
    assert_eq!(both.status.code(), Some(2));
    assert!(said(&both).contains("'--wsgi <MODULE:APP>' cannot be used with '--shop'"), "{}", said(&both));
    fails(&serve(&["--threads", "1", "--control", "/nowhere/at/all"]), 1, "no socket for framewise top");
    fails(&["top", "--control", "/nowhere/at/all"], 4, "no server answers at /nowhere/at/all");
    fails(&["serve-child", "--threads", "1"], 2, "this is for child processes");
}

#[test]
fn a_directory_without_a_first_page_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let serve = |more: &[&str]| {
        let args = ["serve", path, "--forward", "127.0.0.1:0", "--https", "0", "--max-time", "0.1"];
        said(&framewise(&[&args[..], more].concat()))
    };
    let sentence = "--list shows what is there.";
    assert!(serve(&[]).contains(sentence), "{}", serve(&[]));
    assert!(!serve(&["--list"]).contains(sentence));
    fs::write(folder.path().join("index.html"), "first").unwrap();
    assert!(!serve(&[]).contains(sentence));
}

#[test]
fn a_file_that_cannot_be_written_is_said_before_anything_is_fetched() {
    let output = framewise(&["fetch", "https://shop.test/", "-o", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("framewise: /nowhere/at/all can't be written"), "{}", said(&output));
}

#[test]
fn a_file_keeps_what_it_holds_until_a_response_comes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious");
    let path = file.to_str().unwrap();
    for (args, code) in [
        (&["htps://shop.test/"][..], 2),
        (&["http://shop.test/", "-H", "no colon"], 2),
        (&["http://shop.test/", "-d", "@/nowhere/at/all"], 1),
        (&["http://shop.test/", "--flip", "999"], 2),
        (&["http://nowhere.test/"], 3),
    ] {
        fs::write(&file, "precious").unwrap();
        for option in ["-o", "-w"] {
            let is_name = code == 3 && option == "-w";
            let output = framewise(&[&["fetch", "-q", option, path], args].concat());
            assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
            assert!(
                is_name || fs::read(&file).unwrap() == b"precious",
                "{option} {args:?} has emptied the file"
            );
        }
    }
    fs::write(&file, "x".repeat(1_000)).unwrap();
    succeeds(&["fetch", "-q", "http://shop.test/items/1", "-o", path]);
    let page = succeeds(&["fetch", "-q", "http://shop.test/items/1"]).stdout;
    assert!(fs::read(&file).unwrap() == page, "nothing of what was there before is left behind the page");
}

#[test]
fn a_key_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, "# of another program\n").unwrap();
    succeeds(&["fetch", "-q", "https://shop.test/", "--keylog", file.to_str().unwrap()]);
    let once = fs::read_to_string(&file).unwrap();
    let status =
        command(&["fetch", "-q", "https://shop.test/"]).env("SSLKEYLOGFILE", &file).output().unwrap().status;
    assert!(status.success());
    let twice = fs::read_to_string(&file).unwrap();
    let secrets = once.strip_prefix("# of another program\n").expect("what was there stays there");
    assert!(secrets.contains("CLIENT_TRAFFIC_SECRET_0"), "{once}");
    assert!(twice == format!("{once}{secrets}"), "the second run's secrets follow the first one's: {twice}");
}

#[cfg(unix)]
#[test]
fn secrets_go_into_no_file_that_could_be_another_s() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("mine"), "precious").unwrap();
    std::os::unix::fs::symlink(at("mine"), at("link")).unwrap();
    fs::write(at("one"), "precious").unwrap();
    fs::hard_link(at("one"), at("other")).unwrap();
    for (name, sentence) in
        [("link", "it is a symbolic link"), ("other", "it has another name, too"), (".", "")]
    {
        for option in ["--keylog", "-w"] {
            let output =
                framewise(&["fetch", "-q", "https://shop.test/", option, at(name).to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(1), "{option} {name}: {}", said(&output));
            assert!(said(&output).contains(sentence), "{option} {name}: {}", said(&output));
        }
    }
    for name in ["mine", "one"] {
        assert_eq!(fs::read(at(name)).unwrap(), b"precious");
    }
    // What is its owner's already may be gone on with, and is closed to others.
    succeeds(&["fetch", "-q", "https://shop.test/", "--keylog", at("mine").to_str().unwrap()]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(at("mine")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn one_thing_at_most_goes_to_standard_output() {
    for args in [
        &["--json", "-w", "-"][..],
        &["-o", "-", "-w", "-"],
        &["-i", "-w", "-"],
        &["--json", "-o", "-"],
        &["--keylog", "-"],
        &["-w", "-", "--keylog", "-"],
    ] {
        fails(&[&["fetch", "https://shop.test/"], args].concat(), 2, "can't both go to standard output");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page");
    let json = succeeds(&["fetch", "--json", "-o", file.to_str().unwrap(), "http://shop.test/"]);
    assert!(serde_json::from_slice::<serde_json::Value>(&json.stdout).is_ok());
    assert!(
        fs::read(&file).unwrap().starts_with(b"<h1>shop</h1>"),
        "beside JSON, too, the page goes where it shall"
    );
}

#[test]
fn no_option_is_ignored() {
    for args in [
        &["--cacert", "file"][..],
        &["--resolve", "a:80:192.0.2.1"],
        &["--gateway", "192.0.2.1"],
        &["--address", "192.0.2.10/24"],
        &["--mac", "02:00:00:00:00:09"],
        &["--dns", "192.0.2.1"],
    ] {
        let output = framewise(&[&["fetch", "https://shop.test/"], args].concat());
        let said = said(&output);
        assert!(output.status.code() == Some(2) && said.contains("--tap"), "{args:?}: {said}");
    }
    for option in
        ["--seed", "--loss", "--duplicate", "--reorder", "--corrupt", "--delay", "--rate", "--flip", "--drop"]
    {
        let output = framewise(&["fetch", "http://192.0.2.1/", "--tap", "fw0", option, "1"]);
        let said = said(&output);
        assert!(output.status.code() == Some(2) && said.contains("cannot be used with"), "{option}: {said}");
    }
}

#[test]
fn the_same_seed_writes_the_same_capture() {
    let folder = tempfile::tempdir().unwrap();
    let capture = |name: &str, seed: &str, url: &str| {
        let file = folder.path().join(name);
        succeeds(&["fetch", "-q", "--seed", seed, "-w", file.to_str().unwrap(), url]);
        fs::read(file).unwrap()
    };
    for url in ["http://shop.test/", "https://shop.test/"] {
        let one = capture("one", "7", url);
        assert!(one == capture("two", "7", url), "{url}: the same seed wrote another capture");
        assert!(one != capture("three", "8", url), "{url}: another seed wrote the same capture");
    }
}

#[test]
fn a_capture_on_standard_output_is_all_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture");
    succeeds(&["fetch", "-q", "-w", file.to_str().unwrap(), "https://shop.test/"]);
    let piped = succeeds(&["fetch", "-q", "-w", "-", "https://shop.test/"]);
    assert!(piped.stdout == fs::read(file).unwrap(), "the page is mixed with the capture");
}

#[test]
fn damage_is_noticed_and_mended() {
    let walk = said(&succeeds(&["fetch", "https://shop.test/", "--flip", "11"]));
    assert!(walk.contains("noticed by shop.test: tcp dropped 1: checksum wrong"), "{walk}");
    // A damaged frame is not shown as the page's way: the one that came for it is.
    let walk = said(&succeeds(&["fetch", "https://shop.test/", "--flip", "12"]));
    assert!(walk.contains("frame 15; 12 was refused") && walk.contains("sent once more"), "{walk}");
    assert!(
        !walk.contains(", sum wrong"),
        "a refused frame's sentences are not those of the page's way:\n{walk}"
    );
    let walk = said(&succeeds(&["fetch", "https://shop.test/", "--drop", "11"]));
    assert!(walk.contains("Frame 14 brings the same again, 200 ms"), "{walk}");
    // Harm that nobody notices is told all the same, and so is the last frame's, which comes after the page.
    let walk = said(&succeeds(&["fetch", "https://shop.test/", "--flip", "2"]));
    assert!(walk.contains("frame 2   It had bit 7 of byte 41 flipped on the way. Nobody noticed"), "{walk}");
    let walk = said(&succeeds(&["fetch", "https://shop.test/", "--drop", "13"]));
    assert!(walk.contains("frame 13  It was lost on the way."), "{walk}");
    assert!(!walk.contains("--flip"), "frames of a run that was harmed have other numbers without: {walk}");
    // Both: the answer is damaged, and what asked for it was lost.
    let both = said(&succeeds(&["fetch", "http://shop.test/", "--flip", "9", "--drop", "10"]));
    let flip = said(&succeeds(&["fetch", "http://shop.test/", "--flip", "9"]));
    let drop = said(&succeeds(&["fetch", "http://shop.test/", "--drop", "10"]));
    assert!(both != flip && both != drop && both.contains("checksum wrong"), "{both}");
}

#[test]
fn json_holds_the_page_and_the_walk() {
    let output = succeeds(&["fetch", "--json", "https://shop.test/"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(json["status"], 200);
    assert_eq!(json["tls"]["version"], "TLS 1.3");
    assert_eq!(json["walk"]["request"]["steps"][0]["says"], "GET / from shop.test");
    assert_eq!(json["walk"]["request"]["steps"].as_array().unwrap().len(), 5, "HTTP, TLS, TCP, IP, Ethernet");
}

#[test]
fn one_version_of_tls_and_no_check() {
    let old = succeeds(&["fetch", "--json", "--tls", "1.2", "https://shop.test/"]);
    assert!(String::from_utf8(old.stdout).unwrap().contains("\"version\":\"TLS 1.2\""));
    let walk = said(&succeeds(&["fetch", "--insecure", "https://shop.test/"]));
    assert!(walk.contains("insecure"), "an insecure walk says so:\n{walk}");
    assert!(walk.contains("nobody checked who can read it"), "and promises nothing:\n{walk}");
    assert!(!walk.contains("only shop.test can read it"), "{walk}");
}

#[test]
fn a_file_without_a_certificate_to_trust_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let der = [0x30, 0x82, 1, 0];
    for (name, content, advice) in [
        ("empty.pem", &b""[..], "BEGIN CERTIFICATE"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "BEGIN CERTIFICATE"),
        ("authority.der", &der, "openssl x509 -in"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        let path = file.to_str().unwrap();
        let output = framewise(&["fetch", "--outside", "--cacert", path, "https://127.0.0.1:1/"]);
        let said = said(&output);
        let sentence = format!("{path}: there is no CERTIFICATE in this PEM text");
        assert!(output.status.code() == Some(1) && said.contains(&sentence), "{name}: {said}");
        assert!(said.contains(advice), "{name}: {said}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let mut child = command(&["fetch", "http://shop.test/large"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be run");
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_lectures_own_url() {
    let output = succeeds(&["url", "www.google.com/?q=stuff"]);
    insta::assert_snapshot!("url", String::from_utf8(output.stdout).unwrap());
    let json = succeeds(&["url", "--json", "localhost:8080/x"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["completed"], &json["text"]), (&true.into(), &"http://localhost:8080/x".into()));
}

#[test]
fn what_is_shown_is_not_obeyed() {
    let url = "http://shop.test/\u{1b}[31m\u{202e}\u{61c}\u{9b}x?\u{2066}=\u{7}";
    let shown = succeeds(&["url", url]);
    let refused = framewise(&["fetch", &url.replace("http", "ftp")]);
    let header = framewise(&["fetch", "http://shop.test/", "-H", "no \u{1b}]0;colon\u{202e}"]);
    for text in [shown.stdout, refused.stderr, header.stderr] {
        let text = String::from_utf8(text).unwrap();
        let commands = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{61c}\u{2066}".contains(c);
        assert!(!text.chars().any(commands), "it commands the terminal: {text:?}");
    }
}

#[test]
fn help_names_the_exit_codes_and_the_first_command() {
    let help = String::from_utf8(succeeds(&["--help"]).stdout).unwrap();
    assert!(help.contains("framewise fetch https://shop.test/") && help.contains("Exit codes"), "{help}");
}

/// What was dropped is counted by host, layer and reason, and each reason is explained.
#[test]
fn what_was_dropped_is_told_and_explained() {
    let quiet = said(&succeeds(&["fetch", "http://shop.test/", "--quiet", "--stats"]));
    assert_eq!(quiet, "Nothing was dropped.\n");

    let flipped = ["fetch", "http://shop.test/", "--quiet", "--flip", "3", "--stats"];
    let told = said(&succeeds(&flipped));
    assert!(told.starts_with("Dropped\n") && told.ends_with("What each means: framewise stats\n"), "{told}");
    let row = told.lines().nth(1).expect("a row");
    let words: Vec<_> = row.split_whitespace().collect();
    let (layer, reason) = (words[1], words[2..words.len() - 1].join(" "));
    assert_eq!(words.last(), Some(&"1"), "{row}");

    let explained = String::from_utf8(succeeds(&["stats", layer]).stdout).expect("text");
    assert!(explained.starts_with(&format!("{layer}\n")) && explained.contains(&reason), "{explained}");
    assert!(explained.lines().all(|line| line.chars().count() <= 96), "{explained}");

    let json: serde_json::Value = serde_json::from_slice(
        &succeeds(&["fetch", "http://shop.test/", "--json", "--quiet", "--flip", "3"]).stdout,
    )
    .expect("JSON");
    let stats = json["stats"].as_array().expect("a list");
    assert_eq!((&stats[0]["layer"], &stats[0]["reason"]), (&layer.into(), &reason.into()));
    assert!(stats[0]["meaning"].is_string() && stats[0]["count"] == 1, "{stats:?}");
    assert_eq!(stats[0]["for_others"], false);
}

#[test]
fn every_reason_is_listed() {
    let text = String::from_utf8(succeeds(&["stats"]).stdout).expect("text");
    for layer in ["device", "ethernet", "ip", "udp", "tcp", "dns", "tls", "http"] {
        assert!(text.lines().any(|line| line == layer), "{layer} is not listed");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&succeeds(&["stats", "--json"]).stdout).expect("JSON");
    assert!(json["reasons"].as_array().is_some_and(|reasons| reasons.len() > 150), "{json}");
    fails(&["stats", "physical"], 2, "no layer that drops anything is called \"physical\"");
}
