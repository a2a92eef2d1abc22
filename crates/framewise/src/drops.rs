//! Every reason for which a host drops something, collected from its layers.

use framewise_core::DropReason;
use framewise_core::drops::table;

/// Reasons of the operating system's sockets, where they stand in TCP's place (see [`gateway`](crate::gateway)).
#[rustfmt::skip]
const OS: [DropReason; 2] = table("os", [
    ("its connection is over", "the application sent on after the end", ""),
    ("a segment for the operating system's sockets", "they make their own", ""),
]);

/// All that [`Runner::counters`](crate::Runner::counters) and a device's counters may tell, from the wire upward.
pub fn drops() -> Vec<DropReason> {
    let mut all = Vec::new();
    all.extend(framewise_device::drops::DROPS);
    all.extend(framewise_ethernet::drops::DROPS);
    all.extend(framewise_ip::drops::DROPS);
    all.extend(framewise_core::drops::DROPS);
    all.extend(framewise_udp::drops::DROPS);
    all.extend(framewise_tcp::drops::DROPS);
    all.extend(framewise_dns::drops::DROPS);
    all.extend(framewise_tls::drops::DROPS);
    all.extend(framewise_http::drops::drops());
    all.extend(framewise_gateway::drops::DROPS);
    all.extend(OS);
    all
}

/// What a reason that was counted means.
pub fn explain(layer: &str, reason: &str) -> Option<DropReason> {
    drops().into_iter().find(|drop| drop.layer == layer && drop.reason == reason)
}
