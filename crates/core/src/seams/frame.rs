//! Between a device and Ethernet: frames, without preamble and frame check sequence.

use super::buffer_message;
use crate::buf::{Buf, InterfaceId, Offload};
use crate::mac::MacAddr;
use crate::message::{Message, Subject};
use crate::seam::Seam;

/// The frame seam.
#[derive(Debug, Clone, Copy)]
pub enum Frames {}

impl Seam for Frames {
    const NAME: &'static str = "frame";
    type Down = Frame;
    type Up = Frame;
}

buffer_message! {
    /// An Ethernet frame, from the destination's MAC address to the last byte of the payload.
    Frame
}

impl Frame {
    /// A frame of `buf` on `interface`.
    pub fn new(mut buf: Buf, interface: InterfaceId) -> Self {
        buf.label_mut().interface = interface;
        Frame(buf)
    }

    /// The interface it came from or leaves by.
    pub fn interface(&self) -> InterfaceId {
        self.label().interface
    }

    /// What is left to the device, or was done by it.
    pub fn offload(&self) -> Offload {
        self.label().offload
    }
}

impl Message for Frame {
    fn summary(&self) -> String {
        let address = |at| crate::read::array_at::<6>(self, at).map(MacAddr::new);
        match (address(6), address(0)) {
            (Some(source), Some(destination)) => format!("{source} to {destination}, {} bytes", self.len()),
            _ => format!("runt of {} bytes", self.len()),
        }
    }

    fn kind(&self) -> &'static str {
        "frame"
    }

    fn bytes(&self) -> &[u8] {
        self
    }

    fn subject(&self) -> Subject {
        Subject::Buffer(self.serial())
    }

    fn interface(&self) -> Option<InterfaceId> {
        Some(self.label().interface)
    }

    fn offload_facts(&self) -> Offload {
        self.0.offload_facts()
    }
}
