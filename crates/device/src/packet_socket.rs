//! A packet socket: our own stack beside the kernel's, on an interface that exists.
//!
//! What the kernel of this machine sends on the interface is not heard, and what comes for the kernel is heard by
//! both: our stack drops what is not for its own MAC address. The interface's settings are left alone, except
//! that it is made promiscuous while the socket is open, since our MAC address is not its own.
//!
//! A frame from another interface of this machine (a veth pair) may come with its checksum not yet filled in,
//! which a plain packet socket can't tell from a wrong one: there, `ethtool -K PEER tx off`. Short segments that the
//! kernel has joined (GRO) have the same fault: `ethtool -K INTERFACE gro off`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, RawFd};
use std::time::Duration;

use framewise_core::Buf;
use framewise_core::buf::{ChecksumState, InterfaceId};
use framewise_core::seams::frame::Frame;
use pnet::datalink::{self, Channel, DataLinkReceiver, DataLinkSender};
use thiserror::Error;

use crate::device::{Device, DeviceCounters};
use crate::linux;
use crate::netlink::Netlink;
use crate::offload::complete;
use crate::{HEADER, VLAN_TAG};

/// The kernel joins segments that come in (GRO) before a packet socket hears them: up to one IP packet.
const RECEIVED: usize = 65_536 + HEADER + VLAN_TAG;

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
                mtu: link.mtu,
                counters: DeviceCounters::default(),
            }),
            _ => Err(PacketSocketError::NotEthernet { name: name.to_owned() }),
        }
    }

    /// Sends one frame; `false`: not now.
    fn send_one(&mut self, frame: &Frame) -> io::Result<bool> {
        match self.sender.send_to(frame, None) {
            Some(Ok(())) => {
                self.counters.count_sent(frame.len());
                Ok(true)
            }
            Some(Err(error)) if is_not_now(&error) => Ok(false),
            Some(Err(error)) if is_down(&error) => {
                self.counters.count_drop("the interface is down");
                Ok(true)
            }
            Some(Err(error)) => {
                self.counters.count_drop("the kernel refused it");
                Err(error)
            }
            None => Ok(false),
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
            } else if !self.send_one(&frame)? {
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
        match self.receiver.next() {
            Ok(bytes) => {
                self.counters.count_received(bytes.len());
                let mut buf = Buf::copy_from_slice(bytes);
                // Only the kernel joins segments to more than fits, and only after it has verified each.
                if bytes.len() > self.mtu + HEADER + VLAN_TAG {
                    buf.label_mut().offload.checksum = ChecksumState::Verified;
                }
                Ok(Some(Frame::new(buf, InterfaceId::default())))
            }
            Err(error) if is_not_now(&error) || is_down(&error) => Ok(None),
            Err(error) => Err(error),
        }
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

fn is_down(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENETDOWN)
}

fn is_not_now(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted) || error.raw_os_error() == Some(libc::ENOBUFS)
}
