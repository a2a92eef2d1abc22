//! What the Runner needs of a device of the operating system.

use std::collections::BTreeMap;
use std::io;

use framewise_core::seams::frame::Frame;

/// A device of the operating system. It never blocks: who wants to wait, waits for its descriptor.
pub trait Device {
    /// Sends a frame. Gives it back if the device can't take it now: then offer it again later.
    ///
    /// # Errors
    /// The device is gone or broken. The frame is lost, and counted.
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>>;

    /// The next frame that came, or `None` if there is none now.
    ///
    /// # Errors
    /// The device is gone or broken.
    fn receive(&mut self) -> io::Result<Option<Frame>>;

    /// Bytes of the largest IP packet that fits into a frame.
    fn mtu(&self) -> usize;

    /// What it does instead of the layers. Whatever this says, a frame with offload facts may be handed to
    /// [`transmit`](Self::transmit): what the device can't do is done in software.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// What becomes readable when a frame has come.
    #[cfg(unix)]
    fn readable_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>>;

    /// What went through it so far.
    fn counters(&self) -> &DeviceCounters;
}

/// What a device does instead of the layers: nothing, unless it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Computes TCP's and UDP's checksums.
    pub checksums: bool,
    /// Takes super-segments of TCP over IPv4 and IPv6, and hands up such ones.
    pub segmentation: bool,
}

/// What went through a device or a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceCounters {
    /// Frames sent.
    pub sent: u64,
    /// Bytes in them, without preamble and frame check sequence.
    pub sent_bytes: u64,
    /// Frames received.
    pub received: u64,
    /// Bytes in them.
    pub received_bytes: u64,
    drops: BTreeMap<&'static str, u64>,
}

impl DeviceCounters {
    /// How many frames were dropped because of `reason`.
    pub fn drops(&self, reason: &str) -> u64 {
        self.drops.get(reason).copied().unwrap_or(0)
    }

    /// Reasons and how many frames were dropped because of each, sorted by reason.
    pub fn iter_drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.drops.iter().map(|(&reason, &n)| (reason, n))
    }

    pub(crate) fn count_sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(1);
        self.sent_bytes = self.sent_bytes.saturating_add(bytes as u64);
    }

    pub(crate) fn count_received(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(1);
        self.received_bytes = self.received_bytes.saturating_add(bytes as u64);
    }

    pub(crate) fn count_drop(&mut self, reason: &'static str) {
        let drops = self.drops.entry(reason).or_default();
        *drops = drops.saturating_add(1);
    }
}
