//! A packet socket: our own stack beside the kernel's, on an interface that exists.
//!
//! What the kernel of this machine sends on the interface is not heard, and what comes is heard by both:
//!
//! - Our stack drops what is not for its own MAC address, the kernel what is not for the interface's. The interface is made
//!   promiscuous while the socket is open, since our MAC address is not its own; nothing else of it is changed.
//! - With a MAC address of our own the kernel never sees our connections, as long as our IP address is not one of its
//!   addresses, too: it would answer ARP for it, and segments that come to it then with a RST.
//!
//! A frame from another interface of this machine (a veth pair) may come with its checksum not yet filled in, or as one of
//! many segments that were never cut, or were joined again (GRO). So the kernel is asked to put a header in front of each
//! frame that says so (packet(7), `PACKET_VNET_HDR`; VIRTIO 1.2, section 5.1.6). What we send leaves nothing to it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, RawFd};
use std::time::Duration;

use framewise_core::buf::{ChecksumState, InterfaceId, Offload};
use framewise_core::read::{array_at, u8_at};
use framewise_core::seams::frame::Frame;
use framewise_core::{Buf, MacAddr};
use pnet::datalink::{self, Channel, DataLinkReceiver, DataLinkSender};
use thiserror::Error;

use crate::device::{Device, DeviceCounters};
use crate::linux;
use crate::netlink::Netlink;
use crate::offload::complete;
use crate::{HEADER, VLAN_TAG};

/// The header in front of each frame, in the machine's byte order: flags, kind of super-segment, length of the headers, bytes of
/// each segment, where the checksum begins and where it stands.
const FACTS: usize = 10;
/// The flags: the checksum is still to be written, or has been verified. Either way there is nothing to verify.
const NEEDS_NO_VERIFYING: u8 = 1 | 2;

/// What the kernel has joined, or not cut, is one IP packet at most.
const RECEIVED: usize = FACTS + HEADER + VLAN_TAG + 65_536;

