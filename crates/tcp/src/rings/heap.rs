//! Rings of the heap.

/// Where rings come from.
#[derive(Clone, Debug)]
pub(crate) struct Arena {
    receive: usize,
    send: usize,
}

/// The two rings of one connection.
#[derive(Debug)]
pub(crate) struct Rings {
    receive: Box<[u8]>,
    send: Box<[u8]>,
}

/// The memory that rings lie in.
#[derive(Debug)]
pub(crate) struct Memory;

impl Arena {
    /// For rings of these many bytes.
    pub(crate) fn new(receive: usize, send: usize) -> Self {
        Arena { receive, send }
    }

    /// Two rings of any content; `None` where there is no more memory.
    pub(crate) fn take(&self) -> Option<Rings> {
        let [receive, send] = [self.receive, self.send].map(|bytes| vec![0; bytes].into_boxed_slice());
        Some(Rings { receive, send })
    }
}

impl Rings {
    /// The ring for what comes, and that for what goes.
    pub(crate) fn split(&mut self) -> (&mut [u8], &mut [u8]) {
        (&mut self.receive, &mut self.send)
    }

    /// The memory they lie in.
    pub(crate) fn memory(&self) -> Memory {
        Memory
    }
}

impl Memory {
    /// Nothing in the rings counts any more. A heap has no use for that.
    pub(crate) fn give_back(&mut self) {}
}
