//! What a host's interface is plugged into.

use std::collections::VecDeque;
use std::io;

use framewise_core::seams::frame::Frame;
use framewise_device::Device;
use framewise_device::switch::PortId;

/// Frames that wait for a full device while the host's other interfaces go on; further ones are dropped.
const WAITING: usize = 1_000;

/// One of the Runner's wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireId(pub(crate) usize);

/// Where the frames of one interface go and come from.
pub(crate) enum Link {
    /// A port of an in-memory wire.
    Wire(WireId, PortId),
    /// A device of the operating system.
    Device(DeviceLink),
}

/// A device, and the frames that it could not take yet.
pub(crate) struct DeviceLink {
    pub(crate) device: Box<dyn Device>,
    pub(crate) waiting: VecDeque<Frame>,
}

impl Link {
    /// Tries again to send what waits; `true` when a frame sent now would not have to wait.
    pub(crate) fn retry(&mut self) -> io::Result<bool> {
        match self {
            Link::Wire(..) => Ok(true),
            Link::Device(link) => link.retry(),
        }
    }
}

impl DeviceLink {
    /// Nothing waits yet.
    pub(crate) fn new(device: Box<dyn Device>) -> Self {
        DeviceLink { device, waiting: VecDeque::new() }
    }

    /// Sends a frame, or keeps it while the device can't take it. `false`: too many wait, and this one is lost.
    pub(crate) fn transmit(&mut self, frame: Frame) -> io::Result<bool> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.device.transmit(frame)?);
            return Ok(true);
        }
        let has_room = self.waiting.len() < WAITING;
        if has_room {
            self.waiting.push_back(frame);
        }
        Ok(has_room)
    }

    fn retry(&mut self) -> io::Result<bool> {
        while let Some(frame) = self.waiting.pop_front() {
            if let Some(frame) = self.device.transmit(frame)? {
                self.waiting.push_front(frame);
                return Ok(false);
            }
        }
        Ok(true)
    }
}