/// Why a packet socket can't be had, with what to do about it.
#[derive(Debug, Error)]
pub enum PacketSocketError {
    /// One must be root for it.
    #[error("a packet socket needs root: run the command with sudo")]
    Forbidden(#[source] io::Error),
    /// There is no such interface.
    #[error("there is no interface {name}; `ip link` lists them")]
    Missing {
        /// The name.
        name: String,
    },
    /// It is down, and not ours to bring up.
    #[error("{name} is down: bring it up with `sudo ip link set {name} up`")]
    Down {
        /// The name.
        name: String,
    },
    /// The channel was not of Ethernet.
    #[error("{name} is no Ethernet interface")]
    NotEthernet {
        /// The name.
        name: String,
    },
    /// Something else went wrong.
    #[error("{name}: could not open a packet socket")]
    Io {
        /// The interface.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A packet socket on one interface.
pub struct PacketSocket {
    sender: Box<dyn DataLinkSender>,
    receiver: Box<dyn DataLinkReceiver>,
    descriptor: RawFd,
    name: String,
    host_mac: Option<MacAddr>,
    mtu: usize,
    counters: DeviceCounters,
}

impl PacketSocket {
    /// Opens a packet socket on the interface of this name.
    ///
    /// # Errors
    /// A [`PacketSocketError`] that says what to do.
    pub fn open(name: &str) -> Result<Self, PacketSocketError> {
        let other = |source| PacketSocketError::Io { name: name.to_owned(), source };
        let missing = || PacketSocketError::Missing { name: name.to_owned() };
        let link =
            Netlink::open().and_then(|mut netlink| netlink.link(name)).map_err(other)?.ok_or_else(missing)?;
        if !link.up {
            return Err(PacketSocketError::Down { name: link.name });
        }
        let interface = datalink::interfaces()
            .into_iter()
            .find(|interface| interface.name == name)
            .ok_or_else(missing)?;
        let socket = linux::packet_socket().map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => PacketSocketError::Forbidden(source),
            _ => other(source),
        })?;
        // From here on the descriptor is the channel's, which closes it in every case.
        let descriptor = socket.as_raw_fd();
        let config = datalink::Config {
            read_buffer_size: RECEIVED,
            read_timeout: Some(Duration::ZERO),
            write_timeout: Some(Duration::ZERO),
            socket_fd: Some(socket.into_raw_fd()),
            ..datalink::Config::default()
        };
        match datalink::channel(&interface, config).map_err(other)? {
            Channel::Ethernet(sender, receiver) => Ok(PacketSocket {
                sender,
                receiver,
                descriptor,
                name: link.name,
                host_mac: link.mac,
                mtu: link.mtu,
                counters: DeviceCounters::default(),
            }),
            _ => Err(PacketSocketError::NotEthernet { name: name.to_owned() }),
        }
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The MAC address of the interface, which is the kernel's. Ours should be another.
    pub fn host_mac(&self) -> Option<MacAddr> {
        self.host_mac
    }

    /// Sends one frame. Gives it back where it can't go now.
    fn send_one(&mut self, mut frame: Frame) -> io::Result<Option<Frame>> {
        // Zeros: nothing is left to the kernel.
        frame.prepend(FACTS).fill(0);
        let sent = self.sender.send_to(&frame, None);
        frame.advance(FACTS);
        match sent {
            Some(Ok(())) => {
                self.counters.count_sent(frame.len());
                Ok(None)
            }
            Some(Err(error)) if is_not_now(&error) => Ok(Some(frame)),
            Some(Err(error)) if is_down(&error) => {
                self.counters.count_drop("the interface is down");
                Ok(None)
            }
            Some(Err(error)) => {
                self.counters.count_drop("the kernel refused it");
                Err(error)
            }
            None => Ok(Some(frame)),
        }
    }
}

impl Device for PacketSocket {
    fn transmit(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let Ok(frames) = complete(frame) else {
            self.counters.count_drop("offload facts don't fit the frame");
            return Ok(None);
        };
        let mut first = true;
        for frame in frames {
            if frame.len() > self.mtu + HEADER + VLAN_TAG {
                self.counters.count_drop("longer than the MTU");
            } else if let Some(frame) = self.send_one(frame)? {
                if first {
                    return Ok(Some(frame));
                }
                self.counters.count_drop("no room for all pieces of a super-segment");
            }
            first = false;
        }
        Ok(None)
    }

    fn receive(&mut self) -> io::Result<Option<Frame>> {
        let bytes = match self.receiver.next() {
            Ok(bytes) => bytes,
            Err(error) if is_not_now(&error) || is_down(&error) => return Ok(None),
            // A super-frame of a kind that the header has no number for is gone, but the socket is well.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                self.counters.count_drop("the kernel could not describe it");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Some((facts, bytes)) = bytes.split_at_checked(FACTS) else {
            self.counters.count_drop("no header in front of it");
            return Ok(None);
        };
        self.counters.count_received(bytes.len());
        let mut buf = Buf::copy_from_slice(bytes);
        buf.label_mut().offload = offload(facts);
        Ok(Some(Frame::new(buf, InterfaceId::default())))
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn readable_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(linux::borrow(self, self.descriptor))
    }

    fn counters(&self) -> &DeviceCounters {
        &self.counters
    }
}

/// What the kernel says of a frame that it hands over.
fn offload(facts: &[u8]) -> Offload {
    let flags = u8_at(facts, 0).unwrap_or_default();
    let segment_size = array_at(facts, 4).map(u16::from_ne_bytes).filter(|&size| size != 0);
    let needs_no_verifying = flags & NEEDS_NO_VERIFYING != 0 || segment_size.is_some();
    let checksum = if needs_no_verifying { ChecksumState::Verified } else { ChecksumState::Complete };
    Offload { checksum, segment_size }
}

fn is_down(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENETDOWN)
}

fn is_not_now(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted) || error.raw_os_error() == Some(libc::ENOBUFS)
}
