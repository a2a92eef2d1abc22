//! Rings in memory that the system maps.
//!
//! Beside the devices' calls into Linux this is the only unsafe code. What it relies on:
//! - A place belongs to one [`Rings`] at a time: it is taken out of the list of free places under its lock, and put back
//!   when the `Rings` is dropped. No two places overlap.
//! - A piece stays mapped as long as the arena, which each `Rings` holds on to.
//! - The memory is private and anonymous. Giving it back turns its bytes into zeros, which is as good a content as any
//!   for `u8`; nobody runs meanwhile who reads or writes it.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// Bytes that are mapped at a time, or sixteen places if they are more. It is no memory yet, but room for addresses.
const PIECE: usize = 16 << 20;
/// Bytes of free places that may keep what memory they have, for the connections that come next.
const WARM: usize = 16 << 20;

/// Where rings come from: as many as are wanted, all of the same size.
#[derive(Clone, Debug)]
pub(crate) struct Arena(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Bytes of each ring.
    receive: usize,
    send: usize,
    /// Where the second ring begins, and the next place: whole pages, so that they can be given back.
    middle: usize,
    stride: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    pieces: Vec<Piece>,
    /// Free ones that may have memory. The last one that was used is the first to be used again: it is in the cache.
    warm: Vec<Start>,
    /// Free ones that have none.
    cold: Vec<Start>,
}

/// A piece of mapped memory.
#[derive(Debug)]
struct Piece {
    start: Start,
    length: usize,
}

/// Where a place or a piece begins.
#[derive(Clone, Copy, Debug)]
struct Start(NonNull<c_void>);

// SAFETY: it is an address, behind which only the owner of the `Rings` or the arena does anything.
unsafe impl Send for Start {}
// SAFETY: the same; a shared one can but be copied.
unsafe impl Sync for Start {}

/// The two rings of one connection.
#[derive(Debug)]
pub(crate) struct Rings {
    arena: Arc<Shared>,
    start: Start,
}

/// The memory that rings lie in. There is one beside the rings, for whoever has lent them to somebody else.
#[derive(Debug)]
pub(crate) struct Memory {
    start: Start,
    length: usize,
}

impl Arena {
    /// For rings of these many bytes.
    pub(crate) fn new(receive: usize, send: usize) -> Self {
        let page = rustix::param::page_size();
        let middle = receive.next_multiple_of(page);
        let stride = middle + send.next_multiple_of(page);
        Arena(Arc::new(Shared { receive, send, middle, stride, places: Mutex::default() }))
    }

    /// Two rings of any content; `None` where there is no more memory.
    pub(crate) fn take(&self) -> Option<Rings> {
        let start = self.0.free_place()?;
        Some(Rings { arena: self.0.clone(), start })
    }
}

impl Shared {
    fn free_place(&self) -> Option<Start> {
        let mut places = self.lock();
        if places.warm.is_empty() && places.cold.is_empty() {
            places.map(self.stride)?;
        }
        places.warm.pop().or_else(|| places.cold.pop())
    }

    fn put_back(&self, mut memory: Memory) {
        let mut places = self.lock();
        if (places.warm.len() + 1) * self.stride <= WARM.max(self.stride) {
            places.warm.push(memory.start);
        } else {
            memory.give_back();
            places.cold.push(memory.start);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// Maps one more piece, all of whose places are free.
    fn map(&mut self, stride: usize) -> Option<()> {
        let count = (PIECE / stride).max(16);
        let length = stride.checked_mul(count)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: it is mapped where the system finds room, over nothing else.
        let start = unsafe {
            mmap_anonymous(std::ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, flags)
        };
        let start = NonNull::new(start.ok()?)?;
        // Page by page, also where the system would rather give 2 MiB at once. Where it does not know of such, all is well.
        // SAFETY: advice about the piece just mapped, which changes no byte.
        let _ = unsafe { madvise(start.as_ptr(), length, Advice::LinuxNoHugepage) };
        self.pieces.push(Piece { start: Start(start), length });
        // The last one first in the list, so that places are taken in the order of their addresses.
        // SAFETY: each offset lies within the piece.
        self.cold.extend((0..count).rev().map(|n| Start(unsafe { start.byte_add(n * stride) })));
        Some(())
    }
}

impl Rings {
    /// The ring for what comes, and that for what goes.
    pub(crate) fn split(&mut self) -> (&mut [u8], &mut [u8]) {
        let start = self.start.0.cast::<u8>();
        let Shared { receive, send, middle, .. } = *self.arena;
        // SAFETY: both lie within the place, which is mapped and ours alone, and do not overlap. They are borrowed as
        // long as this is, mutably.
        unsafe {
            (
                std::slice::from_raw_parts_mut(start.as_ptr(), receive),
                std::slice::from_raw_parts_mut(start.byte_add(middle).as_ptr(), send),
            )
        }
    }

    /// The memory they lie in. It is for the time that the rings are borrowed by whoever fills them, and of no use later.
    pub(crate) fn memory(&self) -> Memory {
        Memory { start: self.start, length: self.arena.stride }
    }
}

impl Drop for Rings {
    fn drop(&mut self) {
        self.arena.put_back(self.memory());
    }
}

impl Memory {
    /// Nothing in the rings counts any more: the system may have the pages, and puts zeros there when they are used again.
    pub(crate) fn give_back(&mut self) {
        // SAFETY: these are whole pages of a private, anonymous mapping that lives as long as the arena, and whoever
        // holds this holds the rings in them.
        // An error leaves all as it is, which is as good.
        let _ = unsafe { madvise(self.start.0.as_ptr(), self.length, Advice::LinuxDontNeed) };
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        // SAFETY: this is the piece that was mapped. The arena goes with the last of its rings, so nobody has one in it.
        let _ = unsafe { munmap(self.start.0.as_ptr(), self.length) };
    }
}
