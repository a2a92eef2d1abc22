//! Why this layer drops messages and connections: what breaks a [`Rule`], and what else is in the way.

use framewise_core::drops::{DropReason, table};

use crate::rule::Rule;

/// Every reason that is counted and is no rule.
#[rustfmt::skip]
pub const DROPS: [DropReason; 7] = table("http", [
    ("head cut short", "the client closed within a request's head", "RFC 9112 §8"),
    ("reader too slow", "the client does not take its page", "RFC 9110 §15.5.9"),
    ("bytes that belong to no request", "a server said something unasked", "RFC 9112 §9.2"),
    ("body of an exchange that is over", "the application sent on after the end", ""),
    ("name of the exchange is in use", "the application named two exchanges alike", ""),
    ("too many connections", "as many are open as may be", ""),
    ("too many connections of one client", "one address has as many open as it may", "RFC 9112 §9.4"),
]);

/// Every reason that is counted.
pub fn drops() -> impl Iterator<Item = DropReason> {
    let broken = |rule: Rule| DropReason {
        layer: "http",
        reason: rule.name(),
        meaning: rule.sentence(),
        source: rule.source(),
    };
    DROPS.into_iter().chain(Rule::ALL.into_iter().map(broken))
}
