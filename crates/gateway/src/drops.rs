//! Why this layer drops connections and what comes on them.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 3] = table("gateway", [
    ("the other side of its connection is over", "there is nobody left to whom it could go", ""),
    ("what was left was not taken", "one side is over, and the other does not take what that sent", ""),
    ("too many connections", "as many are joined as may be", ""),
]);
