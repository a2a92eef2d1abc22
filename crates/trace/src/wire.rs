//! The frames on the wire that a frame between a host and its device stands for.
//!
//! With offload the device cuts a super-frame into many, or has joined many to it, and writes checksums. Views that speak
//! of what is on the wire show what [`framewise_device::offload`] makes of it.

use std::borrow::Cow;

use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::seams::frame::Frame;
use framewise_device::offload::{complete, extent};

/// How many frames on the wire a frame with these facts stands for.
pub(crate) fn count(frame: &[u8], facts: Offload) -> usize {
    let Some(size) = facts.segment_size.filter(|size| *size > 0) else { return 1 };
    extent(frame).map_or(1, |extent| extent.payload.div_ceil(usize::from(size)).max(1))
}

/// A frame with these facts in one piece, with its checksum.
pub(crate) fn whole(frame: &[u8], facts: Offload) -> Cow<'_, [u8]> {
    let uncut = Offload { segment_size: None, ..facts };
    frames(frame, uncut).pop().unwrap_or(Cow::Borrowed(frame))
}

/// The frames on the wire that a frame with these facts stands for: itself, where nothing is left to the device.
pub fn frames(frame: &[u8], facts: Offload) -> Vec<Cow<'_, [u8]>> {
    if facts.segment_size.is_none() && !matches!(facts.checksum, ChecksumState::Partial { .. }) {
        return vec![Cow::Borrowed(frame)];
    }
    let mut buf = Buf::copy_from_slice(frame);
    buf.set_offload_facts(facts);
    match complete(Frame::new(buf, InterfaceId::default())) {
        Ok(frames) => frames.map(|frame| Cow::Owned(frame.to_vec())).collect(),
        // Facts that don't fit their frame: then the frame is all there is to show.
        Err(_) => vec![Cow::Borrowed(frame)],
    }
}
