//! Why this layer drops datagrams.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 14] = table("udp", [
    ("header cut short", "fewer than eight bytes", "RFC 768"),
    ("length below the header's", "it claims fewer than eight bytes", "RFC 768"),
    ("length disagrees with the packet's", "UDP and IP say different lengths", "RFC 9868 §7"),
    ("destination port 0", "no program can have it", "RFC 768"),
    ("checksum wrong", "it was damaged, or is for other addresses", "RFC 768"),
    ("checksum missing over IPv6", "IPv6's own header has none, so UDP must", "RFC 8200 §8.1"),
    ("nobody has bound the port", "no program waits for it; the sender is told", "RFC 1122 §4.1.3.1"),
    ("port's queue full", "the program did not take what came before", ""),
    ("port given back before it was fetched", "the program has gone", ""),
    ("too many events wait", "the layer above did not take what it was told before", ""),
    ("datagram too long", "what is to be sent fits no packet", "RFC 768"),
    ("not UDP", "it was brought here though its protocol is another", "RFC 768"),
    ("error quotes too little", "an ICMP error does not say which ports", "RFC 1122 §3.2.2"),
    ("error about nothing we sent", "an ICMP error quotes a port that nobody has bound", "RFC 5927 §4"),
]);
