//! The fuzzer's bytes, taken from the front; what is not there any more is zero, so that every input means something.

/// Bytes of which each question takes some.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Input(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most this many bytes.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Two bytes, the first being the more significant.
    pub fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Four bytes.
    pub fn long(&mut self) -> u32 {
        u32::from(self.word()) << 16 | u32::from(self.word())
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.word()) % end
    }

    /// A piece with its length in front, in one byte.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    /// Cuts `bytes` in as many places as a byte says, and hands the pieces over one after another.
    pub fn cut<'b>(&mut self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let mut places: Vec<usize> = (0..self.byte() % 16).map(|_| self.below(bytes.len() + 1)).collect();
        places.push(bytes.len());
        places.sort_unstable();
        let starts = std::iter::once(0).chain(places.iter().copied());
        starts.zip(places.iter().copied()).filter_map(|(from, to)| bytes.get(from..to)).collect()
    }
}
