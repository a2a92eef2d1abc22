//! What a user of `framewise fetch` asks of HTTP, in memory: redirects, codings, users, forms, cookies, retries.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.arg("fetch").args(args).env("NO_COLOR", "1").env_remove("SSLKEYLOGFILE");
    command
}

fn fetch(args: &[&str]) -> Output {
    command(args).output().expect("the command can be run")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The page that these arguments fetch.
#[track_caller]
fn page(args: &[&str]) -> String {
    let output = fetch(args);
    assert!(output.status.success(), "{args:?} ended with {:?}:\n{}", output.status.code(), said(&output));
    String::from_utf8(output.stdout).expect("the page is text")
}

/// The command fails with this exit code, this sentence, and this next step.
#[track_caller]
fn fails(args: &[&str], code: i32, sentence: &str, next: &str) {
    let output = fetch(args);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?} said:\n{said}");
    assert!(said.contains(sentence), "{args:?} should have said {sentence:?}, but said:\n{said}");
    let tries = said.split("\n  try: ").nth(1).unwrap_or_default();
    assert!(tries.contains(next), "{args:?} should have said to try {next:?}, but said:\n{said}");
}

#[test]
fn redirects_are_followed_where_that_is_asked_for() {
    let item = page(&["-q", "http://shop.test/items/1"]);
    assert_eq!(page(&["-q", "-L", "http://shop.test/redirect"]), item);
    let walk = said(&fetch(&["-L", "https://shop.test/redirect"]));
    assert!(walk.contains("https://shop.test/redirect: 302 Found, on to"), "{walk}");
    assert!(walk.contains("fetch_page(\"https://shop.test/items/1\")"), "it is the last one's walk:\n{walk}");
    let damage = walk.lines().find_map(|line| line.strip_prefix("Next:  the same with ")).expect("a command");
    let damage = damage.split("  ").next().unwrap().split(' ');
    let damage: Vec<_> = ["-L", "https://shop.test/redirect"].into_iter().chain(damage).collect();
    assert!(said(&fetch(&damage)).contains("noticed by shop.test"), "{damage:?} damages that request");
    let here = fetch(&["http://shop.test/redirect"]);
    assert!(String::from_utf8_lossy(&here.stdout).contains("It is elsewhere"));
    assert!(said(&here).contains("at /items/1: -L goes there"), "{}", said(&here));
}

#[test]
fn long_ways_end_and_fit_a_screen() {
    let way = said(&fetch(&["-L", "http://shop.test/redirect/19"]));
    assert!(way.contains("more\n") && way.lines().count() <= 45, "{} lines:\n{way}", way.lines().count());
    fails(&["-L", "http://shop.test/redirect/30"], 6, "redirected more than 20 times", "--max-redirs 40");
    fails(
        &["-L", "--max-redirs", "2", "http://shop.test/redirect/3"],
        6,
        "more than 2 times",
        "--max-redirs 20",
    );
    let json = page(&["-q", "--json", "-L", "http://shop.test/redirect/2"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["url"], "http://shop.test/");
    assert_eq!(
        json["redirects"][1],
        serde_json::json!({ "url": "http://shop.test/redirect/1", "status": 302 })
    );
}

#[test]
fn a_shortened_page_is_the_same_page() {
    let verse = page(&["-q", "https://shop.test/verse"]);
    let output = fetch(&["--compressed", "https://shop.test/verse"]);
    assert!(output.stdout == verse.as_bytes() && verse.len() == 7_200);
    assert!(said(&output).contains("all 91 bytes came, decoded they are 7200"), "{}", said(&output));
    assert_eq!(page(&["-q", "--compressed", "http://shop.test/"]), page(&["-q", "http://shop.test/"]));
}

#[test]
fn whoever_is_asked_says_who_they_are() {
    let asked = fetch(&["http://shop.test/private"]);
    assert!(said(&asked).contains("401") && said(&asked).contains("-u USER:PASSWORD"), "{}", said(&asked));
    let wrong = fetch(&["-u", "me:tee", "http://shop.test/private"]);
    assert!(said(&wrong).contains("does not take this user"), "{}", said(&wrong));
    for args in [&["-u", "me:tea", "http://shop.test/private"][..], &["http://me:tea@shop.test/private"]] {
        let output = fetch(args);
        assert!(String::from_utf8_lossy(&output.stdout).contains("You are who you say"), "{args:?}");
        assert!(!said(&output).contains("tea"), "a password is nobody's affair:\n{}", said(&output));
    }
    fails(&["-u", "me", "http://shop.test/private"], 2, "a colon between them", "-u 'me:PASSWORD'");
}

#[test]
fn forms_of_several_parts_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tea.txt");
    fs::write(&file, "leaves").unwrap();
    let at = |prefix: &str| format!("{prefix}{}", file.display());
    let (sent, content) = (at("file=@") + ";type=text/plain", at("note=<"));
    let echo = page(&["-q", "-F", "item=tea", "-F", &sent, "-F", &content, "http://shop.test/echo"]);
    for part in [
        "POST /echo HTTP/1.1\n",
        "Content-Type: multipart/form-data; boundary=",
        "name=\"item\"\r\n\r\ntea\r\n",
        "name=\"file\"; filename=\"tea.txt\"\r\nContent-Type: text/plain\r\n\r\nleaves\r\n",
        "name=\"note\"\r\n\r\nleaves\r\n",
    ] {
        assert!(echo.contains(part), "the echo lacks {part:?}:\n{echo}");
    }
    fails(&["-F", "file=@/nonexistent", "http://shop.test/echo"], 1, "/nonexistent can't be read", "");
    fails(&["-F", "nothing", "http://shop.test/echo"], 2, "is no field of a form", "-F name=value");
}

