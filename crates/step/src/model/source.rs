//! Which source file does what a step shows.

/// Where a layer of ours does this: the file below `crates`, and the function. Down is what it does with what it sends; the server's
/// HTTP is not the client's.
pub fn source(protocol: &str, is_down: bool, is_server: bool) -> Option<(&'static str, &'static str)> {
    Some(match (protocol, is_down, is_server) {
        ("HTTP", true, false) => ("http/src/client/mod.rs", "ask"),
        ("HTTP", false, false) => ("http/src/client/advance.rs", "read_head"),
        ("HTTP", true, true) => ("http/src/server/answer.rs", "answer"),
        ("HTTP", false, true) => ("http/src/server/advance.rs", "read_head"),
        ("TLS", true, _) => ("tls/src/outbound.rs", "seal"),
        ("TLS", false, _) => ("tls/src/inbound.rs", "open"),
        ("TCP", true, _) => ("tcp/src/connection/outbound.rs", "next_segment"),
        ("TCP", false, _) => ("tcp/src/connection/inbound.rs", "segment_arrives"),
        ("IPv4", true, _) => ("ip/src/outbound.rs", "send_ipv4"),
        ("IPv4", false, _) => ("ip/src/inbound.rs", "receive_ipv4"),
        ("IPv6", true, _) => ("ip/src/outbound.rs", "send_ipv6"),
        ("IPv6", false, _) => ("ip/src/inbound.rs", "receive_ipv6"),
        ("Ethernet", true, _) => ("ethernet/src/layer.rs", "send_to"),
        ("Ethernet", false, _) => ("ethernet/src/layer.rs", "handle_inbound"),
        ("ARP", true, _) => ("ethernet/src/resolution.rs", "send_arp"),
        ("ARP", false, _) => ("ethernet/src/resolution.rs", "receive_arp"),
        ("UDP", true, _) => ("udp/src/layer.rs", "emit"),
        ("UDP", false, _) => ("udp/src/layer.rs", "receive"),
        ("DNS", true, _) => ("dns/src/resolver.rs", "ask"),
        ("DNS", false, _) => ("dns/src/resolver.rs", "receive"),
        ("App", true, false) => ("framewise/src/client.rs", "start"),
        ("App", false, false) => ("framewise/src/client.rs", "finish"),
        ("App", _, true) => ("site/src/builtin.rs", "builtin"),
        _ => return None,
    })
}
