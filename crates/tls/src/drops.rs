//! Why this layer gives up connections that nobody above has heard of.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 9] = table("tls", [
    ("handshake of an accepted connection failed", "the client speaks no TLS that we do, or broke its rules", "RFC 8446 §6.2"),
    ("client refused in the handshake", "it sent an alert; mostly it does not accept our certificate", "RFC 8446 §6.2"),
    ("client left before the handshake", "it connected, and closed or reset without having sent a byte", ""),
    ("client left in the middle of the handshake", "it closed or reset before keys were agreed on", "RFC 8446 §6.1"),
    ("handshake of an accepted connection took too long", "the client did not go on", ""),
    ("nobody listens on that port any more", "it was given up while the client connected", ""),
    ("more connections than the limit", "as many are open as may be", ""),
    ("a session could not be started", "the configuration allows none", ""),
    ("its name is taken", "the layer below named two connections alike", ""),
]);
