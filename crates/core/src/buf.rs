//! Buffers: pooled, thin, with room in front, so that no payload is copied between layers.
//!
//! ```text
//!   ┌────────── headroom ──────────┬──────── payload ────────┬─── tailroom ───┐
//!   │              ◄── prepend     │                         │                │
//!   └──────────────────────────────┴─────────────────────────┴────────────────┘
//!                        advance ──►                ◄── truncate, append ──►
//! ```
//!
//! Going down, each layer [prepends](Buf::prepend) its header to the same buffer; going up, each
//! [advances](Buf::advance) past its own. Whoever holds the buffer owns it; dropping it gives it back to the
//! pool of the thread it is dropped on. What neighbours must know about the bytes beside the bytes
//! (addresses, next hop, offload facts) is written on the buffer's [`Label`], so that a message
//! at the lower seams is one pointer.

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::{Deref, DerefMut};

use bytes::Bytes;

/// Room in front of a fresh buffer's payload, in bytes: Ethernet with a VLAN tag, the longest IPv4 header
/// or IPv6 with a fragment header, and the longest TCP header fit.
pub const HEADROOM: usize = 160;
/// Payload room of a small buffer: any frame of an Ethernet with an MTU of 1,500 bytes.
pub const SMALL: usize = 2_048;
/// Payload room of a large buffer: any IP packet, and the headers in front of it.
pub const LARGE: usize = 66 * 1_024;

/// From where a large buffer's room is used: from a page on, as the kernel's own memory and that of TCP's rings does. Some processors
/// copy more than ten times slower when the target's place in its page is by 1 to 31 bytes after the source's; buffers
/// that begin anywhere are sometimes such a target, and then always.
const PAGE: usize = 4_096;

/// The whole room of a buffer of each size, and how many of them a thread keeps for reuse.
const SMALL_ROOM: usize = HEADROOM + SMALL;
const LARGE_ROOM: usize = HEADROOM + LARGE + PAGE;
const KEEP_SMALL: usize = 1_024;
const KEEP_LARGE: usize = 64;

/// A buffer of bytes with its [`Label`].
///
/// Dereferences to its payload as `[u8]`.
///
/// ```
/// use framewise_core::Buf;
/// let mut buf = Buf::copy_from_slice(b"page");
/// buf.prepend(2).copy_from_slice(b"h:");
/// assert_eq!(&buf[..], b"h:page");
/// buf.advance(2);
/// assert_eq!(&buf[..], b"page");
/// ```
pub struct Buf(Option<Box<Storage>>);

struct Storage {
    room: Box<[u8]>,
    /// Where a fresh payload begins.
    origin: usize,
    start: usize,
    end: usize,
    serial: u64,
    label: Label,
}

/// What neighbours know about a buffer's bytes beside the bytes. Each seam's message types give the
/// fields that count there their names; see [`seams`](crate::seams).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Which of the host's interfaces it came from or goes to.
    pub interface: InterfaceId,
    /// Source address of a segment.
    pub source: IpAddr,
    /// Destination address of a segment.
    pub destination: IpAddr,
    /// The protocol above IP: 6 for TCP, 17 for UDP.
    pub protocol: u8,
    /// TTL or hop limit: of a received packet, or asked for.
    pub hop_limit: Option<u8>,
    /// To whom Ethernet shall hand an outgoing packet.
    pub next_hop: NextHop,
    /// What is left to the device, or was done by it.
    pub offload: Offload,
}

impl Default for Label {
    fn default() -> Self {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Label {
            interface: InterfaceId(0),
            source: nowhere,
            destination: nowhere,
            protocol: 0,
            hop_limit: None,
            next_hop: NextHop::Broadcast,
            offload: Offload::default(),
        }
    }
}

/// One of a host's interfaces, counted from 0 in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InterfaceId(pub u8);

/// To whom a packet is handed on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// To the neighbour with this address.
    Neighbour(IpAddr),
    /// To the members of this multicast group (RFC 1112 section 6.4, RFC 2464 section 7 give its MAC address).
    Multicast(IpAddr),
    /// To everybody.
    Broadcast,
}

