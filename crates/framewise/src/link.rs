//! What a host's interface is plugged into.

use std::io;

use framewise_core::seams::frame::Frame;
use framewise_device::Device;
use framewise_device::switch::PortId;

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

/// A device, and the frame that it could not take yet.
pub(crate) struct DeviceLink {
    pub(crate) device: Box<dyn Device>,
    pub(crate) waiting: Option<Frame>,
}

impl DeviceLink {
    /// Sends a frame, or keeps the one that the device can't take now.
    pub(crate) fn transmit(&mut self, frame: Frame) -> io::Result<()> {
        self.waiting = self.device.transmit(frame)?;
        Ok(())
    }

    /// Tries again to send what waits; `true` when nothing waits any more.
    pub(crate) fn retry(&mut self) -> io::Result<bool> {
        if let Some(frame) = self.waiting.take() {
            self.transmit(frame)?;
        }
        Ok(self.waiting.is_none())
    }
}
