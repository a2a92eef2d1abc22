//! How this process takes large pieces of memory from the operating system.
//!
//! A connection has two rings, half a megabyte each for bulk, of which an idle one touches next to nothing. Memory that is
//! mapped anew costs only what is touched; memory that is used again must be zeroed first, and so touched whole. glibc
//! maps large pieces to begin with, but stops doing so once one has been given back (mallopt(3), `M_MMAP_THRESHOLD`):
//! a server of a thousand connections then holds gigabytes, and spends most of its time on zeros. Once told from where on
//! to map, glibc also gives every small piece at the heap's end back at once, only to take it again for the next
//! (`M_TRIM_THRESHOLD`): so it is told to keep some.

/// From here on pieces of 128 KiB and more are always mapped anew, and 16 MiB of small ones are kept. Elsewhere than with glibc on Linux it does nothing.
pub fn map_large_pieces() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    crate::linux::set_heap_thresholds(128 << 10, 16 << 20);
}