/// What the device does instead of the layers: facts that travel with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Offload {
    /// Who computes or has checked the checksum of the segment.
    pub checksum: ChecksumState,
    /// Payload bytes per segment, where the device shall cut this super-segment (or has joined it).
    pub segment_size: Option<u16>,
}

impl Offload {
    /// The same with a partial checksum's place counted from elsewhere.
    fn moved(mut self, to: impl FnOnce(usize) -> usize) -> Self {
        if let ChecksumState::Partial { start, .. } = &mut self.checksum {
            *start = to(usize::from(*start)) as u16;
        }
        self
    }
}

/// Who computes or has checked the transport checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChecksumState {
    /// It is in the bytes and counts; whoever receives it verifies it.
    #[default]
    Complete,
    /// Outbound: the device is to compute it. Inbound: it never was on a wire, so there is nothing to verify.
    Partial {
        /// Where the sum begins, in the buffer's whole room (see [`Buf::position`]): headers put in front don't move it.
        start: u16,
        /// Where the checksum's field is, counted from `start`.
        field: u16,
    },
    /// The device has verified it.
    Verified,
}

/// The boxes themselves are kept: a buffer moves between the pool and a message as one pointer.
#[derive(Default)]
#[allow(clippy::vec_box)]
struct Pool {
    small: Vec<Box<Storage>>,
    large: Vec<Box<Storage>>,
    serial: u64,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

impl Buf {
    /// An empty buffer with [`HEADROOM`] bytes in front and room for at least `payload` bytes.
    pub fn with_capacity(payload: usize) -> Self {
        // A thread that is ending has no pool any more; a buffer can still be made.
        let pooled = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            pool.serial += 1;
            let serial = pool.serial;
            let kept = match payload {
                0..=SMALL => pool.small.pop(),
                _ if payload <= LARGE => pool.large.pop(),
                _ => None,
            };
            (serial, kept)
        });
        let (serial, kept) = pooled.unwrap_or((0, None));
        let mut storage = kept.unwrap_or_else(|| Box::new(Storage::with_room(room_for(payload))));
        storage.serial = serial;
        Buf(Some(storage))
    }

    /// A buffer that holds a copy of `bytes`.
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        let mut buf = Buf::with_capacity(bytes.len());
        buf.append(bytes.len()).copy_from_slice(bytes);
        buf
    }

    /// Grows by `n` bytes at the front and gives them, to be written. Their content is arbitrary.
    pub fn prepend(&mut self, n: usize) -> &mut [u8] {
        if n > self.headroom() {
            self.move_to_larger(n, 0);
        }
        let storage = self.storage_mut();
        storage.start -= n;
        &mut storage.room[storage.start..storage.start + n]
    }

    /// Grows by `n` bytes at the end and gives them, to be written. Their content is arbitrary.
    pub fn append(&mut self, n: usize) -> &mut [u8] {
        if n > self.tailroom() {
            self.move_to_larger(0, n);
        }
        let storage = self.storage_mut();
        let from = storage.end;
        storage.end += n;
        &mut storage.room[from..from + n]
    }

    /// Leaves out the first `n` bytes, or all if there are fewer. They stay in front, as headroom.
    pub fn advance(&mut self, n: usize) {
        let n = n.min(self.len());
        self.storage_mut().start += n;
    }

    /// Keeps the first `n` bytes, if there are more.
    pub fn truncate(&mut self, n: usize) {
        let n = n.min(self.len());
        let storage = self.storage_mut();
        storage.end = storage.start + n;
    }

    /// Bytes that [`prepend`](Self::prepend) gives without moving the payload.
    pub fn headroom(&self) -> usize {
        self.storage().start
    }

    /// Bytes that [`append`](Self::append) gives without moving the payload.
    pub fn tailroom(&self) -> usize {
        let storage = self.storage();
        storage.room.len() - storage.end
    }

    /// Where the first byte stands in the buffer's whole room: what absolute offsets are counted from.
    pub fn position(&self) -> usize {
        self.storage().start
    }

    /// This buffer's number among those of its thread. It stays the same on the way through the layers, and is
    /// for watching only: nothing a peer can see may depend on it.
    pub fn serial(&self) -> u64 {
        self.storage().serial
    }

    /// What is known about the bytes.
    pub fn label(&self) -> &Label {
        &self.storage().label
    }

    /// What is known about the bytes, to be written.
    pub fn label_mut(&mut self) -> &mut Label {
        &mut self.storage_mut().label
    }

    /// What is left to the device or was done by it, with the place of a [partial](ChecksumState::Partial) checksum counted
    /// from the payload's first byte: as it is told outside of a buffer.
    pub fn offload_facts(&self) -> Offload {
        self.label().offload.moved(|start| start.saturating_sub(self.position()))
    }

    /// The opposite of [`offload_facts`](Self::offload_facts): takes over what was told outside of a buffer.
    pub fn set_offload_facts(&mut self, facts: Offload) {
        let position = self.position();
        self.label_mut().offload = facts.moved(|start| start + position);
    }

    /// The payload as shared bytes, for a stream. The buffer itself goes along, without a copy, unless the payload
    /// is small for the room it would hold on to.
    pub fn into_bytes(self) -> Bytes {
        if self.len() < self.storage().room.len() / 8 {
            return Bytes::copy_from_slice(&self);
        }
        Bytes::from_owner(self)
    }

    /// Moves the payload to a fresh buffer with at least `front` more bytes before it and `back` after it.
    #[cold]
    fn move_to_larger(&mut self, front: usize, back: usize) {
        let (length, facts) = (self.len(), self.offload_facts());
        let room = vec![0; HEADROOM + front + room_for(length + back)].into_boxed_slice();
        let storage = self.storage_mut();
        let old = std::mem::replace(&mut storage.room, room);
        let start = HEADROOM + front;
        storage.origin = HEADROOM;
        storage.room[start..start + length].copy_from_slice(&old[storage.start..storage.end]);
        storage.start = start;
        storage.end = start + length;
        self.set_offload_facts(facts);
    }

    fn storage(&self) -> &Storage {
        self.0.as_ref().expect("a buffer is empty only while it is being dropped")
    }

    fn storage_mut(&mut self) -> &mut Storage {
        self.0.as_mut().expect("a buffer is empty only while it is being dropped")
    }
}

