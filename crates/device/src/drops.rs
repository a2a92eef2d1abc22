//! Why devices and wires drop frames; each counts for itself ([`DeviceCounters`](crate::DeviceCounters)).

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 20] = table("device", [
    ("link down", "the cable is out", ""),
    ("longer than the MTU", "more than a frame of this link carries", "RFC 894"),
    ("queue full", "the link's rate is lower than what is sent", ""),
    ("too many frames under way", "as many are on the wire as may be", ""),
    ("nobody at the other end", "one plug alone hangs on this wire", ""),
    ("too short for its addresses", "a switch can't tell for whom it is", "IEEE 802.1Q §8.6"),
    ("its receiver is behind the port it came from", "it has arrived already", "IEEE 802.1Q §8.6"),
    ("offload facts don't fit the frame", "what is left to the device can't be done", ""),
    ("no room for all pieces of a super-segment", "the device took some of them alone", ""),
    ("the interface is down", "the system has switched it off", ""),
    ("the kernel refused it", "it finds no sense in this frame", ""),
    ("no header in front of it", "the packet socket gave a frame without its facts", "virtio 1.2 §5.1.6"),
    ("the kernel could not describe it", "a kind of super-frame that its header has no number for", ""),
    ("virtio header cut off", "fewer bytes came than the header has", "virtio 1.2 §5.1.6"),
    ("virtio segmentation not agreed on", "a kind of super-segment that nobody asked for", "virtio 1.2 §5.1.6"),
    ("virtio segment size 0", "its pieces would never end", "virtio 1.2 §5.1.6"),
    ("virtio headers longer than the frame", "its lengths contradict each other", "virtio 1.2 §5.1.6"),
    ("virtio checksum beyond the frame", "its place is outside", "virtio 1.2 §5.1.6"),
    ("queue to the device is full", "the device takes less than the host sends", ""),
    ("no such interface", "the host has more interfaces than plugs", ""),
]);
