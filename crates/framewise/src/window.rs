//! Credit for a body: given back in good parts, since piece by piece would cut the pieces ever finer.

/// How much of the credit for one body was used since it was last given back.
#[derive(Debug, Default)]
pub(crate) struct Window {
    taken: usize,
}

impl Window {
    /// Bytes of body that may be on their way to us at a time.
    pub(crate) const BYTES: usize = 512 << 10;

    /// `bytes` came and were taken. Says how many to grant again, if it is time to.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<usize> {
        self.taken += bytes;
        let is_half = self.taken >= Self::BYTES / 2;
        is_half.then(|| std::mem::take(&mut self.taken))
    }
}
