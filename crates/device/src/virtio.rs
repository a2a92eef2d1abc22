//! The virtio-net header: what the kernel and a program at the other end of a TAP tell each other of a frame's offload.
//!
//! Read first: Virtual I/O Device (VIRTIO) 1.2, sections 5.1.6 (the header), 5.1.6.2 (sending) and 5.1.6.4 (receiving).
//!
//! ```text
//!   0       1          2          4          6            8             10
//!   ┌───────┬──────────┬──────────┬──────────┬────────────┬─────────────┬───────── ─ ─
//!   │ flags │ gso_type │ hdr_len  │ gso_size │ csum_start │ csum_offset │ frame
//!   └───────┴──────────┴──────────┴──────────┴────────────┴─────────────┴───────── ─ ─
//!     │ 1: the sum of csum_start to the end is to be written at csum_start + csum_offset ("needs checksum")
//!     │ 2: the checksum was verified ("data valid")
//! ```
//!
//! All fields are little-endian here, since the TAP is told so. The field `num_buffers`, which makes the header 12
//! bytes long, is for a device that spreads a frame over several buffers, which a TAP does not.

use framewise_core::buf::{ChecksumState, Offload};
use framewise_core::read::{u8_at, u16_at};
use framewise_core::seams::frame::Frame;
use thiserror::Error;

use crate::offload::{Extent, OffloadError, extent};

/// Bytes of the header.
pub const VIRTIO_HEADER: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const SEGMENTATION_NONE: u8 = 0;
const SEGMENTATION_TCP_V4: u8 = 1;
const SEGMENTATION_TCP_V6: u8 = 4;
/// Beside the type: the segment's first piece alone answers congestion (RFC 3168), which every cutter of ours does anyway.
const SEGMENTATION_ECN: u8 = 0x80;

/// Why a header is no good.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VirtioError {
    /// There is not even a whole header.
    #[error("virtio: the header needs {VIRTIO_HEADER} bytes, there are {found}")]
    TooShort {
        /// What is there.
        found: usize,
    },
    /// A kind of super-segment that was not agreed on.
    #[error("virtio: segmentation of type {found} was not agreed on")]
    Segmentation {
        /// The type.
        found: u8,
    },
    /// Segments of no bytes.
    #[error("virtio: a segment size of 0 would never end")]
    ZeroSegmentSize,
    /// The headers that are to be repeated in front of each segment are longer than the frame.
    #[error("virtio: headers of {needed} bytes in a frame of {found}")]
    HeadersBeyondFrame {
        /// Bytes of headers.
        needed: usize,
        /// Bytes of frame.
        found: usize,
    },
    /// The checksum has no place in the frame.
    #[error("virtio: the checksum ends at byte {needed} of a frame of {found}")]
    ChecksumBeyondFrame {
        /// Where its field would end.
        needed: usize,
        /// Bytes of frame.
        found: usize,
    },
}

impl VirtioError {
    /// The same as a short fixed phrase, by which drops are counted.
    pub fn reason(&self) -> &'static str {
        match self {
            VirtioError::TooShort { .. } => "virtio header cut off",
            VirtioError::Segmentation { .. } => "virtio segmentation not agreed on",
            VirtioError::ZeroSegmentSize => "virtio segment size 0",
            VirtioError::HeadersBeyondFrame { .. } => "virtio headers longer than the frame",
            VirtioError::ChecksumBeyondFrame { .. } => "virtio checksum beyond the frame",
        }
    }
}

/// The fields of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VirtioHeader {
    /// Which of the two facts about the checksum hold.
    pub flags: u8,
    /// What kind of super-segment it is; 0: none.
    pub gso_type: u8,
    /// Bytes of all headers together, of a super-segment. A hint, by which the receiver lays out its buffers.
    pub hdr_len: u16,
    /// Payload bytes of each segment, of a super-segment.
    pub gso_size: u16,
    /// Where the sum begins, counted from the frame's first byte.
    pub csum_start: u16,
    /// Where the checksum stands, counted from `csum_start`.
    pub csum_offset: u16,
}