#[test]
fn data_is_encoded_or_put_into_the_url() {
    let echo = page(&["-q", "-d", "a=1", "--data-urlencode", "b=c d&e", "http://shop.test/echo"]);
    assert!(echo.starts_with("POST /echo") && echo.ends_with("\n\na=1&b=c%20d%26e"), "{echo}");
    let echo = page(&["-q", "-G", "-d", "a=1", "--data-urlencode", "b=c d", "http://shop.test/echo?x"]);
    assert!(echo.starts_with("GET /echo?x&a=1&b=c%20d HTTP/1.1\n") && echo.ends_with("\n\n"), "{echo}");
    fails(&["-I", "-d", "a", "http://shop.test/echo"], 2, "asks for a head alone", "--get");
}

#[test]
fn cookies_are_kept_in_a_file_and_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let jar = folder.path().join("jar");
    let jar = jar.to_str().unwrap();
    for (visit, before) in [(1, ""), (2, jar), (3, jar)] {
        let page = page(&["-q", "-c", jar, "-b", before, "http://shop.test/cookie"]);
        assert!(page.contains(&format!("visit number {visit}.")), "{page}");
    }
    let kept = fs::read_to_string(jar).unwrap();
    assert_eq!(
        kept, "# Netscape HTTP Cookie File\nshop.test\tFALSE\t/\tFALSE\t1767312000\tvisits\t3\n",
        "a day after the world began"
    );
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(jar).unwrap().permissions()) & 0o777,
        0o600
    );
    assert!(page(&["-q", "-b", "visits=7", "http://shop.test/cookie"]).contains("visit number 8."));
    assert!(
        page(&["-q", "-b", jar, "-b", "a=b", "http://shop.test/echo"]).contains("Cookie: a=b; visits=3\n")
    );
    fails(&["-b", "/nonexistent", "http://shop.test/"], 1, "/nonexistent can't be read", "");
    fs::write(jar, "this is no cookie").unwrap();
    fails(&["-b", jar, "http://shop.test/"], 1, "line 1 of the cookie file", "-b NAME=VALUE");
    fails(&["-c", "-", "http://shop.test/"], 2, "can't both go to standard output", "");
}

#[test]
fn a_busy_server_is_asked_again_in_simulated_time() {
    let output = fetch(&["--retry", "2", "http://shop.test/busy"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("There is too much to do"));
    assert_eq!(
        said(&output).matches("503 Service Unavailable; I ask again after 2 s").count(),
        2,
        "{}",
        said(&output)
    );
    let once = fetch(&["--retry", "2", "-X", "POST", "http://shop.test/busy"]);
    assert!(!said(&once).contains("I ask again"), "{}", said(&once));
    fails(&["--retry", "1", "--retry-delay", "5", "http://shop.test:81/"], 4, "I ask again after 5 s", "");
}

#[test]
fn what_http_writes_itself_is_refused() {
    for field in ["Content-Length: 5", "transfer-encoding: chunked"] {
        fails(&["-H", field, "http://shop.test/"], 2, "written by HTTP itself", "the same without it");
    }
    fails(&["-H", "Host: a", "-H", "Host: b", "http://shop.test/"], 2, "Host was given twice", "without it");
    assert!(page(&["-q", "-H", "Host: else.test", "http://shop.test/echo"]).contains("\nHost: else.test\n"));
}

#[test]
fn a_server_that_speaks_tls_is_known_by_it() {
    let https = "framewise fetch https://shop.test:443/";
    fails(
        &["http://shop.test:443/"],
        6,
        "the server speaks TLS on that port, and was asked in plain http",
        https,
    );
}

#[test]
fn standard_input_is_a_file_by_the_name_of_a_hyphen() {
    let sends = |args: &[&str]| {
        let mut child =
            command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it can be run");
        child.stdin.take().unwrap().write_all(b"leaves").unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let put = sends(&["-q", "-T", "-", "http://shop.test/echo"]);
    assert!(put.starts_with("PUT") && put.contains("chunked") && put.ends_with("\n\nleaves"), "{put}");
    assert!(sends(&["-q", "-d", "@-", "http://shop.test/echo"]).ends_with("\n\nleaves"));
    assert!(sends(&["-q", "-F", "a=@-;filename=x", "http://shop.test/echo"]).contains("filename=\"x\""));
    fails(&["-T", "-", "--flip", "1", "http://shop.test/echo"], 2, "standard input can be read once", "file");
}

/// A server on this computer that takes a connection and never answers.
#[cfg(unix)]
#[test]
fn a_signal_leaves_a_capture_of_what_there_was() {
    use std::os::unix::process::ExitStatusExt;

    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture");
    let child = command(&["-w", file.to_str().unwrap(), &url]).stderr(Stdio::piped()).spawn().unwrap();
    let (mut connection, _) = server.accept().unwrap();
    std::io::Read::read_exact(&mut connection, &mut [0; 16]).expect("the request has come");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2), "it ends by the signal: {}", said(&output));
    assert!(said(&output).contains("Interrupted"), "{}", said(&output));
    let capture = fs::read(&file).unwrap();
    let holds = |bytes: &[u8]| capture.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"GET / HTTP/1.1\r\n"), "{} bytes, and the request is not among them", capture.len());
}
