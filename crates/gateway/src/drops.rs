//! Why this layer drops connections and what comes on them.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 2] = table("gateway", [
    ("the other side of its connection is over", "there is nobody left to whom it could go", ""),
    ("too many connections", "as many are joined as may be", ""),
]);
