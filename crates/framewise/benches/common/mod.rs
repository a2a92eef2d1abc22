//! What the benchmarks measure.
#![allow(dead_code, reason = "each benchmark uses its part")]

pub(crate) mod bare;
pub(crate) mod compare;
pub(crate) mod flows;
pub(crate) mod hosts;
pub(crate) mod resident;
pub(crate) mod stacks;
pub(crate) mod tcp_pair;
pub(crate) mod unwatched;

/// Bytes of a large page.
pub(crate) const BULK: usize = 16 << 20;
/// Bytes of a piece of it, as an application hands them over.
pub(crate) const PIECE: usize = 64 << 10;
/// Bytes of a small page's body.
pub(crate) const SMALL: usize = 64;
/// Bytes that a connection may have on its way, of a large page: what a scaled window can say exactly.
pub(crate) const WINDOW: usize = 8 * 65_535;

/// How segments travel. Both stacks that are compared do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segments {
    /// Packets of 1,500 bytes, whose checksums are computed and verified.
    Packets,
    /// Up to 64 KiB in one piece, to be cut and summed by a device; the memory between two hosts needs neither.
    Super,
}