impl VirtioHeader {
    /// Reads the header in front of a frame.
    ///
    /// # Errors
    /// There are too few bytes. What the fields say is judged by [`facts`](Self::facts).
    pub fn parse(bytes: &[u8]) -> Result<Self, VirtioError> {
        let word = |at| u16_at(bytes, at).map(u16::swap_bytes);
        let fields = || {
            Some(VirtioHeader {
                flags: u8_at(bytes, 0)?,
                gso_type: u8_at(bytes, 1)?,
                hdr_len: word(2)?,
                gso_size: word(4)?,
                csum_start: word(6)?,
                csum_offset: word(8)?,
            })
        };
        fields().ok_or(VirtioError::TooShort { found: bytes.len() })
    }

    /// The header's bytes.
    pub fn to_bytes(self) -> [u8; VIRTIO_HEADER] {
        let [h0, h1] = self.hdr_len.to_le_bytes();
        let [g0, g1] = self.gso_size.to_le_bytes();
        let [s0, s1] = self.csum_start.to_le_bytes();
        let [o0, o1] = self.csum_offset.to_le_bytes();
        [self.flags, self.gso_type, h0, h1, g0, g1, s0, s1, o0, o1]
    }

    /// What it says about a frame of `length` bytes, as our layers know it.
    ///
    /// # Errors
    /// It can't be true of such a frame, or speaks of what was not agreed on.
    pub fn facts(&self, length: usize) -> Result<Offload, VirtioError> {
        Ok(Offload { checksum: self.checksum(length)?, segment_size: self.segment_size(length)? })
    }

    fn checksum(&self, length: usize) -> Result<ChecksumState, VirtioError> {
        if self.flags & NEEDS_CHECKSUM == 0 {
            let verified = self.flags & DATA_VALID != 0;
            return Ok(if verified { ChecksumState::Verified } else { ChecksumState::Complete });
        }
        let needed = usize::from(self.csum_start) + usize::from(self.csum_offset) + 2;
        if needed > length {
            return Err(VirtioError::ChecksumBeyondFrame { needed, found: length });
        }
        Ok(ChecksumState::Partial { start: self.csum_start, field: self.csum_offset })
    }

    fn segment_size(&self, length: usize) -> Result<Option<u16>, VirtioError> {
        match self.gso_type & !SEGMENTATION_ECN {
            SEGMENTATION_NONE => return Ok(None),
            SEGMENTATION_TCP_V4 | SEGMENTATION_TCP_V6 => {}
            found => return Err(VirtioError::Segmentation { found }),
        }
        let needed = usize::from(self.hdr_len);
        if needed > length {
            return Err(VirtioError::HeadersBeyondFrame { needed, found: length });
        }
        if self.gso_size == 0 {
            return Err(VirtioError::ZeroSegmentSize);
        }
        Ok(Some(self.gso_size))
    }

    /// The header that leaves to the kernel what `frame` leaves to its device.
    ///
    /// # Errors
    /// The facts don't fit the bytes.
    pub fn of(frame: &Frame) -> Result<Self, OffloadError> {
        let facts = frame.offload_facts();
        let mut header = VirtioHeader::default();
        if let ChecksumState::Partial { start, field } = facts.checksum {
            header.flags = NEEDS_CHECKSUM;
            header.csum_start = start;
            header.csum_offset = field;
        }
        if let Some(size) = facts.segment_size {
            let Extent { headers, is_ipv4, payload } = extent(frame)?;
            if size == 0 {
                return Err(OffloadError::ZeroSegmentSize);
            }
            if payload > usize::from(size) {
                header.gso_type = if is_ipv4 { SEGMENTATION_TCP_V4 } else { SEGMENTATION_TCP_V6 };
                header.gso_size = size;
                header.hdr_len = headers as u16;
            }
        }
        Ok(header)
    }

    /// Bytes of the longest frame that one of `length` bytes becomes.
    pub fn wire_length(&self, length: usize) -> usize {
        match self.gso_type {
            SEGMENTATION_NONE => length,
            _ => length.min(usize::from(self.hdr_len) + usize::from(self.gso_size)),
        }
    }
}
