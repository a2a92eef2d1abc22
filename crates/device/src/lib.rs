//! The end of a host: wires in memory, what goes wrong on them, and the devices of the operating system.
//!
//! ```text
//!        Ethernet                                   Ethernet
//!           │ Frame                                    ▲ Frame
//!   ┌───────▼────────┐                         ┌───────┴────────┐
//!   │ a Device: TAP, │      or, simulated      │     port 1     │
//!   │ packet socket  │   port 0 ── Wire ──►    │  of the Wire   │
//!   └────────────────┘                         └────────────────┘
//!     in a Wire: completed ► queued and clocked out ► impaired ► delayed ► switched
//! ```
//!
//! A [`Wire`] is a link segment in simulated time: sans-IO, deterministic, any number of ports. Two are a
//! cable, more hang on a learning [`Switch`]. Its [`Impairment`] stages lose, repeat, delay and damage frames,
//! by chance or as told. A [`Device`] is a real one: on Linux a TAP or a packet socket.
//!
//! ```
//! use framewise_core::buf::InterfaceId;
//! use framewise_core::seams::frame::Frame;
//! use framewise_core::{Buf, Instant, Rng};
//! use framewise_device::{Wire, WireConfig};
//!
//! let mut wire = Wire::new(WireConfig::default(), Rng::from_seed(1));
//! let (me, you) = (wire.attach(), wire.attach());
//! let frame = Frame::new(Buf::copy_from_slice(&[0xff; 60]), InterfaceId(0));
//! wire.send(me, frame, Instant::ZERO);
//!
//! let arrival = wire.poll_timeout().expect("a frame is under way");
//! let (port, frame) = wire.poll(arrival).expect("it arrives when it said");
//! assert_eq!((port, frame.len()), (you, 60));
//! ```

#![deny(unsafe_code)]

pub mod device;
pub mod drops;
pub mod impair;
pub mod offload;
pub mod switch;
pub mod virtio;
pub mod wire;

#[cfg(target_os = "linux")]
pub mod interfaces;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
pub mod packet_socket;
#[cfg(target_os = "linux")]
pub mod privileges;
#[cfg(target_os = "linux")]
pub mod tap;
#[cfg(target_os = "linux")]
mod tap_error;
#[cfg(target_os = "linux")]
pub mod tap_offload;
#[cfg(target_os = "linux")]
pub mod tap_setup;

pub use device::{Capabilities, Device, DeviceCounters};
pub use impair::{Action, Deed, Impairment, ImpairmentConfig, ImpairmentCounts, Intervention};
#[cfg(target_os = "linux")]
pub use packet_socket::PacketSocket;
pub use switch::{Forward, PortId, Switch, SwitchConfig};
#[cfg(target_os = "linux")]
pub use tap::{Offloading, Tap, TapError, TapOptions};
pub use wire::{OffloadPolicy, Wire, WireConfig, WireEvent};

/// Bytes of an Ethernet header: destination, source, type.
pub const HEADER: usize = 14;
/// Bytes that an 802.1Q tag adds to the header.
pub const VLAN_TAG: usize = 4;
