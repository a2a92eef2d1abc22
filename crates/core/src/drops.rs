//! Why layers drop what they drop, for people: each layer crate has a table of its reasons, as [`Cx::dropped`] and
//! [`Cx::ignored`] count them.
//!
//! [`Cx::dropped`]: crate::Cx::dropped
//! [`Cx::ignored`]: crate::Cx::ignored

/// One reason for which a layer drops something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DropReason {
    /// The layer, as it is counted.
    pub layer: &'static str,
    /// The phrase that is counted.
    pub reason: &'static str,
    /// What it means, in one sentence without a full stop.
    pub meaning: &'static str,
    /// RFC and section; empty where no RFC speaks of it.
    pub source: &'static str,
}

/// The rows of a table, each of them a reason, its meaning and its source.
pub type Rows<const N: usize> = [(&'static str, &'static str, &'static str); N];

/// The table of one layer.
pub const fn table<const N: usize>(layer: &'static str, rows: Rows<N>) -> [DropReason; N] {
    let mut table = [DropReason { layer, reason: "", meaning: "", source: "" }; N];
    let mut at = 0;
    while at < N {
        let (reason, meaning, source) = rows[at];
        table[at] = DropReason { layer, reason, meaning, source };
        at += 1;
    }
    table
}

/// Reasons that the composition of layers itself has.
#[rustfmt::skip]
pub const DROPS: [DropReason; 1] = table("beside", [
    ("no layer above takes it", "neither TCP nor UDP is what it is for", "RFC 1122 §3.2.2.1"),
]);
