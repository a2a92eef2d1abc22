//! Scripts that can't be read: the line, the column, and what was expected there.

use framewise_replay::Script;

const HOST: &str = "host shop\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\n";

fn error(text: &str) -> String {
    Script::read(text).expect_err("it can't be read").to_string()
}

/// The error of a line behind a good beginning of three lines.
fn of_line(line: &str) -> String {
    error(&format!("{HOST}{line}\n"))
}

#[test]
fn unknown_settings_and_keys_are_named() {
    for (line, told) in [
        ("colour green", "line 4, column 1: there is no setting `colour`; there are title, world, "),
        ("10ms < tcp S size=1", "line 4, column 14: there is no key `size`; there are seq, ack, win, "),
        (
            "10ms fetch http://shop.test/ how=PUT",
            "line 4, column 30: there is no key `how`; there are method, ",
        ),
        ("compare SCTP", "line 4, column 9: there is no layer `SCTP`; there are Ethernet, "),
        ("listen 80\ncolour green", "line 5, column 1: there is no step `colour`; there are <, >, silence, "),
    ] {
        let error = of_line(line);
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn what_may_have_been_meant_is_told() {
    for (line, told) in [
        ("widow 4096", "line 4, column 1: there is no setting `widow`; did you mean `window`?"),
        ("lisen 80", "line 4, column 1: there is no step `lisen`; did you mean `listen`?"),
        ("listen 80\nsned \"hi\"", "line 5, column 1: there is no step `sned`; did you mean `send`?"),
        ("10ms < tcp S wim=1", "line 4, column 14: there is no key `wim`; did you mean `win`?"),
        (
            "10ms fetch http://shop.test/ methd=PUT",
            "line 4, column 30: there is no key `methd`; did you mean `method`?",
        ),
        ("compare TPC", "line 4, column 9: there is no layer `TPC`; did you mean `TCP`?"),
    ] {
        assert_eq!(of_line(line), told, "{line}");
    }
}

#[test]
fn what_was_expected_is_told_with_its_place() {
    for (line, told) in [
        ("mac 1", "line 4, column 1: `mac` was said before"),
        ("seed many", "line 4, column 6: expected a number, found `many`"),
        ("seed", "line 4, column 5: expected a number, and the line ends"),
        ("seed 1 2", "line 4, column 8: expected the end of the line, found `2`"),
        ("window 0", "line 4, column 8: expected bytes, up to 67108864, found `0`"),
        ("keep-alive 1ns", "line 4, column 12: expected a time of 1ms at least, or none, found `1ns`"),
        ("10mx < ping", "line 4, column 1: expected a time such as 5ms, +5ms or +1s..2s, found `10mx`"),
        ("+2s..1s > any", "line 4, column 1: expected a time such as 5ms, +5ms or +1s..2s, found `+2s..1s`"),
        (
            "+1s..2s < ping",
            "line 4, column 1: between two times something is expected; what is done has one time",
        ),
        ("then close", "line 4, column 1: `then` stands in front of a fetch"),
        (
            "10ms lisen 80",
            "line 4, column 6: expected a step: < > silence fetch listen connect send read close abort hears, found `lisen`",
        ),
        (
            "10ms < tpc S",
            "line 4, column 8: expected what comes: tcp udp ping icmp arp ns na frame again, found `tpc`",
        ),
        ("hears opend", "line 4, column 7: expected opened, data, peer-closed or closed, found `opend`"),
        ("< tcp Q", "line 4, column 7: expected control bits such as S, SA, A, PA, FA, R or none, found `Q`"),
        ("< arp reply 2001:db8::1", "line 4, column 13: expected an IPv4 address, found `2001:db8::1`"),
        (
            "> tcp ack",
            "line 4, column 7: expected control bits such as S, SA, A, PA, FA or R, or key=value, found `ack`",
        ),
        ("send \"abc", "line 4, column 6: the text that begins here has no closing \""),
        (
            "send \"a\\q\"",
            "line 4, column 8: expected one of \\n \\r \\t \\\\ \\\" \\x41 after the backslash",
        ),
        (
            "< ping ack=1",
            "line 4, column 8: expected a key that fits what comes, with a value that it can have, found `ack=1`",
        ),
        (
            "address 192.0.2.0/24",
            "line 4, column 9: expected an address and its network's length, such as 192.0.2.10/24, found `192.0.2.0/24`",
        ),
    ] {
        assert_eq!(of_line(line), told, "{line}");
    }
}

#[test]
fn what_would_change_nothing_is_an_error() {
    let fits = "expected a key that fits what comes, with a value that it can have";
    for (line, column, key) in [
        ("< again ttl=1", 9, "ttl=1"),
        ("< again from=192.0.2.9", 9, "from=192.0.2.9"),
        ("< arp request 192.0.2.80 sum=wrong", 26, "sum=wrong"),
        ("< arp reply 192.0.2.80 fragments=8", 24, "fragments=8"),
        ("< arp probe 192.0.2.80 from=192.0.2.9", 24, "from=192.0.2.9"),
        ("< ns 2001:db8::1 order=2,1", 18, "order=2,1"),
        ("< na 2001:db8::1 sum=wrong", 18, "sum=wrong"),
        ("< tcp S sackok=perhaps", 9, "sackok=perhaps"),
    ] {
        assert_eq!(of_line(line), format!("line 4, column {column}: {fits}, found `{key}`"), "{line}");
    }
    for (line, told) in [
        ("compare everything TCP", "line 4, column 20: expected except, or the end of the line, found `TCP`"),
        (
            "compare everything except",
            "line 4, column 26: expected layers and fields such as TCP or IPv4/time-to-live, and the line ends",
        ),
        (
            "fetch http://shop.test/ chunked=perhaps",
            "line 4, column 25: expected yes or no, found `chunked=perhaps`",
        ),
    ] {
        assert_eq!(of_line(line), told, "{line}");
    }
    let taken = "< arp request 192.0.2.80 from=192.0.2.9 mac=02:00:00:00:00:09 to-mac=ff:ff:ff:ff:ff:ff
        < arp reply 192.0.2.80 to=192.0.2.9 mac=02:00:00:00:00:09
        < ns 2001:db8::1 from=2001:db8::2 ttl=1
        < na 2001:db8::1 from=2001:db8::2 to=2001:db8::3 to-mac=02:00:00:00:00:09
        < ping ttl=1 sum=wrong fragments=8 order=2,1 sum=wrong";
    Script::read(&format!("{HOST}{taken}\n")).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_can_not_be_together_is_told() {
    assert_eq!(error("seed 1\n"), "line 1, column 1: the host needs `mac` and `address`, or `world me`");
    let told = of_line("10ms listen 80\n20ms fetch http://192.0.2.20/");
    assert_eq!(
        told,
        "line 5, column 1: a host either fetches and serves pages, or is told what its sockets do"
    );
    assert_eq!(
        of_line("20ms < ping\n10ms < ping"),
        "line 5, column 1: this time is before that of the step above"
    );
    assert_eq!(
        of_line("20ms < ping\nseed 2"),
        "line 5, column 1: the setting `seed` stands after the first step"
    );
}

#[test]
fn comments_and_empty_lines_say_nothing() {
    let text = format!("# a test\n\n{HOST}  # the host\n10ms < ping # the first\n");
    let script = Script::read(&text).expect("a script");
    assert_eq!(script.steps.len(), 1);
    assert_eq!(script.steps[0].text, "10ms < ping");
}

#[test]
fn too_much_is_told_before_it_is_read() {
    let long = "#".repeat(framewise_replay::LONGEST + 1);
    assert_eq!(error(&long), "line 1, column 1: more than 1048576 bytes");
    let many = format!("{HOST}{}", "close\n".repeat(framewise_replay::MOST_STEPS + 1));
    assert_eq!(error(&many), "line 10004, column 1: more than 10000 steps");
}
