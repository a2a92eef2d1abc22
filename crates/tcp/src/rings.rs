//! Memory for the rings of connections: there once it is written to, and given back while a connection is idle.
//!
//! A connection has two rings, of 64 KiB to half a megabyte each, of which most connections use little and idle ones
//! nothing; that for sending nobody writes to (see [`send_queue`](crate::send_queue)). A heap would zero them, and so
//! have them there in full, or ask the system for each anew. So a large piece of memory is mapped once for the rings of
//! many connections: the system puts a page into it when something is first written there, and takes it away when it is
//! told that nothing there counts any more.
//!
//! ```text
//!   piece   ┌─────────┬──────┬─────────┬──────┬─────────┬──────┬── ─ ─
//!           │ receive │ send │ receive │ send │ receive │ send │
//!           └─────────┴──────┴─────────┴──────┴─────────┴──────┴── ─ ─
//!   place   └─────── 0 ──────┘─────── 1 ──────┘─────── 2 ──────┘
//! ```
//!
//! That is how Linux does it; elsewhere the rings are of the heap.

#[cfg(not(target_os = "linux"))]
mod heap;
#[cfg(target_os = "linux")]
mod mapped;

#[cfg(not(target_os = "linux"))]
pub(crate) use heap::{Arena, Memory, Rings};
#[cfg(target_os = "linux")]
pub(crate) use mapped::{Arena, Memory, Rings};

#[cfg(test)]
mod tests;
