//! The source files that the stepper names are there, and so are their functions.

use framewise_step::source;

#[test]
fn every_source_that_is_named_is_there() {
    let mut checked = 0;
    for protocol in ["App", "HTTP", "DNS", "UDP", "ARP", "TLS", "TCP", "IPv4", "IPv6", "Ethernet"] {
        for (is_down, is_server) in [(true, false), (true, true), (false, false), (false, true)] {
            let Some((file, function)) = source(protocol, is_down, is_server) else { continue };
            let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(text.contains(&format!("fn {function}")), "{file} has no {function}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}
