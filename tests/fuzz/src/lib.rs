//! What the fuzz targets do with their bytes, and what must be true afterwards.
//!
//! ```text
//!   bytes of the fuzzer ──► run(bytes) ──► parsers, one layer, or whole hosts in virtual time
//!                                 └──────► assertions: no panic, bounds, round trips, the page byte for byte
//! ```
//!
//! Here is everything but the fuzzer itself: `tests/fuzz/targets` is a workspace of its own, whose programs hand libFuzzer's
//! bytes to [`TARGETS`]. So what a target does is compiled, linted and tested like everything else, and stable Rust never sees
//! libFuzzer. `cargo xtask fuzz` builds and runs them.
//!
//! The seeds from which the fuzzer begins are made by [`seeds`]: from the captures in `pcaps`, and by hand.

#![forbid(unsafe_code)]

pub mod exchanges;
pub mod files;
pub mod fragments;
pub mod headers;
pub mod host;
pub mod input;
pub mod kept;
pub mod mend;
pub mod names;
pub mod page;
pub mod peers;
pub mod rig;
pub mod seeds;
pub mod text;

/// One fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its program.
    pub name: &'static str,
    /// What it does with the fuzzer's bytes. It panics if something is not as it must be.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    Target { name: "headers", run: headers::run },
    Target { name: "fragments", run: fragments::run },
    Target { name: "names", run: names::run },
    Target { name: "text", run: text::run },
    Target { name: "files", run: files::run },
    Target { name: "exchanges", run: exchanges::run },
    Target { name: "peers", run: peers::run },
    Target { name: "host", run: host::run },
    Target { name: "page", run: page::run },
];
