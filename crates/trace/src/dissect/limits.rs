//! How much a dissection holds, and what it leaves out beyond that.

/// How much a dissection holds. What is beyond is left out, and [`LeftOut`] says so.
///
/// Memory is bounded by these: the bytes of the frames once; some 150 bytes beside for each frame; a kilobyte for each
/// connection. Records and messages come on top, once somebody asks for them: some hundred bytes for each. A stream of nothing
/// but tiny ones is read only up to one for 64 of its bytes on average, so that the worst is three times the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Frames.
    pub frames: usize,
    /// Bytes of frames and of the comments on them.
    pub bytes: usize,
    /// TCP connections. Frames of further ones are explained up to their TCP header.
    pub connections: usize,
    /// Packets that came in fragments and are put together.
    pub datagrams: usize,
    /// Fragments of one packet.
    pub fragments: usize,
}

impl Default for Limits {
    /// Two million frames of 256 MiB, 65,536 connections, 65,536 packets of at most 1,024 fragments each.
    fn default() -> Self {
        Limits {
            frames: 2_000_000,
            bytes: 256 * 1_024 * 1_024,
            connections: 65_536,
            datagrams: 65_536,
            fragments: 1_024,
        }
    }
}

/// What a dissection has left out, since it was more than the [`Limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Frames after the last that is held.
    pub frames: u64,
    /// Comments on frames that are held.
    pub comments: u64,
    /// Segments of connections that are not followed.
    pub segments: u64,
    /// Fragments that were not put together with others.
    pub fragments: u64,
    /// Secrets of the key log.
    pub secrets: u64,
}

impl LeftOut {
    /// Whether nothing was left out.
    pub fn is_nothing(&self) -> bool {
        *self == LeftOut::default()
    }
}

/// How many records or messages are kept of a stream of so many bytes: what is smaller on average is a flood of nothing.
pub(super) fn allowance(stream: u64) -> usize {
    at_least_a_few(stream / 64)
}

/// How many pieces of bodies are kept, each of which takes 16 bytes.
pub(super) fn pieces_allowance(stream: u64) -> usize {
    at_least_a_few(stream / 16)
}

fn at_least_a_few(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).saturating_add(64)
}
