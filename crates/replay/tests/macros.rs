//! Tests of three lines, as a course writes them.

framewise_replay::replay!("../../pcaps/handshake.pcapng");
framewise_replay::replay!(a_page_over_tls, "../../pcaps/https.pcapng");
framewise_replay::script!("../../pcaps/scripts/zero-window.script");
framewise_replay::script!(a_refusal, "../../pcaps/scripts/refused.script");
framewise_replay::script!(an_echo, lines: "
    host me
    mac 02:00:00:00:00:01
    address 192.0.2.80/24
    peer 02:00:00:00:00:02 192.0.2.20

    10ms < ping
         > icmp type=0
");

#[test]
#[should_panic(expected = "line 8: ICMP, type: should have had 8, but was 0")]
fn a_test_that_fails_tells_all() {
    framewise_replay::expect_lines(
        "host me\nmac 02:00:00:00:00:01\naddress 192.0.2.80/24\npeer 02:00:00:00:00:02 192.0.2.20\n\n\n10ms < ping\n> icmp type=8\n",
    );
}