impl Storage {
    fn with_room(payload: usize) -> Self {
        let slack = if payload > SMALL { PAGE } else { 0 };
        let room = vec![0; HEADROOM + payload + slack].into_boxed_slice();
        let origin = HEADROOM + room.as_ptr().align_offset(PAGE).min(slack);
        Storage { room, origin, start: origin, end: origin, serial: 0, label: Label::default() }
    }

    fn clear(&mut self) {
        self.start = self.origin;
        self.end = self.origin;
        self.label = Label::default();
    }
}

fn room_for(payload: usize) -> usize {
    match payload {
        0..=SMALL => SMALL,
        _ if payload <= LARGE => LARGE,
        _ => payload,
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        let Some(mut storage) = self.0.take() else { return };
        storage.clear();
        // On a thread that is ending the buffer is simply freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            match storage.room.len() {
                SMALL_ROOM if pool.small.len() < KEEP_SMALL => pool.small.push(storage),
                LARGE_ROOM if pool.large.len() < KEEP_LARGE => pool.large.push(storage),
                _ => {}
            }
        });
    }
}

impl Clone for Buf {
    /// A copy of the bytes and the label in another buffer.
    fn clone(&self) -> Self {
        let mut copy = Buf::copy_from_slice(self);
        *copy.label_mut() = self.label().clone();
        copy.set_offload_facts(self.offload_facts());
        copy
    }
}

impl Deref for Buf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let storage = self.storage();
        &storage.room[storage.start..storage.end]
    }
}

impl DerefMut for Buf {
    fn deref_mut(&mut self) -> &mut [u8] {
        let storage = self.storage_mut();
        &mut storage.room[storage.start..storage.end]
    }
}

impl AsRef<[u8]> for Buf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Buf {
    fn from(bytes: &[u8]) -> Self {
        Buf::copy_from_slice(bytes)
    }
}

impl PartialEq for Buf {
    /// Same bytes, whatever the label.
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Buf {}

impl fmt::Debug for Buf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buf({} bytes:", self.len())?;
        for byte in self.iter().take(16) {
            write!(f, " {byte:02x}")?;
        }
        f.write_str(if self.len() > 16 { " …)" } else { ")" })
    }
}
